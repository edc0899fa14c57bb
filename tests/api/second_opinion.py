"""Every row of an instance, held to what tests/decide_model.py makes of its evidence."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from decide_model import NEVER, Fact, Terms, heeded, presence, row_and_unsettled  # noqa: E402

SESSIONS = """SELECT id, session_status AS status, us(clicked_at) AS clicked, us(times_out_at) AS deadline,
  us(session_ended_at) AS ended, ended_by, estimated, corrected, zoom_seen AS zoom,
  teacher_seconds, student_seconds, both_seconds, duration_minutes, buffer_minutes, link_hours
  FROM sessions WHERE EXISTS (SELECT FROM session_events WHERE session_id = sessions.id)"""
EVENTS = """SELECT id, session_id, kind, us(happened_at) AS at, us(received_at) AS received,
  detail->>'field' AS field, round((detail->>'seconds')::numeric * 1000000)::bigint AS lasts,
  detail->>'uuid' AS meeting, detail->>'participant' AS connection, detail->>'side' AS side
  FROM session_events ORDER BY id"""
COLUMNS = ("status", "clicked", "deadline", "ended", "ended_by", "estimated", "corrected", "zoom")


def number(names, text):
    return -1 if text is None else names.setdefault(text, len(names))


def fact_of(event, names):
    kind = event["kind"] if event["field"] is None else f"{event['kind']} {event['field']}"
    role = {None: "unknown", "teacher": "teacher"}.get(event["side"], "student")
    return Fact(event["id"], kind, event["at"], event["received"], event["lasts"] or 0,
                number(names, event["meeting"]), number(names, event["connection"]), role)


def expected(session, facts):
    """The columns of a session once all its time has passed."""
    terms = Terms(session["duration_minutes"] * 60, session["buffer_minutes"] * 60, session["link_hours"] * 3600)
    facts = heeded(terms, facts)
    r, _ = row_and_unsettled(terms, facts, NEVER)
    told = {name: getattr(r, name) for name in COLUMNS}
    p = presence(facts, r.clicked, r.ended) if r.ended else None
    for side in ("teacher", "student", "both"):
        told[f"{side}_seconds"] = getattr(p, side) if p and p.sides else None
    return told


def differences(app):
    """What the model says otherwise, in words. Ask when every class has come to its end."""
    facts, names, found = {}, {}, []
    for event in app.rows(EVENTS):
        facts.setdefault(event["session_id"], []).append(fact_of(event, names))
    for session in app.rows(SESSIONS):
        wanted = expected(session, facts[session["id"]])
        wrong = [f"{name} {session[name]} and not {value}" for name, value in wanted.items() if session[name] != value]
        if wrong:
            story = "\n  ".join(map(str, facts[session["id"]]))
            found.append(f"session {session['id']}: {', '.join(wrong)}\n  {story}")
    return found
