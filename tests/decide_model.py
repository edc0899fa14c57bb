"""The design's rules of a session's row, said once more, for tests to hold lib/decide.c against.

Written from the design and the headers alone, by another person than the C code, and built the other
way round: nothing here walks through the evidence. Each rule names a set of facts; what counts is
chosen from the sets at the end. "§3.5" is the design's "States, and who decides", 5; "facts" are
what is known of Zoom; what stands in the header of decide.h, where those are silent, is said so.

Moments are whole microseconds since 1970.
"""

from dataclasses import dataclass

SECOND = 1_000_000
NEVER = 2**63 - 1

ZOOM = frozenset({"zoom_started", "zoom_joined", "zoom_left", "zoom_ended"})
TEACHER = ("teacher_left", "teacher_ended")
CORRECTIONS = frozenset({"corrected clicked_at", "corrected session_ended_at"})
DECISIONS = CORRECTIONS | {"admin_ended", "cancelled", "reopened", "released"}


@dataclass(frozen=True)
class Fact:
    """One row of session_events: kind as there, with detail.field after a space where it has one."""

    id: int
    kind: str
    at: int
    received: int
    lasts: int = 0
    meeting: int = -1
    connection: int = -1
    role: str = "unknown"

    @property
    def arrival(self):
        return self.received, self.id

    @property
    def line(self):
        """What tells one connection of a meeting from another: Zoom's participant, if it named one."""
        return self.connection if self.connection >= 0 else (self.meeting, self.role)


@dataclass(frozen=True)
class Terms:
    """What applied when the link was sent, in seconds (§3.3, §3.8)."""

    duration: int
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
    known: bool
    sides: bool = False
    teacher: int = 0
    student: int = 0
    both: int = 0


