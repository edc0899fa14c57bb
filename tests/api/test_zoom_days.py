"""Recorded days: what Zoom tells of a class, in whatever order, gives one row, to the second.

A story is what happened: links sent and opened, and Zoom's events. It is told to the product several
times over, each time in another order (the seed is in the test's output), and must end the same.
"""

import datetime
import itertools
import os
import random

import pytest

import zoom
from academy import SEED, Clock, at_once

LONG = bool(os.environ.get("CLASSCLOCK_LONG"))
DAY = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
HOST = "HostSyntheticXXXXXXXXX"

_meeting_ids = itertools.count(81200000001)


def at(time):
    """A moment of the day: "10:02" or "10:02:30"."""
    full = time if time.count(":") == 2 else time + ":00"
    return datetime.datetime.fromisoformat(f"{DAY}T{full}+00:00")


class Story:
    """One room, its classes and its events. Tell it in subclasses."""

    classes = [("09:50", "10:02")]  # sent, opened
    expected = []  # of each class: end, by whom, seconds of teacher, student and both

    def __init__(self):
        self.meeting_id = next(_meeting_ids)
        self.host = zoom.Person("Hana", HOST)
        self.guest = zoom.Person("Ann")
        self.events = self.tell()

    def tell(self):
        raise NotImplementedError

    def meeting(self):
        return zoom.Meeting(self.meeting_id, HOST)

    def usual(self, start, come, go, end, guest=None):
        """A class without anything special, in an occurrence of its own."""
        m, guest = self.meeting(), guest or self.guest
        guest.dial()
        self.host.dial()
        return [
            m.started(at(start)),
            m.joined(self.host, at(start)),
            m.joined(guest, at(come)),
            m.left(guest, at(go)),
            m.left(self.host, at(end), reason="Host ended the meeting."),
            m.ended(at(end)),
        ]


class Usual(Story):
    expected = [("10:50:05", "zoom", 2885, 2800, 2800)]

    def tell(self):
        return self.usual("09:58", "10:03:10", "10:49:50", "10:50:05")


class BreakoutRooms(Story):
    """Moves between rooms are a leave and a join in one second, of one connection."""

    expected = [("10:50:05", "zoom", 2885, 2800, 2800)]

    def tell(self):
        m, moves = self.meeting(), []
        for who, when in itertools.product((self.guest, self.host), ("10:20", "10:35:12")):
            moves += [m.left(who, at(when)), m.joined(who, at(when))]
        return [
            m.started(at("09:58")),
            m.joined(self.host, at("09:58")),
            m.joined(self.guest, at("10:03:10")),
            *moves,
            m.left(self.guest, at("10:49:50")),
            m.left(self.host, at("10:50:05")),
            m.ended(at("10:50:05")),
        ]


class CrashWithLateLeft(Story):
    """The student's phone dies; the old connection is given up long after the new one is there."""

    expected = [("10:50:05", "zoom", 2885, 2800, 2800)]

    def tell(self):
        m, old = self.meeting(), self.guest.connection
        self.guest.dial()
        return [
            m.started(at("09:58")),
            m.joined(self.host, at("09:58")),
            m.joined(self.guest, at("10:03:10"), connection=old),
            m.joined(self.guest, at("10:30:40")),
            m.left(self.guest, at("10:31:15"), connection=old, reason="Client Close."),
            m.left(self.guest, at("10:49:50")),
            m.left(self.host, at("10:50:05")),
            m.ended(at("10:50:05")),
        ]


class TeacherDrops(Story):
    """Two and a half minutes without the teacher; her own end is not that of the class."""

    expected = [("10:50:05", "zoom", 2885 - 150, 2800, 2800 - 150)]

    def tell(self):
        m, old = self.meeting(), self.host.connection
        self.host.dial()
        return [
            m.started(at("09:58")),
            m.joined(self.host, at("09:58"), connection=old),
            m.joined(self.guest, at("10:03:10")),
            m.left(self.host, at("10:30"), connection=old, reason="Client Close."),
            m.joined(self.host, at("10:32:30")),
            m.left(self.guest, at("10:49:50")),
            m.left(self.host, at("10:50:05")),
            m.ended(at("10:50:05")),
        ]


