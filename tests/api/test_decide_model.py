"""lib/decide.c and lib/presence.c say what tests/decide_model.py says, case by case.

CLASSCLOCK_SEED=n repeats a run, CLASSCLOCK_LONG=1 runs twenty times as many random cases and every
third fact on the grid.
"""

import itertools
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from decide_model import Fact, Terms, is_unsettled, presence, row  # noqa: E402

DRIVER = Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build")) / "unit" / "decide_driver"
LONG = os.environ.get("CLASSCLOCK_LONG") == "1"
SEED = int(os.environ.get("CLASSCLOCK_SEED") or random.SystemRandom().randrange(2**32))
RANDOM_CASES = 40_000 * (20 if LONG else 1)
BATCH = 5_000

SECOND = 1_000_000
MINUTE = 60 * SECOND
SENT = 1_767_261_600 * SECOND
TERMS = Terms(duration=3600, buffer=600, link=7200)
FOREVER = 2**63 - 1

ADMIN_KINDS = [
    "admin_ended",
    "cancelled",
    "corrected clicked_at",
    "corrected session_ended_at",
    "reopened",
    "released",
]
ZOOM_KINDS = ["zoom_started", "zoom_joined", "zoom_left", "zoom_ended"]
TEACHER_KINDS = ["teacher_left", "teacher_ended"]
IDLE_KINDS = ["click_ignored", "timed_out", "missed", "other"]
ROLES = ["unknown", "teacher", "student"]


# --- Talking to the driver ---


def as_line(terms, facts, now):
    words = [terms.duration, terms.buffer, terms.link, now, len(facts)]
    for f in facts:
        name, _, detail = f.kind.partition(" ")
        words += [f.id, name, detail or "-", f.at, f.received, f.lasts]
        words += [f.meeting, f.connection, ROLES.index(f.role)]
    return " ".join(map(str, words))


def expected(terms, facts, now):
    r = row(terms, facts, now)
    p = presence(facts, r.clicked or 0, r.ended or 0)
    decision = [r.status, r.clicked, r.deadline, r.ended, r.ended_by, r.estimated, r.deciding]
    decision += [r.corrected, r.zoom, is_unsettled(terms, facts, now)]
    there = [p.known, p.sides, p.teacher, p.student, p.both]
    return " ".join("-" if x is None else str(int(x) if isinstance(x, bool) else x)
                    for x in decision + there)


