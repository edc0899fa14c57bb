"""lib/decide.c and lib/presence.c say what tests/decide_model.py says, case by case.

CLASSCLOCK_SEED=n repeats a run; CLASSCLOCK_LONG=1 runs some ten million cases.
"""

import itertools
import multiprocessing
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from academy import SEED  # noqa: E402
from decide_model import NEVER, SECOND, TEACHER, Fact, Terms, presence, row_and_unsettled  # noqa: E402

DRIVER = Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build")) / "unit" / "decide_driver"
LONG = os.environ.get("CLASSCLOCK_LONG") == "1"
BATCH = 4_000
FACTS_MAX = 64  # of the driver

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SENT = 1_767_261_600 * SECOND
TERMS = Terms(duration=3600, buffer=600, link=3 * 3600)
CLICK = SENT + 5 * MINUTE
RESTART = CLICK + 40 * MINUTE
REOPENED = CLICK + 50 * MINUTE
DEADLINE = CLICK + 70 * MINUTE
NEW_DEADLINE = REOPENED + 30 * MINUTE
LINK_END = SENT + 3 * HOUR
STEPS = (-SECOND, -1, 0, 1, SECOND)
ROLES = ("unknown", "teacher", "student")


# --- Talking to the driver ---


def as_line(terms, facts, now):
    words = [terms.duration, terms.buffer, terms.link, now, len(facts)]
    for f in facts:
        name, _, field = f.kind.partition(" ")
        words += [f.id, name, field or "-", f.at, f.received, f.lasts]
        words += [f.meeting, f.connection, ROLES.index(f.role)]
    return " ".join(map(str, words))


def expected(terms, facts, now):
    r, is_unsettled = row_and_unsettled(terms, facts, now)
    p = presence(facts, r.clicked or 0, r.ended or 0)
    words = [r.status, r.clicked, r.deadline, r.ended, r.ended_by, r.estimated, r.deciding]
    words += [r.corrected, r.zoom, is_unsettled, p.known, p.sides, p.teacher, p.student, p.both]
    return " ".join("-" if w is None else str(int(w) if isinstance(w, bool) else w) for w in words)


