"""A program that nobody asks is replaced by a small one that waits in its place, and nobody notices. One program
alone, without nginx and PostgreSQL: it refuses whoever is not signed in."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from test_instance import alive, offspring, stat, until

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build"))
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SETTINGS = {
    "CLASSCLOCK_ENV": "/dev/null",
    "DATABASE_URL": "host=/nonexistent dbname=x",
    "BASE_URL": "https://class.example.org",
}
MOMENT = {"FAKETIME_NO_CACHE": "1"}


def record(kind, body):
    return bytes([1, kind, 0, 1, len(body) >> 8, len(body) & 255, 0, 0]) + body


def pairs(values):
    return b"".join(bytes([len(k), len(v)]) + k.encode() + v.encode() for k, v in values.items())


REQUEST = (
    record(1, bytes([0, 1, 0, 0, 0, 0, 0, 0]))
    + record(4, pairs({"REQUEST_METHOD": "GET", "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1"}))
    + record(4, b"")
    + record(5, b"")
)


class Program:
    """auth_me, or a copy of it, on a socket of its own, with a clock that can be moved."""

    def __init__(self, folder, *arguments, build=BUILD, before=(), **environment):
        self.folder = folder
        self.path = build / "cgi" / "auth_me"
        self.resting = build / "rest" / "classclock-rest"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "socket"))
        self.listener.listen(128)
        self.log, self.clock = folder / "log", folder / "clock"
        self.minutes = 0
        self.clock.write_text("+0")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [*before, self.path, *arguments],
            stdin=self.listener,
            stdout=subprocess.DEVNULL,
            stderr=self.log.open("w"),
            env={**SETTINGS, **environment},
        )
        self.pid = self.process.pid

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(60)
        peer.connect(str(self.folder / "socket"))
        peer.sendall(REQUEST)
        return peer

    def file(self):
        """What it runs now."""
        return pathlib.Path(os.readlink(f"/proc/{self.pid}/exe"))

    def rests(self):
        return self.process.poll() is None and self.file() == self.resting.resolve()

    def said(self):
        """Its log, but for answers that a busy machine has made slow."""
        return re.sub(r"(?m)^level=info app=auth_me method=.*\n", "", self.log.read_text())

    def workers(self):
        return offspring(self.pid)

    def pass_minutes(self, minutes):
        self.minutes += minutes
        new = self.clock.with_name("clock.new")
        new.write_text(f"+{self.minutes}m")
        new.rename(self.clock)

    def until_it_rests_again(self):
        """What it answered just now may be counted as of the moved clock, or taken for stuck."""

        def rests():
            self.pass_minutes(11)
            return self.rests()

        until(rests)

    def end(self):
        self.process.terminate()
        return self.process.wait(60)


def answer(peer):
    """The status that came, and the end of it."""
    data = b""
    with contextlib.closing(peer):
        while piece := peer.recv(4096):
            data += piece
    return int(re.search(rb"Status: (\d+)", data)[1]) if data else None


@pytest.fixture
def run(tmp_path):
    """Starts a program that is ended with the test."""
    started = []

    def start(*arguments, **options):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Program(folder, *arguments, **options))
        return started[-1]

    yield start
    for program in started:
        program.listener.close()
        with contextlib.suppress(ProcessLookupError):
            program.process.kill()
        program.process.wait()


def clocked(run, folder, *arguments, **options):
    """A program whose clock follows a file."""
    if not os.path.exists(FAKETIME):
        pytest.skip("needs the package faketime")
    clock = folder / "0" / "clock"
    return run(*arguments, LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=str(clock), **MOMENT, **options)


def copy_of_build(folder):
    for name in ("cgi/auth_me", "rest/classclock-rest"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy2(BUILD / name, folder / name)
    return folder


def descriptors(pid):
    return sorted(os.listdir(f"/proc/{pid}/fd"), key=int)


def what_is_open(pid, descriptor):
    with contextlib.suppress(FileNotFoundError):
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")


# ---------------------------------------------------------------- rest and waking


def test_it_rests_from_the_start_and_wakes_as_what_it_was(run):
    program = run("--workers", "3")
    until(lambda: program.rests() and what_is_open(program.pid, "3") == "anon_inode:[signalfd]")  # it has begun
    assert not program.workers()
    maps = pathlib.Path(f"/proc/{program.pid}/maps").read_text()
    assert "libc.so" in maps and not re.search("libpq|libcrypto|libcurl|libsodium", maps)
    assert descriptors(program.pid) == ["0", "1", "2", "3"]
    assert answer(program.connect()) == 401
    until(lambda: len(program.workers()) == 3)
    assert program.file() == program.path.resolve()
    until(lambda: descriptors(program.pid) == ["0", "1", "2", "3"])
    assert answer(program.connect()) == 401
    assert not program.said()
    assert program.end() == 0 and not alive(program.workers())


def test_a_bad_setting_is_told_at_the_start(run):
    program = run(BASE_URL="nonsense")
    assert program.process.wait(60) == 1
    assert "setting BASE_URL is malformed" in program.log.read_text()


def test_it_rests_again_after_ten_quiet_minutes(run, tmp_path):
    program = clocked(run, tmp_path)
    until(program.rests)
    for _ in range(4):
        assert answer(program.connect()) == 401
        until(lambda: len(program.workers()) == 2)
        program.until_it_rests_again()
    assert not program.workers() and len(descriptors(program.pid)) <= 5  # one is faketime's


def test_many_at_once_wake_it_and_all_are_answered(run):
    program = run()
    until(program.rests)
    peers = [program.connect() for _ in range(100)]
    assert {answer(peer) for peer in peers} == {401}


def test_whoever_comes_while_it_changes_is_answered(run, tmp_path):
    """It is held at each change for three seconds; calls begin every few hundredths."""
    changes = ["strace", "-D", "-qq", "-o", tmp_path / "strace", "-e", "trace=execve", "-e"]
    program = run(before=[*changes, "inject=execve:delay_enter=1500000:delay_exit=1500000:when=2+"])
    answers, first = [], threading.Event()

    def call():
        answers.append(answer(program.connect()))
        first.set()

    threads = []
    until(lambda: (tmp_path / "strace").exists() and "rest/classclock-rest" in (tmp_path / "strace").read_text())
    while not first.wait(0.03):
        threads.append(threading.Thread(target=call))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert set(answers) == {401} and len(answers) > 10
    assert len((tmp_path / "strace").read_text().splitlines()) == 3


def is_told(pid):
    """Whether SIGTERM waits for a process that is stopped."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return int(re.search(r"^ShdPnd:\t(\w+)$", status, re.M)[1], 16) >> (signal.SIGTERM - 1) & 1


