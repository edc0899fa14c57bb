"""An instance whose database can be taken away, students who tap meanwhile, and what must be true afterwards."""

import base64
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest.mock
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
import academy  # noqa: E402
import telegram  # noqa: E402

ZOOM_URL = academy.ZOOM_URL
MEETING_ID = 8123456789  # its
BUILD = pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", academy.ROOT / "build"))
LONG = "CLASSCLOCK_LONG" in os.environ
AS_WEB = "www-data" if os.geteuid() == 0 else None


class Academy(academy.Instance):
    """An instance with a teacher and ways to take its database away."""

    def __init__(self, settings=lambda state: ()):
        """settings(state) are the lines of --env; state is where it will live."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-outage."))
        self.folder.chmod(0o755)  # for trouble.c to find its files, whoever runs it
        with unittest.mock.patch.dict(os.environ, LD_PRELOAD=str(BUILD / "faults" / "trouble.so")):
            super().__init__(settings(self.folder / "state"), folder=self.folder)

    def start(self):
        admin = self.client()
        credentials = {"email": self.admin_email, "password": self.admin_password}
        assert admin.post("/api/auth/login", credentials).status == 200
        made = admin.post("/api/admin/teachers", {"name": "Tom", "email": "tom@example.org"})
        self.teacher = self.client()
        invitation = {"token": made["invite_url"].split("#")[1], "password": academy.PASSWORD}
        assert self.teacher.post("/api/auth/accept-invite", invitation).status == 200
        self.admin, self.teacher_id = admin, made["id"]
        return self

    def send(self, zoom_url=ZOOM_URL, student_id=None):
        """A class to a student of its own, or to this one; what send-link answers."""
        if student_id is None:
            student = {"name": "Sara", "teacher_id": self.teacher_id, "package_id": "Europe"}
            student_id = self.admin.post("/api/admin/students", student)["id"]
        wish = {"student_id": student_id, "zoom_url": zoom_url, "request_id": str(uuid.uuid4())}
        sent = self.teacher.post("/api/teacher/send-link", wish)
        assert sent.status == 201, sent
        return sent.json

    def tap(self, sent):
        """The student's tap; it must open the class, whatever is broken."""
        target = sent["join_url"].removeprefix(self.url)
        answer = self.client().get(target, headers={"Origin": None, "Sec-Fetch-Site": None})
        assert answer.status == 302 and answer.headers["Location"] == ZOOM_URL, answer
        return answer

    def end(self, sent):
        target = sent["leave_url"].removeprefix(self.url)
        answer = self.client().get(target, headers={"Origin": None, "Sec-Fetch-Site": None})
        assert answer.status == 200, answer

    def pid(self, name):
        file = self.state / ("supervisor" if name == "supervisor" else f"pids/{name}")
        return int(file.read_text().split()[0])

    def family(self, name):
        """The processes of a program, or of PostgreSQL: parent and children."""
        parent = self.pid(name)
        children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True)
        return [parent, *map(int, children.stdout.split())]

    def database(self):
        """The processes of PostgreSQL, of which the first stands still: it starts no other while these are listed."""
        parent = self.pid("postgres")
        os.kill(parent, signal.SIGSTOP)
        until(lambda: state_of(parent) == "T")  # it may have been in the middle of starting one
        return self.family("postgres")

    def start_job(self, name):
        """A program of cron/ as crontab starts it, to be killed."""
        settings = {"CLASSCLOCK_ENV": str((self.state / "run").resolve() / "env")}
        return subprocess.Popen([BUILD / "cron" / name], env=settings, stdout=subprocess.DEVNULL, user=AS_WEB)

    @property
    def journal(self):
        return self.state / "journal"

    def lines(self):
        """The lines that wait on disk."""
        files = [self.journal / "journal", *self.journal.glob("*.replay")]
        text = "".join(f.read_text(errors="replace") for f in files if f.exists())
        return [line for line in text.split("\n") if line]

    def works(self):
        return self.client().get("/healthz").status == 200

    def replay(self):
        done = self.job("journal-replay", timeout=1800)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def clicks(self, sent):
        """Every click that was kept of a class."""
        n = sent["session"]["id"]
        return self.rows(f"SELECT *, us(happened_at) FROM clicks WHERE session_id = {n} ORDER BY happened_at")

    def metric(self, name):
        lines = self.client().get("/metrics").text.splitlines()
        (line,) = [line for line in lines if line.startswith(f"classclock_{name} ")]
        return int(line.split()[1])

    def check_all(self):
        """What must be true when all is over: nothing waits, and every invariant holds."""
        self.replay()
        assert self.lines() == []
        job = self.job("session-timeout")
        assert job.returncode == 0, job.stderr
        check = self.job("classclock-admin", "check")
        assert check.returncode == 0, check.stdout


