"""The database away, in every way a database can be: the student still reaches the class, and no
click is lost. docs/guarantees.md, P1 and P5."""

import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from outage import Away, academy, clicked, running, until


def own_moment(app, sent, before, after):
    """Whether the session began between two moments of this machine, which is also the database's."""
    started = app.psql(f"SELECT us(clicked_at) FROM sessions WHERE id = {sent['session']['id']}")
    return before <= int(started) / 1e6 <= after


@pytest.mark.parametrize("how", ["stopped", "hung", "read-only", "full", "slow"])
def test_a_tap_opens_the_class_and_is_kept_once_at_its_own_moment(app, how):
    app.tap(app.send())  # so that the program has its connection, and its statement ready there
    classes = [app.send() for _ in range(12)]
    taps = []
    with Away(app, how):
        for sent in classes:
            before = time.time()
            app.tap(sent)
            taps.append((sent, before, time.time()))
        assert app.lines()
        assert not [text for text in app.lines() if "127.0.0.1" in text]  # of an address its network is kept
    app.replay()
    for sent, before, after in taps:
        assert own_moment(app, sent, before, after)
        assert app.session(sent["session"]["id"])["session_status"] == "active"
        (click,) = app.clicks(sent)
        assert before <= click["us"] / 1e6 <= after
    assert app.lines() == []


def waits(app, program):
    """How many answers a program has called slow: of those that are no failure it logs no other."""
    return len(re.findall(r"method=GET status=[23]", (app.state / "log" / f"{program}.log").read_text()))


def test_after_one_deadline_nobody_waits_any_more(app):
    classes = [app.send() for _ in range(30)]
    # After the outage of the test before, both programs know again that the database is there.
    until(lambda: app.tap(classes[0]) and clicked(app, classes[0]))
    until(lambda: app.end(classes[0]) or app.session(classes[0]["session"]["id"])["session_ended_at"])
    app.replay()
    with Away(app, "hung"):
        taps, ends = waits(app, "zoom_track"), waits(app, "zoom_teacher_left")
        for sent in classes:
            app.tap(sent)
        for sent in classes:
            app.end(sent)
        assert len(app.lines()) == 2 * len(classes)
        # The first of each finds out, for all workers; of the teachers another one a second; a stalled machine adds some.
        assert 1 <= waits(app, "zoom_track") - taps <= len(classes) / 3
        assert 1 <= waits(app, "zoom_teacher_left") - ends <= len(classes) / 3
    app.replay()


def test_one_teacher_in_two_seconds_waits_for_a_database_that_hangs(app):
    """Who finds out whether it is back waits for a second, and nobody in the second after that."""
    sent = app.send()
    app.end(sent)
    log = app.state / "log" / "zoom_teacher_left.log"
    waited = []
    with Away(app, "hung"):
        began, said = time.monotonic(), log.read_text().count("db: conn")  # it is away
        while len(waited) < 5:
            app.end(sent)
            if log.read_text().count("db: conn") > said:  # and not only the machine slow
                said = log.read_text().count("db: conn")
                waited.append(time.monotonic() - began)
    assert waited[-1] > 5 + 4 - 0.1, waited
    app.replay()


def test_nobody_waits_for_a_program_that_is_stuck_itself(app):
    """As in a name server's silence: libpq offers no deadline for that."""
    before, *classes = [app.send() for _ in range(6)]
    until(lambda: app.tap(before) and clicked(app, before))  # the program is connected, and not just about to be
    app.replay()
    stuck = app.state / "run" / "pg" / "stuck"  # trouble.c
    stuck.touch()
    try:
        app.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'")
        academy.at_once(*[lambda sent=sent: app.tap(sent) for sent in classes])
        for sent in classes:
            app.tap(sent)
        assert len(app.lines()) == 10
    finally:
        stuck.unlink()
    until(app.works)
    app.replay()
    assert all(len(app.clicks(sent)) == 2 and clicked(app, sent) for sent in classes)


def test_while_the_database_is_well_the_journal_is_left_alone(app):
    def look():
        return {f.name: f.stat().st_mtime_ns for f in app.journal.iterdir() if f.name != "offset"}

    sent = app.send()
    until(lambda: app.tap(sent) and clicked(app, sent))

    def is_left_alone():
        """Soon: a program that was refused by the outage before asks the database anew after a second."""
        app.replay()
        before = look()
        academy.at_once(*[lambda: app.tap(sent)] * 20)
        app.end(sent)
        return look() == before and set(before) <= {"lost"}

    until(is_left_alone)


