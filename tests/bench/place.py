"""Where benchmarks run: an instance of the product whose PostgreSQL has memory to work with, filled by sets.

All loads come from this machine to this machine.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"
BUILD = pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build"))
TOOLS = BUILD / "bench"
ZOOM_URL = "https://us02web.zoom.us/j/8123456789?pwd=Zm9vYmFy.1"
PHONE = [
    "User-Agent: Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
]
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "min_wal_size": "4GB",  # what a checkpoint leaves is written again: to make a new file of the log takes tens of milliseconds
    "checkpoint_timeout": "60min",
    "maintenance_work_mem": "1GB",
    "random_page_cost": "1.1",
    "max_connections": "400",
}

# Sessions $1..$2, sent a minute ago, of 400 students. Triggers, and with them foreign keys, stand aside.
FILL = """
SET session_replication_role = replica;
INSERT INTO sessions (id, teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
  link_hours, link_id, request_id, request_digest, zoom_url, sent_at)
SELECT n, 1000 + n % 40, 1000 + n % 400, 'Europe', 10, 'USD', 60, 10, 12, lpad(to_hex(n), 32, '0')::uuid,
  lpad(to_hex(n), 32, '0')::uuid, '\\x00', '{url}', at_us({sent}) FROM generate_series({first}, {last}) n;
