"""What needs attention: each kind at its edges, counts, order, size, and that it costs little."""

from datetime import datetime, timedelta

import pytest

import zoom
from academy import at_once, moment, wait_for
from ledger import Ledger, ended, put_sessions, sent

PATH = "/api/admin/attention"
KINDS = {
    "unopened", "running_over", "estimated", "no_attendance", "late_click", "event_without_session", "no_rate",
    "orphan_click", "undelivered",
}  # fmt: skip
# The detail, told again from the facts beside it: all there is to word it from in another language.
RETOLD = {
    "unopened": "Sent, and not opened yet.",
    "running_over": "Running for {minutes} minutes of {of}.",
    "estimated": "Nothing tells when it ended: {minutes} minutes are an estimate.",
    "no_attendance": "Attendance is not marked.",
    "late_click": "The link was opened after the class was over.",
    "event_without_session": "Zoom meeting {meeting_id} belongs to no class.",
    "no_rate": "The package {package} has no rate.",
    "orphan_click": "A link was opened whose class is not here.",
}
WEEK = timedelta(days=7)
TICK = timedelta(microseconds=1)


def text(at):
    return at.isoformat().replace("+00:00", "Z")


def look(who, kind=None):
    answer = who.get(PATH + (f"?kind={kind}" if kind else ""))
    assert answer.status == 200, answer
    return answer.json


def sessions_of(who, kind):
    return [item["session_id"] for item in look(who, kind)["items"]]


def mine(app, kind, pair):
    """The session ids of a kind that are this teacher's, newest first."""
    items = look(app.admin, kind)["items"]
    return [item["session_id"] for item in items if item["teacher"] and item["teacher"]["id"] == pair["teacher_id"]]


def active(pair, start, **fields):
    return sent(pair, start) | {"session_status": "active", "clicked_at": start, "package_rate": 10} | fields


def timed_out(pair, deadline, **fields):
    return ended(pair, deadline - timedelta(minutes=70), 70, session_status="timeout", attendance="present", **fields)


# ---------------------------------------------------------------- the whole


def expected(demo):
    """Each kind's items in the demo academy by the words of the contract: (at, session, student)."""
    ledger = Ledger(demo)
    now, rows = ledger.now, ledger.sessions
    found = {kind: [] for kind in KINDS}
    ledger_by_id = {row["id"]: row for row in rows}
    for row in rows:
        status, start = row["session_status"], row["clicked_at"]
        if status == "sent" and row["sent_at"] <= now - timedelta(minutes=15):
            found["unopened"].append((row["sent_at"], row["id"]))
        if status == "active" and start + timedelta(minutes=row["duration_minutes"]) < now:
            found["running_over"].append((start + timedelta(minutes=row["duration_minutes"]), row["id"]))
        if row["estimated"] and row["times_out_at"] >= now - WEEK:
            found["estimated"].append((row["times_out_at"], row["id"]))
        if status in ("ended", "timeout") and not row["attendance"] and row["session_ended_at"] >= now - WEEK:
            found["no_attendance"].append((row["session_ended_at"], row["id"]))
        lately = ledger.day(row) >= (ledger.today.replace(day=1) - timedelta(days=1)).replace(day=1)
        if status in ("active", "ended", "timeout") and row["package_rate"] is None and lately:
            found["no_rate"].append((row["clicked_at"] or row["sent_at"], row["id"]))
    late = {}
    for click in demo.rows("SELECT * FROM clicks WHERE verdict = 'late'"):
        row, at = ledger_by_id[click["session_id"]], moment(click["happened_at"])
        if row["session_status"] in ("ended", "timeout", "missed") and at >= now - WEEK:
            if at > (row["session_ended_at"] or row["sent_at"]):
                late[row["id"]] = max(at, late.get(row["id"], at))
    found["late_click"] = [(at, n) for n, at in late.items()]
    for message in demo.rows("SELECT * FROM messages WHERE kind = 'join_link' AND state <> 'sent'"):
        at, waits = moment(message["created_at"]), ledger_by_id[message["session_id"]]["session_status"] == "sent"
        if waits and (message["state"] == "failed" or at <= now - timedelta(minutes=2)):
            found["undelivered"].append((at, message["session_id"]))
    for click in demo.rows("SELECT * FROM clicks WHERE verdict = 'orphan'"):
        if moment(click["happened_at"]) >= now - WEEK:
            found["orphan_click"].append((moment(click["happened_at"]), None))
    return {kind: sorted(items, key=lambda item: item[0], reverse=True) for kind, items in found.items()}


