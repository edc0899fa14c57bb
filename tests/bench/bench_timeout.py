"""The timeout job: many due sessions in batches, and a run that finds nothing."""

import statistics
import subprocess
import sys
import threading
import time

from place import BUILD, ZOOM_URL, Place, Pool, academy, arguments, load, many
from table import Row, publish

# Running classes whose deadlines passed in the last ten days, while no job ran.
DUE = """
SET session_replication_role = replica;
INSERT INTO sessions (id, teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
  link_hours, link_id, request_id, request_digest, zoom_url, session_status, sent_at, clicked_at, times_out_at)
SELECT n, 1000 + n % 40, 1000 + n % 400, 'Europe', 10, 'USD', 60, 10, 12, lpad(to_hex(n), 32, '0')::uuid,
  lpad(to_hex(n), 32, '0')::uuid, '\\x00', '{url}', 'active', sent, sent, sent + interval '70 minutes'
FROM (SELECT n, clock_now() - interval '2 hours' - ({last} - n) * (interval '10 days' / ({last} - {first} + 1)) AS sent
  FROM generate_series({first}, {last}) n) s;
VACUUM ANALYZE sessions; CHECKPOINT
"""

# What the job does to them, in one statement.
AT_ONCE = """
WITH done AS (
  UPDATE sessions SET session_status = 'timeout', session_ended_at = times_out_at, estimated = true
  WHERE session_status = 'active' AND NOT unsettled AND NOT zoom_seen AND times_out_at <= clock_now()
  RETURNING id, times_out_at
), evidence AS (
  INSERT INTO session_events (session_id, kind, happened_at, source) SELECT id, 'timed_out', times_out_at, 'system' FROM done
) SELECT count(*) FROM done
"""


class Due:
    """Sessions that are due, made anew before each run."""

    def __init__(self, place):
        self.place, self.next = place, 1_500_000_000  # as a Pool's, which removes them

    def make(self, count):
        self.place.psql(DUE.format(url=ZOOM_URL, first=self.next, last=self.next + count - 1))
        self.next += count


def timed(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began


def left(place):
    return int(place.psql("SELECT count(*) FROM sessions WHERE session_status = 'active' AND times_out_at <= clock_now()"))


def compare_due(place, due, count, rounds, rows):
    row = Row(f"{count:,} due sessions timed out", "one psql UPDATE with its evidence", "at most", 1.3, "s")
    for _ in range(rounds):
        due.make(count)
        ours = timed(lambda: place.job("session-timeout"))
        assert left(place) == 0
        due.make(count)
        row.add(ours, timed(lambda: place.psql(AT_ONCE)))
        place.job("session-timeout")  # what the trigger noted joins the totals
    rows.append(row)
    return max(2, statistics.median(ours for ours, _ in row.pairs))


def clicks_meanwhile(place, pool, due, count, seconds, rounds, rows):
    """p99 of clicks for as long as the job runs."""
    targets = int(600 * seconds)
    row = Row(f"p99 of clicks at 500/s while {count:,} time out", "their p99 alone", "at most", 5, "ms")
    for _ in range(rounds):
        due.make(count)
        alone = load(place.port, 32, seconds, pool.targets(targets), 500)
        job = threading.Thread(target=lambda: place.job("session-timeout"))
        job.start()
        beside = load(place.port, 32, seconds, pool.targets(targets), 500)
        job.join()
        row.add(beside["p99"] / 1000, alone["p99"] / 1000)
    rows.append(row)


def compare_nothing(place, quick, rounds, rows):
    row = Row(f"a run with nothing due among {many(quick):,} sessions", "psql -c 'select 1'", "at most", 2, "ms")
    env = {"PATH": "/usr/bin:/bin", "CLASSCLOCK_ENV": str(place.state / "env")}
    job = [BUILD / "cron" / "session-timeout"]
    psql = ["/usr/lib/postgresql/15/bin/psql", place.conninfo, "-c", "select 1"]
    place.job("session-timeout")
    place.psql("VACUUM ANALYZE sessions")  # of what the groups before have left
    for _ in range(4 * rounds):
        runs = [
            timed(lambda c=command, e=e: subprocess.run(c, env=e, check=True, stdout=subprocess.DEVNULL))
            for command, e in ((job, env), (psql, None))
        ]
        row.add(*(1000 * run for run in runs))
    rows.append(row)


def main():
    quick = arguments(__doc__).quick
    rounds, count = (1, 2_000) if quick else (5, 100_000)
    rows = []
    with academy(quick) as place:
        compare_nothing(place, quick, rounds, rows)
    with Place() as place:
        pool, due = Pool(place, 10_000 if quick else 20_000), Due(place)
        try:
            seconds = compare_due(place, due, count, rounds, rows)
            clicks_meanwhile(place, pool, due, count, seconds, rounds, rows)
            if not quick:
                publish("timeout", rows, [], quick)  # the last pairs take minutes each
                seconds = compare_due(place, due, 1_000_000, rounds, rows)
                clicks_meanwhile(place, pool, due, 1_000_000, min(30, seconds), rounds, rows)
        finally:
            pool.close()
    publish("timeout", rows, [], quick)


if __name__ == "__main__":
    sys.exit(main())
