"""Processes come and go, hang and are replaced, and nobody notices. docs/guarantees.md, P5 and P6."""

import collections
import contextlib
import errno
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest

from fastcgi import STDIN, record, request_of
from test_instance import DEV, Instance, alive, family, get, offspring, until, works
from academy import Psql  # found by test_instance

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build"))
ZOOM_URL = "https://zoom.us/j/81234567890"
PAGES = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


class Caller:
    """Someone who calls again and again on one connection, as nginx's clients do."""

    def __init__(self, port, cookie=None):
        self.port, self.cookie = port, cookie
        self.connection = None

    def call(self, method, target, body=None, headers=None):
        """(status, body) of an answer. A connection that was closed while it was idle is opened again."""
        kept = self.connection
        try:
            return self.call_once(method, target, body, headers)
        except (ConnectionError, http.client.RemoteDisconnected):
            self.close()
            if not kept:
                raise
        return self.call_once(method, target, body, headers)

    def call_once(self, method, target, body, headers):
        sent = dict(PAGES if body is not None else {}, **(headers or {}))
        if self.cookie:
            sent["Cookie"] = self.cookie
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.connection.request(method, target, None if body is None else json.dumps(body), sent)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        if answer.will_close:
            self.close()
        return answer.status, data

    def json(self, method, target, body=None):
        status, data = self.call(method, target, body)
        assert status < 300, (target, status, data)
        return json.loads(data)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class World(Instance):
    """An instance with an admin and a teacher, each signed in."""

    def __init__(self, *env):
        super().__init__(*env)
        self.sockets = (self.state / "run").resolve() / "pg"
        self.superuser = Psql(self)
        email, password = re.search("^admin: (.*) (.*)$", self.first.stdout, re.M).groups()
        self.admin = Caller(self.port)
        self.admin.json("POST", "/api/auth/login", {"email": email, "password": password})
        made = self.admin.json("POST", "/api/admin/teachers", {"name": "Hana", "email": "hana@example.org"})
        self.teacher = Caller(self.port)
        token = made["invite_url"].split("#")[1]
        self.teacher.json("POST", "/api/auth/accept-invite", {"token": token, "password": "a quiet river 7"})
        self.teacher_id, self.email = made["id"], "hana@example.org"
        self.student_id = self.student()

    def psql(self, query):
        """By a connection that stays: what is waited for with it has to be seen within a request's eight seconds."""
        return self.superuser.run(query)

    def down(self):
        self.superuser.close()
        super().down()

    def student(self):
        wanted = {"name": "Samuel", "teacher_id": self.teacher_id, "package_id": "Europe"}
        return self.admin.json("POST", "/api/admin/students", wanted)["id"]

    def send(self, student_id=None, zoom_url=ZOOM_URL):
        """What send-link answers; links without the address in front."""
        wish = {"student_id": student_id or self.student_id, "zoom_url": zoom_url, "request_id": str(uuid.uuid4())}
        sent = self.teacher.json("POST", "/api/teacher/send-link", wish)
        for link in ("join_url", "leave_url"):
            sent[link] = sent[link].removeprefix(f"http://127.0.0.1:{self.port}")
        return sent

    def open(self, sent):
        """The student taps, until the class is open; a tap that takes a second goes to the journal."""
        status = f"SELECT session_status FROM sessions WHERE id = {sent['session']['id']}"
        until(lambda: self.caller().call("GET", sent["join_url"])[0] == 302 and self.psql(status) == "active")

    def caller(self, person=None):
        return Caller(self.port, person and person.cookie)

    def programs(self):
        """Every program's name and its parent."""
        return {path.name: self.pid(path.name) for path in (BUILD / "cgi").iterdir()}

    def workers(self, program):
        return offspring(self.pid(program))

    def all_workers(self, program, n):
        """Its n workers, of a program that was asked before: the first may answer before the last is there."""
        until(lambda: len(self.workers(program)) == n)
        return self.workers(program)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Of programs that are its own, so that a test may change one."""
    folder = tmp_path_factory.mktemp("programs")
    for one in (folder.parent, folder):
        one.chmod(0o755)
    for name in ("cgi", "rest", "cron", "web", "systemd"):
        shutil.copytree(BUILD / name, folder / "build" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLASSCLOCK_BUILD", str(folder / "build"))
        instance = World()
    with instance:
        yield instance


def memory(pid):
    """What a process holds for itself alone, in kB."""
    return int(re.search(r"^RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def rests(pid):
    """Whether a program has come to wait: its file is another some time before."""
    try:
        opened = set(map(os.readlink, pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        return os.readlink(f"/proc/{pid}/exe").endswith("/rest/classclock-rest") and "anon_inode:[signalfd]" in opened
    except FileNotFoundError:
        return False


def test_programs_that_nobody_asks_are_small_and_as_closed_as_the_others(app):
    until(lambda: len(list(filter(rests, app.programs().values()))) > 20)
    for pid in filter(rests, app.programs().values()):
        assert family(pid) == {pid} and memory(pid) < 200
        for file in ("environ", "mem", "maps"):
            assert os.stat(f"/proc/{pid}/{file}").st_uid == 0, file  # not its user's, who is that of all of them


class Load:
    """People at work while the with-block lasts; afterwards every call of theirs has been answered well.

    A click, a teacher's list, a session's end, a sign-in refused, an admin's list: each again and again.
    """

    def __init__(self, app):
        self.app, self.wrong, self.done = app, [], collections.Counter()
        self.over = threading.Event()
        running = [app.send(app.student()) for _ in range(4)]
        for sent in running:
            app.open(sent)
        note = {"session_id": running[0]["session"]["id"], "attendance": "late"}
        leave = app.send(app.student())["leave_url"]
        calls = [
            (None, 200, "GET", leave, None),
            (app.teacher, 200, "GET", "/api/teacher/students", None),
            (app.teacher, 200, "POST", "/api/teacher/attendance", note),
            (app.admin, 200, "GET", "/api/admin/teacher-sessions?limit=5", None),
            (None, 401, "GET", "/api/auth/me", None),
        ] * 2 + [(None, 302, "GET", sent["join_url"], None) for sent in running]
        self.kinds = len({call[3] for call in calls})
        self.threads = [threading.Thread(target=self._repeat, args=call) for call in calls]

    def _repeat(self, person, expected, method, target, body):
        caller = self.app.caller(person)
        while not self.over.wait(0.05):  # nginx lets no more than twenty a second through for one link
            try:
                status, data = caller.call(method, target, body)
            except (OSError, http.client.HTTPException) as problem:
                status, data = type(problem).__name__, b""
                caller.close()
            self.done[target] += 1
            if status != expected:
                self.wrong.append((target, status, data[:200]))
        caller.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.each_again()
        return self

    def __exit__(self, *_):
        self.each_again()
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:5]

    def each_again(self):
        """Waits until each of them has been served some times more."""
        before = collections.Counter(self.done)
        until(lambda: len(self.done) == self.kinds and all(self.done[t] >= before[t] + 3 for t in self.done))


# ---------------------------------------------------------------- restarts


def test_a_reload_replaces_every_worker_and_fails_no_request(app):
    """SIGHUP to every program at once, under load."""
    parents = app.programs()
    before = {name: app.workers(name) for name in parents}
    with Load(app) as load:
        for pid in parents.values():
            os.kill(pid, signal.SIGHUP)
        until(lambda: not any(alive(before[name]) for name in parents))
        load.each_again()
    assert app.programs() == parents
    until(lambda: all(len(app.workers(name)) >= len(before[name]) for name in parents))


def test_a_rolling_restart_fails_no_request(app):
    """SIGTERM to one program after the other, under load: the supervisor keeps the sockets and starts it again."""
    parents = app.programs()
    with Load(app) as load:
        for name, pid in parents.items():
            os.kill(pid, signal.SIGTERM)
            if name in ("zoom_track", "zoom_teacher_left", "teacher_students", "teacher_attendance", "auth_me"):
                load.each_again()
        until(lambda: all(app.pid(name) != pid for name, pid in parents.items()))
        load.each_again()
    assert not alive(parents.values())


def test_a_reload_of_nginx_fails_no_request(app):
    before = app.workers("nginx")
    with Load(app) as load:
        os.kill(app.pid("nginx"), signal.SIGHUP)
        until(lambda: app.workers("nginx") - before)
        load.each_again()


def test_sigterm_ends_an_idle_program_with_all_its_workers(app):
    for name in ("auth_me", "zoom_track"):
        before = family(app.pid(name))
        os.kill(app.pid(name), signal.SIGTERM)
        until(lambda before=before: not alive(before))
    until(lambda: works(app))


class Held:
    """A session's row, held by another transaction, so that whoever wants it waits."""

    def __init__(self, app, session):
        self.psql = subprocess.Popen(
            [DEV, "psql", "--state", app.state, "-XqAt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.psql.stdin.write(f"BEGIN; SELECT id FROM sessions WHERE id = {session} FOR NO KEY UPDATE;\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == f"{session}\n"

    def release(self):
        self.psql.stdin.close()
        self.psql.wait()


def waiting(app):
    return int(app.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'classclock_app'"))


def test_sigterm_lets_a_busy_program_finish_what_it_does(app):
    sent = app.send(app.student())
    app.open(sent)
    held = Held(app, sent["session"]["id"])
    answers = []
    wish = {"session_id": sent["session"]["id"], "action": "end"}
    thread = threading.Thread(target=lambda: answers.append(app.caller(app.teacher).call("POST", "/api/teacher/session", wish)))
    thread.start()
    until(lambda: waiting(app) == 1)
    parent = app.pid("teacher_session")
    os.kill(parent, signal.SIGTERM)
    until(lambda: len(offspring(parent)) == 1)  # the idle worker has gone, the busy one has not
    held.release()
    thread.join()
    assert answers[0][0] == 200 and json.loads(answers[0][1])["session"]["session_status"] == "ended"
    until(lambda: not alive([parent]))


def test_sigterm_lets_a_tap_in_line_be_answered(app):
    sent = app.send(app.student())
    held = Held(app, sent["session"]["id"])
    answers = []
    thread = threading.Thread(target=lambda: answers.append(app.caller().call("GET", sent["join_url"])))
    before = app.psql("SELECT clock_timestamp()")
    thread.start()
    tried = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%SKIP LOCKED), started%' AND query_start > '{before}'"
    until(lambda: app.psql(tried) != "0")  # and so it went to the end of the line
    parent = app.pid("zoom_track")
    os.kill(parent, signal.SIGTERM)
    thread.join()
    held.release()
    assert answers[0][0] == 302
    until(lambda: not alive([parent]))


def connected(app, program):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(60)
    peer.connect(str((app.state / "run").resolve() / f"{program}.sock"))
    return peer


def test_sigterm_between_two_waits_lets_who_has_connected_ask(app, tmp_path):
    """It comes while the program takes the connection, on which the request is still on its way."""
    assert get(app, "/api/zoom/track") == 404  # it has started
    (worker,) = app.all_workers("zoom_track", 1)
    calls = tmp_path / "calls"
    command = ["strace", "-qq", "-o", calls, "-e", "trace=ppoll", "-e", "inject=ppoll:delay_exit=1000000", "-p", str(worker)]
    with subprocess.Popen(command):
        until(lambda: calls.exists() and "ppoll(" in calls.read_text())
        with connected(app, "zoom_track") as peer:
            until(lambda: "[{fd=0, revents=POLLIN}" in calls.read_text())
            os.kill(worker, signal.SIGTERM)
            until(lambda: "ERESTARTNOHAND" in calls.read_text().partition("[{fd=0, revents=POLLIN}")[2])
            peer.sendall(request_of(REQUEST_METHOD="GET", QUERY_STRING="token=x"))
            assert b"Status: 404" in peer.recv(65536)
        until(lambda: not alive([worker]))


# ---------------------------------------------------------------- bad company


BEGIN = b"\x01\x01\x00\x01\x00\x08\x00\x00" + b"\x00\x01\x00\x00\x00\x00\x00\x00"
PIECES = [
    ("auth_me", b""),
    ("admin_trends", BEGIN[:5]),
    ("teacher_students", BEGIN),
    ("teacher_sessions", BEGIN + b"\x01\x04\x00\x01\x00\xff\x00\x00\x0e\x03REQUEST_"),
    ("zoom_track", b""),
    ("zoom_track", BEGIN),
]


def test_peers_that_send_too_little_stall_nobody(app):
    """Silent ones and those that stop in the middle, more of them than the program has workers."""
    peers = []
    for program, piece in PIECES:
        for _ in range(5):
            peer = connected(app, program)
            peer.sendall(piece)
            peers.append(peer)
    for _ in range(20):
        for program, _ in PIECES:
            assert get(app, "/api/" + program.replace("_", "/", 1)) == (404 if program == "zoom_track" else 401)
    for peer in peers:  # nor do they stay for ever
        while peer.recv(4096):
            pass
        peer.close()


def test_what_is_left_of_a_body_is_no_request(app):
    """A body that nobody read, with a second request in it just where libfcgi would go on reading."""
    wish = {"REQUEST_METHOD": "POST", "QUERY_STRING": "token=x", "CONTENT_LENGTH": "9000"}
    second = request_of(REQUEST_METHOD="GET", QUERY_STRING="token=x")
    filler = b"x" * (8192 - len(request_of(b"x", **wish)) + len(record(STDIN)) + 1)
    first = request_of((filler + second).ljust(9000, b"x"), **wish)
    assert first.index(second) == 8192
    peer = connected(app, "zoom_track")
    peer.sendall(first)
    answer = b""
    with contextlib.suppress(ConnectionResetError):  # closed with the rest unread
        while piece := peer.recv(65536):
            answer += piece
    assert answer.count(b"Status: ") == 1 and b"Status: 405" in answer
    peer.close()


def test_connections_that_are_kept_leave_room_for_others(app):
    """More of them than nginx is told to keep, each with a request and then silent, as nginx's are."""
    request = request_of(REQUEST_METHOD="GET", QUERY_STRING="token=x")
    peers = []
    for _ in range(300):
        peers.append(connected(app, "zoom_track"))
        peers[-1].sendall(request)
        answer = b""
        while b"\x01\x03\x00\x01" not in answer:  # its end
            answer += peers[-1].recv(65536) or pytest.fail("closed before the answer")
        assert b"Status: 404" in answer
    for peer in peers[-30:]:
        assert peer.recv(1) == b""  # given up after its request
    for peer in peers[:150]:
        peer.sendall(request)
        assert b"Status: 404" in peer.recv(65536)  # kept
    assert get(app, "/api/zoom/track") == 404
    for peer in peers:
        peer.close()


@pytest.mark.parametrize("program, answer", [("auth_me", b"Status: 401"), ("zoom_track", b"Status: 404")])
def test_a_program_that_cannot_accept_does_not_spin(rig, program, answer):
    """As for want of descriptors. Meanwhile zoom_track answers whoever it has a connection with."""
    request = request_of(REQUEST_METHOD="GET", QUERY_STRING="token=x")

    def asks(peer):
        peer.sendall(request)
        assert answer in peer.recv(65536)

    with connected(rig, program) as kept:
        asks(kept)
        said = rig.log(program).count("cannot accept")
        plan = rig.plans[program].arm("accept", error=errno.EMFILE, for_ever=True)
        try:
            new = connected(rig, program)
            new.sendall(request)
            until(lambda: plan.fired)
            began, before = time.monotonic(), plan.fired
            until(lambda: plan.fired > before + 20)
            assert time.monotonic() - began > 0.5  # of two workers each tries ten times a second
            if program == "zoom_track":
                asks(kept)
        finally:
            plan.rest()
        assert answer in new.recv(65536)
        new.close()
        assert 0 < rig.log(program).count("cannot accept") - said <= len(rig.workers(program))


def test_a_worker_that_hangs_is_replaced(app):
    """Stopped in the middle of a request: the parent ends it, and whoever waited is told to come back."""
    sent = app.send(app.student())
    app.open(sent)
    held = Held(app, sent["session"]["id"])
    answers = []
    wish = {"session_id": sent["session"]["id"], "action": "end"}
    thread = threading.Thread(target=lambda: answers.append(app.caller(app.teacher).call("POST", "/api/teacher/session", wish)))
    thread.start()
    until(lambda: waiting(app) == 1)
    workers, parent = app.all_workers("teacher_session", 2), app.pid("teacher_session")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    held.release()
    try:
        thread.join()  # nginx hears that its worker has gone
        assert answers[0][0] == 503
        until(lambda: len(app.workers("teacher_session") - workers) == 1)
        assert get(app, "/api/teacher/session?session_id=1") == 401  # by the new one: the other sleeps still
    finally:
        for worker in alive(workers):
            os.kill(worker, signal.SIGCONT)
    assert app.pid("teacher_session") == parent
    status, data = app.caller(app.teacher).call("POST", "/api/teacher/session", wish)
    assert status == 200 and json.loads(data)["session"]["session_status"] == "ended"


def test_a_large_request_hears_that_the_program_failed(app):
    """Not that it was too large, which it is for the page that says so."""
    assert app.caller().call("POST", "/api/zoom/webhook", {})[0] == 401
    workers = app.all_workers("zoom_webhook", 4)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        status, data = app.caller().call("POST", "/api/zoom/webhook", {"x": "x" * 500_000})
    finally:
        for worker in alive(workers):
            os.kill(worker, signal.SIGCONT)
    assert status == 503 and json.loads(data)["status"] == 503


def test_a_program_that_ends_at_once_again_and_again_takes_no_other_down(app):
    run = (app.state / "run").resolve()
    program = pathlib.Path((run / "bin").read_text().strip()) / "cgi" / "admin_trends"
    good = program.read_bytes()
    count = run / "count"
    count.touch()
    count.chmod(0o666)
    program.unlink()
    program.write_text(f"#!/bin/sh\necho x >>{count}\nexit 1\n")
    program.chmod(0o755)
    others = {name: pid for name, pid in app.programs().items() if name != "admin_trends"}
    with Load(app):
        app.kill("admin_trends")
        until(lambda: count.stat().st_size > 4)
    assert {name: app.pid(name) for name in others} == others
    log = (app.state / "log" / "admin_trends.log").stat().st_size
    assert log < 10_000
    program.unlink()
    program.write_bytes(good)
    program.chmod(0o755)
    until(lambda: app.admin.call("GET", "/api/admin/trends")[0] == 200)