def test_the_first_tap_after_a_restart_of_the_database_asks_it(app):
    """Connections that died while they were idle are no outage: a link that was withdrawn meanwhile stays shut."""
    withdrawn = app.send()
    assert app.teacher.post("/api/teacher/session", {"session_id": withdrawn["session"]["id"], "action": "cancel"}).status == 200

    def in_time():
        """What is to be shown, unless the machine itself took the second after which a tap goes to the journal."""
        before, sent = app.send(), app.send()
        until(lambda: app.tap(before) and clicked(app, before))  # also after the outage of the test before
        app.replay()
        backends = app.psql("SELECT pid FROM pg_stat_activity WHERE usename = 'classclock_app'").split()
        app.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'")
        # Whole processes: what a backend is seen to do ends before its connection does.
        until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in backends))
        began = time.monotonic()
        status = app.client().open(withdrawn["join_url"]).status
        app.tap(sent)
        if time.monotonic() - began > 0.9:
            return False
        assert status == 410
        assert clicked(app, sent)
        assert app.lines() == []
        return True

    until(in_time)


def test_a_whole_class_during_an_outage_has_its_true_minutes(app):
    sent = app.send()
    with Away(app):
        app.tap(sent)
        app.end(sent)
    app.replay()
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
    assert row["clicked_at"] <= row["session_ended_at"]


def test_replaying_twice_or_at_once_changes_nothing(app):
    sent = app.send()
    with Away(app):
        app.tap(sent)
        app.tap(sent)
        saved = (app.journal / "journal").read_text()
    for _ in range(3):
        (app.journal / "1-1.replay").write_text(saved)
        academy.at_once(*[lambda: app.job("journal-replay")] * 3)
        app.replay()
    evidence = [e for e in app.evidence(sent["session"]["id"]) if e["kind"] == "clicked"]
    assert len(evidence) == 1
    assert app.psql(f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}") == "2"


def test_an_earlier_click_of_the_journal_moves_the_start_and_the_deadline(app):
    sent = app.send()
    with Away(app):
        app.tap(sent)
        saved = (app.journal / "journal").read_text()
        (app.journal / "journal").unlink()
    until(lambda: app.tap(sent) and clicked(app, sent))  # the program asks once a second
    later = clicked(app, sent)
    (app.journal / "2-1.replay").write_text(saved)
    app.replay()
    row = app.session(sent["session"]["id"])
    assert row["clicked_at"] < later
    minutes = app.psql(f"SELECT times_out_at - clicked_at FROM sessions WHERE id = {row['id']}")
    assert minutes == "01:10:00"


def test_an_earlier_click_moves_no_class_that_was_corrected(app):
    sent = app.send()
    n = sent["session"]["id"]
    with Away(app):
        app.tap(sent)
        saved = (app.journal / "journal").read_text()
        (app.journal / "journal").unlink()
    until(lambda: app.tap(sent) and clicked(app, sent))
    end = app.psql("SELECT rfc3339(clock_now())")
    wish = {"session_id": n, "action": "correct", "session_ended_at": end, "reason": "as both say"}
    assert app.admin.post("/api/admin/session", wish).status == 200
    corrected = app.session(n)
    (app.journal / "3-1.replay").write_text(saved)
    app.replay()
    assert app.session(n) == corrected
    release = {"session_id": n, "action": "release", "reason": "it was right"}
    assert app.admin.post("/api/admin/session", release).status == 200
    assert app.session(n)["clicked_at"] < corrected["clicked_at"]


def test_a_torn_line_costs_no_other_click(app):
    classes = [app.send() for _ in range(2)]
    with Away(app):
        app.tap(classes[0])
        file = app.journal / "journal"
        with file.open("a") as journal:
            journal.write("1 click torn-off-by-a-cra")
        app.tap(classes[1])
    app.replay()
    assert all(clicked(app, sent) for sent in classes)
    (bad,) = app.journal.glob("*.bad")
    assert "torn-off" in bad.read_text()
    bad.unlink()


def test_a_line_that_was_changed_is_not_believed(app):
    sent, other = app.send(), app.send()
    with Away(app):
        app.tap(sent)
        file = app.journal / "journal"
        changed = file.read_text().replace(f" {sent['session']['id']} ", f" {other['session']['id']} ")
        file.write_text(changed)
    app.replay()
    assert clicked(app, sent) is None and clicked(app, other) is None
    for bad in app.journal.glob("*.bad"):
        bad.unlink()


def test_a_journal_that_cannot_be_written_refuses_nobody(app):
    sent = app.send()
    app.replay()
    lost = app.metric("journal_lost_total")
    app.journal.chmod(0o500)
    try:
        with Away(app):
            app.tap(sent)
            assert app.metric("journal_lost_total") == lost + 1  # told although nothing else works
            assert app.metric("database_up") == 0
    finally:
        app.journal.chmod(0o700)
    assert f"JOURNAL: a click of session {sent['session']['id']} " in app.logs()
    assert app.client().get("/healthz")["status"] == "degraded"