def test_the_demo_academy_needs_what_the_contract_says(demo):
    wanted = expected(demo)
    shown = look(demo.admin)
    assert shown["counts"] == {kind: len(items) for kind, items in wanted.items()}
    assert shown["total"] == sum(shown["counts"].values()) > 0
    assert len(shown["items"]) == min(200, shown["total"])
    moments = [moment(item["at"]) for item in shown["items"]]
    assert moments == sorted(moments, reverse=True)
    for kind in KINDS:
        of_kind = [(moment(i["at"]), i["session_id"]) for i in look(demo.admin, kind)["items"]]
        assert sorted(of_kind, key=str) == sorted(wanted[kind][:200], key=str), kind
        assert look(demo.admin, kind)["counts"] == shown["counts"]
    assert sum(bool(items) for items in wanted.values()) >= 4


def test_an_item_has_what_the_page_needs(demo):
    rows = {row["id"]: row for row in Ledger(demo).sessions}
    for item in look(demo.admin)["items"]:
        assert set(item) == {"kind", "session_id", "student", "teacher", "at", "detail", "facts", "clicked_at"}
        assert item["kind"] in KINDS and item["detail"].endswith(".") and item["at"].endswith("Z")
        if item["kind"] in RETOLD and item["facts"].get("package", "") is not None:
            assert item["detail"] == RETOLD[item["kind"]].format(**item["facts"])
        if item["session_id"]:
            row = rows[item["session_id"]]
            assert item["student"] == {"id": row["student_id"], "name": row["student"]}
            assert item["teacher"] == {"id": row["teacher_id"], "name": row["teacher"]}


def test_only_kinds_that_there_are_can_be_asked_for(demo):
    for query, field in [("kind=late", "kind"), ("kind=unopened&kind=unopened", "kind"), ("limit=201", "limit"), ("page=2", "page")]:
        answer = demo.admin.get(f"{PATH}?{query}")
        assert (answer.status, answer.field) == (400, field), answer


def test_the_counts_can_be_had_alone(demo):
    whole = look(demo.admin)
    some = demo.admin.get(f"{PATH}?limit=3").json
    alone = demo.admin.get(f"{PATH}?limit=0").json
    assert (len(some["items"]), len(alone["items"])) == (3, 0)
    assert some["counts"] == alone["counts"] == whole["counts"]
    assert alone["total"] == whole["total"] > 3


# ---------------------------------------------------------------- each kind at its edges


def test_unopened_after_a_quarter_of_an_hour(demo, pair):
    now = Ledger(demo).now
    quarter = timedelta(minutes=15)
    put = put_sessions(demo, [sent(pair, now - quarter), sent(pair, now - quarter + TICK), active(pair, now - quarter)])
    assert mine(demo, "unopened", pair) == put[:1]


def test_running_over_beyond_the_packages_minutes_without_the_buffer(demo, pair):
    now = Ledger(demo).now
    hour = timedelta(hours=1)
    starts = (now - hour, now - hour - TICK, now - timedelta(minutes=69, seconds=59), now - timedelta(hours=3))
    put = put_sessions(demo, [active(pair, start) for start in starts])
    items = [item for item in look(demo.admin, "running_over")["items"] if item["session_id"] in put]
    assert [item["session_id"] for item in items] == put[1:]
    assert [moment(item["at"]) for item in items] == [start + hour for start in starts[1:]]
    assert [item["facts"] for item in items] == [{"minutes": n, "of": 60} for n in (60, 69, 70)]
    assert [item["detail"] for item in items] == [RETOLD["running_over"].format(**item["facts"]) for item in items]


def test_estimated_for_a_week_and_until_the_end_is_known(demo, pair):
    now = Ledger(demo).now
    deadlines = (now - WEEK, now - WEEK - TICK, now - TICK)
    put = put_sessions(demo, [timed_out(pair, deadline) for deadline in deadlines])
    assert mine(demo, "estimated", pair) == [put[2], put[0]]
    demo.psql(f"UPDATE sessions SET corrected = true WHERE id = {put[2]}")  # its start
    assert mine(demo, "estimated", pair) == [put[2], put[0]]
    demo.psql(f"UPDATE sessions SET estimated = false WHERE id = {put[0]}")
    assert mine(demo, "estimated", pair) == [put[2]]


