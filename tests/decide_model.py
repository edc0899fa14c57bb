"""The rules of a class's minutes, written a second time and on their own.

A session is a list of facts. From the facts and the time of day follow when
the class began, when it ended, who or what ended it, and how long each side
was there. lib/decide.c and lib/presence.c must say the same of every case;
tests/api/test_decide_model.py compares them. Moments are whole microseconds.
"""

from dataclasses import dataclass, field, replace

SECOND = 1_000_000
ALWAYS_BEFORE = -(2**62)
THE_END_OF_TIME = 2**62


@dataclass(frozen=True)
class Fact:
    id: int
    kind: str
    at: int
    received: int
    lasts: int = 0  # of a reopening: how long the class may still last
    meeting: int = -1  # which occurrence of the Zoom meeting
    connection: int = -1  # which participant_uuid
    role: str = "unknown"


@dataclass(frozen=True)
class Terms:
    duration: int  # seconds, all three
    buffer: int
    link: int


@dataclass(frozen=True)
class Row:
    status: str
    clicked: int | None = None
    deadline: int | None = None
    ended: int | None = None
    ended_by: str | None = None
    estimated: bool = False
    deciding: int = 0
    corrected: bool = False
    zoom: bool = False


@dataclass(frozen=True)
class Presence:
    known: bool = False
    sides: bool = False
    teacher: int = 0
    student: int = 0
    both: int = 0


def of_kind(facts, *kinds):
    return [f for f in facts if f.kind in kinds]


def zooms(facts):
    return of_kind(facts, "zoom_started", "zoom_joined", "zoom_left", "zoom_ended")


# --- What the admin wants: a story told in the order it was received ---


@dataclass
class Wish:
    click: int | None = None
    ends: list = field(default_factory=list)  # the last one is the newest
    reopened: Fact | None = None
    cancelled: bool = False


def what_the_admin_wants(facts):
    wish = Wish()
    for f in sorted(facts, key=lambda f: (f.received, f.id)):
        if f.kind == "corrected clicked_at":
            wish.click = f.at
        elif f.kind in ("corrected session_ended_at", "admin_ended"):
            wish.ends.append(f)
        elif f.kind == "reopened":
            wish.reopened, wish.ends, wish.cancelled = f, [], False
        elif f.kind == "released":
            wish.click, wish.ends = None, []
        elif f.kind == "cancelled":
            wish.cancelled = True
    return wish


# --- The link, the click, the deadline ---


def hours_of_the_link(facts, sent, life):
    """The stretches in which a tap on the button opens this class."""
    turns = [(f.at, 0) for f in of_kind(facts, "cancelled", "superseded")]
    turns += [(f.at, 1) for f in of_kind(facts, "reopened")]
    stretches, since, is_open = [], ALWAYS_BEFORE, True
    for at, opens in sorted(turns) + [(THE_END_OF_TIME, 0)]:
        if is_open:
            stretches.append((since, at))
        since, is_open = at, bool(opens)
    return [(max(a, sent), min(b, sent + life)) for a, b in stretches]


def when_it_began(facts, wish, link_hours):
    if wish.click is not None:
        return wish.click
    clicks = [f.at for f in of_kind(facts, "clicked") if any(a <= f.at < b for a, b in link_hours)]
    if wish.reopened:
        over = wish.reopened.at + wish.reopened.lasts
        clicks = [c for c in clicks if c < over]
    return min(clicks or [f.at for f in of_kind(facts, "reopened")], default=None)


def when_it_must_end(terms, wish, clicked):
    if wish.reopened:
        promised = wish.reopened.at + wish.reopened.lasts
        if promised > clicked:
            return promised
    return clicked + (terms.duration + terms.buffer) * SECOND


# --- Who ended it ---


def went_on_in_another_meeting(facts, end, join):
    if join.meeting < 0:
        return False
    if end.kind.startswith("zoom"):
        return end.meeting >= 0 and end.meeting != join.meeting
    seen_by_then = {f.meeting for f in zooms(facts) if f.at <= end.at}
    return join.meeting not in seen_by_then and bool(seen_by_then - {-1})


def class_went_on(facts, end, deadline):
    later = [f for f in facts if end.at < f.at <= deadline]
    return bool(of_kind(later, "zoom_started")) or any(
        went_on_in_another_meeting(facts, end, join) for join in of_kind(later, "zoom_joined")
    )


def teachers_connections(facts):
    """Numbers of connections that are the teacher's."""
    return {f.connection for f in facts if f.role == "teacher"} - {-1}


def is_the_teachers(facts, f):
    return f.role == "teacher" or f.connection in teachers_connections(facts)


def name_of_connection(f):
    return f.connection if f.connection >= 0 else (f.role, f.meeting)


def same_connection(a, b):
    return name_of_connection(a) == name_of_connection(b)


def teacher_is_still_in(facts, deadline):
    until_then = [f for f in facts if f.at <= deadline]
    for join in of_kind(until_then, "zoom_joined"):
        if not is_the_teachers(facts, join):
            continue
        leaves = [f for f in of_kind(until_then, "zoom_left") if same_connection(f, join)]
        ends = [f for f in of_kind(until_then, "zoom_ended") if f.meeting == join.meeting]
        if all(f.at <= join.at for f in leaves) and all(f.at < join.at for f in ends):
            return True
    return False


def admins_end(wish, clicked, deadline):
    for f in reversed(wish.ends):
        if f.at >= clicked and (f.kind != "admin_ended" or f.at <= deadline):
            return f
    return None


