"""Many at once: whoever comes first, each class ends once and nothing that was acknowledged is lost."""

import collections
import concurrent.futures
import datetime
import os
import random
import re

import pytest

import zoom
from academy import SEED, ZOOM_URL, Locked, at_once, moment, wait_for
from test_login import old_hash
from test_mission import CRAWLERS

LONG = "CLASSCLOCK_LONG" in os.environ
ROUNDS = 60 if LONG else 8


@pytest.fixture(scope="module", name="hana")
def a_teacher(make_teacher):
    return make_teacher("Hana")


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def identity(sent):
    return sent["session"]["id"]


def kinds(app, n):
    return collections.Counter(event["kind"] for event in app.evidence(n))


def verdicts(app, *ids):
    """What the openings of these sessions' links were kept as."""
    listed = ", ".join(map(str, ids))
    return collections.Counter(app.psql(f"SELECT verdict FROM clicks WHERE session_id IN ({listed})").split())


# ---------------------------------------------------------------- one link


def test_two_hundred_clicks_at_once_start_one_class(app, send, tap, hana, make_student):
    sent = send(hana, make_student(hana))
    answers = at_once(*[lambda: tap(sent["join_url"])] * 200)
    assert {(a.status, a.headers["Location"]) for a in answers} == {(302, ZOOM_URL)}
    n = identity(sent)
    assert kinds(app, n) == {"sent": 1, "clicked": 1}
    (clicked,) = [e for e in app.evidence(n) if e["kind"] == "clicked"]
    row = app.session(n)
    assert row["clicked_at"] == clicked["happened_at"] and row["session_status"] == "active"
    assert verdicts(app, n) == {"human": 200}


def test_many_students_at_once_start_a_class_each(app, send, tap, hana, make_student):
    classes = [send(hana, make_student(hana), f"{ZOOM_URL}{i}") for i in range(25)]
    answers = at_once(*[lambda sent=sent: tap(sent["join_url"]) for sent in classes * 4])
    for sent, answer in zip(classes * 4, answers):
        assert answer.status == 302 and answer.headers["Location"] == sent["start_url"]
    for sent in classes:
        assert kinds(app, identity(sent)) == {"sent": 1, "clicked": 1}
        assert verdicts(app, identity(sent)) == {"human": 4}


def test_a_click_meets_a_newer_link(app, send, tap, hana, make_student):
    """Either the old class was opened first and runs, or its button opens the new one."""
    student = make_student(hana)
    seen = set()
    for i in range(30 if LONG else 10):
        old = send(hana, student, f"{ZOOM_URL}{i}")
        clicks = [lambda old=old: tap(old["join_url"])] * 3
        *answers, new = at_once(*clicks, lambda i=i: send(hana, student, f"{ZOOM_URL}{i}new"))
        assert {a.status for a in answers} == {302}
        states = tuple(app.session(identity(s))["session_status"] for s in (old, new))
        assert states in {("active", "sent"), ("cancelled", "active")}
        opened = old if states[0] == "active" else new
        assert {a.headers["Location"] for a in answers} == {opened["start_url"]}
        assert verdicts(app, identity(old), identity(new)) == {"human": 3}
        assert kinds(app, identity(opened))["clicked"] == 1
        seen.add(states)
        hana.act(identity(new), "cancel")
        hana.act(identity(old), "end")
    print("seen:", sorted(seen))


def test_a_withdrawal_meets_a_click_and_a_newer_link(app, send, tap, hana, make_student):
    """Whatever comes first: what was withdrawn opens nothing."""
    student = make_student(hana)
    for i in range(30 if LONG else 10):
        old = send(hana, student, f"{ZOOM_URL}{i}")
        *answers, cancelled, new = at_once(
            *[lambda old=old: tap(old["join_url"])] * 3,
            lambda old=old: hana.act(identity(old), "cancel"),
            lambda i=i: send(hana, student, f"{ZOOM_URL}{i}new"),
        )
        assert {a.status for a in answers} <= {302, 410} and cancelled.status == 200
        assert app.session(identity(old))["session_status"] == "cancelled"
        assert tap(old["join_url"]).status == 410
        count = kinds(app, identity(old))
        assert count["cancelled"] == 1 and not (count["superseded"] and count["clicked"])
        hana.act(identity(new), "cancel")