class Story:
    """A session's facts, sorted by kind. Each rule below is one method."""

    def __init__(self, terms, facts):
        # A fact told twice is one fact (§3.4).
        self.facts = list({f.id: f for f in facts}.values())
        self.terms = terms
        self.of_kind = {}
        for fact in self.facts:
            self.of_kind.setdefault(fact.kind, []).append(fact)
        self.zoom = [f for f in self.facts if f.kind in ZOOM]
        self.sent = min((f.at for f in self.of("sent")), default=None)
        self.reopenings = self.of("reopened")
        # What a person decided is read in the order received: the last word counts (§3.5, §3.9).
        self.reopening = max(self.reopenings, key=lambda f: f.arrival, default=None)
        if self.sent is not None:
            self.link_end = self.sent + terms.link * SECOND
            self.clicked, self.click_corrected = self.the_click()
            self.deadline = self.the_deadline()

    def of(self, *kinds):
        return [f for kind in kinds for f in self.of_kind.get(kind, ())]

    # --- What the admin fixed ---

    def corrections(self, field):
        """In force: "release drops corrections" (§3.9), so those received after the last release."""
        released = max((f.arrival for f in self.of("released")), default=(-NEVER, 0))
        return [f for f in self.of(f"corrected {field}") if f.arrival > released]

    # --- Is it off? ---

    def closings(self):
        """Moments at which the link was closed: by a person, or by a newer link (§3.8)."""
        return [f.at for f in self.of("cancelled", "superseded")]

    def is_valid(self, moment):
        """Whether the link was valid then (§3.2, §3.8): sent, not over, and not closed."""
        if not self.sent <= moment < self.link_end:
            return False
        for closed in self.closings():
            until = min((r.at for r in self.reopenings if r.at >= closed), default=NEVER)
            if closed <= moment < until:
                return False
        return True

    def is_cancelled(self):
        """Withdrawn or voided by a person, at any moment, unless an admin reopened it later; or superseded
        unopened and never reopened. Of two decisions of people the one received later holds (decide.h)."""
        if any(not self.reopening or f.arrival > self.reopening.arrival for f in self.of("cancelled")):
            return True
        return self.clicked is None and any(f.at < self.link_end for f in self.of("superseded"))

    # --- When did it begin? ---

    def the_click(self):
        """clicked_at (§3.2), and whether a correction says so."""
        corrected = self.corrections("clicked_at")
        if corrected:
            return max(corrected, key=lambda f: f.arrival).at, True
        last = self.reopening.at + self.reopening.lasts if self.reopening else NEVER
        clicks = [f.at for f in self.of("clicked") if self.is_valid(f.at) and f.at < last]
        # A missed class that the admin reopened runs although nobody clicked (the states' drawing).
        return min(clicks or [r.at for r in self.reopenings], default=None), False

    def the_deadline(self):
        """times_out_at: §3.3, or what the reopening says (§3.9)."""
        if self.clicked is None:
            return None
        if self.reopening and self.reopening.at + self.reopening.lasts > self.clicked:
            return self.reopening.at + self.reopening.lasts
        return self.clicked + (self.terms.duration + self.terms.buffer) * SECOND

    # --- Restarts ---

    def is_undone(self, end):
        """Whether the meeting "starts again before the deadline" (§3, drawing), so that "no later start
        follows" (§3.5) does not hold. Zoom's events are not always complete, and a host who starts a new
        meeting ends the old one in the same second (facts §5): so a join shows a start too, if it is
        surely of another meeting: than the one that ended; or than any seen by then, when it was the
        teacher who went, since that ends no meeting."""
        later = [f for f in self.zoom if end.at < f.at < self.deadline]
        if any(f.kind == "zoom_started" for f in later):
            return True
        joined = {f.meeting for f in later if f.kind == "zoom_joined" and f.meeting >= 0}
        if end.kind == "zoom_ended":
            return end.meeting >= 0 and bool(joined - {end.meeting})
        seen = {f.meeting for f in self.zoom if f.at <= end.at and f.meeting >= 0}
        return bool(seen) and bool(joined - seen)

    # --- Candidates, a set a rank (§3.5) ---

    def is_inside(self, fact):
        """[clicked_at, times_out_at] (§3.4, §3.5); once reopened, what ended it before is over."""
        if not self.clicked <= fact.at <= self.deadline:
            return False
        return self.reopening is None or fact.at > self.reopening.at

    def admin_ends(self):
        """"The latest received." A correction may say any moment from the click on, an end is one fact
        more inside the window. What was said before a reopening, the reopening took back."""
        floor = self.reopening.arrival if self.reopening else (-NEVER, 0)
        ends = [f for f in self.corrections("session_ended_at") if f.at >= self.clicked]
        ends += [f for f in self.of("admin_ended") if self.clicked <= f.at <= self.deadline]
        return [f for f in ends if f.arrival > floor]

    def zoom_ends(self):
        return [f for f in self.of("zoom_ended") if self.is_inside(f) and not self.is_undone(f)]

    def teacher_lines(self):
        """The host is recognised by an identifier that not every event carries (facts §5), so one event
        speaks for its whole connection."""
        return {f.line for f in self.facts
                if f.role == "teacher" and (f.kind in ("zoom_joined", "zoom_left") or f.connection >= 0)}

    def is_open(self, line, until):
        """Whether a connection is still up at a moment: its last join has no later leave, and its
        meeting has not ended since. In one second a join beats a leave (facts §4)."""
        mine = [f for f in self.of("zoom_joined", "zoom_left") if f.line == line and f.at <= until]
        joins = [f for f in mine if f.kind == "zoom_joined"]
        if not joins:
            return False
        last = max(joins, key=lambda f: f.at)
        leaves = [f for f in mine if f.kind == "zoom_left" and f.at > last.at]
        ends = [f for f in self.of("zoom_ended")
                if f.meeting == last.meeting and last.at <= f.at <= until]
        return not leaves and not ends

    def teacher_leaves(self):
        """The teacher's own last leave, with no rejoin: a rejoin is another connection, often up before
        Zoom gives up the old one (facts §4)."""
        lines = self.teacher_lines()
        if any(self.is_open(line, self.deadline) for line in lines):
            return []
        leaves = [f for f in self.of("zoom_left") if f.line in lines and self.is_inside(f)]
        return [f for f in leaves if not self.is_undone(f)]

    def teacher_ends(self):
        return [f for f in self.of(*TEACHER) if self.is_inside(f) and not self.is_undone(f)]

    def ran_at(self, moment):
        """Evidence that a meeting ran then (§3.4): an event of it then or later; it had begun, as far as
        its beginning is known, and not ended."""
        for meeting in {f.meeting for f in self.zoom if f.at >= moment}:
            events = [f for f in self.zoom if f.meeting == meeting]
            begun = [f.at for f in events if f.kind in ("zoom_started", "zoom_joined")]
            ended = any(f.kind == "zoom_ended" and f.at < moment for f in events)
            if not ended and (not begun or min(begun) <= moment):
                return True
        return False

    # --- The choice ---

    def the_end(self, now):
        """(moment, ended_by, evidence) of the best rank that has a candidate; of equals the lowest id."""
        passed = now >= self.deadline
        ranks = [
            (self.admin_ends(), lambda f: (-f.received, -f.id), "admin"),
            (self.zoom_ends(), lambda f: (-f.at, f.id), "zoom"),
            (self.teacher_leaves() if passed else [], lambda f: (-f.at, f.id), "zoom"),
            (self.teacher_ends(), lambda f: (f.at, TEACHER.index(f.kind), f.id), None),
        ]
        for candidates, order, who in ranks:
            if candidates:
                best = min(candidates, key=order)
                return best.at, who or {"teacher_ended": "teacher"}.get(best.kind, best.kind), best
        return None

    def row(self, now):
        zoom = bool(self.zoom)
        if self.sent is None:
            return Row("sent", zoom=zoom)
        if self.is_cancelled():
            return Row("cancelled", zoom=zoom)
        if self.clicked is None:
            return Row("missed" if now >= self.link_end else "sent", zoom=zoom)
        start = {"clicked": self.clicked, "deadline": self.deadline, "zoom": zoom}
        end = self.the_end(now)
        if end:
            at, who, fact = end
            corrected = self.click_corrected or fact.kind in CORRECTIONS
            return Row("ended", ended=at, ended_by=who, deciding=fact.id, corrected=corrected, **start)
        if now < self.deadline:
            return Row("active", corrected=self.click_corrected, **start)
        return Row("timeout", ended=self.deadline, estimated=not self.ran_at(self.deadline),
                   corrected=self.click_corrected, **start)


