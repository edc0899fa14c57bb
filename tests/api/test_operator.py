"""What an operator does without ./dev: settings, migrate, check, demo."""

import ctypes
import datetime
import json
import os
import pathlib
import re
import subprocess

import pytest

from academy import ROOT, Clock, Instance, at_once, moment, sample, wait_for
from conftest import check_logs

MINUTE = datetime.timedelta(minutes=1)
BUILD = pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build"))


def run(program, *arguments, **settings):
    """Runs a program of the build with these settings and no others."""
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **settings}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return subprocess.run(
        [BUILD / program, *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
    )


def as_owner(app, *arguments, database="classclock"):
    """classclock-admin with the rights of the schema's owner."""
    owner = app.env["DATABASE_URL"].replace("classclock_app", "classclock_owner")
    owner = owner.replace("dbname=classclock", f"dbname={database}")
    return run("cron/classclock-admin", *arguments, DATABASE_URL=owner, BASE_URL=app.url)


# ---------------------------------------------------------------- settings

GOOD = {
    "DATABASE_URL": "host=/nonexistent dbname=classclock",
    "BASE_URL": "https://class.example.org",
    "AUTH_SECRET": "0123456789abcdef0123456789abcdef",
    "JOURNAL_DIR": "/nonexistent",
}

WRONG = [
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "no connection string"),
    ("DATABASE_URL", "hots=127.0.0.1"),
    ("DATABASE_URL", "postgres://127.0.0.1:5432/a?color=red"),
    ("BASE_URL", ""),
    ("BASE_URL", "class.example.org"),
    ("BASE_URL", "ftp://class.example.org"),
    ("BASE_URL", "http://class.example.org"),
    ("BASE_URL", "http://127.0.0.1.example.org"),
    ("BASE_URL", "https://class.example.org/"),
    ("BASE_URL", "https://class.example.org/path"),
    ("BASE_URL", "https://"),
    ("BASE_URL", "https://class.example.org?x"),
    # Written otherwise than browsers write an Origin, which is compared with it: nobody could change anything.
    ("BASE_URL", "https://Class.example.org"),
    ("BASE_URL", "https://class.example.org:443"),
    ("BASE_URL", "https://class.example.org:0443"),
    ("BASE_URL", "https://class.example.org:"),
    ("BASE_URL", "http://127.0.0.1:80"),
    ("BASE_URL", "http://[::1]:80"),
    ("AUTH_SECRET", "0123456789abcdef0123456789abcde"),
    ("AUTH_SECRET", "0123456789abcdef0123456789abcdef,short"),
    ("AUTH_SECRET", "0123456789abcdef0123456789abcdef,"),
    ("CRON_SECRET", ","),
    ("ZOOM_WEBHOOK_SECRET", "one, ,another"),
    ("ZOOM_CLIENT_SECRET", ",one"),
    ("BASE_URL", "https://class.example.org:99999"),
    ("JOURNAL_DIR", "relative/folder"),
    ("RETENTION_DAYS", "13"),
    ("RETENTION_DAYS", "3651"),
    ("RETENTION_DAYS", "half a year"),
    ("RETENTION_DAYS", "30d"),
    ("TELEGRAM_API_BASE", "http://api.telegram.example"),
    ("ZOOM_API_BASE", "api.zoom.us"),
    ("ZOOM_OAUTH_BASE", "http://zoom.example"),
    ("CLASSCLOCK_ENV", "/nonexistent/env"),
]


def programs():
    return sorted(path.relative_to(BUILD) for folder in ("cgi", "cron") for path in (BUILD / folder).glob("*"))


def assert_stops_naming(done, setting):
    assert done.returncode == 1 and not done.stdout, done
    (line,) = done.stderr.splitlines()
    assert setting in line and "level=error" in line
    assert "0123456789abcdef" not in line  # no secret's value


@pytest.mark.parametrize("setting, value", WRONG)
def test_a_wrong_setting_stops_the_program_with_one_line_that_names_it(setting, value):
    assert_stops_naming(run("cgi/auth_me", **{**GOOD, setting: value}), setting)


