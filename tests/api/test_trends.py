"""Trends and pay against sums made here, in Python, from the rows."""

import csv
import io
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ledger import Ledger, ended, minutes, put_sessions, sent

PATH = "/api/admin/trends"
CLASSES = ("active", "ended", "timeout")
PAID = ("ended", "timeout")


def look(who, first=None, last=None):
    query = "&".join(f"{name}={day}" for name, day in (("from", first), ("to", last)) if day)
    answer = who.get(f"{PATH}?{query}")
    assert answer.status == 200, answer
    return answer.json


def chosen(ledger, first, last):
    return [s for s in ledger.sessions if first <= ledger.day(s) <= last]


def counts(sessions):
    return {
        "classes": sum(s["session_status"] in CLASSES for s in sessions),
        "minutes": sum(minutes(s) or 0 for s in sessions),
        "timeouts": sum(s["session_status"] == "timeout" for s in sessions),
        "missed": sum(s["session_status"] == "missed" for s in sessions),
    }


def grouped(sessions, key):
    groups = defaultdict(list)
    for session in sessions:
        groups[key(session)].append(session)
    return groups


def days(ledger, first, last):
    by_day = grouped(chosen(ledger, first, last), ledger.day)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [{"day": str(day)} | counts(by_day[day]) for day in every]


def teachers(ledger, first, last):
    groups = grouped(chosen(ledger, first, last), lambda s: (s["teacher_id"], s["teacher"]))
    rows = [{"teacher": {"id": n, "name": name}} | counts(group) for (n, name), group in groups.items()]
    return [row for row in rows if row["classes"] or row["missed"]]


def hours(ledger, first, last):
    opened = [s for s in chosen(ledger, first, last) if s["session_status"] in CLASSES]
    groups = grouped(opened, lambda s: (ledger.local(s).weekday(), ledger.local(s).hour))
    return [{"weekday": day, "hour": hour, "classes": len(group)} for (day, hour), group in sorted(groups.items())]


def pay(ledger, first, last):
    paid = [s for s in chosen(ledger, first, last) if s["session_status"] in PAID]
    groups = grouped(paid, lambda s: (f"{ledger.day(s):%Y-%m}", s["teacher_id"], s["teacher"], s["currency"]))
    return [
        {
            "month": month,
            "teacher": {"id": teacher, "name": name},
            "currency": currency,
            "classes": len(group),
            "minutes": sum(minutes(s) for s in group),
            "estimated_minutes": sum(minutes(s) for s in group if s["estimated"]),
            "sum_rate": f"{sum(Decimal(str(s['package_rate'] or 0)) for s in group):.2f}",
            "without_rate": sum(s["package_rate"] is None for s in group),
        }
        for (month, teacher, name, currency), group in groups.items()
    ]