def send(pids, sig):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)


def waits(pid):
    """Whether a process has nothing in hand."""
    return (stat(pid) or "Z")[0] == "S"


def held_while_it_goes_to_rest(program):
    """The program, as it waits for its workers to end, which are held. A function that lets them go."""
    for _ in range(40):  # a worker that was stopped before it had counted its answer is taken for stuck
        assert answer(program.connect()) == 401
        workers = set()

        def all_wait():
            workers.clear()
            workers.update(program.workers())  # one that was taken for stuck is replaced
            return len(workers) == 2 and all(map(waits, workers))

        until(all_wait)
        send(workers, signal.SIGSTOP)
        program.pass_minutes(11)
        with contextlib.suppress(AssertionError):
            until(lambda: all(is_told(pid) for pid in workers), 5)
            return lambda: send(workers, signal.SIGCONT)
        send(workers, signal.SIGCONT)
    raise AssertionError("it does not go to rest")


def test_whoever_comes_while_it_goes_to_rest_is_answered(run, tmp_path):
    program = clocked(run, tmp_path)
    let_go = held_while_it_goes_to_rest(program)
    peers = [program.connect() for _ in range(20)]
    let_go()
    assert {answer(peer) for peer in peers} == {401}


# ---------------------------------------------------------------- signals


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(run, sig):
    program = run()
    until(program.rests)
    program.process.send_signal(sig)
    assert program.process.wait(60) == 0


def test_a_reload_leaves_it_at_rest(run):
    program = run()
    until(program.rests)
    for _ in range(3):
        program.process.send_signal(signal.SIGHUP)
    assert answer(program.connect()) == 401
    assert program.end() == 0


def test_a_signal_while_it_goes_to_rest_ends_it(run, tmp_path):
    program = clocked(run, tmp_path)
    let_go = held_while_it_goes_to_rest(program)
    program.process.terminate()
    let_go()
    assert program.process.wait(60) == 0


# ---------------------------------------------------------------- files that change


def test_without_the_small_one_it_rests_as_it_is(run, tmp_path):
    build = copy_of_build(tmp_path / "build")
    (build / "rest" / "classclock-rest").unlink()
    program = run(build=build)
    until(program.log.read_text)
    assert not program.workers()
    assert answer(program.connect()) == 401
    assert re.fullmatch(r"level=warn app=auth_me cannot rest .*No such file.*\n", program.said())
    assert program.end() == 0


def update(program):
    """Another file takes the program's place, as when a version is installed."""
    new = program.path.with_name("new")
    shutil.copy2(program.path, new)
    new.rename(program.path)


def test_after_an_update_it_wakes_as_the_new_one(run, tmp_path):
    program = clocked(run, tmp_path, build=copy_of_build(tmp_path / "build"))
    until(program.rests)
    update(program)
    assert answer(program.connect()) == 401
    assert program.file() == program.path.resolve()
    update(program)
    assert str(program.file()).endswith("(deleted)")
    program.until_it_rests_again()
    assert answer(program.connect()) == 401
    assert program.file() == program.path.resolve()


def test_what_has_gone_meanwhile_is_told(run, tmp_path):
    """Then it is for the supervisor to start it again; whoever has called waits in the socket."""
    program = run(build=copy_of_build(tmp_path / "build"))
    until(program.rests)
    program.path.unlink()
    program.connect()
    assert program.process.wait(60) == 1
    assert re.fullmatch(r"level=error app=classclock-rest cannot start \S+/cgi/auth_me: No such file.*\n", program.log.read_text())