@pytest.mark.parametrize(
    "url", ["https://class.example.org:80", "https://class.example.org:8443", "http://127.0.0.1:443", "http://[::1]", "http://[::1]:8080"]
)
def test_an_address_as_browsers_write_it_is_taken(url):
    done = run("cron/classclock-admin", "check", **{**GOOD, "BASE_URL": url})
    assert done.returncode == 1 and "BASE_URL" not in done.stderr  # the database is not there


# Settings that a program's source says it needs; classclock-admin needs other ones for each of its commands.
NEEDS = {"NEED_DATABASE": "DATABASE_URL", "NEED_BASE_URL": "BASE_URL", "NEED_AUTH_SECRET": "AUTH_SECRET", "NEED_JOURNAL": "JOURNAL_DIR"}


def test_the_settings_of_all_programs_can_be_looked_at_before_they_start():
    assert run("cron/classclock-admin", "settings", **GOOD).returncode == 0
    for missing in NEEDS.values():
        settings = {name: value for name, value in GOOD.items() if name != missing}
        assert_stops_naming(run("cron/classclock-admin", "settings", **settings), missing)
    for setting, value in WRONG:
        assert_stops_naming(run("cron/classclock-admin", "settings", **{**GOOD, setting: value}), setting)
    app = {f"ZOOM_{name}": "something" for name in ("ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET")}
    assert run("cron/classclock-admin", "settings", **GOOD, **app).returncode == 0
    for missing in app:
        assert_stops_naming(run("cron/classclock-admin", "settings", **{**GOOD, **app, missing: ""}), missing)


def test_every_job_needs_its_settings():
    """The other programs: test_units.py."""
    needed = 0
    for program in programs():
        if program.parent.name == "cgi" or program.name == "classclock-admin":
            continue
        source = (ROOT / program.parent / f"{program.name.replace('-', '_')}.c").read_text()
        for need in set(re.findall(r"\bNEED_\w+", source)):
            settings = {name: value for name, value in GOOD.items() if name != NEEDS[need]}
            assert_stops_naming(run(program, **settings), NEEDS[need])
            needed += 1
    assert needed > 6


def test_settings_come_from_the_environment_else_from_the_file(tmp_path):
    file = tmp_path / "env"
    file.write_text("# a comment\nDATABASE_URL=host=/nonexistent\nBASE_URL=nonsense from the file\n")
    done = run("cgi/auth_me", CLASSCLOCK_ENV=str(file))
    assert_stops_naming(done, "BASE_URL")
    done = run("cron/classclock-admin", "check", CLASSCLOCK_ENV=str(file), BASE_URL="https://class.example.org")
    assert done.returncode == 1 and "BASE_URL" not in done.stderr


SECRET = "0123456789abcdef0123456789abcdef"


ODD = [f'"{SECRET}"', f"'{SECRET}'", f"{SECRET}\\", f"a\\b{SECRET}", f" {SECRET}", f"{SECRET} ", f"{SECRET}\t"]


@pytest.mark.parametrize("value", ODD)
def test_a_value_that_systemd_reads_otherwise_is_refused_in_the_file(tmp_path, value):
    """Services have the settings from systemd, jobs from the file: with two keys no link of a job would open."""
    file = tmp_path / "env"
    lines = {**GOOD, "AUTH_SECRET": value}
    file.write_text("".join(f"{name}={text}\n" for name, text in lines.items()))
    for program in ("cron/session-timeout", "cron/telegram-outbox"):
        assert_stops_naming(run(program, CLASSCLOCK_ENV=str(file)), "AUTH_SECRET")
    file.write_text(f"{file.read_text()}AUTH_SECRET={SECRET}'\"\n".replace(value, SECRET))
    assert "AUTH_SECRET" not in run("cron/telegram-outbox", CLASSCLOCK_ENV=str(file)).stderr  # within, a quote is one to both


