"""In doubt is never wrong: a commit whose answer is lost, that never arrives, that is answered ROLLBACK, that
waits for a standby which is away. Nobody is told what is not so; after the same call again it is there once."""

import json
import random
import threading
import time

import pytest

import telegram
from academy import SEED, sample, wait_for
from cases import is_own_word
from office import (AdminAssigns, AdminCancels, AdminCorrects, AdminReleases, AdminReopens, Logout, NewPackage,
                    PackagePriced, Password, Settings, StudentChanged, StudentLink, TeacherChangesUrl, TeacherDisabled,
                    TeacherInvited)
from outage import reload
from proxy import Fault
from rig import LONG
from test_calls import (AcceptInvite, AdminEnds, Attendance, Import, Login, NewStudent, NewTeacher, SendLink,
                        TeacherCancels, TeacherEnds, TeacherLeft, TelegramWebhook, Track, Webhook, World)


class LinkStudent(StudentLink):
    """Whatever codes were made, one links the chat, and none is good afterwards."""

    def settle(self, subject, answers):
        super().settle(subject, answers)
        code, chat = json.loads(answers[-1].body)["url"].split("start=")[1], telegram.new_chat()
        telegram.Updates(self.rig).start(chat, code)
        assert self.rig.count("students", f"id = {subject[0]} AND telegram_chat_id = {chat}") == 1
        assert self.done(subject) == 0


# What commits by itself, by the statement that does.
ALONE = {Track: b"", NewStudent: b"INSERT INTO students", Settings: b"UPDATE academy", Login: b"INSERT INTO logins",
         Logout: b"DELETE FROM logins", NewPackage: b"INSERT INTO packages", LinkStudent: b"INSERT INTO chat_codes"}  # fmt: skip


def is_commit(case, unit, before):
    """Whether with this statement, after those before, a call's effect is there."""
    if type(case) in ALONE:
        return unit[:1] in b"PB" and ALONE[type(case)] in unit
    return b"COMMIT\0" in unit and any(case.effect in other for other in before)


def lose_before(proxy, link):
    link.close()


def lose_after(proxy, link):
    proxy.faults[link.program] = Fault("down", 0, "cut")
    link.released.set()


def roll_back(proxy, link):
    link.held = link.held.replace(b"COMMIT\0", b"ABORT \0")
    link.released.set()


class Call(threading.Thread):
    """A call on its way."""

    def __init__(self, case, subject):
        super().__init__(daemon=True)
        self.case, self.subject, self.answer = case, subject, None
        self.start()

    def run(self):
        self.answer = self.case.call(self.subject)


def suffer(rig, case, subject, what):
    """The answer to a call whose first commit suffers, and whether it did."""
    proxy, happened, seen = rig.proxy, False, []
    with proxy.gate([case.program]):
        call = Call(case, subject)
        while call.is_alive():
            for link in proxy.held(case.program):
                seen.append(link.held)
                if not happened and is_commit(case, link.held, seen):
                    happened = True
                    what(proxy, link)
                else:
                    link.released.set()
            with proxy.changed:
                proxy.changed.wait(0.002)
    proxy.faults.pop(case.program, None)
    return call.answer, happened


def until_it_reaches_the_database(rig, case):
    """Where the test before left its program at the journal, calls for another class until it has looked again."""
    rig.until_clicks_reach_the_database()
    if type(case) is TeacherLeft:
        other = case.prepare()
        wait_for(lambda: case.call(other).status == 200 and rig.reaches_the_database(case.program))
        case.settle(other, [])


def settle(case, subject, answers):
    """The same call again until it is right; then its effect is there once."""
    for answer in answers:
        assert answer and (case.is_right(answer) or is_own_word(answer)), answer and (answer.status, answer.body)
    case.look(subject, answers)
    answers.append(case.call(subject))
    assert answers[-1] and case.is_right(answers[-1]), answers[-1].status
    case.look(subject, answers)
    case.settle(subject, answers)


def hold_to_account(rig, world):
    rig.replay()
    for n, answers in world.taps.items():
        rig.check_session(n, len(answers))
    for n in world.left:
        assert rig.session(n)["ended_by"] == "teacher_left"


@pytest.fixture(name="world")
def a_world(rig):
    made = World(rig)
    yield made
    hold_to_account(rig, made)


CASES = [Track, TeacherLeft, TeacherEnds, TeacherCancels, TeacherChangesUrl, Attendance, SendLink, Webhook, AdminEnds,
         AdminCancels, AdminReopens, AdminCorrects, AdminReleases, AdminAssigns, NewStudent, StudentChanged, NewTeacher,
         TeacherDisabled, TeacherInvited, NewPackage, PackagePriced, Settings, Import, Login, Logout, AcceptInvite, Password,
         LinkStudent, TelegramWebhook]  # fmt: skip