def days_of(month, first, last, today):
    """The days of the month that a row of it is of."""
    begin = date.fromisoformat(f"{month}-01")
    end = (begin + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return [max(first, begin), min(last, end, today)]


def in_any_order(rows):
    return sorted(rows, key=str)


def check(demo, ledger, first, last):
    shown = look(demo.admin, first, last)
    assert (shown["from"], shown["to"]) == (str(first), str(last))
    assert shown["time_zone"] == ledger.zone.key
    assert shown["days"] == days(ledger, first, last)
    assert in_any_order(shown["teachers"]) == in_any_order(teachers(ledger, first, last))
    assert shown["hours"] == hours(ledger, first, last)
    assert in_any_order(shown["pay"]) == in_any_order(pay(ledger, first, last))
    assert shown["more"] is False
    return shown


# ---------------------------------------------------------------- the demo academy


def test_the_demo_academy_adds_up(demo):
    ledger = Ledger(demo)
    today = ledger.today
    for first, last in [(89, 0), (29, 0), (0, 0), (60, 31), (399, 0), (400, 395)]:
        shown = check(demo, ledger, today - timedelta(days=first), today - timedelta(days=last))
    shown = check(demo, ledger, today - timedelta(days=89), today)
    assert sum(day["timeouts"] for day in shown["days"]) and sum(day["missed"] for day in shown["days"])
    assert len({row["month"] for row in shown["pay"]}) >= 3


def test_tables_agree_with_each_other_and_with_the_list(demo):
    ledger = Ledger(demo)
    first = ledger.today - timedelta(days=45)
    shown = look(demo.admin, first, ledger.today)
    for name in ("classes", "minutes", "timeouts", "missed"):
        assert sum(row[name] for row in shown["days"]) == sum(row[name] for row in shown["teachers"]), name
    assert sum(row["classes"] for row in shown["hours"]) == sum(row["classes"] for row in shown["days"])
    totals = demo.admin.get(f"/api/admin/teacher-sessions?from={first}&to={ledger.today}")["totals"]
    assert sum(row["classes"] for row in shown["pay"]) == totals["ended"] + totals["timeout"]
    assert sum(row["minutes"] for row in shown["pay"]) == totals["minutes"] == sum(d["minutes"] for d in shown["days"])


def test_without_a_range_it_is_the_last_thirty_days(demo):
    today = Ledger(demo).today
    shown = look(demo.admin)
    assert (shown["from"], shown["to"], len(shown["days"])) == (str(today - timedelta(days=29)), str(today), 30)
    shown = look(demo.admin, last="2026-03-31")
    assert (shown["from"], shown["to"]) == ("2026-03-02", "2026-03-31")
    shown = look(demo.admin, first=today - timedelta(days=3))
    assert len(shown["days"]) == 4


def test_lists_are_in_order(demo):
    today = Ledger(demo).today
    shown = look(demo.admin, today - timedelta(days=89), today)
    names = [row["teacher"]["name"].lower() for row in shown["teachers"]]
    assert names == sorted(names)
    keys = [(row["month"], row["teacher"]["name"].lower(), row["currency"]) for row in shown["pay"]]
    assert keys == sorted(keys)


# ---------------------------------------------------------------- days, months, states

NIGHTS = {
    "Africa/Addis_Ababa": ["2025-01-31", "2025-02-28"],
    "America/New_York": ["2025-01-31", "2025-03-08", "2025-03-09", "2025-11-01", "2025-11-02", "2025-12-31"],
    "America/Havana": ["2025-03-08", "2025-11-01", "2025-11-02"],
    "Asia/Kathmandu": ["2025-04-30"],
}


@pytest.mark.parametrize("name", NIGHTS)
def test_around_midnight_and_clock_changes(demo, pair, zone, name):
    zone(name)
    here, starts = ZoneInfo(name), set()
    for night in map(datetime.fromisoformat, NIGHTS[name]):
        for clock in (22.5, 23.5, 24, 24.5, 25.5, 26.5):
            starts |= {(night + timedelta(hours=clock)).replace(tzinfo=here, fold=fold) for fold in (0, 1)}
    starts = {start.astimezone(ZoneInfo("UTC")) for start in starts}
    kinds = ({}, {"session_status": "timeout"}, {"currency": "EUR", "package_rate": "12.34"}, {"package_rate": None})
    put_sessions(demo, [ended(pair, start, 70, **kind) for start in starts for kind in kinds])
    put_sessions(demo, [sent(pair, start) | {"session_status": "missed"} for start in starts])
    ledger = Ledger(demo)
    check(demo, ledger, date(2024, 12, 20), date(2025, 7, 1))
    check(demo, ledger, date(2025, 7, 2), date(2026, 1, 31))
    for night in map(date.fromisoformat, NIGHTS[name]):
        for first in (night, night + timedelta(days=1)):
            shown = check(demo, ledger, first, first)
            assert shown["days"][0]["classes"] > 0
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


def test_what_counts_as_what(demo, pair):
    """One session of each state on a day of its own."""
    start = datetime(2025, 5, 5, 9, 0, tzinfo=ZoneInfo("UTC"))
    day = timedelta(days=1)
    put_sessions(demo, [
        sent(pair, start),
        sent(pair, start) | {"session_status": "active", "clicked_at": start, "package_rate": 7},
        ended(pair, start, 44, package_rate="10.10"),
        ended(pair, start, 70, session_status="timeout", package_rate="20.05"),
        sent(pair, start) | {"session_status": "cancelled", "package_rate": 3},
        sent(pair, start) | {"session_status": "missed", "package_rate": 5},
        ended(pair, start + day, 30, package_rate=None),
    ])  # fmt: skip
    shown = look(demo.admin, "2025-05-05", "2025-05-06")
    expected = {"classes": 3, "minutes": 114, "timeouts": 1, "missed": 1}
    assert shown["days"][0] == {"day": "2025-05-05"} | expected
    assert [t for t in shown["teachers"] if t["teacher"]["id"] == pair["teacher_id"]][0]["classes"] == 4
    (row,) = [row for row in shown["pay"] if row["teacher"]["id"] == pair["teacher_id"]]
    assert (row["classes"], row["minutes"], row["estimated_minutes"]) == (3, 144, 70)
    assert (row["sum_rate"], row["without_rate"]) == ("30.15", 1)
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


def test_large_sums_are_exact(demo, pair):
    start = datetime(2025, 6, 1, 9, 0, tzinfo=ZoneInfo("UTC"))
    put_sessions(demo, [ended(pair, start, 1, package_rate="9999999999.99") for _ in range(11)])
    (row,) = look(demo.admin, "2025-06-01", "2025-06-01")["pay"]
    assert row["sum_rate"] == "109999999999.89"
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


# ---------------------------------------------------------------- CSV


def test_the_csv_is_the_pay_table(demo, pair):
    start = datetime(2025, 6, 1, 9, 0, tzinfo=ZoneInfo("UTC"))
    formula = '=1+2";=1+2'
    assert demo.admin.patch("/api/admin/teachers", {"id": pair["teacher_id"], "name": formula}).status == 200
    put_sessions(demo, [ended(pair, start)])
    today = Ledger(demo).today
    for first, last, name in [
        (date(2025, 6, 1), date(2025, 6, 30), "pay-2025-06-01-to-2025-06-30.csv"),
        (date(2025, 6, 1), date(2025, 6, 1), "pay-2025-06-01.csv"),
        (today - timedelta(days=89), today + timedelta(days=40), None),
        (None, None, f"pay-{today - timedelta(days=29)}-to-{today}.csv"),
    ]:
        query = f"from={first}&to={last}&" if first else ""
        answer = demo.admin.get(f"{PATH}?{query}format=csv")
        assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        file = name or f"pay-{first}-to-{last}.csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{file}"'
        assert answer.body.startswith(b"\xef\xbb\xbf") and answer.body.endswith(b'"\r\n')
        lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), strict=True))
        expected = [["month", "first day", "last day", "teacher id", "teacher", "currency", "classes", "minutes",
                     "estimated minutes", "sum of rates", "classes without rate"]]  # fmt: skip
        for row in look(demo.admin, first, last)["pay"]:
            name = row["teacher"]["name"]
            cells = [row["month"], *days_of(row["month"], first or today - timedelta(days=29), last or today, today)]
            cells += [row["teacher"]["id"], "'" + name if name == formula else name, row["currency"]]
            cells += [row[k] for k in ("classes", "minutes", "estimated_minutes", "sum_rate", "without_rate")]
            expected.append([str(cell) for cell in cells])
        assert lines == expected
    demo.psql(f"DELETE FROM sessions WHERE teacher_id = {pair['teacher_id']}")


