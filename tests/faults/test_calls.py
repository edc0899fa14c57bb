"""A fault at every call: for each endpoint and job the n-th of some calls fails, once or for ever.

A worker ends only where memory or randomness is gone, and is replaced; nothing leaks or hangs, nobody is told what is not
so, and the same call again is right, its effect there exactly once. CLASSCLOCK_LONG=1: every n; CLASSCLOCK_PROGRAM=zoom_track:
of that program only.
"""

import collections
import concurrent.futures
import errno
import functools
import json
import os
import random
import re
import time
import uuid

import pytest

import office
import telegram
import zoom
from academy import PASSWORD, PHONE, SEED, ZOOM_URL, moment, wait_for
from cases import HANGS_S, Case, a_class, account, ask, chat_code, invitation, opened
from outage import running
from plan import SHORT
from rig import LONG

# Each kind of call, and how it may fail.
KINDS = {
    "malloc": [errno.ENOMEM],
    "read": [errno.EIO, errno.EINTR, SHORT],
    "write": [errno.ENOSPC, errno.EINTR, SHORT],
    "send": [errno.ECONNRESET, errno.EINTR, SHORT],
    "recv": [errno.ECONNRESET, errno.EINTR, SHORT],
    "poll": [errno.ENOMEM, errno.EINTR],
    "open": [errno.EMFILE, errno.EACCES],
    "fsync": [errno.EIO],
    "getrandom": [errno.ENOSYS],
    "files": [errno.EIO],  # rename, unlink, flock
}
ENDS_THE_WORKER = {"malloc", "getrandom"}  # by lib/memory.c, and by libsodium's own abort
JOURNAL = {"open", "write", "fsync", "files"}
SAMPLES = 1  # of the n of a kind, once and for ever each, in a normal run
KINDS_OF_A_CASE = 5  # in a normal run
TOGETHER = 8
RESTS_S = 0.05  # a worker that has held the same for so long waits for the next call
SLOW_S = 0.5  # lib/app_serve.c
SLACK = 4  # allocations that a worker may hold more than when it holds least
counted = collections.Counter()


# ---------------------------------------------------------------- what changes something


class Track(Case):
    program, status = "zoom_track", 302

    def prepare(self):
        if not self.deprived:
            self.rig.until_clicks_reach_the_database()
        return self.rig.send()

    def call(self, subject):
        return ask(self.rig, "GET", subject["join_url"].removeprefix(self.rig.url), headers=PHONE | {"Sec-Fetch-Site": None})

    def is_right(self, answer):
        return answer.status == 302 and answer.headers["Location"] == ZOOM_URL

    def settle(self, subject, answers):
        self.world.taps[subject["session"]["id"]] = answers


class TrackByJournal(Track):
    deprived = True


class TeacherLeft(Case):
    program = "zoom_teacher_left"

    def prepare(self):
        return a_class(self.rig)

    def call(self, subject):
        return ask(self.rig, "GET", subject["leave_url"].removeprefix(self.rig.url), headers=PHONE | {"Sec-Fetch-Site": None})

    def settle(self, subject, answers):
        self.world.left.add(subject["session"]["id"])


class TeacherLeftByJournal(TeacherLeft):
    deprived = True


class Webhook(Case):
    program, group = "zoom_webhook", "zoom"

    def prepare(self):
        now = moment(self.rig.psql("SELECT to_json(clock_now()) #>> '{}'"))
        return zoom.Meeting(8000000001, "hostOfNobody").started(now)

    def call(self, subject):
        body = json.dumps(subject).encode()
        return ask(self.rig, "POST", zoom.WEBHOOK, body, {"Origin": None, "Sec-Fetch-Site": None, **zoom.sign(body)})

    def settle(self, subject, answers):
        assert self.rig.count("zoom_raw", f"uuid = '{subject['payload']['object']['uuid']}'") == 1


