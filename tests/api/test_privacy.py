"""What is forgotten in time, and how a student is erased: minutes and their evidence stay as they are."""

import contextlib
import os
import pathlib
import re
import signal
import time
import uuid

import pytest

from academy import ROOT, wait_for
from telegram import new_chat, next_update

NAME, NOTE = "Zyxwyt Qfprst", "lives at Nowherebury"
CHAT = 987654321012
AGENT = "Phone of Jkvbzt"


@pytest.fixture(scope="module", autouse=True)
def only_tests_forget(app):
    """The job's own timer runs it as the instance starts, and at midnight: the first is over, and it is held still."""
    timer = app.pid("timer-retention")
    children = pathlib.Path(f"/proc/{timer}/task/{timer}/children")

    def sleeps():
        with contextlib.suppress(ValueError, FileNotFoundError):  # it is between two of them
            (child,) = children.read_text().split()
            return pathlib.Path(f"/proc/{child}/comm").read_text() == "sleep\n"

    wait_for(sleeps)
    os.kill(timer, signal.SIGSTOP)
    yield
    os.kill(timer, signal.SIGCONT)


def play(app, teacher, student, send):
    """A whole class with all that is kept of one: a tap, Zoom's events, a message and its delivery."""
    sent = send(teacher, student)
    n = sent["session"]["id"]
    assert app.client().open(sent["join_url"], headers={"User-Agent": AGENT}).status == 302
    assert app.client().open(sent["leave_url"]).status == 200
    marked = {"session_id": n, "attendance": "late", "note": f"{student['name']} was ill"}
    assert teacher.post("/api/teacher/attendance", marked).status == 200
    meeting, name = uuid.uuid4().hex, student["name"]
    chat = student.get("telegram_chat_id") or 1
    app.psql(
        "INSERT INTO zoom_raw (key, event, state, body, kind, happened_at, uuid)"
        f" VALUES ('{meeting}', 'meeting.started', 'inbox', convert_to('{{\"user_name\": \"{name}\"}}', 'UTF8'),"
        f" 'zoom_started', clock_now(), '{meeting}')",
        "INSERT INTO zoom_occurrences (uuid, around, matched_at, session_id, admin_id) VALUES"
        f" ('{meeting}', clock_now(), clock_now(), {n}, (SELECT min(id) FROM accounts WHERE role = 'admin'));"
        "INSERT INTO session_events (session_id, kind, happened_at, source, detail) VALUES"
        f" ({n}, 'zoom_assigned', clock_now(), 'admin', '{{\"uuid\": \"{meeting}\"}}')",
        f"INSERT INTO telegram_chats (chat_id, tried_at) VALUES ({chat}, clock_now()) ON CONFLICT DO NOTHING",
        "INSERT INTO messages (kind, session_id, chat_id, state, detail, next_at, message_id) VALUES"
        f" ('join_link', {n}, {chat}, 'sent', 'to {name}', NULL, 5) ON CONFLICT DO NOTHING",
        "INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
        f" SELECT id, chat_id, 1, 'sent', 'sent', 'to {name}' FROM messages WHERE session_id = {n}",
        "INSERT INTO chat_codes (code_hash, student_id, made_by, expires_at, used_at, chat_id)"
        f" SELECT sha256('{meeting}'), {student['id']}, {teacher.id}, clock_now(), clock_now(), {chat}",
    )
    return n, meeting


def grow_old(app, n, meeting, days):
    """Makes all of a class so much older."""
    app.age(n, f"{days} days")
    ago = f"- interval '{days} days'"
    app.psql(
        "SET session_replication_role = replica;"
        f"UPDATE clicks SET received_at = received_at {ago} WHERE session_id = {n};"
        f"UPDATE zoom_raw SET received_at = received_at {ago} WHERE uuid = '{meeting}';"
        f"UPDATE messages SET changed_at = changed_at {ago} WHERE session_id = {n};"
        f"UPDATE deliveries SET happened_at = happened_at {ago} WHERE message_id IN"
        f" (SELECT id FROM messages WHERE session_id = {n});"
        f"UPDATE chat_codes SET expires_at = expires_at {ago} WHERE code_hash = sha256('{meeting}')"
    )


