"""The session list over ten million sessions: pages, filters, searches, totals, beside the same statements by pgbench."""

import http.client
import json
import statistics
import sys
import tempfile
import time
import urllib.parse

from place import academy, arguments, load, pgbench
from table import Row, publish

LIST = "/api/admin/teacher-sessions"
COMBINED = ("a week, a name", "a year, part of most names", "a year, part of a sixth of the names",
            "months from middle to middle, part of a sixth")


def sign_in(place):
    """A login's cookie of the admin."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
    email, password = place.admin
    body = json.dumps({"email": email, "password": password})
    connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    cookie = answer.getheader("Set-Cookie")
    assert answer.status == 200, answer.read()
    return cookie.split(";")[0]


def get(place, cookie, target):
    """What is answered; None if it took longer than a request may."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=120)
    connection.request("GET", target, headers={"Cookie": cookie, "X-Poll": "1"})  # without a login's moment of action
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (200, 503), body
    return json.loads(body) if answer.status == 200 else None


def cases(place, cookie):
    """What is asked for, by what it is called."""
    day, week, month, year, today, middle = place.psql(
        "SELECT d - 40, d - 7, d - 30, d - 365, d, date_trunc('month', d - 60)::date + 14 FROM academy_day(clock_now()) d"
    ).split("|")
    # A page deep in the past: the cursor of a page that ends where an old day begins.
    newest = get(place, cookie, f"{LIST}?to={place.psql('SELECT academy_day(clock_now()) - 500')}&limit=50")
    asked = {
        "first page": {},
        "one day": {"date": day},
        "a week": {"from": week, "to": today},
        "a month": {"from": month, "to": today},
        "status ended": {"status": "ended"},
        "status active": {"status": "active"},
        "status missed": {"status": "missed"},
        "a teacher": {"teacher_id": 100042},
        "a student": {"student_id": 104242},
        "a package": {"package_id": "USA"},
        "search, common": {"q": "Sara"},
        "search, part of most names": {"q": "a"},
        "search, rare": {"q": "Zbigniew"},
        "search, absent": {"q": "Xyzzy"},
        "a week, a name": {"from": week, "to": today, "q": "Sara"},
        "a year": {"from": year, "to": today},
        "a year, part of most names": {"from": year, "to": today, "q": "a"},
        "a year, part of a sixth of the names": {"from": year, "to": today, "q": "sa"},
        "months from middle to middle, part of a sixth": {"from": f"{int(middle[:4]) - 1}{middle[4:]}", "to": middle, "q": "sa"},
        "a deep page": {"cursor": newest["next_cursor"]},
    }
    return {name: f"{LIST}?{urllib.parse.urlencode(wanted)}" for name, wanted in asked.items()}


def main():
    quick = arguments(__doc__).quick
    rounds, seconds = (1, 0.2) if quick else (5, 0.6)
    rows, notes, p50s = [], [], {}
    with academy(quick) as place, tempfile.NamedTemporaryFile("w") as file:
        cookie = sign_in(place)
        place.psql("VACUUM ANALYZE sessions")  # of what the groups before have left among the newest
        for name, target in cases(place, cookie).items():
            file.seek(0)
            file.truncate()
            file.write(target + "\n")
            file.flush()
            began = time.monotonic()
            answer = get(place, cookie, target)
            window = max(seconds, 3 * (time.monotonic() - began))  # the first one, which finds nothing in memory, is the slowest
            if not answer:
                notes.append(f"list, {name}: **missed**, refused with 503 after the five seconds that a statement may take.")
                continue
            sent = place.statements(lambda t=target: get(place, cookie, t))
            script = "".join(s["sql"].replace("\n", " ") + ";\n" for s in sent)
            row = Row(f"list, {name}: p50", "its statements by pgbench", "at most", 2, "ms")
            for _ in range(rounds):
                ours = load(place.port, 1, -window, file.name, headers=[f"Cookie: {cookie}", "X-Poll: 1"])
                assert ours["status"][0] == ours["answers"] > 0, ours
                # Planned at each run, as the program has it planned.
                theirs = pgbench(place, script, seconds=seconds, mode="extended", transactions=20 if quick else None)
                row.add(ours["p50"] / 1000, theirs["p50"] * 1.0 / 1000)
            p50s[name] = statistics.median(ours for ours, _ in row.pairs)
            rows.append(row)
    quickest = min(p50s, key=p50s.get)
    for what, names, wanted in (("one filter", [n for n in p50s if n not in COMBINED], 30), ("days and a name", COMBINED, None)):
        slowest = max(names, key=lambda name: p50s.get(name, 0))
        row = Row(f"list, slowest of {what} ({slowest}): p50", f"the quickest ({quickest})", "at most", wanted, "ms")
        row.add(p50s[slowest], p50s[quickest])
        rows.append(row)
    publish("list", rows, notes, quick)


if __name__ == "__main__":
    sys.exit(main())