def test_a_teacher_is_told_when_the_end_could_be_kept_nowhere(app):
    sent = app.send()
    app.tap(sent)
    app.replay()
    app.journal.chmod(0o500)
    try:
        with Away(app):
            answer = app.client().open(sent["leave_url"])
            assert answer.status == 503 and "The class could not be ended just now" in answer.text, answer.text
    finally:
        app.journal.chmod(0o700)
    app.end(sent)


def test_the_link_of_a_lost_row_opens_and_is_kept_as_an_orphan(app):
    sent = app.send()
    with Away(app):
        app.tap(sent)
    n = sent["session"]["id"]
    app.psql("SET session_replication_role = replica;"
             f" DELETE FROM session_events WHERE session_id = {n}; DELETE FROM sessions WHERE id = {n}")
    app.replay()
    assert app.psql("SELECT count(*) FROM clicks WHERE verdict = 'orphan'") == "1"


def test_killing_the_replay_anywhere_applies_each_line_once(app):
    pick = random.Random(academy.SEED)
    classes = [app.send() for _ in range(12)]
    with Away(app):
        for sent in classes:
            app.tap(sent)
    killed = 0
    for n in range(20):
        job = app.start_job("journal-replay")
        time.sleep(pick.random() * 0.0025 * n)  # the moment of the kill is drawn, the first from its first instruction
        job.kill()
        killed += job.wait() == -signal.SIGKILL
    assert killed
    app.replay()
    for sent in classes:
        kinds = [e["kind"] for e in app.evidence(sent["session"]["id"])]
        assert kinds.count("clicked") == 1
        count = f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}"
        assert app.psql(count) == "1"


def test_a_burst_during_an_outage_loses_nothing(app):
    classes = [app.send() for _ in range(20)]
    with Away(app, "hung"):
        academy.at_once(*[lambda sent=sent: app.tap(sent) for sent in classes for _ in range(5)])
    app.replay()
    for sent in classes:
        kinds = [e["kind"] for e in app.evidence(sent["session"]["id"])]
        assert kinds.count("clicked") >= 1
        count = f"SELECT count(*) FROM clicks WHERE session_id = {sent['session']['id']}"
        assert app.psql(count) == "5"


# ---------------------------------------------------------------- who it was, and whether it counts


def test_a_teacher_who_looks_at_the_link_during_an_outage_starts_nothing(app):
    sent = app.send()
    with Away(app):
        answer = app.teacher.fork().open(sent["join_url"])
        assert answer.status == 302  # who that is, only the database can tell
    app.replay()
    assert clicked(app, sent) is None
    assert [click["verdict"] for click in app.clicks(sent)] == ["signed_in"]


@pytest.mark.parametrize(
    "created, acted, begins",
    [
        ("6 days 23 hours 57 minutes", "11 hours 57 minutes", False),
        ("7 days", "1 minute", True),
        ("6 days", "12 hours", True),
    ],
)
def test_a_login_that_had_run_out_takes_no_class_from_a_student(app, created, acted, begins):
    """A family's device, on which a teacher was signed in once. What counts is when it was tapped."""
    sent = app.send()
    app.psql(
        f"UPDATE logins SET created_at = clock_now() - interval '{created}', acted_at = clock_now() - interval '{acted}'"
        f" WHERE account_id = {app.teacher_id}"
    )
    with Away(app):
        assert app.teacher.fork().open(sent["join_url"]).status == 302
    clock = academy.Clock(app)
    clock.move("5 minutes")
    app.replay()
    clock.reset()
    app.psql(f"UPDATE logins SET created_at = clock_now(), acted_at = clock_now() WHERE account_id = {app.teacher_id}")
    assert [click["verdict"] for click in app.clicks(sent)] == ["human" if begins else "signed_in"]
    assert (clicked(app, sent) is not None) == begins


def test_programs_and_previews_start_nothing_during_an_outage(app):
    sent = app.send()
    with Away(app):
        kinds = [({"User-Agent": "TelegramBot (like TwitterBot)"}, "GET", 200), ({}, "HEAD", 302),
                 ({"Sec-Purpose": "prefetch"}, "GET", 503)]
        for headers, method, status in kinds:
            assert app.client().open(sent["join_url"], method, headers).status == status
    app.replay()
    assert clicked(app, sent) is None and app.clicks(sent) == []


def cancel(app, sent):
    wish = {"session_id": sent["session"]["id"], "action": "cancel", "reason": "ill"}
    cancelled = app.teacher.post("/api/teacher/session", wish)
    assert cancelled.status == 200, cancelled