def details(app, n, meeting):
    """How much is left of what is not evidence."""
    return app.row(
        f"SELECT (SELECT count(*) FROM clicks WHERE session_id = {n}) AS clicks,"
        f" (SELECT count(*) FROM zoom_raw WHERE uuid = '{meeting}') AS raw,"
        f" (SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE session_id = {n}) AS deliveries,"
        f" (SELECT count(*) FROM chat_codes WHERE code_hash = sha256('{meeting}')) AS codes,"
        f" (SELECT count(*) FROM messages WHERE session_id = {n} AND (chat_id <> 0 OR detail IS NOT NULL)) AS chats"
    )


def pay(app, n):
    """What must never change: the row but for notes, and the evidence."""
    row = app.session(n)
    return {k: v for k, v in row.items() if k not in ("attendance_note", "start_url")}, app.evidence(n)


ALL = {"clicks": 1, "raw": 1, "deliveries": 1, "codes": 1, "chats": 1}
NOTHING = dict.fromkeys(ALL, 0)


def test_details_go_in_time_and_minutes_stay(app, make_teacher, make_student, send):
    teacher = make_teacher()
    student = make_student(teacher)
    old, young = play(app, teacher, student, send), play(app, teacher, student, send)
    grow_old(app, *old, 181)
    grow_old(app, *young, 179)
    before = pay(app, old[0]), pay(app, young[0])
    assert details(app, *old) == details(app, *young) == ALL
    done = app.job("retention")
    assert done.returncode == 0 and done.stdout.startswith("retention: ok, "), done.stderr
    assert details(app, *old) == NOTHING
    assert details(app, *young) == ALL
    assert (pay(app, old[0]), pay(app, young[0])) == before
    # Whether it arrived is still told.
    assert app.psql(f"SELECT state FROM messages WHERE session_id = {old[0]}") == "sent"
    check = app.check()
    assert check.returncode == 0, check.stdout
    assert app.job("retention").stdout.startswith("retention: ok, 0 rows")


def test_a_wish_that_nobody_is_at_goes_too(app, make_teacher):
    """Neither asked for nor leased: it has no moment to count from."""
    topic = uuid.uuid4().hex
    app.psql(
        "INSERT INTO zoom_creates (request_id, account_id, zoom_user, topic, minutes) VALUES"
        f" (gen_random_uuid(), {make_teacher().id}, 'hana@example.org', '{topic}', 60)"
    )
    assert app.job("retention").returncode == 0
    assert app.psql(f"SELECT count(*) FROM zoom_creates WHERE topic = '{topic}'") == "0"


@pytest.mark.parametrize("asked, kept", [("asked_at", 0), ("leased_until", 0), ("asked_at", 1)])
def test_a_meeting_that_no_class_was_sent_for_goes_with_its_start_link(app, make_teacher, asked, kept):
    days, topic = (179 if kept else 181), uuid.uuid4().hex
    app.psql(
        f"INSERT INTO zoom_creates (request_id, account_id, zoom_user, topic, minutes, start_url, {asked}) VALUES"
        f" (gen_random_uuid(), {make_teacher().id}, 'hana@example.org', '{topic}', 60, 'https://zoom.us/s/1',"
        f" clock_now() - interval '{days} days')"
    )
    assert app.job("retention").returncode == 0
    assert app.psql(f"SELECT count(*) FROM zoom_creates WHERE topic = '{topic}'") == str(kept)


