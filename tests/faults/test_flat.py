"""What all programs hold, after many calls of each kind: no more than after the first. docs/guarantees.md, P6.

preload.c counts what each process has allocated and not freed, so that a leak of a byte a call is seen after a few dozen
calls; what grows without a new allocation is seen as memory. What a process does for the first time, such as a call out,
stays with it, and comes once: so it must have grown in each of three windows of the same length.
"""

import json
import os
import pathlib
import shutil
import tempfile
import threading
import time
import unittest.mock
import uuid

import pytest

import telegram
import zoom
from plan import Plans
from rig import LONG
from test_instance import offspring
from test_processes import BUILD, ZOOM_URL, Held, World, memory

WARM_UP, WINDOWS = 20, 3
ROUNDS = 8000 if LONG else 18  # of a window, of each of some fifty kinds: more than a million calls in the long run
SELDOM = max(4, ROUNDS // 330)  # with each round of so many comes what takes long: 2,000 sign-ins in the long run
LINKS = 16  # so that no link is opened more often than nginx lets through
ROOMS = 20  # in which meetings end, and chats that begin: answers must not become longer, nor what is read of a class
THREADS = 6
GROWTH_KB = 64  # of a process, in each window
HURRIED = (zoom.WEBHOOK, "/healthz")  # Zoom repeats it too
SLACK = 2  # allocations, in each window
KEPT = 2 * THREADS  # connections, by each of nginx's workers one for each that calls
DESCRIPTORS = 3  # more of a worker that sat the first calls out: it has connected, and called out, meanwhile
RESTS_S = 0.2
PASSWORDS = ("a quiet river 8", "a quiet river 9")


class Flat(World):
    """A world with Zoom and Telegram, whose programs count what they hold."""

    def __init__(self):
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="classclock-plan."))
        self.shared.chmod(0o755)
        names = [file.name for folder in ("cgi", "cron") for file in (BUILD / folder).iterdir()]
        self.plans = Plans(self.shared, names)
        self.telegram = telegram.Telegram()
        settings = (
            f"ZOOM_WEBHOOK_SECRET={zoom.SECRET}",
            f"TELEGRAM_BOT_TOKEN={telegram.TOKEN}",
            f"TELEGRAM_API_BASE={self.telegram.base}",
            f"TELEGRAM_WEBHOOK_SECRET={telegram.SECRET}",
        )
        for name in names:
            self.plans[name].arm()
        with unittest.mock.patch.dict(os.environ, LD_PRELOAD=str(self.plans.library)):
            super().__init__(*settings)

    def down(self):
        super().down()
        self.telegram.stop()
        shutil.rmtree(self.shared, ignore_errors=True)

    def processes(self):
        return {pid: name for name, parent in self.programs().items() for pid in {parent} | offspring(parent)}

    def live(self):
        """What each process has allocated and not freed, once it is at rest."""
        seen, since = None, time.monotonic()
        while time.monotonic() < since + RESTS_S:
            now = {(name, pid): self.plans.live(pid) for pid, name in self.processes().items()}
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(RESTS_S / 10)
        return seen


@pytest.fixture(scope="module")
def app():
    with Flat() as instance:
        yield instance


class Hands:
    """Who makes calls, one after the other: a connection a person."""

    def __init__(self, app):
        self.app, self.callers, self.called = app, {}, set()

    def call(self, person, expected, method, target, body=None, headers=None):
        """The answer's JSON, if it has any. nginx and the login may ask for patience, and so may what has two seconds only."""
        caller = self.callers.setdefault(id(person), self.app.caller(person))
        for _ in range(300):
            status, data = caller.call(method, target, body, headers)
            if status != 429 and not (status == 503 and target in HURRIED):
                break
            time.sleep(1)
        assert status == expected, (method, target, status, data[:200])
        self.called.add(target.split("?")[0].removeprefix("/api").strip("/").replace("/", "_").replace("-", "_"))
        return json.loads(data) if data.startswith(b"{") else None

    def stranger(self):
        """Somebody with a browser of their own, to be named in calls."""
        return self.app.caller()

    def forget(self, person):
        self.callers.pop(id(person)).close()

    def close(self):
        for caller in self.callers.values():
            caller.close()


