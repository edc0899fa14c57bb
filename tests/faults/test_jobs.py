"""A fault at every call of a job: the n-th of some calls fails, once or for ever, or the job is killed there. A job ends
with status 1 and says why, or with 0 and has done its work; the next run does what is left, once. CLASSCLOCK_LONG=1: every n."""

import collections
import errno
import functools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

import pytest

import telegram as tg
from academy import SEED, at_once, wait_for
from outage import Timer, line, link_of, sent_us
from plan import KILL_AFTER, KILL_BEFORE, POINTS, SHORT
from rig import LONG, ON_A_PHONE
from test_calls import ENDS_THE_WORKER, KINDS, is_slow, run_together

SAMPLES = 1  # of the n of a kind, in a normal run
HANGS_S = 600
JOBS = ("session-timeout", "journal-replay", "retention", "telegram-outbox")
counted = collections.Counter()


class Work:
    """What a job finds to do. prepare() makes it, is_done() and settle() look at it afterwards."""

    job = ""
    tells = True  # with status 0 it is done

    def __init__(self, rig):
        self.rig = rig

    def settings(self, subject):
        return {}

    def again(self, subject):
        """Time goes by until the next run."""

    def settle(self, subject):
        pass


class Timeouts(Work):
    job = "session-timeout"

    def prepare(self):
        late, unopened = (self.rig.send() for _ in range(2))
        self.rig.insist(lambda: self.open(late))
        late, unopened = late["session"]["id"], unopened["session"]["id"]
        self.rig.age(late, "71 minutes")
        self.rig.age(unopened, "13 hours")
        return late, unopened

    def open(self, sent):
        self.rig.tap(sent)
        assert self.rig.session(sent["session"]["id"])["session_status"] == "active"

    def is_done(self, subject):
        return [self.rig.session(n)["session_status"] for n in subject] == ["timeout", "missed"]

    def settle(self, subject):
        for n, kind in zip(subject, ("timed_out", "missed")):
            assert self.rig.count("session_events", f"session_id = {n} AND kind = '{kind}'") == 1