def test_a_withdrawal_of_what_nobody_had_opened_voids_no_class(app, send, tap, hana, make_student):
    """The teacher saw "sent": either the link is withdrawn and the tap opens nothing, or the class runs."""
    student = make_student(hana)
    seen = collections.Counter()
    for i in range(30 if LONG else 10):
        sent = send(hana, student, f"{ZOOM_URL}{i}")
        n = identity(sent)
        opened, withdrawn = at_once(
            lambda sent=sent: tap(sent["join_url"]),
            lambda n=n: hana.act(n, "cancel", session_status="sent"),
        )
        status, count = app.session(n)["session_status"], kinds(app, n)
        assert (opened.status, withdrawn.status, status) in {(410, 200, "cancelled"), (302, 409, "active")}
        assert count == {"sent": 1, "cancelled" if status == "cancelled" else "clicked": 1}
        seen[status] += 1
        hana.act(n, "end")
    print("seen:", seen)


# ---------------------------------------------------------------- a lock that somebody holds


def test_a_class_that_is_being_sent_gets_the_rate_that_is_being_set(app, admin, send, hana, make_student, patience):
    package = {"name": "Set meanwhile", "duration_minutes": 60, "buffer_minutes": 10, "rate": None, "currency": "USD"}
    assert admin.post("/api/admin/packages", package).status == 201
    student = make_student(hana, package_id=package["name"])
    old = send(hana, student)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Locked(app, identity(old)):
            sending = pool.submit(send, hana, student)
            wait_for(lambda: int(app.psql(WAITING)) == 1)  # it has read the package
            setting = pool.submit(admin.patch, "/api/admin/packages", {"id": package["name"], "rate": "9.50"})
            wait_for(lambda: setting.done() or int(app.psql(WAITING)) == 2)
        assert setting.result().status == 200
    assert app.session(identity(sending.result()))["package_rate"] == 9.5


CHANGED = "the long way round"


def limit(app, limits):
    """Connections that begin from now on have these limits; those of before are ended."""
    app.psql(
        *[f"ALTER ROLE classclock_app SET {name} = '{value}'" for name, value in limits.items()],
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'classclock_app'",
    )


@pytest.fixture(name="patience")
def who_waits_has_the_time_of_a_request(app):
    """The role's limits are short for who waits for a lock while another call hashes passwords on a slow machine."""
    lines = app.psql("SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'classclock_app'").splitlines()
    before = dict(line.split("=", 1) for line in lines)
    names = ("lock_timeout", "statement_timeout")
    limit(app, dict.fromkeys(names, "1min"))
    yield
    limit(app, {name: before[name] for name in names})


def change_password(app, admin, hana, how):
    """The ways in which a password is changed."""
    if how == "change":
        return lambda: hana.post("/api/auth/password", {"current_password": hana.password, "new_password": CHANGED})
    invited = admin.patch("/api/admin/teachers", {"id": hana.id, "invite": True})
    wish = {"token": invited["invite_url"].split("#")[1], "password": CHANGED}
    return lambda: app.client().post("/api/auth/accept-invite", wish)


def sign_in(client, hana):
    return client.post("/api/auth/login", {"email": hana.email, "password": hana.password})


@pytest.fixture(name="slow_logins")
def logins_that_wait(app):
    """Whoever writes a login waits for the advisory lock 1."""
    app.psql(
        "CREATE FUNCTION wait_for_one() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END$$;"
        "CREATE TRIGGER wait BEFORE INSERT ON logins FOR EACH ROW EXECUTE FUNCTION wait_for_one()"
    )
    yield
    app.psql("DROP FUNCTION wait_for_one CASCADE")


@pytest.mark.parametrize("how", ["change", "invitation"])
def test_no_sign_in_outlives_the_password_that_it_gave(app, admin, invite_teacher, slow_logins, patience, how):
    """The old password was right when it was looked at, and its login is about to be written."""
    hana, thief = invite_teacher("Hana"), app.client()
    change = change_password(app, admin, hana, how)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Locked(app, "SELECT pg_advisory_xact_lock(1)"):
            signing_in = pool.submit(sign_in, thief, hana)
            wait_for(lambda: int(app.psql(WAITING)) == 1)
            changing = pool.submit(change)
            wait_for(lambda: changing.done() or int(app.psql(WAITING)) == 2)
        assert changing.result().status == 200 and signing_in.result().status in (200, 401)
    assert thief.get("/api/auth/me").status == 401
    assert sign_in(app.client(), hana).status == 401


