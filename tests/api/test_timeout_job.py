"""The timeout behind its three doors: session-timeout as crontab runs it, the admin's button, and HTTP for hosts
without crontab. What they decide is told in test_mission.py; here is how they behave."""

import re

import pytest

from academy import Locked, at_once

SUMMARY = re.compile(r"session-timeout: ok, (\d+) timed out, (\d+) missed, (\d+) settled in \d+ ms\n")
DRY = re.compile(r"session-timeout: (\d+) to time out, (\d+) unopened links to mark missed \(dry run\)\n")


@pytest.fixture(name="clear")
def nothing_is_due(app, clock):
    """What other tests left is worked off before, and nothing comes due by itself, so that counts are this test's
    own; and no run lies ahead."""
    later(app, clock, "0")
    app.psql("DELETE FROM job_runs WHERE finished_at > clock_now()")
    assert app.job("session-timeout").returncode == 0


def later(app, clock, interval):
    """So much later the clock stands still."""
    clock.stop(app.psql(f"SELECT clock_now() + interval '{interval}'"))


@pytest.fixture(name="hana", scope="module")
def a_teacher(make_teacher):
    return make_teacher()


@pytest.fixture(name="due")
def due_classes(app, send, tap, hana, make_student):
    """Makes n classes past their deadline; their ids."""

    def make(n, package="Europe"):
        ids = []
        for _ in range(n):
            sent = send(hana, make_student(hana, package_id=package))
            tap(sent["join_url"])
            ids.append(sent["session"]["id"])
            if states(app, ids[-1:]) == {"sent"}:  # so soon after an outage the click is in the journal
                assert app.job("journal-replay").returncode == 0
            app.age(ids[-1], "75 minutes")
        return ids

    return make


@pytest.fixture(name="unopened")
def unopened_links(app, send, hana, make_student):
    def make(n):
        ids = [send(hana, make_student(hana))["session"]["id"] for _ in range(n)]
        for session in ids:
            app.age(session, "13 hours")
        return ids

    return make


def multiply(app, session, n):
    """n more sessions like this one, with the same evidence; their ids."""

    def names(table, without):
        return app.psql(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            f" WHERE table_schema = 'classclock' AND table_name = '{table}' AND is_generated = 'NEVER'"
            f" AND column_name NOT IN ({without})"
        )

    row = names("sessions", "'id', 'request_id', 'link_id'")
    event = names("session_events", "'id', 'session_id'")
    ids = app.psql(
        "SET session_replication_role = replica",
        f"WITH made AS (INSERT INTO sessions ({row}, request_id, link_id)"
        f"  SELECT {row}, gen_random_uuid(), gen_random_uuid() FROM sessions, generate_series(1, {n}) WHERE id = {session}"
        "  RETURNING id),"
        f" told AS (INSERT INTO session_events (session_id, {event})"
        f"  SELECT made.id, {', '.join('e.' + name for name in event.split(', '))} FROM made, session_events e"
        f"  WHERE e.session_id = {session} ORDER BY made.id, e.id)"
        " SELECT id FROM made",
    )
    return [int(line) for line in ids.split()]


def states(app, ids):
    found = app.rows(f"SELECT session_status AS s FROM sessions WHERE id IN ({', '.join(map(str, ids))})")
    return {row["s"] for row in found}


def versions(app):
    """What each session's row is, down to whether it has been written again."""
    return app.rows("SELECT id, xmin::text, ctid::text FROM sessions ORDER BY id")


def last_run(app):
    return app.row("SELECT * FROM job_runs WHERE job = 'session-timeout' ORDER BY id DESC LIMIT 1")


def runs(app):
    return int(app.psql("SELECT count(*) FROM job_runs WHERE job = 'session-timeout'"))


# ---------------------------------------------------------------- the command


def test_it_says_how_to_use_it(app):
    done = app.job("session-timeout", "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: session-timeout ") and "--dry-run" in done.stdout
    done = app.job("session-timeout", "--version")
    assert done.returncode == 0 and re.fullmatch(r"[0-9]+\.[0-9]+\S*\n", done.stdout) and done.stderr == ""