def test_a_chat_where_nothing_was_tried_goes_once_it_is_nobodys(app, make_teacher, make_student):
    """Whoever was erased and blocks the bot then is noted again."""
    nobodys, students, waiting = new_chat(), new_chat(), new_chat()
    make_student(make_teacher(), telegram_chat_id=students)
    app.psql(
        "INSERT INTO telegram_chats (chat_id, dead, dead_detail) VALUES"
        f" ({nobodys}, 'blocked', 'x'), ({students}, 'blocked', 'x') ON CONFLICT DO NOTHING;"
        f"INSERT INTO telegram_chats (chat_id, language) VALUES ({waiting}, 'am');"
        f"INSERT INTO messages (kind, update_id, chat_id) VALUES ('welcome', {next_update()}, {waiting})"
    )
    assert app.job("retention").returncode == 0
    assert [told_of(app, chat)[2] for chat in (nobodys, students, waiting)] == [0, 1, 1]
    app.psql(f"UPDATE messages SET state = 'dropped', next_at = NULL WHERE chat_id = {waiting}")
    assert app.job("retention").returncode == 0
    assert told_of(app, waiting)[2] == 0


# What a row is made by, and found by: {at} its moment, {n} and {key} its own, {session} a class that was sent then.
AGED = {
    "a login": (
        "INSERT INTO logins (token_hash, account_id, created_at) VALUES (sha256('{key}'), {teacher}, {at})",
        "logins WHERE token_hash = sha256('{key}')",
    ),
    "an invitation": (
        "INSERT INTO invites (token_hash, account_id, expires_at) VALUES (sha256('{key}'), {teacher}, {at})",
        "invites WHERE token_hash = sha256('{key}')",
    ),
    "a wrong password": (
        "INSERT INTO login_attempts (key, failures, last_at) VALUES ('{key}', 1, {at})",
        "login_attempts WHERE key = '{key}'",
    ),
    "an update of Telegram's": (
        "INSERT INTO telegram_updates (update_id, received_at, outcome) VALUES ({n}, {at}, 'ignored')",
        "telegram_updates WHERE update_id = {n}",
    ),
    "a chat that nobody has": (
        "INSERT INTO telegram_chats (chat_id, tried_at) VALUES ({n}, {at})",
        "telegram_chats WHERE chat_id = {n}",
    ),
    "a meeting that was made": (
        "INSERT INTO zoom_creates (request_id, account_id, zoom_user, topic, minutes)"
        " SELECT request_id, teacher_id, 'somebody', '{key}', 60 FROM sessions WHERE id = {session}",
        "zoom_creates WHERE topic = '{key}'",
    ),
    "a start link": (
        "UPDATE sessions SET start_url = 'https://zoom.us/s/1?zak={key}' WHERE id = {session}",
        "sessions WHERE id = {session} AND start_url IS NOT NULL",
    ),
    "a meeting that was no class": (
        "INSERT INTO zoom_occurrences (uuid, around, matched_at) VALUES ('{key}', {at}, {at})",
        "zoom_occurrences WHERE uuid = '{key}'",
    ),
}


def test_each_kind_goes_in_its_time_and_not_before(app, make_teacher, make_student, send):
    teacher = make_teacher()
    left = {}
    for what, (made, found) in AGED.items():
        for days in (179, 181):
            session = send(teacher, make_student(teacher))["session"]["id"]
            app.age(session, f"{days} days")
            row = {"at": f"clock_now() - interval '{days} days'", "n": next_update(), "key": uuid.uuid4().hex,
                   "session": session, "teacher": teacher.id}  # fmt: skip
            app.psql(made.format(**row))
            left[what, days] = f"SELECT count(*) FROM {found.format(**row)}"
    assert {app.psql(count) for count in left.values()} == {"1"}
    assert app.job("retention").returncode == 0
    assert {what: int(app.psql(count)) for what, count in left.items()} == {what: int(what[1] == 179) for what in left}


