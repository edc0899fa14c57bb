"""A running instance of the product, and those who talk to it.

Tests drive the real programs behind the real nginx and PostgreSQL, started by ./dev up as a person
would. Nothing here knows how the programs are made; all it knows is the HTTP contract, ./dev, and
the tables that the contract names.
"""

import collections
import contextlib
import datetime
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

import made
from made import free_port
from openapi import CONTRACT

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"
PSQL = "/usr/lib/postgresql/15/bin/psql"
ZOOM_URL = "https://us02web.zoom.us/j/8123456789?pwd=Zm9vYmFy.1"
PASSWORD = "a quiet river 7"
# What tests draw, they draw from it. ./dev test chooses it; else it is drawn here, once for all that this process starts.
SEED = int(os.environ.setdefault("CLASSCLOCK_SEED", str(random.randrange(2**32))))

LONG = "CLASSCLOCK_LONG" in os.environ


def sample(cases, most):
    """The cases of a test whose cases are dear: in a long run all, else so many that the seed draws."""
    cases = list(cases)
    return cases if LONG else random.Random(SEED).sample(cases, most)


# What a browser on a student's phone says of itself when a link in a message is tapped.
PHONE = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Origin": None,
}

# What no answer may ever show: SQL, its errors, paths, addresses of memory.
LEAKS = re.compile(
    rb"SELECT |INSERT |UPDATE |DELETE FROM|violates|constraint|relation \"|libpq|PGRES|syntax error|"
    rb"/usr/|/tmp/|/home/|/root|/var/|\.c:\d|0x[0-9a-f]{6}"
)


class Secrets:
    """What has been seen of passwords, logins, tokens and signatures, by anybody: no log may hold any of it."""

    FIELDS = {"password", "current_password", "new_password", "token"}
    SETTINGS = re.compile(r"SECRET|TOKEN")
    IN_TEXT = re.compile(r"(?:/invite#|[?&](?:token|sig|start)=)([A-Za-z0-9_.-]{12,})")
    SHORTEST = 12  # shorter ones are no secrets, and may stand in a log by chance

    def __init__(self):
        self.seen = set()

    def add(self, *texts):
        self.seen.update(text for text in texts if isinstance(text, str) and len(text) >= self.SHORTEST)

    def find(self, text):
        self.add(*self.IN_TEXT.findall(text))

    def watch(self, target, body, headers, response):
        """All that a call shows of them."""
        self.find(target)
        self.find(response.body.decode(errors="replace"))
        self.add(*(headers.get(name) for name in ("Authorization", "X-Telegram-Bot-Api-Secret-Token", "x-zm-signature")))
        for line in response.headers.get_all("Set-Cookie") or []:
            self.add(line.partition("=")[2].partition(";")[0])
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            fields = json.loads(body)
            self.add(*(fields[name] for name in self.FIELDS & set(fields)))

    def settings(self, env):
        for name, value in env.items():
            if self.SETTINGS.search(name):
                self.add(*value.split(","))

    def in_text(self, text):
        """Those that stand in it. Logs are long and secrets many: one pass finds which of their beginnings are there."""
        n, begun = self.SHORTEST, collections.defaultdict(list)
        for secret in self.seen:
            begun[secret[:n]].append(secret)
        there = set(begun).intersection(text[i : i + n] for i in range(len(text)))
        return sorted(secret for start in there for secret in begun[start] if secret in text)


SECRETS = Secrets()


class Response:
    """An answer: status, headers (names in any case), body, and json for JSON."""

    def __init__(self, method, target, sent, raw, body):
        self.method, self.target, self.sent = method, target, sent
        self.status, self.headers, self.body = raw.status, raw.headers, body

    @property
    def type(self):
        return (self.headers["Content-Type"] or "").split(";")[0]

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def field(self):
        """The input at fault, as a problem document names it."""
        return self.json.get("field")

    def __repr__(self):
        return f"{self.method} {self.target} -> {self.status} {self.type} {self.body[:600]!r}"

    def __getitem__(self, name):
        return self.json[name]


