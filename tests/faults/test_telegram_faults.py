"""Messages while things break: nothing is lost, and nothing is sent twice but what cannot be known."""

import os
import pathlib
import random
import signal
import sys
import threading
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import telegram as tg  # noqa: E402
from academy import SEED, ZOOM_URL, Clock, at_once  # noqa: E402
from outage import Academy, Away, Timer, until  # noqa: E402

BOT_ENV = [f"TELEGRAM_BOT_TOKEN={tg.TOKEN}", f"TELEGRAM_WEBHOOK_SECRET={tg.SECRET}"]


@pytest.fixture(scope="module")
def server():
    the_server = tg.Telegram()
    yield the_server
    the_server.stop()


@pytest.fixture(scope="module")
def app(server):
    instance = Academy(lambda _state: [*BOT_ENV, f"TELEGRAM_API_BASE={server.base}"])
    try:
        timer = Timer(instance, "telegram-outbox")
        yield instance.start()
        timer.release()
        check = instance.check()
        assert check.returncode == 0, check.stdout
    finally:
        instance.stop()


@pytest.fixture
def telegram(app, server):
    server.forget()
    until(app.works)
    return server


@pytest.fixture
def clock(app):
    the_clock = Clock(app)
    yield the_clock
    the_clock.reset()


def new_student(app, chat=None):
    wish = {"name": "Sara", "teacher_id": app.teacher_id, "package_id": "Europe"}
    if chat:
        wish["telegram_chat_id"] = chat
    return app.admin.post("/api/admin/students", wish)["id"]