class RejoinBeforeLeft(Story):
    """The teacher's rejoin is there before the old connection is given up; Zoom's end is lost."""

    expected = [("10:50:05", "zoom", 2885, 2800, 2800)]

    def tell(self):
        m, old = self.meeting(), self.host.connection
        self.host.dial()
        return [
            m.started(at("09:58")),
            m.joined(self.host, at("09:58"), connection=old),
            m.joined(self.guest, at("10:03:10")),
            m.joined(self.host, at("10:30:10")),
            m.left(self.host, at("10:31:20"), connection=old),
            m.left(self.guest, at("10:49:50")),
            m.left(self.host, at("10:50:05")),
        ]


class FortyMinutes(Story):
    """A free account stops after 40 minutes; the class goes on: one class, one start, one end."""

    expected = [("10:55", "zoom", 2280 + 750, 2210 + 720, 2210 + 720)]

    def tell(self):
        return [
            *self.usual("09:58", "10:03:10", "10:40", "10:40"),
            *self.usual("10:42:30", "10:43", "10:55", "10:55"),
        ]


class RestartThenSilence(Story):
    """It starts again and nothing more is heard: the deadline ends it."""

    expected = [("11:12", None, 2280 + 1770, 2210, 2210)]
    estimated = True

    def tell(self):
        again = self.usual("10:42:30", "10:43", "10:55", "10:55")[:2]
        return [*self.usual("09:58", "10:03:10", "10:40", "10:40"), *again]


class HostLeavesFirst(Story):
    expected = [("10:50:30", "zoom", 2760, 2840, 2690)]

    def tell(self):
        m = self.meeting()
        return [
            m.started(at("09:58")),
            m.joined(self.host, at("09:58")),
            m.joined(self.guest, at("10:03:10")),
            m.left(self.host, at("10:48")),
            m.left(self.guest, at("10:50:30")),
            m.ended(at("10:50:30")),
        ]


class StudentLeavesFirst(Story):
    expected = [("10:52", "zoom", 3000, 2210, 2210)]

    def tell(self):
        return self.usual("09:58", "10:03:10", "10:40", "10:52")


class StudentComesFirst(Story):
    """The student waits in the meeting; the teacher starts it later and alone is late."""

    expected = [("10:50:05", "zoom", 2695, 2875, 2695)]

    def tell(self):
        m = self.meeting()
        return [
            m.joined(self.guest, at("10:02:10")),
            m.started(at("10:05:10")),
            m.joined(self.host, at("10:05:10")),
            m.left(self.host, at("10:50:05")),
            m.left(self.guest, at("10:50:05"), reason="Host ended the meeting."),
            m.ended(at("10:50:05")),
        ]


class PastTheDeadline(Story):
    """Zoom shows that it still ran at the deadline: a timeout, but no estimate."""

    expected = [("11:12", None, 4200, 4130, 4130)]
    estimated = False

    def tell(self):
        return self.usual("09:58", "10:03:10", "11:30", "11:30")


class NoEndAtAll(Story):
    expected = [("11:12", None, 4200, 4130, 4130)]
    estimated = True

    def tell(self):
        return self.usual("09:58", "10:03:10", "10:50", "10:50")[:3]


class TestOfTheRoom(Story):
    """The teacher tries the room before the class: that end is of an earlier meeting."""

    __test__ = False
    classes = [("09:30", "10:02")]
    expected = [("10:50:05", "zoom", 2885, 2800, 2800)]

    def tell(self):
        m = self.meeting()
        return [
            m.started(at("09:40")),
            m.joined(self.host, at("09:40")),
            m.left(self.host, at("09:45")),
            m.ended(at("09:45")),
            *self.usual("09:58", "10:03:10", "10:49:50", "10:50:05"),
        ]


