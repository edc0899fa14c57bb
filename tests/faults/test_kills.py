"""kill -9 of everything, at numbered points around each commit and journal write and at random under load, with
a client that keeps its own ledger: afterwards ledger and database agree. CLASSCLOCK_LONG=1: every point, and
10,000 random kills (or CLASSCLOCK_KILLS)."""

import collections
import functools
import os
import pathlib
import random
import signal
import time

import office
from academy import SEED, sample, wait_for
from lessons import Clients, check_lessons, ledger_students
from plan import KILL_AFTER, KILL_BEFORE, POINTS
from rig import LONG
from test_calls import (AcceptInvite, AdminEnds, Attendance, Import, Login, NewStudent, NewTeacher, SendLink, TeacherCancels,
                        TeacherEnds, TeacherLeft, TeacherLeftByJournal, TelegramWebhook, Track, TrackByJournal, Webhook, World,
                        run_together)  # fmt: skip

POINTS_OF_A_CASE = 6  # in a normal run
# What else changes something; a normal run draws so many.
OTHERS, OTHERS_DRAWN = [TeacherCancels, AdminEnds, Attendance, Login, NewStudent, NewTeacher, AcceptInvite, Import,
                        TelegramWebhook, *office.CASES], 4  # fmt: skip
KILLS = int(os.environ.get("CLASSCLOCK_KILLS", 10_000 if LONG else 420))
LOADED = ["zoom_track", "zoom_teacher_left", "teacher_send_link"]
killed = collections.Counter()


# ---------------------------------------------------------------- at every point


def kill_at_points(case):
    """The worker that answers a call dies before or after its n-th point; the call again is right."""
    pick, plan = random.Random(f"{SEED} {case.name}"), case.rig.plans[case.program]
    case.call(case.prepare())
    plan.arm(POINTS, n=1 << 60)
    case.call(case.prepare())
    plan.rest()
    points = [(n, how) for n in range(1, plan.count + 1) for how in (KILL_BEFORE, KILL_AFTER)]
    for n, how in points if LONG else pick.sample(points, min(POINTS_OF_A_CASE, len(points))):
        subject, answers = case.prepare(), []
        plan.arm(POINTS, n, how)
        answers.append(case.call(subject))
        plan.rest()
        killed[case.name] += plan.fired
        until = time.monotonic() + 300
        case.look(subject, answers)
        while not (answers[-1] and case.is_right(answers[-1])):
            assert time.monotonic() < until, (case.name, n, how)
            assert answers[-1] is None or answers[-1].status == 503, (case.name, n, how, answers[-1].status)
            answers.append(case.call(subject))
            case.look(subject, answers)
        case.settle(subject, answers)


def kill_by_journal(case):
    with case.rig.proxy.gone(case.program):
        kill_at_points(case)


def test_killed_at_every_point_an_answer_is_kept_and_a_repeat_is_one(rig):
    world = World(rig)
    groups = collections.defaultdict(list)
    for made in [Track, TrackByJournal, TeacherLeft, TeacherLeftByJournal, Webhook, TeacherEnds, *sample(OTHERS, OTHERS_DRAWN)]:
        groups[made.group or made.program].append(made)

    def one_after_the_other(cases):
        for made in cases:
            case = made(world)
            (kill_by_journal if case.deprived else kill_at_points)(case)

    problems = run_together({name: functools.partial(one_after_the_other, cases) for name, cases in groups.items()})
    problems += run_together({"teacher_send_link": functools.partial(one_after_the_other, [SendLink])})
    print(f"CLASSCLOCK_SEED={SEED}, killed: {dict(killed)}")
    assert not problems, "\n".join(f"{name}: {problem!r}" for name, problem in problems)
    rig.until_clicks_reach_the_database()
    rig.replay()
    for n, answers in world.taps.items():
        opened = sum(1 for a in answers if a and a.status == 302)
        kept = rig.count("clicks", f"session_id = {n}")
        assert opened <= kept <= len(answers), (n, opened, kept, len(answers))
        rig.check_session(n, kept)
    for n in world.left:
        assert rig.session(n)["ended_by"] == "teacher_left"


