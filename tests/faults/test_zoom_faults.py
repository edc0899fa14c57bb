"""Zoom's events while things break: after its retries each counts once, as if nothing had been."""

import hashlib
import hmac
import os
import pathlib
import random
import re
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import zoom  # noqa: E402
from academy import ROOT, SEED, Clock, at_once  # noqa: E402
from outage import Academy, Away, Timer, clicked, until  # noqa: E402
from test_zoom_days import (  # noqa: E402
    BreakoutRooms,
    CrashWithLateLeft,
    Day,
    FortyMinutes,
    OverranIntoTheNext,
    Telling,
    ThreeInARow,
    at,
    check_row,
)

STORIES = [BreakoutRooms, CrashWithLateLeft, FortyMinutes, ThreeInARow, OverranIntoTheNext]
ZOOM_WAITS_MS = 3000
NGINX_SAYS = (ROOT / "nginx/errors/503.json").read_bytes()
ATTEMPTS = 4  # the first and three retries. Source: facts of Zoom, 3


@pytest.fixture(scope="module")
def app():
    instance = Academy(lambda _state: [f"ZOOM_WEBHOOK_SECRET={zoom.SECRET}"])
    try:
        timer = Timer(instance, "journal-replay")
        yield instance.start()
        timer.release()
        check = instance.check()
        assert check.returncode == 0, check.stdout
    finally:
        instance.stop()


class Sender:
    """Zoom's side: hands each event over until it is taken, a few at a time. nginx sees to it that it is
    answered in time; refused is whether a program has done so itself."""

    def __init__(self, app, events):
        self.refused = False
        self.app, self.events = app, events
        self.attempts = dict.fromkeys(range(len(events)), 0)
        self.waiting = list(range(len(events)))

    def attempt(self, i):
        """Whether it was taken. What is neither 2xx nor 5xx in time would be lost for good."""
        self.attempts[i] += 1
        try:
            answer = zoom.deliver(self.app.client(), self.events[i])
        except ConnectionError:
            return False
        assert answer.status in (200, 503), answer
        self.refused |= answer.status == 503 and answer.body != NGINX_SAYS
        return answer.status == 200

    def round(self, some=None):
        """One attempt for those that wait, or for some of them, four at a time."""
        some = self.waiting if some is None else some
        taken = set()
        for start in range(0, len(some), 4):
            four = some[start : start + 4]
            results = at_once(*[lambda i=i: self.attempt(i) for i in four])
            taken |= {i for i, was_taken in zip(four, results) if was_taken}
        self.waiting = [i for i in self.waiting if i not in taken]
        return taken

    def finish(self):
        """Whatever attempts Zoom has left for those that wait."""
        while self.waiting and max(self.attempts[i] for i in self.waiting) < ATTEMPTS:
            self.round()
        assert self.waiting == []


class Classes:
    """The classes of a few recorded days, held, and their events in any order."""

    def __init__(self, app, random_):
        self.clock = Clock(app)
        self.app = app
        self.tellings = [Telling(kind, "", None, None) for kind in STORIES]
        events = [event for telling in self.tellings for event in telling.story.events]
        self.events = random_.sample(events, len(events))

    def hold(self):
        until(self._clicks_arrive)
        day = Day(self.app, self.clock, None, None, None)
        day.send, day.open = self._send, self._open
        day.hold(self.tellings)
        self.clock.reset()

    def _clicks_arrive(self):
        """Whether a tap reaches the database again, after an outage of an earlier test."""
        sent = self.app.send()
        self.app.tap(sent)
        return self.app.session(sent["session"]["id"])["clicked_at"] is not None

    def _send(self, telling, n):
        telling.sent[n] = self.app.send(f"https://us02web.zoom.us/j/{telling.story.meeting_id}")

    def _open(self, telling, n):
        until(lambda: self._opens(telling.sent[n]))

    def _opens(self, sent):
        """Whether the tap came to the database in its second, else by the journal with a moment of another clock."""
        assert self.app.client().open(sent["join_url"]).status == 302
        for file in [self.app.journal / "journal", *self.app.journal.glob("*.replay")]:
            file.unlink(missing_ok=True)
        return clicked(self.app, sent)

    def check(self):
        assert self.app.job("session-timeout").returncode == 0
        for telling in self.tellings:
            print(type(telling.story).__name__)
            for session_id, expected in zip(telling.session_ids, telling.story.expected):
                check_row(self.app.session(session_id), expected, False)
        self._count()

    def _count(self):
        """Each event counts in one session and once. One that came before those that told whose it was
        may also be kept with the session that it was taken from: evidence is never deleted."""
        of_theirs = (
            f"WHERE e.session_id = ANY (ARRAY{sum((t.session_ids for t in self.tellings), [])})"
            " AND e.kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')"
        )
        counted = self.app.row(
            "SELECT count(*) AS n, count(DISTINCT e.dedupe) AS keys FROM session_events e"
            f" JOIN zoom_occurrences o ON o.uuid = e.detail->>'uuid' AND o.session_id = e.session_id {of_theirs}"
        )
        assert counted == {"n": len(self.events), "keys": len(self.events)}
        unexplained = self.app.rows(
            f"SELECT e.session_id, e.dedupe FROM session_events e {of_theirs} AND NOT EXISTS ("
            "SELECT FROM zoom_occurrences o WHERE o.uuid = e.detail->>'uuid' AND o.session_id = e.session_id)"
            " AND NOT EXISTS (SELECT FROM session_events gone WHERE gone.session_id = e.session_id"
            "  AND gone.kind = 'zoom_released' AND gone.detail->>'uuid' = e.detail->>'uuid')"
        )
        assert unexplained == []


