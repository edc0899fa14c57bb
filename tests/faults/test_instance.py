"""./dev: what it starts stays up, and stops as one."""

import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
import made  # noqa: E402

DEV = pathlib.Path(__file__).parents[2] / "dev"


class Instance:
    """An empty instance whose processes are known by name, to be killed."""

    def __init__(self, *env, start=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-test."))
        self.state = self.folder / "state"
        self.port = made.free_port()
        if start:
            made.begin(self.state)
            (self.folder / "env").write_text("".join(f"{line}\n" for line in env))
            self.first = self.up("--empty", "--env", self.folder / "env")
            assert self.first.returncode == 0, self.first.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if (self.state / "run").exists():
                self.check()
        finally:
            self.down()
            shutil.rmtree(self.folder, ignore_errors=True)

    def check(self):
        """Whatever was killed, every invariant holds."""
        check = self.job("classclock-admin", "check")
        assert check.returncode == 0, check.stdout + check.stderr

    def dev(self, command, *arguments):
        return subprocess.run(
            [DEV, command, "--state", self.state, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def up(self, *options):
        return self.dev("up", "--port", self.port, "--detach", *options)

    def down(self):
        assert self.dev("down").returncode == 0

    def psql(self, query):
        done = self.dev("psql", "-XqAt", "-c", query)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def job(self, *arguments):
        return self.dev("job", *arguments)

    @property
    def env(self):
        lines = (self.state / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def pid(self, name):
        """The last known pid of a program's parent, of nginx, of postgres, of the supervisor."""
        file = self.state / ("supervisor" if name == "supervisor" else f"pids/{name}")
        return int(file.read_text().split()[0])

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)


@pytest.fixture(scope="module")
def app():
    with Instance() as instance:
        yield instance


def stat(pid):
    """The fields of /proc/PID/stat from the state on, or None."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pids):
    return {pid for pid in pids if (stat(pid) or "Z")[0] != "Z"}


def family(pid):
    """pid and all its descendants."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        fields = stat(entry.name) if entry.name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, new = set(), [pid]
    while new:
        found.update(new)
        new = [child for one in new for child in children.get(one, [])]
    return alive(found)


def offspring(pid):
    """All descendants of a program, as the kernel lists them: quick enough to be asked for again and again, while it may
    pass one over when another ends at that moment."""
    found, new = set(), [pid]
    while new:
        parent = new.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for children in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
                new += map(int, children.read_text().split())
        found.add(parent)
    return alive(found - {pid})


def until(true, seconds=300):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def get(instance, path):
    """The status of an answer, or None for none."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=120)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def works(instance):
    return get(instance, "/api/auth/me") == 401 and get(instance, "/healthz") == 200


def kill(app, *names):
    """Kills names at one moment and waits until each was started again."""
    before = {name: app.pid(name) for name in names}
    for name in names:
        app.kill(name)
    until(lambda: all(app.pid(name) != before[name] for name in names))


@pytest.mark.parametrize("name", ["auth_me", "nginx", "postgres"])
def test_what_is_killed_is_started_again(app, name):
    kill(app, name)
    until(lambda: works(app))


def test_a_postgres_that_is_killed_leaves_nobody_who_keeps_the_next_from_starting(app):
    """A process of it that does not hear of its death: here one that stands still, else one that waits for a lock."""
    backend = 0

    def stands_still():
        nonlocal backend
        (backend, *_) = map(int, app.psql("SELECT pid FROM pg_stat_activity WHERE usename = 'classclock_app'").split())
        with contextlib.suppress(ProcessLookupError):  # a job's, which has ended meanwhile
            os.kill(backend, signal.SIGSTOP)
        return (stat(backend) or "Z")[0] == "T"

    until(stands_still)
    kill(app, "postgres")
    until(lambda: works(app))
    assert not alive([backend])


def test_all_that_is_killed_at_once_is_started_again(app):
    kill(app, "auth_me", "auth_login", "zoom_track", "nginx", "postgres", "timer-session-timeout")
    until(lambda: works(app))


def test_a_killed_worker_is_started_again(app):
    parent = app.pid("auth_me")
    assert get(app, "/api/auth/me") == 401
    until(lambda: len(offspring(parent)) == 2)  # the first may answer before the other is there
    workers = offspring(parent)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(offspring(parent) - workers) == len(workers))
    assert app.pid("auth_me") == parent and works(app)


def test_a_client_waits_for_a_program_that_is_started_again(app):
    for victim in family(app.pid("auth_me")):
        with contextlib.suppress(ProcessLookupError):  # a worker that has heard of its parent's death
            os.kill(victim, signal.SIGKILL)
    assert get(app, "/api/auth/me") == 401


def test_a_killed_program_leaves_no_worker_behind(app):
    until(lambda: offspring(app.pid("auth_me")))
    old = family(app.pid("auth_me"))
    kill(app, "auth_me")
    until(lambda: not alive(old))


@pytest.fixture(scope="module")
def second():
    with Instance() as instance:
        yield instance


@pytest.fixture
def other(second):
    """Another instance, which tests may stop and start."""
    if not works(second):
        started = second.up()
        assert started.returncode == 0, started.stderr
    yield second


def test_two_instances_run_side_by_side(app, other):
    assert works(app) and works(other)
    other.psql("CREATE TABLE public.only_here ()")
    assert app.psql("SELECT to_regclass('public.only_here')") == ""


def test_down_stops_everything_and_up_finds_the_data(app, other):
    people = other.psql("SELECT id, email, password_hash FROM accounts")
    started = family(other.pid("supervisor"))
    run = (other.state / "run").resolve()
    other.down()
    assert not alive(started)
    assert not run.exists()
    assert works(app)
    assert other.up().stdout == other.first.stdout
    assert other.psql("SELECT id, email, password_hash FROM accounts") == people


@pytest.mark.parametrize("command", ["up", "down"])
def test_what_a_killed_supervisor_left_is_cleared_away(other, command):
    started = family(other.pid("supervisor"))
    other.kill("supervisor")
    assert works(other)
    getattr(other, command)()
    assert not alive(started)
    assert works(other) == (command == "up")


def test_a_stranger_that_has_the_pid_of_one_that_is_gone_is_left_alone(second):
    """As after a reboot; or minutes later, where as many processes start as in these tests."""
    second.down()
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        (second.state / "pids" / "auth_me").write_text(f"{stranger.pid} 1\n")
        second.down()
        assert not (second.state / "pids" / "auth_me").exists()
        stranger.terminate()
        assert stranger.wait() == -signal.SIGTERM


def test_ctrl_c_stops_what_a_foreground_up_started(second):
    second.down()
    up = subprocess.Popen(
        # A shell ignores what its parent ignores, and a parent in the background ignores Ctrl-C.
        ["env", "--default-signal=INT", DEV, "up", "--state", second.state, "--port", str(second.port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert up.stdout.readline() == f"url: http://127.0.0.1:{second.port}\n"
    assert up.stdout.readline().startswith("admin: ")
    started = family(up.pid)
    os.killpg(up.pid, signal.SIGINT)
    assert up.wait(60) == 0
    assert not alive(started)


def test_env_adds_replaces_and_unsets_settings(second, tmp_path):
    env = tmp_path / "env"
    env.write_text("# for this run\nCRON_SECRET=\nTELEGRAM_API_BASE=http://127.0.0.1:1/a=b\n")
    second.down()
    assert second.up("--env", env).returncode == 0
    first = second.env
    assert "CRON_SECRET" not in first
    assert first["TELEGRAM_API_BASE"] == "http://127.0.0.1:1/a=b"
    assert get(second, "/api/cron/session-timeout") == 404
    second.down()
    second.up()
    assert second.env["AUTH_SECRET"] == first["AUTH_SECRET"] and second.env["CRON_SECRET"]
    assert "TELEGRAM_API_BASE" not in second.env
    assert get(second, "/api/cron/session-timeout") == 401


def test_an_instance_is_not_started_twice(app):
    again = app.up()
    assert again.returncode != 0 and f"runs in {app.state}" in again.stderr
    assert works(app)


def test_a_port_in_use_is_named(app, tmp_path):
    done = app.dev("up", "--state", tmp_path / "state", "--port", app.port, "--detach")
    assert done.returncode != 0 and f"port {app.port} is in use" in done.stderr


@pytest.mark.parametrize("line", ["AUTH_SECRET=short", "BASE_URL=ftp://x", "no setting"])
def test_a_malformed_setting_stops_the_start_and_is_named(app, tmp_path, line):
    env, state = tmp_path / "env", tmp_path / "state"
    env.write_text(line + "\n")
    made.begin(state)
    where = ("--state", state, "--port", made.free_port(), "--env", env)
    done = app.dev("up", *where, "--detach", "--empty")
    assert done.returncode != 0 and line.split("=")[0] in done.stderr
    assert not (state / "run").exists()


def test_a_program_that_cannot_run_stops_the_start_and_is_named(app, tmp_path):
    state, build = tmp_path / "state", tmp_path / "build"
    made.begin(state)
    for name in ("cgi", "rest", "cron", "web", "systemd"):
        shutil.copytree(pathlib.Path((app.state / "build").read_text().strip()) / name, build / name)
    (build / "cgi" / "auth_me").write_text("#!/bin/sh\necho it is broken\nexit 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLASSCLOCK_BUILD", str(build))
        done = app.dev("up", "--state", state, "--port", made.free_port(), "--detach", "--empty")
    assert done.returncode != 0 and "auth_me does not stay up" in done.stderr and "it is broken" in done.stderr
    assert not (state / "run").exists()


def test_psql_and_job_pass_arguments_and_status_through(app):
    assert app.psql("SELECT current_schema") == "classclock"
    assert app.dev("psql", "-Xc", "SELECT 1/0").returncode == 1
    assert app.job("session-timeout", "--dry-run").returncode == 0
    assert app.job("session-timeout", "--no-such-option").returncode == 2
    missing = app.job("no-such-job")
    assert missing.returncode != 0 and "session-timeout" in missing.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can reach what other users cannot")
def test_a_state_folder_behind_a_closed_one_serves_too():
    with Instance(start=False) as app, tempfile.TemporaryDirectory() as closed:  # mode 0700
        app.state = pathlib.Path(closed) / "state"
        started = app.up("--empty")
        assert started.returncode == 0, started.stderr
        assert works(app) and get(app, "/") == 200
        assert app.job("session-timeout").returncode == 0
        app.down()


@pytest.mark.skipif(os.geteuid() != 0, reason="as a user everything runs as that user")
def test_as_root_only_nginx_and_the_supervisor_run_as_root(app):
    found = set()
    for pid in family(app.pid("supervisor")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found.add((command, os.stat(f"/proc/{pid}").st_uid))
    assert len(found) > 30
    for command, owner in found:
        # What is about to start as another user: setpriv. What has just ended has no command.
        if command and not any(part in command for part in ("nginx: master", "--supervise", "sleep", "setpriv ")):
            assert owner != 0, command