def decided(cases):
    lines = "".join(as_line(*case) + "\n" for case in cases)
    done = subprocess.run([DRIVER], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(cases)
    return answers


def shrunk(case):
    """The same disagreement with as few facts as possible."""
    terms, facts, now = case
    for fact in facts:
        fewer = terms, [f for f in facts if f is not fact], now
        if decided([fewer])[0] != expected(*fewer):
            return shrunk(fewer)
    return case


def first_difference(cases):
    """The first case of a batch on which the two disagree, or None."""
    return next((case for case, answer in zip(cases, decided(cases)) if answer != expected(*case)), None)


def in_batches(cases):
    cases = iter(cases)
    while batch := list(itertools.islice(cases, BATCH)):
        yield batch


def explain(case):
    terms, facts, now = case = shrunk(case)
    story = "\n".join(f"  {f.at - SENT} us, received {f.received - SENT}: {f}"
                      for f in sorted(facts, key=lambda f: f.at))
    return (f"seed {SEED}, now {now}, {terms}\n{story}\n"
            f"decide.c: {decided([case])[0]}\nmodel:    {expected(*case)}")


def compared(batch):
    return len(batch), first_difference(batch)


def results(batches):
    """compared() of each batch; in a long run by two processes, which are fed as they go."""
    if not LONG:
        yield from map(compared, batches)
        return
    ahead = threading.Semaphore(8)
    with multiprocessing.Pool(2) as pool:
        for result in pool.imap(compared, (batch for batch in batches if ahead.acquire())):
            ahead.release()
            yield result


def check(cases):
    total = 0
    for count, case in results(in_batches(cases)):
        if case:
            pytest.fail(explain(case))
        total += count
    print(f"{total} cases agree, seed {SEED}")


# --- The grid: facts at, just before and just after every boundary ---


def fact(kind, at, meeting=-1, connection=-1, role="unknown", lasts=0):
    """One whose number and time of receipt are given later."""
    return Fact(0, kind, at, at, lasts, meeting, connection, role)


def around(*boundaries):
    return [boundary + step for boundary in boundaries for step in STEPS]


def atoms():
    moments = around(CLICK, RESTART, DEADLINE)
    found = [fact(kind, at) for kind in (*TEACHER, "admin_ended", "corrected session_ended_at")
             for at in [*moments, NEW_DEADLINE]]
    found += [fact("clicked", at) for at in around(SENT, CLICK, REOPENED, NEW_DEADLINE, LINK_END)]
    found += [fact("corrected clicked_at", at) for at in around(CLICK, NEW_DEADLINE)]
    found += [fact(kind, at) for kind in ("cancelled", "superseded")
              for at in around(CLICK, REOPENED, LINK_END)]
    found += [fact("reopened", at, lasts=NEW_DEADLINE - REOPENED) for at in around(CLICK, REOPENED, DEADLINE)]
    found += [fact("released", at) for at in (CLICK, DEADLINE)]
    found += [fact("zoom_started", at, meeting) for at in moments for meeting in (0, 1)]
    found += [fact("zoom_ended", at, meeting) for at in moments for meeting in (0, 1)]
    found += [fact(kind, at, 0, 0, "teacher") for kind in ("zoom_joined", "zoom_left") for at in moments]
    found += [fact("zoom_joined", at, 1, 1) for at in moments]
    found += [fact("zoom_left", at, 1, 2, "teacher") for at in around(RESTART)]
    return found


def told(rng, facts):
    """The facts with numbers, received and listed in any order; now and then one arrives twice."""
    ranks = rng.sample(range(len(facts)), len(facts))
    facts = [Fact(i, f.kind, f.at, SENT + rank * SECOND, f.lasts, f.meeting, f.connection, f.role)
             for i, (f, rank) in enumerate(zip(facts, ranks), start=1)]
    if rng.random() < 0.1:
        facts.append(rng.choice(facts))
    rng.shuffle(facts)
    return facts


def grid(rng, groups):
    nows = [*around(CLICK, DEADLINE, NEW_DEADLINE, LINK_END), NEVER, NEVER, NEVER]
    for group in groups:
        base = [fact("sent", SENT)] + [fact("clicked", CLICK)] * (rng.random() < 0.8)
        yield TERMS, told(rng, [*base, *group]), rng.choice(nows)


def test_every_two_facts_at_every_boundary():
    every = atoms()
    check(grid(random.Random(SEED), itertools.chain(
        ((a,) for a in every), itertools.combinations_with_replacement(every, 2))))


def test_three_facts_at_the_boundaries():
    rng, every = random.Random(SEED), atoms()
    check(grid(rng, (rng.sample(every, 3) for _ in range(3_000_000 if LONG else 60_000))))


# --- Decisions of people, in every order of receipt, with facts between them ---

DECISIONS = [
    fact("corrected clicked_at", CLICK + MINUTE),
    fact("corrected clicked_at", CLICK - MINUTE),
    fact("corrected session_ended_at", RESTART),
    fact("corrected session_ended_at", DEADLINE + MINUTE),
    fact("admin_ended", RESTART + MINUTE),
    fact("reopened", REOPENED, lasts=NEW_DEADLINE - REOPENED),
    fact("released", REOPENED + MINUTE),
    fact("cancelled", RESTART + 2 * MINUTE),
]
OBSERVATIONS = [
    fact("clicked", CLICK),
    fact("clicked", CLICK - 2 * MINUTE),
    fact("teacher_left", RESTART - MINUTE),
    fact("teacher_ended", REOPENED + 2 * MINUTE),
    fact("zoom_ended", RESTART - 2 * MINUTE, 0),
    fact("zoom_started", RESTART, 1),
    fact("zoom_ended", DEADLINE + 2 * MINUTE, 1),
    fact("superseded", CLICK + 1),
]


def orders(rng):
    """Up to four decisions in every order, with up to three observations thrown in."""
    groups = itertools.chain.from_iterable(itertools.permutations(DECISIONS, n) for n in range(1, 5))
    for group in groups:
        for _ in range(200 if LONG else 8):
            facts = list(group)
            for seen in rng.sample(OBSERVATIONS, rng.randrange(4)):
                facts.insert(rng.randrange(len(facts) + 1), seen)
            facts = [fact("sent", SENT), *facts]
            facts = [Fact(i, f.kind, f.at, SENT + i * MINUTE, f.lasts, f.meeting, f.connection, f.role)
                     for i, f in enumerate(facts, start=1)]
            yield TERMS, facts, rng.choice([CLICK, RESTART, DEADLINE - 1, DEADLINE, NEW_DEADLINE, NEVER])


def test_every_order_of_people_s_decisions():
    check(orders(random.Random(SEED)))


# --- Random classes ---


class Storyteller:
    """Classes whose moments crowd around each other and around the boundaries; some are very long."""

    MENU = ["zoom_started", "zoom_joined", "zoom_left", "zoom_ended"] * 4 + list(TEACHER) * 2 + [
        "admin_ended", "cancelled", "corrected clicked_at", "corrected session_ended_at", "reopened",
        "released", "clicked", "superseded", "sent", "click_ignored", "timed_out", "missed", "other"]

    def __init__(self, rng):
        self.rng = rng

    def moment(self):
        step = self.rng.choice([0, 0, 0, *STEPS, MINUTE, -MINUTE])
        return self.rng.choice(self.anchors) + step

    def set_the_scene(self):
        rng = self.rng
        terms = Terms(rng.choice([1800, 3600]), rng.choice([0, 600]), rng.choice([600, 3000, 43200]))
        click = SENT + rng.choice([0, 1, 5 * MINUTE, 20 * MINUTE + 400_000])
        reopened = click + rng.choice([10, 45, 71, 90]) * MINUTE
        deadline = click + (terms.duration + terms.buffer) * SECOND
        self.anchors = [SENT, click, deadline, SENT + terms.link * SECOND, reopened, reopened + 10 * MINUTE]
        self.anchors += [click + rng.randrange(5000) * SECOND + rng.choice([0, rng.randrange(SECOND)])
                         for _ in range(rng.choice([2, 4, 10]))]
        return terms, click

    def one(self, kind):
        rng = self.rng
        if kind in ("zoom_joined", "zoom_left"):
            # A connection lives in one meeting, and its teacher is not always recognised.
            connection = rng.choice([-1, 0, 1, 2, 3, 4, 5])
            meeting = connection // 2 if connection >= 0 else rng.choice([-1, 0, 1])
            recognised = connection in (0, 2) and rng.random() < 0.7 or rng.random() < 0.05
            role = "teacher" if recognised else rng.choice(["unknown", "unknown", "student"])
            return fact(kind, self.moment(), meeting, connection, role)
        if kind in ("zoom_started", "zoom_ended"):
            return fact(kind, self.moment(), rng.choice([-1, 0, 0, 1, 1, 2]))
        if kind == "other" and rng.random() < 0.5:  # who a connection is may be learned from elsewhere
            return fact(kind, self.moment(), rng.choice([-1, 0, 1]), rng.choice([-1, 1, 3, 4]), "teacher")
        lasts = rng.choice([1, SECOND, 10 * MINUTE, 70 * MINUTE]) if kind == "reopened" else 0
        return fact(kind, self.moment(), lasts=lasts)

    def case(self):
        rng = self.rng
        terms, click = self.set_the_scene()
        facts = [fact("sent", SENT)] * (rng.random() < 0.98) + [fact("clicked", click)] * (rng.random() < 0.85)
        menu = self.MENU[:20] if rng.random() < 0.4 else self.MENU
        length = rng.randrange(1, rng.choice([4, 4, 8, 8, 16, FACTS_MAX - 3]))
        facts = told(rng, facts + [self.one(kind) for kind in rng.choices(menu, k=length)])
        if rng.random() < 0.3:  # many arrive in one moment
            facts = [Fact(f.id, f.kind, f.at, f.received // MINUTE * MINUTE, f.lasts, f.meeting, f.connection, f.role)
                     for f in facts]
        return terms, facts, rng.choice([NEVER, self.moment(), self.moment()])


def test_random_classes():
    teller = Storyteller(random.Random(SEED))
    check(teller.case() for _ in range(4_000_000 if LONG else 60_000))
