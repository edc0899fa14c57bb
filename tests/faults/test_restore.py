"""A backup taken while people teach, restored into an empty PostgreSQL: docs/ops.md, "Backup and restore"."""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import pytest

from outage import Academy, Taps, academy, clicked, put_classes, until
import zoom


FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


class Operator:
    """Who runs the two commands on an instance's machine, as docs/ops.md says."""

    def __init__(self, app, folder):
        self.app, self.folder = app, folder
        shutil.copy(academy.ROOT / "schema" / "roles.sql", folder)
        programs = (app.state / "run" / "bin").read_text().strip()
        self.env = {"PATH": f"{programs}/cron:/usr/lib/postgresql/15/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
                    "PGHOST": str((app.state / "run").resolve() / "pg"), "PGUSER": "postgres",
                    "CLASSCLOCK_SCHEMA": str(folder)}

    def run(self, script, *arguments):
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        with (academy.ROOT / "cron" / script).open() as text:
            return subprocess.run(["sh", "-s", "--", *map(str, arguments)], env=self.env, stdin=text, cwd=self.folder,
                                  capture_output=True, text=True, check=False, timeout=600, **user)


@pytest.fixture(scope="module")
def folder():
    """For backups: the user of the database can write there."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="classclock-backup."))
    if os.geteuid() == 0:
        shutil.chown(made, "postgres")
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def old():
    """The academy that will be lost."""
    app = Academy()
    try:
        yield app.start()
    finally:
        app.stop()


def teach(app, sent, stop):
    """Sends, opens and ends classes until told to stop."""
    while not stop.is_set():
        one = app.send()
        app.tap(one)
        app.end(one)
        sent.append(one)


@pytest.fixture(scope="module")
def classes(old, folder):
    """Classes that the backup, taken amid them, has and has not."""
    sent, stop = [], threading.Event()
    teacher = threading.Thread(target=teach, args=(old, sent, stop))
    taps = Taps(old, put_classes(old, 50), 50, 3)
    teacher.start()
    until(lambda: len(sent) >= 5)
    before = list(sent)
    old.replay()  # of a busy machine some is in the journal
    old.invited = old.admin.post("/api/admin/teachers", {"name": "Eva", "email": "eva@example.org"})["invite_url"].split("#")[1]
    done = Operator(old, folder).run("classclock-backup", folder / "dump")
    assert done.returncode == 0, done.stderr
    count = len(sent) + 1  # one is on its way
    until(lambda: len(sent) >= count + 5)
    stop.set()
    teacher.join()
    taps.finish()
    return before, sent[count:]


@pytest.fixture(scope="module")
def new(old, classes, folder):
    """The academy on another machine."""
    app = Academy(lambda state: [f"AUTH_SECRET={old.env['AUTH_SECRET']}"])
    operator = Operator(app, folder)
    try:
        app.let_go()
        subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-Xq", "-h", operator.env["PGHOST"], "-U", "postgres",
                        "-c", "DROP DATABASE classclock WITH (FORCE)"], check=True)
        done = operator.run("classclock-restore", folder / "dump")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 broken" in done.stdout
        app.without_figures = app.psql("SELECT relname FROM pg_class WHERE relnamespace = 'classclock'::regnamespace"
                                       " AND relkind = 'r' AND reltuples < 0")
        app.teacher_id = old.teacher_id
        until(app.works)
        yield app
        app.check_all()
    finally:
        app.stop()


def moved(app, url):
    """A link that was sent from the old machine, as it leads to the new one."""
    return app.url + url[url.index("/api/") :]


def row(app, sent):
    return app.psql(f"SELECT s FROM sessions s WHERE id = {sent['session']['id']}")


def test_what_the_backup_has_is_there_to_the_last_field(old, new, classes):
    before, _ = classes
    assert len(before) >= 5
    for sent in before:
        assert row(new, sent) and row(new, sent) == row(old, sent)
        assert new.evidence(sent["session"]["id"]) == old.evidence(sent["session"]["id"])


def test_every_link_that_was_ever_sent_opens_its_class(new, classes):
    before, lost = classes
    assert len(lost) >= 4
    for sent in before + lost:
        answer = new.client().open(moved(new, sent["join_url"]))
        assert answer.status == 302 and answer.headers["Location"] == academy.ZOOM_URL
    assert all(row(new, sent) == "" for sent in lost)
    new.replay()
    assert new.psql("SELECT count(*) FROM clicks WHERE verdict = 'orphan'") == str(len(lost))


def test_no_new_class_has_the_number_of_a_lost_one(old, new, classes):
    _, lost = classes
    credentials = {"email": old.admin_email, "password": old.admin_password}
    new.admin = new.client()
    assert new.admin.post("/api/auth/login", credentials).status == 200
    new.teacher = new.client()
    credentials = {"email": "tom@example.org", "password": academy.PASSWORD}
    assert new.teacher.post("/api/auth/login", credentials).status == 200
    sent = new.send()
    assert sent["session"]["id"] > int(old.psql("SELECT max(id) FROM sessions"))
    until(lambda: new.tap(sent) and clicked(new, sent))
    for other in lost:  # what ends a lost class, ends no other
        assert new.client().open(moved(new, other["leave_url"])).status == 404
    assert new.session(sent["session"]["id"])["session_status"] == "active"


def test_no_door_opens_that_may_have_been_shut_since(old, new):
    browser = new.client()
    browser.cookies |= old.teacher.cookies
    assert browser.get("/api/auth/me").status == 401
    invitation = {"token": old.invited, "password": academy.PASSWORD}
    assert new.client().post("/api/auth/accept-invite", invitation).status == 404


def test_statements_are_planned_for_what_was_restored(new):
    """Until autovacuum comes by, PostgreSQL would take each table for a small one."""
    assert new.without_figures == ""


def test_a_check_takes_as_long_as_it_takes(new, folder, tmp_path):
    """An hour goes by while it waits for a table."""
    if not os.path.exists(FAKETIME):
        pytest.skip("needs the package faketime")
    operator, clock = Operator(new, folder), folder / "clock"
    clock.write_text("+0s\n")
    operator.env |= {
        "DATABASE_URL": f"host={operator.env['PGHOST']} dbname=classclock user=postgres", "CLASSCLOCK_ENV": "/dev/null",
        "PGOPTIONS": "-c search_path=classclock,public", "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
    }
    with academy.Locked(new, "LOCK TABLE sessions"):
        check = subprocess.Popen(["classclock-admin", "check"], env=operator.env, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, user="postgres" if os.geteuid() == 0 else None)
        until(lambda: new.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0")
        clock.write_text("+3600s\n")
    said = check.communicate(timeout=600)[0]
    assert check.returncode == 0 and "0 broken" in said, said


def test_a_restore_replaces_nothing(new, folder):
    done = Operator(new, folder).run("classclock-restore", folder / "dump")
    assert done.returncode == 1 and "there is a database classclock already" in done.stderr
    assert new.works()


def test_a_backup_that_fails_leaves_the_one_before(new, folder):
    operator = Operator(new, folder)
    before = (folder / "dump").read_bytes()
    operator.env["PGHOST"] = str(folder)
    assert operator.run("classclock-backup", folder / "dump").returncode != 0
    assert (folder / "dump").read_bytes() == before
    assert not (folder / "dump.new").exists()


def test_half_a_backup_is_not_restored(new, folder):
    whole = (folder / "dump").read_bytes()
    (folder / "half").write_bytes(whole[: len(whole) // 2])
    operator = Operator(new, folder)
    operator.env["PGDATABASE"] = "another"
    assert operator.run("classclock-restore", folder / "half").returncode != 0
    assert new.psql("SELECT count(*) FROM pg_database WHERE datname = 'another'") == "0"


def test_a_backup_of_an_older_version_is_brought_up_to_this_one(new, folder):
    operator = Operator(new, folder)

    def psql(database, *arguments, **env):
        command = ["/usr/lib/postgresql/15/bin/psql", "-XqAt1", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments]
        return subprocess.run(command, env={**operator.env, **env}, check=True, capture_output=True, text=True).stdout

    subprocess.run(["/usr/lib/postgresql/15/bin/createdb", "-O", "classclock_owner", "older"], env=operator.env, check=True)
    old = sorted((academy.ROOT / "schema").glob("000[1-6]_*.sql"))
    psql("older", *[word for file in old for word in ("-f", file)], PGOPTIONS="-c role=classclock_owner")
    psql("older", "-c", "CREATE TABLE classclock.migrations (version integer PRIMARY KEY, name text NOT NULL,"
         " applied_at timestamptz NOT NULL DEFAULT now()); ALTER TABLE classclock.migrations OWNER TO classclock_owner",
         "-c", f"INSERT INTO classclock.migrations (version, name) SELECT n, n FROM generate_series(1, {len(old)}) n")
    operator.env["PGDATABASE"] = "older"
    assert operator.run("classclock-backup", folder / "older").returncode == 0
    subprocess.run(["/usr/lib/postgresql/15/bin/dropdb", "older"], env=operator.env, check=True)
    done = operator.run("classclock-restore", folder / "older")
    assert done.returncode == 0 and "0 broken" in done.stdout, done
    version = "SELECT max(version) FROM classclock.migrations"
    assert psql("older", "-c", version) == psql("classclock", "-c", version)
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'classclock'"
    assert psql("older", "-c", owners) == "classclock_owner\n"


def test_roles_that_are_missing_are_named_before_anything_is_made(new, folder):
    """What the backup grants to them would stop the restore near its end."""
    operator = Operator(new, folder)
    psql = ["/usr/lib/postgresql/15/bin/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "classclock"]

    def sql(*commands):
        words = [word for command in commands for word in ("-c", command)]
        return subprocess.run([*psql, *words], env=operator.env, check=True, capture_output=True, text=True).stdout

    roles = ["grafana", '"who reads"', '"Audit"']
    sql(*[f"CREATE ROLE {role}" for role in roles],
        "GRANT USAGE ON SCHEMA classclock TO grafana, PUBLIC", 'GRANT SELECT ON classclock.sessions TO "who reads" WITH GRANT OPTION',
        'CREATE VIEW classclock.theirs AS SELECT 1', 'ALTER VIEW classclock.theirs OWNER TO "Audit"')  # fmt: skip
    try:
        assert operator.run("classclock-backup", folder / "roles").returncode == 0
    finally:
        sql("DROP VIEW classclock.theirs", "REVOKE ALL ON SCHEMA classclock FROM PUBLIC",
            *[word for role in roles for word in (f"DROP OWNED BY {role}", f"DROP ROLE {role}")])  # fmt: skip
    operator.env["PGDATABASE"] = "roles"
    done = operator.run("classclock-restore", folder / "roles")
    assert done.returncode == 1, done
    assert done.stderr.splitlines() == ['classclock-restore: make these roles first: "Audit", "who reads", grafana'], done
    assert new.psql("SELECT count(*) FROM pg_database WHERE datname LIKE 'roles%'") == "0"
    sql(*[f"CREATE ROLE {role}" for role in roles])
    done = operator.run("classclock-restore", folder / "roles")
    assert done.returncode == 0 and "0 broken" in done.stdout, done


def put_event(app, waited, apply_at):
    """An event of Zoom that came so long ago and could not be applied; the meeting."""
    meeting = zoom.Meeting(8123456780, "Host1")
    body = json.dumps(meeting.ended(datetime.datetime.now(datetime.timezone.utc))).encode()
    app.psql("INSERT INTO zoom_raw (key, event, state, body, received_at, kind, happened_at, uuid, apply_at) VALUES"
             f" ('{meeting.uuid}', 'meeting.ended', 'inbox', '\\x{body.hex()}', now() - interval '{waited}', 'zoom_ended',"
             f" now() - interval '{waited}', '{meeting.uuid}', {apply_at})")
    return meeting.uuid


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_what_cannot_be_applied_is_restored_as_it_waits(new, folder, broken):
    operator = Operator(new, folder)
    waits = put_event(new, "1 hour", "now() - interval '1 hour'")
    given_up = put_event(new, "9 days", "'infinity'")
    name = "broken" if broken else "waiting"
    new.psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$",
             "CREATE TRIGGER refuse BEFORE INSERT ON zoom_occurrences FOR EACH ROW EXECUTE FUNCTION refuse()")
    if broken:
        new.psql("INSERT INTO zoom_raw (key, event, state, body, kind, happened_at, uuid)"
                 " VALUES ('lost', 'meeting.ended', 'applied', '', 'zoom_ended', now(), 'lost')")
    try:
        assert operator.run("classclock-backup", folder / name).returncode == 0
    finally:
        new.psql("DROP FUNCTION refuse CASCADE",
                 f"DELETE FROM zoom_raw WHERE uuid IN ('{waits}', '{given_up}', 'lost')")
    operator.env["PGDATABASE"] = name
    done = operator.run("classclock-restore", folder / name)
    assert "an event still cannot be applied" in done.stderr and "session-timeout failed" in done.stderr, done
    assert f"{int(broken)} broken" in done.stdout and (done.returncode == 0) is not broken, done
    assert new.psql(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == str(int(not broken))
