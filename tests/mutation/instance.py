"""Tests of the API as examiners of a changed job: one instance for all, the job's program replaced each time."""

import os
import pathlib
import shutil

import pytest
from _pytest.runner import runtestprotocol

from academy import Instance

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOB_S = 30  # whatever runs longer goes round and round
TESTS = [
    "test_timeout.py",
    "test_actions.py::test_a_reopened_class_ends_like_any_other",
]


class Jobs:
    """A plug-in of pytest, in whose loop a file's mutants are judged."""

    program = "session-timeout"

    def __init__(self, workshop):
        self.workshop = workshop
        self.build = workshop.scratch / "build"
        self.build.mkdir()
        workshop.scratch.chmod(0o755)  # else the instance runs a copy
        for part in workshop.build.iterdir():
            if part.name != "cron":
                (self.build / part.name).symlink_to(part)
        shutil.copytree(workshop.build / "cron", self.build / "cron")

    def judge(self, verdicts):
        """What verdicts(self) returns, called with the instance there."""
        self.verdicts, self.counts = verdicts, None
        Instance.job.__kwdefaults__["timeout"] = JOB_S
        os.environ["CLASSCLOCK_BUILD"] = str(self.build)
        arguments = ["-s", "-p", "no:terminal", "-p", "no:cacheprovider"]
        pytest.main([*arguments, *(str(ROOT / "tests/api" / test) for test in TESTS)], plugins=[self])
        assert self.counts, "the tests do not run"
        return self.counts

    def pytest_runtestloop(self, session):
        self.items = list(session.items)
        failed = self.failed(self.items)
        assert not failed, f"without a mutant too this fails: {failed}"
        self.put("/bin/true")
        assert self.failed(self.items), "the tests run another program than the one put there"
        self.counts = self.verdicts(self)
        runtestprotocol(session.items[-1], nextitem=None, log=False)
        return True

    def pytest_runtest_call(self, item):
        self.app = item.funcargs["app"]

    def failed(self, items):
        """The first test that fails and how, or None. It comes first from then on: it may well notice the next."""
        for item in list(items):
            item._initrequest()
            # What comes next is said to be of the session, so that the instance stays up.
            for report in runtestprotocol(item, nextitem=item.session, log=False):
                if not report.passed:
                    self.items.remove(item)
                    self.items.insert(0, item)
                    return f"{item.name}: {report.longreprtext}"
        return None

    def put(self, program):
        place = self.build / "cron" / self.program
        place.unlink()
        shutil.copy(program, place)

    def notices(self, obj):
        """The test that fails with the mutant and, once its traces are gone, not without it; or None."""
        self.put(self.workshop.program(self.program, obj))
        noticed = self.failed(self.items)
        self.put(self.workshop.build / "cron" / self.program)
        self.clean()
        if noticed:
            still = self.failed(self.items[:1])
            assert not still, f"the instance did not get over a mutant: {still}"
        return noticed

    def clean(self):
        """Takes away what a mutant may have left: classes that make no sense."""
        self.app.psql(
            "SET session_replication_role = replica; DELETE FROM sessions; DELETE FROM session_events;"
            " DELETE FROM session_changes; DELETE FROM session_totals; DELETE FROM session_hours; DELETE FROM session_months; DELETE FROM job_runs",
        )