@pytest.mark.parametrize(
    "arguments", [["--fly"], ["now"], ["--dry-run", "--dry-run"], ["--dry-run", "x"], [""], ["-n"], ["--help", "x"], ["--dry-run=1"]]
)
def test_wrong_usage_changes_nothing(app, due, arguments):
    (session,) = due(1)
    before = runs(app), versions(app)
    done = app.job("session-timeout", *arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("usage: session-timeout ")
    assert (runs(app), versions(app)) == before and states(app, [session]) == {"active"}


def test_a_run_tells_in_one_line_what_it_did(app, clear, due, unopened):
    ended, missed = due(3), unopened(2)
    done = app.job("session-timeout")
    assert done.returncode == 0 and done.stderr == ""
    assert SUMMARY.fullmatch(done.stdout).groups() == ("3", "2", "0")
    assert states(app, ended) == {"timeout"} and states(app, missed) == {"missed"}
    again = app.job("session-timeout")
    assert again.returncode == 0 and SUMMARY.fullmatch(again.stdout).groups() == ("0", "0", "0")


def test_a_dry_run_counts_and_changes_nothing(app, admin, clear, due, unopened):
    ids = due(3) + unopened(2)
    before = runs(app), versions(app)
    done = app.job("session-timeout", "--dry-run")
    assert done.returncode == 0 and done.stderr == ""
    assert DRY.fullmatch(done.stdout).groups() == ("3", "2")
    answer = admin.post("/api/admin/auto-timeout", {"dry_run": True})
    assert answer.json == {"due": 3, "unopened": 2}
    assert (runs(app), versions(app)) == before and states(app, ids) == {"active", "sent"}


# ---------------------------------------------------------------- three doors, one room


def by_job(app, admin):
    done = app.job("session-timeout")
    assert done.returncode == 0
    return tuple(map(int, SUMMARY.fullmatch(done.stdout).groups()))


def by_admin(app, admin):
    return counts(admin.client.fork().post("/api/admin/auto-timeout"))


def by_http(app, admin):
    return counts(app.client().get("/api/cron/session-timeout", headers={"Authorization": f"bearer {app.env['CRON_SECRET']}"}))


def counts(answer):
    assert answer.status == 200 and set(answer.json) == {"timed_out", "session_ids", "missed", "settled", "duration_ms"}
    assert len(answer["session_ids"]) == min(answer["timed_out"], 200)
    return answer["timed_out"], answer["missed"], answer["settled"]


DOORS = [by_job, by_admin, by_http]


def test_all_doors_do_the_same(app, admin, clear, due, unopened):
    """The same classes through each; what they leave differs in nothing but ids and moments of receipt."""

    def left(ids):
        return [
            (row["session_status"], row["estimated"], row["ended_by"], row["session_duration_minutes"],
             row["session_ended_at"] == row["times_out_at"], [e["kind"] for e in app.evidence(row["id"])])
            for row in map(app.session, ids)
        ]  # fmt: skip

    outcomes = []
    for door in DOORS:
        ids = due(2) + due(1, "0 Fee") + unopened(2)
        outcomes.append((door(app, admin), left(ids)))
        run = last_run(app)
        assert run["ok"] and run["finished_at"] >= run["started_at"]
        assert run["detail"] == {"timed_out": 3, "missed": 2, "settled": 0}
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][0] == (3, 2, 0)


@pytest.mark.parametrize("door", DOORS)
def test_rows_that_are_not_due_are_not_touched(app, admin, clear, send, tap, hana, make_student, due, door):
    running = send(hana, make_student(hana))
    tap(running["join_url"])
    send(hana, make_student(hana))
    ended = due(2)
    before = {v["id"]: v for v in versions(app)}
    door(app, admin)
    changed = {v["id"] for v in versions(app) if before[v["id"]] != v}
    assert changed == set(ended)


def test_many_are_done_in_short_transactions(app, clear, due, unopened):
    """2,500 classes and 1,200 links: a thousand at most by one transaction, each once, at its own moment."""
    (pattern,), (link,) = due(1), unopened(1)
    ids = [pattern, *multiply(app, pattern, 2499)]
    links = [link, *multiply(app, link, 1199)]
    done = app.job("session-timeout")
    assert SUMMARY.fullmatch(done.stdout).groups() == ("2500", "1200", "0")
    assert states(app, ids) == {"timeout"} and states(app, links) == {"missed"}
    for kind, sessions in (("timed_out", ids), ("missed", links)):
        of_each = app.rows(
            f"SELECT xmin::text, count(*) AS n, count(DISTINCT session_id) AS sessions FROM session_events"
            f" WHERE kind = '{kind}' AND session_id IN ({', '.join(map(str, sessions))}) GROUP BY 1"
        )
        assert sum(t["n"] for t in of_each) == sum(t["sessions"] for t in of_each) == len(sessions)
        assert max(t["n"] for t in of_each) <= 1000