class Sends:
    """Classes that a teacher sends, each to a student with a chat of their own; every request is
    repeated as the page repeats it, with its request_id, until it is answered."""

    def __init__(self, app, telegram, n):
        self.app, self.telegram = app, telegram
        self.wishes = []
        for _ in range(n):
            chat = tg.new_chat()
            wish = {"student_id": new_student(app, chat), "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}
            self.wishes.append((chat, wish))
        self.answers = {}

    @property
    def waiting(self):
        return [pair for pair in self.wishes if pair[0] not in self.answers]

    def attempt(self, chat, wish):
        try:
            answer = self.app.teacher.fork().post("/api/teacher/send-link", wish)
        except (ConnectionError, TimeoutError):
            return
        assert answer.status in (201, 503), answer
        if answer.status == 201:
            self.answers[chat] = answer

    def round(self, some=None):
        """One attempt for those that wait, or for some of them, four at a time."""
        some = self.waiting if some is None else some
        for start in range(0, len(some), 4):
            at_once(*[lambda p=pair: self.attempt(*p) for pair in some[start : start + 4]])

    def pending(self):
        return int(self.app.psql("SELECT count(*) FROM messages WHERE next_at IS NOT NULL"))

    def deliver(self, clock, since=1):
        """The job, minute after minute, until nothing is left to send."""
        for minute in range(since, since + 60):
            if not self.pending():
                return
            clock.move(f"{minute} minutes")
            self.app.job("telegram-outbox")
        raise AssertionError("it was not delivered within an hour")

    def check(self):
        """Each class exists once and its link has arrived; one that arrived twice could not be known."""
        assert self.waiting == []
        for chat, wish in self.wishes:
            session = self.answers[chat]["session"]["id"]
            (row,) = self.app.rows(f"SELECT id FROM sessions WHERE student_id = {wish['student_id']}")
            assert row["id"] == session
            message = self.app.row(f"SELECT state, chat_id FROM messages WHERE session_id = {session}")
            assert message == {"state": "sent", "chat_id": chat}
            shown = self.telegram.shown(chat)
            assert {m.url for m in shown} == {self.answers[chat]["join_url"]}
            in_doubt = self.app.rows(
                "SELECT d.outcome FROM deliveries d JOIN messages m ON m.id = d.message_id"
                f" WHERE m.session_id = {session} AND d.state = 'unknown'"
            )
            assert 1 <= len(shown) <= 1 + len(in_doubt), in_doubt


@pytest.mark.parametrize("how", ["stopped", "hung", "read-only"])
def test_the_database_goes_in_the_middle_of_a_burst(app, telegram, clock, how):
    """Some wait for Telegram's answer when it goes: what was sent then is known to nobody."""
    sends = Sends(app, telegram, 24)
    sends.round(sends.waiting[:8])
    assert len(sends.answers) == 8
    telegram.will(*[tg.after(0.4)] * 4)
    in_flight = sends.waiting[:4]
    burst = threading.Thread(target=lambda: sends.round(in_flight))
    burst.start()
    until(lambda: len(telegram.sent()) >= 9)
    with Away(app, how):
        sends.round(sends.waiting[4:10])
    burst.join()
    until(lambda: sends.round() or not sends.waiting)
    sends.deliver(clock)
    sends.check()


def test_the_database_is_cut_off_while_messages_are_sent(app, telegram, clock):
    sends, done, cuts = Sends(app, telegram, 16), threading.Event(), []

    def cut():
        while not done.is_set():
            cuts.append(
                app.psql(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE usename = 'classclock_app' AND state <> 'idle'"
                )
            )

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        sends.round()
    finally:
        done.set()
        cutter.join()
    assert any(int(n) for n in cuts), "nothing was cut: the test shows nothing"
    until(lambda: sends.round() or not sends.waiting)
    sends.deliver(clock)
    sends.check()


def children(app, name):
    parent = app.pid(name)
    return [int(pid) for pid in open(f"/proc/{parent}/task/{parent}/children").read().split()]


class Killer:
    """Kills workers of a program, a few times a second, inside the with."""

    def __init__(self, app, name):
        self.app, self.name, self.killed = app, name, 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.done.wait(0.03):
            for pid in children(self.app, self.name)[:3]:
                try:
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1
                except ProcessLookupError:
                    pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def test_workers_are_killed_while_links_are_sent(app, telegram, clock):
    sends = Sends(app, telegram, 24)
    telegram.will_always(tg.after(0.05))
    with Killer(app, "teacher_send_link") as killer:
        sends.round()
    assert killer.killed
    until(lambda: sends.round() or not sends.waiting)
    sends.deliver(clock)
    sends.check()


def test_the_job_is_killed_at_any_moment(app, telegram, clock):
    print(f"CLASSCLOCK_SEED={SEED}")
    pick = random.Random(SEED)
    sends = Sends(app, telegram, 30)
    telegram.down()
    sends.round()
    telegram.up()
    telegram.will_always(tg.after(5))
    interrupted = "SELECT count(*) FROM deliveries WHERE outcome = 'interrupted'"
    killed, before = 0, int(app.psql(interrupted))
    for n in range(1, 25):
        clock.move(f"{n} minutes")  # who was killed is taken for dead by then
        job = app.start_job("telegram-outbox")
        if n == 1:  # with a message on its way, however slowly it starts
            until(telegram.sent)
            telegram.will_always(tg.after(0.1))
        else:
            time.sleep(pick.random() * 0.4)  # the moment of the kill is what is drawn
        job.kill()
        killed += job.wait() == -signal.SIGKILL
    assert killed
    sends.deliver(clock, 25)
    assert int(app.psql(interrupted)) > before, "no message was on its way: the test shows nothing"
    sends.check()


def test_workers_are_killed_while_people_link_their_chats(app, telegram, clock):
    """Telegram repeats an update until it is taken: each code binds once, and is answered."""
    updates, people = tg.Updates(app), []
    for _ in range(16):
        student = new_student(app)
        link = app.admin.post("/api/admin/student-link", {"student_id": student})
        assert link.status == 201, link
        chat = tg.new_chat()
        people.append((student, chat, updates.message(chat, f"/start {link['url'].split('start=')[1]}")))
    taken = set()

    def post(chat, update):
        try:
            answer = updates.post(update)
        except (ConnectionError, TimeoutError):
            return
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            taken.add(chat)

    def round_():
        waiting = [(chat, update) for _, chat, update in people if chat not in taken]
        for start in range(0, len(waiting), 4):
            at_once(*[lambda w=w: post(*w) for w in waiting[start : start + 4]])
        return len(taken) == len(people)

    telegram.will_always(tg.after(0.05))
    with Killer(app, "telegram_webhook") as killer:
        round_()
    assert killer.killed
    until(round_)
    clock.move("2 minutes")
    app.job("telegram-outbox")
    for student, chat, update in people:
        assert app.row(f"SELECT telegram_chat_id AS id FROM students WHERE id = {student}")["id"] == chat
        (message,) = app.rows(f"SELECT kind, state FROM messages WHERE update_id = {update['update_id']}")
        assert message == {"kind": "student_linked", "state": "sent"}
        assert telegram.shown(chat)
