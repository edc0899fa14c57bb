"""rig: one instance for all tests that make its programs fail; see rig.py."""

import pytest

from rig import SEED, Rig


@pytest.fixture(scope="session")
def rig():
    print(f"CLASSCLOCK_SEED={SEED}")
    instance = Rig()
    try:
        yield instance.start()
        # Whatever broke, the data is whole and no program has met a bug.
        instance.plans.rest()
        instance.replay()
        check = instance.check()
        assert check.returncode == 0, check.stdout + check.stderr
        assert "BUG" not in instance.logs()
    finally:
        instance.stop()