SYSTEMD = next(pathlib.Path("/usr/lib").glob("*/systemd/libsystemd-shared-*.so"), None)


def by_systemd(file):
    """What systemd itself reads in the file of EnvironmentFile=."""
    systemd = ctypes.CDLL(str(SYSTEMD))
    found = ctypes.POINTER(ctypes.c_char_p)()
    assert systemd.load_env_file(None, str(file).encode(), ctypes.byref(found)) == 0
    told = {}
    for line in found if found else ():
        if line is None:
            break
        name, _, value = line.decode().partition("=")
        told[name] = value
    return told


# Lines of the file, each with a setting that is taken, or not one, or makes the jobs refuse the file.
OTHER = "fedcba9876543210fedcba9876543210"
LINES = {
    "blanks before it": (f" \tAUTH_SECRET={OTHER}\n", OTHER),
    "blanks before =": (f"AUTH_SECRET \t={OTHER}\n", OTHER),
    "both": (f"  AUTH_SECRET ={OTHER}", OTHER),
    "a blank within": (f"AUTH SECRET={OTHER}\n", SECRET),
    "a comment": (f"#AUTH_SECRET={OTHER}\n", SECRET),
    "a comment after blanks": (f" # x\n\t#AUTH_SECRET={OTHER}\n", SECRET),
    "a comment with ;": (f";AUTH_SECRET={OTHER}\n", SECRET),
    "a comment that goes on": (f"# x\\\nAUTH_SECRET={OTHER}\n", None),
    "one with ; that goes on": (f" ;\\\nAUTH_SECRET={OTHER}\n", None),
    "a value that goes on": (f"X=a\\\nAUTH_SECRET={OTHER}\n", None),
    "a quote that goes on": (f"X='a\nAUTH_SECRET={OTHER}\nY='\n", None),
    "no =": (f"x\\\nAUTH_SECRET={OTHER}\n", OTHER),
    "a line that ends as on a Mac": (f"X=a\rAUTH_SECRET={OTHER}\r", OTHER),
    "lines that end as elsewhere": (f"X=a\r\nAUTH_SECRET={OTHER}\r\nY=\r\n", OTHER),
    "twice": (f"AUTH_SECRET=x\nAUTH_SECRET={OTHER}\n", OTHER),
}


@pytest.mark.parametrize("what", LINES)
def test_jobs_read_the_file_as_systemd_does_or_refuse_it(tmp_path, what):
    """With a key of their own no link of theirs would open: a wrong one is seen by what the setting's check says."""
    text, read = LINES[what]
    file = tmp_path / "env"
    plain = "".join(f"{name}={value}\n" for name, value in GOOD.items())

    def settings(text):
        file.write_text(plain + text, newline="")
        return run("cron/classclock-admin", "settings", CLASSCLOCK_ENV=str(file))

    if read is None:
        done = settings(text)
        assert done.returncode == 1 and "systemd" in done.stderr and OTHER not in done.stderr, done
        return
    # Whether it takes the value: a short one stops it.
    assert settings(text).returncode == 0
    if SYSTEMD:
        assert by_systemd(file)["AUTH_SECRET"] == read
    done = settings(text.replace(OTHER, "short"))
    assert ("AUTH_SECRET is malformed" in done.stderr) == (read == OTHER), done


def test_every_program_tells_how_to_use_it():
    for program in programs():
        usage = run(program, "--help")
        assert usage.returncode == 0 and "usage" in usage.stdout, program
        wrong = run(program, "--no-such-option", **GOOD)
        assert wrong.returncode in (1, 2) and wrong.stderr, program


# ---------------------------------------------------------------- install


