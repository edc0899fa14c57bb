"""What people do to a session: every action in every state, by whom, with what reason, and again."""

import datetime
import itertools
import re
import uuid

import pytest

from academy import ZOOM_URL, at_once, moment
from retold import explanation

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture(scope="module", name="hana")
def a_teacher(make_teacher):
    return make_teacher("Hana")


@pytest.fixture(scope="module", name="other")
def another_teacher(make_teacher):
    return make_teacher("Biniam")


@pytest.fixture(name="clicked")
def a_class_clicked_minutes_ago(app, send, tap, hana, make_student):
    """The id of a running class; its leave_url is in clicked.leave."""

    def make(minutes=30, package="Europe"):
        sent = send(hana, make_student(hana, package_id=package))
        tap(sent["join_url"])
        make.leave, make.join = sent["leave_url"], sent["join_url"]
        n = sent["session"]["id"]
        app.age(n, f"{minutes} minutes")
        return n

    return make


@pytest.fixture(name="class_in")
def a_class_in_a_state(app, admin, send, tap, hana, clicked, make_student):
    """The id of a session in the state; what ran had begun half an hour (timeout: 90 minutes) ago."""

    def sent():
        return send(hana, make_student(hana))["session"]["id"]

    def ended():
        n = clicked()
        tap(clicked.leave)
        return n

    def timeout():
        n = clicked(90)
        app.job("session-timeout")
        return n

    def missed():
        n = sent()
        app.age(n, "13 hours")
        app.job("session-timeout")
        return n

    def then(n, person, action, **fields):
        answer = person.act(n, action, **fields)
        assert answer.status == 200, answer
        return n

    def superseded():
        student = make_student(hana)
        n = send(hana, student)["session"]["id"]
        send(hana, student)
        return n

    return {
        "sent": sent,
        "active": clicked,
        "ended": ended,
        "ended by teacher": lambda: then(clicked(), hana, "end"),
        "ended by admin": lambda: then(clicked(), admin, "end"),
        "timeout": timeout,
        "missed": missed,
        "cancelled": lambda: then(sent(), hana, "cancel"),
        "voided": lambda: then(clicked(), hana, "cancel"),
        "superseded": superseded,
        "corrected": lambda: then(ended(), admin, "correct", session_ended_at=ago(20)),
        "reopened": lambda: then(ended(), admin, "reopen"),
    }


def ago(minutes):
    """A moment as calls write it."""
    return text(datetime.datetime.now(datetime.timezone.utc) - minutes * MINUTE)


def text(then):
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")


def whole(app, n):
    """The row and all its evidence."""
    return app.session(n), app.evidence(n)


def assert_refused(answer, status, field):
    assert answer.status == status and answer.field == field, answer


# ---------------------------------------------------------------- every action in every state

STATES = [
    "sent", "active", "ended", "ended by teacher", "ended by admin", "timeout", "missed",
    "cancelled", "voided", "superseded", "corrected", "reopened",
]  # fmt: skip
BOTH, END, START = "correct both", "correct the end", "correct the start"

# What comes of it: the state and who ended it; or the status and field of the refusal. "=": nothing.
ENDED, ACTIVE, CANCELLED = ("ended", "admin"), ("active", None), ("cancelled", None)
NOT_NOW = (409, "action")
OUTCOMES = {
    "end": {
        "active": ENDED, "reopened": ENDED, "ended": "=", "ended by teacher": "=", "ended by admin": "=",
        "timeout": "=", "corrected": "=",
    },
    "cancel": {"sent": CANCELLED, "active": CANCELLED, "reopened": CANCELLED, "superseded": CANCELLED,
               "cancelled": "=", "voided": "="},
    "reopen": {"ended": ACTIVE, "ended by teacher": ACTIVE, "ended by admin": ACTIVE, "timeout": ACTIVE,
               "missed": ACTIVE, "corrected": ACTIVE},
    BOTH: dict.fromkeys([s for s in STATES if s not in ("cancelled", "voided", "superseded")], ENDED),
    END: {"sent": (400, "clicked_at"), "missed": (400, "clicked_at"), "active": ENDED, "reopened": ENDED,
          "ended": ENDED, "ended by teacher": ENDED, "ended by admin": ENDED, "timeout": ENDED,
          "corrected": ENDED},
    START: {"sent": (400, "session_ended_at"), "missed": (400, "session_ended_at"), "active": ACTIVE,
            "reopened": ACTIVE, "ended": ("ended", "teacher_left"), "ended by teacher": ("ended", "teacher"),
            "ended by admin": ENDED, "timeout": ("timeout", None), "corrected": ENDED},
    "release": {"corrected": ("ended", "teacher_left")},
}  # fmt: skip


