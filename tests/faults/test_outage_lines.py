"""What the journal's lines come to, whichever node, version or moment they are of, and whatever breaks off while they are
kept or brought home. docs/guarantees.md, P1 and P5. Of nothing here it matters how long it takes."""

import base64
import collections
import hashlib
import itertools
import random
import re
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from outage import AS_WEB, BUILD, LONG, Academy, Away, academy, clicked, line, link_of, sent_us, until

HOUR = 3_600_000_000


def put_lines(app, *lines, folder=None):
    file = (folder or app.journal) / f"{uuid.uuid4().hex}.replay"
    file.write_text("".join(f"\n{text}\n" for text in lines))
    if AS_WEB:
        shutil.chown(file, AS_WEB)


def start_us(app, sent):
    return int(app.psql(f"SELECT coalesce(us(clicked_at), 0) FROM sessions WHERE id = {sent['session']['id']}"))


@pytest.mark.parametrize("offset", [-HOUR, 0, HOUR])
def test_a_node_whose_clock_is_wrong_keeps_the_true_moment(app, offset):
    sent = app.send()
    moment = sent_us(app, sent) + 1000
    put_lines(app, line("click", sent["session"]["id"], moment - offset, offset, moment - 1000, link_of(app, sent)))
    app.replay()
    assert start_us(app, sent) == moment
    (evidence,) = [e for e in app.evidence(sent["session"]["id"]) if e["kind"] == "clicked"]
    assert evidence["detail"] == {"journal": True}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_tap_after_the_deadline_is_late_in_whatever_order_taps_arrive(app, order):
    """Noon's class timed out while the database was away; the third tap is that of the class at six."""
    sent = app.send()
    n = sent["session"]["id"]
    app.age(n, "7 hours")
    moments = [sent_us(app, sent) + 1000 + HOUR * hours // 2 for hours in (0, 2, 12)]
    for i in order:
        put_lines(app, line("click", n, moments[i], 0, moments[0] - 1000, link_of(app, sent)))
        app.replay()
    assert start_us(app, sent) == moments[0] and app.session(n)["session_status"] == "timeout"
    assert [click["verdict"] for click in app.clicks(sent)] == ["human", "human", "late"]
    assert {e["detail"]["why"] for e in app.evidence(n) if e["kind"] == "click_ignored"} == {"late"}


def test_a_tap_after_the_deadline_is_late_before_the_job_has_come_round(app):
    sent = app.send()
    n = sent["session"]["id"]
    app.tap(sent)
    app.replay()  # so soon after another outage it may have gone to the journal
    app.age(n, "71 minutes")
    with Away(app):
        app.tap(sent)
    app.replay()
    assert app.session(n)["session_status"] == "active"
    assert [click["verdict"] for click in app.clicks(sent)] == ["human", "late"]
    assert [e["detail"] for e in app.evidence(n) if e["kind"] == "click_ignored"] == [{"why": "late", "journal": True}]
    app.job("session-timeout")


@pytest.mark.parametrize("hours, told", [(0, 1), (7, 0)], ids=["runs", "over"])
def test_the_teacher_is_told_of_a_class_that_was_opened_meanwhile(app, hours, told):
    sent = app.send()
    n, at = sent["session"]["id"], sent_us(app, sent) - HOUR * hours + 1000
    chat = app.psql(f"UPDATE accounts SET telegram_chat_id = {5_000_000_000 + n} WHERE id = {app.teacher_id} RETURNING telegram_chat_id")
    app.age(n, f"{hours} hours")
    for _ in range(2):  # a second tap tells nothing new
        put_lines(app, line("click", n, at, 0, at - 1000, link_of(app, sent)))
        app.replay()
    app.psql(f"UPDATE accounts SET telegram_chat_id = NULL WHERE id = {app.teacher_id}")
    assert app.psql(f"SELECT count(*) FROM messages WHERE session_id = {n} AND kind = 'class_opened' AND chat_id = {chat}") == str(told)


def test_impossible_moments_are_brought_to_the_possible_and_marked(app):
    early, late, left = app.send(), app.send(), app.send()
    now = int(time.time() * 1e6)
    for sent, moment in ((early, now - HOUR), (late, now + HOUR)):
        put_lines(app, line("click", sent["session"]["id"], moment, 0, sent_us(app, sent), link_of(app, sent)))
    app.tap(left)
    put_lines(app, line("left", left["session"]["id"], now + HOUR, 0, 0))
    app.replay()
    assert start_us(app, early) == sent_us(app, early)
    assert now <= start_us(app, late) <= time.time() * 1e6
    for sent, kind in ((early, "clicked"), (late, "clicked"), (left, "teacher_left")):
        (evidence,) = [e for e in app.evidence(sent["session"]["id"]) if e["kind"] == kind]
        assert evidence["detail"] == {"journal": True, "clamped": True}
    assert app.session(left["session"]["id"])["ended_by"] == "teacher_left"


def test_lines_of_the_version_before_are_read(app):
    sent = app.send()
    moment = sent_us(app, sent) + 1000
    put_lines(app, line("click", sent["session"]["id"], moment, 0, moment - 1000, link_of(app, sent), version=1,
                        name="AAAAAAAAAAAAAAAAAAAA" + uuid.uuid4().hex[:2]))
    app.replay()
    assert start_us(app, sent) == moment


def test_two_nodes_with_a_journal_each(app):
    """Each has some of the clicks, and knows nothing of the other."""
    pick = random.Random(academy.SEED)
    other = app.state / "journal-of-another-node"
    other.mkdir(mode=0o700)
    if AS_WEB:
        shutil.chown(other, AS_WEB)
    first = {}
    for n in range(8):
        sent = app.send()
        moments = [sent_us(app, sent) + 100 * pick.randrange(1, 40) for _ in range(4)]
        first[sent["session"]["id"]] = (sent, min(moments), len(moments))
        for moment in moments:
            put_lines(app, line("click", sent["session"]["id"], moment, 0, sent_us(app, sent), link_of(app, sent)),
                      folder=pick.choice([app.journal, other]))
        if n % 2:
            app.tap(sent)
            first[sent["session"]["id"]] = (sent, min(moments), len(moments) + 1)

    def replay(folder):
        env = {"CLASSCLOCK_ENV": str(app.state / "env"), "JOURNAL_DIR": str(folder)}
        return subprocess.run([BUILD / "cron" / "journal-replay"], env=env, user=AS_WEB, stdout=subprocess.DEVNULL,
                              check=False).returncode == 0

    academy.at_once(lambda: replay(app.journal), lambda: replay(other))
    until(lambda: replay(app.journal) and replay(other))  # for a class that the other held too long one waits
    for sent, moment, n in first.values():
        assert start_us(app, sent) == moment and len(app.clicks(sent)) == n
    shutil.rmtree(other)


def put_clicks(app, classes, name=lambda n: None):
    """A line of each class, all in one file."""
    put_lines(app, *[
        line("click", sent["session"]["id"], sent_us(app, sent) + 1000, 0, sent_us(app, sent), link_of(app, sent), name=name(n))
        for n, sent in enumerate(classes)
    ])  # fmt: skip


def test_many_lines_are_brought_home_together(app):
    names = [uuid.uuid4().hex for _ in range(120)]
    classes = [app.send() for _ in range(6)] * 20
    put_clicks(app, classes, lambda n: names[n])
    app.replay()
    together = app.psql(
        "SELECT count(*), count(DISTINCT xmin::text) FROM journal_lines WHERE id IN ({})".format(", ".join(f"'{n}'" for n in names))
    )
    assert together == "120|3"  # lib/journal_replay.c: fifty at once
    for sent in classes[:6]:
        assert len(app.clicks(sent)) == 20 and start_us(app, sent) == sent_us(app, sent) + 1000


@pytest.mark.parametrize("error", ["P0001", "23514"])
def test_a_line_that_is_refused_fails_for_itself_alone(app, error):
    classes = [app.send() for _ in range(5)]
    n = classes[2]["session"]["id"]
    put_clicks(app, classes)
    app.psql(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused' USING ERRCODE = '{error}'; END$$",
             f"CREATE TRIGGER refuse BEFORE INSERT ON clicks FOR EACH ROW WHEN (NEW.session_id = {n}) EXECUTE FUNCTION refuse()")
    try:
        done = app.job("journal-replay")
    finally:
        app.psql("DROP FUNCTION refuse CASCADE")
    assert [len(app.clicks(sent)) for sent in classes] == [1, 1, 0, 1, 1]
    bad = list(app.journal.glob("*.bad"))
    if error == "23514":  # what can never be is put aside
        assert done.returncode == 0 and "4 applied, 0 repeated, 1 bad" in done.stdout
        assert f" {n} " in bad[0].read_text()
        bad[0].unlink()
    else:  # what may be a fault of ours waits
        assert done.returncode == 1 and "4 applied, 0 repeated, 0 bad" in done.stdout and not bad
        assert re.search("1 applied, 4 repeated|0 applied, 5 repeated", app.replay())  # the instance's own may come first
        assert len(app.clicks(classes[2])) == 1
    assert app.lines() == []


def test_a_class_that_is_held_keeps_no_other_line_back(app):
    """Longer than all lines together may take: they are tried one by one, and of the class that waits one alone."""
    classes = [app.send() for _ in range(3)]
    held = classes[1]
    n = held["session"]["id"]
    app.replay()
    put_clicks(app, [classes[0], *[held] * 20, classes[2]])
    with academy.Locked(app, n):
        done = app.job("journal-replay")
        assert [len(app.clicks(sent)) for sent in classes] == [1, 0, 1], done
    assert done.returncode == 1 and "2 applied, 0 repeated, 0 bad" in done.stdout
    assert "20 applied, 2 repeated" in app.replay()
    assert [len(app.clicks(sent)) for sent in classes] == [1, 20, 1] and app.lines() == []


def test_lines_that_are_too_much_for_a_group_come_home_by_http(app):
    """Together they take longer than a group may, and leave time to try each by itself, or some of them."""
    classes = [app.send() for _ in range(9)]
    app.replay()
    put_clicks(app, classes)
    app.psql(
        "CREATE FUNCTION tarry() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(1.2); RETURN NEW; END$$",
        "CREATE TRIGGER tarry BEFORE INSERT ON clicks FOR EACH ROW EXECUTE FUNCTION tarry()",
    )
    try:
        until(lambda: by_http(app) or app.lines() == [])
    finally:
        app.psql("DROP FUNCTION tarry CASCADE")
    assert [len(app.clicks(sent)) for sent in classes] == [1] * 9 and app.lines() == []


def by_crontab(app):
    done = app.job("session-timeout")
    assert done.returncode == 0, done.stderr


def by_http(app):
    bearer = {"Authorization": f"Bearer {app.env['CRON_SECRET']}", "Origin": None, "Sec-Fetch-Site": None}
    assert app.client().get("/api/cron/session-timeout", headers=bearer, timeout=120).status == 200


def test_a_host_without_crontab_replays_too(app):
    sent = app.send()
    with Away(app):
        app.tap(sent)
    by_http(app)
    assert clicked(app, sent) and app.lines() == []


@pytest.mark.parametrize("run", [Academy.replay, by_crontab, by_http])
def test_what_waits_in_the_journal_is_heard_before_anything_is_judged(app, run):
    """A link was opened, and a class was ended, in time; both are due by now."""
    opened, ended = app.send(), app.send()
    until(lambda: app.tap(ended) and clicked(app, ended))
    app.replay()
    with Away(app):
        app.tap(opened)
        app.end(ended)
        heard = time.time()
        assert len(app.lines()) == 2
    over_us = int((heard + time.time()) / 2 * 1e6)  # when the link's life and the class were over
    app.age(opened["session"]["id"], f"{12 * HOUR - over_us + sent_us(app, opened)} microseconds")
    app.age(ended["session"]["id"], f"{70 * HOUR // 60 - over_us + start_us(app, ended)} microseconds")
    run(app)
    row = app.session(ended["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
    assert app.session(opened["session"]["id"])["session_status"] == "active"
    kinds = {e["kind"] for sent in (opened, ended) for e in app.evidence(sent["session"]["id"])}
    assert kinds == {"sent", "clicked", "teacher_left"}


# ---------------------------------------------------------------- disks, and the worst moments


def test_a_full_disk_refuses_nobody_and_harms_no_other_click(app):
    classes = [app.send() for _ in range(3)]
    full = app.state / "journal.full"  # trouble.c: lines break off in the middle
    lost = app.metric("journal_lost_total")
    with Away(app):
        app.tap(classes[0])
        full.touch()
        app.tap(classes[1])
        full.unlink()
        app.tap(classes[2])
    assert app.metric("journal_lost_total") == lost + 1
    app.replay()
    assert clicked(app, classes[0]) and clicked(app, classes[2]) and not clicked(app, classes[1])
    for bad in app.journal.glob("*.bad"):
        bad.unlink()


def traced(command, calls, *faults, **kwargs):
    """Runs the command, and tells of these system calls of it."""
    strace = ["strace", "-qq", "-f", *(word for what in (f"trace={calls}", *faults) for word in ("-e", what))]
    return subprocess.run([*strace, *map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, **kwargs)


def calls_before(file, command, calls, **kwargs):
    """How many there are of each before it opens the file: the dynamic loader's, when nothing of ours has begun."""
    done, before = traced(command, calls, **kwargs), collections.Counter()
    for text in done.stderr.splitlines():
        if text.startswith("openat(") and f'"{file}' in text:
            return before
        before[text.partition("(")[0]] += 1
    return pytest.fail(f"{file} is not opened: {done}")


def went_wrong(run):
    return run.returncode == -signal.SIGKILL or "(INJECTED)" in run.stderr


def wherever(calls, how, command, before, prepare=lambda: None, step=1, first=1, **kwargs):
    """Runs the command with each of its calls going wrong in turn, but for those before; what each run said."""
    said = []
    for call in calls.split(","):
        for n in itertools.count(before[call] + first, step):
            prepare()
            said.append(traced(command, call, f"inject={call}:{how}:when={n}", **kwargs))
            if not went_wrong(said[-1]):
                break
    return said


def kept_ids(folder):
    """The ids of whole lines in a journal's files."""
    ids = set()
    for file in [folder / "journal", *folder.glob("*.replay")]:
        for text in file.read_text(errors="replace").split("\n") if file.exists() else []:
            words = text.rsplit(" ", 1)
            checksum = hashlib.blake2b(words[0].encode(), digest_size=16).digest()
            if words[-1] == base64.urlsafe_b64encode(checksum).decode().rstrip("="):
                ids.add(words[0].split(" ")[2])
    return ids


@pytest.mark.parametrize("how", ["signal=KILL", "error=EIO", "error=ENOSPC", "error=EINTR"])
def test_a_click_that_was_kept_is_there_whatever_failed(tmp_path, how):
    """Each system call of keeping two clicks in turn, over one journal that takes all the damage."""
    calls, keeper = "openat,flock,write,fdatasync,fsync,close", BUILD / "faults" / "keeper"
    folder, other = tmp_path / "journal", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    runs = wherever(calls, how, [keeper, folder, 2], calls_before(other, [keeper, other, 2], calls))
    said = {name for run in runs for name in run.stdout.split()}
    assert sum(map(went_wrong, runs)) >= 2 * 10 and len(said) > 20
    assert said <= kept_ids(folder)


@pytest.mark.parametrize("how", ["signal=KILL", "error=EIO"])
def test_a_replay_that_broke_off_anywhere_loses_nothing_and_repeats_nothing(app, how):
    step = 1 if LONG else 3
    taps = {}

    def prepare():
        sent = app.send()
        moment = sent_us(app, sent) + 1000
        put_lines(app, *[line("click", sent["session"]["id"], moment, 0, moment - 1000, link_of(app, sent))] * 2)
        taps[sent["session"]["id"]] = sent, moment

    calls = "openat,read,rename,flock,unlink,getdents64,connect,recvfrom,poll"
    if LONG or "KILL" in how:  # libpq tells of what it could not send when the server has said more: ten seconds each
        calls += ",sendto"
    env = {"CLASSCLOCK_ENV": str(app.state / "env"), "PATH": "/usr/bin:/bin"}
    command = [BUILD / "cron" / "journal-replay"]
    before = calls_before(env["CLASSCLOCK_ENV"], command, calls, env=env, user=AS_WEB)
    runs = wherever(calls, how, command, before, prepare, step, random.Random(academy.SEED).randint(1, step), env=env, user=AS_WEB)
    assert sum(map(went_wrong, runs)) > 30 // step and sum(run.returncode != 0 for run in runs) > 1
    app.replay()
    for sent, moment in taps.values():
        assert start_us(app, sent) == moment and len(app.clicks(sent)) == 1


def test_a_line_that_nobody_can_read_is_put_aside_once(app):
    """However often its file is tried: the database is away, and a line beside it is refused."""
    sent = app.send()
    n, at = sent["session"]["id"], sent_us(app, sent)
    app.replay()
    put_lines(app, "2 click torn", line("click", n, at + 1000, 0, at, link_of(app, sent)), "2 click torn elsewhere")
    with Away(app):
        for _ in range(2):
            assert app.job("journal-replay").returncode == 1
    app.psql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$",
             f"CREATE TRIGGER refuse BEFORE INSERT ON clicks FOR EACH ROW WHEN (NEW.session_id = {n}) EXECUTE FUNCTION refuse()")
    try:
        for _ in range(2):
            assert app.job("journal-replay").returncode == 1
    finally:
        app.psql("DROP FUNCTION refuse CASCADE")
    app.replay()
    (bad,) = app.journal.glob("*.bad")
    assert sorted(bad.read_text().splitlines()) == ["2 click torn", "2 click torn elsewhere"]
    bad.unlink()
    assert start_us(app, sent) == at + 1000 and app.lines() == []