class Client:
    """Someone who talks HTTP: keeps cookies, and sends what our own pages send with a call.

    Every answer is held to what the contract says of all answers.

    Each has an address of their own, in one network: nginx counts calls by address, and a test must not be
    refused for the calls of the tests before it.
    """

    _addresses = itertools.cycle(f"127.0.0.{n}" for n in range(100, 200))

    def __init__(self, url):
        self.base = urllib.parse.urlsplit(url)
        self.origin = url
        self.address = next(self._addresses)
        self.cookies = {}

    def request(self, method, target, body=None, headers=None, timeout=60):
        """body: None, bytes as they are, or anything else as JSON. A header of None is left out."""
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = "application/json"
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
        sent.update(headers or {})
        for_this_machine = target.split("?")[0] in ("/healthz", "/metrics")
        address = "127.0.0.1" if for_this_machine else self.address
        connection = http.client.HTTPConnection(
            self.base.hostname, self.base.port, timeout=timeout, source_address=(address, 0)
        )
        try:
            connection.request(method, target, body, {k: v for k, v in sent.items() if v is not None})
            raw = connection.getresponse()
            response = Response(method, target, body, raw, raw.read())
        finally:
            connection.close()
        self._keep_cookies(response)
        SECRETS.watch(target, body, sent, response)
        check_contract(response)
        return response

    def get(self, target, **kwargs):
        return self.request("GET", target, **kwargs)

    def post(self, target, body=None, **kwargs):
        return self.request("POST", target, {} if body is None else body, **kwargs)

    def patch(self, target, body, **kwargs):
        return self.request("PATCH", target, body, **kwargs)

    def open(self, url, method="GET", headers=None):
        """Follows a link in a message, as far as the answer to it."""
        assert url.startswith(self.origin + "/"), url
        return self.request(method, url[len(self.origin) :], headers={**PHONE, **(headers or {})})

    def fork(self):
        """Another tab of the same browser: the same cookies, kept apart from now on."""
        other = Client(self.origin)
        other.cookies = dict(self.cookies)
        return other

    def _keep_cookies(self, response):
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "max-age=0" in attributes.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def check_contract(response):
    """What holds for every answer of an endpoint."""
    CONTRACT.check(response)
    if not response.target.startswith("/api/"):
        return
    assert response.status != 500, response
    assert response.headers["Cache-Control"] == "no-store", response
    if response.status < 400 or response.method == "HEAD":
        return
    assert not LEAKS.search(response.body), response
    if response.type == "text/html":  # pages for people: the join link, "End class"
        assert response.target.startswith("/api/zoom/"), response
        return
    assert response.type == "application/problem+json", response
    problem = response.json
    assert set(problem) <= {"title", "status", "detail", "field"}, response
    assert problem["status"] == response.status and problem["title"] and problem["detail"], response
    if response.status == 405:
        assert response.headers["Allow"], response
    if response.status in (429, 503):
        assert int(response.headers["Retry-After"]) > 0, response