class Timer(telegram.Timer):
    """The instance's own timer of a job, held between two runs: one held in the middle would keep what it has locked."""

    def __init__(self, app, job):
        super().__init__(app, job)
        while not self._is_between():
            self.release()
            time.sleep(0.05)
            os.killpg(self._group, signal.SIGSTOP)

    def _is_between(self):
        parent = pathlib.Path(f"/proc/{self._group}")
        until(lambda: state_of(self._group) == "T")
        children = (parent / f"task/{self._group}/children").read_text().split()
        return [pathlib.Path(f"/proc/{child}/comm").read_text() for child in children] == ["sleep\n"]


class Taps:
    """Students who tap so many times a second on all these links in turn: tapper.c. Ended by finish()."""

    def __init__(self, app, links, rate, seconds, addresses=1):
        self.folder = tempfile.TemporaryDirectory(prefix="classclock-taps.")
        folder = pathlib.Path(self.folder.name)
        (folder / "targets").write_text("".join(link.removeprefix(app.url) + "\n" for link in links))
        self.ledger, self.seconds = folder / "ledger", seconds
        command = [BUILD / "faults" / "tapper", app.port, rate, seconds, folder / "targets", self.ledger, addresses]
        self.began = time.monotonic()
        self.process = subprocess.Popen(list(map(str, command)))

    def at(self, second):
        """Returns when they have tapped for so many seconds: how long an outage lasts is what is tested."""
        time.sleep(max(0, self.began + second - time.monotonic()))

    def finish(self):
        """Every tap: number, moments tapped and answered (us), status, whether it was told when to come again."""
        assert self.process.wait(self.seconds + 60) == 0
        taps = [tuple(map(int, line.split())) for line in self.ledger.read_text().splitlines()]
        self.folder.cleanup()
        return taps


def kept_taps(psql):
    """What the database has of taps: {number: [moment, ...]}."""
    kept = {}
    lines = psql("SELECT substr(agent, 8), us(happened_at) FROM clicks WHERE agent LIKE 'tapper %'")
    for line in lines.splitlines():
        number, moment = map(int, line.split("|"))
        kept.setdefault(number, []).append(moment)
    return kept


def forget_taps(app):
    app.psql("DELETE FROM clicks WHERE agent LIKE 'tapper %'")


def all_opened(taps):
    others = [tap for tap in taps if tap[3] != 302]
    assert not others, f"{len(others)} of {len(taps)} did not reach the class: {others[:5]}"


def check_ledger(taps, kept):
    """Every tap that was answered with the class is kept, none twice, each at its own moment."""
    opened = [tap for tap in taps if tap[3] == 302]
    lost = [n for n, *_ in opened if n not in kept]
    assert not lost, f"{len(lost)} of {len(opened)} are lost: {lost[:10]}"
    twice = [n for n, moments in kept.items() if len(moments) > 1]
    assert not twice, f"{len(twice)} are kept twice: {twice[:10]}"
    # A millisecond: what the node's clock and the database's may be apart and still be called the same.
    moved = [(n, kept[n][0] - began, ended - began) for n, began, ended, *_ in opened
             if not began - 1000 <= kept[n][0] <= ended + 1000]
    assert not moved, f"{len(moved)} have another moment: {moved[:5]}"