class ThreeInARow(Story):
    """A personal room: each class has the occurrence that began after its link was sent."""

    classes = [("09:50", "10:02"), ("10:52", "11:01"), ("11:55", "12:03")]
    expected = [
        ("10:50:05", "zoom", 2885, 2800, 2800),
        ("11:49", "zoom", 2880, 2790, 2790),
        ("12:50", "zoom", 2820, 2700, 2700),
    ]

    def tell(self):
        return [
            *self.usual("09:58", "10:03:10", "10:49:50", "10:50:05"),
            *self.usual("10:58", "11:02:30", "11:49", "11:49", zoom.Person("Ben")),
            *self.usual("11:59", "12:05", "12:50", "12:50", zoom.Person("Cleo")),
        ]


class ThreeSentInTheMorning(ThreeInARow):
    """The same, but all links are out before the first class."""

    classes = [("08:00", "10:02"), ("08:01", "11:01"), ("08:02", "12:03")]


class OverranIntoTheNext(Story):
    """The class before is still in the room when the next student opens the link."""

    classes = [("09:50", "10:02"), ("10:55", "11:00")]
    expected = [
        ("11:05:20", "zoom", 3800, 3730, 3730),
        ("11:55", "zoom", 2930, 2870, 2870),
    ]

    def tell(self):
        return [
            *self.usual("09:58", "10:03:10", "11:05:20", "11:05:20"),
            *self.usual("11:06:10", "11:07:10", "11:55", "11:55", zoom.Person("Ben")),
        ]


class TwoOnOneLink(Story):
    """Two sessions at once: the meeting is that of the first to open it, the other's is unknown."""

    classes = [("09:50", "10:02"), ("09:51", "10:03")]
    expected = [("10:50:05", "zoom", 2885, 2800, 2800), ("11:13", None, None, None, None)]
    estimated = True

    def tell(self):
        return self.usual("09:58", "10:03:10", "10:49:50", "10:50:05")


class ReusedLink(Story):
    """The same link a few hours later."""

    classes = [("07:50", "08:00"), ("12:50", "13:00")]
    expected = [
        ("08:40", "zoom", 2400, 2340, 2340),
        ("13:45", "zoom", 2700, 2640, 2640),
    ]

    def tell(self):
        return [
            *self.usual("07:58", "08:01", "08:40", "08:40"),
            *self.usual("12:58", "13:01", "13:45", "13:45"),
        ]


class RestartAfterTheNextWasSent(Story):
    """From the moment the next link is sent, restarts are its own, also if nobody opens it."""

    classes = [("09:50", "10:02"), ("10:41", None)]
    expected = [("10:40", "zoom", 2280, 2210, 2210), None]

    def tell(self):
        return [
            *self.usual("09:58", "10:03:10", "10:40", "10:40"),
            *self.usual("10:42:30", "10:43", "10:55", "10:55"),
        ]


STORIES = [
    Usual,
    BreakoutRooms,
    CrashWithLateLeft,
    TeacherDrops,
    RejoinBeforeLeft,
    FortyMinutes,
    RestartThenSilence,
    HostLeavesFirst,
    StudentLeavesFirst,
    StudentComesFirst,
    PastTheDeadline,
    NoEndAtAll,
    TestOfTheRoom,
    ThreeInARow,
    ThreeSentInTheMorning,
    OverranIntoTheNext,
    TwoOnOneLink,
    ReusedLink,
    RestartAfterTheNextWasSent,
]


class Telling:
    """One story, told in one way."""

    def __init__(self, kind, way, order, deliver):
        self.story, self.way, self.order, self.deliver = kind(), way, order, deliver
        self.sent = [None] * len(self.story.classes)
        self.session_ids = []

    def tell(self, client):
        self.deliver(client, self.order(self.story.events))


def one_by_one(client, events):
    for event in events:
        assert zoom.deliver(client, event).status == 200


def at_once_by_six(client, events):
    for start in range(0, len(events), 6):
        some = events[start : start + 6]
        answers = at_once(*[lambda e=e: zoom.deliver(client, e) for e in some])
        assert [a.status for a in answers] == [200] * len(some)