def test_no_attendance_for_a_week_and_until_marked(demo, pair):
    now = Ledger(demo).now
    half = timedelta(minutes=30)
    put = put_sessions(demo, [ended(pair, now - WEEK - half), ended(pair, now - WEEK - half - TICK), ended(pair, now - half),
                              ended(pair, now - half, attendance="absent"), active(pair, now - half)])  # fmt: skip
    assert mine(demo, "no_attendance", pair) == [put[2], put[0]]


def put_click(demo, session_id, at, verdict="late"):
    session_id = "NULL" if session_id is None else session_id
    demo.psql(
        f"INSERT INTO clicks (session_id, happened_at, received_at, verdict) VALUES ({session_id}, '{at}', '{at}', '{verdict}')"
    )


def test_a_late_click_while_the_class_is_over(demo, pair):
    now = Ledger(demo).now
    hour = timedelta(hours=1)
    over, old, reopened, again, opened = put_sessions(
        demo,
        [ended(pair, now - 9 * hour, attendance="present"), ended(pair, now - WEEK - 9 * hour),
         active(pair, now - 9 * hour), ended(pair, now - 9 * hour), ended(pair, now - 9 * hour)],
    )  # fmt: skip
    for at in (now - 3 * hour, now - 2 * hour, now - 4 * hour):
        put_click(demo, over, at)
    put_click(demo, old, now - WEEK - TICK)
    put_click(demo, reopened, now - hour)
    put_click(demo, again, now - 9 * hour + timedelta(minutes=30))  # it ended after this click, the second time
    put_click(demo, opened, now - hour, "human")
    (item,) = [i for i in look(demo.admin, "late_click")["items"] if i["teacher"]["id"] == pair["teacher_id"]]
    assert item["session_id"] == over
    assert moment(item["clicked_at"]) == moment(item["at"]) == now - 2 * hour


def put_message(demo, session_id, state, at, outcome=None, detail=None):
    outcome, detail = ("NULL" if word is None else f"'{word}'" for word in (outcome, detail))
    due = "NULL" if state in ("sent", "failed", "dropped") else f"timestamptz '{at}'"
    demo.psql(
        "INSERT INTO messages (kind, session_id, chat_id, state, outcome, detail, next_at, created_at)"
        f" VALUES ('join_link', {session_id}, 7, '{state}', {outcome}, {detail}, {due}, '{at}')"
    )


def test_a_link_that_did_not_arrive_until_the_class_is_opened(demo, pair):
    now = Ledger(demo).now
    patience = timedelta(minutes=2)
    messages = {
        "failed": ("failed", now, "blocked", "The student has blocked the bot."),
        "unknown": ("unknown", now - patience, None, "It may have arrived."),
        "queued": ("queued", now - patience),
        "sending": ("sending", now - patience),
        "young": ("queued", now - patience + TICK),
        "arrived": ("sent", now - patience, "sent"),
        "opened": ("failed", now, "refused", "x."),
    }
    opened = active(pair, now)
    put = put_sessions(demo, [sent(pair, at) if name != "opened" else opened for name, (_, at, *_) in messages.items()])
    ids = dict(zip(messages, put))
    for name, message in messages.items():
        put_message(demo, ids[name], *message)
    put_sessions(demo, [sent(pair, now - patience)])  # has no chat, so nothing was to be delivered
    items = [i for i in look(demo.admin, "undelivered")["items"] if i["session_id"] in put]
    assert {(i["session_id"], i["facts"]["outcome"], i["detail"]) for i in items} == {
        (ids["failed"], "blocked", "The student has blocked the bot."),
        (ids["unknown"], None, "It may have arrived."),
        (ids["queued"], "queued", "It still waits to be sent by Telegram."),
        (ids["sending"], "queued", "It still waits to be sent by Telegram."),
    }
    assert all(moment(i["at"]) == messages[name][1] for name in messages for i in items if i["session_id"] == ids[name])
    demo.psql(f"DELETE FROM messages WHERE session_id IN ({','.join(map(str, put))})")


