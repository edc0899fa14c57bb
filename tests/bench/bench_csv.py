"""The CSV of a whole filter through nginx, beside psql \\copy of the same columns."""

import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from bench_list import LIST, get, sign_in
from place import academy, arguments
from processes import descendants, figure
from table import Row, publish

# The columns of lib/session_csv.c, without what makes a field safe for a spreadsheet.
COPY = """\\copy (SELECT s.id, t.name, st.name, s.package_id, s.package_rate, s.currency, s.session_status,
 to_char(s.sent_at AT TIME ZONE z.time_zone, 'YYYY-MM-DD HH24:MI:SS'), rfc3339(s.sent_at),
 to_char(s.clicked_at AT TIME ZONE z.time_zone, 'YYYY-MM-DD HH24:MI:SS'), rfc3339(s.clicked_at),
 to_char(s.session_ended_at AT TIME ZONE z.time_zone, 'YYYY-MM-DD HH24:MI:SS'), rfc3339(s.session_ended_at),
 s.session_duration_minutes, s.ended_by, CASE WHEN s.estimated THEN 'yes' ELSE 'no' END,
 CASE WHEN (s.session_status IN ('ended', 'timeout') AND s.zoom_seen AND s.ended_by IS DISTINCT FROM 'admin'
  AND clock_now() < s.times_out_at + interval '87 minutes') THEN 'yes' ELSE 'no' END, s.attendance, s.attendance_note
 FROM sessions s JOIN accounts t ON t.id = s.teacher_id JOIN students st ON st.id = s.student_id
 CROSS JOIN (SELECT time_zone FROM academy) z WHERE {where} ORDER BY s.sent_at DESC, s.id DESC)
 TO '{file}' WITH (FORMAT csv, HEADER, FORCE_QUOTE *)"""


def export(place, cookie, query, file):
    began = time.monotonic()
    url = f"http://127.0.0.1:{place.port}{LIST}?format=csv{query}"
    subprocess.run(["curl", "-sSf", "--noproxy", "*", "-H", f"Cookie: {cookie}", "-o", file, url], check=True)
    return time.monotonic() - began


def copy(place, where, file):
    began = time.monotonic()
    sql = COPY.format(where=where, file=file).replace("\n", " ")
    subprocess.run(["/usr/lib/postgresql/15/bin/psql", place.conninfo, "-Xqc", sql], check=True)
    return time.monotonic() - began


def growth(place, work):
    """How much more memory any process of the programs and nginx comes to hold while work() runs, MiB; its result."""
    supervisor = int((place.state / "supervisor").read_text().split()[0])
    first, most, over = {}, [0], threading.Event()

    def look():
        for pid in descendants(supervisor):
            comm = pathlib.Path(f"/proc/{pid}/comm")
            try:
                if comm.read_text().strip() in ("nginx", "admin_teacher_s"):
                    now = figure(pid, "rss")
                    most[0] = max(most[0], now - first.setdefault(pid, now))
            except OSError:
                continue

    look()
    watcher = threading.Thread(target=lambda: [look() for _ in iter(lambda: over.wait(0.2), True)])
    watcher.start()
    try:
        result = work()
    finally:
        over.set()
        watcher.join()
    return most[0] / 1024, result


def lines(file):
    return int(subprocess.run(["wc", "-l", file], capture_output=True, text=True, check=True).stdout.split()[0])


def main():
    quick = arguments(__doc__).quick
    rows, notes = [], []
    with academy(quick) as place, tempfile.TemporaryDirectory(prefix="classclock-csv.") as folder:
        pathlib.Path(folder).chmod(0o755)
        cookie = sign_in(place)
        get(place, cookie, LIST)  # the first request starts the program's workers
        ours, theirs = pathlib.Path(folder) / "ours", pathlib.Path(folder) / "theirs"
        since = place.psql("SELECT academy_day(clock_now()) - 50")
        parts = [("of fifty days", f"&from={since}", f"coalesce(s.clicked_at, s.sent_at) >= academy_day_start('{since}')", 1 if quick else 5)]
        if not quick:
            parts.append(("of ten million sessions", "", "true", 5))
        for name, query, where, rounds in parts:
            row = Row(f"CSV {name} through nginx", "psql \\copy of the same columns", "at most", 1.5, "s")
            most = 0
            for _ in range(rounds):
                more, took = growth(place, lambda q=query: export(place, cookie, q, ours))
                most = max(most, more)
                row.add(took, copy(place, where, theirs))
                assert lines(ours) == lines(theirs) > 1, (lines(ours), lines(theirs))
            rows.append(row)
            notes.append(f"CSV {name}: {lines(ours) - 1:,} rows; no process of the export or of nginx came to hold more than {most:.1f} MiB more (wanted: under 16).")
    publish("csv", rows, notes, quick)


if __name__ == "__main__":
    sys.exit(main())