BEFORE_SENDING, BEFORE_OPENING = "before the links were sent", "before they were opened"


def tellings(random_):
    """All stories in all ways."""

    def shuffled(events):
        return random_.sample(events, len(events))

    ways = [
        (BEFORE_SENDING, shuffled, one_by_one),
        (BEFORE_OPENING, shuffled, one_by_one),
        ("as it happened", lambda e: e, one_by_one),
        ("backwards", lambda e: e[::-1], one_by_one),
        ("four times each, in any order", lambda e: shuffled(e * 4), one_by_one),
        ("twice each, many at once", lambda e: shuffled(e * 2), at_once_by_six),
        *((f"in any order, {n}", shuffled, one_by_one) for n in range(40 if LONG else 2)),
    ]
    return [Telling(kind, *way) for kind in STORIES for way in ways]


class Day:
    """All classes of all stories, held at their moments by the database's clock."""

    def __init__(self, app, clock, teacher, make_student, send):
        self.app, self.clock, self.teacher = app, clock, teacher
        self.make_student, self._send = make_student, send
        self.client = app.client()

    def now(self, time):
        self.clock.stop(at(time).isoformat())

    def send(self, telling, n):
        url = f"https://us02web.zoom.us/j/{telling.story.meeting_id}?pwd=Zm9vYmFy.1"
        telling.sent[n] = self._send(self.teacher, self.make_student(self.teacher), zoom_url=url)

    def open(self, telling, n):
        path = telling.sent[n]["join_url"].removeprefix(self.app.url)
        assert self.client.get(path).status == 302

    def hold(self, tellings_):
        """Sends and opens their links."""
        moments = {}
        for telling in tellings_:
            for n, (send_at, open_at) in enumerate(telling.story.classes):
                moments.setdefault(send_at, []).append((self.send, telling, n))
                if open_at:
                    moments.setdefault(open_at, []).append((self.open, telling, n))
        for moment in sorted(moments, key=at):
            self.now(moment)
            for step, telling, n in moments[moment]:
                step(telling, n)
                if telling.way == BEFORE_OPENING and telling.sent[-1] and step == self.send:
                    telling.tell(self.client)
        for telling in tellings_:
            telling.session_ids = [sent["session"]["id"] for sent in telling.sent]


@pytest.fixture(scope="module")
def told(app, make_teacher, make_student, send):
    random_ = random.Random(SEED)
    all_ = tellings(random_)
    clock = Clock(app)
    day = Day(app, clock, make_teacher(), make_student, send)
    try:
        # Zoom's events may be there before the session is: a clock is wrong, a click was kept back.
        day.now("07:00")
        for telling in all_:
            if telling.way == BEFORE_SENDING:
                telling.tell(day.client)
        day.hold(all_)
        for telling in all_:
            if telling.way not in (BEFORE_SENDING, BEFORE_OPENING):
                telling.tell(day.client)
        day.now("14:30")
        assert app.job("session-timeout").returncode == 0
    finally:
        clock.reset()
    return all_


def seen(session):
    end = session["session_ended_at"] and datetime.datetime.fromisoformat(session["session_ended_at"])
    presence = (session[f"{who}_seconds"] for who in ("teacher", "student", "both"))
    return (end, session["ended_by"], *presence)


def check_row(session, expected, estimated):
    if expected is None:
        assert session["session_ended_at"] is None
        return
    end, ended_by, *presence = expected
    assert seen(session) == (at(end), ended_by, *presence)
    assert session["session_status"] == ("ended" if ended_by else "timeout")
    if not ended_by:
        assert session["estimated"] == estimated
    elapsed = (at(end) - datetime.datetime.fromisoformat(session["clicked_at"])).total_seconds()
    assert session["session_duration_minutes"] == int(elapsed / 60 + 0.5)