class SendLink(Case):
    program, status = "teacher_send_link", 201

    def prepare(self):
        return self.rig.wish()

    def call(self, subject):
        return ask(self.rig, "POST", "/api/teacher/send-link", subject, client=self.rig.teacher)

    def settle(self, subject, answers):
        assert self.rig.count("sessions", f"request_id = '{subject['request_id']}'") == 1
        ids = {json.loads(a.body)["session"]["id"] for a in answers if a and a.status == 201}
        assert len(ids) == 1, ids


class TeacherEnds(TeacherLeft):
    program = "teacher_session"

    def call(self, subject):
        wish = {"session_id": subject["session"]["id"], "action": "end"}
        return ask(self.rig, "POST", "/api/teacher/session", wish, client=self.rig.teacher)

    def settle(self, subject, answers):
        n = subject["session"]["id"]
        assert self.rig.count("session_events", f"session_id = {n} AND kind = 'teacher_ended'") == 1
        assert self.rig.session(n)["ended_by"] == "teacher"


class TeacherCancels(TeacherLeft):
    program = "teacher_session"

    def call(self, subject):
        wish = {"session_id": subject["session"]["id"], "action": "cancel", "reason": "a fault"}
        return ask(self.rig, "POST", "/api/teacher/session", wish, client=self.rig.teacher)

    def settle(self, subject, answers):
        n = subject["session"]["id"]
        assert self.rig.count("session_events", f"session_id = {n} AND kind = 'cancelled'") == 1


class AdminEnds(TeacherLeft):
    program = "admin_session"

    def call(self, subject):
        wish = {"session_id": subject["session"]["id"], "action": "end", "reason": "a fault"}
        return ask(self.rig, "POST", "/api/admin/session", wish, client=self.rig.admin)

    def settle(self, subject, answers):
        n = subject["session"]["id"]
        assert self.rig.count("session_events", f"session_id = {n} AND kind = 'admin_ended'") == 1


class Attendance(TeacherLeft):
    program = "teacher_attendance"

    def call(self, subject):
        wish = {"session_id": subject["session"]["id"], "attendance": "late", "note": "a fault"}
        return ask(self.rig, "POST", "/api/teacher/attendance", wish, client=self.rig.teacher)

    def settle(self, subject, answers):
        n = subject["session"]["id"]
        assert self.rig.session(n)["attendance"] == "late"
        assert self.rig.count("session_events", f"session_id = {n} AND kind = 'attendance'") == 1


class Login(Case):
    program, group = "auth_login", "accounts"

    def prepare(self):
        self.rig.psql("DELETE FROM login_attempts")
        return {"email": "tom@example.org", "password": PASSWORD}

    def call(self, subject):
        return ask(self.rig, "POST", "/api/auth/login", subject)

    def is_right(self, answer):
        return answer.status == 200 and "HttpOnly" in (answer.headers["Set-Cookie"] or "")


class NewStudent(Case):
    program, status = "admin_students", 201

    def prepare(self):
        wish = {"name": "Fault", "teacher_id": self.rig.teacher_id, "package_id": "Europe"}
        return {**wish, "request_id": str(uuid.uuid4())}

    def call(self, subject):
        return ask(self.rig, "POST", "/api/admin/students", subject, client=self.rig.admin)

    def is_right(self, answer):
        return answer.status == 201 and json.loads(answer.body)["id"] > 0

    def settle(self, subject, answers):
        assert self.rig.count("students", f"request_id = '{subject['request_id']}'") == 1


class NewTeacher(Case):
    program = "admin_teachers"

    def prepare(self):
        return {"name": "Fault", "email": f"new{uuid.uuid4()}@example.org"}

    def call(self, subject):
        self.email = subject["email"]
        return ask(self.rig, "POST", "/api/admin/teachers", subject, client=self.rig.admin)

    def is_right(self, answer):
        """Made now, or there since a call that did not tell."""
        there = self.rig.count("accounts", f"email = '{self.email}'") == 1
        return there and (answer.status == 409 or answer.status == 201 and "/invite#" in json.loads(answer.body)["invite_url"])

    def settle(self, subject, answers):
        assert sum(a.status == 201 for a in answers if a) <= 1


