"""The database's clock jumps, changes with the seasons, and passes 2038; jobs run late and together.

What a jump can and cannot do to minutes: a class never ends before it began, and never lasts longer
than its deadline; when the clock is right again, the evidence gives one row as always.
"""

import datetime

import pytest

from academy import at_once, moment

UTC = datetime.timezone.utc
MINUTE = datetime.timedelta(minutes=1)
NOW = datetime.datetime.now(UTC).replace(second=0, microsecond=0)
STATES = {"active", "ended", "timeout"}


def identity(sent):
    return sent["session"]["id"]


def run_job(app):
    done = app.job("session-timeout")
    assert done.returncode == 0, done.stderr


@pytest.fixture(name="hana", scope="module")
def a_teacher(make_teacher):
    return make_teacher()


@pytest.fixture(name="opened")
def a_class_opened_at(clock, send, tap, hana, make_student):
    """A class that was opened at the moment."""

    def make(then, teacher=hana, student=None):
        clock.stop(then - MINUTE)
        sent = send(teacher, student or make_student(hana))
        clock.stop(then)
        assert tap(sent["join_url"]).status == 302
        return sent

    return make


def row(app, sent):
    """A session's row, which makes sense whatever the clock has done."""
    found = app.session(identity(sent))
    assert found["session_status"] in STATES
    if found["session_ended_at"]:
        length = moment(found["session_ended_at"]) - moment(found["clicked_at"])
        assert datetime.timedelta(0) <= length <= 70 * MINUTE
    return found


def brief(app, sent):
    found = row(app, sent)
    return found["session_status"], found["ended_by"], found["session_duration_minutes"]


# ---------------------------------------------------------------- jumps during a class


def test_a_clock_an_hour_ahead_ends_no_class_later_than_its_deadline(app, clock, opened, tap, hana):
    left, ended, silent = (opened(NOW) for _ in range(3))
    clock.stop(NOW + 75 * MINUTE)  # it is a quarter past in truth
    assert tap(left["leave_url"]).status == 200
    assert hana.act(identity(ended), "end").status == 200
    assert tap(silent["join_url"]).status == 302
    for sent in (left, ended):
        assert brief(app, sent) in (("active", None, None), ("timeout", None, 70))
    run_job(app)
    clock.stop(NOW + 20 * MINUTE)
    run_job(app)
    for sent in (left, ended, silent):
        assert brief(app, sent) == ("timeout", None, 70)
        assert moment(row(app, sent)["clicked_at"]) == NOW


def test_a_better_end_after_the_jump_stands(app, clock, opened, tap):
    """The class timed out while the clock was ahead; the teacher leaves when it is right again."""
    sent = opened(NOW)
    clock.stop(NOW + 80 * MINUTE)
    run_job(app)
    assert brief(app, sent) == ("timeout", None, 70)
    clock.stop(NOW + 30 * MINUTE)
    assert tap(sent["leave_url"]).status == 200
    assert brief(app, sent) == ("ended", "teacher_left", 30)
    clock.stop(NOW + 80 * MINUTE)
    run_job(app)
    assert brief(app, sent) == ("ended", "teacher_left", 30)


def test_a_link_that_was_missed_while_the_clock_was_ahead_starts_its_class(app, clock, send, tap, hana, make_student):
    clock.stop(NOW)
    sent = send(hana, make_student(hana))
    clock.stop(NOW + 13 * 60 * MINUTE)
    run_job(app)
    assert app.session(identity(sent))["session_status"] == "missed"
    clock.stop(NOW + MINUTE)
    assert [tap(sent["join_url"]).status for _ in range(2)] == [302, 302]
    assert brief(app, sent) == ("active", None, None)
    assert moment(row(app, sent)["clicked_at"]) == NOW + MINUTE
    clock.stop(NOW + 80 * MINUTE)
    run_job(app)
    assert brief(app, sent) == ("timeout", None, 70)


def test_a_clock_an_hour_behind_ends_no_class_before_it_began(app, clock, opened, tap, hana):
    left, ended, silent = (opened(NOW) for _ in range(3))
    clock.stop(NOW - 50 * MINUTE)  # ten minutes later in truth
    assert tap(silent["join_url"]).status == 302  # before the link was sent, as it seems
    assert tap(left["leave_url"]).status == 200
    assert hana.act(identity(ended), "end").status == 200
    run_job(app)
    for sent in (left, ended, silent):
        assert brief(app, sent) == ("active", None, None)
        assert moment(row(app, sent)["clicked_at"]) == NOW
    clock.stop(NOW + 20 * MINUTE)
    assert tap(left["leave_url"]).status == 200
    assert brief(app, left) == ("ended", "teacher_left", 20)
    clock.stop(NOW + 70 * MINUTE)
    run_job(app)
    assert brief(app, ended) == brief(app, silent) == ("timeout", None, 70)


