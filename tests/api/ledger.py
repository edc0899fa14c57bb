"""Sessions as a test wants them, straight in the table, and what they look like from outside.

What a filter, a day or a sum means is written down here a second time, in Python, from the contract
alone, for the tests of lists and reports to compare with.
"""

import functools
import json
from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from academy import moment

STATES = ("sent", "active", "ended", "timeout", "cancelled", "missed")


def put_sessions(app, sessions):
    """Puts sessions in: dicts of teacher_id, student_id, session_status, sent_at, clicked_at,
    session_ended_at, package_id, package_rate, currency, attendance; the rest follows. Their ids."""
    columns = (
        "teacher_id bigint, student_id bigint, session_status text, sent_at timestamptz,"
        " clicked_at timestamptz, session_ended_at timestamptz, package_id text,"
        " package_rate numeric, currency text, attendance text"
    )
    rows = json.dumps(sessions, default=str).replace("'", "''")
    ids = app.psql(
        "SET session_replication_role = replica",
        "INSERT INTO sessions (teacher_id, student_id, session_status, sent_at, clicked_at,"
        " times_out_at, session_ended_at, ended_by, estimated, package_id, package_rate, currency,"
        " attendance, duration_minutes, buffer_minutes, link_hours, link_id, request_id,"
        " request_digest, zoom_url)"
        " SELECT teacher_id, student_id, session_status, sent_at, clicked_at,"
        "  CASE session_status WHEN 'timeout' THEN session_ended_at"
        "   ELSE clicked_at + interval '70 minutes' END, session_ended_at,"
        "  CASE WHEN session_status = 'ended' THEN 'zoom' END, session_status = 'timeout',"
        "  package_id, package_rate, coalesce(currency, 'USD'), attendance, 60, 10, 12,"
        "  gen_random_uuid(), gen_random_uuid(), '', 'https://zoom.us/j/123456789'"
        f" FROM json_to_recordset('{rows}') AS r({columns}) RETURNING id",
    )
    return [int(line) for line in ids.splitlines() if line]


def sent(pair, moment_sent):
    """A session for put_sessions() that nobody has opened."""
    return pair | {"session_status": "sent", "sent_at": moment_sent}


def ended(pair, start, length=30, **fields):
    """A session for put_sessions() that lasted so many minutes."""
    end = start + timedelta(minutes=length)
    session = pair | {"session_status": "ended", "sent_at": start - timedelta(minutes=2), "clicked_at": start}
    return session | {"session_ended_at": end, "package_rate": 10} | fields


CROWD = 100_000


def put_crowd(app):
    """Puts a teacher in who has had CROWD classes, one a minute from 2020 on; their id."""
    teacher = app.admin.post("/api/admin/teachers", {"name": "Crowd", "email": f"crowd{uuid4()}@example.org"})["id"]
    wanted = {"name": "Crowd's student", "teacher_id": teacher, "package_id": "Europe"}
    student = app.admin.post("/api/admin/students", wanted)["id"]
    app.psql(
        "SET session_replication_role = replica",
        "INSERT INTO sessions (teacher_id, student_id, session_status, sent_at, clicked_at, times_out_at,"
        " session_ended_at, ended_by, currency, duration_minutes, buffer_minutes, link_hours, link_id,"
        " request_id, request_digest, zoom_url)"
        f" SELECT {teacher}, {student}, 'ended', t, t, t + interval '70 minutes', t + interval '1 hour', 'zoom',"
        "  'USD', 60, 10, 12, gen_random_uuid(), gen_random_uuid(), '', 'https://zoom.us/j/123456789'"
        f" FROM (SELECT timestamptz '2020-01-01Z' + n * interval '1 minute' AS t FROM generate_series(1, {CROWD}) n) s",
        "ANALYZE sessions",
    )
    return teacher


class Ledger:
    """All sessions of an instance, or those of which SQL says where, read once, and what the contract makes of them."""

    def __init__(self, app, where="true"):
        self.app, self.where = app, where
        self.zone = ZoneInfo(app.psql("SELECT time_zone FROM academy"))
        self.now = moment(app.psql("SELECT to_json(clock_now()) #>> '{}'"))

    @functools.cached_property
    def sessions(self):
        """Newest first."""
        sessions = self.app.rows(
            "SELECT s.*, t.name AS teacher, st.name AS student FROM sessions s"
            f" JOIN accounts t ON t.id = s.teacher_id JOIN students st ON st.id = s.student_id WHERE {self.where}"
        )
        for session in sessions:
            for name in ("sent_at", "clicked_at", "times_out_at", "session_ended_at"):
                session[name] = session[name] and moment(session[name])
            session["day"] = self.local(session).date()
        return sorted(sessions, key=lambda s: (s["sent_at"], s["id"]), reverse=True)

    def local(self, session):
        """When a session counts, on the academy's clock: its click, else its sending."""
        return (session["clicked_at"] or session["sent_at"]).astimezone(self.zone)

    def day(self, session):
        return session["day"]

    @property
    def today(self):
        return self.now.astimezone(self.zone).date()

    def select(self, wanted):
        """The sessions, newest first, that the parameters of a list ask for."""
        meant = {"date": date.fromisoformat, "from": date.fromisoformat, "to": date.fromisoformat, "teacher_id": int,
                 "student_id": int, "q": str.lower}  # fmt: skip
        tests = {
            "date": lambda s, v: s["day"] == v,
            "from": lambda s, v: s["day"] >= v,
            "to": lambda s, v: s["day"] <= v,
            "status": lambda s, v: s["session_status"] == v,
            "teacher_id": lambda s, v: s["teacher_id"] == v,
            "student_id": lambda s, v: s["student_id"] == v,
            "package_id": lambda s, v: s["package_id"] == v,
            "q": lambda s, v: v in s["teacher"].lower() or v in s["student"].lower(),
        }
        found = self.sessions
        for name, value in wanted.items():
            value = meant.get(name, lambda v: v)(value)
            found = [s for s in found if tests[name](s, value)]
        return found

    def totals(self, sessions):
        counts = {state: sum(s["session_status"] == state for s in sessions) for state in STATES}
        return counts | {"minutes": sum(minutes(s) or 0 for s in sessions)}


def minutes(session):
    """Whole minutes from click to end, half a minute rounded up; None while there is no end."""
    if not session["session_ended_at"]:
        return None
    length = session["session_ended_at"] - session["clicked_at"]
    return (length + timedelta(seconds=30)) // timedelta(minutes=1)
