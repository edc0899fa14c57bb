"""Outages while students tap, 300 of them a second: every one reaches the class, every tap is kept once, at
its own moment. The database stops, hangs, crashes, or fails over to its standby. Each has an instance of its own, so
they run beside each other. docs/guarantees.md, P1 and P5. Sizes: CLASSCLOCK_LONG."""

import contextlib
import os
import signal
import subprocess

import pytest

from lessons import Clients, Ends, check_ends, check_lessons, ledger_students
from outage import (LONG, Away, Taps, all_opened, check_ledger, failover_pair, forget_taps, kept_taps, lose_primary,
                    put_classes, running, signal_all, until)

RATE = 300
SECONDS = 600 if LONG else 20  # an outage lasts
AROUND = 1.5  # seconds before and after it


@pytest.mark.parametrize("how", ["stopped", "hung"])
def test_every_tap_of_an_outage_opens_the_class_and_is_kept(app, how):
    taps = Taps(app, put_classes(app, 200), RATE, SECONDS + 2 * AROUND)
    taps.at(AROUND)
    with Away(app, how):
        taps.at(AROUND + SECONDS)
    taps = taps.finish()
    all_opened(taps)
    app.replay()
    kept = kept_taps(app.psql)
    check_ledger(taps, kept)
    assert len(kept) == len(taps)
    print(f"{how}: {len(taps)} taps")
    forget_taps(app)


# ---------------------------------------------------------------- failover


@pytest.fixture
def pair():
    with failover_pair() as (instance, standby):
        yield instance, standby


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'"


def put_running(app, n):
    """So many classes that run; their ids."""
    for link in put_classes(app, n):
        assert app.client().open(link).status == 302
    return [int(row) for row in app.psql("SELECT id FROM sessions WHERE session_status = 'active'").split()]


@pytest.mark.parametrize("end", ["it hangs"] + ["it dies"] * LONG)
def test_a_failover_loses_no_tap_send_or_end(pair, end):
    """What was acknowledged is there once, and what was refused or not answered is there once after its repeat: also
    what the standby was sent and nobody was told of any more."""
    app, standby = pair
    running_classes = put_running(app, 12 * SECONDS)
    links = put_classes(app, 200)
    clients = Clients(app, ledger_students(app, 200 * SECONDS), 4, 0.05), Ends(app, running_classes, 4, 0.4)
    taps = Taps(app, links, RATE, SECONDS + 2 * AROUND)
    taps.at(AROUND)
    with standby.silent():
        until(lambda: int(app.psql(WAITING)) >= 4)  # both workers that send and both that end
        family = lose_primary(app, signal.SIGKILL if end == "it dies" else signal.SIGSTOP)
    taps.at(AROUND + SECONDS / 3)
    before = [c.acknowledged for c in clients]
    standby.promote()
    taps = taps.finish()
    all_opened(taps)
    for c, n in zip(clients, before):
        until(lambda: c.acknowledged > n or c.wrong)  # pylint: disable=cell-var-from-loop
        c.stop()
    if end == "it hangs":  # as when somebody pulls its plug
        signal_all(family, signal.SIGKILL)
    until(lambda: not any(running(pid) for pid in family))
    until(app.works)
    app.replay()
    kept = kept_taps(standby.psql)
    check_ledger(taps, kept)
    assert len(kept) == len(taps)
    print(f"{[len(c.lessons) for c in clients]} sends and ends, {[c.refused for c in clients]} refused before")
    assert all(c.refused for c in clients)
    check_lessons(standby.psql, clients[0].lessons)
    check_ends(standby.psql, clients[1].lessons)
    check = app.job("classclock-admin", "check")
    assert check.returncode == 0, check.stdout


# ---------------------------------------------------------------- crashes


def test_every_tap_while_the_database_crashes_and_recovers_is_kept(app):
    """A backend dies, and PostgreSQL starts anew by itself; again and again."""
    seconds = 60 if LONG else 6
    taps = Taps(app, put_classes(app, 200), RATE, seconds)
    for second in range(1, seconds):
        taps.at(second)
        app.let_go()
        children = subprocess.run(["pgrep", "-P", str(app.pid("postgres")), "-f", "classclock_app"],
                                  capture_output=True, text=True, check=False).stdout.split()
        for pid in children[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    taps = taps.finish()
    until(app.works)
    all_opened(taps)
    app.replay()
    check_ledger(taps, kept_taps(app.psql))
    forget_taps(app)
