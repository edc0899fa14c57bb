"""The list of sessions, as pages and as CSV: filters, days, paging, totals, names, size."""

import contextlib
import csv
import io
import itertools
import os
import pathlib
import random
import re
import signal
import socket
import time
import urllib.parse
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from academy import ROOT, at_once, moment, wait_for
from ledger import CROWD, STATES, Ledger, ended, minutes, put_sessions, sent

PATH = "/api/admin/teacher-sessions"
WORKERS = int(re.search(r"\.workers = (\d+)", (ROOT / "cgi/admin_teacher_sessions.c").read_text())[1])
SHOWN = {
    "id", "teacher", "student", "package_id", "package_rate", "currency", "session_status", "sent_at", "clicked_at",
    "times_out_at", "session_ended_at", "session_duration_minutes", "ended_by", "estimated", "provisional",
    "attendance", "delivery",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def ask(who, path=PATH, **wanted):
    query = urllib.parse.urlencode({name.rstrip("_"): value for name, value in wanted.items()})
    return who.get(f"{path}?{query}")


def pages(who, limit=200, path=PATH, **wanted):
    """The answers of all pages."""
    found = []
    cursor = {}
    while True:
        answer = ask(who, path, limit=limit, **wanted, **cursor)
        assert answer.status == 200, answer
        found.append(answer.json)
        assert len(found[-1]["sessions"]) <= limit
        if not found[-1]["next_cursor"]:
            return found
        assert len(found[-1]["sessions"]) == limit
        cursor = {"cursor": found[-1]["next_cursor"]}


def walk(who, limit=200, **wanted):
    return [session for page in pages(who, limit, **wanted) for session in page["sessions"]]


def ids(sessions):
    return [session["id"] for session in sessions]


def name_of(export):
    before, name, after = export.headers["Content-Disposition"].split('"')
    assert (before, after) == ("attachment; filename=", "")
    return name


def read_csv(who, **wanted):
    """The lines of an export as dicts, after a look at its form."""
    answer = ask(who, format="csv", **wanted)
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    if not wanted.keys() & {"date", "from", "from_", "to", "days"}:
        assert name_of(answer) == "sessions.csv"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return parse_csv(answer.body)


def parse_csv(body):
    text = body.decode("utf-8-sig")
    assert body.startswith(b"\xef\xbb\xbf") and text.endswith('"\r\n')
    header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert all(len(line) == len(header) for line in lines)
    return [dict(zip(header, line)) for line in lines]


# ---------------------------------------------------------------- filters


def some_values(ledger):
    """For each parameter a few values: usual, rare, and of nobody."""
    rng = random.Random(4)
    session = rng.choice(ledger.sessions)
    day = ledger.today - timedelta(days=rng.randrange(1, 60))
    return {
        "date": [str(ledger.today), str(day), str(ledger.day(session)), "2001-01-01"],
        "from": [str(ledger.today), str(day), "0001-01-01"],
        "to": [str(ledger.today), str(day), "9999-12-31"],
        "status": list(STATES),
        "teacher_id": [session["teacher_id"], ledger.sessions[0]["teacher_id"], 2**62],
        "student_id": [session["student_id"], ledger.sessions[0]["student_id"], 2**62],
        "package_id": ["Europe", "0 Fee", "none such"],
        "q": [session["student"][:3], session["teacher"].upper(), "E", "%", "_", "\\", "zzz", "ሰላም"],
    }


def described(ledger, session):
    """Values that find this session."""
    day = ledger.day(session)
    return {
        "date": str(day),
        "from": str(day - timedelta(days=3)),
        "to": str(day + timedelta(days=3)),
        "status": session["session_status"],
        "teacher_id": session["teacher_id"],
        "student_id": session["student_id"],
        "package_id": session["package_id"],
        "q": session["student"][1:4].upper(),
    }


def combinations(ledger):
    """Each parameter alone with each of its values; sets of them that describe a session, and those
    with one of them changed, which mostly find nothing."""
    values = some_values(ledger)
    rng = random.Random(5)
    for name in values:
        yield from ({name: value} for value in values[name])
    sets = [s for n in range(2, 8) for s in itertools.combinations(values, n)]
    sets = [s for s in sets if "date" not in s or not {"from", "to"} & set(s)]
    for names in [s for s in sets if len(s) == 2] + rng.sample(sets, 40):
        wanted = described(ledger, rng.choice([s for s in ledger.sessions if s["package_id"]]))
        yield {name: wanted[name] for name in names}
        changed = rng.choice(names)
        wanted[changed] = rng.choice(values[changed])
        if wanted["from"] <= wanted["to"]:
            yield {name: wanted[name] for name in names}


def test_every_filter_alone_and_combined_finds_what_it_says(demo):
    ledger = Ledger(demo)
    hits = 0
    for wanted in combinations(ledger):
        expected = ledger.select(wanted)
        found = pages(demo.admin, **wanted)
        assert ids(s for page in found for s in page["sessions"]) == ids(expected), wanted
        for page in found:
            assert page["totals"] == ledger.totals(expected), wanted
            assert page["time_zone"] == ledger.zone.key
        hits += bool(expected)
    assert hits > 80


def test_no_filter_is_all_time(demo):
    ledger = Ledger(demo)
    assert ids(walk(demo.admin)) == ids(ledger.sessions)
    assert len(ask(demo.admin)["sessions"]) == 50


def test_an_empty_search_is_none(demo):
    assert ask(demo.admin, q="").json["totals"] == ask(demo.admin).json["totals"]
    assert demo.admin.get("/api/admin/students?q=").json == demo.admin.get("/api/admin/students").json


@pytest.mark.parametrize(
    "name",
    ["date", "from", "to", "days", "status", "teacher_id", "student_id", "package_id", "limit", "cursor", "format"],
)
def test_an_empty_value_is_no_value(demo, name):
    """Whoever asks for a month's CSV with a variable that is empty must not get all there ever was."""
    answer = demo.admin.get(f"{PATH}?{name}=")
    assert (answer.status, answer.field) == (400, name), answer


@pytest.mark.parametrize(
    "call",
    ["trends?from=", "trends?to=", "trends?format=csv&from=", "trends?format=", "attention?limit=", "attention?kind=", "students?teacher_id=",
     "students?limit=", "deliveries?state=", "deliveries?session_id=", "zoom-inbox?state=", "zoom-inbox?cursor=", "session-events?session_id="],
)  # fmt: skip
def test_nor_is_it_one_elsewhere(demo, call):
    answer = demo.admin.get(f"/api/admin/{call}")
    assert (answer.status, answer.field) == (400, call.replace("?", "&").split("&")[-1].rstrip("=")), answer


def test_a_session_shows_what_the_contract_says(demo):
    ledger = Ledger(demo)
    rows = {row["id"]: row for row in ledger.sessions}
    for shown in walk(demo.admin):
        row = rows[shown["id"]]
        assert SHOWN <= set(shown)
        assert shown["teacher"] == {"id": row["teacher_id"], "name": row["teacher"]}
        assert shown["student"] == {"id": row["student_id"], "name": row["student"]}
        for name in ("package_id", "currency", "session_status", "ended_by", "estimated", "attendance"):
            assert shown[name] == row[name], (name, shown)
        for name in ("sent_at", "clicked_at", "times_out_at", "session_ended_at"):
            assert (shown[name] and moment(shown[name])) == row[name], (name, shown)
            assert shown[name] is None or shown[name].endswith("Z")
        assert shown["session_duration_minutes"] == minutes(row)
        assert shown["package_rate"] == (None if row["package_rate"] is None else f"{row['package_rate']:.2f}")
        late = row["times_out_at"] and ledger.now < row["times_out_at"] + timedelta(minutes=85)
        over = row["session_status"] in ("ended", "timeout")
        assert shown["provisional"] == bool(over and row["zoom_seen"] and not row["corrected"] and late)


def test_a_teacher_sees_the_own_list_by_the_same_filters(make_teacher, make_student, send, admin):
    teacher, other = make_teacher(), make_teacher()
    students = [make_student(teacher), make_student(teacher, package_id="0 Fee")]
    sent = [send(teacher, student)["session"]["id"] for student in students]
    foreign = make_student(other)
    send(other, foreign)
    path = "/api/teacher/sessions"
    assert ids(walk(teacher, path=path)) == sent[::-1]
    assert ids(walk(teacher, path=path, package_id="0 Fee")) == sent[1:]
    assert ids(walk(teacher, path=path, student_id=students[0]["id"])) == sent[:1]
    assert walk(teacher, path=path, student_id=foreign["id"]) == []
    assert walk(teacher, path=path, q=other.name) == []
    assert ids(walk(admin, teacher_id=teacher.id)) == sent[::-1]
    for name, value in (("teacher_id", other.id), ("format", "csv")):
        assert ask(teacher, path, **{name: value}).status == 400


# ---------------------------------------------------------------- refusals

WRONG = [
    ("limit", ["0", "201", "12abc", "-1", "1e3", "+5", "0x10", " 5", "5.0", "99999999999999999999", "٥"]),
    ("date", ["2026-02-30", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101", "today", "0000-01-01",
              "2026-04-31", "2026-01-01T00:00:00Z", " 2026-01-01", "10000-01-01", "-2026-01-01"]),
    ("from", ["2026-02-30", "1"]),
    ("to", ["2026-11-31", "x"]),
    ("days", ["0", "-1", "367", "1.5", "week"]),
    ("status", ["Ended", "over", "ended,timeout", "null"]),
    ("teacher_id", ["0", "-1", "abc", "1.5", "9223372036854775807", "1 OR 1=1"]),
    ("student_id", ["0", "-1", "abc", "1e3"]),
    ("package_id", ["x" * 401]),
    ("q", ["x" * 401]),
    ("format", ["xml", "CSV"]),
    ("cursor", ["x", "A" * 43, "A" * 65, "....", "%00"]),
    ("colour", ["red"]),
    ("Limit", ["5"]),
    ("q[]", ["x"]),
]  # fmt: skip


@pytest.mark.parametrize("name, values", WRONG, ids=[name for name, _ in WRONG])
def test_a_wrong_parameter_is_refused_by_name(demo, name, values):
    for value in values:
        answer = demo.admin.get(f"{PATH}?{urllib.parse.quote(name)}={urllib.parse.quote(value)}")
        assert (answer.status, answer.field) == (400, name), answer


def test_what_does_not_go_together_is_refused(demo):
    today = "2026-05-05"
    for query, field in [
        (f"date={today}&from={today}", "date"),
        (f"date={today}&to={today}", "date"),
        (f"days=7&from={today}", "days"),
        (f"to={today}&days=7", "days"),
        (f"date={today}&days=1", "days"),
        ("from=2026-05-06&to=2026-05-05", "from"),
        ("from=2026-05-05&to=2025-05-06&format=csv", "from"),
        ("limit=5&limit=5", "limit"),
        ("status=ended&status=active", "status"),
        ("q=a&x=1&q=b", "q"),
    ]:
        answer = demo.admin.get(f"{PATH}?{query}")
        assert (answer.status, answer.field) == (400, field), answer


def test_from_may_be_to(demo):
    ledger = Ledger(demo)
    day = str(ledger.day(ledger.sessions[100]))
    assert ids(walk(demo.admin, from_=day, to=day)) == ids(walk(demo.admin, date=day)) != []


@pytest.mark.parametrize("days", [1, 7, 366])
@pytest.mark.parametrize("more", [{}, {"status": "ended"}, {"q": "a"}])
def test_days_are_the_last_ones_with_today(demo, days, more):
    ledger = Ledger(demo)
    expected = ledger.select({"from": str(ledger.today - timedelta(days=days - 1)), "to": str(ledger.today), **more})
    found = pages(demo.admin, days=days, **more)
    assert ids(s for page in found for s in page["sessions"]) == ids(expected)
    assert expected or days == 1  # soon after midnight nothing of the day has ended
    assert found[0]["totals"] == ledger.totals(expected)
    assert [int(line["id"]) for line in read_csv(demo.admin, days=days, **more)] == ids(expected)


# ---------------------------------------------------------------- paging


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("limit", [1, 2, 7, 23, 24, 25, 200])
def test_pages_are_whole_also_where_many_were_sent_at_once(demo, pair, limit):
    start = at("2026-01-10T10:00")
    put = put_sessions(demo, [sent(pair, start + timedelta(microseconds=n // 5)) for n in range(24)])
    assert ids(walk(demo.admin, limit, teacher_id=pair["teacher_id"])) == put[::-1]


def test_walking_skips_and_repeats_nothing_while_classes_are_sent(demo, pair):
    start = at("2026-01-10T10:00")
    put = put_sessions(demo, [sent(pair, start + timedelta(minutes=n // 2)) for n in range(40)])
    found, cursor, later = [], {}, []
    while cursor is not None:
        page = ask(demo.admin, limit=6, teacher_id=pair["teacher_id"], **cursor).json
        found += ids(page["sessions"])
        cursor = page["next_cursor"] and {"cursor": page["next_cursor"]}
        later += put_sessions(demo, [sent(pair, start + timedelta(days=1, minutes=n)) for n in range(5)])
        # A click moves a class to another day and state, and nowhere else in the list.
        demo.psql(
            "UPDATE sessions SET session_status = 'active', clicked_at = sent_at + interval '1 day',"
            f" times_out_at = sent_at + interval '2 days' WHERE id = {put[len(found) // 2]}"
        )
    assert found == put[::-1]
    assert sorted(ids(walk(demo.admin, teacher_id=pair["teacher_id"]))) == sorted(put + later)


def test_totals_are_of_the_filter_and_not_of_the_page(demo, pair):
    start = at("2026-01-10T10:00")
    put_sessions(demo, [ended(pair, start + timedelta(hours=n), 30 + n) for n in range(5)] + [sent(pair, start)])
    for page in pages(demo.admin, 2, teacher_id=pair["teacher_id"]):
        assert page["totals"] == dict.fromkeys(STATES, 0) | {"ended": 5, "sent": 1, "minutes": 160}


# ---------------------------------------------------------------- days


# Nights, as the day before and the day after midnight: ordinary ones, ends of months, both clock changes.
NIGHTS = {
    "Africa/Addis_Ababa": ["2026-01-31", "2026-02-28", "2025-12-31", "2026-08-30"],
    "America/New_York": ["2026-01-31", "2026-12-31", "2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01"],
    "America/Havana": ["2026-03-07", "2026-10-31", "2026-11-01"],  # clocks change at midnight
    "Asia/Kathmandu": ["2026-03-30"],
}


@pytest.mark.parametrize("name", NIGHTS)
def test_a_class_counts_on_the_day_of_the_academys_zone(demo, pair, zone, name):
    zone(name)
    here = ZoneInfo(name)
    starts = []
    for day in map(datetime.fromisoformat, NIGHTS[name]):
        for clock in (timedelta(hours=23, minutes=30), timedelta(hours=23, minutes=59, seconds=59), timedelta(days=1),
                      timedelta(days=1, minutes=30)):  # fmt: skip
            starts += [(day + clock).replace(tzinfo=here, fold=fold) for fold in (0, 1)]
    starts = {start.astimezone(ZoneInfo("UTC")) for start in starts}
    # Sent the evening before: a class counts on the day of its click.
    put_sessions(demo, [ended(pair, start, sent_at=start - timedelta(hours=3)) for start in starts])
    ledger = Ledger(demo)
    mine = {"teacher_id": pair["teacher_id"]}
    days = sorted({ledger.day(s) for s in ledger.select(mine)})
    assert len(days) > len(NIGHTS[name])
    for day in sorted({d + timedelta(days=n) for d in days for n in (-1, 0, 1)}):
        expected = ledger.select(mine | {"date": str(day)})
        (page,) = pages(demo.admin, date=day, **mine)
        assert ids(page["sessions"]) == ids(expected), day
        assert page["totals"] == ledger.totals(expected)
        lines = read_csv(demo.admin, date=day, **mine)
        assert [int(line["id"]) for line in lines] == ids(expected)
        for line in lines:
            assert line[f"start ({name})"].startswith(str(day))
    # A range is the sum of its days.
    total = sum(ask(demo.admin, date=d, **mine).json["totals"]["ended"] for d in days)
    assert ask(demo.admin, from_=days[0], to=days[-1], **mine).json["totals"]["ended"] == total == len(starts)


def test_a_class_nobody_opened_counts_on_the_day_it_was_sent(demo, pair, zone):
    zone("America/New_York")
    (one,) = put_sessions(demo, [sent(pair, at("2026-03-07T23:59:59", "America/New_York"))])
    assert ids(walk(demo.admin, date="2026-03-07", teacher_id=pair["teacher_id"])) == [one]
    assert walk(demo.admin, date="2026-03-08", teacher_id=pair["teacher_id"]) == []


@pytest.mark.parametrize("days_later", [-40, -1, 0, 6, 8, 40])
def test_a_start_far_from_its_sending_is_found_on_its_day(demo, pair, days_later):
    """Corrected, reopened, or as a restored database has it."""
    start = at("2024-05-20T12:00")
    put = put_sessions(demo, [ended(pair, start, sent_at=start - timedelta(days=days_later)), ended(pair, start)])
    for mine in ({"teacher_id": pair["teacher_id"]}, {}):
        assert sorted(ids(walk(demo.admin, date="2024-05-20", **mine))) == put
        assert ask(demo.admin, date="2024-05-20", **mine).json["totals"]["ended"] == 2
        lines = read_csv(demo.admin, date="2024-05-20", **mine)
        assert sorted(int(line["id"]) for line in lines) == put
    demo.psql("SET session_replication_role = replica", f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


# ---------------------------------------------------------------- CSV


def as_cell(text):
    """What a spreadsheet is given, so that it computes nothing."""
    return ("'" if text.startswith(FORMULA) else "") + text


def line_of(session, zone):
    """A session of the list as its line of the export."""
    name = zone.key

    def local(text):
        return moment(text).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if text else ""

    def instant(text):
        return moment(text).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if text else ""

    def words(value):
        return {None: "", True: "yes", False: "no"}.get(value, str(value))

    return {
        "id": str(session["id"]),
        "teacher": as_cell(session["teacher"]["name"]),
        "student": as_cell(session["student"]["name"]),
        "package": as_cell(words(session["package_id"])),
        "rate": words(session["package_rate"]),
        "currency": session["currency"],
        "status": session["session_status"],
        f"sent ({name})": local(session["sent_at"]),
        "sent UTC": instant(session["sent_at"]),
        f"start ({name})": local(session["clicked_at"]),
        "start UTC": instant(session["clicked_at"]),
        f"end ({name})": local(session["session_ended_at"]),
        "end UTC": instant(session["session_ended_at"]),
        "minutes": "" if session["session_duration_minutes"] is None else str(session["session_duration_minutes"]),
        "ended by": words(session["ended_by"]),
        "estimated": words(session["estimated"]),
        "provisional": words(session["provisional"]),
        "attendance": words(session["attendance"]),
        "attendance note": as_cell(session["attendance_note"]),
    }


def test_the_export_is_the_list_for_each_filter(demo):
    ledger = Ledger(demo)
    values = some_values(ledger)
    wishes = [{}] + [{name: value} for name in values for value in values[name][:2]]
    wishes.append({"from": values["from"][1], "status": "ended", "q": "a", "package_id": "Europe"})
    for wanted in wishes:
        listed = [line_of(s, ledger.zone) for s in walk(demo.admin, **wanted)]
        assert read_csv(demo.admin, **wanted) == listed, wanted


def test_an_export_is_named_by_its_days(demo):
    today = Ledger(demo).today
    yesterday, week = str(today - timedelta(days=1)), str(today - timedelta(days=6))
    month = {"from": "2026-11-01", "to": "2026-11-30"}
    for wanted, name in [
        ({}, "sessions.csv"),
        ({"status": "ended", "q": '"../x'}, "sessions.csv"),
        ({"date": "2026-11-26"}, "sessions-2026-11-26.csv"),
        ({"from": yesterday, "to": yesterday}, f"sessions-{yesterday}.csv"),
        (month, "sessions-2026-11-01-to-2026-11-30.csv"),
        (month | {"status": "ended"}, "sessions-2026-11-01-to-2026-11-30.csv"),
        ({"from": "2026-11-01"}, "sessions-from-2026-11-01.csv"),
        ({"to": "2026-11-30"}, "sessions-to-2026-11-30.csv"),
        ({"days": 1}, f"sessions-{today}.csv"),
        ({"days": 7}, f"sessions-{week}-to-{today}.csv"),
    ]:
        assert name_of(ask(demo.admin, format="csv", **wanted)) == name, wanted
    for wanted in ({"date": '2026-11-26".exe'}, {"from": "2026-11-26\r\nX: y"}):
        answer = ask(demo.admin, format="csv", **wanted)
        assert answer.status == 400 and "Content-Disposition" not in answer.headers, wanted


def test_every_line_ends_in_crlf_and_every_field_is_quoted(demo):
    body = ask(demo.admin, format="csv", status="active").body
    for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\r\n")[:-1]:
        assert line.startswith(b'"') and line.endswith(b'"') and line.count(b'","') == 18


HOSTILE = [
    '=1+2";=1+2',
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    'A "quoted" name, with a comma',
    "two\nlines",
    "two\r\nlines",
    "\r\n=1",
    '"',
    "'",
    "<img src=x onerror=alert(1)>",
    "ليلى منصور",
    "ሰላም አበበ",
    "👩🏽‍🏫 teacher",
    "\u202eevil\u202c",
    "x" * 200,
    "Ünïcödé",
    "; DROP TABLE sessions; --",
]


def test_hostile_names_come_out_as_they_went_in(demo, pair):
    named = {}
    for name in HOSTILE:
        wanted = {"name": name, "teacher_id": pair["teacher_id"], "package_id": None}
        made = demo.admin.post("/api/admin/students", wanted)
        assert made.status == 201, made
        session = ended(pair | {"student_id": made["id"]}, at("2026-01-10T10:00"))
        named[put_sessions(demo, [session])[0]] = name
    mine = {"teacher_id": pair["teacher_id"]}
    assert {s["id"]: s["student"]["name"] for s in walk(demo.admin, **mine)} == named
    lines = read_csv(demo.admin, **mine)
    assert {int(line["id"]): line["student"] for line in lines} == {n: as_cell(name) for n, name in named.items()}
    for number, name in named.items():
        assert number in ids(walk(demo.admin, q=name, **mine)), name


def test_a_search_that_more_than_a_thousand_names_match(demo, pair):
    demo.psql(
        "INSERT INTO students (name, teacher_id, package_id)"
        f" SELECT 'Öcean ' || n, {pair['teacher_id']}, NULL FROM generate_series(1, 1100) n"
    )
    of = "SELECT id FROM students WHERE name = 'Öcean 777'"
    start = at("2026-01-11T10:00")
    wanted = ended(pair | {"student_id": int(demo.psql(of))}, start)
    expected, _ = put_sessions(demo, [wanted, ended(pair, start)])
    for q in ("öCEAN", "cea", "n 777"):
        (page,) = pages(demo.admin, q=q)
        assert ids(page["sessions"]) == [expected], q
        assert (page["totals"]["ended"], page["totals"]["minutes"]) == (1, 30), q
        (page,) = pages(demo.admin, q=q, date="2026-01-11")
        assert ids(page["sessions"]) == [expected] and page["totals"]["ended"] == 1, q
        (line,) = read_csv(demo.admin, q=q)
        assert line["student"] == "Öcean 777", q
    assert walk(demo.admin, q="%cean") == []


# ---------------------------------------------------------------- large exports

def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processes(demo, name):
    """The workers of a program, or of nginx."""
    return children(demo.pid(name))


def workers(demo):
    """All of the program's, which rests when nobody has asked for long and then forks them one by one."""
    assert ask(demo.admin, limit=1).status == 200
    return wait_for(lambda: len(there := processes(demo, "admin_teacher_sessions")) == WORKERS and there)


@contextlib.contextmanager
def held(pids):
    """They take nothing meanwhile."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        stats = [pathlib.Path(f"/proc/{pid}/stat") for pid in pids]
        wait_for(lambda: all(stat.read_text().rpartition(") ")[2].startswith("T") for stat in stats))
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def kilobytes(pid, file, label):
    for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{label}:"):
            return int(line.split()[1])
    raise LookupError(label)


def peak(demo):
    """What the workers and nginx have held at most so far, in kB."""
    return {
        pid: kilobytes(pid, "status", "VmHWM")
        for pid in processes(demo, "admin_teacher_sessions") + processes(demo, "nginx")
    }


def open_transactions(demo):
    return int(
        demo.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'classclock_app'"
            " AND xact_start IS NOT NULL AND query LIKE 'FETCH%'"
        )
    )


def await_no_transaction(demo, seconds):
    """An export is over, one way or the other; nothing waits for its client any more."""
    until = time.monotonic() + seconds
    while open_transactions(demo):
        assert time.monotonic() < until, "a transaction stays open"
        time.sleep(0.1)


def test_a_large_export_is_whole_and_memory_stays_flat(demo, crowd):
    there = workers(demo)
    for worker in there:
        with held(set(there) - {worker}):
            read_csv(demo.admin, from_="2020-03-10", teacher_id=crowd)  # every worker has seen one
    before = peak(demo)
    size = 0
    for _ in range(2):
        answer = ask(demo.admin, format="csv", teacher_id=crowd)
        size = len(answer.body)
        assert answer.body.count(b"\r\n") == CROWD + 1
    assert size > 20_000_000
    after = peak(demo)
    assert set(after) == set(before), "a process has died"
    # A copy of the answer, or a tenth of it, would stand out.
    grown = {pid: after[pid] - before[pid] for pid in before if after[pid] - before[pid] > 2_000}
    assert not grown, grown
    lines = parse_csv(answer.body)
    assert ids(lines) == sorted(ids(lines), key=int, reverse=True)


def raw_export(demo, **wanted):
    """A connection that has asked for an export and takes as little as it can."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", demo.port))
    query = urllib.parse.urlencode({"format": "csv", **wanted})
    cookie = "; ".join(f"{name}={value}" for name, value in demo.admin.client.cookies.items())
    s.sendall(f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
    assert s.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    return s


def test_a_client_that_stops_reading_holds_no_worker_and_no_transaction(demo, crowd):
    there = workers(demo)
    slow = [raw_export(demo, teacher_id=crowd) for _ in range(2 * len(there))]
    await_no_transaction(demo, 60)
    assert ask(demo.admin, limit=1).status == 200
    for s in slow:
        s.close()
    assert processes(demo, "admin_teacher_sessions") == there


def test_a_client_that_hangs_up_leaves_nothing_behind(demo, crowd):
    there = workers(demo)
    for _ in range(2 * len(there)):
        raw_export(demo, teacher_id=crowd).close()
    await_no_transaction(demo, 60)
    calls = [lambda: ask(demo.admin.client.fork(), limit=1).status] * (2 * len(there))
    assert set(at_once(*calls)) == {200}
    assert processes(demo, "admin_teacher_sessions") == there


def test_an_export_that_is_cut_short_looks_so(demo, crowd):
    """The database goes away in the middle: the client must not take what it has for the whole."""
    for _ in range(20):
        s = raw_export(demo, teacher_id=crowd)
        killed = demo.psql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename = 'classclock_app' AND query LIKE 'FETCH%' AND xact_start IS NOT NULL"
        )
        if killed != "0":
            break
        s.close()
    assert killed != "0"
    received = b""
    try:
        while chunk := s.recv(1 << 16):
            received += chunk
    except ConnectionResetError:
        pass
    assert not received.endswith(b"0\r\n\r\n")
    assert ask(demo.admin, limit=1).status == 200


def test_an_export_that_cannot_begin_is_an_error(demo):
    answer = demo.client().get(f"{PATH}?format=csv")
    assert answer.status == 401
    answer = ask(demo.admin, format="csv", date="2026-02-30")
    assert (answer.status, answer.type) == (400, "application/problem+json")


def crowd_called(demo, pair, name, count):
    """So many students of the name, and those of them who get classes."""
    demo.psql(
        "INSERT INTO students (name, teacher_id, package_id)"
        f" SELECT '{name} ' || n, {pair['teacher_id']}, NULL FROM generate_series(1, {count}) n"
    )
    found = demo.psql(f"SELECT id FROM students WHERE teacher_id = {pair['teacher_id']} AND name LIKE '{name} %' LIMIT 12")
    return [pair | {"student_id": int(number)} for number in found.split()]


def at_the_ends_of_months(people, here):
    """Classes around each midnight between months, the academy's and that of UTC, and in between."""
    for n, pair in enumerate(people):
        for zone in (here, ZoneInfo("UTC")):
            midnight = datetime(2022, 1 + n, 1, tzinfo=zone)
            for seconds in (-86400 * 9, -3601, -1, 0, 1, 3601, 86400 * 9):
                yield ended(pair, midnight + timedelta(seconds=seconds), 20 + n, package_id=("USA", None)[n % 2])


# Summed by months; and, where they are nearly all, by hours without the others.
CROWDS = [("Tide", 250, "America/New_York"), ("Öcean", 1100, "Asia/Kathmandu")]


@pytest.mark.parametrize("called, count, name", CROWDS)
def test_days_of_many_people_are_summed_to_the_hour_over_months(demo, pair, zone, called, count, name):
    zone(name)
    people = crowd_called(demo, pair, called, count)
    others = int(demo.psql(f"SELECT count(*) FROM students WHERE name NOT LIKE '{called}%'"))
    assert called == "Tide" or others < 1000  # or it goes the way of the other
    folded = list(at_the_ends_of_months(people, ZoneInfo(name)))
    far = ended(people[0], folded[0]["clicked_at"], sent_at=folded[0]["clicked_at"] - timedelta(days=40))
    # Of others too, and of one whom a teacher of the name taught.
    namesake = demo.admin.post("/api/admin/teachers", {"name": f"{called} T", "email": f"{uuid4()}@example.org"})["id"]
    strangers = [f | {"student_id": pair["student_id"]} for f in folded[::5]]
    strangers += [s | {"teacher_id": namesake} for s in strangers[::2]]
    waiting = [sent(one, folded[n]["clicked_at"]) for one in (people[0], pair) for n in (0, 40, 41, 80)]
    put = put_sessions(demo, [*folded, *strangers, far, *waiting, far | pair])
    demo.job("session-timeout")
    put_sessions(demo, folded[::3])  # what no job has folded yet counts too
    demo.psql(f"UPDATE sessions SET session_ended_at = session_ended_at + interval '7 minutes' WHERE id = {put[0]}")
    ledger = Ledger(demo, "t.name <> 'Crowd'")  # a hundred thousand that are none of these
    rng = random.Random(7)
    days = sorted({ledger.day(s) for s in ledger.select({"q": called})})
    for _ in range(20):
        first, last = sorted(rng.choices(days, k=2))
        last = rng.choice([last, first + timedelta(days=rng.randrange(16))])
        wanted = {"q": called.lower(), "from": str(first), "to": str(last)}
        if rng.random() < 0.3:
            del wanted[rng.choice(["from", "to"])]
        if rng.random() < 0.5:
            wanted |= rng.choice([{"package_id": "USA"}, {"status": "ended"}, {"status": "missed"}, {"status": "sent"}])
        answer = ask(demo.admin, limit=20, **wanted)
        assert answer.status == 200, answer
        expected = ledger.select(wanted)
        assert answer.json["totals"] == ledger.totals(expected), wanted
        assert ids(answer.json["sessions"]) == ids(expected)[:20], wanted