def wish(action, state):
    """The action and its fields: a class that took place from 25 to 10 minutes ago, or began earlier."""
    if action not in (BOTH, END, START):
        return action, {}
    start = ago(95) if state == "timeout" and action == START else ago(25 if action == BOTH else 40)
    moments = {"clicked_at": start, "session_ended_at": ago(10)}
    if action == START:
        del moments["session_ended_at"]
    if action == END:
        del moments["clicked_at"]
    return "correct", moments


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", OUTCOMES)
def test_an_admin_s_action(app, admin, class_in, action, state):
    n = class_in[state]()
    before = whole(app, n)
    name, fields = wish(action, state)
    answer = admin.act(n, name, reason="the parents called", **fields)
    outcome = OUTCOMES[action].get(state, NOT_NOW)
    row, evidence = whole(app, n)
    if outcome == "=" or isinstance(outcome[0], int):
        assert (row, evidence) == before
        if outcome == "=":
            assert answer.status == 200, answer
        else:
            assert_refused(answer, *outcome)
        return
    assert answer.status == 200, answer
    assert (row["session_status"], row["ended_by"]) == outcome
    assert row["corrected"] is (name == "correct") or state in ("corrected", "reopened")
    new = [e for e in evidence[len(before[1]) :] if e["kind"] != "timed_out"]
    assert new and {e["source"] for e in new} == {"admin"}
    assert {e["account_id"] for e in new} == {admin.id}
    assert {e["detail"]["reason"] for e in new} == {"the parents called"}
    for column, value in fields.items():
        assert moment(row[column]) == moment(value)
    shown = answer["session"]
    assert shown["id"] == n and shown["session_status"] == row["session_status"]
    assert shown["session_duration_minutes"] == row["session_duration_minutes"]


@pytest.mark.parametrize("state", STATES)
def test_a_refusal_says_what_state_the_class_is_in(app, admin, class_in, state):
    n = class_in[state]()
    status = app.session(n)["session_status"]
    for action, outcomes in OUTCOMES.items():
        if state in outcomes or action == "release":
            continue
        name, fields = wish(action, state)
        answer = admin.act(n, name, reason="to be sure", **fields)  # for the same reason it may be a repeat
        assert status in answer["detail"], answer


@pytest.mark.parametrize("state", STATES)
def test_it_is_told_whether_there_is_a_correction_to_release(admin, class_in, state):
    def is_told(n):
        told = admin.get(f"/api/admin/session-events?session_id={n}")["explained"]["corrected"]
        answer = admin.act(n, "release", reason="to be sure")
        assert answer.status == (200 if told else 409), answer
        return told

    assert is_told(class_in[state]()) is (state == "corrected")
    if state != "corrected":
        return
    n = class_in["corrected"]()
    assert admin.act(n, "reopen").status == 200  # the end that was corrected is taken back
    assert not is_told(n)
    assert admin.act(n, "correct", clicked_at=ago(20)).status == 200
    assert is_told(n)


# ---------------------------------------------------------------- what the actions do, each for itself


def test_ending_stops_the_clock_now(app, admin, clock, clicked):
    n = clicked(0)
    clock.move("20 minutes 10 seconds")
    ended = admin.act(n, "end", reason="the call broke off")["session"]
    assert ended["session_duration_minutes"] == 20 and ended["estimated"] is False
    clock.move("25 minutes")
    again = admin.act(n, "end", reason="again")
    assert again.status == 200 and again["session"] == ended
    assert [e["kind"] for e in app.evidence(n)] == ["sent", "clicked", "admin_ended"]


def test_the_admin_s_end_outranks_the_teacher_s(app, admin, tap, clock, clicked):
    n = clicked(10)
    tap(clicked.leave)
    assert admin.act(n, "correct", session_ended_at=ago(2))["session"]["ended_by"] == "admin"
    clock.move("3 minutes")
    tap(clicked.leave)  # a fact after a correction: kept, and changes nothing
    row, evidence = whole(app, n)
    assert row["ended_by"] == "admin" and row["session_duration_minutes"] == 8
    assert [e["kind"] for e in evidence].count("teacher_left") == 2
    released = admin.act(n, "release")["session"]
    assert released["ended_by"] == "teacher_left" and released["session_duration_minutes"] == 10


def test_facts_after_a_correction_count_once_it_is_released(app, admin, tap, clicked):
    n = clicked(30)
    corrected = admin.act(n, "correct", clicked_at=ago(25), session_ended_at=ago(5))["session"]
    assert (corrected["session_duration_minutes"], corrected["ended_by"]) == (20, "admin")
    tap(clicked.leave)
    tap(clicked.join)
    assert app.session(n)["session_duration_minutes"] == 20
    released = admin.act(n, "release")["session"]
    assert (released["session_duration_minutes"], released["ended_by"]) == (30, "teacher_left")
    assert_refused(admin.act(n, "release", reason="to be sure"), 409, "action")


def test_the_last_correction_counts(app, admin, clicked):
    n = clicked(60)
    for minutes in (10, 30, 20):
        assert admin.act(n, "correct", session_ended_at=ago(60 - minutes))["session"][
            "session_duration_minutes"
        ] == minutes
    admin.act(n, "correct", clicked_at=ago(50))
    assert app.session(n)["session_duration_minutes"] == 10
    assert len([e for e in app.evidence(n) if e["kind"] == "corrected"]) == 4


