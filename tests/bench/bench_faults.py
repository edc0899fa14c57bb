"""How long students wait while the database is away: 300 taps a second, each a click of its own.

./dev bench faults [--quick]. The aim is 1.5 s at the 99th percentile, whatever happens to the database.
"""

import os
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("CLASSCLOCK_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests" / "faults"))
from outage import Academy, Away, Taps, failover_pair, lose_primary, put_classes  # noqa: E402

RATE = 300
QUICK = "--quick" in sys.argv
SECONDS, AROUND = (1, 0.5) if QUICK else (20, 2)
SPARE = 15 if QUICK else 0  # a quick run has others beside it, and what goes away there goes slowly


def row(name, taps, first, last):
    """Of the taps between two moments: how long they took, and how many reached the class."""
    taps = [tap for tap in taps if first * 1e6 <= tap[1] < last * 1e6]
    took = sorted((ended - began) / 1000 for _, began, ended, *_ in taps)
    opened = sum(tap[3] == 302 for tap in taps)
    figures = [took[len(took) // 2], took[len(took) * 99 // 100], took[-1]]
    print(f"| {name:<22} | {len(taps):>6} | {opened:>6} | " + " | ".join(f"{ms:>7.1f}" for ms in figures) + " |", flush=True)


def outage(app, how):
    taps = Taps(app, put_classes(app, 200), RATE, SECONDS + 2 * AROUND + SPARE)
    taps.at(AROUND)
    with Away(app, how):
        first = time.time()
        taps.at(time.monotonic() - taps.began + SECONDS)
        last = time.time()
    row(how, taps.finish(), first, last)
    app.replay()


def failover(how, name):
    with failover_pair() as (app, standby):
        taps = Taps(app, put_classes(app, 200), RATE, SECONDS + 2 * AROUND + SPARE)
        taps.at(AROUND)
        first = time.time()
        family = lose_primary(app, how)
        taps.at(AROUND + SECONDS / 2)
        standby.promote()
        row(name, taps.finish(), first, first + SECONDS)
        for pid in family:
            if how == signal.SIGSTOP:
                os.kill(pid, signal.SIGKILL)


def main():
    print(f"{RATE} taps a second, {SECONDS} s each, through nginx; how long the answer took, in ms\n")
    print("| the database           |   taps | opened |     p50 |     p99 |     max |")
    print("| ---------------------- | ------ | ------ | ------- | ------- | ------- |")
    app = Academy()
    try:
        app.start()
        taps = Taps(app, put_classes(app, 200), RATE, SECONDS).finish()
        row("is well", taps, 0, time.time())
        for how in ("stopped", "hung", "read-only", "slow"):
            outage(app, how)
    finally:
        app.stop()
    failover(signal.SIGKILL, "dies, standby promoted")
    if not QUICK:  # by the same code
        failover(signal.SIGSTOP, "hangs, the same")


if __name__ == "__main__":
    main()