def test_a_class_without_a_rate_since_the_month_before_began(demo, pair):
    """That month is paid when it is over."""
    ledger = Ledger(demo)
    before = ledger.today.replace(day=1) - timedelta(days=1)
    first = datetime(before.year, before.month, 1, tzinfo=ledger.zone)
    sessions = [ended(pair, start, package_rate=None) for start in (first, first - TICK)]
    sessions += [ended(pair, first, package_rate=0), sent(pair, ledger.now) | {"package_rate": None}]
    sessions += [active(pair, ledger.now, package_rate=None, package_id="Europe")]
    put = put_sessions(demo, sessions)
    assert mine(demo, "no_rate", pair) == [put[4], put[0]]
    items = [i for i in look(demo.admin, "no_rate")["items"] if i["session_id"] in put]
    assert [(i["facts"], i["detail"]) for i in items] == [
        ({"package": package}, "This class has no rate.") for package in ("Europe", None)
    ]


def test_a_student_whose_package_has_no_rate(demo, pair):
    package = {"name": "To be agreed", "duration_minutes": 60, "buffer_minutes": 10, "rate": None, "currency": "USD"}
    assert demo.admin.post("/api/admin/packages", package).status == 201
    change = {"id": pair["student_id"], "package_id": package["name"]}
    assert demo.admin.patch("/api/admin/students", change).status == 200
    items = [i for i in look(demo.admin, "no_rate")["items"] if i["student"]["id"] == pair["student_id"]]
    assert [(i["session_id"], i["teacher"]["id"], i["facts"], i["detail"]) for i in items] == [
        (None, pair["teacher_id"], {"package": package["name"]}, "The package To be agreed has no rate.")
    ]
    assert demo.admin.patch("/api/admin/students", {"id": pair["student_id"], "disabled": True}).status == 200
    assert all(i["student"]["id"] != pair["student_id"] for i in look(demo.admin, "no_rate")["items"])


def test_an_orphan_click_of_the_last_week(demo):
    now = Ledger(demo).now
    before = look(demo.admin)["counts"]["orphan_click"]
    put_click(demo, None, now - WEEK, "orphan")
    put_click(demo, None, now - WEEK - TICK, "orphan")
    shown = look(demo.admin, "orphan_click")
    assert shown["counts"]["orphan_click"] == before + 1
    last = shown["items"][-1]
    assert (moment(last["at"]), last["session_id"], last["student"], last["teacher"]) == (now - WEEK, None, None, None)


def test_a_meeting_that_is_no_class_until_someone_decides(app, admin, make_teacher):
    meeting = zoom.Meeting(81234567890, "HostOfNobody")
    at = moment(app.psql("SELECT to_json(clock_now()) #>> '{}'")).replace(microsecond=0)

    def waiting():
        items = look(admin, "event_without_session")["items"]
        return [i for i in items if i["detail"] == "Zoom meeting 81234567890 belongs to no class."]

    assert waiting() == []
    assert zoom.deliver(app.client(), meeting.started(at)).status in (200, 204)
    (item,) = waiting()
    assert item["session_id"] is None and item["student"] is None and item["teacher"] is None
    assert item["facts"] == {"meeting_id": 81234567890}
    teacher = make_teacher()
    app.psql(f"INSERT INTO zoom_hosts (host_id, account_id) VALUES ('HostOfNobody', {teacher.id})")
    assert waiting()[0]["teacher"] == {"id": teacher.id, "name": teacher.name}
    app.psql(f"UPDATE zoom_occurrences SET admin_id = {admin.id} WHERE uuid = '{meeting.uuid}'")
    assert waiting() == []


# ---------------------------------------------------------------- as people do it


@pytest.fixture(name="opened")
def a_class_that_was_opened(make_teacher, make_student, send, tap):
    def make(*url):
        teacher = make_teacher()
        made = send(teacher, make_student(teacher), *url)
        assert tap(made["join_url"]).status == 302
        return teacher, made, made["session"]["id"]

    return make