def test_a_corrected_start_moves_the_deadline(app, admin, clicked):
    n = clicked(60)
    answer = admin.act(n, "correct", clicked_at=ago(65))["session"]
    assert answer["session_status"] == "active"
    assert moment(answer["times_out_at"]) == moment(answer["clicked_at"]) + 70 * MINUTE
    answer = admin.act(n, "correct", clicked_at=ago(75))["session"]
    assert answer["session_status"] == "timeout" and answer["session_duration_minutes"] == 70
    answer = admin.act(n, "correct", clicked_at=ago(20))["session"]
    assert answer["session_status"] == "active" and answer["session_ended_at"] is None


def test_a_correction_may_end_after_the_deadline(admin, clicked):
    """A lesson that ran over, as both sides say: the admin decides."""
    n = clicked(120)
    answer = admin.act(n, "correct", session_ended_at=ago(20))["session"]
    assert (answer["session_status"], answer["session_duration_minutes"]) == ("ended", 100)


@pytest.mark.parametrize("state, at_least, at_most", [("ended", 39, 40), ("timeout", 9, 10), ("missed", 69, 70)])
def test_reopening_gives_what_was_left(app, admin, class_in, state, at_least, at_most):
    n = class_in[state]()
    answer = admin.act(n, "reopen")["session"]
    left = moment(answer["times_out_at"]) - moment(app.evidence(n)[-1]["happened_at"])
    assert at_least * MINUTE < left <= at_most * MINUTE
    assert answer["session_ended_at"] is None and answer["session_duration_minutes"] is None


@pytest.mark.parametrize("state", ["ended", "timeout", "missed"])
@pytest.mark.parametrize("began, left", [(0, 70), (15, 55), (60, 10), (65, 10), (600, 10)])
def test_with_a_start_what_is_left_is_of_a_class_that_began_then(app, admin, class_in, state, began, left):
    n = class_in[state]()
    start = ago(began)
    answer = admin.act(n, "reopen", clicked_at=start)["session"]
    assert answer["clicked_at"] == start
    now = moment(app.evidence(n)[-1]["happened_at"])
    if left > 10:
        assert moment(answer["times_out_at"]) == moment(start) + 70 * MINUTE
    else:
        assert moment(answer["times_out_at"]) == now + 10 * MINUTE


def test_a_class_reopened_without_a_click_starts_then(app, admin, class_in):
    n = class_in["missed"]()
    answer = admin.act(n, "reopen")["session"]
    assert moment(answer["clicked_at"]) == moment(app.evidence(n)[-1]["happened_at"])
    n = class_in["missed"]()
    answer = admin.act(n, "reopen", clicked_at=ago(15))["session"]
    assert answer["session_status"] == "active"
    assert moment(answer["clicked_at"]) == moment(answer["times_out_at"]) - 70 * MINUTE


def test_a_reopened_class_ends_like_any_other(app, admin, tap, clock, clicked):
    n = clicked(30)
    tap(clicked.leave)
    until = ago(-100)
    assert admin.act(n, "reopen", times_out_at=until)["session"]["times_out_at"] == until
    clock.move("50 minutes")
    tap(clicked.leave)
    row = app.session(n)
    assert (row["ended_by"], row["session_duration_minutes"]) == ("teacher_left", 80)
    clock.move("60 minutes")
    admin.act(n, "reopen", times_out_at=until)
    clock.move("3 hours")
    app.job("session-timeout")
    row = app.session(n)
    assert row["session_status"] == "timeout" and moment(row["session_ended_at"]) == moment(until)
    assert [e["kind"] for e in app.evidence(n)].count("teacher_left") == 2  # superseded ends stay readable


def test_the_evidence_and_its_explanation_are_shown(admin, tap, clicked):
    n = clicked(41)
    tap(clicked.leave)
    admin.act(n, "correct", reason="she had stayed", session_ended_at=ago(1))
    shown = admin.get(f"/api/admin/session-events?session_id={n}")
    assert shown.status == 200
    assert set(shown.json) == {"session", "events", "opened_late_at", "explanation", "explained"}
    assert shown["session"] == admin.get(f"/api/admin/session-events?session_id={n}")["session"]
    kinds = [event["kind"] for event in shown["events"]]
    assert sorted(kinds) == ["clicked", "corrected", "sent", "teacher_left"]
    times = [moment(event["happened_at"]) for event in shown["events"]]
    assert times == sorted(times)
    corrected = shown["events"][kinds.index("corrected")]
    assert corrected["account"] == {"id": admin.id, "name": admin.name}
    assert corrected["detail"] == {"field": "session_ended_at", "reason": "she had stayed", "over": True}
    assert shown["explanation"].startswith("40 min: opened ")
    assert shown["explanation"].endswith("by an admin (corrected).")


def test_the_last_opening_of_a_class_that_is_over_is_told(app, admin, tap, hana, make_student, send, clock):
    sent = send(hana, make_student(hana))
    n = sent["session"]["id"]
    told = []
    for at in ("0", "2 hours", "4 hours"):
        clock.move(at)
        app.job("session-timeout")
        tap(sent["join_url"])
        told.append(admin.get(f"/api/admin/session-events?session_id={n}")["opened_late_at"])
    assert told[0] is None and moment(told[2]) - moment(told[1]) >= datetime.timedelta(hours=2)
    (late,) = [e for e in app.evidence(n) if e["kind"] == "click_ignored"]
    assert moment(late["happened_at"]) == moment(told[1])  # of evidence one is enough