@pytest.mark.parametrize("how", ["change", "invitation"])
def test_a_renewed_hash_of_the_old_password_does_not_bring_it_back(app, admin, invite_teacher, patience, how):
    """A sign-in that renews an old hash comes behind the change of the password that it has verified."""
    hana, thief = invite_teacher("Hana"), app.client()
    app.psql(f"UPDATE accounts SET password_hash = '{old_hash(hana.password)}' WHERE id = {hana.id}")
    change = change_password(app, admin, hana, how)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Locked(app, f"SELECT FROM accounts WHERE id = {hana.id} FOR NO KEY UPDATE"):
            changing = pool.submit(change)
            wait_for(lambda: int(app.psql(WAITING)) == 1)
            signing_in = pool.submit(sign_in, thief, hana)
            wait_for(lambda: int(app.psql(WAITING)) == 2)
        assert changing.result().status == 200 and signing_in.result().status == 401
    assert thief.get("/api/auth/me").status == 401
    hana.password, old = CHANGED, hana.password
    assert sign_in(app.client(), hana).status == 200
    hana.password = old
    assert sign_in(app.client(), hana).status == 401


def test_two_who_renew_a_hash_at_once_are_both_let_in(app, invite_teacher, patience):
    hana, clients = invite_teacher("Hana"), [app.client() for _ in range(2)]
    app.psql(f"UPDATE accounts SET password_hash = '{old_hash(hana.password)}' WHERE id = {hana.id}")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Locked(app, f"SELECT FROM accounts WHERE id = {hana.id} FOR NO KEY UPDATE"):
            calls = [pool.submit(sign_in, client, hana) for client in clients]
            wait_for(lambda: int(app.psql(WAITING)) == 2)
        assert [call.result().status for call in calls] == [200, 200]


def test_of_two_changes_of_a_password_the_second_must_know_the_first(app, invite_teacher, patience):
    hana, words = invite_teacher("Hana"), [CHANGED, "the short way round"]
    logins = [hana.sign_in() for _ in words]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Locked(app, f"SELECT FROM accounts WHERE id = {hana.id} FOR NO KEY UPDATE"):
            calls = []
            for login, word in zip(logins, words):
                wish = {"current_password": hana.password, "new_password": word}
                calls.append(pool.submit(login.post, "/api/auth/password", wish))
                wait_for(lambda: int(app.psql(WAITING)) == len(calls))
        first, second = [call.result() for call in calls]
    assert (first.status, second.status, second.field) == (200, 400, "current_password")
    hana.password = CHANGED
    assert sign_in(app.client(), hana).status == 200


def test_a_locked_class_holds_up_no_other(app, send, tap, hana, make_student):
    """While another transaction holds one row, everybody else's class starts, and the students of the
    held one get to Zoom too: their clicks are kept, and count once the row is free."""
    held, *others = [send(hana, make_student(hana), f"{ZOOM_URL}{i}") for i in range(21)]
    n = identity(held)
    with Locked(app, n):
        calls = [lambda sent=sent: tap(sent["join_url"]) for sent in others + [held] * 20]
        random.Random(SEED).shuffle(calls)
        answers = at_once(*calls)
        assert {a.status for a in answers} == {302}
        for sent in others:
            assert app.session(identity(sent))["session_status"] == "active"
        assert app.session(n)["session_status"] == "sent"
        before = app.psql("SELECT clock_now()")
    assert app.job("journal-replay").returncode == 0
    row = app.session(n)
    assert row["session_status"] == "active"
    assert moment(row["clicked_at"]) < moment(before + ":00")
    assert kinds(app, n)["clicked"] >= 1 and verdicts(app, n)["human"] >= 1