def decided(cases):
    lines = "".join(as_line(*case) + "\n" for case in cases)
    done = subprocess.run([DRIVER], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def differs(case):
    return decided([case])[0] != expected(*case)


def shrunk(case):
    """The same disagreement with as few facts as possible."""
    terms, facts, now = case
    for f in facts:
        fewer = (terms, [g for g in facts if g is not f], now)
        if differs(fewer):
            return shrunk(fewer)
    return case


def in_batches(cases):
    cases = iter(cases)
    while batch := list(itertools.islice(cases, BATCH)):
        yield batch


def check(cases):
    count = 0
    for batch in in_batches(cases):
        answers = decided(batch)
        assert len(answers) == len(batch)
        for case, answer in zip(batch, answers):
            if answer != expected(*case):
                terms, facts, now = small = shrunk(case)
                story = "\n".join(map(str, sorted(facts, key=lambda f: f.at)))
                pytest.fail(f"seed {SEED}, now {now}, {terms}\n{story}\n"
                            f"decide.c: {decided([small])[0]}\nmodel:    {expected(*small)}")
        count += len(batch)
    print(f"{count} cases agree, seed {SEED}")


# --- Making cases ---


class Storyteller:
    """Random classes whose moments crowd around each other and around the boundaries."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def case(self):
        rng = self.rng
        self.terms = Terms(rng.choice([1800, 3600]), rng.choice([0, 600]),
                           rng.choice([600, 3000, 7200, 43200]))
        click = SENT + rng.choice([0, 1, 2, 5 * MINUTE, 20 * MINUTE])
        reopened = click + rng.choice([0, 10, 45, 71, 90]) * MINUTE
        self.anchors = [
            SENT,
            click,
            click + (self.terms.duration + self.terms.buffer) * SECOND,
            SENT + self.terms.link * SECOND,
            reopened,
            reopened + 10 * MINUTE,
            click + rng.randrange(4200) * SECOND,
            click + rng.randrange(4200) * SECOND,
            click + rng.randrange(90) * MINUTE + rng.randrange(SECOND),
        ]
        facts = [self.fact("sent", at=SENT)] * (rng.random() < 0.98)
        in_zoom = rng.random() < 0.4
        facts += [self.fact("clicked", at=click)] * (in_zoom or rng.random() < 0.85)
        facts += [self.fact(kind) for kind in (self.meeting() if in_zoom else self.anything())]
        facts += [f for f in facts if rng.random() < 0.05]
        rng.shuffle(facts)
        return self.terms, self.renumbered(facts), self.now()

    def meeting(self):
        kinds = ZOOM_KINDS[1:3] * 4 + ZOOM_KINDS + TEACHER_KINDS
        return self.rng.choices(kinds, k=self.rng.randrange(4, 14))

    def anything(self):
        rng = self.rng
        menu = ZOOM_KINDS * 4 + TEACHER_KINDS * 2 + ADMIN_KINDS + ["clicked", "superseded", "sent"]
        return rng.choices(menu + IDLE_KINDS, k=rng.randrange(rng.choice([4, 8, 14])))

    def moment(self):
        rng = self.rng
        return rng.choice(self.anchors) + rng.choice([0, 0, 0, 0, 1, -1, SECOND, -SECOND, MINUTE])

    def now(self):
        return self.rng.choice([FOREVER, self.moment(), self.moment()])

    def fact(self, kind, at=None):
        rng = self.rng
        connection = rng.choice([-1, 0, 1, 2, 3]) if kind in ZOOM_KINDS[1:3] else -1
        # A connection lives in one meeting, and its teacher is not always recognised.
        meeting = connection // 2 if connection >= 0 else rng.choice([-1, 0, 1])
        teacher = connection in (0, 2) and rng.random() < 0.7
        return Fact(
            id=0,
            kind=kind,
            at=self.moment() if at is None else at,
            received=self.moment(),
            lasts=rng.choice([1, SECOND, 10 * MINUTE, 70 * MINUTE]) if kind == "reopened" else 0,
            meeting=meeting if kind in ZOOM_KINDS else -1,
            connection=connection,
            role="teacher" if teacher else rng.choice(["unknown", "unknown", "student"]),
        )

    def renumbered(self, facts):
        ids = self.rng.sample(range(1, 1000), len(facts))
        return [Fact(**{**vars(f), "id": i}) for f, i in zip(facts, ids)]


def grid(rng):
    """Every one and every two facts on a grid around every boundary."""
    click, deadline, link_end = SENT + 5 * MINUTE, SENT + 75 * MINUTE, SENT + 120 * MINUTE
    restart, reopened = click + 40 * MINUTE, click + 50 * MINUTE
    boundaries = [click, restart, reopened, deadline, link_end]
    moments = [SENT] + [b + step for b in boundaries for step in (-1, 0, 1)]
    kinds = TEACHER_KINDS + ADMIN_KINDS + ["clicked", "superseded"]
    atoms = [(kind, m, -1, -1) for kind in kinds for m in moments]
    atoms += [(kind, m, meeting, -1) for kind in ("zoom_started", "zoom_ended")
              for m in moments for meeting in (0, 1)]
    atoms += [(kind, m, 0, 0) for kind in ("zoom_joined", "zoom_left") for m in moments]
    atoms += [("zoom_joined", m, 1, 1) for m in moments]
    pairs = [(a,) for a in atoms] + list(itertools.combinations(atoms, 2))
    if LONG:
        pairs += ((a, b, rng.choice(atoms)) for a, b in pairs[len(atoms):])
    for chosen in pairs:
        facts = [Fact(1, "sent", SENT, SENT)]
        facts += [Fact(2, "clicked", click, click)] * (rng.random() < 0.9)
        facts += [
            Fact(i, kind, at, SENT + i * SECOND, lasts=25 * MINUTE * (kind == "reopened"),
                 meeting=meeting, connection=connection,
                 role="teacher" if connection == 0 else "unknown")
            for i, (kind, at, meeting, connection) in enumerate(chosen, start=3)
        ]
        yield TERMS, facts, rng.choice([rng.choice(moments), deadline, FOREVER])


def test_random_classes_are_decided_as_the_model_says():
    teller = Storyteller(SEED)
    check(teller.case() for _ in range(RANDOM_CASES))


def test_classes_on_the_grid_of_boundaries_are_decided_as_the_model_says():
    check(grid(random.Random(SEED)))