def put_classes(app, n, psql=None):
    """Puts n classes in that have just been sent, quicker than by sending them; their join links."""
    app.send()  # for a student
    made = (psql or app.psql)(
        "WITH made AS (INSERT INTO sessions (teacher_id, student_id, package_id, currency, duration_minutes,"
        " buffer_minutes, link_hours, link_id, request_id, request_digest, zoom_url, meeting_id, sent_at)"
        f" SELECT {app.teacher_id}, (SELECT max(id) FROM students WHERE teacher_id = {app.teacher_id}), 'Europe',"
        f" 'USD', 60, 10, 12, gen_random_uuid(), gen_random_uuid(), '', '{ZOOM_URL}', {MEETING_ID}, clock_now()"
        f" FROM generate_series(1, {n}) RETURNING *), evidence AS (INSERT INTO session_events (session_id, kind,"
        " happened_at, source) SELECT id, 'sent', sent_at, 'teacher' FROM made)"
        " SELECT concat_ws(' ', id, replace(link_id::text, '-', ''), us(sent_at),"
        " us(sent_at + interval '12 hours'), zoom_url) FROM made"
    )
    secret = {"AUTH_SECRET": app.env["AUTH_SECRET"]}
    sealed = subprocess.run([BUILD / "faults" / "sealer"], env=secret, input=made + "\n", text=True, check=True,
                            stdout=subprocess.PIPE)
    return [f"{app.url}/api/zoom/track?token={token}" for token in sealed.stdout.split()]


def clicked(app, sent):
    return app.session(sent["session"]["id"])["clicked_at"]


def line(kind, session, happened_us, offset_us=0, sent_us=None, link="-", version=2, name=None):
    """A line as lib/journal_line.c writes it."""
    sent_us = happened_us - 10**9 if sent_us is None else sent_us
    words = [version, kind, name or uuid.uuid4().hex, happened_us, offset_us, session, link, sent_us,
             sent_us + 43_200_000_000, "-", "-"] + ["-"] * (version > 1)
    text = " ".join(map(str, words))
    checksum = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return f"{text} {base64.urlsafe_b64encode(checksum).decode().rstrip('=')}"


def link_of(app, sent):
    return app.psql(f"SELECT replace(link_id::text, '-', '') FROM sessions WHERE id = {sent['session']['id']}")


def sent_us(app, sent):
    return int(app.psql(f"SELECT us(sent_at) FROM sessions WHERE id = {sent['session']['id']}"))


def signal_all(pids, how):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # a backend that nobody needs any more
            os.kill(pid, how)


@contextlib.contextmanager
def standing_still(pids):
    signal_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(pids, signal.SIGCONT)


def hung(app):
    """All of PostgreSQL stands still: nobody answers, nobody hangs up."""
    return standing_still(app.database())


@contextlib.contextmanager
def stopped(app):
    app.let_go()
    os.kill(app.pid("supervisor"), signal.SIGSTOP)  # else it starts it again
    try:
        postmaster = app.pid("postgres")
        os.kill(postmaster, signal.SIGINT)
        until(lambda: not running(postmaster))
        yield
    finally:
        os.kill(app.pid("supervisor"), signal.SIGCONT)


def reload(app):
    """All of PostgreSQL has been told to read its settings anew: it lets nobody in before that."""
    app.psql("SELECT pg_reload_conf()")
    app.let_go()
    app.psql("SELECT")


@contextlib.contextmanager
def read_only(app):
    app.psql("ALTER SYSTEM SET default_transaction_read_only = on")
    reload(app)
    until(lambda: app.psql("SHOW default_transaction_read_only") == "on")
    yield
    app.psql("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")
    reload(app)


TABLES = ("clicks", "session_events", "sessions")


@contextlib.contextmanager
def full(app):
    """No table grows. Room that is left in their pages would still take a row or two, were it not kept free."""
    flag = app.state / "pg" / "full"  # trouble.c
    app.psql(*[f"ALTER TABLE {table} SET (fillfactor = 10)" for table in TABLES])
    flag.touch()
    yield
    flag.unlink()
    app.psql(*[f"ALTER TABLE {table} RESET (fillfactor)" for table in TABLES])


@contextlib.contextmanager
def slow(app):
    """It does what it is told, half a second after those who asked have given up."""
    app.psql("CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
             " $$BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END$$",
             "GRANT EXECUTE ON FUNCTION slow() TO classclock_app",
             "CREATE TRIGGER slow AFTER INSERT ON clicks EXECUTE FUNCTION slow()")
    yield
    app.psql("DROP TRIGGER slow ON clicks")