@pytest.mark.parametrize("kind", STORIES, ids=lambda k: k.__name__)
def test_every_order_gives_the_same_class(app, told, kind):
    print(f"CLASSCLOCK_SEED={SEED}")
    for telling in told:
        if type(telling.story) is not kind:
            continue
        print(telling.way)
        for session_id, expected in zip(telling.session_ids, telling.story.expected):
            check_row(app.session(session_id), expected, getattr(kind, "estimated", False))


@pytest.mark.parametrize("kind", STORIES, ids=lambda k: k.__name__)
def test_every_fact_counts_in_one_session_and_once(app, told, kind):
    for telling in told:
        if type(telling.story) is not kind:
            continue
        counted = app.row(
            "SELECT count(*) AS facts, count(DISTINCT e.dedupe) AS keys FROM session_events e"
            " JOIN zoom_occurrences o ON o.uuid = e.detail->>'uuid' AND o.session_id = e.session_id"
            f" WHERE e.session_id = ANY (ARRAY{telling.session_ids})"
            " AND e.kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')"
        )
        n = len(telling.story.events)
        assert counted == {"facts": n, "keys": n}, telling.way


def test_each_order_of_a_tap_and_four_events(app, clock, make_teacher, make_student, send):
    """The tap too may come before, between and after what Zoom tells: of the 120 orders a third, or all."""
    print(f"CLASSCLOCK_SEED={SEED}")
    teacher, client, classes = make_teacher(), app.client(), []
    orders = list(itertools.permutations(range(5)))
    clock.stop(at("09:50").isoformat())
    for order in orders if LONG else random.Random(SEED).sample(orders, 40):
        meeting_id = next(_meeting_ids)
        url = f"https://us02web.zoom.us/j/{meeting_id}?pwd=Zm9vYmFy.1"
        sent = send(teacher, make_student(teacher), zoom_url=url)
        meeting, host = zoom.Meeting(meeting_id, HOST), zoom.Person("Hana", HOST)
        events = [
            meeting.started(at("09:58")),
            meeting.joined(host, at("09:58")),
            meeting.left(host, at("10:50")),
            meeting.ended(at("10:50:05")),
        ]
        classes.append((order, sent, events))
    clock.stop(at("10:02").isoformat())
    for order, sent, events in classes:
        for step in order:
            if step < len(events):
                assert zoom.deliver(client, events[step]).status == 200
            else:
                assert client.get(sent["join_url"].removeprefix(app.url)).status == 302
    clock.stop(at("14:30").isoformat())
    assert app.job("session-timeout").returncode == 0
    for order, sent, _ in classes:
        print(order)
        check_row(app.session(sent["session"]["id"]), ("10:50:05", "zoom", 2880, 0, 0), False)


@pytest.mark.parametrize("told_late", [False, True])
def test_a_restart_undoes_the_teacher_s_word_and_not_the_next(
    app, clock, make_teacher, make_student, send, tap, told_late
):
    """Ended by mistake, started again, ended: whenever Zoom tells of the restart, the second end counts."""
    meeting_id = next(_meeting_ids)
    first, second = zoom.Meeting(meeting_id, HOST), zoom.Meeting(meeting_id, HOST)
    teacher, client = make_teacher(), app.client()
    clock.stop(at("09:50").isoformat())
    sent = send(teacher, make_student(teacher), zoom_url=f"https://us02web.zoom.us/j/{meeting_id}?pwd=a.1")
    clock.stop(at("10:02").isoformat())
    tap(sent["join_url"])
    one_by_one(client, [first.started(at("10:02"))])
    steps = [
        ("10:40", lambda: teacher.act(sent["session"]["id"], "end")),
        ("10:41", lambda: zoom.deliver(client, second.started(at("10:41")))),
        ("10:55", lambda: teacher.act(sent["session"]["id"], "end")),
    ]
    if told_late:
        steps.append(("10:59", steps.pop(1)[1]))
    for moment, step in steps:
        clock.stop(at(moment).isoformat())
        assert step().status == 200
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher")
    assert datetime.datetime.fromisoformat(row["session_ended_at"]) == at("10:55")
