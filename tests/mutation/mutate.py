#!/usr/bin/python3
"""Breaks the decision, token and timeout modules in every small way, and counts what the tests notice.

    mutate.py [--build DIR] [FILE ...]

A mutant is caught when a test of its file fails. One that does not compile is invalid; one whose object
code is the original's, or another mutant's, or that known.txt lists with a reason, is equal. The rest
survived. Ends with status 1 when less than 90 % of those that could be caught were.

Needs a plain build. What uses PostgreSQL (lib/timeout.c) runs the tests of the API in an instance.
"""

import argparse
import collections
import json
import pathlib
import random
import resource
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/mutation"), str(ROOT / "tests/api")]

import test_decide_model as model  # noqa: E402
from instance import Jobs  # noqa: E402
from mutants import mutants_of  # noqa: E402

# Which tests know each file, the quickest first.
TESTS = {
    "lib/decide.c": ["test_decide", "decide_driver", "test_confluence"],
    "lib/occurrence.c": ["test_decide", "decide_driver", "test_confluence"],
    "lib/kind.c": ["test_decide", "test_presence", "decide_driver", "test_confluence"],
    "lib/presence.c": ["test_presence", "decide_driver"],
    "lib/join_link.c": ["test_join_link"],
    "lib/leave_link.c": ["test_leave_link"],
    "lib/zoom_match.c": ["test_zoom_match"],
    "lib/timeout.c": None,
}
CPU_S = 20  # whatever runs longer than any test does hangs
WANTED = 0.9


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, cwd, stdin=None):
    return subprocess.run(command, cwd=cwd, stdin=stdin, capture_output=True, preexec_fn=limited, check=False)


class Workshop:
    """Compiles a changed file as the build does, and links programs with it in the library's place."""

    def __init__(self, build, scratch):
        self.build, self.scratch = build, pathlib.Path(scratch)
        commands = json.loads((build / "compile_commands.json").read_text())
        self.compile = {c["file"]: shlex.split(c["command"]) for c in commands}

    def object_of(self, file, text):
        """Path of the object, or None if it does not compile. Without line numbers, so that equal code
        is equal; a name that stays the same, since an object holds it."""
        source = self.scratch / pathlib.Path(file).name
        source.write_text(text)
        words = [w for w in self.compile[str(ROOT / file)] if w != "-g"]
        words = words[:words.index("-o")] + ["-w", "-o", str(source.with_suffix(".o")), "-c", str(source)]
        words = [w for w in words if "ccache" not in w]
        return source.with_suffix(".o") if run(words, self.build).returncode == 0 else None

    def program(self, name, obj):
        """Links a program of the build with obj before the library."""
        words = shlex.split((self.build / f"CMakeFiles/{name}.dir/link.txt").read_text())
        at = words.index("-o")
        out = self.scratch / name
        words[at:at + 2] = [str(obj), "-o", str(out)]
        done = run(words, self.build)
        assert done.returncode == 0, done.stderr.decode()
        return out


class Answers:
    """What the model says of many classes, as decide_driver should print it."""

    def __init__(self, scratch, count):
        rng = random.Random(model.SEED)
        teller = model.Storyteller(rng)
        every = list(model.grid(rng, [[rng.choice(model.atoms()) for _ in range(2)] for _ in range(count)]))
        every += list(model.orders(rng))[::3] + [teller.case() for _ in range(count)]
        self.questions = pathlib.Path(scratch) / "questions"
        self.questions.write_text("".join(model.as_line(*case) + "\n" for case in every))
        self.answers = "".join(model.expected(*case) + "\n" for case in every).encode()

    def hold(self, driver):
        with self.questions.open("rb") as stdin:
            return run([driver], ROOT, stdin).stdout == self.answers


class Units:
    """Unit tests and the driver."""

    def __init__(self, workshop, tests, answers):
        self.workshop, self.tests, self.answers = workshop, tests, answers

    def notices(self, obj):
        """The test that fails, or None."""
        for name in self.tests:
            program = self.workshop.program(name, obj)
            fine = self.answers.hold(program) if name == "decide_driver" else not run([program], ROOT).returncode
            if not fine:
                return name
        return None


def known_equals():
    """What known.txt says: the mutant's name, and why no test can notice it."""
    lines = (ROOT / "tests/mutation/known.txt").read_text().splitlines()
    return {line.split(" # ")[0].strip() for line in lines if line and not line.startswith("#")}


def judge(file, workshop, examiner, equals):
    """Counts of a file's mutants, by what became of them."""
    source = (ROOT / file).read_text()
    original = workshop.object_of(file, source)
    seen = {original.read_bytes()}
    assert not examiner.notices(original), "the tests fail without a mutant"
    counts = collections.Counter()
    for mutant in mutants_of(source, has_sql=file == "lib/timeout.c"):
        obj = workshop.object_of(file, mutant.text)
        name = f"{file} {mutant.name}"
        if not obj:
            verdict = "invalid"
        elif obj.read_bytes() in seen or name in equals:
            verdict = "equal"
        else:
            seen.add(obj.read_bytes())
            noticed = examiner.notices(obj)
            verdict = "caught" if noticed else "survived"
        counts[verdict] += 1
        if verdict == "survived":
            print(f"survived: {name}", flush=True)
    return counts


def show(file, counts):
    could = counts["caught"] + counts["survived"]
    print(f"{file:20} {sum(counts.values()):5} mutants: {counts['caught']:4} caught, {counts['survived']:3} survived,"
          f" {counts['equal']:3} equal, {counts['invalid']:3} invalid; {counts['caught'] / max(could, 1):6.1%}",
          flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--cases", type=int, default=15_000, help="random classes to compare with the model")
    parser.add_argument("files", nargs="*", default=list(TESTS))
    wish = parser.parse_args()
    total, equals = collections.Counter(), known_equals()
    print(f"seed {model.SEED}")
    with tempfile.TemporaryDirectory(prefix="classclock-mutation.") as scratch:
        workshop = Workshop(wish.build.resolve(), scratch)
        answers = Answers(scratch, wish.cases)
        for file in wish.files:
            if TESTS[file]:
                counts = judge(file, workshop, Units(workshop, TESTS[file], answers), equals)
            else:
                counts = Jobs(workshop).judge(lambda jobs, file=file: judge(file, workshop, jobs, equals))
            show(file, counts)
            total += counts
    show("all", total)
    return total["caught"] < WANTED * (total["caught"] + total["survived"])


if __name__ == "__main__":
    sys.exit(main())