def test_whoever_looks_at_a_locked_class_holds_up_no_other(app, nobody, send, tap, hana, make_student):
    """What is written of a visit that starts nothing refers to the class; many share one statement."""
    held = send(hana, make_student(hana), "https://us02web.zoom.us/j/8123456700")
    others = [send(hana, make_student(hana), f"{ZOOM_URL}{i}") for i in range(20)]
    before = app.logs().count("clicks go to the journal")
    event = zoom.Meeting(8123456700, "HostOfTheLocked").started(moment(app.psql("SELECT clock_now()") + ":00"))
    with Locked(app, "LOCK TABLE zoom_hosts IN EXCLUSIVE MODE"), concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(zoom.deliver, nobody, event)  # which holds the class, and waits for the table
        wait_for(lambda: int(app.psql(WAITING)) == 1)
        calls = [lambda sent=sent: tap(sent["join_url"]) for sent in others]
        looks = [lambda agent=agent: tap(held["join_url"], headers={"User-Agent": agent}) for agent in CRAWLERS]
        at_once(*random.Random(SEED).sample(calls + looks, len(calls + looks)))
        for sent in others:
            assert app.session(identity(sent))["session_status"] == "active"
        assert verdicts(app, identity(held)) == {"crawler": len(CRAWLERS)}
    assert app.logs().count("clicks go to the journal") == before
    assert kinds(app, identity(held)) == {"sent": 1, "click_ignored": 1}


def test_who_has_an_old_button_reaches_the_new_room_while_another_class_is_locked(app, send, tap, hana, make_student):
    held, student = send(hana, make_student(hana)), make_student(hana)
    old = send(hana, student, f"{ZOOM_URL}1")
    new = send(hana, student, f"{ZOOM_URL}2")
    with Locked(app, identity(held)):
        answers = at_once(*[lambda: tap(held["join_url"])] * 5, *[lambda: tap(old["join_url"])] * 5)
        assert {a.headers["Location"] for a in answers[5:]} == {f"{ZOOM_URL}2"}
        assert verdicts(app, identity(new)) == {"human": 5}
    assert app.job("journal-replay").returncode == 0


def test_the_check_waits_for_nobody(app, send, tap, hana, make_student):
    sent = send(hana, make_student(hana))
    assert tap(sent["join_url"]).status == 302
    with Locked(app, identity(sent)):
        checked = app.job("classclock-admin", "check")
    # Other tests have moved the clock ahead and back: what they left is judged by the check at the end of the suite.
    assert re.search(r"\b\d+ invariants, \d+ broken$", checked.stdout.strip()), checked.stdout + checked.stderr
    assert f"session {identity(sent)}:" not in checked.stdout


def test_a_locked_class_is_left_for_the_next_run_of_the_job(app, admin, send, tap, hana, make_student):
    assert app.job("session-timeout").returncode == 0  # an answer names two hundred at most
    held, free = (send(hana, make_student(hana)) for _ in range(2))
    for sent in (held, free):
        tap(sent["join_url"])
        app.age(identity(sent), "71 minutes")
    with Locked(app, identity(held)):
        done = admin.post("/api/admin/auto-timeout")
        assert done.status == 200 and identity(free) in done["session_ids"]
        assert identity(held) not in done["session_ids"]
    done = admin.post("/api/admin/auto-timeout")
    # Those of other tests come due at any moment.
    assert {identity(held), identity(free)} & set(done["session_ids"]) == {identity(held)}


def test_who_waits_for_a_locked_class_is_told_to_come_back(app, admin, send, tap, hana, make_student):
    """An action is never half done: it waits, and if the lock outlives the limit it has done nothing."""
    sent = send(hana, make_student(hana))
    n = identity(sent)
    tap(sent["join_url"])
    before = app.session(n), app.evidence(n)
    with Locked(app, n):
        answers = at_once(
            lambda: admin.act(n, "end"), lambda: hana.act(n, "cancel"), lambda: hana.act(n, "end")
        )
        assert {a.status for a in answers} == {503}
    assert (app.session(n), app.evidence(n)) == before
    assert admin.act(n, "end").status == 200


# ---------------------------------------------------------------- everybody at everything