EXPLANATIONS = {
    "sent": "Sent .*, nobody has opened it yet.",
    "active": "Running: opened .* by the student, times out .*",
    "ended": "30 min: opened .* by the student, ended .* when the teacher left.",
    "ended by teacher": "30 min: .* ended .* by the teacher.",
    "ended by admin": "30 min: .* ended .* by an admin.",
    "timeout": r"70 min, estimated: .* no end was seen, timed out .* \(60 \+ 10 minutes\).",
    "missed": "Sent .*, nobody opened it within 12 hours.",
    "cancelled": "Sent [0-9: -]*, cancelled by the teacher.",
    "voided": "Sent [0-9: -]*, cancelled by the teacher.",
    "superseded": "Sent [0-9: -]*, replaced by a newer link before anybody opened it.",
    "corrected": r"10 min: opened .* by the student, ended .* by an admin \(corrected\).",
    "reopened": "Running: opened .* by the student, times out .*",
}


@pytest.mark.parametrize("state", EXPLANATIONS)
def test_every_state_explains_itself(admin, class_in, state):
    assert re.fullmatch(EXPLANATIONS[state], explanation(admin, class_in[state]()))


def test_it_is_told_whose_word_the_start_and_the_end_are(app, admin, class_in):
    """Nobody opened a missed class, and a corrected start is not the student's; the end is whoever's it was."""
    n = class_in["missed"]()
    admin.act(n, "correct", clicked_at=ago(700), session_ended_at=ago(660))
    assert re.fullmatch(r"40 min: began .* by an admin \(corrected\), ended .* by an admin \(corrected\).", explanation(admin, n))
    n = class_in["ended"]()
    admin.act(n, "correct", clicked_at=ago(40))
    assert re.fullmatch(r"40 min: began .* by an admin \(corrected\), ended .* when the teacher left.", explanation(admin, n))
    admin.act(n, "release")
    assert re.fullmatch("30 min: opened .* by the student, ended .* when the teacher left.", explanation(admin, n))
    n = class_in["missed"]()
    admin.act(n, "reopen")
    assert re.fullmatch(r"Running: began .* by an admin \(reopened\), times out .*", explanation(admin, n))
    n = class_in["sent"]()
    admin.act(n, "cancel")
    assert explanation(admin, n).endswith(", cancelled by an admin.")
    n = class_in["timeout"]()
    app.age(n, "1 day")
    admin.act(n, "reopen", times_out_at=ago(-5))
    app.age(n, "10 minutes")
    app.job("session-timeout")
    assert re.fullmatch(r"[0-9]+ min, estimated: opened .* timed out .{10} .* \(as reopened\).", explanation(admin, n))
    n = class_in["timeout"]()
    admin.act(n, "correct", clicked_at=ago(100))
    assert re.fullmatch(r"70 min, estimated: began .* by an admin \(corrected\), no end was seen, timed out .*", explanation(admin, n))


@pytest.mark.parametrize(
    "start, end, words",
    [
        ("10:02:00", "10:50:00", "48 min: opened 10:02 by the student, ended 10:50 by an admin (corrected)."),
        ("10:02:50", "10:50:40", "48 min: opened 10:02 by the student, ended 10:50 by an admin (corrected)."),
        ("10:02:10", "10:50:40", "49 min: opened 10:02:10 by the student, ended 10:50:40 by an admin (corrected)."),
        ("10:02:50", "10:50:10", "47 min: opened 10:02:50 by the student, ended 10:50:10 by an admin (corrected)."),
    ],
)
def test_times_that_do_not_give_the_minutes_show_their_seconds(
    admin, clock, send, tap, hana, make_student, start, end, words
):
    zone = admin.get("/api/admin/settings")["time_zone"]
    assert admin.patch("/api/admin/settings", {"time_zone": "UTC"}).status == 200
    clock.stop("2026-02-03 10:00+00")
    sent = send(hana, make_student(hana))
    clock.stop(f"2026-02-03 {start}+00")
    tap(sent["join_url"])
    clock.stop("2026-02-03 12:00+00")
    n = sent["session"]["id"]
    assert admin.act(n, "correct", session_ended_at=f"2026-02-03T{end}Z").status == 200
    assert explanation(admin, n) == words
    assert admin.patch("/api/admin/settings", {"time_zone": zone}).status == 200


# ---------------------------------------------------------------- moments that make no sense


