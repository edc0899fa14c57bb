"""The explanation of a session, told again from nothing but what else the answer says.

Whoever words it in another language has no more than this to go by.
"""

from zoneinfo import ZoneInfo

from academy import moment

ENDERS = {"admin": "by an admin", "zoom": "by Zoom", "teacher_left": "when the teacher left", "teacher": "by the teacher"}


def retold(shown, zone):
    """The sentence of an answer of session-events, of an academy in the zone."""
    s, x = shown["session"], shown["explained"]

    def at(text):
        local = moment(text).astimezone(ZoneInfo(zone))
        same_day = local.date() == moment(s["sent_at"]).astimezone(ZoneInfo(zone)).date()
        return local.strftime(("" if same_day else "%Y-%m-%d ") + ("%H:%M:%S" if x["with_seconds"] else "%H:%M"))

    def begun():
        if x["began_by"]:
            return f"began {at(s['clicked_at'])} by an admin ({x['began_by']})"
        return f"opened {at(s['clicked_at'])} by the student"

    def both():
        if not s["presence"]:
            return ""
        if not x["together_from"]:
            return ", never both present"
        if not x["together_to"]:
            return f", both present from {at(x['together_from'])}"
        minutes = s["presence"]["both_minutes"]
        return f", both present {at(x['together_from'])} to {at(x['together_to'])} ({minutes} min)"

    status, sent, minutes = s["session_status"], at(s["sent_at"]), s["session_duration_minutes"]
    if status == "sent":
        return f"Sent {sent}, nobody has opened it yet."
    if status == "missed":
        return f"Sent {sent}, nobody opened it within {x['link_hours']} hours."
    if status == "cancelled":
        if x["withdrawn_by"] == "newer_link":
            return f"Sent {sent}, replaced by a newer link before anybody opened it."
        return f"Sent {sent}, cancelled by {dict(admin='an admin', teacher='the teacher')[x['withdrawn_by']]}."
    if status == "active":
        return f"Running: {begun()}, times out {at(s['times_out_at'])}."
    if status == "timeout":
        limit = "as reopened" if x["reopened"] else f"{x['duration_minutes']} + {x['buffer_minutes']} minutes"
        estimated, seen = (", estimated", "no end was seen") if s["estimated"] else ("", "Zoom shows it still ran")
        return f"{minutes} min{estimated}: {begun()}{both()}, {seen}, timed out {at(s['times_out_at'])} ({limit})."
    corrected = " (corrected)" if x["end_corrected"] else ""
    return f"{minutes} min: {begun()}{both()}, ended {at(s['session_ended_at'])} {ENDERS[s['ended_by']]}{corrected}."


def explanation(admin, n):
    """What the answer explains of session n, after a look whether its facts give the same."""
    shown = admin.get(f"/api/admin/session-events?session_id={n}").json
    assert retold(shown, admin.get("/api/admin/settings")["time_zone"]) == shown["explanation"]
    return shown["explanation"]
