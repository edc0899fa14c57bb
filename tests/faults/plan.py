"""Which call of which program fails next: the plan that preload.c follows, and its library."""

import mmap
import pathlib
import struct
import subprocess

CALLS = ("malloc", "read", "write", "send", "recv", "poll", "open", "fsync", "getrandom", "files", "accept")
ABOUT = ("nothing", "a file", "nginx", "the database", "a socket")
KILL_BEFORE, KILL_AFTER, SHORT = -1, -2, -3
POINTS = "write send recv open fsync files"  # around each commit and each write of a journal
FORM = struct.Struct("=32siiIiiiqqq")
PROGRAMS, SLOTS = 64, 65536
SOURCE = pathlib.Path(__file__).with_name("preload.c")


class Plans:
    """The plans of all programs, in shared memory. At rest no call fails."""

    def __init__(self, folder, programs):
        self.library = folder / "preload.so"
        file = folder / "plan"
        file.write_bytes(bytes(FORM.size * PROGRAMS + 8 * SLOTS))
        file.chmod(0o666)
        compiler = ["cc", "-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
        define = f'-DPLAN_FILE="{file}"'
        subprocess.run([*compiler, define, SOURCE, "-o", self.library, "-ldl"], check=True)
        self.library.chmod(0o755)
        with open(file, "r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), 0)
        self.plans = {name: Plan(self.memory, i, name) for i, name in enumerate(sorted(programs))}

    def __getitem__(self, program):
        return self.plans[program]

    def rest(self):
        for plan in self.plans.values():
            plan.rest()

    def live(self, pid):
        """Allocations that the process has not freed, as of the last time its program's plan was armed."""
        return struct.unpack_from("=q", self.memory, FORM.size * PROGRAMS + 8 * (pid % SLOTS))[0]


class Plan:
    """Which calls of one program fail."""

    def __init__(self, memory, index, program):
        self.memory, self.at, self.program = memory, FORM.size * index, program.encode()
        self.rest()

    def arm(self, calls="", n=1, error=0, for_ever=False):
        """From now on the n-th of the calls (names, blank between) that the program makes fails."""
        bits = sum(1 << CALLS.index(call) for call in calls.split())
        self.rest()
        FORM.pack_into(self.memory, self.at, self.program, 0, 0, bits, error, for_ever, 0, n, 0, 0)
        struct.pack_into("=i", self.memory, self.at + 32, 1)
        return self

    def rest(self):
        """Lets all calls be; what the plan has counted stays to be read."""
        struct.pack_into("=i", self.memory, self.at + 32, 0)
        if not self.memory[self.at]:
            FORM.pack_into(self.memory, self.at, self.program, *[0] * 9)

    def _now(self):
        return FORM.unpack_from(self.memory, self.at)

    @property
    def count(self):
        return self._now()[8]

    @property
    def fired(self):
        return self._now()[9]

    @property
    def served(self):
        """The process that used memory last."""
        return self._now()[2]

    @property
    def about(self):
        """What the last failing call was about."""
        return ABOUT[self._now()[6]]