def evidence_of_the_end(facts, wish, clicked, deadline, over):
    """The best end that the evidence shows, with who ended it; over: the deadline has passed."""
    ends = [f for f in facts if clicked <= f.at <= deadline]
    if wish.reopened:
        ends = [f for f in ends if f.at > wish.reopened.at]
    ends = [f for f in ends if not class_went_on(facts, f, deadline)]

    if meeting_ends := of_kind(ends, "zoom_ended"):
        return max(meeting_ends, key=lambda f: (f.at, -f.id)), "zoom"
    leaves = [f for f in of_kind(ends, "zoom_left") if is_the_teachers(facts, f)]
    if over and leaves and not teacher_is_still_in(facts, deadline):
        return max(leaves, key=lambda f: (f.at, -f.id)), "zoom"
    said = of_kind(ends, "teacher_left", "teacher_ended")
    if said:
        first = min(said, key=lambda f: (f.at, f.kind == "teacher_ended", f.id))
        return first, "teacher_left" if first.kind == "teacher_left" else "teacher"
    return None, None


def zoom_saw_it_run_at(facts, moment):
    for meeting in {f.meeting for f in zooms(facts)}:
        of_it = [f for f in zooms(facts) if f.meeting == meeting]
        begun = [f.at for f in of_kind(of_it, "zoom_started", "zoom_joined")]
        over = any(f.at < moment for f in of_kind(of_it, "zoom_ended"))
        if not over and min(begun, default=moment) <= moment <= max(f.at for f in of_it):
            return True
    return False


# --- The row ---


def row(terms, facts, now):
    zoom = bool(zooms(facts))
    sendings = of_kind(facts, "sent")
    if not sendings:
        return Row("sent", zoom=zoom)
    sent = min(f.at for f in sendings)
    link_end = sent + terms.link * SECOND
    wish = what_the_admin_wants(facts)
    clicked = when_it_began(facts, wish, hours_of_the_link(facts, sent, terms.link * SECOND))

    if wish.cancelled:
        return Row("cancelled", zoom=zoom)
    if clicked is None:
        if any(f.at < link_end for f in of_kind(facts, "superseded")):
            return Row("cancelled", zoom=zoom)
        return Row("missed" if now >= link_end else "sent", zoom=zoom)

    deadline = when_it_must_end(terms, wish, clicked)
    begun = Row("active", clicked, deadline, corrected=wish.click is not None, zoom=zoom)
    end = admins_end(wish, clicked, deadline)
    if end:
        begun = replace(begun, corrected=begun.corrected or end.kind.startswith("corrected"))
        by = "admin"
    else:
        end, by = evidence_of_the_end(facts, wish, clicked, deadline, now >= deadline)
    if end:
        return replace(begun, status="ended", ended=end.at, ended_by=by, deciding=end.id)
    if now >= deadline:
        estimated = not zoom_saw_it_run_at(facts, deadline)
        return replace(begun, status="timeout", ended=deadline, estimated=estimated)
    return begun


def is_unsettled(terms, facts, now):
    """Lets the set-based timeout loose on the row at every moment to come."""
    if not of_kind(facts, "sent"):
        return True
    link_end = min(f.at for f in of_kind(facts, "sent")) + terms.link * SECOND
    written = row(terms, facts, now)
    moments = [link_end, THE_END_OF_TIME]
    if written.deadline is not None:
        moments.append(written.deadline)
    for moment in sorted(m for m in moments if m > now):
        if written.status == "active" and written.deadline <= moment:
            written = replace(written, status="timeout", ended=written.deadline, estimated=True)
        if written.status == "sent" and link_end <= moment:
            written = replace(written, status="missed")
        if written != row(terms, facts, moment):
            return True
    return False


# --- Presence: who was there, moment by moment ---


def met_its_end(facts, meeting, since, moment):
    ends = [f.at for f in of_kind(facts, "zoom_ended") if f.meeting == meeting]
    return any(since <= end <= moment for end in ends)


def is_there(facts, connection, moment, clicked):
    """Whether a connection (its joins and leaves) was up just after the moment."""
    past = [f for f in connection if f.at <= moment]
    last = max(past, key=lambda f: (f.at, f.kind == "zoom_joined"), default=None)
    if last and last.kind == "zoom_joined":
        return not met_its_end(facts, last.meeting, last.at, moment)

    # Gone, or not there yet, unless the next thing we hear is a leave that no join explains.
    to_come = [f for f in connection if f.at > moment]
    first = min(to_come, key=lambda f: (f.at, f.kind == "zoom_left"), default=None)
    if first is None or first.kind == "zoom_joined":
        return False
    starts = [f.at for f in of_kind(facts, "zoom_started") if f.meeting == first.meeting]
    since = last.at if last else max((s for s in starts if s <= first.at), default=clicked)
    return since <= moment and not met_its_end(facts, first.meeting, since, moment)


def seconds(us):
    return (us + SECOND // 2) // SECOND


def presence(facts, clicked, ended):
    moves = of_kind(facts, "zoom_joined", "zoom_left")
    if not any(is_the_teachers(facts, f) for f in moves):
        return Presence(known=bool(moves))
    connections = {}
    for f in moves:
        connections.setdefault(name_of_connection(f), []).append(f)
    changes = {f.at for f in zooms(facts) if clicked < f.at < ended} | {clicked, ended}
    stops = sorted(changes) if clicked < ended else []

    teacher = student = both = 0
    for start, stop in zip(stops, stops[1:]):
        there = [c for c in connections.values() if is_there(facts, c, start, clicked)]
        has_teacher = any(is_the_teachers(facts, c[0]) for c in there)
        has_student = any(not is_the_teachers(facts, c[0]) for c in there)
        teacher += (stop - start) * has_teacher
        student += (stop - start) * has_student
        both += (stop - start) * (has_teacher and has_student)
    return Presence(True, True, seconds(teacher), seconds(student), seconds(both))