def test_the_newest_of_zooms_checks_stays(app):
    """That it has checked the webhook no more since is told until it does, or somebody gives Zoom up."""
    challenge = "endpoint.url_validation"
    app.psql(f"DELETE FROM zoom_raw WHERE event = '{challenge}'")
    for days in (183, 182, 181):
        app.psql("INSERT INTO zoom_raw (key, event, state, body, received_at) VALUES"
                 f" ('check {days}', '{challenge}', 'ignored', '', clock_now() - interval '{days} days')")  # fmt: skip
    cause = "Zoom has not checked the webhook lately"
    for _ in range(2):
        assert app.job("retention").returncode == 0
        assert app.psql(f"SELECT key FROM zoom_raw WHERE event = '{challenge}'") == "check 181"
        assert cause in app.client().get("/healthz").json["causes"]
    (given_up,) = re.findall(rf"^    (DELETE FROM .*'{challenge}');$", (ROOT / "docs/ops.md").read_text(), re.M)
    app.psql(given_up)
    assert cause not in app.client().get("/healthz").json["causes"]


def fail_to_forget(app, table):
    """A run of the job that cannot delete from this table."""
    app.psql(f"REVOKE DELETE ON {table} FROM classclock_app")
    try:
        failed = app.job("retention")
    finally:
        app.psql(f"GRANT DELETE ON {table} TO classclock_app")
    assert failed.returncode == 1 and "FAILED" in failed.stdout


def test_a_retention_that_stays_away_or_fails_is_told_of(app, clock):
    def is_told():
        return "retention has not succeeded lately" in app.client().get("/healthz")["causes"]

    def last():
        (line,) = re.findall("^classclock_retention_last_success_timestamp_seconds (.*)$", app.client().get("/metrics").text, re.M)
        return int(line)

    assert app.job("retention").returncode == 0
    clock.move("95 hours")
    assert not is_told()
    clock.move("97 hours")
    assert is_told()
    before = last()
    fail_to_forget(app, "login_attempts")
    assert app.psql("SELECT ok FROM job_runs WHERE job = 'retention' ORDER BY id DESC LIMIT 1") == "f"
    assert is_told() and last() == before
    assert app.job("retention").returncode == 0
    assert not is_told() and last() > before
    # Where it has never succeeded, the age of the database counts.
    app.psql("DELETE FROM job_runs WHERE job = 'retention'")
    assert is_told() and last() == 0
    clock.reset()
    assert not is_told()


def test_what_cannot_be_forgotten_keeps_nothing_else_back(app, make_teacher, make_student, send):
    teacher = make_teacher()
    n, meeting = play(app, teacher, make_student(teacher), send)
    grow_old(app, n, meeting, 181)
    fail_to_forget(app, "clicks")
    assert details(app, n, meeting) == {**NOTHING, "clicks": 1}
    assert app.job("retention").returncode == 0
    assert details(app, n, meeting) == NOTHING


@contextlib.contextmanager
def lingering(app, session_id):
    """What changes the messages of a class takes longer than the role's statements may."""
    app.psql(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(6); RETURN NEW; END$$",
        "CREATE TRIGGER linger BEFORE UPDATE ON messages FOR EACH ROW"
        f" WHEN (OLD.session_id = {session_id}) EXECUTE FUNCTION linger()",
    )
    try:
        yield
    finally:
        app.psql("DROP FUNCTION linger CASCADE")


def test_a_batch_may_take_longer_than_a_request(app, make_teacher, make_student, send):
    """As one does that passes by the messages of years to find those of a day."""
    teacher = make_teacher()
    n, meeting = play(app, teacher, make_student(teacher), send)
    grow_old(app, n, meeting, 181)
    with lingering(app, n):
        done = app.job("retention")
    assert done.returncode == 0, done.stderr
    assert details(app, n, meeting) == NOTHING


def test_an_erasure_may_take_longer_than_a_request(app, make_teacher, make_student, send):
    """Where it passes by the messages of years."""
    teacher = make_teacher()
    student = make_student(teacher)
    n, _ = play(app, teacher, student, send)
    with lingering(app, n):
        done = app.job("classclock-admin", "erase", "--student", str(student["id"]))
    assert done.returncode == 0, done.stderr
    assert app.psql(f"SELECT name FROM students WHERE id = {student['id']}") == f"Erased student {student['id']}"


