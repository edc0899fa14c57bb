"""What is told as kept is on the disk, not only in the kernel's memory, which outlives every kill of a test:
the system calls of the real programs, in their order. docs/guarantees.md, P1."""

import concurrent.futures
import contextlib
import fcntl
import pathlib
import re
import signal
import subprocess

import pytest

from outage import Away, until

CALLS = "write,rename,fdatasync,fsync"
KINDS = {"click": ("zoom_track", 302), "left": ("zoom_teacher_left", 200)}  # what keeps it, and answers what
WORKERS = {"zoom_track": 1, "zoom_teacher_left": 2}
ANSWERED = re.compile(r"Status: .* <[\d.]+>$", re.M)
SHARED = ["write journal", "fdatasync journal", "fsync folder"]
ALONE = ["write ID.new", "fdatasync ID.new", "rename ID.new ID.replay", "fsync folder"]


@pytest.fixture
def sent(app):
    """A class that waits, with both programs awake and nothing in the journal."""
    app.end(app.send())
    app.replay()
    assert not (app.journal / "journal").exists()
    return app.send()


def said(folder):
    return "".join(file.read_text(errors="replace") for file in folder.iterdir())


def threads(pid):
    return pathlib.Path(f"/proc/{pid}/task").glob("*/status")


@contextlib.contextmanager
def watched(app, program, folder, *inject):
    """Meanwhile the calls of each thread of a program are written to a file of the folder, with their moments."""
    until(lambda: len(app.family(program)) == 1 + WORKERS[program])  # the first may answer before the last is there
    _, *children = map(str, app.family(program))
    command = ["strace", "-ff", "-ttt", "-T", "-qq", "-y", "-s", "512", "-o", folder / "calls", "-e", f"trace={CALLS}"]
    for fault in inject:
        command += ["-e", f"inject={fault}"]
    for pid in children:
        command += ["-p", pid]
    with subprocess.Popen(command) as strace:
        until(lambda: all("TracerPid:\t0\n" not in status.read_text() for pid in children for status in threads(pid)))
        try:
            yield
            until(lambda: ANSWERED.search(said(folder)))  # it may still be about to write that down
        finally:
            strace.send_signal(signal.SIGINT)


def steps(app, folder, kind):
    """What the program that kept it did with the journal, as it was done, and when it began to answer."""
    journal = app.journal.resolve()
    done = []
    text = said(folder)
    assert f'"\\n2 {kind} ' in text
    calls = re.findall(r"^([\d.]+) (\w+)\((.*)\) += (.*) <([\d.]+)>$", text, re.M)
    calls.sort(key=lambda call: float(call[0]) + ("Status: " not in call[2]) * float(call[4]))
    for _, name, arguments, result, _ in calls:
        paths = [re.sub(r"\w{32}", "ID", path) or "folder" for path in re.findall(rf'[<"]{journal}/?([^>"]*)', arguments)]
        if "Status: " in arguments:
            done.append("answer " + re.search(r"Status: (\d+)", arguments)[1])
        elif paths:
            done.append(" ".join([name, *paths, *re.findall(r"^-1 (E\w+)", result)]))
    return done


def use(app, sent, kind):
    """Opens the student's link, or the teacher's; the answer's status."""
    return app.client().open(sent["join_url" if kind == "click" else "leave_url"]).status


def kept_once(app, sent, kind):
    """Whether the student's tap, or the teacher's, is there after the replay."""
    app.replay()
    found = [e["kind"] for e in app.evidence(sent["session"]["id"])]
    return found.count("clicked" if kind == "click" else "teacher_left") == 1 and len(app.clicks(sent)) == (kind == "click")


@pytest.mark.parametrize("kind", KINDS)
def test_the_line_and_its_folder_are_synced_before_the_answer(app, sent, kind, tmp_path):
    program, status = KINDS[kind]
    with Away(app), watched(app, program, tmp_path):
        assert use(app, sent, kind) == status
    assert steps(app, tmp_path, kind) == [*SHARED, f"answer {status}"]
    assert kept_once(app, sent, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_in_a_file_of_its_own_is_synced_before_the_answer(app, sent, kind, tmp_path):
    program, status = KINDS[kind]
    with Away(app), watched(app, program, tmp_path), (app.journal / "journal").open("w") as journal:
        (app.journal / "journal").chmod(0o666)
        fcntl.flock(journal, fcntl.LOCK_EX)  # as a replay that was stopped in the middle
        assert use(app, sent, kind) == status
    assert steps(app, tmp_path, kind) == [*ALONE, f"answer {status}"]
    assert kept_once(app, sent, kind)


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_could_not_be_synced_is_written_again(app, sent, kind, call, tmp_path):
    program, status = KINDS[kind]
    lost = app.metric("journal_lost_total")
    with Away(app), watched(app, program, tmp_path, f"{call}:error=EIO:when=1"):
        assert use(app, sent, kind) == status
    assert app.metric("journal_lost_total") == lost
    failed = SHARED[: 2 if call == "fdatasync" else 3]
    failed[-1] += " EIO"
    assert steps(app, tmp_path, kind) == [*failed, *ALONE, f"answer {status}"]
    assert kept_once(app, sent, kind)


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_synced_does_not_count_as_kept(app, sent, kind, call, tmp_path):
    """The student reaches the class all the same, and it is told as lost; the teacher is told to try again."""
    program, status = KINDS[kind]
    lost = app.metric("journal_lost_total")
    with Away(app), watched(app, program, tmp_path, f"{call}:error=EIO"):
        assert use(app, sent, kind) == (302 if kind == "click" else 503)
        assert app.metric("journal_lost_total") == lost + 1
    assert f"JOURNAL: a {kind} of session {sent['session']['id']} " in app.logs()
    assert kept_once(app, sent, kind)  # this disk was well: what was written is there all the same


def test_taps_that_wait_share_a_sync(app, tmp_path):
    """While a sync takes its time, all who tap meanwhile are in the next one."""
    app.replay()
    classes = [app.send() for _ in range(12)]
    with Away(app), watched(app, "zoom_track", tmp_path, "fdatasync:delay_enter=2000000"):
        with concurrent.futures.ThreadPoolExecutor(len(classes)) as pool:
            assert set(pool.map(lambda sent: use(app, sent, "click"), classes)) == {302}
    syncs = said(tmp_path).count("fdatasync(")
    assert 1 <= syncs <= 4
    app.replay()
    assert all(len(app.clicks(sent)) == 1 for sent in classes)
