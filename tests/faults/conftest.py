"""rig: one instance for all tests that make its programs fail; see rig.py. app: another, whose database goes away."""

import pytest

from rig import Rig  # finds the modules of tests/api
from academy import SEED
from outage import Academy, Timer


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"CLASSCLOCK_SEED={SEED}")


@pytest.fixture(scope="session")
def rig():
    instance = Rig()
    try:
        yield instance.start()
        # Whatever broke, the data is whole and no program has met a bug.
        instance.plans.rest()
        instance.replay()
        check = instance.check()
        assert check.returncode == 0, check.stdout + check.stderr
        logs = instance.logs()
        assert "BUG" not in logs
        assert " is stuck for " not in logs  # each came to its deadline by itself; its parent had no need to end it
    finally:
        instance.stop()


@pytest.fixture(scope="session")
def outage_app():
    instance = Academy()
    try:
        timer = Timer(instance, "journal-replay")  # else, each minute, it would take lines away that a test looks at
        yield instance.start()
        timer.release()
    finally:
        instance.stop()


@pytest.fixture(scope="module")
def app(outage_app):
    yield outage_app
    outage_app.check_all()
