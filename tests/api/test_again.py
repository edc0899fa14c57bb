"""The same call again, as whoever did not hear its answer repeats it: what is so already is answered with 200 and
leaves nothing; what is no repeat is taken, or refused, as ever."""

import datetime

import pytest

import zoom
from academy import PASSWORD, ZOOM_URL, Person, at_once, moment

MINUTE = datetime.timedelta(minutes=1)
TICK = datetime.timedelta(microseconds=1)


@pytest.fixture(scope="module", name="hana")
def a_teacher(make_teacher):
    return make_teacher("Hana")


@pytest.fixture(scope="module", name="second")
def a_second_admin(app):
    done = app.job("classclock-admin", "invite", "--role", "admin", "again@example.org")
    assert done.returncode == 0, done.stderr
    client = app.client()
    invitation = {"token": done.stdout.strip().split("#")[1], "password": PASSWORD}
    return Person(app, client, client.post("/api/auth/accept-invite", invitation)["account"])


@pytest.fixture(name="class_in")
def a_class_in_a_state(app, admin, send, tap, hana, make_student):
    """The id of a session in the state; what ran had begun half an hour (timeout: 90 minutes) ago."""

    def make(state):
        sent = send(hana, make_student(hana))
        n = sent["session"]["id"]
        if state != "missed":
            tap(sent["join_url"])
        app.age(n, {"missed": "13 hours", "timeout": "90 minutes"}.get(state, "30 minutes"))
        if state in ("missed", "timeout"):
            app.job("session-timeout")
        if state in ("ended", "corrected"):
            tap(sent["leave_url"])
        if state == "corrected":
            assert admin.act(n, "correct", session_ended_at=ago(20)).status == 200
        return n

    return make


def ago(minutes):
    return text(datetime.datetime.now(datetime.timezone.utc) - minutes * MINUTE)


def text(then):
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def moments(minutes):
    return {name: ago(n) for name, n in minutes.items()}


def whole(app, n):
    """The row and all its evidence."""
    return app.session(n), app.evidence(n)


def new_kinds(app, n, before):
    """What came into the evidence since, but for what time alone did."""
    kinds = [e["kind"] for e in app.evidence(n)[len(before) :]]
    return [kind for kind in kinds if kind != "timed_out"]


def assert_refused(answer):
    assert answer.status == 409 and answer.field == "action", answer


# ---------------------------------------------------------------- an admin's actions

# The state, the action, its moments in minutes ago, and what it adds.
ACTIONS = {
    "reopen": ("ended", "reopen", {}, ["reopened"]),
    "reopen what was missed": ("missed", "reopen", {}, ["reopened"]),
    "reopen until": ("timeout", "reopen", {"times_out_at": -30}, ["reopened"]),
    "reopen from": ("ended", "reopen", {"clicked_at": 15}, ["corrected", "reopened"]),
    "reopen from, until": ("missed", "reopen", {"clicked_at": 15, "times_out_at": -30}, ["corrected", "reopened"]),
    "correct the start": ("ended", "correct", {"clicked_at": 25}, ["corrected"]),
    "correct the start of what runs": ("active", "correct", {"clicked_at": 25}, ["corrected"]),
    "correct the end": ("active", "correct", {"session_ended_at": 10}, ["corrected"]),
    "correct both": ("timeout", "correct", {"clicked_at": 25, "session_ended_at": 10}, ["corrected"] * 2),
    "release": ("corrected", "release", {}, ["released"]),
}
CORRECTIONS = [what for what in ACTIONS if what.startswith("correct")]


@pytest.mark.parametrize("what", ACTIONS)
def test_an_action_is_done_once(app, admin, clock, class_in, what):
    """Also when a fact has come between: nobody decided anything."""
    state, action, given, adds = ACTIONS[what]
    n, given = class_in(state), moments(given)
    before = app.evidence(n)
    first = admin.act(n, action, **given)
    done = whole(app, n)
    assert first.status == 200 and new_kinds(app, n, before) == adds
    clock.move("5 seconds")
    for _ in range(2):
        again = admin.act(n, action, **given)
        assert (again.status, again.json) == (200, first.json)
        assert whole(app, n) == done
    app.psql("INSERT INTO session_events (session_id, kind, happened_at, source, detail)"
             f" VALUES ({n}, 'click_ignored', clock_now(), 'student', '{{\"why\": \"crawler\"}}')")
    done = whole(app, n)
    assert admin.act(n, action, **given).status == 200 and whole(app, n) == done


@pytest.mark.parametrize("what", ACTIONS)
def test_an_action_many_times_at_once_is_done_once(app, admin, class_in, what):
    state, action, given, adds = ACTIONS[what]
    n, given = class_in(state), moments(given)
    before = app.evidence(n)
    answers = at_once(*[lambda: admin.act(n, action, **given)] * 6)
    assert {answer.status for answer in answers} == {200}
    assert new_kinds(app, n, before) == adds