@contextlib.contextmanager
def cut_off(app):
    """The quickest way: nobody reaches it."""
    with app.database_stopped():
        until(lambda: all_have_gone(app))
        yield


def all_have_gone(app):
    """Whether no program is connected, nor is being let in: such a one is not shown yet, and is not cut off."""
    _, *children = app.family("postgres")
    cut = ("SELECT pid, CASE WHEN usename = 'classclock_app' THEN pg_terminate_backend(pid) ELSE false END"
           " FROM pg_stat_activity")
    psql = [academy.PSQL, "-XqAt", "-h", app.sockets, "-p", "5999", "-U", "postgres", "-c", cut]
    lines = subprocess.run(psql, check=True, capture_output=True, text=True).stdout.split()
    shown = dict(line.split("|") for line in lines)
    return "t" not in shown.values() and all(str(pid) in shown for pid in children if running(pid))


WAYS = {"cut off": cut_off, "hung": hung, "stopped": stopped, "read-only": read_only, "full": full, "slow": slow}


@contextlib.contextmanager
def Away(app, how="cut off"):
    """PostgreSQL is away, or of no use, inside the with."""
    with WAYS[how](app):
        yield
    until(app.works)


def state_of(pid):
    """As /proc has it, Z for one that has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def running(pid):
    return state_of(pid) != "Z"


def until(true, seconds=300):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


class Standby:
    """A second cluster that follows the first one, and can take its place."""

    PORT = 5433

    def __init__(self, app):
        self.app = app
        self.sockets = app.state / "standby"
        self.data = self.sockets / "pg"
        self.sockets.mkdir(mode=0o755)
        if AS_WEB:
            shutil.chown(self.sockets, "postgres")
        # Replication is a right of its own in pg_hba.conf.
        with (app.state / "pg" / "pg_hba.conf").open("a") as rights:
            rights.write("local replication postgres peer map=classclock\n")
        app.psql("SELECT pg_reload_conf()", "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.run("pg_basebackup", "-h", self.primary, "-U", "postgres", "-D", self.data, "-R", "-c", "fast", "-X", "stream")
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.sockets / "log", "-o",
                 f"-c unix_socket_directories={self.sockets} -c port={self.PORT} -c synchronous_standby_names=")
        app.psql("SELECT pg_reload_conf()")
        until(lambda: app.psql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1")

    @property
    def primary(self):
        return self.app.state / "run" / "pg"

    def run(self, program, *arguments):
        command = [f"/usr/lib/postgresql/15/bin/{program}", *map(str, arguments)]
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if AS_WEB else {}
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              env={"PGOPTIONS": "-c search_path=classclock,public"}, **user)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def psql(self, command):
        return self.run("psql", "-XqAt", "-h", self.sockets, "-p", self.PORT, "-U", "postgres", "-d", "classclock",
                        "-c", command).rstrip("\n")

    @contextlib.contextmanager
    def silent(self):
        """Meanwhile it takes nothing in and confirms nothing; what it was sent it takes in afterwards."""
        receiver = int(self.psql("SELECT pid FROM pg_stat_wal_receiver"))
        os.kill(receiver, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(receiver, signal.SIGCONT)

    def promote(self):
        self.run("pg_ctl", "promote", "-w", "-D", self.data)

    def stop(self):
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", self.data)


@contextlib.contextmanager
def failover_pair():
    """An instance that knows of two databases, the second of which follows the first; (instance, standby)."""
    standby = None
    instance = Academy(lambda state: [
        f"DATABASE_URL=host={state}/run/pg,{state}/standby port=5432,{Standby.PORT} dbname=classclock"
        " user=classclock_app target_session_attrs=read-write"
    ])
    try:
        instance.start()
        standby = Standby(instance)
        yield instance, standby
    finally:
        if standby:
            standby.stop()
        with contextlib.suppress(ProcessLookupError):
            os.kill(instance.pid("supervisor"), signal.SIGCONT)
        instance.stop()


def lose_primary(app, how):
    """All of the first database gets the signal, and nobody starts it again; its processes."""
    app.let_go()
    family = app.database()
    os.kill(app.pid("supervisor"), signal.SIGSTOP)
    signal_all(family, how)
    return family
