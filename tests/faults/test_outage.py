"""The database away, in every way a database can be: the student still reaches the class, and no
click is lost. docs/guarantees.md, P1 and P5."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
import academy  # noqa: E402

ZOOM_URL = academy.ZOOM_URL


class Academy(academy.Instance):
    """An instance with a teacher and a way to take its database away."""

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

    def send(self, zoom_url=ZOOM_URL):
        """A class to a student of its own; what send-link answers."""
        student = {"name": "Sara", "teacher_id": self.teacher_id, "package_id": "Europe"}
        made = self.admin.post("/api/admin/students", student)
        wish = {"student_id": made["id"], "zoom_url": zoom_url, "request_id": str(uuid.uuid4())}
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

    def database(self):
        """PostgreSQL's processes."""
        postmaster = self.pid("postgres")
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True)
        return [postmaster, *map(int, children.stdout.split())]

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
        done = self.job("journal-replay")
        assert done.returncode == 0, done.stderr
        return done.stdout


class Away:
    """PostgreSQL is away inside the with."""

    def __init__(self, app, how):
        self.app, self.how, self.hung = app, how, []

    def __enter__(self):
        if self.how == "hung":
            self.hung = self.app.database()
            for pid in self.hung:
                os.kill(pid, signal.SIGSTOP)
        elif self.how == "stopped":
            self.app.let_go()
            os.kill(self.app.pid("supervisor"), signal.SIGSTOP)  # else it starts it again
            postmaster = self.app.pid("postgres")
            os.kill(postmaster, signal.SIGINT)
            until(lambda: not running(postmaster))
        else:
            self.app.psql("ALTER SYSTEM SET default_transaction_read_only = on",
                          "SELECT pg_reload_conf()")
            until(lambda: self.app.psql("SHOW default_transaction_read_only") == "on")
        return self

    def __exit__(self, *_):
        for pid in self.hung:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # a backend whose client gave it up
        if self.how == "stopped":
            os.kill(self.app.pid("supervisor"), signal.SIGCONT)
        elif self.how == "read-only":
            self.app.psql("SET default_transaction_read_only = off",
                          "ALTER SYSTEM RESET default_transaction_read_only",
                          "SELECT pg_reload_conf()")
        until(self.app.works)


def running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def app():
    instance = Academy()
    try:
        yield instance.start()
        instance.replay()
        instance.job("session-timeout")
        check = instance.job("classclock-admin", "check")
        assert check.returncode == 0, check.stdout
    finally:
        instance.stop()


def clicked(app, sent):
    return app.session(sent["session"]["id"])["clicked_at"]


def own_moment(app, sent, before, after):
    """Whether the session began between two moments of this machine, which is also the database's."""
    started = app.psql(f"SELECT us(clicked_at) FROM sessions WHERE id = {sent['session']['id']}")
    return before <= int(started) / 1e6 <= after


@pytest.mark.parametrize("how", ["stopped", "hung", "read-only"])
def test_a_tap_opens_the_class_and_keeps_its_own_moment(app, how):
    classes = [app.send() for _ in range(5)]
    taps = []
    with Away(app, how):
        for sent in classes:
            before = time.time()
            app.tap(sent)
            taps.append((before, time.time()))
        assert len(app.lines()) >= len(classes)
    app.replay()
    for sent, (before, after) in zip(classes, taps):
        assert own_moment(app, sent, before, after)
        assert app.session(sent["session"]["id"])["session_status"] == "active"
    assert app.lines() == []


@pytest.mark.parametrize("how", ["stopped", "hung"])
def test_the_end_of_a_class_is_kept_too(app, how):
    sent = app.send()
    app.tap(sent)
    with Away(app, how):
        before = time.time()
        app.end(sent)
        after = time.time()
    app.replay()
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
    ended = int(app.psql(f"SELECT us(session_ended_at) FROM sessions WHERE id = {row['id']}")) / 1e6
    assert before - 0.001 <= ended <= after


def test_a_whole_class_during_an_outage_has_its_true_minutes(app):
    sent = app.send()
    with Away(app, "stopped"):
        app.tap(sent)
        app.end(sent)
    app.replay()
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
    assert row["clicked_at"] <= row["session_ended_at"]


def test_replaying_twice_or_at_once_changes_nothing(app):
    sent = app.send()
    with Away(app, "stopped"):
        app.tap(sent)
        app.tap(sent)
        saved = (app.journal / "journal").read_text()
    for _ in range(3):
        (app.journal / "1-1.replay").write_text(saved)
        academy.at_once(*[lambda: app.job("journal-replay")] * 3)
        app.replay()
    evidence = [e for e in app.evidence(sent["session"]["id"]) if e["kind"] == "clicked"]
    assert len(evidence) == 1
    assert app.psql(f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}") == "2"


