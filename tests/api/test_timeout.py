"""What time alone decides: lib/timeout.c, by the job of that name and by the admin's button.

The job is run before each test so that what other tests left behind is not counted.
"""

import datetime
import re

import pytest

from academy import ROOT, Psql, moment

MANY = 1_003  # more than one batch takes
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=250_000)
MICROSECOND = datetime.timedelta(microseconds=1)
CLASS, LIFE = datetime.timedelta(minutes=70), datetime.timedelta(hours=12)  # of Europe, and of a link


def identity(sent):
    return sent["session"]["id"]


def run_job(app, *arguments):
    done = app.job("session-timeout", *arguments)
    assert done.returncode == 0, done.stderr
    return tuple(map(int, re.findall(r"(\d+) (?:timed|missed|settled|to time|unopened)", done.stdout)))


@pytest.fixture(name="hana")
def a_teacher(make_teacher):
    return make_teacher()


@pytest.fixture(name="sent")
def sends(app, clock, send, hana, make_student):
    clock.stop(app.psql("SELECT clock_now()"))  # from here on nothing comes due by itself
    run_job(app)
    return lambda: send(hana, make_student(hana))


@pytest.fixture(name="opened")
def sends_and_opens(app, sent, tap):
    def make(minutes_ago=0):
        made = sent()
        tap(made["join_url"])
        if minutes_ago:
            app.age(identity(made), f"{minutes_ago} minutes")
        return identity(made)

    return make


def status(app, n):
    return app.session(n)["session_status"]


def zoom(app, n, kind, minutes, detail):
    """Evidence of Zoom's so many minutes after the click."""
    app.psql(
        "INSERT INTO session_events (session_id, kind, happened_at, source, detail)"
        f" SELECT id, '{kind}', clicked_at + interval '{minutes} minutes', 'zoom', '{detail}'"
        f" FROM sessions WHERE id = {n}"
    )


def with_zoom(app, n, unsettled):
    app.psql(f"UPDATE sessions SET zoom_seen = true, unsettled = {unsettled} WHERE id = {n}")


def test_a_run_says_what_it_did_and_keeps_it(app, opened, sent):
    due, due_too, running = opened(71), opened(70), opened(69)
    waiting, missed = identity(sent()), identity(sent())
    app.age(waiting, "11 hours 59 minutes")
    app.age(missed, "12 hours")
    left, seen = opened(71), opened(71)
    teacher = '{"uuid": "A", "participant": "1", "side": "teacher"}'
    zoom(app, left, "zoom_joined", 1, teacher)
    zoom(app, left, "zoom_left", 40, teacher)
    with_zoom(app, left, True)
    zoom(app, seen, "zoom_joined", 1, '{"uuid": "B", "participant": "2"}')
    with_zoom(app, seen, False)
    assert run_job(app, "--dry-run") == (4, 1)
    assert [status(app, n) for n in (due, missed, left)] == ["active", "sent", "active"]
    assert run_job(app) == (3, 1, 1)
    states = [status(app, n) for n in (due, due_too, running, waiting, missed, left, seen)]
    assert states == ["timeout", "timeout", "active", "sent", "missed", "ended", "timeout"]
    for n in (due, due_too):
        row = app.session(n)
        assert row["session_ended_at"] == row["times_out_at"] and row["estimated"] and not row["ended_by"]
    assert app.session(left)["ended_by"] == "zoom" and app.session(left)["session_duration_minutes"] == 40
    (noted,) = [e for e in app.evidence(missed) if e["kind"] == "missed"]
    row = app.session(missed)
    assert (moment(noted["happened_at"]) - moment(row["sent_at"])).total_seconds() == 12 * 3600
    assert noted["source"] == "system"

    kept = app.row("SELECT * FROM job_runs WHERE job = 'session-timeout' ORDER BY id DESC LIMIT 1")
    assert kept["ok"] is True
    assert {k: kept["detail"][k] for k in ("timed_out", "missed", "settled")} == {
        "timed_out": 3, "missed": 1, "settled": 1}
    ago = app.row(
        "SELECT extract(epoch FROM finished_at - started_at) AS took,"
        " extract(epoch FROM clock_now() - finished_at) AS since FROM job_runs"
        " WHERE job = 'session-timeout' ORDER BY id DESC LIMIT 1"
    )
    assert 0 < ago["took"] < 600 and 0 <= ago["since"] < 600
    assert run_job(app) == (0, 0, 0)