def test_a_late_tap_is_seen_and_gone_once_the_class_is_reopened_from_it(app, admin, opened, tap):
    teacher, made, session = opened()
    assert teacher.act(session, "end").status == 200
    assert session not in sessions_of(admin, "late_click")
    assert tap(made["join_url"]).status == 302
    (item,) = [i for i in look(admin, "late_click")["items"] if i["session_id"] == session]
    assert admin.act(session, "reopen", clicked_at=item["clicked_at"]).status == 200
    assert session not in sessions_of(admin, "late_click")
    assert moment(app.session(session)["clicked_at"]) == moment(item["clicked_at"])


def test_a_tap_after_the_deadline_is_late_before_the_job_has_come_round(app, admin, opened, tap):
    _, made, session = opened()
    app.age(session, "71 minutes")
    for _ in range(2):
        assert tap(made["join_url"]).status == 302
    app.job("session-timeout")
    row = app.session(session)
    assert row["session_status"] == "timeout"
    (item,) = [i for i in look(admin, "late_click")["items"] if i["session_id"] == session]
    assert admin.get(f"/api/admin/session-events?session_id={session}")["opened_late_at"] == item["clicked_at"]
    (ignored,) = [e for e in app.evidence(session) if e["kind"] == "click_ignored"]
    assert ignored["detail"] == {"why": "late"}
    assert moment(row["session_ended_at"]) < moment(ignored["happened_at"]) < moment(item["clicked_at"])
    assert admin.act(session, "reopen", clicked_at=item["clicked_at"]).status == 200
    assert session not in sessions_of(admin, "late_click")


def test_a_tap_after_an_end_that_zoom_tells_later_is_late(app, admin, make_teacher, make_student, send, tap):
    teacher = make_teacher()
    meeting = zoom.Meeting(81234567893, "HostWhoLeaves")
    made = send(teacher, make_student(teacher), f"https://zoom.us/j/{meeting.id}")
    session = made["session"]["id"]
    for minutes in (50, 10):  # one in time, whose moment stays where it is
        assert tap(made["join_url"]).status == 302
        app.age(session, f"{minutes} minutes")
        app.psql(f"UPDATE clicks SET happened_at = happened_at - interval '{minutes} minutes' WHERE session_id = {session}")
    assert tap(made["join_url"]).status == 302
    start = moment(app.session(session)["clicked_at"])
    last = moment(app.row(f"SELECT max(happened_at) AS at FROM clicks WHERE session_id = {session}")["at"])
    assert zoom.deliver(app.client(), meeting.started(start)).status in (200, 204)
    assert session not in sessions_of(admin, "late_click")
    for _ in range(2):
        assert zoom.deliver(app.client(), meeting.ended(last - timedelta(seconds=5))).status in (200, 204)
    assert app.session(session)["ended_by"] == "zoom"
    clicks = app.rows(f"SELECT verdict, happened_at FROM clicks WHERE session_id = {session} ORDER BY happened_at")
    assert [click["verdict"] for click in clicks] == ["human", "human", "late"]
    (item,) = [i for i in look(admin, "late_click")["items"] if i["session_id"] == session]
    assert moment(item["clicked_at"]) == moment(clicks[2]["happened_at"])
    (ignored,) = [e for e in app.evidence(session) if e["kind"] == "click_ignored"]
    assert ignored["detail"] == {"why": "late"} and moment(ignored["happened_at"]) == moment(item["clicked_at"])


def test_the_tap_that_began_a_class_is_not_late_where_only_the_class_is_shifted(app, admin, opened):
    meeting = zoom.Meeting(81234567894, "HostWhoLeft")
    _, _, session = opened(f"https://zoom.us/j/{meeting.id}")
    app.age(session, "60 minutes")
    start = moment(app.session(session)["clicked_at"])
    assert zoom.deliver(app.client(), meeting.started(start)).status in (200, 204)
    assert zoom.deliver(app.client(), meeting.ended(start + timedelta(minutes=50))).status in (200, 204)
    assert app.session(session)["ended_by"] == "zoom"
    assert session not in sessions_of(admin, "late_click")
    assert "click_ignored" not in [e["kind"] for e in app.evidence(session)]