def test_what_is_installed_finds_its_parts(tmp_path):
    """cmake --install: every program runs and tells the one version, and what crontab, systemd and nginx name is there."""
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    share = tmp_path / "share" / "classclock"
    found = {path.name: path for folder in ("lib/classclock/cgi", "bin") for path in (tmp_path / folder).iterdir()}
    told = [run(found[program.name], "--version") for program in programs()]
    assert {done.returncode for done in told} == {0} and len({done.stdout for done in told}) == 1
    assert run(found["auth_me"].parent / "../rest/classclock-rest").returncode == 1  # it tells how to use it
    named = set()
    for text in ((share / "cron" / "classclock.cron").read_text(), *(u.read_text() for u in tmp_path.rglob("*.service"))):
        named |= set(re.findall(rf"{tmp_path}/[\w./-]+", text))
    for conf in (share / "nginx").iterdir():
        named |= set(re.findall(rf"(?:root|alias)\s+({tmp_path}[^;]+);", conf.read_text()))
    assert len(named) > 35 and all(pathlib.Path(path).exists() for path in named), named
    assert "/usr/local" not in "".join(path.read_text() for path in share.rglob("*.conf"))


# ---------------------------------------------------------------- migrate


def test_migrating_again_changes_nothing(app):
    before = app.psql("SELECT version, applied_at FROM migrations ORDER BY 1")
    runs = at_once(*[lambda: as_owner(app, "migrate")] * 3)
    assert [done.returncode for done in runs] == [0, 0, 0], runs
    assert not any(done.stdout for done in runs)
    assert app.psql("SELECT version, applied_at FROM migrations ORDER BY 1") == before


def test_a_database_newer_than_the_program_is_left_alone(app):
    app.psql("INSERT INTO migrations (version, name) VALUES (9999, 'from_the_future')")
    try:
        done = as_owner(app, "migrate")
        assert done.returncode == 1 and "newer" in done.stderr
    finally:
        app.psql("DELETE FROM migrations WHERE version = 9999")


@pytest.mark.parametrize("made", ["ENCODING 'SQL_ASCII' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C'"])
def test_a_database_that_cannot_hold_every_name_is_refused(app, made):
    """createdb makes such ones where LANG is C."""
    app.psql(f"CREATE DATABASE narrow OWNER classclock_owner TEMPLATE template0 {made}")
    try:
        done = as_owner(app, "migrate", database="narrow")
        assert done.returncode == 1 and "--locale=C.UTF-8" in done.stderr
    finally:
        app.psql("DROP DATABASE narrow WITH (FORCE)")


def steps():
    return sorted((ROOT / "schema").glob("[0-9]*.sql"))


def by_hand(app, database, files):
    """Applies steps of the schema as an earlier version's migrate did, into a database that this one refuses."""
    sql = ["CREATE SCHEMA classclock", "CREATE TABLE classclock.migrations (version integer PRIMARY KEY, name text NOT NULL,"
           " applied_at timestamptz NOT NULL DEFAULT now())"]  # fmt: skip
    arguments = [argument for command in sql for argument in ("-c", command)]
    for file in files:
        row = f"INSERT INTO classclock.migrations VALUES ({int(file.name[:4])}, '{file.stem}')"
        arguments += ["-f", file, "-c", row]
    done = app.dev("psql", "--state", app.state, "-Xq1", "-v", "ON_ERROR_STOP=1", "-d", database,
                   "-c", "SET ROLE classclock_owner", *arguments)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("made", ["ENCODING 'SQL_ASCII' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C'"])
def test_one_that_is_in_use_goes_on_and_is_told(app, made):
    app.psql(f"CREATE DATABASE narrow OWNER classclock_owner TEMPLATE template0 {made}")
    try:
        by_hand(app, "narrow", steps()[:-1])
        done = as_owner(app, "migrate", database="narrow")
        assert done.returncode == 0 and done.stdout == f"applied {steps()[-1].stem}\n", done
        (line,) = done.stderr.splitlines()
        assert "level=warn" in line and "docs/ops.md" in line
    finally:
        app.psql("DROP DATABASE narrow WITH (FORCE)")