def test_an_earlier_click_of_the_journal_moves_the_start_and_the_deadline(app):
    sent = app.send()
    with Away(app, "stopped"):
        app.tap(sent)
        saved = (app.journal / "journal").read_text()
        (app.journal / "journal").unlink()
    until(lambda: app.tap(sent) and clicked(app, sent))  # the program asks once a second
    later = clicked(app, sent)
    (app.journal / "2-1.replay").write_text(saved)
    app.replay()
    row = app.session(sent["session"]["id"])
    assert row["clicked_at"] < later
    minutes = app.psql(f"SELECT times_out_at - clicked_at FROM sessions WHERE id = {row['id']}")
    assert minutes == "01:10:00"


def test_a_torn_line_costs_no_other_click(app):
    classes = [app.send() for _ in range(2)]
    with Away(app, "stopped"):
        app.tap(classes[0])
        file = app.journal / "journal"
        with file.open("a") as journal:
            journal.write("1 click torn-off-by-a-cra")
        app.tap(classes[1])
    app.replay()
    assert all(clicked(app, sent) for sent in classes)
    (bad,) = app.journal.glob("*.bad")
    assert "torn-off" in bad.read_text()
    bad.unlink()


def test_a_line_that_was_changed_is_not_believed(app):
    sent, other = app.send(), app.send()
    with Away(app, "stopped"):
        app.tap(sent)
        file = app.journal / "journal"
        changed = file.read_text().replace(f" {sent['session']['id']} ", f" {other['session']['id']} ")
        file.write_text(changed)
    app.replay()
    assert clicked(app, sent) is None and clicked(app, other) is None
    for bad in app.journal.glob("*.bad"):
        bad.unlink()


def metric(app, name):
    (line,) = [x for x in app.client().get("/metrics").text.splitlines() if x.startswith(f"classclock_{name} ")]
    return int(line.split()[1])


def test_a_journal_that_cannot_be_written_refuses_nobody(app):
    sent = app.send()
    app.replay()
    lost = metric(app, "journal_lost_total")
    app.journal.chmod(0o500)
    try:
        with Away(app, "stopped"):
            app.tap(sent)
            assert metric(app, "journal_lost_total") == lost + 1  # told although nothing else works
            assert metric(app, "database_up") == 0
    finally:
        app.journal.chmod(0o700)
    assert f"JOURNAL: a click of session {sent['session']['id']} " in app.logs()
    assert app.client().get("/healthz")["status"] == "degraded"


def test_the_link_of_a_lost_row_opens_and_is_kept_as_an_orphan(app):
    sent = app.send()
    with Away(app, "stopped"):
        app.tap(sent)
    n = sent["session"]["id"]
    app.psql("SET session_replication_role = replica;"
             f" DELETE FROM session_events WHERE session_id = {n}; DELETE FROM sessions WHERE id = {n}")
    app.replay()
    assert app.psql("SELECT count(*) FROM clicks WHERE verdict = 'orphan'") == "1"


def test_killing_the_replay_anywhere_applies_each_line_once(app):
    seed = random.randrange(2**32)
    print("seed", seed)
    pick = random.Random(seed)
    classes = [app.send() for _ in range(12)]
    with Away(app, "stopped"):
        for sent in classes:
            app.tap(sent)
    environment = {**os.environ, "CLASSCLOCK_ENV": str(app.state / "env")}
    build = pathlib.Path((app.state / "build").read_text().strip())
    for _ in range(20):
        job = subprocess.Popen([build / "cron/journal-replay"], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               user="www-data" if os.geteuid() == 0 else None)
        time.sleep(pick.random() * 0.05)  # the moment of the kill is what is drawn
        job.kill()
        job.wait()
    app.replay()
    for sent in classes:
        kinds = [e["kind"] for e in app.evidence(sent["session"]["id"])]
        assert kinds.count("clicked") == 1
        count = f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}"
        assert app.psql(count) == "1"


def test_a_burst_during_an_outage_loses_nothing(app):
    classes = [app.send() for _ in range(20)]
    with Away(app, "hung"):
        academy.at_once(*[lambda sent=sent: app.tap(sent) for sent in classes for _ in range(5)])
    app.replay()
    for sent in classes:
        kinds = [e["kind"] for e in app.evidence(sent["session"]["id"])]
        assert kinds.count("clicked") >= 1
        count = f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}"
        assert app.psql(count) == "5"