def test_an_estimate_is_seen_until_the_end_is_corrected(app, admin, opened):
    """Whoever says when a class began does not say when it ended."""
    _, _, session = opened()
    app.age(session, "3 hours")
    app.job("session-timeout")
    row = app.session(session)
    start = moment(row["clicked_at"]) - timedelta(minutes=5)
    assert admin.act(session, "correct", clicked_at=text(start)).status == 200
    assert session in sessions_of(admin, "estimated")
    start += timedelta(minutes=20)
    assert admin.act(session, "reopen", clicked_at=text(start)).status == 200
    assert session not in sessions_of(admin, "estimated")
    app.age(session, "11 minutes")
    app.job("session-timeout")
    assert app.session(session)["estimated"] and session in sessions_of(admin, "estimated")
    assert admin.act(session, "correct", session_ended_at=text(start + timedelta(minutes=40))).status == 200
    assert session not in sessions_of(admin, "estimated")


def test_an_unopened_class_is_seen_until_it_is_opened(app, admin, make_teacher, make_student, send, tap):
    teacher = make_teacher()
    made = send(teacher, make_student(teacher))
    session = made["session"]["id"]
    assert session not in sessions_of(admin, "unopened")
    app.age(session, "16 minutes")
    assert session in sessions_of(admin, "unopened")
    assert tap(made["join_url"]).status == 302
    assert session not in sessions_of(admin, "unopened")


def test_classes_given_before_their_package_had_a_rate_get_its_first(admin, make_teacher, make_student, send, tap):
    teacher = make_teacher()
    package = {"name": "Agreed later", "duration_minutes": 60, "buffer_minutes": 10, "rate": None, "currency": "USD"}
    assert admin.post("/api/admin/packages", package).status == 201
    rate = lambda **fields: admin.patch("/api/admin/packages", {"id": package["name"], **fields})

    def give(end=True):
        made = send(teacher, make_student(teacher, package_id=package["name"]))
        assert tap(made["join_url"]).status == 302
        assert not end or teacher.act(made["session"]["id"], "end").status == 200
        return made["session"]["id"]

    def pay():
        rows = [r for r in admin.get("/api/admin/trends")["pay"] if r["teacher"]["id"] == teacher.id]
        return [(r["classes"], r["currency"], r["sum_rate"], r["without_rate"]) for r in rows]

    def rates():
        listed = admin.get(f"/api/admin/teacher-sessions?teacher_id={teacher.id}")["sessions"]
        return {s["id"]: (s["package_rate"], s["currency"]) for s in listed}

    def priced(n):
        events = admin.get(f"/api/admin/session-events?session_id={n}")["events"]
        return [event for event in events if event["kind"] == "priced"]

    over, running = give(), give(end=False)
    unopened = send(teacher, make_student(teacher, package_id=package["name"]))["session"]["id"]
    assert {over, running} <= set(sessions_of(admin, "no_rate"))
    assert pay() == [(1, "USD", "0.00", 1)]
    assert rate(duration_minutes=50).status == 200
    assert rates()[over] == (None, "USD")
    assert rate(rate="9.50", currency="EUR")["rate"] == "9.50"
    assert rates() == {n: ("9.50", "EUR") for n in (over, running, unopened)}
    assert not {over, running} & set(sessions_of(admin, "no_rate"))
    me = admin.get("/api/auth/me")["account"]
    for n in (over, running, unopened):
        assert [(e["source"], e["account"], e["detail"]) for e in priced(n)] == [
            ("admin", {"id": me["id"], "name": me["name"]}, {"package_rate": "9.50", "currency": "EUR"})
        ]
    assert pay() == [(1, "EUR", "9.50", 0)]
    for path in (f"teacher-sessions?teacher_id={teacher.id}&format=csv", "trends?format=csv"):
        assert '"EUR"' in admin.get(f"/api/admin/{path}").text and '"9.50"' in admin.get(f"/api/admin/{path}").text
    # From now on it is theirs, whatever the package costs later.
    after = give()
    assert rate(rate="12.00", currency="USD").status == 200 and rate(rate=None).status == 200
    between = give()
    assert rate(rate="0.00").status == 200
    assert rates() == {n: ("9.50", "EUR") for n in (over, running, unopened, after)} | {between: ("0.00", "USD")}
    assert [len(priced(n)) for n in (over, after, between)] == [1, 0, 1]