def test_a_step_that_builds_an_index_anew_lets_everybody_read_meanwhile(app):
    """What keeps them from the table does so until the step is done, and so comes after the work."""
    (step,) = [file for file in steps() if file.stem == "0011_estimated"]
    built = re.split(r"(?<=;)\n(?=DROP|ALTER)", step.read_text(), maxsplit=1)[0]
    assert "CREATE INDEX" in built and "DROP" not in built
    locks = app.psql(
        f"{built} SELECT mode FROM pg_locks WHERE relation = 'classclock.sessions'::regclass"
        " AND pid = pg_backend_pid() ORDER BY 1; DROP INDEX classclock.sessions_estimated_now"
    )
    assert "AccessExclusiveLock" not in locks and "ShareLock" in locks


def test_programs_rights_do_not_suffice_to_migrate(app):
    app.psql("UPDATE migrations SET version = version + 100")
    try:
        before = app.psql("SELECT count(*) FROM pg_class")
        assert app.job("classclock-admin", "migrate").returncode == 1
        assert app.psql("SELECT count(*) FROM pg_class") == before
    finally:
        app.psql("UPDATE migrations SET version = version - 100")


@pytest.mark.parametrize("arguments", [[], ["fly"], ["migrate", "now"], ["check", "x"], ["demo", "--all"], ["invite"]])
def test_wrong_usage_says_so(app, arguments):
    done = as_owner(app, *arguments)
    assert done.returncode == 2 and "classclock-admin" in done.stderr and not done.stdout


def test_a_database_that_is_away_is_a_failure():
    for command in (["migrate"], ["check"], ["demo"], ["invite", "--role", "admin", "a@example.org"]):
        done = run("cron/classclock-admin", *command, **GOOD)
        assert done.returncode == 1 and done.stderr and not done.stdout


# ---------------------------------------------------------------- the demo academy, and check


@pytest.fixture(scope="module")
def demo():
    """Its clock stands still at the moment at which it was made: its classes would need the timeout job soon, and
    at midnight it would be another day's."""
    instance = Instance(demo=True, brief=True)
    try:
        Clock(instance).stop(instance.psql(MADE))
        yield instance
        logs = instance.logs()
    finally:
        instance.stop()
    check_logs(logs)


MADE = "SELECT max(created_at) + interval '120 days' FROM accounts WHERE role = 'teacher'"  # schema/demo.sql

# All of it that does not depend on the moment of that day at which it was made; {0} is one of the day's.
PAST = """
    SELECT st.name, s.session_status, s.sent_at - academy_day_start(academy_day(s.sent_at)) AS sent,
      academy_day('{0}') - academy_day(s.sent_at) AS ago, s.session_duration_minutes, s.ended_by, s.estimated,
      s.corrected, s.attendance, (SELECT string_agg(kind || detail::text, ',' ORDER BY id) FROM (
        SELECT id, kind, detail - 'uuid' - 'participant' AS detail FROM session_events WHERE session_id = s.id) e) AS evidence
    FROM sessions s JOIN students st ON st.id = s.student_id
    WHERE academy_day(s.sent_at) < academy_day('{0}')
      AND s.sent_at < timestamptz '{0}' - interval '4 hours' -- the last hours' follow the clock, past midnight too
    ORDER BY s.sent_at, st.name
"""


def test_the_demo_academy_is_what_the_mission_names(demo):
    assert demo.psql("SELECT count(*) FROM accounts WHERE role = 'teacher'") == "5"
    assert demo.psql("SELECT count(*) FROM students") == "40"
    packages = demo.rows("SELECT id, duration_minutes FROM packages")
    assert {p["id"]: p["duration_minutes"] for p in packages} == {"Europe": 60, "USA": 60, "Canada": 60, "0 Fee": 30}
    states = demo.rows("SELECT session_status AS state, count(*) AS n FROM sessions GROUP BY 1")
    counts = {row["state"]: row["n"] for row in states}
    assert set(counts) == {"sent", "active", "ended", "timeout", "cancelled", "missed"}
    assert counts["active"] >= 3 and counts["ended"] > 500
    assert demo.psql("SELECT academy_day(clock_now()) - academy_day(min(sent_at)) FROM sessions") == "90"
    assert {row["ended_by"] for row in demo.rows("SELECT DISTINCT ended_by FROM sessions WHERE ended_by IS NOT NULL")} == {
        "zoom", "teacher_left", "teacher", "admin",
    }  # fmt: skip
    assert demo.psql("SELECT count(*) FROM session_events WHERE received_at > clock_now()") == "0"
    assert demo.psql("SELECT count(*) FROM accounts WHERE password_hash IS NOT NULL") == "2"