def test_what_nobody_will_come_for_goes_from_the_journal_too(app):
    folder = app.state / "journal"
    for name, days in (("1.replay.bad", 181), ("2.new", 181), ("3.replay.bad", 179), ("keep", 999)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - days * 86400,) * 2)
    assert app.job("retention").returncode == 0
    left = {file.name for file in folder.iterdir()} & {"1.replay.bad", "2.new", "3.replay.bad", "keep"}
    assert left == {"3.replay.bad", "keep"}
    for name in left:
        (folder / name).unlink()


def test_health_is_degraded_where_nothing_could_count_what_is_lost(app):
    """As where the units may not write to the journal's folder: zoom_track makes the file as it starts."""
    lost = app.state / "journal" / "lost"
    assert app.client().get("/healthz").json["journal"]["lost"] == 0
    for away in (lambda: lost.rename(app.state / "aside"), lambda: lost.touch()):
        away()
        health = app.client().get("/healthz").json
        assert health["journal"] is None and "this node's journal" in health["causes"] and health["status"] == "degraded"
        assert "classclock_journal" not in app.client().get("/metrics").text
    (app.state / "aside").rename(lost)
    assert app.client().get("/healthz").json["journal"]["lost"] == 0


def everything(app):
    """All that the database holds, as text."""
    tables = app.psql("SELECT tablename FROM pg_tables WHERE schemaname = 'classclock'").splitlines()
    text = "\n".join(app.psql(f"SELECT t FROM {table} t") for table in tables)
    bodies = app.psql("SELECT encode(body, 'hex') FROM zoom_raw").splitlines()
    return text + "\n".join(bytes.fromhex(body).decode(errors="replace") for body in bodies)


@pytest.fixture
def person(app, make_teacher, make_student, send):
    teacher = make_teacher()
    student = make_student(teacher, name=NAME, note=NOTE, telegram_chat_id=CHAT)
    return teacher, student, *play(app, teacher, student, send)


def test_of_an_erased_student_nothing_is_left_but_minutes(app, admin, person):
    teacher, student, n, meeting = person
    secrets = [NAME, NOTE, str(CHAT)]
    assert all(secret in everything(app) for secret in secrets)
    before = pay(app, n)
    totals = admin.get(f"/api/admin/teacher-sessions?teacher_id={teacher.id}").json["totals"]
    done = app.job("classclock-admin", "erase", "--student", str(student["id"]))
    assert done.returncode == 0, done.stderr
    left = everything(app)
    assert [secret for secret in secrets if secret in left] == []
    assert details(app, n, meeting) == NOTHING
    assert pay(app, n) == before
    listed = admin.get(f"/api/admin/teacher-sessions?teacher_id={teacher.id}").json
    assert listed["totals"] == totals
    assert [s["student"]["name"] for s in listed["sessions"]] == [f"Erased student {student['id']}"]
    check = app.check()
    assert check.returncode == 0, check.stdout
    # Once more changes nothing.
    assert app.job("classclock-admin", "erase", "--student", str(student["id"])).returncode == 0
    assert pay(app, n) == before


def put_unapplied(app, meeting_id, moment):
    """An event that could not be applied, so that nothing says whose it is but its room and moment; its key."""
    key = uuid.uuid4().hex
    body = f'{{"payload": {{"object": {{"id": "{meeting_id}", "participant": {{"user_name": "{NAME}"}}}}}}}}'
    app.psql(
        "INSERT INTO zoom_raw (key, event, state, body, kind, happened_at, uuid, apply_at) VALUES"
        f" ('{key}', 'meeting.participant_joined', 'inbox', '{body}', 'zoom_joined', {moment}, '{key}', 'infinity')"
    )
    return key