@pytest.mark.parametrize(
    "state, action, fields, field",
    [
        ("active", "correct", {}, "clicked_at"),
        ("active", "correct", {"clicked_at": -5}, "clicked_at"),
        ("active", "correct", {"session_ended_at": -5}, "session_ended_at"),
        ("active", "correct", {"session_ended_at": 40}, "session_ended_at"),
        ("active", "correct", {"clicked_at": 3, "session_ended_at": 4}, "session_ended_at"),
        ("ended", "correct", {"clicked_at": -5}, "clicked_at"),
        ("timeout", "correct", {"clicked_at": 10}, "clicked_at"),
        ("ended", "reopen", {"times_out_at": 1}, "times_out_at"),
        ("ended", "reopen", {"times_out_at": -1500}, "times_out_at"),
        ("ended", "reopen", {"clicked_at": -5}, "clicked_at"),
        ("ended", "reopen", {"session_ended_at": 5}, "session_ended_at"),
        ("active", "end", {"session_ended_at": 5}, "session_ended_at"),
        ("active", "end", {"clicked_at": 5}, "clicked_at"),
        ("active", "cancel", {"times_out_at": -5}, "times_out_at"),
        ("active", "correct", {"times_out_at": -5}, "times_out_at"),
        ("corrected", "release", {"clicked_at": 5}, "clicked_at"),
        ("active", "correct", {"session_ended_at": "2026-02-30T10:00:00Z"}, "session_ended_at"),
        ("active", "correct", {"session_ended_at": "2026-01-05 10:00:00"}, "session_ended_at"),
        ("active", "correct", {"session_ended_at": "2026-01-05T10:00:00+02:00"}, "session_ended_at"),
        ("active", "correct", {"session_ended_at": "1969-12-31T23:59:59Z"}, "session_ended_at"),
        ("active", "correct", {"session_ended_at": 1767600000.5}, "session_ended_at"),
    ],
)
def test_a_moment_that_makes_no_sense_is_named(app, admin, class_in, state, action, fields, field):
    fields = {name: ago(v) if isinstance(v, (int, float)) and v < 1e6 else v for name, v in fields.items()}
    n = class_in[state]()
    before = whole(app, n)
    assert_refused(admin.act(n, action, **fields), 400, field)
    assert whole(app, n) == before


YEAR = 365 * 24 * 60


@pytest.mark.parametrize(
    "state, action, fields, field",
    [
        ("ended", "correct", {"clicked_at": YEAR}, "clicked_at"),
        ("timeout", "correct", {"clicked_at": YEAR}, "clicked_at"),
        ("active", "correct", {"clicked_at": YEAR}, "clicked_at"),
        ("reopened", "correct", {"clicked_at": YEAR}, "clicked_at"),
        ("reopened", "correct", {"clicked_at": 1439}, "clicked_at"),
        ("active", "correct", {"clicked_at": YEAR, "session_ended_at": 10}, "session_ended_at"),
        ("missed", "correct", {"clicked_at": YEAR, "session_ended_at": 10}, "session_ended_at"),
        ("ended", "reopen", {"clicked_at": YEAR}, "clicked_at"),
        ("missed", "reopen", {"clicked_at": 60, "times_out_at": -1435}, "clicked_at"),
    ],
)
def test_no_moment_makes_a_class_longer_than_a_day(app, admin, class_in, state, action, fields, field):
    n = class_in[state]()
    before = whole(app, n)
    answer = admin.act(n, action, **{name: ago(minutes) for name, minutes in fields.items()})
    assert_refused(answer, 400, field)
    assert answer["detail"] == "The class would last longer than a day."
    assert whole(app, n) == before


def test_a_class_may_last_a_day(app, admin, clicked):
    n = clicked(30)
    end, day = moment(ago(5)), 24 * 60 * MINUTE
    begin = end - day
    made = admin.act(n, "correct", clicked_at=text(begin), session_ended_at=text(end))
    assert made["session"]["session_duration_minutes"] == 1440
    before = whole(app, n)
    tick = datetime.timedelta(microseconds=1)
    assert_refused(admin.act(n, "correct", clicked_at=text(begin - tick)), 400, "clicked_at")
    assert_refused(admin.act(n, "correct", session_ended_at=text(end + tick)), 400, "session_ended_at")
    assert whole(app, n) == before


def test_a_class_that_runs_may_have_run_for_a_day(app, admin, clock, clicked, class_in):
    """Until now, and one that was reopened until the deadline that it got."""
    n = clicked(30)
    now = moment(app.psql("SELECT to_json(clock_now()) #>> '{}'"))
    clock.stop(now)
    begin, tick = now - 24 * 60 * MINUTE, datetime.timedelta(microseconds=1)
    assert_refused(admin.act(n, "correct", clicked_at=text(begin - tick)), 400, "clicked_at")
    assert admin.act(n, "correct", clicked_at=text(begin))["session"]["session_status"] == "timeout"
    clock.reset()
    n = class_in["ended"]()
    assert admin.act(n, "reopen", times_out_at=ago(-60)).status == 200
    begin = moment(app.session(n)["times_out_at"]) - 24 * 60 * MINUTE
    assert_refused(admin.act(n, "correct", clicked_at=text(begin - tick)), 400, "clicked_at")
    assert admin.act(n, "correct", clicked_at=text(begin))["session"]["session_status"] == "active"


@pytest.mark.parametrize("action", ["end", "cancel", "reopen", "correct", "release"])
def test_an_admin_gives_a_reason(app, admin, class_in, action):
    n = class_in["active"]()
    before = whole(app, n)
    for reason in (None, "", " ", "\t\n", "x" * 501, 5, ["x"]):
        assert_refused(admin.act(n, action, reason=reason), 400, "reason")
    bare = admin.post("/api/admin/session", {"session_id": n, "action": action})
    assert_refused(bare, 400, "reason")
    assert whole(app, n) == before