INSERT INTO session_events (session_id, kind, happened_at, received_at, source, account_id)
SELECT n, 'sent', at_us({sent}), at_us({sent}), 'teacher', 1000 + n % 40 FROM generate_series({first}, {last}) n
"""

REMOVE = """
SET session_replication_role = replica;
DELETE FROM clicks WHERE session_id >= 1000000000;
DELETE FROM session_events WHERE session_id >= 1000000000;
DELETE FROM sessions WHERE id >= 1000000000;
DELETE FROM students WHERE id BETWEEN 1000 AND 1399;
DELETE FROM accounts WHERE id BETWEEN 1000 AND 1039
"""

PEOPLE = """
INSERT INTO accounts (id, role, name, email)
SELECT 1000 + n, 'teacher', 'Teacher ' || n, 'teacher' || n || '@example.org' FROM generate_series(0, 39) n;
INSERT INTO students (id, name, teacher_id, package_id)
SELECT 1000 + n, 'Student ' || n, 1000 + n % 40, 'Europe' FROM generate_series(0, 399) n
"""


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="one short pair of each, to see that it works")
    return parser.parse_args()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > until:
            raise TimeoutError("it did not come about in time")
        time.sleep(0.02)
    return result


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


# One instance for all groups of a quick run: the state folder, which ./dev bench --quick makes and takes away.
SHARED = os.environ.get("CLASSCLOCK_BENCH_SHARED")


class Place:
    """A running instance. In a folder of its own that ends with it, or in state, which stays.

    In a quick run it is the one that all groups share, as ./dev up starts it, unless it has to be alone.
    """

    def __init__(self, state=None, settings=(), alone=False):
        self.shared = bool(SHARED) and not state and not alone
        self.own = None if state or self.shared else pathlib.Path(tempfile.mkdtemp(prefix="classclock-bench."))
        self.state = pathlib.Path(state or (SHARED if self.shared else self.own / "state"))
        self.port = free_port()
        self.settings = {**SETTINGS, **dict(settings)}
        if self.own:
            self.own.chmod(0o711)
        if (self.state / "ready").exists() and self.shared:
            self._attach()
            return
        self._up()
        # statements() reads parameters, which the role keeps out of the log.
        self.psql("ALTER ROLE classclock_app IN DATABASE classclock SET log_error_verbosity = 'default'")
        if self.shared:
            return
        # These take a restart; they stay in the cluster.
        alter = "\n".join(f"ALTER SYSTEM SET {name} = '{value}';" for name, value in self.settings.items())
        if self.psql("SHOW shared_buffers") != self.settings["shared_buffers"]:
            self.psql(alter)
            self.down()
            self._up()

    def _up(self):
        up = self.dev("up", "--state", self.state, "--port", self.port, "--detach", "--empty")
        if up.returncode:
            raise RuntimeError(up.stderr)
        self.admin = re.search(r"^admin: (\S+) (\S+)$", up.stdout, re.M).groups()
        self.socket = (self.state / "run").resolve() / "pg"
        self._timers("STOP")

    def _attach(self):
        self.port = int(re.search(r"^BASE_URL=.*:(\d+)$", (self.state / "env").read_text(), re.M)[1])
        self.admin = tuple((self.state / "admin").read_text().split())
        self.socket = (self.state / "run").resolve() / "pg"

    def _timers(self, signal):
        """Jobs run when a benchmark says so."""
        for file in (self.state / "pids").glob("timer-*"):
            subprocess.run(["kill", f"-{signal}", "--", "-" + file.read_text().split()[0]], check=False)

    def down(self):
        self._timers("CONT")
        self.dev("down", "--state", self.state)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.shared:
            self.down()
        if self.own:
            shutil.rmtree(self.own, ignore_errors=True)

    def dev(self, *words, **options):
        environment = {**os.environ, "CLASSCLOCK_BUILD": str(BUILD)}
        return subprocess.run(
            [DEV, *map(str, words)], env=environment, capture_output=True, text=True, check=False, **options
        )

    def job(self, name, *words):
        done = self.dev("job", name, "--state", self.state, *words)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    @property
    def conninfo(self):
        return f"host={self.socket} dbname=classclock user=postgres options=--search_path=classclock,public"

    def psql(self, sql):
        """Runs SQL as superuser, a statement a transaction."""
        command = ["/usr/lib/postgresql/15/bin/psql", self.conninfo, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def secret(self, *words):
        """What the program that seals links prints."""
        env = dict(line.split("=", 1) for line in (self.state / "env").read_text().splitlines())
        environment = {"AUTH_SECRET": env["AUTH_SECRET"]}
        return subprocess.run([TOOLS / "seal", *map(str, words)], env=environment, capture_output=True, check=True).stdout

    def statements(self, ask):
        """The statements that PostgreSQL is given while ask() runs, each with its parameters written in place of
        $1, $2, ... as literals (key sql) and as it was sent (key raw)."""
        log = self.state / "log" / "postgres.log"
        self.psql("ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf()")
        wait_for(lambda: self.psql("SHOW log_statement") == "all")
        begin = log.stat().st_size
        ask()
        self.psql("ALTER SYSTEM RESET log_statement; SELECT pg_reload_conf()")
        wait_for(lambda: self.psql("SHOW log_statement") == "none")
        time.sleep(0.2)
        with log.open() as f:
            f.seek(begin)
            return list(logged(f.read()))


def logged(text):
    """Statements that classclock_app ran by name or unnamed, from PostgreSQL's log."""
    pattern = re.compile(
        r"^[^\n]*classclock_app[^\n]* LOG:  execute \S+: (.*?)\n"
        r"(?:[^\n]* DETAIL:  parameters: (.*?)\n)?(?=\d{4}-|\Z)",
        re.M | re.S,
    )
    for sql, parameters in pattern.findall(text):
        values = {}
        if parameters:
            for n, value in re.findall(r"\$(\d+) = ('(?:[^']|'')*'|NULL)", parameters):
                values[int(n)] = value
        yield {"raw": sql, "sql": re.sub(r"\$(\d+)", lambda m, v=values: v.get(int(m[1]), m[0]), sql), "values": values}


LARGE = pathlib.Path(tempfile.gettempdir()) / "classclock-bench-academy" # kept: it takes minutes to fill


def many(quick):
    """How many sessions the academy has."""
    return 20_000 if quick else 10_000_000


def academy(quick):
    """An academy of ten million sessions, which stays where it is; of a few for a quick run."""
    place = Place(None if quick else LARGE)
    if not (place.state / "academy").exists():
        fill = (pathlib.Path(__file__).parent / "academy.sql").read_text()
        place.psql(f"\\set sessions {many(quick)}\n{fill}")
        (place.state / "academy").touch()
    return place