class AcceptInvite(Case):
    program = "auth_accept_invite"

    def prepare(self):
        self.rig.psql("DELETE FROM login_attempts")
        invited, email = account(self.rig, joined=False)
        return email, invitation(self.rig, invited)

    def call(self, subject):
        self.email = subject[0]
        return ask(self.rig, "POST", "/api/auth/accept-invite", {"token": subject[1], "password": PASSWORD})

    def is_right(self, answer):
        if answer.status == 200:
            return "HttpOnly" in (answer.headers["Set-Cookie"] or "")
        return answer.status == 404 and self.has_joined()  # an invitation is good for once

    def has_joined(self):
        return self.rig.count("accounts", f"email = '{self.email}' AND password_hash IS NOT NULL") == 1

    def settle(self, subject, answers):
        assert self.has_joined()


class Import(Case):
    program = "admin_import"

    def prepare(self):
        return [f"imported{uuid.uuid4()}@example.org" for _ in range(3)]

    def call(self, subject):
        self.emails = subject
        rows = "".join(f"Imported,{email}\n" for email in subject)
        wish = {"kind": "teachers", "csv": f"name,email\n{rows}", "dry_run": False}
        return ask(self.rig, "POST", "/api/admin/import", wish, client=self.rig.admin)

    def is_right(self, answer):
        """Made now, or each row says that it is there."""
        return answer.status == 200 and self.made() == 3 and json.loads(answer.body)["created"] in (0, 3)

    def made(self):
        return self.rig.count("accounts", "email IN ({})".format(", ".join(f"'{email}'" for email in self.emails)))

    def settle(self, subject, answers):
        assert self.made() == 3
        assert sum(json.loads(a.body)["created"] for a in answers if a and a.status == 200) in (0, 3)


class TelegramWebhook(Case):
    program = "telegram_webhook"

    def prepare(self):
        student, chat = self.rig.student(), telegram.new_chat()
        return student, chat, telegram.Updates(self.rig).message(chat, f"/start {chat_code(self.rig, student)}")

    def call(self, subject):
        secret = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
        return ask(self.rig, "POST", "/api/telegram/webhook", subject[2], {"Origin": None, "Sec-Fetch-Site": None, **secret})

    def is_right(self, answer):
        return answer.status == 200 and answer.body == b""

    def settle(self, subject, answers):
        student, chat, update = subject
        assert self.rig.count("students", f"id = {student} AND telegram_chat_id = {chat}") == 1
        assert self.rig.count("messages", f"update_id = {update['update_id']}") == 1
        assert len(self.rig.telegram.shown(chat)) <= 2  # where nobody knows whether it was sent, twice


class AutoTimeout(Case):
    program = "admin_auto_timeout"

    def call(self, subject):
        return ask(self.rig, "POST", "/api/admin/auto-timeout", {}, client=self.rig.admin)


class CronTimeout(Case):
    program = "cron_session_timeout"

    def call(self, subject):
        headers = {"Authorization": f"Bearer {self.rig.env['CRON_SECRET']}", "Origin": None, "Sec-Fetch-Site": None}
        return ask(self.rig, "GET", "/api/cron/session-timeout", headers=headers)


# ---------------------------------------------------------------- what only answers


class Reading(Case):
    """The answer is the same as without a fault; of what changes by itself, its shape."""

    def __init__(self, world, program, target, client, exact=True):
        super().__init__(world)
        self.program, self.target, self.client, self.exact = program, target, client, exact
        self.expected = None

    @property
    def name(self):
        return self.target

    def call(self, subject):
        return ask(self.rig, "GET", self.target, client=self.client)

    def is_right(self, answer):
        if answer.status != 200:
            return False
        if self.exact:
            seen = re.sub(rb'"generated_at":"[^"]*"', b"", answer.body)
        elif answer.headers["Content-Type"].startswith("application/json"):
            seen = sorted(json.loads(answer.body))
        else:
            seen = re.findall(rb"(?m)^[a-z_]+", answer.body)
        self.expected = self.expected or seen
        return seen == self.expected