class Lines(Work):
    """Of another node."""

    job = "journal-replay"

    def prepare(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-node."))
        sent, keys = self.rig.send(), [uuid.uuid4().hex for _ in range(3)]
        at = sent_us(self.rig, sent)
        lines = [line("click", sent["session"]["id"], at + 1000, 0, at, link_of(self.rig, sent), name=key) for key in keys]
        (folder / "journal").write_text("".join(f"\n{text}\n" for text in lines))
        if os.geteuid() == 0:
            for path in (folder, folder / "journal"):
                shutil.chown(path, "www-data", "www-data")
        return folder, sent["session"]["id"], keys

    def settings(self, subject):
        return {"JOURNAL_DIR": str(subject[0])}

    def is_done(self, subject):
        return self.rig.count("clicks", f"session_id = {subject[1]}") >= len(subject[2])

    def settle(self, subject):
        folder, session, keys = subject
        assert not [path.name for path in folder.iterdir() if path.name not in ("lost", "offset")]
        names = ", ".join(f"'{key}'" for key in keys)
        assert self.rig.count("clicks", f"session_id = {session} AND key IN ({names})") == len(keys)
        self.rig.check_session(session, len(keys))
        shutil.rmtree(folder)


class Forgetting(Work):
    job = "retention"

    def prepare(self):
        old, young = f"old {uuid.uuid4()}", f"young {uuid.uuid4()}"
        for key, days in ((old, 40), (young, 20)):
            self.rig.psql(f"INSERT INTO login_attempts VALUES ('{key}', 1, clock_now() - interval '{days} days', NULL)")
        return old, young

    def settings(self, subject):
        return {"RETENTION_DAYS": "30"}

    def is_done(self, subject):
        return not self.rig.count("login_attempts", f"key = '{subject[0]}'")

    def settle(self, subject):
        assert self.rig.count("login_attempts", f"key = '{subject[1]}'") == 1


class Messages(Work):
    job = "telegram-outbox"
    tells = False  # what Telegram may have got, or is not to get yet, waits for the next run

    def prepare(self):
        chat, sent = tg.new_chat(), self.rig.send()["session"]
        session = sent["id"]
        self.rig.psql(f"UPDATE students SET telegram_chat_id = {chat} WHERE id = {sent['student']['id']}")
        self.rig.psql(f"INSERT INTO messages (kind, session_id, chat_id) VALUES ('join_link', {session}, {chat})")
        return chat, session

    def again(self, subject):
        self.rig.psql("UPDATE messages SET next_at = clock_now() WHERE next_at IS NOT NULL")
        tg.forget_pace(self.rig)

    def is_done(self, subject):
        return self.rig.count("messages", f"session_id = {subject[1]} AND state = 'sent'")

    def settle(self, subject):
        chat, session = subject
        shown = len(self.rig.telegram.shown(chat))
        in_doubt = self.rig.count(
            "deliveries d JOIN messages m ON m.id = d.message_id", f"m.session_id = {session} AND d.state = 'unknown'"
        )
        assert 1 <= shown <= 1 + in_doubt, (shown, in_doubt)


class Trial:
    """The faults of one job."""

    def __init__(self, work):
        self.work, self.rig, self.plan = work, work.rig, work.rig.plans[work.job]
        self.pick = random.Random(f"{SEED} {work.job}")

    def go(self, subject):
        """The job's exit status and what it said."""
        with self.rig.program(self.work.job, **self.work.settings(subject)) as job:
            try:
                said = job.communicate(timeout=HANGS_S)[0]
            except subprocess.TimeoutExpired:
                job.kill()
                raise
        assert "BUG" not in said, said
        return job.returncode, said

    def calls(self, kind):
        subject = self.work.prepare()
        self.plan.arm(kind, n=1 << 60)
        status, said = self.go(subject)
        self.plan.rest()
        assert status == 0, said
        self.finish(subject, kind)
        return self.plan.count

    def finish(self, subject, what):
        """Runs without a fault, until it is done. What a killed transaction still holds is left to the next one."""

        def done():
            status, said = self.go(subject)
            assert status == 0, f"{what}: {said}"
            if self.work.is_done(subject):
                return True
            self.work.again(subject)
            return False

        self.work.again(subject)
        wait_for(done)
        self.work.settle(subject)

    def fail(self, kind, n, error, for_ever):
        what = f"{self.work.job}: {kind} {n} fails with {error}{', and on' * for_ever}"
        subject = self.work.prepare()
        self.plan.arm(kind, n, error, for_ever)
        status, said = self.go(subject)
        self.plan.rest()
        counted[f"{self.work.job} {kind}"] += self.plan.fired > 0
        allowed = {0, 1} | ({-signal.SIGABRT} if kind in ENDS_THE_WORKER else set())
        assert status in allowed, f"{what}: {status} {said}"
        assert status == 0 or self.plan.fired, f"{what}: {said}"
        assert status != 1 or said, f"{what}: failed without a word"
        if status == 0 and self.work.tells:
            assert self.work.is_done(subject), f"{what}: {said}"
        self.finish(subject, what)
        if not self.plan.fired and n > 1:  # it made fewer calls than when they were counted
            self.fail(kind, n // 2, error, for_ever)

    def some(self, total):
        numbers = range(1, total + 1)
        return numbers if LONG else sorted(self.pick.sample(numbers, min(SAMPLES, total)))

    def kill(self, n, how):
        what = f"{self.work.job}: killed {'before' if how == KILL_BEFORE else 'after'} call {n}"
        subject = self.work.prepare()
        self.plan.arm(POINTS, n, how)
        status, said = self.go(subject)
        self.plan.rest()
        counted[f"{self.work.job} killed"] += self.plan.fired > 0
        assert status == (-signal.SIGKILL if self.plan.fired else 0), f"{what}: {status} {said}"
        self.finish(subject, what)

    def run(self):
        for n in self.some(self.calls(POINTS)):
            for how in (KILL_BEFORE, KILL_AFTER):
                self.kill(n, how)
        for kind, errors in KINDS.items():
            total = self.calls(kind)
            for for_ever in (False, True):
                for n in self.some(total):
                    for error in errors if LONG and not for_ever else [self.pick.choice(errors)]:
                        if not (for_ever and error in (errno.EINTR, SHORT)) and (LONG or not is_slow(error, self.pick)):
                            self.fail(kind, n, error, for_ever)


@pytest.fixture
def timers(rig):
    """The instance's own jobs stand still."""
    held = [Timer(rig, job) for job in JOBS if job != "session-timeout"]
    yield
    for timer in held:
        timer.release()


def test_every_job_survives_every_call(rig, timers):
    began = time.monotonic()
    works = [made(rig) for made in (Timeouts, Lines, Forgetting, Messages)]
    assert {work.job for work in works} == set(JOBS)
    problems = run_together({work.job: functools.partial(Trial(work).run) for work in works})
    print(f"CLASSCLOCK_SEED={SEED}, {time.monotonic() - began:.0f} s, faults: {dict(counted)}")
    assert not problems, "\n".join(f"{job}: {problem!r}" for job, problem in problems)
    assert all(counted[f"{job} malloc"] and counted[f"{job} poll"] for job in JOBS)


def test_a_timeout_asked_for_by_http_may_take_long(rig):
    """Half a minute is much for any other request. Both doors share the classes, four seconds each."""
    late = [rig.send() for _ in range(18)]
    for sent in late:
        rig.insist(lambda: rig.tap(sent))  # pylint: disable=cell-var-from-loop
    rig.until_clicks_reach_the_database()
    rig.replay()
    ids = [sent["session"]["id"] for sent in late]
    for n in ids:
        rig.age(n, "71 minutes")
    which = f"id IN ({', '.join(map(str, ids))})"
    rig.psql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(4); RETURN NEW; END$$",
        "GRANT EXECUTE ON FUNCTION slow() TO classclock_app",
        f"UPDATE sessions SET unsettled = true WHERE {which}",
        "CREATE TRIGGER slow BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    bearer = {"Authorization": f"Bearer {rig.env['CRON_SECRET']}", **ON_A_PHONE}
    before = int(rig.psql("SELECT max(id) FROM job_runs"))
    began = time.monotonic()
    try:
        answers = at_once(
            lambda: rig.admin.fork().post("/api/admin/auto-timeout", timeout=120),
            lambda: rig.client().get("/api/cron/session-timeout", headers=bearer, timeout=120),
        )
    finally:
        rig.psql("DROP FUNCTION slow CASCADE")
    assert [answer.status for answer in answers] == [200, 200], answers
    assert time.monotonic() - began > 32
    assert sorted(sum((answer["session_ids"] for answer in answers), [])) == ids
    assert rig.count("sessions", f"session_status = 'timeout' AND {which}") == len(ids)
    runs = rig.rows(f"SELECT ok, (detail->>'timed_out')::int AS n FROM job_runs WHERE id > {before} AND job = 'session-timeout'")
    assert sum(run["n"] for run in runs) == len(ids) and all(run["ok"] for run in runs)