# ---------------------------------------------------------------- a teacher's actions


def test_a_teacher_ends_an_own_class(app, hana, clicked):
    n = clicked(33)
    ended = hana.act(n, "end", reason="done")["session"]
    assert (ended["ended_by"], ended["session_duration_minutes"]) == ("teacher", 33)
    assert hana.act(n, "end").json == {"session": ended}
    last = app.evidence(n)[-1]
    assert (last["kind"], last["source"], last["account_id"]) == ("teacher_ended", "teacher", hana.id)
    assert last["detail"] == {"reason": "done"}


def test_leaving_and_ending_the_earlier_counts(app, hana, tap, clock, clicked):
    n = clicked(10)
    tap(clicked.leave)
    clock.move("5 minutes")
    assert hana.act(n, "end").status == 200
    row = app.session(n)
    assert (row["ended_by"], row["session_duration_minutes"]) == ("teacher_left", 10)


@pytest.mark.parametrize("state", STATES)
def test_a_teacher_s_action_in_every_state(app, hana, class_in, state):
    for action in ("end", "cancel"):
        n = class_in[state]()
        before = whole(app, n)
        answer = hana.act(n, action)
        outcome = OUTCOMES[action].get(state, NOT_NOW)
        if (action, state) == ("end", "corrected"):  # kept, for whoever releases it
            row, (*evidence, last) = whole(app, n)
            assert (row, evidence) == before and last["kind"] == "teacher_ended"
        elif outcome in ("=", NOT_NOW):
            assert whole(app, n) == before
        if outcome == NOT_NOW:
            assert_refused(answer, *outcome)
        else:
            assert answer.status == 200, answer


@pytest.mark.parametrize("state", [s for s in STATES if s != "superseded"])
@pytest.mark.parametrize("role", ["teacher", "admin"])
def test_whoever_withdraws_what_is_another_thing_by_now_does_nothing(app, hana, admin, class_in, role, state):
    person = {"teacher": hana, "admin": admin}[role]
    n = class_in[state]()
    before = whole(app, n)
    status = before[0]["session_status"]
    for seen in {"sent", "active", "ended", "timeout", "cancelled", "missed"} - {status}:
        answer = person.act(n, "cancel", session_status=seen)
        assert whole(app, n) == before
        if status == "cancelled":
            assert answer.status == 200, answer  # it was withdrawn, and its answer lost
        else:
            assert_refused(answer, 409, "session_status" if status in ("sent", "active") else "action")
            assert f"This class is {status}" in answer["detail"]
    if status in ("sent", "active"):
        assert person.act(n, "cancel", session_status=status)["session"]["session_status"] == "cancelled"


@pytest.mark.parametrize("seen", ["sent", "cancelled"])
def test_a_link_that_was_replaced_is_withdrawn_whatever_was_seen(app, hana, class_in, seen):
    """What they wanted to withdraw is this very link."""
    n = class_in["superseded"]()
    assert hana.act(n, "cancel", session_status=seen).status == 200
    after = whole(app, n)
    assert [e["kind"] for e in after[1]] == ["sent", "superseded", "cancelled"]
    assert hana.act(n, "cancel", session_status=seen).status == 200
    assert whole(app, n) == after


def test_the_state_that_was_seen_is_one_and_goes_with_cancel_alone(app, hana, admin, class_in):
    n = class_in["active"]()
    before = whole(app, n)
    for person in (hana, admin):
        for wrong in ("running", "", None, 1, ["active"]):
            assert_refused(person.act(n, "cancel", session_status=wrong), 400, "session_status")
        assert_refused(person.act(n, "end", session_status="active"), 400, "session_status")
    assert whole(app, n) == before


@pytest.mark.parametrize("state", STATES)
def test_another_zoom_link_fits_a_class_that_is_to_come_or_runs(app, hana, class_in, state):
    n = class_in[state]()
    before = whole(app, n)
    answer = hana.act(n, "zoom_url", zoom_url=ZOOM_URL + "7")
    if state in ("sent", "active", "reopened"):
        assert answer.status == 200 and answer["start_url"] == ZOOM_URL + "7"
        names = {"session", "join_url", "start_url", "leave_url", "delivery", "delivery_outcome", "delivery_detail"}
        assert names == set(answer.json)
        assert app.session(n)["zoom_url"] == ZOOM_URL + "7"
        assert app.evidence(n)[-1]["kind"] == "zoom_url"
    else:
        assert_refused(answer, 409, "action")
        assert whole(app, n) == before


def remembered(person, student):
    return next(s["zoom_url"] for s in person.get("/api/teacher/students")["students"] if s["id"] == student["id"])