def test_what_could_not_be_applied_of_an_erased_students_class_goes_too(app, person, make_student, send):
    teacher, student, n, _ = person
    app.psql(
        "UPDATE sessions SET zoom_url = 'https://us02web.zoom.us/j/81777000111', meeting_id = 81777000111"
        f" WHERE id = {n}"
    )
    clicked = f"(SELECT clicked_at FROM sessions WHERE id = {n})"
    theirs = put_unapplied(app, 81777000111, f"{clicked} + interval '1 minute'")
    others = [
        put_unapplied(app, 81777000111, f"{clicked} + interval '2 days'"),  # another class in that room
        put_unapplied(app, 81777000111, f"{clicked} - interval '2 days'"),
        put_unapplied(app, 81777000112, f"{clicked} + interval '1 minute'"),  # another room
        put_unapplied(app, 81777000111, f"{clicked} + interval '1 minute'"),  # a meeting that is known as another's
    ]
    another = play(app, teacher, make_student(teacher), send)
    app.psql(f"UPDATE zoom_raw SET uuid = '{another[1]}' WHERE key = '{others[-1]}'")
    done = app.job("classclock-admin", "erase", "--student", str(student["id"]))
    left = [key for key in (theirs, *others) if app.rows(f"SELECT FROM zoom_raw WHERE key = '{key}'")]
    app.psql(f"DELETE FROM zoom_raw WHERE key = ANY ('{{{','.join(others)}}}')")
    assert done.returncode == 0 and left == others


def test_a_sibling_keeps_the_chat_that_they_share(app, make_student, person):
    teacher, student, *_ = person
    sibling = make_student(teacher, telegram_chat_id=CHAT)
    assert app.job("classclock-admin", "erase", "--student", str(student["id"])).returncode == 0
    assert app.psql(f"SELECT telegram_chat_id FROM students WHERE id = {sibling['id']}") == str(CHAT)
    assert app.psql(f"SELECT count(*) FROM telegram_chats WHERE chat_id = {CHAT}") == "1"


def put_link(app, student, chat):
    """What is kept of a student who linked that chat by a code; the update."""
    update = next_update()
    app.psql(
        f"INSERT INTO telegram_chats (chat_id, language, tried_at) VALUES ({chat}, 'am', clock_now()) ON CONFLICT DO NOTHING",
        "INSERT INTO messages (kind, update_id, student_id, chat_id, state, next_at) VALUES"
        f" ('student_linked', {update}, {student['id']}, {chat}, 'sent', NULL)",
        "INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome)"
        f" SELECT id, chat_id, 1, 'sent', 'sent' FROM messages WHERE update_id = {update}",
    )
    return update


def told_of(app, chat):
    """How many rows of each kind tell of a chat."""
    tables = ("messages", "deliveries", "telegram_chats", "chat_codes")
    return [int(app.psql(f"SELECT count(*) FROM {table} WHERE chat_id = {chat}")) for table in tables]


@pytest.mark.parametrize("replaced", [False, True], ids=["cleared", "replaced"])
def test_the_chats_of_before_are_erased_too(app, admin, make_teacher, make_student, send, replaced):
    old, older, now = new_chat(), new_chat(), new_chat() if replaced else None
    teacher = make_teacher()
    student = make_student(teacher, telegram_chat_id=old)
    put_link(app, student, old)
    n, _ = play(app, teacher, student, send)
    # A link that was tried in another chat before it followed the student here.
    app.psql(
        "INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome)"
        f" SELECT id, {older}, 1, 'queued', 'unreachable' FROM messages WHERE session_id = {n}",
        f"INSERT INTO telegram_chats (chat_id, language) VALUES ({older}, 'ar')",
    )
    assert admin.patch("/api/admin/students", {"id": student["id"], "telegram_chat_id": now}).status == 200
    assert told_of(app, old) == [2, 2, 1, 1] and told_of(app, older) == [0, 1, 1, 0]
    before = pay(app, n)
    assert app.job("classclock-admin", "erase", "--student", str(student["id"])).returncode == 0
    assert told_of(app, old) == told_of(app, older) == [0, 0, 0, 0]
    left = everything(app)
    assert [chat for chat in (old, older, now) if str(chat) in left] == []
    assert pay(app, n) == before