class Calls:
    """Of each endpoint calls that go all the way, and some that are refused. each() and seldom() make a round of them."""

    def __init__(self, app):
        self.app, self.turn = app, threading.Lock()
        self.student, self.chatty = app.student(), app.student()
        self.links = [app.send(app.student()) for _ in range(LINKS)]
        self.marked = app.send(app.student())["session"]["id"]  # each other mark grows its evidence, so nobody else reads it
        self.request = {"student_id": self.student, "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}
        self.others_id = self.admin("POST", 201, "teachers", {"name": "Tom", "email": "tom@example.org"})["id"]
        self.over = [self.class_that_is_over() for _ in range(LINKS)]
        self.meeting_id = 70000000001
        self.in_zoom = app.send(app.student(), f"https://zoom.us/j/{self.meeting_id}")
        app.open(self.in_zoom)
        self.tap_a_class_that_is_held()
        self.began = zoom.datetime.datetime.now(zoom.datetime.timezone.utc)

    def admin(self, method, status, target, body=None):
        return Hands(self.app).call(self.app.admin, status, method, f"/api/admin/{target}", body)

    def class_that_is_over(self):
        sent, hands = self.app.send(self.app.student()), Hands(self.app)
        self.app.open(sent)
        wish = {"session_id": sent["session"]["id"], "action": "end"}
        return hands.call(self.app.teacher, 200, "POST", "/api/teacher/session", wish)["session"]

    def tap_a_class_that_is_held(self):
        """So that zoom_track has both its connections."""
        sent = self.app.send(self.app.student())
        held = Held(self.app, sent["session"]["id"])
        Hands(self.app).call(None, 302, "GET", sent["join_url"])
        held.release()

    def each(self, i):
        """The calls of round i, as functions of the hands that make them."""
        for one in (self.by_students, self.by_machines, self.by_the_admin, self.by_the_teacher, self.by_anybody):
            for person, status, method, target, *rest in one(i):
                yield lambda hands, call=(person, status, method, target, *rest): hands.call(*call)
        if i % SELDOM == 0:
            yield lambda hands: self.come_and_go(hands, i)
            yield lambda hands: self.teach(hands, i)
            yield lambda hands: self.link_a_chat(hands, i)

    def by_students(self, i):
        link = self.links[i % LINKS]
        yield None, 302, "GET", link["join_url"]
        yield None, 404, "GET", f"/api/zoom/track?token=x{i % LINKS}"
        yield None, 200, "GET", link["leave_url"]

    def by_machines(self, i):
        at = self.began - zoom.datetime.timedelta(seconds=i)
        guest = zoom.Person("Samuel")
        guest.connection = f"CONNECTION-{i % 200}"  # the others are repeats: each makes the evidence longer
        joined = zoom.Meeting(self.meeting_id, "hostOfThisClass", "b2NjdXJyZW5jZQ==").joined(guest, self.began)
        ended = zoom.Meeting(self.meeting_id + 1 + i % ROOMS, "anotherHost", f"occurrence{i % ROOMS:03}==").ended(at)
        for event in (joined, ended):
            yield None, 200, "POST", zoom.WEBHOOK, event, zoom.sign(json.dumps(event).encode())
        yield None, 401, "POST", zoom.WEBHOOK, {"event": "meeting.ended"}
        update = telegram.Updates(self.app).message(5_000_000_000 + i % ROOMS, "/start", update_id=1000 + i)
        yield None, 200, "POST", "/api/telegram/webhook", update, {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
        yield None, 401, "POST", "/api/telegram/webhook", {"update_id": 1}
        yield None, 200, "GET", "/api/cron/session-timeout", None, {"Authorization": f"Bearer {self.app.env['CRON_SECRET']}"}
        yield None, 200, "GET", "/healthz"
        yield None, 200, "GET", "/metrics"

    def by_the_admin(self, i):
        admin, over = self.app.admin, self.over[i % LINKS]
        correct = {"session_id": over["id"], "action": "correct", "reason": f"as agreed {i // SELDOM}"}
        correct["session_ended_at"] = over["session_ended_at"]
        csv = {"kind": "teachers", "csv": "name,email\nA,b@c.de\n", "dry_run": True}
        posts = [("auto-timeout", 200, {}), ("session", 200, correct), ("import", 200, csv),
                 ("teachers", 409, {"name": "A", "email": self.app.email}), ("teachers", 400, {"name": "A", "email": "no address"}),
                 ("student-link", 201, {"student_id": self.student}),
                 ("teacher-link", 201, {"teacher_id": self.app.teacher_id})]  # fmt: skip
        patches = [("teachers", {"id": self.others_id, "name": f"Tom {i % 7}"}), ("students", {"id": self.student, "note": f"x{i % 7}"}),
                   ("packages", {"id": "Europe", "retired": False})]  # fmt: skip
        if i % SELDOM == 0:  # PostgreSQL looks through its files of time zones
            patches.append(("settings", {"link_hours": 12 + i // SELDOM % 2}))
        told = f"session-events?session_id={self.links[1]['session']['id']}"
        gets = ["teacher-sessions?q=a&limit=5", "teacher-sessions?format=csv&q=tom", told,
                "teachers", "students", "packages", "settings", "attention?limit=5", "trends", "zoom-inbox?limit=5",
                "deliveries?limit=5"]  # fmt: skip
        yield from ((admin, status, "POST", f"/api/admin/{name}", body) for name, status, body in posts)
        yield from ((admin, 200, "PATCH", f"/api/admin/{name}", body) for name, body in patches)
        yield from ((admin, 200, "GET", f"/api/admin/{name}") for name in gets)
        yield admin, 400, "POST", "/api/auth/password", {"current_password": "x"}

    def by_the_teacher(self, i):
        teacher, session = self.app.teacher, self.links[0]["session"]["id"]
        yield teacher, 200, "GET", "/api/teacher/students"
        yield teacher, 200, "GET", "/api/teacher/sessions?limit=5"
        yield teacher, 201, "POST", "/api/teacher/send-link", self.request
        yield teacher, 200, "GET", f"/api/teacher/session?session_id={session}"
        room = {"session_id": self.marked, "action": "zoom_url", "zoom_url": f"{ZOOM_URL[:-1]}{i // SELDOM % 7}"}
        yield teacher, 200, "POST", "/api/teacher/session", room
        mark = {"session_id": self.marked, "attendance": ("late", "present")[i // SELDOM % 2]}
        yield teacher, 200, "POST", "/api/teacher/attendance", mark
        yield teacher, 201, "POST", "/api/teacher/student-link", {"student_id": self.student}
        yield teacher, 201, "POST", "/api/teacher/teacher-link", {}
        yield teacher, 200, "GET", "/api/auth/me"

    def by_anybody(self, _):
        yield None, 400, "POST", "/api/auth/login", {"email": self.app.email}
        yield None, 200, "POST", "/api/auth/logout", {}
        yield None, 404, "POST", "/api/auth/accept-invite", {"token": "x", "password": "a quiet river 8"}

    def come_and_go(self, hands, i):
        """Invited anew, with a new password, signed out and in again; one after the other, for it is one account."""
        first, then = PASSWORDS[i // SELDOM % 2], PASSWORDS[1 - i // SELDOM % 2]
        with self.turn:
            invited = hands.call(self.app.admin, 200, "PATCH", "/api/admin/teachers", {"id": self.others_id, "invite": True})
            token, browser = invited["invite_url"].split("#")[1], hands.stranger()
            hands.call(browser, 200, "POST", "/api/auth/accept-invite", {"token": token, "password": first})
            hands.call(browser, 200, "POST", "/api/auth/password", {"current_password": first, "new_password": then})
            hands.call(browser, 200, "POST", "/api/auth/logout", {})
            hands.forget(browser)
            browser = hands.stranger()
            hands.call(browser, 200, "POST", "/api/auth/login", {"email": "tom@example.org", "password": then})
            hands.call(browser, 200, "POST", "/api/auth/logout", {})
            hands.forget(browser)

    def teach(self, hands, i):
        """A class from its link to its end; in Telegram too."""
        teacher, wish = self.app.teacher, {"zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4()), "student_id": self.chatty}
        with self.turn:  # a newer link would withdraw this one
            sent = hands.call(teacher, 201, "POST", "/api/teacher/send-link", wish)
            at = {"session_id": sent["session"]["id"]}
            opened = None
            while opened != "active":  # a tap that takes a second goes to the journal
                hands.call(None, 302, "GET", sent["join_url"].removeprefix(f"http://127.0.0.1:{self.app.port}"))
                seen = hands.call(teacher, 200, "GET", f"/api/teacher/session?session_id={at['session_id']}")
                opened = seen["session"]["session_status"]
            hands.call(teacher, 200, "POST", "/api/teacher/session", {**at, "action": "end"})
            hands.call(self.app.admin, 200, "POST", "/api/admin/session", {**at, "action": "reopen", "reason": f"again {i}"})
            hands.call(self.app.admin, 200, "POST", "/api/admin/session", {**at, "action": "end", "reason": "over"})

    def link_a_chat(self, hands, i):
        made = hands.call(self.app.teacher, 201, "POST", "/api/teacher/student-link", {"student_id": self.chatty})
        chat, code = 6_000_000_000 + i, made["url"].partition("start=")[2]
        update = telegram.Updates(self.app).message(chat, f"/start {code}", update_id=1_000_000 + i)
        hands.call(None, 200, "POST", "/api/telegram/webhook", update, {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET})


def at_the_same_time(app, calls):
    """Makes all the calls, THREADS at a time; the programs that were called."""
    calls, wrong, lock, called = iter(calls), [], threading.Lock(), set()

    def run():
        hands = Hands(app)
        while not wrong:
            with lock:
                call = next(calls, None)
            if not call:
                break
            try:
                call(hands)
            except Exception as problem:  # pylint: disable=broad-except
                wrong.append(problem)
        hands.close()
        called.update(hands.called)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:5]
    return called


class Figures:
    """What all programs together hold now, by process."""

    def __init__(self, app):
        self.live = app.live()
        self.memory = {who: memory(who[1]) for who in self.live}
        self.descriptors = {who: len(os.listdir(f"/proc/{who[1]}/fd")) for who in self.live}
        self.connections = int(app.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'classclock_app'"))


def grown(seen):
    """By process, from each to the next."""
    assert all(set(one) == set(seen[0]) for one in seen)  # nobody has died
    return {who: [after[who] - before[who] for before, after in zip(seen, seen[1:])] for who in seen[0]}


def show(what, first, more):
    print(f"{what} grown in each window, the most first:")
    for who in sorted(more, key=lambda who: sum(more[who]), reverse=True)[:8]:
        print(f"  {who[0]} {first[who]} {more[who]}")
    print(f"  all together {sum(first.values())} {[sum(of_all) for of_all in zip(*more.values())]}")


def test_nothing_grows(app):
    """Allocations, memory, descriptors and connections after many calls of each kind: as after the first few."""
    calls = Calls(app)
    ends = [WARM_UP + n * ROUNDS for n in range(WINDOWS + 1)]
    seen = []
    for some in map(range, [0, *ends], ends):
        called = at_the_same_time(app, (call for i in some for call in calls.each(i)))
        assert called == set(app.programs())
        seen.append(Figures(app))
    live, kb = (grown([getattr(figures, what) for figures in seen]) for what in ("live", "memory"))
    print(f"{WINDOWS} times {ROUNDS} rounds of {len(list(calls.each(1)))} kinds")
    show("allocations", seen[0].live, live)
    show("kB", seen[0].memory, kb)
    assert {who: n for who, n in live.items() if min(n) > SLACK} == {}
    assert {who: n for who, n in kb.items() if min(n) > GROWTH_KB} == {}
    files = grown([figures.descriptors for figures in seen])
    (taps,) = (who for who in live if who[0] == "zoom_track" and who[1] != app.pid("zoom_track"))
    assert sum(files.pop(taps)) <= KEPT  # they come and go
    assert {who: n for who, n in files.items() if min(n) > 0 or sum(n) > DESCRIPTORS} == {}
    connected = sum(any(n) for n in files.values())
    assert seen[-1].connections <= seen[0].connections + connected