def test_saving_a_package_prices_what_an_earlier_version_left_without(app, admin, make_teacher, make_student, send):
    teacher = make_teacher()
    package = {"name": "Priced early", "duration_minutes": 60, "buffer_minutes": 10, "rate": "9.50", "currency": "EUR"}
    assert admin.post("/api/admin/packages", package).status == 201
    n = send(teacher, make_student(teacher, package_id=package["name"]))["session"]["id"]
    for change in ({}, {"rate": "9.50", "currency": "EUR"}, {"duration_minutes": 45}, {"retired": True}):
        app.psql(f"UPDATE sessions SET package_rate = NULL, currency = 'USD' WHERE id = {n}")
        saved = admin.patch("/api/admin/packages", {"id": package["name"], **change})
        assert saved.status == 200 and saved["rate"] == "9.50"
        assert (app.session(n)["package_rate"], app.session(n)["currency"]) == (9.5, "EUR")
    app.psql(f"UPDATE sessions SET package_rate = NULL WHERE id = {n}")
    assert admin.patch("/api/admin/packages", {"id": package["name"], "rate": None}).status == 200
    assert app.session(n)["package_rate"] is None


# ---------------------------------------------------------------- size and cost


def test_a_first_rate_is_given_to_many_classes(demo, pair):
    package = {"name": "For many", "duration_minutes": 60, "buffer_minutes": 10, "rate": None, "currency": "USD"}
    assert demo.admin.post("/api/admin/packages", package).status == 201
    start = Ledger(demo).now - timedelta(days=30)
    put_sessions(demo, [ended(pair, start + timedelta(seconds=n), package_rate=7) for n in range(10)])
    many = [ended(pair, start + timedelta(seconds=n), package_rate=None) for n in range(4500)]
    put_sessions(demo, [s | {"package_id": package["name"]} for s in many])
    assert demo.admin.patch("/api/admin/packages", {"id": package["name"], "rate": "3.00"}).status == 200
    query = f"SELECT package_rate, count(*) FROM sessions WHERE teacher_id = {pair['teacher_id']} GROUP BY 1 ORDER BY 1"
    assert demo.psql(query) == "3.00|4500\n7.00|10"
    assert demo.psql("SELECT count(*) FROM session_events WHERE kind = 'priced'") == "4500"
    demo.psql("DELETE FROM session_events WHERE kind = 'priced'")
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


def test_a_frequent_kind_leaves_room_for_the_others(demo, pair):
    now = Ledger(demo).now
    start = now - timedelta(hours=2)
    put_sessions(demo, [ended(pair, start + timedelta(seconds=n)) for n in range(250)])
    rare = put_sessions(demo, [timed_out(pair, now - WEEK)])
    shown = look(demo.admin)
    assert len(shown["items"]) == 200
    assert shown["counts"]["no_attendance"] >= 250
    assert rare[0] in [item["session_id"] for item in shown["items"]]
    only = look(demo.admin, "no_attendance")["items"]
    assert len(only) == 200 and {item["kind"] for item in only} == {"no_attendance"}
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


def rows_read(demo):
    """Rows that scans of the whole large tables have read so far. A backend may keep what it read to itself for ten
    seconds, but not beyond its end."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'"
    wait_for(lambda: not demo.psql(ended))
    demo.psql("SELECT pg_stat_force_next_flush()")
    return demo.rows("SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE relname IN ('sessions', 'clicks')")


def test_however_many_classes_there_were_only_a_few_are_read(demo, crowd):
    demo.psql(
        "ALTER TABLE clicks SET (autovacuum_enabled = false)",  # it reads them for the BRIN index
        "INSERT INTO clicks (session_id, happened_at, verdict) SELECT id, clicked_at,"
        f" CASE WHEN id % 10 = 0 THEN 'late' ELSE 'human' END FROM sessions WHERE teacher_id = {crowd}",
        "VACUUM ANALYZE sessions",
        "VACUUM ANALYZE clicks",
    )
    look(demo.admin)
    before = rows_read(demo)
    for _ in range(3):
        at_once(*[lambda: look(demo.admin.client.fork())] * 4)
    assert rows_read(demo) == before
    demo.psql(
        f"DELETE FROM clicks WHERE session_id IN (SELECT id FROM sessions WHERE teacher_id = {crowd})",
        "ALTER TABLE clicks RESET (autovacuum_enabled)",
    )