class Instance:
    """One ./dev up: empty but for the mission's packages and an admin, or with the demo academy. In a brief
    one nobody looks for leaks, which is half of a program's start and end, and which the others do."""

    def __init__(self, env=(), demo=False, folder=None, brief=False):
        self.sanitizers = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"} if brief else {}
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="classclock-api."))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.port = free_port()
        if not demo:
            made.begin(self.state)
        self._up(env, [] if demo else ["--empty"])

    def _up(self, env, arguments=()):
        (self.folder / "env").write_text("".join(f"{line}\n" for line in env))
        # Leak reports of long-lived programs come at their end; see _down().
        up = self.dev("up", "--state", self.state, "--port", self.port, "--detach", "--env", self.folder / "env",
                      *arguments, timeout=1200)  # fmt: skip
        assert up.returncode == 0, f"./dev up failed:\n{up.stdout}{up.stderr}"
        lines = dict(re.findall(r"^(url|admin): (.*)$", up.stdout, re.M))
        self.url = lines["url"]
        self.admin_email, self.admin_password = lines["admin"].split(" ")
        SECRETS.settings(self.env)
        self._superuser = Psql(self)
        self._stop_timers()

    def _down(self):
        self._superuser.close()
        for pid in self.timers:
            os.kill(pid, signal.SIGCONT)
        self.dev("down", "--state", self.state, timeout=300)

    def restart(self, env):
        """The same academy with other settings."""
        self._down()
        self._up(env)

    def dev(self, *arguments, timeout=120, stdin=subprocess.DEVNULL):
        return subprocess.run(
            [DEV, *map(str, arguments)], env=os.environ | self.sanitizers, stdin=stdin, capture_output=True,
            text=True, timeout=timeout,
        )  # fmt: skip

    def _stop_timers(self):
        """From here on session-timeout, and retention, which would come at midnight, run when a test says so: their
        timers sleep for good."""

        def asleep(name):
            try:
                pid = self.pid(name)
                (child,) = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                return pathlib.Path(f"/proc/{child}/comm").read_text() == "sleep\n" and pid
            except (ValueError, IndexError, FileNotFoundError):
                return None

        self.timers = []
        for name in ("timer-session-timeout", "timer-retention"):
            self.timers.append(wait_for(lambda name=name: asleep(name)))
            os.kill(self.timers[-1], signal.SIGSTOP)

    def stop(self):
        self._down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self):
        return Client(self.url)

    def pid(self, name):
        """Of the process that ./dev up keeps: a program, nginx, postgres."""
        return int((self.state / "pids" / name).read_text().split()[0])

    @property
    def env(self):
        """The settings of the instance."""
        lines = (self.state / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def job(self, name, *arguments, timeout=600):
        """Runs a program of cron/ as crontab would; the completed process. ./dev job, but for its shell."""
        run = (self.state / "run").resolve()
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "CLASSCLOCK_ENV": str(run / "env")}
        env.update((key, os.environ[key]) for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if key in os.environ)
        who = {"user": "www-data", "group": "www-data", "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run(
            [pathlib.Path((run / "bin").read_text().strip()) / "cron" / name, *map(str, arguments)],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, **who
        )  # fmt: skip

    def replay(self):
        """Brings in what waits in the journal, if anything does: there is a tap that a busy machine's database did not
        take within its second."""
        journal = self.state / "journal" / "journal"
        if journal.exists() and journal.stat().st_size:
            self.job("journal-replay")

    @property
    def sockets(self):
        """Where PostgreSQL listens."""
        return (self.state / "run").resolve() / "pg"

    def psql(self, *commands):
        """Runs SQL as superuser, one transaction a command; what psql prints, bare."""
        return "\n".join(filter(None, map(self._superuser.run, commands)))

    def let_go(self):
        """Closes the connection that psql() keeps, for what nobody else may be connected to."""
        self._superuser.close()

    def rows(self, query):
        """The rows of a query, as dicts."""
        return json.loads(self.psql(f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"))

    def row(self, query):
        (row,) = self.rows(query)
        return row

    def session(self, session_id):
        """The row of a session as the table has it."""
        return self.row(f"SELECT * FROM sessions WHERE id = {int(session_id)}")

    def evidence(self, session_id):
        """The evidence of a session, in the order in which it came."""
        return self.rows(
            "SELECT kind, happened_at, received_at, source, account_id, detail FROM session_events"
            f" WHERE session_id = {int(session_id)} ORDER BY id"
        )

    def age(self, session_id, interval):
        """Makes a session and all its evidence older, as if it had been sent that much earlier."""
        n = int(session_id)
        moments = ", ".join(
            f"{column} = {column} - interval '{interval}'"
            for column in ("sent_at", "clicked_at", "times_out_at", "session_ended_at")
        )
        self.psql(
            "SET session_replication_role = replica;"
            f" UPDATE sessions SET {moments} WHERE id = {n};"
            f" UPDATE session_events SET happened_at = happened_at - interval '{interval}',"
            f"  received_at = received_at - interval '{interval}' WHERE session_id = {n}"
        )

    def check(self):
        """Lets every class come to its end, then holds the data to every invariant.

        The end lies ahead of whatever moment a test has moved the clock to.
        """
        clock = Clock(self)
        clock.move("60 days")
        done = self.job("session-timeout")
        assert done.returncode == 0, done.stderr
        check = self.job("classclock-admin", "check", timeout=900)  # it reads everything, in a long run much
        clock.reset()
        return check

    @contextlib.contextmanager
    def database_stopped(self):
        """For as long as it lasts, programs are cut off and nobody reaches PostgreSQL."""
        door, elsewhere = self.sockets / ".s.PGSQL.5432", self.sockets / ".s.PGSQL.5999"
        door.rename(elsewhere)
        try:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'"
            psql = [PSQL, "-XqAt", "-h", self.sockets, "-p", "5999", "-U", "postgres"]
            subprocess.run([*psql, "-c", cut], check=True, capture_output=True)
            yield
        finally:
            elsewhere.rename(door)

    def logs(self):
        """All that the programs have logged."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.state / "log").glob("*.log")))


class Psql:
    """./dev psql, but for its shell, and kept open: a process a command would take longer than most commands."""

    END = "-- that was all --"

    def __init__(self, app):
        self.app, self.process, self.lock = app, None, threading.Lock()

    def run(self, command):
        """What the command prints; each is a transaction, and its SETs end with it."""
        with self.lock:
            if not self.process:
                self._start()
            return self._run(command)

    def send(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()
        self.process = None

    def _start(self):
        self.errors = tempfile.TemporaryFile("w+")
        options = f"-c search_path=classclock,public {os.environ.get('PGOPTIONS', '')}"
        self.process = subprocess.Popen(
            [PSQL, "-h", self.app.sockets, "-U", "postgres", "-d", "classclock", "-XqAt", "-v", "ON_ERROR_STOP=1"],
            env=os.environ | {"PGOPTIONS": options},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def _run(self, command):
        lines = []
        if ";" in command:
            command = f"BEGIN;\n{command};\nCOMMIT;\nRESET ALL"
        self.send(f"{command}\n;\n\\echo {self.END}\n")
        for line in self.process.stdout:
            if line == self.END + "\n":
                return "".join(lines).rstrip("\n")
            lines.append(line)
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read()
        self.process = None
        raise AssertionError(said)


class Locked:
    """A session's row, or what a command locks, held by another transaction until the with-block ends."""

    def __init__(self, app, what):
        self.psql = Psql(app)
        self.what = what if isinstance(what, str) else f"SELECT 1 FROM sessions WHERE id = {what} FOR NO KEY UPDATE"

    def __enter__(self):
        self.psql.run("SELECT 1")
        self.psql.send("BEGIN;\n")
        self.psql.run(self.what)
        return self

    def __exit__(self, *_):
        self.psql.run("ROLLBACK")
        self.psql.close()


class Clock:
    """The database's clock, which decides everything. At rest it shows the real time."""

    def __init__(self, app):
        self.app = app

    def show(self, expression):
        """What an SQL expression says."""
        self.app.psql(
            "CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql STABLE"
            f" PARALLEL SAFE AS $$SELECT {expression}$$"
        )

    def move(self, interval):
        """Goes on from now shifted by the interval ('3 hours', '-2 days')."""
        self.show(f"statement_timestamp() + interval '{interval}'")

    def stop(self, moment):
        """Stands still at the moment ('2026-03-08 06:59:59+00')."""
        self.show(f"timestamptz '{moment}'")

    def reset(self):
        self.show("statement_timestamp()")


class Person:
    """A teacher or admin: their account, and a browser that is signed in."""

    def __init__(self, app, client, account):
        self.app, self.client = app, client
        self.id, self.name, self.email = account["id"], account["name"], account["email"]
        self.role = account["role"]
        self.password = PASSWORD

    def __getattr__(self, name):
        """get, post, patch and request as the person."""
        return getattr(self.client, name)

    def act(self, session_id, action, reason="as agreed", **fields):
        """Does something to a session, in a connection of its own."""
        wish = {"session_id": session_id, "action": action, "reason": reason, **fields}
        return self.client.fork().post(f"/api/{self.role}/session", wish)

    def sign_in(self):
        """Another browser of the same person."""
        other = self.app.client()
        answer = other.post("/api/auth/login", {"email": self.email, "password": self.password})
        assert answer.status == 200, answer
        return other


def hash_of(secret):
    """What the database keeps of a login, an invitation or a code, as SQL."""
    return f"'\\x{hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()}'::bytea"


def moment(text):
    """A moment as answers and tables show it."""
    return datetime.datetime.fromisoformat(text)


def wait_for(condition, seconds=300):
    """Waits until the condition holds and returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return result


def at_once(*calls):
    """Runs the calls in threads of their own, all at one moment; their results in order."""
    gate = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(i, call):
        gate.wait()
        try:
            results[i] = call()
        except BaseException as problem:  # pylint: disable=broad-except
            results[i] = problem

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