def test_no_teacher_of_the_demo_is_in_two_classes_at_once(demo):
    assert "0" == demo.psql(
        "SELECT count(*) FROM (SELECT teacher_id, sent_at, lag(coalesce(session_ended_at, times_out_at))"
        " OVER (PARTITION BY teacher_id ORDER BY sent_at) AS before FROM sessions WHERE clicked_at IS NOT NULL) s"
        " WHERE before > sent_at"
    )


def test_links_of_the_demo_pass_as_if_a_person_had_typed_them(demo):
    client = demo.client()
    client.post("/api/auth/login", {"email": demo.admin_email, "password": demo.admin_password})
    for student in client.get("/api/admin/students?limit=1000")["students"]:
        same = {name: student[name] for name in ("id", "zoom_url", "name", "language", "package_id")}
        assert client.patch("/api/admin/students", same).json == student


def test_every_invariant_holds_in_the_demo(demo):
    done = demo.job("classclock-admin", "check")
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith("0 broken")


def test_the_demo_is_made_once(demo):
    before = demo.psql("SELECT count(*), max(id) FROM sessions")
    done = as_owner(demo, "demo")
    assert done.returncode == 1 and "empty database" in done.stderr
    assert demo.psql("SELECT count(*), max(id) FROM sessions") == before


class DatabaseCopy:
    """A copy of an instance's database, free of the rights and constraints that would protect it."""

    def __init__(self, app):
        self.app = app
        self.drop()
        app.let_go()
        socket = app.env["DATABASE_URL"].split()[0].removeprefix("host=")
        self.psql = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres"]
        # A template must have no other users, nor get one, such as a job; programs connect again by themselves.
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'classclock'"
        self._run("postgres", "ALTER DATABASE classclock ALLOW_CONNECTIONS false")
        try:
            wait_for(lambda: not self._run("postgres", end))
            self._run("postgres", "CREATE DATABASE copy TEMPLATE classclock")
        finally:
            self._run("postgres", "ALTER DATABASE classclock ALLOW_CONNECTIONS true")

    def _run(self, database, *commands):
        options = [word for command in commands for word in ("-c", command)]
        done = subprocess.run([*self.psql, "-d", database, *options], check=True, capture_output=True, text=True)
        return done.stdout

    def damage(self, commands):
        self._run("copy", f"SET session_replication_role = replica; SET search_path = classclock, public; {commands}")

    def check(self):
        url = self.app.env["DATABASE_URL"].replace("dbname=classclock", "dbname=copy")
        return run("cron/classclock-admin", "check", DATABASE_URL=url)

    def drop(self):
        self.app.psql("DROP DATABASE IF EXISTS copy WITH (FORCE)")