def test_the_moment_itself_is_due(app, clock, opened, sent):
    """Counted, timed out and missed at the very microsecond; and no earlier."""
    clock.stop(NOW)
    run_job(app)
    n, seen, unopened = opened(), opened(), identity(sent())
    zoom(app, seen, "zoom_joined", 1, '{"uuid": "C", "participant": "3"}')
    with_zoom(app, seen, False)
    for at, due, states in (
        (CLASS - MICROSECOND, (0, 0), ["active", "active", "sent"]),
        (CLASS, (2, 0), ["timeout", "timeout", "sent"]),
        (LIFE - MICROSECOND, (0, 0), ["timeout", "timeout", "sent"]),
        (LIFE, (0, 1), ["timeout", "timeout", "missed"]),
    ):
        # What others left behind and what is due earlier is done before the moment itself.
        clock.stop(NOW + at - MICROSECOND)
        run_job(app)
        clock.stop(NOW + at)
        assert run_job(app, "--dry-run") == due
        run_job(app)
        assert [status(app, m) for m in (n, seen, unopened)] == states


def test_an_unsettled_link_is_decided_when_its_life_is_over(app, clock, sent):
    clock.stop(NOW)
    n = identity(sent())
    app.psql(f"UPDATE sessions SET unsettled = true WHERE id = {n}")
    clock.stop(NOW + LIFE - MICROSECOND)
    run_job(app)
    assert app.session(n)["unsettled"]
    clock.stop(NOW + LIFE)
    assert run_job(app) == (0, 0, 1)
    assert status(app, n) == "missed"


def test_runs_are_kept_for_thirty_days(app, clock):
    clock.stop(NOW)
    for age in ("30 days 1 second", "30 days", "29 days 1 second"):
        app.psql(
            "INSERT INTO job_runs (job, started_at, finished_at, ok)"
            f" VALUES ('of {age}', clock_now() - interval '{age}', clock_now(), true)"
        )
    run_job(app)
    assert app.psql("SELECT job FROM job_runs WHERE job LIKE 'of %' ORDER BY job") == "of 29 days 1 second\nof 30 days"
    app.psql("DELETE FROM job_runs WHERE job LIKE 'of %'")


class Held:
    """Rows that another transaction holds until the with-block ends."""

    def __init__(self, app, *ids):
        self.psql, self.ids = Psql(app), ", ".join(map(str, ids))

    def __enter__(self):
        self.psql.run("SELECT 1")
        self.psql.send("BEGIN;\n")
        self.psql.run(f"SELECT 1 FROM sessions WHERE id IN ({self.ids}) FOR NO KEY UPDATE")

    def __exit__(self, *_):
        self.psql.run("ROLLBACK")
        self.psql.close()


def test_what_another_holds_is_left_for_the_next_run(app, opened, sent):
    held, free = opened(75), opened(75)
    held_link, free_link = identity(sent()), identity(sent())
    for n in (held_link, free_link):
        app.age(n, "13 hours")
    with Held(app, held, held_link):
        assert run_job(app) == (1, 1, 0)
    assert [status(app, n) for n in (free, free_link)] == ["timeout", "missed"]
    assert [status(app, n) for n in (held, held_link)] == ["active", "sent"]
    assert run_job(app) == (1, 1, 0)


def copies(app, n, count, unsettled):
    """So many more sessions like n, with the same evidence."""
    columns = app.psql(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE table_schema = 'classclock' AND table_name = 'sessions' AND is_generated = 'NEVER'"
        " AND column_name NOT IN ('id', 'link_id', 'request_id', 'unsettled')"
    )
    app.psql(
        f"WITH made AS (INSERT INTO sessions ({columns}, link_id, request_id, unsettled)"
        f" SELECT {columns}, gen_random_uuid(), gen_random_uuid(), {unsettled}"
        f" FROM sessions, generate_series(1, {count}) WHERE id = {n} RETURNING id)"
        " INSERT INTO session_events (session_id, kind, happened_at, received_at, source, detail)"
        " SELECT made.id, kind, happened_at, received_at, source, detail FROM made, session_events"
        f" WHERE session_id = {n} ORDER BY made.id, session_events.id"
    )


def test_a_run_takes_all_that_is_due_however_many(app, admin, opened, sent):
    running, link = opened(71), identity(sent())
    app.age(link, "12 hours")
    copies(app, running, MANY - 1, False)
    copies(app, running, MANY, True)
    copies(app, link, MANY - 1, False)
    assert run_job(app, "--dry-run") == (2 * MANY, MANY)
    assert run_job(app) == (2 * MANY, MANY, 0)
    copies(app, opened(71), 250, False)
    done = admin.post("/api/admin/auto-timeout")
    assert done["timed_out"] == 251 and len(set(done["session_ids"])) == len(done["session_ids"]) == 200
    assert {status(app, n) for n in done["session_ids"]} == {"timeout"}