class Pool:
    """Sessions that nobody has opened yet, taken in order; and the targets that open them."""

    def __init__(self, place, count):
        self.place, self.next, self.end = place, 1_000_000_000, 1_000_000_000
        self.sent = int(place.psql("SELECT us(clock_now()) - 60000000"))
        self.expires = self.sent + 12 * 3_600_000_000
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-targets."))
        self.least = min(count, 200_000)  # at a time
        self.remove()  # what a run that was broken off has left
        place.psql(PEOPLE)
        self.add(count)

    def add(self, count):
        """Makes room for count more clicks; as a vacuum would find the table, not as an insert leaves it."""
        self.place.psql(
            FILL.format(url=ZOOM_URL, sent=self.sent, first=self.end, last=self.end + count - 1)
            + ";\nVACUUM ANALYZE sessions; VACUUM ANALYZE session_events; VACUUM ANALYZE clicks; CHECKPOINT"
        )
        self.end += count

    def targets(self, count):
        """A file of targets for count sessions that nobody has opened."""
        if self.next + count > self.end:
            self.add(max(count, self.least))
        file = self.folder / "targets"
        file.write_bytes(self.place.secret(self.next, count, self.sent, self.expires, ZOOM_URL))
        self.first, self.next = self.next, self.next + count
        return file

    def keep(self, count):
        """Such a file that later ones do not replace."""
        return self.targets(count).rename(self.folder / f"kept-{self.first}")

    def give_back(self, used):
        """Of the last targets only so many were used."""
        self.next = self.first + used

    def close(self):
        shutil.rmtree(self.folder)

    def refill(self, count):
        """Only count new sessions, in place of those before."""
        self.remove()
        self.place.psql(PEOPLE)
        self.next = self.end = 1_000_000_000
        self.add(count)

    def remove(self):
        """Takes from the tables what the pool has put there."""
        self.place.psql(REMOVE)


def load(port, clients, seconds, file, rate=0, headers=()):
    """What tests/bench/load.c counted."""
    command = [TOOLS / "load", port, clients, seconds, rate, file, *PHONE, *headers]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result = json.loads(done.stdout)
    result["rate"] = result["answers"] / result["seconds"]
    return result


def pgbench(place, script, clients=1, seconds=2, threads=1, variables=(), mode="prepared", transactions=None):
    """Transactions a second, and the microseconds each of them took."""
    with tempfile.TemporaryDirectory(prefix="classclock-pgbench.") as folder:
        file = pathlib.Path(folder) / "script"
        file.write_text(script)
        command = ["/usr/lib/postgresql/15/bin/pgbench", "-n", "-M", mode, "-c", clients, "-j", threads, "-f", file]
        command += ["-l", f"--log-prefix={folder}/log", *(f"-D{name}={value}" for name, value in dict(variables).items())]
        command += ["-t", transactions] if transactions else ["-T", max(1, round(seconds))]
        environment = {**os.environ, "PGOPTIONS": "-c search_path=classclock,public"}
        command += ["-h", place.socket, "-U", "classclock_app", "classclock"]
        done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
        if done.returncode or "tps = " not in done.stdout:
            raise RuntimeError(done.stderr[-2000:] + done.stdout[-500:])
        times = []
        for log in pathlib.Path(folder).glob("log*"):
            times += [int(line.split()[2]) for line in log.read_text().splitlines()]
        times.sort()
        return {"rate": float(re.search(r"tps = ([\d.]+)", done.stdout)[1]), "p50": times[len(times) // 2], "n": len(times)}


@contextlib.contextmanager
def child(command, environment=None, ready=None):
    """A process and all that it starts, for as long as it lasts."""
    # pylint: disable=consider-using-with
    log = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        list(map(str, command)), env=environment, stdout=log, stderr=log, start_new_session=True, stdin=subprocess.DEVNULL
    )
    try:
        if ready:
            try:
                wait_for(lambda: process.poll() is not None or ready())
            except TimeoutError:
                pass
            if process.poll() is not None or not ready():
                log.seek(0)
                raise RuntimeError(f"{command[0]} does not start: {log.read()[-2000:]}")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
        log.close()