def test_an_answer_names_two_hundred_at_most(app, admin, clear, due):
    (pattern,) = due(1)
    ids = {pattern, *multiply(app, pattern, 249)}
    answer = admin.post("/api/admin/auto-timeout")
    assert answer["timed_out"] == 250 and len(set(answer["session_ids"])) == 200
    assert set(answer["session_ids"]) < ids


def test_many_runs_at_once_end_each_class_once(app, admin, clear, due):
    (pattern,) = due(1)
    ids = [pattern, *multiply(app, pattern, 2999)]
    results = at_once(*[lambda door=door: door(app, admin) for door in DOORS * 2])
    assert sum(timed_out for timed_out, _, _ in results) == 3000
    assert states(app, ids) == {"timeout"}
    ends = app.row(
        "SELECT count(*) AS n, count(DISTINCT session_id) AS sessions FROM session_events"
        f" WHERE kind = 'timed_out' AND session_id IN ({', '.join(map(str, ids))})"
    )
    assert ends == {"n": 3000, "sessions": 3000}


def test_a_held_class_that_needs_a_second_look_holds_up_no_other(app, admin, send, tap, hana, make_student, due):
    """A reopened class is decided by all its evidence; whoever holds it, the others are timed out meanwhile."""
    sent = send(hana, make_student(hana))
    held = sent["session"]["id"]
    tap(sent["join_url"])
    tap(sent["leave_url"])
    assert admin.act(held, "reopen").status == 200
    app.age(held, "3 hours")
    (free,) = due(1)
    with Locked(app, held):
        done = app.job("session-timeout")
        assert done.returncode == 0, done
        assert states(app, [free]) == {"timeout"} and states(app, [held]) == {"active"}
    assert app.job("session-timeout").returncode == 0
    assert states(app, [held]) == {"timeout"}


# ---------------------------------------------------------------- when it fails, and who knows


def test_a_run_without_the_database_fails_and_says_so(app, clear, due):
    (session,) = due(1)
    before = runs(app)
    app.let_go()
    with app.database_stopped():
        done = app.job("session-timeout")
        dry = app.job("session-timeout", "--dry-run")
    for run in (done, dry):
        assert run.returncode == 1
        assert run.stderr and all("level=" in line for line in run.stderr.splitlines())
        assert app.env["DATABASE_URL"] not in run.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("session-timeout: FAILED, 0 timed out, ")
    assert dry.stdout == ""
    assert runs(app) == before and states(app, [session]) == {"active"}
    done = app.job("session-timeout")
    assert SUMMARY.fullmatch(done.stdout).groups() == ("1", "0", "0")
    assert app.session(session)["session_ended_at"] == app.session(session)["times_out_at"]


def test_a_run_that_fails_is_recorded_as_failed(app, admin, clear, due):
    """Here because evidence cannot be written; what was not done is done by the next run."""
    (session,) = due(1)
    success = app.client().get("/healthz")["timeout"]["last_success"]
    bearer = {"Authorization": f"Bearer {app.env['CRON_SECRET']}"}
    with Locked(app, "LOCK TABLE session_events IN SHARE MODE"):
        done, *answers = at_once(
            lambda: app.job("session-timeout"),
            lambda: app.client().get("/api/cron/session-timeout", headers=bearer),
            lambda: admin.client.fork().post("/api/admin/auto-timeout"),
        )
    assert done.returncode == 1 and done.stdout.startswith("session-timeout: FAILED, ")
    assert {answer.status for answer in answers} == {503}
    failed = app.rows("SELECT ok FROM job_runs WHERE job = 'session-timeout' ORDER BY id DESC LIMIT 3")
    assert failed == [{"ok": False}] * 3 and states(app, [session]) == {"active"}
    assert app.client().get("/healthz")["timeout"]["last_success"] == success
    assert by_job(app, admin) == (1, 0, 0)


def test_a_journal_that_cannot_be_read_fails_the_run_but_holds_up_no_class(app, admin, clear, due):
    (session,) = due(1)
    journal = app.state / "journal"
    aside = journal.rename(app.state / "journal.aside")
    journal.touch()
    try:
        done = app.job("session-timeout")
    finally:
        journal.unlink()
        aside.rename(journal)
    assert done.returncode == 1 and done.stderr and done.stdout.startswith("session-timeout: FAILED, 1 timed out, ")
    assert states(app, [session]) == {"timeout"}
    assert by_job(app, admin) == (0, 0, 0)


