"""Fixtures: one instance for all tests, and people of one's own for each test.

  app             the instance: url, psql(sql), rows(query), job(name, ...), env, session(id)
  admin           a Person, signed in
  nobody          a Client that is not signed in
  clock           the database's clock, put right again afterwards
  make_teacher()  a new Person
  invite_teacher() the same by an invitation, for what is about signing in
  make_student()  a new student of a teacher; the dict that the admin's call answers
  send()          sends a class; the answer of /api/teacher/send-link
  tap()           a student follows a link, in a browser of their own; what it does is in the database then
  demo            another instance, with the demo academy and a clock that stands still;
                  pair, zone and crowd are its: see there

Several processes run the files side by side. An instance takes its time to start, so one process has
all files that share a further one, GROUPS; what takes longest begins first, so that all end together.
"""

import itertools
import os
import secrets
import threading
import unittest.mock
import uuid

import pytest

import zoom
from academy import PASSWORD, SECRETS, SEED, ZOOM_URL, Clock, Instance, Person, hash_of
from ledger import put_crowd
from openapi import CONTRACT
from second_opinion import differences
from telegram import SECRET, TOKEN, Telegram, Timer

_numbers = itertools.count(1)

# Of a normal run's processes one has the programs with sanitizers, which the seed draws; the others as they are installed.
PLAIN, WORKER = os.environ.get("CLASSCLOCK_PLAIN_BUILD"), os.environ.get("PYTEST_XDIST_WORKER")
if PLAIN and WORKER and WORKER != f"gw{SEED % 3}":
    os.environ["CLASSCLOCK_BUILD"] = PLAIN


GROUPS = ("demo", "telegram_server")
LONGEST = (*GROUPS, "test_zoom_days", "test_zoom_inbox", "test_rotation", "test_actions", "test_zoom_webhook", "test_zoom_create")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    group = {}
    for item in items:
        shared = [name for name in GROUPS if name in item.fixturenames]
        group[item.path] = shared[0] if shared else group.get(item.path, item.path.stem)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group[item.path]))
    turn = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turn.get(group[item.path], len(LONGEST)))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"CLASSCLOCK_SEED={SEED}")


def check_logs(logs):
    bugs = [line for line in logs.splitlines() if "BUG" in line or "AddressSanitizer" in line]
    assert not bugs, bugs
    # Whatever the tests of this run have sent and got: that is every call there is.
    leaked = SECRETS.in_text(logs)
    assert not leaked, leaked


def sign_in_admin(app):
    client = app.client()
    credentials = {"email": app.admin_email, "password": app.admin_password}
    answer = client.post("/api/auth/login", credentials)
    assert answer.status == 200, answer
    person = Person(app, client, answer["account"])
    person.password = app.admin_password
    return person


def run(env):
    """An instance for as long as a fixture lives, held to account at its end."""
    instance = Instance(env)
    try:
        yield instance
        # Whatever the tests have done, the data is whole and no program has met a bug.
        check = instance.check()
        different = differences(instance)
        logs = instance.logs()
    finally:
        instance.stop()
    assert check.returncode == 0, check.stdout + check.stderr
    assert not different, "\n".join([f"{len(different)} rows are not what the model says", *different[:5]])
    check_logs(logs)
    assert not CONTRACT.deviations, "docs/openapi.yaml says otherwise:\n" + "\n".join(CONTRACT.deviations[:20])


def accept(app, token):
    """Who has taken this invitation."""
    client = app.client()
    accepted = client.post("/api/auth/accept-invite", {"token": token, "password": PASSWORD})
    assert accepted.status == 200, accepted
    return Person(app, client, accepted["account"])


def enter(app, token, account, password_hash):
    """The same by SQL, with the password of somebody else: a hash takes a hundred times as long."""
    client, login = app.client(), secrets.token_urlsafe(32)
    SECRETS.add(login)
    entered = app.psql(
        f"WITH used AS (UPDATE invites SET used_at = clock_now() WHERE token_hash = {hash_of(token)} RETURNING account_id),"
        f" joined AS (UPDATE accounts SET password_hash = '{password_hash}' FROM used WHERE id = account_id)"
        f" INSERT INTO logins (token_hash, account_id) SELECT {hash_of(login)}, account_id FROM used RETURNING account_id"
    )
    assert entered == str(account["id"])
    client.cookies["login"] = login
    return Person(app, client, {**account, "role": "teacher"})


def teacher_maker(app, admin, invites=False):
    """The first accepts an invitation, as do all others if they are to; else these have the password of the first."""
    hashes = []

    def make(name=None, **fields):
        n = next(_numbers)
        name = name or f"Teacher {n}"
        wanted = {"name": name, "email": f"teacher{n}@example.org", **fields}
        made = admin.post("/api/admin/teachers", wanted)
        assert made.status == 201, made
        token = made["invite_url"].split("#")[1]
        if hashes:
            return enter(app, token, made.json, hashes[0])
        teacher = accept(app, token)
        if not invites:
            hashes.append(app.psql(f"SELECT password_hash FROM accounts WHERE id = {teacher.id}"))
        return teacher

    return make