@pytest.mark.parametrize("what", CORRECTIONS)
def test_another_correction_is_taken(app, admin, second, class_in, what):
    """Somebody else's, one for another reason, of another moment, or the first one after these."""
    state, action, given, adds = ACTIONS[what]
    n, given = class_in(state), moments(given)
    wishes = [
        (admin, "as agreed", given),
        (second, "as agreed", given),
        (second, "the teacher called", given),
        (admin, "as agreed", given),
        *[(admin, "as agreed", {**given, name: text(moment(at) + TICK)}) for name, at in given.items()],
        (admin, "as agreed", given),
    ]
    for person, reason, wish in wishes:
        before = app.evidence(n)
        answer = person.act(n, action, reason, **wish)
        assert answer.status == 200 and new_kinds(app, n, before) == adds, answer
        assert {name: moment(answer["session"][name]) for name in wish} == {k: moment(v) for k, v in wish.items()}


def test_what_is_no_repeat_of_reopening_is_refused(app, admin, second, class_in):
    n, until = class_in("ended"), ago(-60)
    assert admin.act(n, "reopen", times_out_at=until).status == 200
    reopened = whole(app, n)
    for person, reason, wish in (
        (second, "as agreed", {"times_out_at": until}),
        (admin, "to be sure", {"times_out_at": until}),
        (admin, "as agreed", {"times_out_at": text(moment(until) + TICK)}),
        (admin, "as agreed", {"times_out_at": until, "clicked_at": ago(20)}),
    ):
        assert_refused(person.act(n, "reopen", reason, **wish))
        assert whole(app, n) == reopened


def test_what_is_no_repeat_of_releasing_is_refused(app, admin, second, class_in):
    n = class_in("corrected")
    assert admin.act(n, "release").status == 200
    released = whole(app, n)
    for person, reason in ((second, "as agreed"), (admin, "to be sure")):
        assert_refused(person.act(n, "release", reason))
        assert whole(app, n) == released


def test_what_was_undone_since_is_done_again(app, admin, hana, second, class_in):
    n = class_in("ended")
    before, end = app.evidence(n), ago(3)
    for person, action, given, status in (
        (admin, "reopen", {}, "active"),
        (hana, "end", {}, "ended"),
        (admin, "reopen", {}, "active"),
        (second, "end", {}, "ended"),
        (admin, "reopen", {}, "active"),
        (admin, "correct", {"session_ended_at": end}, "ended"),
        (admin, "release", {}, "active"),
        (admin, "correct", {"session_ended_at": end}, "ended"),
        (admin, "release", {}, "active"),
        (admin, "correct", {"session_ended_at": end}, "ended"),
        (admin, "reopen", {}, "active"),
        (admin, "correct", {"session_ended_at": end}, "ended"),
        (admin, "reopen", {}, "active"),
        (admin, "cancel", {}, "cancelled"),
    ):
        answer = person.act(n, action, **given)
        assert answer.status == 200 and answer["session"]["session_status"] == status, answer
    for action, given in (("reopen", {}), ("correct", {"session_ended_at": end}), ("release", {})):
        assert_refused(admin.act(n, action, **given))
    kinds = new_kinds(app, n, before)
    assert [kinds.count(kind) for kind in ("reopened", "corrected", "released", "cancelled")] == [5, 4, 2, 1]


# ---------------------------------------------------------------- a teacher's


def test_a_teacher_s_end_beside_zoom_s_changes_nothing_when_repeated(app, hana, send, tap, make_student):
    """Each is kept, since Zoom may yet tell that the meeting was started again between them: test_zoom_days.py."""
    meeting = zoom.Meeting(80300000001, "HostOfAgain")
    n = running_in(app, send, tap, hana, make_student, meeting)
    assert zoom.deliver(app.client(), meeting.started(datetime.datetime.now(datetime.timezone.utc))).status == 200
    first = hana.act(n, "end", reason=None)
    done = app.session(n)
    assert first.status == 200 and done["ended_by"] == "teacher"
    for _ in range(2):
        assert hana.act(n, "end", reason=None).json == first.json
        assert app.session(n) == done


def running_in(app, send, tap, teacher, make_student, meeting):
    """The id of a class that has run for half an hour in a meeting of Zoom's."""
    sent = send(teacher, make_student(teacher), f"https://us02web.zoom.us/j/{meeting.id}?pwd=Zm9vYmFy.1")
    tap(sent["join_url"])
    app.age(sent["session"]["id"], "30 minutes")
    return sent["session"]["id"]


@pytest.mark.parametrize("state", ["active", "ended", "corrected"])
def test_attendance_is_marked_once(app, hana, class_in, state):
    n = class_in(state)

    def mark(attendance, note):
        before = app.evidence(n)
        wish = {"session_id": n, "attendance": attendance, "note": note}
        answer = hana.post("/api/teacher/attendance", wish)
        assert (answer.status, answer["session"]["attendance"]) == (200, attendance)
        assert app.session(n)["attendance_note"] == note
        return new_kinds(app, n, before)

    for attendance, note in (("late", "came at ten past"), ("late", ""), ("absent", ""), ("late", "")):
        assert mark(attendance, note) == ["attendance"]
        for _ in range(2):
            assert mark(attendance, note) == []