# What commits by itself has no COMMIT that could be answered ROLLBACK.
WAYS = [(made, what) for made in CASES for what in (lose_before, lose_after, roll_back)
        if what != roll_back or made not in ALONE]  # fmt: skip


@pytest.mark.parametrize("made, what", sample(WAYS, 40))
def test_a_commit_that_fails(rig, world, made, what):
    case = made(world)
    until_it_reaches_the_database(rig, case)
    subject, before = case.prepare(), []
    answer, happened = suffer(rig, case, subject, what)
    while not happened and made in (Track, TeacherLeft) and len(before) < 1000:  # it came to its second at the gate
        before.append(answer)
        time.sleep(0.1)
        answer, happened = suffer(rig, case, subject, what)
    assert happened
    if made in (Track, TeacherLeft) or (made, what) == (Webhook, roll_back):
        # By the journal, by asking once more, or kept for the job: what was rolled back is known not to be there.
        assert case.is_right(answer)
    else:
        assert is_own_word(answer), (answer.status, answer.body)
    settle(case, subject, [*before, answer])


class StandbyAway:
    """Inside it every commit waits for a standby that does not come."""

    def __init__(self, rig):
        self.rig = rig

    def set(self, names):
        self.rig.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        reload(self.rig)
        wait_for(lambda: self.rig.psql("SHOW synchronous_standby_names") == names)

    def __enter__(self):
        self.set("nobody")
        self.rig.psql("CHECKPOINT")  # by who tells all others to wait, as it has heard by now
        return self

    def __exit__(self, *_):
        self.set("")

    def waiting(self):
        return self.rig.psql("SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE wait_event = 'SyncRep'")


def test_a_standby_that_is_away_refuses_no_student_and_doubles_nothing(rig, world):
    others = random.Random(SEED).sample(CASES[2:], len(CASES) - 2)
    others = list({made.program: made for made in others}.values())[: None if LONG else 6]  # each a program of its own
    cases = [made(world) for made in [Track, TeacherLeft, *others]]
    for case in cases:
        case.call(case.prepare())  # wakes its program: Zoom's events have no time for that
    rig.until_clicks_reach_the_database()
    subjects = [case.prepare() for case in cases]
    with StandbyAway(rig) as away:
        calls = [Call(case, subject) for case, subject in zip(cases, subjects)]
        wait_for(away.waiting)
        wait_for(lambda: rig.lines() or not any(call.is_alive() for call in calls))
        assert rig.job("journal-replay").returncode == 1  # it waits too, and goes on at the next run
        for call in calls:
            call.join()
        wait_for(lambda: not away.waiting())  # no backend waits on for a caller who has gone
    rig.until_clicks_reach_the_database()
    for call in calls:
        by_journal = type(call.case) in (Track, TeacherLeft)
        assert call.case.is_right(call.answer) == by_journal, (call.case.name, call.answer.status)
        settle(call.case, call.subject, [call.answer])


def test_a_wait_for_a_standby_that_is_cut_short_is_told(rig, world):
    """PostgreSQL then commits here with a warning: nobody is told success for it."""
    case = TeacherEnds(world)
    subject = case.prepare()
    with StandbyAway(rig) as away:
        call = Call(case, subject)
        pids = wait_for(away.waiting)
        rig.psql(*[f"SELECT pg_cancel_backend({pid})" for pid in pids.split(",")])
        call.join()
    assert call.answer.status == 503 and json.loads(call.answer.body)["title"] == "Outcome unknown, repeat it"
    settle(case, subject, [call.answer])


def test_a_worker_that_stood_still_in_a_transaction_is_an_outage(rig, world):
    """PostgreSQL rolls back and ends the connection of one that says nothing for too long."""
    case, proxy = TeacherEnds(world), rig.proxy
    subject = case.prepare()
    rig.psql("ALTER ROLE classclock_app SET idle_in_transaction_session_timeout = '100ms'")
    try:
        proxy.drop(case.program)
        with proxy.gate([case.program]):
            call, begun = Call(case, subject), False
            while call.is_alive():
                for link in proxy.held(case.program):
                    if begun:
                        wait_for(lambda: not rig.count("pg_stat_activity", f"pid = {link.backend}"))
                    begun = begun or b"BEGIN\0" in link.held
                    link.released.set()
                with proxy.changed:
                    proxy.changed.wait(0.002)
    finally:
        rig.psql("ALTER ROLE classclock_app SET idle_in_transaction_session_timeout = '10s'")
        proxy.drop()
    assert begun and call.answer.status == 503, (call.answer.status, call.answer.body)
    settle(case, subject, [call.answer])