def test_an_empty_range_is_a_header_alone(demo):
    answer = demo.admin.get(f"{PATH}?from=2001-01-01&to=2001-01-02&format=csv")
    assert answer.body.count(b"\r\n") == 1
    shown = look(demo.admin, "2001-01-01", "2001-01-02")
    assert (shown["teachers"], shown["hours"], shown["pay"]) == ([], [], [])
    assert [day["classes"] for day in shown["days"]] == [0, 0]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("query, field", [
    ("from=2026-02-30", "from"), ("to=2026-2-3", "to"), ("from=x", "from"), ("to=0000-01-01", "to"),
    ("from=2026-05-06&to=2026-05-05", "from"), ("from=2026-05-06&to=2026-05-05&format=csv", "from"),
    ("from=2025-01-01&to=2026-02-05", "from"), ("from=0001-01-01", "from"), ("format=xlsx", "format"),
    ("month=2026-05", "month"), ("from=2026-05-05&from=2026-05-05", "from"),
])  # fmt: skip
def test_what_is_refused(demo, query, field):
    answer = demo.admin.get(f"{PATH}?{query}")
    assert (answer.status, answer.field) == (400, field), answer


def test_four_hundred_days_are_the_most(demo):
    assert len(look(demo.admin, "2025-01-01", "2026-02-04")["days"]) == 400
    for edge in ("to=0001-01-01", "from=9999-12-31&to=9999-12-31"):
        assert demo.admin.get(f"{PATH}?{edge}").status == 200