def test_a_zoom_link_is_changed_once(app, hana, class_in):
    n = class_in("active")

    def change(url):
        before = app.evidence(n)
        answer = hana.act(n, "zoom_url", zoom_url=url)
        assert (answer.status, answer["start_url"]) == (200, url)
        return new_kinds(app, n, before)

    for url in (ZOOM_URL + "1", ZOOM_URL + "2", ZOOM_URL + "1"):
        assert change(url) == ["zoom_url"]
        for _ in range(2):
            assert change(url) == []


# ---------------------------------------------------------------- a person's own password


def test_a_password_is_changed_once(app, nobody, invite_teacher):
    """The repeat says the old one, which is none any more; whoever has signed in since stays."""
    hana = invite_teacher()
    wish = {"current_password": hana.password, "new_password": "the long way round"}
    assert hana.post("/api/auth/password", wish).status == 200
    stored = app.psql(f"SELECT password_hash FROM accounts WHERE id = {hana.id}")
    hana.password = wish["new_password"]
    phone = hana.sign_in()
    for _ in range(2):
        assert hana.post("/api/auth/password", wish).status == 200
    assert app.psql(f"SELECT password_hash FROM accounts WHERE id = {hana.id}") == stored
    assert phone.get("/api/auth/me").status == 200
    other = hana.post("/api/auth/password", {**wish, "new_password": "another way round"})
    assert (other.status, other.field) == (400, "current_password")


# ---------------------------------------------------------------- people, packages, settings


def test_what_is_changed_is_changed_once(app, admin, make_teacher, make_student):
    """The second call finds all as the first left it, and answers the same."""
    teacher, other = make_teacher(), make_teacher()
    student, gone, leaver = make_student(teacher), make_student(teacher), make_teacher()
    package = {"name": "Again", "duration_minutes": 45, "buffer_minutes": 5, "rate": None, "currency": "USD"}
    assert admin.post("/api/admin/packages", package).status == 201
    name = admin.get("/api/admin/settings")["name"]
    for path, wish in (
        ("packages", {"id": "Again", "rate": "12.50", "duration_minutes": 50}),
        ("packages", {"id": "Again", "retired": True}),
        ("packages", {"id": "Again", "retired": False, "currency": "EUR"}),
        ("settings", {"name": "Again", "link_hours": 11}),
        ("settings", {"name": name, "link_hours": 12}),
        ("students", {"id": student["id"], "name": "Ann", "telegram_chat_id": 7000000001, "zoom_url": ZOOM_URL}),
        ("students", {"id": student["id"], "teacher_id": other.id, "package_id": None, "telegram_chat_id": None}),
        ("students", {"id": gone["id"], "disabled": True}),
        ("students", {"id": gone["id"], "disabled": False}),
        ("teachers", {"id": leaver.id, "name": "Lea", "email": "lea.again@example.org"}),
        ("teachers", {"id": leaver.id, "disabled": True}),
        ("teachers", {"id": leaver.id, "disabled": False}),
    ):
        first = admin.patch(f"/api/admin/{path}", wish)
        done = tables(app)
        assert first.status == 200, first
        again = admin.patch(f"/api/admin/{path}", wish)
        assert (again.status, again.json) == (200, first.json)
        assert tables(app) == done, wish


def tables(app):
    rows = "SELECT json_agg(t ORDER BY t::text) FROM {} t"
    return [app.psql(rows.format(table)) for table in ("packages", "academy", "students", "accounts", "invites", "messages")]


def test_of_two_calls_that_make_the_same_one_does(app, admin):
    """What has a name of its own: the second is told that it is there."""
    email = "twice.again@example.org"
    package = {"name": "Twice", "duration_minutes": 45, "buffer_minutes": 5, "rate": None, "currency": "USD"}
    for path, wish, field, where in (
        ("packages", package, "name", "packages WHERE id = 'Twice'"),
        ("teachers", {"name": "Twice", "email": email}, "email", f"accounts WHERE email = '{email}'"),
    ):
        answers = [admin.post(f"/api/admin/{path}", wish) for _ in range(2)]
        assert [a.status for a in answers] == [201, 409] and answers[1].field == field
        assert app.psql(f"SELECT count(*) FROM {where}") == "1"


def test_a_meeting_is_given_and_taken_once(app, admin, hana, send, tap, make_student):
    meeting = zoom.Meeting(80300000002, "HostOfAgain2")
    n = running_in(app, send, tap, hana, make_student, zoom.Meeting(80300000003, "HostOfAgain2"))
    assert zoom.deliver(app.client(), meeting.started(datetime.datetime.now(datetime.timezone.utc))).status == 200
    for session_id, kind in ((n, "zoom_assigned"), (None, "zoom_released"), (n, "zoom_assigned")):
        before = app.evidence(n)
        wish = {"uuid": meeting.uuid, "session_id": session_id, "reason": "I saw it"}
        first = admin.post("/api/admin/zoom-inbox", wish)
        done = whole(app, n)
        assert first.status == 200 and kind in new_kinds(app, n, before)
        for _ in range(2):
            again = admin.post("/api/admin/zoom-inbox", wish)
            assert (again.status, again.json) == (200, first.json)
            assert whole(app, n) == done