def test_the_link_that_was_put_right_is_the_next_class_s(app, admin, send, tap, hana, other, make_student):
    """Remembered as one given on sending; not from a class that is over, nor for a student of another's."""
    student = make_student(hana)
    first = send(hana, student, ZOOM_URL + "1")
    for url in (ZOOM_URL + "2", ZOOM_URL + "3"):
        assert hana.act(first["session"]["id"], "zoom_url", zoom_url=url).status == 200
        assert remembered(hana, student) == url
        tap(first["join_url"])
    hana.act(first["session"]["id"], "end")
    assert hana.act(first["session"]["id"], "zoom_url", zoom_url=ZOOM_URL + "4").status == 409
    assert other.act(first["session"]["id"], "zoom_url", zoom_url=ZOOM_URL + "4").status == 404
    assert remembered(hana, student) == ZOOM_URL + "3"
    second = send(hana, student, ZOOM_URL + "3")
    moved = {"id": student["id"], "teacher_id": other.id, "zoom_url": ZOOM_URL + "6"}
    assert admin.patch("/api/admin/students", moved).status == 200
    assert hana.act(second["session"]["id"], "zoom_url", zoom_url=ZOOM_URL + "5").status == 200
    assert app.session(second["session"]["id"])["zoom_url"] == ZOOM_URL + "5"
    assert remembered(other, student) == ZOOM_URL + "6"


def test_a_changed_link_and_a_newer_one_do_not_wait_for_each_other(app, send, hana, make_student):
    student = make_student(hana)
    for i in range(10):
        n = send(hana, student)["session"]["id"]
        *changed, _ = at_once(
            *[lambda k=k: hana.act(n, "zoom_url", zoom_url=f"{ZOOM_URL}{i}{k}") for k in range(4)],
            lambda: send(hana, student, f"{ZOOM_URL}{i}new"),
        )
        assert {answer.status for answer in changed} <= {200, 409}


@pytest.mark.parametrize("state", STATES)
def test_attendance_is_marked_in_any_state_and_moves_no_minute(app, hana, class_in, state):
    n = class_in[state]()
    before, evidence = whole(app, n)
    kept = ""
    for attendance, note in (("late", "came at 10 past"), ("present", None), ("excused", "")):
        wish_ = {"session_id": n, "attendance": attendance}
        if note is not None:
            wish_["note"] = note
        answer = hana.post("/api/teacher/attendance", wish_)
        assert answer.status == 200 and answer["session"]["attendance"] == attendance
        kept = note if note is not None else kept  # a mark alone leaves the note that stands
        assert answer["session"]["attendance_note"] == kept
    row = app.session(n)
    changed = {k for k in row if row[k] != before[k]}
    assert changed == {"attendance"}
    marks = app.evidence(n)[len(evidence) :]
    assert [m["detail"] for m in marks] == [{"attendance": a} for a in ("late", "present", "excused")]


def test_a_teacher_touches_own_classes_only(app, admin, other, class_in):
    n = class_in["active"]()
    before = whole(app, n)
    calls = [("/api/teacher/session", {"session_id": n, "action": a}) for a in ("end", "cancel")]
    calls.append(("/api/teacher/session", {"session_id": n, "action": "zoom_url", "zoom_url": ZOOM_URL}))
    calls.append(("/api/teacher/attendance", {"session_id": n, "attendance": "present"}))
    for path, body in calls:
        theirs, absent = other.post(path, body), other.post(path, {**body, "session_id": 9 * 10**17})
        assert theirs.status == absent.status == 404 and theirs.body == absent.body
        assert admin.post(path, body).status == 403
    for action in ("reopen", "correct", "release"):
        assert_refused(other.act(n, action), 400, "action")
    assert other.post("/api/admin/session", {"session_id": n, "action": "end", "reason": "x"}).status == 403
    assert whole(app, n) == before


# ---------------------------------------------------------------- sending, and sending again