class Metrics(Reading):
    """Tells what it knows: of a database or a journal that does not answer there are no figures."""

    def is_right(self, answer):
        seen = set(re.findall(rb"(?m)^[a-z_]+", answer.body))
        self.expected = self.expected or seen
        return answer.status == 200 and b"classclock_database_up" in seen and seen <= self.expected


def readings(world):
    rig, n = world.rig, world.quiet_session
    return [
        Reading(world, "auth_me", "/api/auth/me", rig.teacher, exact=False),
        Reading(world, "admin_teachers", "/api/admin/teachers?limit=9", rig.admin, exact=False),
        Reading(world, "admin_packages", "/api/admin/packages", rig.admin, exact=False),
        Reading(world, "admin_settings", "/api/admin/settings", rig.admin),
        Reading(world, "admin_teacher_sessions", f"/api/admin/teacher-sessions?student_id={world.quiet_student}", rig.admin),
        Reading(world, "admin_teacher_sessions", f"/api/admin/teacher-sessions?student_id={world.quiet_student}&format=csv", rig.admin),
        Reading(world, "admin_session_events", f"/api/admin/session-events?session_id={n}", rig.admin),
        Reading(world, "admin_attention", "/api/admin/attention?limit=9", rig.admin, exact=False),
        Reading(world, "admin_trends", "/api/admin/trends", rig.admin, exact=False),
        Reading(world, "admin_zoom_inbox", "/api/admin/zoom-inbox?limit=9", rig.admin, exact=False),
        Reading(world, "admin_deliveries", "/api/admin/deliveries?limit=9", rig.admin, exact=False),
        Reading(world, "teacher_session", f"/api/teacher/session?session_id={n}", world.quiet),
        Reading(world, "teacher_students", "/api/teacher/students", world.quiet, exact=False),
        Reading(world, "teacher_sessions", "/api/teacher/sessions", world.quiet),
        Reading(world, "healthz", "/healthz", None, exact=False),
        Metrics(world, "metrics", "/metrics", None, exact=False),
    ]


class World:
    """What the cases are held to in the end."""

    def __init__(self, rig):
        self.rig = rig
        self.taps, self.left, self.excused = {}, set(), set()


class Quiet(World):
    """The same, with a teacher whose classes nobody touches."""

    def __init__(self, rig):
        super().__init__(rig)
        made = rig.admin.post("/api/admin/teachers", {"name": "Quiet", "email": f"quiet{uuid.uuid4()}@example.org"})
        self.quiet, self.quiet_teacher = rig.client(), made["id"]
        invitation = {"token": made["invite_url"].split("#")[1], "password": PASSWORD}
        assert self.quiet.post("/api/auth/accept-invite", invitation).status == 200
        wanted = {"name": "Quiet", "teacher_id": made["id"], "package_id": "Europe"}
        self.quiet_student = rig.admin.post("/api/admin/students", wanted)["id"]
        sent = self.quiet.post("/api/teacher/send-link", rig.wish(student_id=self.quiet_student)).json
        self.quiet_session = sent["session"]["id"]
        rig.insist(lambda: opened(rig, sent))
        rig.replay()  # what came by the journal does not come in the middle of readings
        assert self.quiet.post("/api/teacher/session", {"session_id": self.quiet_session, "action": "end"}).status == 200


@pytest.fixture(scope="module")
def world(rig):
    return Quiet(rig)


# ---------------------------------------------------------------- one program after the other


