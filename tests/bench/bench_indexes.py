"""What each index of sessions costs a click and an end: the same updates with and without it, in turn."""

import statistics
import sys

from place import ZOOM_URL, academy, arguments
from table import publish

# Classes of as many students, just sent, with random keys as real ones have.
FILL = """
SET session_replication_role = replica;
DELETE FROM sessions WHERE id >= 1900000000;
INSERT INTO sessions (id, teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
  link_hours, link_id, request_id, request_digest, zoom_url, meeting_id, sent_at)
SELECT 1900000000 + n, teacher_id, id, package_id, 10, 'USD', 60, 10, 12, gen_random_uuid(), gen_random_uuid(), '\\x00',
  '{url}', 8123456789, clock_now() - interval '1 minute'
FROM (SELECT row_number() OVER (ORDER BY hashtext(id::text)) AS n, * FROM students WHERE id >= 100000) s
WHERE n <= {count};
VACUUM ANALYZE sessions
"""

# What the process has run for, in nanoseconds, and where the log is written.
MEASURE = "SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1), pg_current_wal_insert_lsn() - '0/0'"

UPDATES = [
    "session_status = 'active', clicked_at = clock_now(), times_out_at = clock_now() + interval '70 minutes'",
    "session_status = 'ended', session_ended_at = clock_now(), ended_by = 'teacher_left'",
]


def each(change):
    return (
        "DO $$ DECLARE n bigint; BEGIN FOR n IN SELECT id FROM sessions WHERE id >= 1900000000 ORDER BY hashtext(id::text)"
        f" LOOP UPDATE sessions SET {change} WHERE id = n; END LOOP; END $$"
    )


def cost(place, count, drops):
    """Microseconds and bytes of the log that a click takes without what drops name, then an end; rolled back."""
    place.psql("CHECKPOINT")
    script = ["BEGIN", *drops, MEASURE, each(UPDATES[0]), MEASURE, each(UPDATES[1]), MEASURE, "ROLLBACK"]
    marks = [tuple(map(int, line.split("|"))) for line in place.psql(";\n".join(script)).splitlines()]
    per = [((b[0] - a[0]) / 1000 / count, (b[1] - a[1]) / count) for a, b in zip(marks, marks[1:])]
    return [*per[0], *per[1]]


def drops_of(place):
    """How to be without each index but the primary key's, by its name."""
    rows = place.psql(
        "SELECT c.relname, k.conname IS NOT NULL FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype = 'u'"
        " WHERE i.indrelid = 'sessions'::regclass AND NOT i.indisprimary ORDER BY 1"
    )
    return {
        name: f"ALTER TABLE sessions DROP CONSTRAINT {name}" if unique == "t" else f"DROP INDEX {name}"
        for name, unique in (row.split("|") for row in rows.splitlines())
    }


def main():
    quick = arguments(__doc__).quick
    rounds, count = (1, 200) if quick else (5, 5000)
    with academy(quick) as place:
        place.psql(FILL.format(url=ZOOM_URL, count=count))
        single = drops_of(place)
        without = {"nothing": [], **{f"`{name}`": [drop] for name, drop in single.items()},
                   "all but the primary key": list(single.values())}  # fmt: skip
        found = {name: [] for name in without}
        try:
            for _ in range(rounds):
                for name, drops in without.items():
                    found[name].append(cost(place, count, drops))
        finally:
            place.psql("SET session_replication_role = replica; DELETE FROM sessions WHERE id >= 1900000000")
    table = ["| without | click, µs | click, WAL bytes | end, µs | end, WAL bytes |", "| --- | --- | --- | --- | --- |"]
    for name, turns in found.items():
        figures = [statistics.median(column) for column in zip(*turns)]
        table.append(f"| {name} | " + " | ".join(f"{figure:,.0f}" for figure in figures) + " |")
    publish("indexes", [], ["\n".join(table)], quick)


if __name__ == "__main__":
    sys.exit(main())