class Race:
    """Some classes, and everything that anybody may do to them, in a random order at one moment."""

    def __init__(self, seed, app, admin, tap, hana):
        self.random = random.Random(seed)
        self.app, self.admin, self.tap, self.hana = app, admin, tap, hana
        self.done = collections.defaultdict(list)  # session id: (what, answer)
        self.newer = collections.defaultdict(list)  # session id: those sent to the same student later

    def moment_ago(self, seconds):
        now = moment(self.app.psql("SELECT to_json(clock_now()) #>> '{}'"))
        then = now - datetime.timedelta(seconds=seconds)
        return then.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def prepare(self, sent):
        """Brings the class to some point of its life: unopened, running, at its deadline or behind it."""
        n = identity(sent)
        point = self.random.choice(["unopened", "link at its end", "running", "at the deadline", "overdue"])
        if point in ("running", "at the deadline", "overdue"):
            self.open(sent)
        age = {"link at its end": 12 * 3600 - 0.2, "running": 1800, "at the deadline": 4199.8, "overdue": 4500}
        self.app.age(n, f"{age.get(point, 0)} seconds")

    def note(self, sent, what, answer):
        self.done[identity(sent)].append((what, answer))
        return answer

    def open(self, sent):
        return self.note(sent, "open", self.tap(sent["join_url"]))

    def calls(self, sent, send, student):
        """The wishes of one race for one class."""
        n = identity(sent)
        start, end = self.moment_ago(1500), self.moment_ago(300)

        def leave():
            return self.note(sent, "leave", self.tap(sent["leave_url"]))

        def act(what, person, **fields):
            action = what.split()[0]
            return lambda: self.note(sent, what, person.act(n, action, reason=what, **fields))

        def newer():
            self.newer[n].append(send(self.hana, student))

        def timeout():
            assert self.admin.client.fork().post("/api/admin/auto-timeout").status == 200

        def job():
            assert self.app.job("session-timeout").returncode == 0

        wishes = [
            *[lambda: self.open(sent)] * 4,
            *[leave] * 2,
            act("end by teacher", self.hana),
            act("end by admin", self.admin),
            act("cancel", self.hana),
            act("reopen", self.admin),
            act("correct end", self.admin, session_ended_at=end),
            act("correct both", self.admin, clicked_at=start, session_ended_at=end),
            act("release", self.admin),
            act("zoom_url", self.hana, zoom_url=ZOOM_URL + "new"),
            newer,
            timeout,
            job,
        ]
        return self.random.sample(wishes, 8)

    def check(self, sent):
        """What was acknowledged is in the evidence, each thing as often as it was done."""
        n = identity(sent)
        row, count = self.app.session(n), kinds(self.app, n)
        done = collections.Counter((what, answer.status) for what, answer in self.done[n])
        assert {status for _, status in done} <= {200, 302, 400, 409, 410}, done
        assert count["sent"] == 1 and count["clicked"] <= 1
        assert count["reopened"] == done["reopen", 200]
        assert count["released"] == done["release", 200]
        assert count["zoom_url"] == done["zoom_url", 200]
        assert count["corrected"] == done["correct end", 200] + 2 * done["correct both", 200]
        assert count["cancelled"] == done["cancel", 200]
        # An admin may bring it back to life; each life ends at most once in each way.
        lives = 1 + count["reopened"] + count["released"] + count["corrected"]
        for kind in ("timed_out", "missed", "admin_ended", "teacher_ended"):
            assert count[kind] <= lives, kind
        ends = sum(count[kind] for kind in ("timed_out", "admin_ended", "teacher_ended", "teacher_left", "corrected"))
        assert ends or not done["end by admin", 200] + done["end by teacher", 200]
        assert count["teacher_left"] or not done["leave", 200] or row["session_status"] == "cancelled"
        family = [n, *[identity(newer) for newer in self.newer[n]]]
        opened = sum(1 for what, _ in self.done[n] if what == "open")
        assert sum(verdicts(self.app, *family).values()) == opened


@pytest.mark.parametrize("n", range(ROUNDS))
def test_everybody_at_everything(app, admin, send, tap, hana, make_student, n):
    race = Race(f"{SEED} {n}", app, admin, tap, hana)
    pairs = []
    for _ in range(6):
        student = make_student(hana)
        pairs.append((send(hana, student), student))
    for sent, _ in pairs:
        race.prepare(sent)
    calls = [call for sent, student in pairs for call in race.calls(sent, send, student)]
    race.random.shuffle(calls)
    at_once(*calls)
    for sent, _ in pairs:
        race.check(sent)
    check = app.check()
    assert check.returncode == 0, check.stdout