def send_again(app, sent):
    return app.send(student_id=sent["session"]["student"]["id"])


def test_a_class_that_was_cancelled_opens_and_stays_cancelled(app):
    """Though in an outage the token alone decides: the student gets to Zoom, and no clock starts."""
    sent = app.send()
    cancel(app, sent)
    newer = send_again(app, sent)
    with Away(app):
        app.tap(sent)
    app.replay()
    assert app.session(sent["session"]["id"])["session_status"] == "cancelled"
    assert [click["verdict"] for click in app.clicks(sent)] == ["cancelled"]
    assert clicked(app, newer) is None and app.clicks(newer) == []


@pytest.mark.parametrize("tapped", ["before", "after"])
def test_a_replaced_link_that_is_withdrawn_starts_no_newer_class(app, tapped):
    """Nor does a tap that was in the journal still when it was withdrawn."""
    sent = app.send()
    newer = send_again(app, sent)
    if tapped == "after":
        cancel(app, sent)
    with Away(app):
        app.tap(sent)
    if tapped == "before":
        cancel(app, sent)
    app.replay()
    assert app.session(sent["session"]["id"])["session_status"] == "cancelled"
    assert [click["verdict"] for click in app.clicks(sent)] == ["cancelled"]
    assert clicked(app, newer) is None and app.clicks(newer) == []


def test_a_class_that_came_to_life_opens_no_newer_one(app):
    """Its click of before the newer link came out of the journal after it; the student comes back by the same button."""
    sent = app.send()
    with Away(app):
        app.tap(sent)
    newer = send_again(app, sent)
    assert app.session(sent["session"]["id"])["session_status"] == "cancelled"
    app.replay()
    assert app.session(sent["session"]["id"])["session_status"] == "active"
    until(lambda: app.tap(sent) and (app.clicks(newer) or len(app.clicks(sent)) > 1))
    assert clicked(app, newer) is None and app.clicks(newer) == []
    assert {click["verdict"] for click in app.clicks(sent)} == {"human"}


def test_an_end_is_kept_of_a_class_whose_tap_has_not_come_yet(app):
    """A newer link took its place meanwhile, as far as the database knew."""
    sent = app.send()
    with Away(app):
        app.tap(sent)
    send_again(app, sent)
    assert app.session(sent["session"]["id"])["session_status"] == "cancelled"
    until(lambda: app.end(sent) or "teacher_left" in [e["kind"] for e in app.evidence(sent["session"]["id"])])
    app.replay()
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")


def test_a_class_that_is_voided_opens_no_newer_one(app):
    """Its click of before the newer link came out of the journal after it."""
    sent = app.send()
    with Away(app):
        app.tap(sent)
    newer = send_again(app, sent)
    app.replay()
    assert clicked(app, sent)
    cancel(app, sent)
    target = sent["join_url"].removeprefix(app.url)
    until(lambda: app.client().get(target, headers={"Origin": None, "Sec-Fetch-Site": None}).status == 410)
    assert clicked(app, newer) is None and app.clicks(newer) == []


def test_a_tap_after_the_end_of_the_class_is_told_to_the_admin(app):
    sent = app.send()
    app.tap(sent)
    app.end(sent)
    with Away(app):
        app.tap(sent)
    app.replay()
    assert [click["verdict"] for click in app.clicks(sent)] == ["human", "late"]
    assert [e["detail"]["why"] for e in app.evidence(sent["session"]["id"]) if e["kind"] == "click_ignored"] == ["late"]
    assert app.session(sent["session"]["id"])["session_status"] == "ended"


# ---------------------------------------------------------------- no program


def test_when_the_programs_are_gone_a_page_tries_again_until_they_are_back(app):
    sent = app.send()
    os.kill(app.pid("supervisor"), signal.SIGSTOP)
    try:
        parents = [app.pid("zoom_track"), app.pid("zoom_teacher_left")]
        children = subprocess.run(["pgrep", "-P", ",".join(map(str, parents))], capture_output=True, text=True, check=False)
        family = [*parents, *map(int, children.stdout.split())]
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(running(pid) for pid in family))
        for answer in academy.at_once(*[lambda url=url: app.client().open(sent[url]) for url in ("join_url", "leave_url")]):
            assert answer.status == 503 and answer.type == "text/html", answer
            assert 'http-equiv="refresh"' in answer.text and answer.headers["Retry-After"]
            assert "Location" not in answer.headers
    finally:
        os.kill(app.pid("supervisor"), signal.SIGCONT)
    for url in ("join_url", "leave_url"):  # what the page does: it asks for the same address again
        until(lambda url=url: app.client().open(sent[url]).status in (200, 302))