@pytest.fixture
def classes(app):
    print(f"CLASSCLOCK_SEED={SEED}")
    return Classes(app, random.Random(SEED))


@pytest.fixture
def held(classes):
    """The same, and their links were sent and opened."""
    classes.hold()
    return classes


@pytest.mark.parametrize("how", ["stopped", "hung", "read-only"])
def test_the_database_goes_in_the_middle_of_a_burst(app, held, how):
    sender = Sender(app, held.events)
    third = len(held.events) // 3
    sender.round(sender.waiting[:third])
    with Away(app, how):
        assert not sender.round(sender.waiting[:12])
    assert sender.refused
    sender.finish()
    held.check()


def test_the_database_is_cut_off_while_events_are_applied(app, held):
    """What was cut may have been committed: the retry finds it, and it counts once."""
    sender, done = Sender(app, held.events), threading.Event()

    def cut():
        while not done.is_set():
            app.psql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'classclock_app' AND state <> 'idle'"
            )

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        sender.round()
    finally:
        done.set()
        cutter.join()
    assert sender.waiting, "nothing was cut: the test shows nothing"
    sender.finish()
    held.check()


def workers(app):
    parent = app.pid("zoom_webhook")
    return [int(pid) for pid in open(f"/proc/{parent}/task/{parent}/children").read().split()]


def test_workers_are_killed_while_events_are_applied(app, held):
    sender, done, killed = Sender(app, held.events), threading.Event(), []

    def kill():
        while not done.is_set():
            for pid in workers(app)[:2]:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        sender.round()
    finally:
        done.set()
        killer.join()
    assert killed
    until(lambda: len(workers(app)) >= 4)
    sender.finish()
    held.check()


def test_the_job_is_killed_at_any_moment(app, classes):
    """Links sent and opened after Zoom had told: the job assigns, dies, and the next run goes on."""
    classes.clock.stop(at("07:00").isoformat())
    sender = Sender(app, classes.events)
    sender.finish()
    classes.hold()
    killed = 0
    for n in range(20):
        job = app.start_job("session-timeout")
        time.sleep(0.003 * n)  # the moment of the kill: from its first instruction on
        job.kill()
        killed += job.wait() == -signal.SIGKILL
    assert killed
    classes.check()


@pytest.mark.parametrize("how", ["stopped", "hung", "read-only"])
def test_the_challenge_is_answered_without_the_database(app, how):
    event = {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "abc_1"}}
    with Away(app, how):
        answer = zoom.deliver(app.client(), event)
    mac = hmac.new(zoom.SECRET.encode(), b"abc_1", hashlib.sha256).hexdigest()
    assert answer.status == 200
    assert answer.json == {"plainToken": "abc_1", "encryptedToken": mac}


def test_nginx_answers_in_time_for_a_program_that_is_stuck(app):
    """Else an answer would prove nothing to Zoom, which has gone by then."""
    configuration = (app.state / "nginx/classclock/site.conf").read_text()
    location = configuration.split("location = /api/zoom/webhook {")[1].split("}")[0]
    limits = dict(re.findall(r"fastcgi_(\w+)_timeout (\d+)ms;", location))
    assert set(limits) == {"send", "read"} and all(int(ms) < ZOOM_WAITS_MS for ms in limits.values())
    stuck = [app.pid("zoom_webhook"), *workers(app)]
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = zoom.deliver(app.client(), {"event": "meeting.ended", "event_ts": 1, "payload": {}})
    finally:
        for pid in stuck:
            os.kill(pid, signal.SIGCONT)
    assert answer.status == 503 and answer.body == NGINX_SAYS


@pytest.mark.parametrize("how", ["stopped", "hung"])
def test_nothing_unsigned_learns_of_the_outage(app, how):
    event = {"event": "meeting.ended", "event_ts": 1, "payload": {}}
    with Away(app, how):
        assert zoom.deliver(app.client(), event, secret="another").status == 401