def test_a_run_takes_all_whatever_the_order_of_their_moments(app, opened, sent):
    """Rows that lie in the table with the latest first."""
    running, link = opened(71), identity(sent())
    app.age(link, "12 hours")
    for first in (running, link):
        copies(app, first, MANY - 1, False)
        mine = f"(SELECT id FROM sessions WHERE student_id = (SELECT student_id FROM sessions WHERE id = {first}))"
        earlier = "- ({} - %d) * interval '1 millisecond'" % first
        of_session, of_event = earlier.format("id"), earlier.format("session_id")
        app.psql(
            f"SET session_replication_role = replica; UPDATE sessions SET sent_at = sent_at {of_session},"
            f" clicked_at = clicked_at {of_session}, times_out_at = times_out_at {of_session} WHERE id IN {mine};"
            f" UPDATE session_events SET happened_at = happened_at {of_event} WHERE session_id IN {mine}"
        )
    assert run_job(app) == (MANY, MANY, 0)


@pytest.mark.parametrize("which", [0, 1])
def test_an_unsettled_class_that_another_holds_is_left_for_the_next_run(app, opened, which):
    both = [opened(75), opened(75)]
    held, free = both[which], both[1 - which]
    app.psql(f"UPDATE sessions SET unsettled = true WHERE id IN ({held}, {free})")
    with Held(app, held):
        assert run_job(app) == (1, 0, 0)
    assert (status(app, held), status(app, free)) == ("active", "timeout")
    assert run_job(app) == (1, 0, 0)


def test_only_what_is_due_is_looked_at(app, opened):
    """A row that does not follow from its evidence stays as it is until its time has come."""
    over, running = opened(71), opened(30)
    run_job(app)
    for n, seen in ((over, True), (over, False), (running, False)):
        app.psql(f"UPDATE sessions SET zoom_seen = {seen}, corrected = true WHERE id = {n}")
        assert run_job(app) == (0, 0, 0)
        assert app.session(n)["corrected"], (n, seen)
        app.psql(f"UPDATE sessions SET zoom_seen = false, corrected = false WHERE id = {n}")


def test_a_run_began_as_long_ago_as_it_took(app, opened):
    opened(71)
    done = app.job("session-timeout")
    took = app.psql(
        "SELECT round(extract(epoch FROM finished_at - started_at) * 1000) FROM job_runs"
        " WHERE job = 'session-timeout' ORDER BY id DESC LIMIT 1"
    )
    assert int(took) == int(re.search(r"in (\d+) ms", done.stdout)[1]) > 0


def test_a_run_adds_what_has_changed_to_the_totals(app, opened):
    """One that is the first of its teacher, student and package, and others like it that join."""
    timed_out = opened(71)
    for more in (0, 3):
        copies(app, timed_out, more, False)  # at first none
        run_job(app)
        assert app.psql("SELECT count(*) FROM session_changes") == "0"
        counted = app.psql("SELECT count(*), sum(session_duration_minutes) FROM sessions WHERE session_status = 'timeout'")
        for sums in ("session_totals", "session_hours", "session_months"):
            assert app.psql(f"SELECT sum(n), sum(minutes) FROM {sums} WHERE session_status = 'timeout'") == counted, sums


def test_a_run_adds_all_that_has_changed_however_much(app, hana, make_student):
    """More than a batch takes, which comes to nothing."""
    student = make_student(hana)
    run_job(app)
    app.psql(
        f"INSERT INTO session_changes SELECT date_trunc('hour', now(), 'UTC'), {hana.id}, {student['id']}, 'Europe', 'ended',"
        " n, 50 * n FROM generate_series(1, 25001), (VALUES (1), (-1)) AS change (n)"
    )
    run_job(app)
    assert app.psql("SELECT count(*) FROM session_changes") == "0"
    for sums in ("session_totals", "session_hours", "session_months"):
        kept = app.psql(f"SELECT coalesce(sum(n), 0), coalesce(sum(minutes), 0) FROM {sums} WHERE session_status = 'ended'")
        assert kept == app.psql(
            "SELECT count(*), coalesce(sum(session_duration_minutes), 0) FROM sessions WHERE session_status = 'ended'"), sums


def test_the_sums_by_month_begin_with_what_is_there(app, opened, hana):
    """As schema/0021_months.sql finds an academy: some classes are in the other sums already, and some are not."""
    opened(71)
    run_job(app)
    assert hana.post("/api/teacher/session", {"session_id": opened(20), "action": "end"}).status == 200
    script = (ROOT / "schema" / "0021_months.sql").read_text()
    fill = script[script.index("INSERT INTO session_months\n") : script.index("GRANT")]
    app.psql("DELETE FROM session_months", fill)
    assert int(app.psql("SELECT count(*) FROM session_changes")) > 0
    check = app.check()
    assert check.returncode == 0, check.stdout