def test_healthz_knows_the_last_success_and_misses_it_when_it_stays_away(app, admin, clear, clock):
    for door in DOORS:
        door(app, admin)
        health = app.client().get("/healthz").json
        assert health["status"] == "ok" and health["timeout"]["due"] == 0
        assert health["timeout"]["age_seconds"] == 0
    assert moment_of(health) == last_run(app)["finished_at"][:19]
    later(app, clock, "11 minutes")
    assert app.client().get("/healthz")["status"] == "ok"
    later(app, clock, "2 minutes")
    late = app.client().get("/healthz").json
    assert late["status"] == "degraded" and late["timeout"]["age_seconds"] == 780
    by_job(app, admin)
    assert app.client().get("/healthz")["status"] == "ok"


def test_healthz_tells_what_is_due_where_no_job_has_ever_run(app, admin, clear, due):
    """As where the crontab was forgotten."""
    due(1)
    app.psql("UPDATE job_runs SET ok = false")
    health = app.client().get("/healthz").json
    assert health["status"] == "degraded"
    assert health["timeout"] == {"last_success": None, "age_seconds": None, "due": 1}
    assert set(health["zoom"]) == {"last_webhook", "last_challenge", "waiting"}
    by_job(app, admin)


def moment_of(health):
    return health["timeout"]["last_success"][:19]


def test_metrics_tell_of_it(app, admin, clear, clock, due):
    def figure(name):
        (value,) = re.findall(rf"^{name} (\d+)$", app.client().get("/metrics").text, re.M)
        return int(value)

    due(2)
    assert figure("classclock_sessions_due") == 2
    before = figure("classclock_timeout_last_success_timestamp_seconds")
    later(app, clock, "1 second")
    by_job(app, admin)
    assert figure("classclock_sessions_due") == 0
    assert figure("classclock_timeout_last_success_timestamp_seconds") > before


def test_old_runs_are_forgotten(app, admin, clear, clock):
    by_job(app, admin)
    old = last_run(app)["id"]
    clock.move("31 days")
    by_job(app, admin)
    assert not app.rows(f"SELECT FROM job_runs WHERE id = {old}")


@pytest.mark.parametrize("error", ["P0001", "57014"], ids=["refused", "too slow"])
def test_what_cannot_be_done_keeps_nothing_else_back(app, clear, due, unopened, error):
    """A meeting that cannot be reviewed and a class that cannot be settled: the rest is done, and the run has failed."""
    stuck, ended, missed = due(1), due(2), unopened(1)
    (broken,) = stuck
    app.psql(
        f"UPDATE sessions SET unsettled = true WHERE id IN ({broken}, {ended[1]})",
        f"UPDATE sessions SET zoom_url = 'https://zoom.us/j/7700000001', meeting_id = 7700000001 WHERE id = {broken}",
        "INSERT INTO zoom_occurrences (uuid, meeting_id, around, matched_at)"
        " VALUES ('cannot-be-reviewed', 7700000001, clock_now() - interval '1 hour', clock_now() - interval '1 day'),"
        " ('reviewed', 7700000001, clock_now(), clock_now() - interval '1 day')",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN RAISE 'refused' USING ERRCODE = '{error}'; END$$",
        "CREATE TRIGGER refuse BEFORE UPDATE ON zoom_occurrences FOR EACH ROW WHEN (OLD.uuid = 'cannot-be-reviewed')"
        " EXECUTE FUNCTION refuse()",
        f"CREATE TRIGGER refuse BEFORE UPDATE ON sessions FOR EACH ROW WHEN (OLD.id = {broken}) EXECUTE FUNCTION refuse()",
    )
    try:
        done = app.job("session-timeout")
    finally:
        reviewed = app.psql("SELECT matched_at > clock_now() - interval '1 hour' FROM zoom_occurrences WHERE uuid = 'reviewed'")
        app.psql("DROP FUNCTION refuse CASCADE", "DELETE FROM zoom_occurrences WHERE meeting_id = 7700000001")
    assert reviewed == "t"
    assert done.returncode == 1 and "FAILED, 2 timed out, 1 missed" in done.stdout, done
    assert "meeting cannot-be-reviewed cannot be reviewed" in done.stderr
    assert f"class {broken} cannot be settled" in done.stderr
    assert states(app, ended) == {"timeout"} and states(app, missed) == {"missed"} and states(app, stuck) == {"active"}
    assert not last_run(app)["ok"]
    again = app.job("session-timeout")
    assert again.returncode == 0 and states(app, stuck) == {"timeout"}