def test_a_replay_killed_at_every_point_brings_each_line_home_once(rig):
    world, pick = World(rig), random.Random(SEED)
    plan, case, n, runs = rig.plans["journal-replay"], TrackByJournal(world), 0, 0
    while True:
        n += 1 if LONG else pick.randrange(1, 12)
        for how in (KILL_BEFORE, KILL_AFTER):
            with rig.proxy.gone("zoom_track"):
                for _ in range(2):
                    subject = case.prepare()
                    case.settle(subject, [case.call(subject)])
            plan.arm(POINTS, n, how)
            with rig.program("journal-replay") as job:
                job.communicate(timeout=600)
            plan.rest()
            runs += plan.fired
        if not plan.fired:
            break
    killed["journal-replay"] += runs
    print(f"CLASSCLOCK_SEED={SEED}, killed replays: {runs}")
    assert runs
    rig.replay()
    for session, answers in world.taps.items():
        rig.check_session(session, len(answers))


# ---------------------------------------------------------------- at random, under load


class Killer:
    def __init__(self, rig, pick):
        self.rig, self.pick = rig, pick

    def kill(self, pid, sig=signal.SIGKILL):
        try:
            os.kill(pid, sig)
            return 1
        except ProcessLookupError:
            return 0

    def children(self, pid):
        try:
            return [int(n) for n in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def worker(self):
        workers = self.rig.workers(self.pick.choice(LOADED))
        return self.kill(self.pick.choice(workers)) if workers else 0

    def parent(self):
        return self.kill(self.rig.pid(self.pick.choice(LOADED)))

    def point(self):
        """A worker, at some call of a request."""
        plan = self.rig.plans[self.pick.choice(LOADED)]
        plan.arm(POINTS, self.pick.randrange(1, 40), self.pick.choice([KILL_BEFORE, KILL_AFTER]))
        until = time.monotonic() + 2
        while not plan.fired and time.monotonic() < until:
            time.sleep(0.005)
        plan.rest()
        return plan.fired

    def job(self):
        name = self.pick.choice(["journal-replay", "session-timeout"])
        plan = self.rig.plans[name].arm(POINTS, self.pick.randrange(1, 60), self.pick.choice([KILL_BEFORE, KILL_AFTER]))
        with self.rig.program(name) as job:
            job.communicate(timeout=600)
        plan.rest()
        return plan.fired

    def nginx(self):
        master = self.rig.pid("nginx")
        return self.kill(self.pick.choice([master, *self.children(master)]))

    def backend(self):
        backends = self.children(self.rig.pid("postgres"))
        return self.kill(self.pick.choice(backends)) if backends else 0

    def postmaster(self):
        return self.kill(self.rig.pid("postgres"))

    def pause(self):
        """Stands still for a while, as a machine without time does."""
        whose = self.pick.choice([*LOADED, "postgres", "nginx"])
        victims = [pid for pid in self.children(self.rig.pid(whose)) if self.kill(pid, signal.SIGSTOP)]
        time.sleep(self.pick.uniform(0.1, 3))  # the length of the pause is what is drawn
        for pid in victims:
            self.kill(pid, signal.SIGCONT)
        return len(victims)


WEIGHTS = {"point": 12, "worker": 8, "job": 6, "backend": 2, "nginx": 2, "parent": 2, "pause": 2, "postmaster": 1}


def test_killed_at_random_under_load_ledger_and_database_agree(rig):
    pick, students = random.Random(SEED), ledger_students(rig, 2000 + 20 * KILLS)
    rig.until_clicks_reach_the_database()
    rig.let_go()
    clients, killer, done = Clients(rig, students, rest=0.02), Killer(rig, pick), collections.Counter()
    while done.total() < KILLS and not clients.wrong:
        what = pick.choices(list(WEIGHTS), WEIGHTS.values())[0]
        if getattr(killer, what)():
            done[what] += 1
            reached = clients.acknowledged
            wait_for(lambda: clients.acknowledged > reached or clients.wrong)
    clients.stop()
    print(f"CLASSCLOCK_SEED={SEED}, killed: {dict(done)}, acknowledged: {clients.acknowledged}")
    wait_for(lambda: rig.client().get("/healthz").status)
    rig.insist(rig.replay)
    check_lessons(rig.psql, clients.lessons)