class Trial:
    """The faults of one case."""

    def __init__(self, case):
        self.case, self.rig = case, case.rig
        self.plan = case.rig.plans[case.program]
        self.last = "without a fault"
        self.most = None  # what a worker holds when all is well

    def size(self, pid):
        return self.rig.plans.live(pid), len(os.listdir(f"/proc/{pid}/fd"))

    def without_fault(self, subject):
        """The answer to a call; the plan stays armed, so that the worker is still counted."""
        self.plan.arm()
        answer = self.case.call(subject)
        assert answer and self.case.is_right(answer), (self.last, answer and (answer.status, answer.body[:200]))
        return answer

    def well(self, subject):
        """A call without fault, after which the worker has in hand what it always has."""
        answer = self.without_fault(subject)
        self.put_down(self.plan.served)
        self.plan.rest()
        return answer

    def put_down(self, pid):
        until = time.monotonic() + HANGS_S
        while self.most and not all(map(int.__le__, self.size(pid), self.most)):
            assert time.monotonic() < until, f"{self.last}: grew from {self.most} to {self.size(pid)}"
            time.sleep(0.002)

    def at_rest(self, pid):
        """What a worker holds when it has held the same for a while."""
        seen, since = self.size(pid), time.monotonic()
        while time.monotonic() < since + RESTS_S:
            time.sleep(RESTS_S / 10)
            if self.size(pid) != seen:
                seen, since = self.size(pid), time.monotonic()
        return seen

    def measure(self):
        """All programs hold the same after each call, but for the connections that zoom_track keeps."""
        sizes = []
        for _ in range(3):
            self.without_fault(self.case.prepare())
            sizes.append(self.at_rest(self.plan.served))
            self.plan.rest()
        live, files = map(max, zip(*sizes))
        many = self.case.program == "zoom_track"
        self.most = live + SLACK, files + (20 if many else 0)

    def calls(self, kind):
        """How many calls of a kind there are."""
        subject = self.case.prepare()
        self.well(subject)
        self.plan.arm(kind, n=1 << 60)
        answer = self.case.call(self.case.prepare())
        self.plan.rest()
        assert self.case.is_right(answer), (self.case.name, answer.status)
        return self.plan.count

    def fail(self, kind, n, error, for_ever):
        case, what = self.case, f"{self.case.name}: {kind} {n} fails with {error}{', and on' * for_ever}"
        subject = case.prepare()
        wait_for(lambda: all(map(running, self.rig.workers(case.program))))  # the last one's end has been told of
        logged = len(self.rig.log(case.program))
        self.plan.arm(kind, n, error, for_ever)
        self.last = what
        answer = case.call(subject)
        self.plan.rest()
        fired, about = self.plan.fired, self.plan.about
        if for_ever and kind in ("read", "write"):  # whatever the first was for: nginx is not reached any more either
            about = "nginx"
        if fired:
            counted[kind] += 1
        self.judge(what, kind, answer, fired, about)
        answers = [answer]
        case.look(subject, answers)
        for _ in range(3):  # the page of an outage tells to try again
            again = case.call(subject) if case.deprived else self.well(subject)
            answers.append(again)
            case.look(subject, answers)
            if again and case.is_right(again):
                break
        assert case.is_right(again), what
        self.died_well(what, kind, self.rig.log(case.program)[logged:])
        case.settle(subject, answers)
        if case.name.startswith("Track") and fired and kind in JOURNAL | ENDS_THE_WORKER:
            case.world.excused.add(subject["session"]["id"])

    def judge(self, what, kind, answer, fired, about):
        """The answer is right, or says that there is none."""
        if answer is None:
            assert fired and (about == "nginx" or kind in ENDS_THE_WORKER), f"{what}: no answer, {about}"
        elif not self.case.is_right(answer):
            assert fired, f"{what}: {answer.status} without a fault: {answer.body[:200]}"
            assert answer.status in ({500, 503} if kind in ENDS_THE_WORKER else {503}), f"{what}: {answer.status} {answer.body[:200]}"
            if self.case.program == "zoom_track":  # nobody is refused
                assert about == "nginx" or kind in ENDS_THE_WORKER, f"{what}: {answer.status}, {about}"

    def died_well(self, what, kind, log):
        for how, number in re.findall(r"ended by (signal|status) (\d+)", log):
            assert kind in ENDS_THE_WORKER, f"{what}: a worker ended by {how} {number}"
            assert (how, number) in {("status", "1"), ("signal", "6")}, f"{what}: {how} {number}"
            counted["workers ended"] += 1

    def run(self, pick):
        if not self.case.deprived:
            self.measure()
        for kind in KINDS if LONG else pick.sample(list(KINDS), KINDS_OF_A_CASE):
            total, errors = self.calls(kind), KINDS[kind]
            for for_ever in (False, True):
                numbers = range(1, total + 1)
                for n in numbers if LONG else sorted(pick.sample(numbers, min(SAMPLES, total))):
                    for error in errors if LONG and not for_ever else [pick.choice(errors)]:
                        if not (for_ever and error in (errno.EINTR, SHORT)) and (LONG or not is_slow(error, pick)):
                            self.fail(kind, n, error, for_ever)