def test_a_class_that_is_opened_by_a_clock_set_back_begins_when_it_was_sent(app, clock, send, tap, hana, make_student):
    """As a click from the journal does, whose clock may differ too."""
    clock.stop(NOW)
    sent = send(hana, make_student(hana))
    clock.stop(NOW - MINUTE / 2)
    assert tap(sent["join_url"]).status == 302
    assert brief(app, sent) == ("active", None, None)
    assert moment(row(app, sent)["clicked_at"]) == moment(row(app, sent)["sent_at"]) == NOW
    clock.stop(NOW + 30 * MINUTE)
    assert hana.act(identity(sent), "end").status == 200
    assert brief(app, sent) == ("ended", "teacher", 30)


# ---------------------------------------------------------------- the job, late and at once


def test_jobs_an_hour_late_and_at_once_change_no_minute(app, clock, opened, tap):
    silent, left = opened(NOW), opened(NOW)
    clock.stop(NOW + 40 * MINUTE)
    assert tap(left["leave_url"]).status == 200
    clock.stop(NOW + 130 * MINUTE)
    at_once(*[lambda: run_job(app)] * 3)
    assert brief(app, silent) == ("timeout", None, 70)
    assert brief(app, left) == ("ended", "teacher_left", 40)
    (noted,) = [e for e in app.evidence(identity(silent)) if e["kind"] == "timed_out"]
    assert moment(noted["happened_at"]) == NOW + 70 * MINUTE


# ---------------------------------------------------------------- days that are not like others


def sign_in(app, person):
    client = app.client()
    answer = client.post("/api/auth/login", {"email": person.email, "password": person.password})
    assert answer.status == 200, answer
    return client


@pytest.fixture(name="travels")
def signs_in_again_afterwards(admin, clock):
    """On another day every login of today is over, and is forgotten when somebody signs in."""
    yield
    clock.reset()
    again = admin.post("/api/auth/login", {"email": admin.email, "password": admin.password})
    assert again.status == 200, again


@pytest.fixture(name="new_york")
def academy_in_new_york(app, admin, travels):
    before = app.psql("SELECT time_zone FROM academy")
    assert admin.patch("/api/admin/settings", {"time_zone": "America/New_York"}).status == 200
    yield
    app.psql(f"UPDATE academy SET time_zone = '{before}'")


@pytest.fixture(name="held")
def a_class_of_forty_minutes(app, clock, opened, hana, make_student):
    """The id of a class by a teacher who has signed in that day."""

    def make(start):
        student = make_student(hana)
        clock.stop(start - 2 * MINUTE)
        teacher = sign_in(app, hana)
        sent = opened(start, teacher, student)
        clock.stop(start + 40 * MINUTE)
        done = teacher.post("/api/teacher/session", {"session_id": identity(sent), "action": "end"})
        assert done.status == 200, done
        assert brief(app, sent) == ("ended", "teacher", 40)
        return identity(sent)

    return make


def shown(app, admin, n, day):
    """The class in the list of that day, its line of the export, and its explanation."""
    client = sign_in(app, admin)
    of = f"student_id={app.session(n)['student_id']}"  # on that very day others' classes fill more than a page
    listed = client.get(f"/api/admin/teacher-sessions?date={day}&{of}&limit=200")
    (found,) = [s for s in listed["sessions"] if s["id"] == n]
    lines = client.get(f"/api/admin/teacher-sessions?date={day}&{of}&format=csv").text.splitlines()
    (line,) = [line for line in lines if found["clicked_at"].rstrip("Z") in line]
    return found, line, client.get(f"/api/admin/session-events?session_id={n}")["explanation"]


@pytest.mark.parametrize(
    "start, day, opens, ends",
    [
        ("2026-03-08 06:40:00", "2026-03-08", "01:40", "03:20"),  # no 02:00 that night
        ("2026-11-01 05:40:00", "2026-11-01", "01:40", "01:20"),  # 01:00 to 02:00 comes twice
    ],
)
@pytest.mark.usefixtures("new_york")
def test_a_class_over_a_change_of_the_clocks_lasts_what_it_lasted(app, admin, held, start, day, opens, ends):
    n = held(moment(start).replace(tzinfo=UTC))
    found, line, told = shown(app, admin, n, day)
    assert found["session_duration_minutes"] == 40
    assert f"{day} {opens}" in line and f"{day} {ends}" in line, line
    assert told.startswith("40 min") and opens in told and ends in told, told


@pytest.mark.parametrize("jump", ["2038-01-19 03:14:08", "2106-02-07 06:28:16"])
@pytest.mark.usefixtures("travels")
def test_a_class_over_the_end_of_small_clocks(app, admin, clock, held, opened, hana, make_student, jump):
    """Seconds in 32 bits, with and without a sign, run over while the class does."""
    jump = moment(jump).replace(tzinfo=UTC)
    student = make_student(hana)
    n = held(jump - 20 * MINUTE)
    found, line, told = shown(app, admin, n, jump.date())
    assert found["session_duration_minutes"] == 40 and told.startswith("40 min")
    assert str(jump.date()) in line
    silent = opened(jump - MINUTE, sign_in(app, hana), student)
    clock.stop(jump + 180 * MINUTE)
    run_job(app)
    assert brief(app, silent) == ("timeout", None, 70)
    for made in (n, identity(silent)):  # out of the way of what is sent today
        app.age(made, f"{jump.year - 2025} years")