def row_and_unsettled(terms, facts, now):
    """The row of a session (§3.10), and whether time alone leads elsewhere than where the set-based
    timeout would (decide.h)."""
    story = Story(terms, facts)
    r = story.row(now)
    if story.sent is None:
        return r, True
    last = story.row(NEVER)
    if r.status == "sent":
        return r, last.status != "missed"
    if r.status == "active":
        return r, last != Row("timeout", r.clicked, r.deadline, r.deadline, estimated=True,
                              corrected=r.corrected, zoom=r.zoom)
    return r, last != r


# --- What of the evidence in the database counts ---


def own(facts):
    """Without the events of meetings that were taken from the session: the last word on each counts (§3.6)."""
    words = {}
    for fact in facts:
        if fact.kind in ("zoom_assigned", "zoom_released"):
            words[fact.meeting] = fact.kind
    return [f for f in facts if f.kind not in ZOOM or words.get(f.meeting) != "zoom_released"]


def is_over(terms, facts, now):
    return Story(terms, own(facts)).row(now).ended is not None


def heeded(terms, facts):
    """§3.9: "Facts that arrive after a correction are kept and change nothing until it is released." A class
    that goes on after its start was corrected needs facts to end it, and so does one that is reopened
    (docs/decisions.md). Facts are in the order in which they came; corrections of one moment are one."""
    fixed, heard = None, []
    for fact in facts:
        if fact.kind in ("released", "reopened"):
            fixed = None
        elif fact.kind in CORRECTIONS:
            known = [f for f in heard if fixed is None or f.id <= fixed or f.kind in DECISIONS]
            known += [f for f in facts if f.kind in CORRECTIONS and f.received == fact.received and f.id >= fact.id]
            over = is_over(terms, known, fact.received)
            fixed = (fixed or fact.id) if over else None
        heard.append(fact)
    return own([f for f in heard if fixed is None or f.id <= fixed or f.kind in DECISIONS])


# --- Presence (issue: minutes of each side and of both, rejoins merged; presence.h) ---


def union(spans):
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        elif end > start:
            merged.append([start, end])
    return merged


def intersection(some, others):
    return [(max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) < min(b, d)]


def seconds(spans):
    return (2 * sum(end - start for start, end in spans) + SECOND) // (2 * SECOND)


def spans_of(story, line, clicked, ended):
    """When one connection was up."""
    mine = [f for f in story.of("zoom_joined", "zoom_left") if f.line == line]
    leaves = sorted({f.at for f in mine if f.kind == "zoom_left"})

    def until(start, meeting, *latest):
        over = [f.at for f in story.of("zoom_ended") if f.meeting == meeting and f.at >= start]
        return min([*over, *latest, ended])

    for fact in mine:
        if fact.kind == "zoom_joined":
            yield fact.at, until(fact.at, fact.meeting, *[at for at in leaves if at > fact.at])
            continue
        previous = max((at for at in leaves if at < fact.at), default=-NEVER)
        if any(f.kind == "zoom_joined" and previous <= f.at <= fact.at for f in mine):
            continue
        began = [f.at for f in story.of("zoom_started") if f.meeting == fact.meeting and f.at <= fact.at]
        start = previous if previous > -NEVER else max(began, default=clicked)
        yield start, until(start, fact.meeting, fact.at)


def presence(facts, clicked, ended):
    story = Story(Terms(0, 0, 0), facts)
    lines = {f.line for f in story.of("zoom_joined", "zoom_left")}
    teachers = lines & story.teacher_lines()
    if not lines or not teachers:
        return Presence(bool(lines))

    def side(some):
        spans = (span for line in some for span in spans_of(story, line, clicked, ended))
        return intersection(union(spans), [(clicked, ended)])

    teacher, student = side(teachers), side(lines - teachers)
    return Presence(True, True, seconds(teacher), seconds(student), seconds(intersection(teacher, student)))