def is_slow(error, pick):
    """After a send that failed libpq waits for the server to say why: here it lasts until the deadline."""
    return error == errno.ECONNRESET and pick.random() < 0.75


def try_group(rig, name, cases):
    pick = random.Random(f"{SEED} {name}")
    for case in cases:
        trial = Trial(case)
        with rig.proxy.gone(*[case.program] * case.deprived):
            try:
                trial.run(pick)
            except Exception as problem:
                raise AssertionError(f"{case.name}, {trial.last}") from problem


def test_every_endpoint_survives_every_call(rig, world):
    changing = [Track, TrackByJournal, TeacherLeft, TeacherLeftByJournal, Webhook, SendLink, TeacherEnds,
                TeacherCancels, AdminEnds, Attendance, Login, NewStudent, NewTeacher, AcceptInvite, Import, TelegramWebhook,
                AutoTimeout, CronTimeout]  # fmt: skip
    cases = [*[made(world) for made in changing + office.CASES], *readings(world)]
    assert {case.program for case in cases} == {file.name for file in (rig.build / "cgi").iterdir()}
    groups = collections.defaultdict(list)
    for case in [case for case in cases if case.program == os.environ.get("CLASSCLOCK_PROGRAM", case.program)]:
        groups[case.group or case.program].append(case)
    runs = {name: functools.partial(try_group, rig, name, of_group) for name, of_group in groups.items()}
    problems = []
    for name in ["teacher_send_link"] + ["zoom_track"] * LONG:  # alone: others need them, and not in minutes
        problems += run_together({name: runs.pop(name)} if name in runs else {})
    problems += run_together(runs)
    print(f"CLASSCLOCK_SEED={SEED}, faults: {dict(counted)}")
    assert not problems, "\n".join(f"{name}: {problem!r}, {problem.__cause__!r}" for name, problem in problems)
    held_to_account(rig, world)


def run_together(runs):
    """Calls all at the same time; what went wrong with which."""
    problems = []
    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        started = {pool.submit(run): name for name, run in runs.items()}
        for run in concurrent.futures.as_completed(started):
            if run.exception():
                problems.append((started[run], run.exception()))
    return problems


def held_to_account(rig, world):
    """What was answered is in the database, once."""
    rig.replay()
    for n, answers in world.taps.items():
        opened = sum(1 for a in answers if a and a.status == 302)
        kept = rig.count("clicks", f"session_id = {n}")
        assert opened - (n in world.excused) <= kept <= len(answers), (n, opened, kept, len(answers))
        if kept:
            rig.check_session(n, kept)
    for n in world.left:
        row = rig.session(n)
        assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left"), row


def test_an_answer_that_loses_its_last_piece_is_broken_off(rig):
    """Whoever asked hears of it at once, and does not wait for what will never come."""
    names = "SELECT 'Long ' || n, 45, 10, 'EUR' FROM generate_series(1, 100) n"
    rig.psql(f"INSERT INTO packages (id, duration_minutes, buffer_minutes, currency) {names} ON CONFLICT DO NOTHING")
    plan, target = rig.plans["admin_packages"], "/api/admin/packages"

    def asked(n):
        """Not so slowly that the program has written a line about it."""
        took = SLOW_S
        while took >= SLOW_S:
            began = time.monotonic()
            plan.arm("write", n, errno.ENOSPC)
            answer = ask(rig, "GET", target, client=rig.admin)
            plan.rest()
            took = time.monotonic() - began
        return answer

    assert asked(1 << 60).status == 200
    pieces = plan.count
    assert pieces > 1
    for n in range(1, pieces + 1):
        answer = asked(n)
        assert plan.fired and (answer is None or answer.status == 503), n