@pytest.mark.parametrize("whose", ["sibling", "teacher"])
def test_a_chat_of_before_that_somebody_else_has_stays_theirs(app, admin, make_teacher, make_student, send, whose):
    old, teacher = new_chat(), make_teacher()
    student = make_student(teacher, telegram_chat_id=old)
    sibling = make_student(teacher, telegram_chat_id=old if whose == "sibling" else None)
    if whose == "teacher":
        app.psql(f"UPDATE accounts SET telegram_chat_id = {old} WHERE id = {teacher.id}")
    put_link(app, student, old)
    siblings = put_link(app, sibling, old)
    assert admin.patch("/api/admin/students", {"id": student["id"], "telegram_chat_id": None}).status == 200
    assert told_of(app, old)[:3] == [2, 2, 1]
    assert app.job("classclock-admin", "erase", "--student", str(student["id"])).returncode == 0
    assert told_of(app, old)[:3] == [1, 1, 1]  # the student's own are gone
    assert app.psql(f"SELECT update_id FROM messages WHERE chat_id = {old}") == str(siblings)
    assert app.psql(f"SELECT language FROM telegram_chats WHERE chat_id = {old}") == "am"
    # With the last who has it, the chat goes.
    app.psql(f"UPDATE accounts SET telegram_chat_id = NULL WHERE id = {teacher.id}")
    assert app.job("classclock-admin", "erase", "--student", str(sibling["id"])).returncode == 0
    assert told_of(app, old)[:3] == [0, 0, 0]


def test_nobody_is_erased_whose_class_is_open(app, make_teacher, make_student, send, tap):
    teacher = make_teacher()
    student = make_student(teacher, name="Still Here")
    sent = send(teacher, student)
    for _ in range(2):  # sent, then running
        done = app.job("classclock-admin", "erase", "--student", str(student["id"]))
        assert done.returncode == 1 and "end or cancel it first" in done.stderr
        assert app.psql(f"SELECT name FROM students WHERE id = {student['id']}") == "Still Here"
        tap(sent["join_url"])


@pytest.mark.parametrize("arguments, status", [
    ([], 2), (["--student"], 2), (["--student", "x"], 2), (["--student", "1x"], 2), (["--student", "0"], 2),
    (["--teacher", "1"], 2), (["--student", "999999999"], 1),
])
def test_erase_asks_for_a_student_that_there_is(app, arguments, status):
    done = app.job("classclock-admin", "erase", *arguments)
    assert done.returncode == status and done.stderr and not done.stdout


def test_of_an_address_the_network_is_all_that_is_written(app, invite_teacher, make_student, send, tap):
    teacher = invite_teacher()
    sent = send(teacher, make_student(teacher))
    tap(sent["join_url"])
    assert app.psql(f"SELECT address FROM clicks WHERE session_id = {sent['session']['id']}") == "127.0.0.0/24"
    logs = "".join(path.read_text() for path in (app.state / "log").glob("nginx-*.log"))
    assert "127.0.0.0 " in logs and "127.0.0.1" not in logs
    assert "127.0.0.1" not in app.psql("SELECT string_agg(key, ' ') FROM login_attempts")


def test_what_the_database_refuses_is_in_no_log(app, admin, make_teacher):
    """PostgreSQL would tell in its own log which value was there already, or the whole row."""
    teacher = make_teacher("Qwyxolt Vbnmur")
    wish = {"name": "Qwyxolt Vbnmur", "email": teacher.email.upper()}
    assert admin.post("/api/admin/teachers", wish).status == 409
    assert admin.patch("/api/admin/teachers", {"id": make_teacher().id, "email": teacher.email}).status == 409
    log = (app.state / "log" / "postgres.log").read_text()
    assert "accounts_email" in log and teacher.email not in log.lower() and "Vbnmur" not in log