def student_maker(admin, make_teacher):
    def make(teacher=None, name=None, package_id="Europe", **fields):
        teacher = teacher or make_teacher()
        name = name or f"Student {next(_numbers)}"
        wanted = {"name": name, "teacher_id": teacher.id, "package_id": package_id, **fields}
        made = admin.post("/api/admin/students", wanted)
        assert made.status == 201, made
        return made.json

    return make


@pytest.fixture(scope="session")
def bare_app():
    """The instance of most tests. It has no Telegram bot."""
    yield from run([f"ZOOM_WEBHOOK_SECRET={','.join(zoom.SECRETS)}"])


@pytest.fixture(scope="session")
def app(bare_app):
    return bare_app


@pytest.fixture(scope="session")
def admin(app):
    return sign_in_admin(app)


@pytest.fixture(scope="session")
def telegram_server():
    server = Telegram()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def telegram_app(telegram_server):
    """Another instance, which has a bot: see telegram_app.py."""
    settings = [
        f"TELEGRAM_BOT_TOKEN={TOKEN}",
        f"TELEGRAM_API_BASE={telegram_server.base}",
        f"TELEGRAM_WEBHOOK_SECRET={SECRET}",
    ]
    for instance in run(settings):
        timer = Timer(instance, "telegram-outbox")
        yield instance
        timer.release()


@pytest.fixture(scope="session")
def demo():
    """For tests that count: nothing happens in it by itself. It has its admin with it. Tests may put
    sessions into it by ledger.py, which no evidence stands behind."""
    with unittest.mock.patch.dict(os.environ, small_heap()):
        instance = Instance(demo=True)
    try:
        Clock(instance).stop(instance.psql("SELECT statement_timestamp()"))
        instance.job("session-timeout")
        instance.admin = sign_in_admin(instance)
        yield instance
        logs = instance.logs()
    finally:
        instance.stop()
    check_logs(logs)


def small_heap():
    """Settings by which AddressSanitizer gives memory back, for tests that measure it."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"ASAN_OPTIONS": f"{options}:quarantine_size_mb=1:allocator_release_to_os_interval_ms=0".lstrip(":")}


@pytest.fixture
def pair(demo):
    """A teacher and a student of the demo academy whom only one test knows, as put_sessions() wants them."""
    n = next(_numbers)
    teacher = demo.admin.post("/api/admin/teachers", {"name": f"Own {n}", "email": f"own{n}@example.org"})
    wanted = {"name": f"Own student {n}", "teacher_id": teacher["id"], "package_id": "Europe"}
    return {"teacher_id": teacher["id"], "student_id": demo.admin.post("/api/admin/students", wanted)["id"]}


@pytest.fixture
def zone(demo):
    """Moves the demo academy to another time zone, and back afterwards."""
    before = demo.psql("SELECT time_zone FROM academy")

    def move(name):
        assert demo.admin.patch("/api/admin/settings", {"time_zone": name}).status == 200

    yield move
    move(before)


@pytest.fixture(scope="module")
def crowd(demo):
    """A teacher of the demo academy with 100,000 sessions of some years ago; their id."""
    teacher = put_crowd(demo)
    yield teacher
    demo.psql("SET session_replication_role = replica", f"DELETE FROM sessions WHERE teacher_id = {teacher}",
              "VACUUM sessions")  # fmt: skip


@pytest.fixture
def nobody(app):
    return app.client()


@pytest.fixture
def clock(app):
    the_clock = Clock(app)
    yield the_clock
    the_clock.reset()


@pytest.fixture(scope="session")
def make_teacher(app, admin):
    return teacher_maker(app, admin)


@pytest.fixture(scope="session")
def invite_teacher(app, admin):
    return teacher_maker(app, admin, invites=True)


@pytest.fixture(scope="session")
def make_student(admin, make_teacher):
    return student_maker(admin, make_teacher)


@pytest.fixture(scope="session")
def send():
    def make(teacher, student, zoom_url=ZOOM_URL, request_id=None):
        wish = {
            "student_id": student["id"],
            "zoom_url": zoom_url,
            "request_id": request_id or str(uuid.uuid4()),
        }
        sent = teacher.post("/api/teacher/send-link", wish)
        assert sent.status == 201, sent
        return sent.json

    return make


@pytest.fixture(scope="session")
def tap(app):
    def make(url, method="GET", headers=None):
        answer = app.client().open(url, method, headers)
        if threading.current_thread() is threading.main_thread():  # who taps at once sees to it
            app.replay()
        return answer

    return make