BREAKAGES = {
    "an end": "UPDATE sessions SET session_ended_at = session_ended_at + interval '1 s' WHERE id = {ended}",
    "a start": "UPDATE sessions SET clicked_at = clicked_at - interval '1 s' WHERE id = {ended}",
    "a deadline": "UPDATE sessions SET times_out_at = times_out_at + interval '1 s' WHERE id = {ended}",
    "who ended it": "UPDATE sessions SET ended_by = 'teacher' WHERE id = {ended}",
    "a state": "UPDATE sessions SET session_status = 'missed' WHERE id = {sent}",
    "an estimate": "UPDATE sessions SET estimated = NOT estimated WHERE id = {timeout}",
    "Zoom's part": "UPDATE sessions SET zoom_seen = false WHERE id = {ended}",
    "a month's sum": "INSERT INTO session_months SELECT session_month('2001-01-01Z'), teacher_id, student_id, package_id,"
    " session_status, 1, 30 FROM sessions WHERE id = {ended}",
    "a newer link": "UPDATE sessions s SET superseded_by = (SELECT min(id) FROM sessions newer"
    " WHERE newer.student_id = s.student_id AND newer.id > s.id) WHERE id = {ended}",
    "attendance": "UPDATE sessions SET attendance = 'excused' WHERE id = {ended}",
    "evidence that is gone": "DELETE FROM session_events WHERE session_id = {ended} AND kind = 'zoom_ended'",
    "evidence of the sending": "DELETE FROM session_events WHERE session_id = {ended} AND kind = 'sent'",
    "evidence of the timeout": "DELETE FROM session_events WHERE session_id = {timeout} AND kind = 'timed_out'",
    "evidence that moved": "UPDATE session_events SET happened_at = happened_at - interval '1 s'"
    " WHERE session_id = {ended} AND kind = 'clicked'",
    "a meeting that its link does not name": "UPDATE sessions SET meeting_id = meeting_id + 1 WHERE id = {ended}",
    "a link whose meeting is not known": "UPDATE sessions SET meeting_id = NULL WHERE id = {ended}",
    "a meeting where its link names none": "UPDATE sessions SET zoom_url = 'https://zoom.us/my/hana' WHERE id = {ended}",
    "a late job": "UPDATE sessions SET sent_at = sent_at - interval '13 hours' WHERE id = {sent}",
    "a teacher that is none": "UPDATE sessions SET teacher_id = (SELECT id FROM accounts WHERE role = 'admin' LIMIT 1)"
    " WHERE id = {ended}",
    "a duration that is no longer generated": "ALTER TABLE sessions ALTER session_duration_minutes DROP EXPRESSION;"
    " UPDATE sessions SET session_duration_minutes = 1 WHERE id = {ended}",
    "an end without a constraint": "ALTER TABLE sessions DROP CONSTRAINT sessions_ended, DROP CONSTRAINT sessions_ended_by;"
    " UPDATE sessions SET session_ended_at = NULL, ended_by = NULL WHERE id = {ended}",
}


@pytest.mark.parametrize("what", sample(BREAKAGES, 5))
def test_check_finds(demo, what):
    """Each breakage is made in a copy of the database, which check then reads."""
    copy = DatabaseCopy(demo)
    ids = {
        "ended": "SELECT min(id) FROM sessions WHERE ended_by = 'zoom' AND attendance = 'present'",
        "timeout": "SELECT min(id) FROM sessions WHERE estimated",
        "sent": "SELECT min(id) FROM sessions WHERE session_status = 'sent'",
    }
    ids = {name: demo.psql(query) for name, query in ids.items()}
    copy.damage(BREAKAGES[what].format(**ids))
    done = copy.check()
    assert done.returncode == 1, done
    assert "broken: " in done.stdout and not done.stdout.splitlines()[-1].endswith(" 0 broken")
    copy.drop()


def test_the_demo_is_the_same_each_time(demo):
    """Last here: it empties the database and makes the demo anew, at another moment of that day."""
    made = moment(demo.psql(f"SELECT to_json(({MADE})) #>> '{{}}'"))
    day = "SELECT academy_day('{}')"
    other = made + MINUTE if demo.psql(day.format(made)) == demo.psql(day.format(made + MINUTE)) else made - MINUTE
    before = demo.rows(PAST.format(made))
    assert len(before) > 1000
    Clock(demo).stop(other)
    demo.psql(
        "SET session_replication_role = replica;"
        " TRUNCATE sessions, session_events, clicks, students, packages CASCADE;"
        " DELETE FROM accounts WHERE role = 'teacher'"
    )
    assert as_owner(demo, "demo").returncode == 0
    assert moment(demo.psql(f"SELECT to_json(({MADE})) #>> '{{}}'")) == other
    again = demo.rows(PAST.format(made))
    assert json.dumps(again) == json.dumps(before)
