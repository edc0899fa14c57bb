"""The wire to PostgreSQL cut, stalled and garbled after byte k, either way, of a click, an end and a send:
nobody is told what is not so, and after the same call again it is there exactly once.
CLASSCLOCK_LONG=1: every k, each case and kind of fault a test, but stalls where they differ: before a message, after its
first byte and before its last, since who waits for the rest of a message waits alike for any of it. CLASSCLOCK_PART=2/8:
every eighth k from the second on, for several such runs beside each other, which mostly wait."""

import collections
import itertools
import os
import random
import time

import pytest

from academy import SEED, ZOOM_URL, wait_for
from cases import is_own_word
from proxy import Fault
from rig import LONG
from test_calls import SendLink, TeacherEnds, TeacherLeft, Track, World, run_together

HOW = ("cut", "stall", "garble")
SAMPLES = {"cut": 2, "stall": 1, "garble": 1}  # of the k in each direction, in a normal run
PART, PARTS = map(int, os.environ.get("CLASSCLOCK_PART", "1/1").split("/"))
AGAIN_S = 0.1  # between calls that go to the journal, each of which is synced
counted = collections.Counter()


class Wire:
    """The faults of one case."""

    def __init__(self, case, how, seed):
        self.case, self.how, self.rig, self.proxy = case, how, case.rig, case.rig.proxy
        self.pick = random.Random(f"{seed} {case.name}")

    def awake(self):
        """Waits until calls go to the database again: after a fault some go to the journal for a second."""
        spare = self.case.prepare()
        fault = self.proxy.faults[self.case.program] = Fault("up", 0, "")

        def reaches_it():
            self.case.call(spare)
            return fault.seen["up"] or time.sleep(AGAIN_S)

        wait_for(reaches_it)

    def connect(self):
        """Waits until each worker has a connection, for nobody knows which of them will serve."""
        spare, program = self.case.prepare(), self.case.program

        def all_have():
            if len(self.proxy.of(program)) >= len(self.rig.workers(program)):
                return True
            self.case.call(spare)
            return False

        wait_for(all_have)

    def healthy(self, fresh):
        """What goes by in a call on a connection that is there, or must be made."""
        return self.attempt(Fault("up", 0, ""), fresh)[0]

    def attempt(self, fault, fresh):
        if self.case.program.startswith("zoom_"):
            self.awake()
        subject = self.case.prepare()
        if fresh:
            self.proxy.drop(self.case.program)
        else:
            self.connect()
        self.proxy.faults[self.case.program] = fault
        answer = self.case.call(subject)
        del self.proxy.faults[self.case.program]
        self.proxy.drop(self.case.program)  # what was garbled or stalled is no more
        return fault, answer, subject

    def run(self):
        self.attempt(Fault("up", 0, ""), False)
        for fresh in (False, True):
            healthy = self.healthy(fresh)
            for direction in ("up", "down"):
                for how in self.how:
                    for k in self.places(healthy, direction, how):
                        self.fail(Fault(direction, k, how), fresh)
        self.fail(Fault("up", 0, "stall"), True)  # where no time limit of the server's can help

    def places(self, healthy, direction, how):
        length = healthy.seen[direction]
        if not LONG:
            return sorted(self.pick.sample(range(length), min(length, SAMPLES[how])))
        places = range(length)
        if how == "stall":
            ends = [0, *itertools.accumulate(healthy.lengths[direction])]
            places = sorted({k for end in ends for k in (end - 1, end, end + 1)} & set(places))
        return places[PART - 1 :: PARTS]

    def fail(self, fault, fresh):
        case = self.case
        fault, answer, subject = self.attempt(fault, fresh)
        what = f"{case.name}: {fault.how} after {fault.after} bytes {fault.direction}{', fresh' * fresh}"
        counted[fault.how] += fault.fired
        assert answer, what
        if not case.is_right(answer):
            assert fault.fired and is_own_word(answer), f"{what}: {answer.status} {answer.body[:200]}"
            assert case.program != "zoom_track", what  # nobody is refused
        answers = [answer]
        for _ in range(3):
            answers.append(case.call(subject))
            if answers[-1] and case.is_right(answers[-1]):
                break
        assert answers[-1] and case.is_right(answers[-1]), what
        case.settle(subject, answers)


@pytest.fixture(scope="module")
def world(rig):
    return World(rig)


CASES = [Track, TeacherLeft, TeacherEnds, SendLink]
RUNS = [([made], [how]) for made in CASES for how in HOW] if LONG else [(CASES, HOW)]


@pytest.mark.parametrize("cases, how", RUNS, ids=["-".join([*(c.__name__ for c in cases), *how]) for cases, how in RUNS])
def test_a_wire_that_fails_anywhere_loses_and_doubles_nothing(rig, world, cases, how):
    problems = run_together({made.__name__: Wire(made(world), how, SEED).run for made in cases})
    print(f"CLASSCLOCK_SEED={SEED}, faults: {dict(counted)}")
    assert not problems, "\n".join(f"{name}: {problem!r}" for name, problem in problems)
    rig.replay()
    taps, left = dict(world.taps), set(world.left)
    world.taps.clear()
    world.left.clear()
    for n, answers in taps.items():  # exactly once, whether by the database or by the journal
        assert {a.headers["Location"] for a in answers} == {ZOOM_URL}
        rig.check_session(n, len(answers))
    for n in left:
        row = rig.session(n)
        assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left"), row