def wish_for(student, **changes):
    return {"student_id": student["id"], "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4()), **changes}


def sessions_of(app, student):
    return int(app.psql(f"SELECT count(*) FROM sessions WHERE student_id = {student['id']}"))


def test_the_same_request_gives_the_same_answer_byte_for_byte(app, hana, clock, make_student):
    student = make_student(hana)
    body = wish_for(student)
    first = hana.post("/api/teacher/send-link", body)
    assert first.status == 201
    clock.move("2 hours")
    for again in (body, {**body, "request_id": body["request_id"].upper()}, dict(reversed(body.items()))):
        answer = hana.post("/api/teacher/send-link", again)
        assert answer.status == 201 and answer.body == first.body
    assert sessions_of(app, student) == 1
    assert [e["kind"] for e in app.evidence(first["session"]["id"])] == ["sent"]


@pytest.mark.parametrize("change", ["disabled", "moved"])
def test_a_repeat_is_answered_whatever_became_of_the_student(app, admin, hana, other, make_student, change):
    """The first answer was lost, and an admin was quicker than the second try."""
    student = make_student(hana)
    body = wish_for(student)
    first = hana.post("/api/teacher/send-link", body)
    assert first.status == 201
    fields = {"disabled": True} if change == "disabled" else {"teacher_id": other.id}
    assert admin.patch("/api/admin/students", {"id": student["id"], **fields}).status == 200
    again = hana.post("/api/teacher/send-link", body)
    assert again.status == 201 and again.body == first.body
    assert_refused(hana.post("/api/teacher/send-link", {**body, "zoom_url": ZOOM_URL + "1"}), 409, "request_id")
    assert_refused(hana.post("/api/teacher/send-link", wish_for(student)), 404, "student_id")
    assert sessions_of(app, student) == 1


def test_a_repeat_supersedes_nothing(app, send, hana, make_student):
    student = make_student(hana)
    body = wish_for(student)
    old = hana.post("/api/teacher/send-link", body)
    new = send(hana, student)
    assert hana.post("/api/teacher/send-link", body).status == 201
    assert app.session(old["session"]["id"])["session_status"] == "cancelled"
    assert app.session(new["session"]["id"])["session_status"] == "sent"


def test_a_request_used_for_something_else_is_a_clash(app, hana, other, make_student):
    student, second = make_student(hana), make_student(hana)
    theirs = make_student(other)
    body = wish_for(student)
    assert hana.post("/api/teacher/send-link", body).status == 201
    for person, change in (
        (hana, {"student_id": second["id"]}),
        (hana, {"zoom_url": ZOOM_URL + "1"}),
        (other, {"student_id": theirs["id"]}),
    ):
        answer = person.post("/api/teacher/send-link", {**body, **change})
        assert_refused(answer, 409, "request_id")
    assert [sessions_of(app, s) for s in (student, second, theirs)] == [1, 0, 0]
    remembered = app.row(f"SELECT zoom_url FROM students WHERE id = {student['id']}")
    assert remembered == {"zoom_url": ZOOM_URL}  # a refused request has changed nothing


def test_fifty_repeats_at_once_make_one_class(app, hana, make_student):
    student = make_student(hana)
    body = wish_for(student)
    answers = at_once(*[lambda: hana.client.fork().post("/api/teacher/send-link", body)] * 50)
    assert {a.status for a in answers} == {201} and len({a.body for a in answers}) == 1
    assert sessions_of(app, student) == 1


def test_of_many_wishes_under_one_request_one_is_granted(app, hana, make_student):
    students = [make_student(hana) for _ in range(4)]
    request = str(uuid.uuid4())
    bodies = [wish_for(s, request_id=request, zoom_url=f"{ZOOM_URL}{i}") for s in students for i in range(3)]
    answers = at_once(*[lambda b=b: hana.client.fork().post("/api/teacher/send-link", b) for b in bodies])
    assert sorted(a.status for a in answers) == [201] + [409] * 11
    assert sum(sessions_of(app, s) for s in students) == 1


def test_many_links_to_one_student_leave_one_to_open(app, hana, tap, make_student):
    student = make_student(hana)
    bodies = [wish_for(student, zoom_url=f"{ZOOM_URL}{i}") for i in range(20)]
    answers = at_once(*[lambda b=b: hana.client.fork().post("/api/teacher/send-link", b) for b in bodies])
    assert {a.status for a in answers} == {201}
    rows = app.rows(f"SELECT id, session_status, superseded_by FROM sessions WHERE student_id = {student['id']}")
    (newest,) = [row["id"] for row in rows if row["session_status"] == "sent"]
    assert newest == max(row["id"] for row in rows) or len(rows) == 20
    (zoom_url,) = {tap(a["join_url"]).headers["Location"] for a in answers}
    (opened,) = [a for a in answers if a["session"]["id"] == newest]
    assert zoom_url == opened["start_url"]
    assert app.session(newest)["session_status"] == "active"


def test_a_class_goes_to_an_own_and_enabled_student(app, admin, hana, other, make_student):
    theirs, gone = make_student(other), make_student(hana)
    assert admin.patch("/api/admin/students", {"id": gone["id"], "disabled": True}).status == 200
    for student in (theirs, gone, {"id": 9 * 10**17}):
        assert_refused(hana.post("/api/teacher/send-link", wish_for(student)), 404, "student_id")
    assert [sessions_of(app, s) for s in (theirs, gone)] == [0, 0]


def test_a_student_without_a_package_has_the_academy_s_minutes(app, admin, send, hana, tap, make_student):
    student = make_student(hana, package_id=None)
    session = send(hana, student)["session"]
    assert session["package_id"] is None and session["package_rate"] is None
    academy = admin.get("/api/admin/settings")
    assert session["currency"] == academy["currency"]
    row = app.session(session["id"])
    assert (row["duration_minutes"], row["buffer_minutes"]) == (
        academy["default_duration_minutes"],
        academy["default_buffer_minutes"],
    )


def test_every_pair_of_actions_at_once_ends_in_a_state_that_its_evidence_gives(app, admin, hana, clicked):
    """One of each pair may come too late; neither is half done."""
    wishes = [
        lambda n: admin.act(n, "end"),
        lambda n: admin.act(n, "correct", session_ended_at=ago(5)),
        lambda n: hana.act(n, "end"),
        lambda n: hana.act(n, "cancel"),
    ]
    for one, two in itertools.combinations(wishes, 2):
        n = clicked()
        answers = at_once(lambda one=one, n=n: one(n), lambda two=two, n=n: two(n))
        assert {a.status for a in answers} <= {200, 409} and 200 in {a.status for a in answers}
        row, evidence = whole(app, n)
        assert (row["session_ended_at"] is None) == (row["session_status"] == "cancelled")
        said = [e for e in evidence if e["kind"] in ("admin_ended", "corrected", "teacher_ended", "cancelled")]
        assert 1 <= len(said) <= 2
    assert app.check().returncode == 0
