"""A class without a pasted link: the meeting is made by Zoom's REST API, once, or pasting works."""

import datetime
import json
import os
import re
import signal
import time
import urllib.parse
import uuid

import pytest

import zoom
from academy import ROOT, ZOOM_URL, Instance, at_once, wait_for
from conftest import check_logs, sign_in_admin, teacher_maker
from zoom_rest import Rest

SEND = "/api/teacher/send-link"


@pytest.fixture(scope="module")
def rest():
    server = Rest()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def connected(rest):
    """An instance that is connected to Zoom."""
    instance = Instance([*rest.env, f"ZOOM_WEBHOOK_SECRET={zoom.SECRET}"])
    try:
        yield instance
        check = instance.job("classclock-admin", "check")
        logs = instance.logs()
    finally:
        instance.stop()
    assert check.returncode == 0, check.stdout
    check_logs(logs)
    assert "Sanitizer" not in logs
    for secret in ("token-", "SECRET-HOST-KEY", "client-secret", "Basic "):
        assert secret not in logs


@pytest.fixture(scope="module")
def boss(connected):
    return sign_in_admin(connected)


@pytest.fixture(scope="module")
def join(connected, boss):
    make = teacher_maker(connected, boss)

    def new(name):
        teacher = make(name)
        teacher.boss = boss
        return teacher

    return new


@pytest.fixture
def hana(connected, join, rest):
    """A teacher with students, and a Zoom that has forgotten what was."""
    rest.forget()
    connected.psql("DELETE FROM zoom_pauses", "DELETE FROM zoom_tokens")
    return join("Hana")


def new_student(teacher):
    wish = {"name": "Ann", "teacher_id": teacher.id, "package_id": "Europe"}
    return teacher.boss.post("/api/admin/students", wish)["id"]


def wish_of(teacher, **more):
    return {"student_id": new_student(teacher), "request_id": str(uuid.uuid4()), **more}


def send(teacher, wish):
    return teacher.client.fork().post(SEND, wish)


def refused(answer, status):
    assert answer.status == status and answer.field == "zoom_url", answer
    assert "aste the link" in answer["detail"], answer
    return answer["detail"]


# ---------------------------------------------------------------- made


def test_a_class_without_a_link_gets_a_meeting_of_its_own(connected, hana, rest):
    answer = send(hana, wish_of(hana))
    assert answer.status == 201, answer
    ((_, path, _, body, headers),) = rest.creates
    assert path == f"/v2/users/{hana.email.replace('@', '%40')}/meetings"
    assert headers["Content-Type"] == "application/json"
    asked = json.loads(body)
    assert asked["type"] == 2 and asked["duration"] == 60 and asked["settings"]["use_pmi"] is False
    assert re.fullmatch(r"Class [0-9a-f]{12}", asked["topic"])
    (meeting,) = rest.meetings.values()
    session = connected.session(answer["session"]["id"])
    assert session["zoom_url"] == meeting["join_url"] and session["meeting_id"] == meeting["id"]
    assert answer["start_url"] == meeting["start_url"]
    opened = connected.client().get(answer["join_url"].removeprefix(connected.url))
    assert opened.status == 302 and opened.headers["Location"] == meeting["join_url"]


def test_the_students_own_link_is_not_replaced_by_it(connected, hana):
    wish = wish_of(hana, zoom_url=ZOOM_URL)
    assert send(hana, wish).status == 201
    assert send(hana, {**wish_of(hana), "student_id": wish["student_id"]}).status == 201
    student = connected.row(f"SELECT zoom_url FROM students WHERE id = {wish['student_id']}")
    assert student["zoom_url"] == ZOOM_URL


def test_a_link_in_its_place_is_the_classes_alone(connected, hana, rest):
    """What the card would send for ever; one in place of a pasted link stays the student's."""

    def repair(wish, answer):
        for n in (1, 2):
            done = hana.act(answer["session"]["id"], "zoom_url", zoom_url=f"https://us05web.zoom.us/j/8450090010{n}")
            assert done.status == 200
        return connected.row(f"SELECT zoom_url FROM students WHERE id = {wish['student_id']}")["zoom_url"]

    made, pasted, failed = wish_of(hana), wish_of(hana, zoom_url=ZOOM_URL), wish_of(hana)
    assert repair(made, send(hana, made)) is None
    assert repair(pasted, send(hana, pasted)) == "https://us05web.zoom.us/j/84500900102"
    rest.plan = ["400"]
    refused(send(hana, failed), 409)
    assert repair(failed, send(hana, {**failed, "zoom_url": ZOOM_URL})) == "https://us05web.zoom.us/j/84500900102"


def test_zooms_events_about_it_are_the_classes(connected, hana, rest):
    answer = send(hana, wish_of(hana))
    connected.client().get(answer["join_url"].removeprefix(connected.url))
    (made,) = rest.meetings.values()
    meeting = zoom.Meeting(made["id"], made["host_id"])
    session_id = answer["session"]["id"]
    clicked = datetime.datetime.fromisoformat(connected.session(session_id)["clicked_at"])
    end = clicked + datetime.timedelta(minutes=1)
    assert zoom.deliver(connected.client(), meeting.ended(end)).status == 200
    session = connected.session(session_id)
    assert (session["session_status"], session["ended_by"]) == ("ended", "zoom")
    # From now on Zoom is asked for the account that the events named.
    assert send(hana, wish_of(hana)).status == 201
    assert rest.creates[-1][1] == f"/v2/users/{made['host_id']}/meetings"


def hold(connected, teacher, room, host):
    """A class of the teacher's in the room, whose meeting Zoom says is the host's."""
    url = f"https://us05web.zoom.us/j/{room}"
    answer = send(teacher, wish_of(teacher, zoom_url=url))
    assert answer.status == 201, answer
    connected.client().get(answer["join_url"].removeprefix(connected.url))
    clicked = connected.session(answer["session"]["id"])["clicked_at"]
    end = datetime.datetime.fromisoformat(clicked) + datetime.timedelta(minutes=1)
    assert zoom.deliver(connected.client(), zoom.Meeting(room, host).ended(end)).status == 200
    assert connected.session(answer["session"]["id"])["session_status"] == "ended"


def host_joins(connected, room, host, email):
    """The room's own host, of whom Zoom tells the address."""
    joined = zoom.Meeting(room, host).joined(
        zoom.Person("The host", host), datetime.datetime.now(datetime.timezone.utc), email=email
    )
    assert zoom.deliver(connected.client(), joined).status == 200


def asked(rest):
    """Whose meeting Zoom was asked for last."""
    return urllib.parse.unquote(rest.creates[-1][1].split("/")[3])


def test_a_class_in_somebodys_room_gives_nobody_the_key_to_it(connected, hana, rest):
    """The start link of a meeting lets its holder in as its host: the director's account, say."""
    hold(connected, hana, 84500900001, "HostOfTheDirector")
    assert send(hana, wish_of(hana)).status == 201
    assert asked(rest) == hana.email


def test_a_host_stays_ones_own_whoever_has_used_the_room(connected, hana, join, rest):
    """By its address: from the answer to a wish, or from an event of its joining."""
    ben, eva, fay = (join(name) for name in ("Ben", "Eva", "Fay"))
    assert send(hana, wish_of(hana)).status == 201 and asked(rest) == hana.email
    (made,) = rest.meetings.values()
    host_joins(connected, 84500900003, "HostOfBen", ben.email.upper())
    hold(connected, eva, 84500900002, made["host_id"])
    hold(connected, fay, 84500900003, "HostOfBen")
    for teacher, user in ((hana, made["host_id"]), (ben, "HostOfBen"), (eva, eva.email), (fay, fay.email)):
        assert send(teacher, wish_of(teacher)).status == 201
        assert asked(rest) == user


def test_the_account_of_a_wrong_address_is_nobodys_own_once_it_is_corrected(connected, boss, join, rest):
    alice = join("Alice")
    host_joins(connected, 84500900005, "HostOfTheOffice", alice.email)  # whose address it is
    wish = wish_of(alice)
    assert send(alice, wish_of(alice)).status == 201 and asked(rest) == "HostOfTheOffice"
    right = f"right{alice.email}"
    assert boss.patch("/api/admin/teachers", {"id": alice.id, "email": right}).status == 200
    assert send(alice, wish).status == 201 and asked(rest) == right
    assert connected.psql(f"SELECT count(*) FROM zoom_hosts WHERE account_id = {alice.id} AND host_id = 'HostOfTheOffice'") == "0"
    assert send(alice, wish_of(alice)).status == 201 and asked(rest) != "HostOfTheOffice"


def test_a_host_that_was_only_taught_in_becomes_ones_own_by_its_address(connected, hana, rest):
    hold(connected, hana, 84500900004, "HostOfHana")
    host_joins(connected, 84500900004, "HostOfHana", hana.email)
    assert send(hana, wish_of(hana)).status == 201 and asked(rest) == "HostOfHana"


def test_what_an_earlier_version_left_gives_nobody_the_key(connected, hana, join, rest):
    """Of what it knew Zoom's answers to an address count; a wish as somebody else is made anew."""
    ben = join("Ben")
    assert send(hana, wish_of(hana)).status == 201
    (made,) = rest.meetings.values()
    hold(connected, ben, 84500900005, made["host_id"])
    mine, others = wish_of(hana), wish_of(ben)
    rest.plan = ["429"] * 4
    assert [send(hana, mine).status, send(ben, others).status] == [503, 503]
    connected.psql(
        "DELETE FROM zoom_pauses",
        "ALTER TABLE zoom_hosts DROP COLUMN confirmed;"
        f" UPDATE zoom_creates SET zoom_user = '{made['host_id']}' WHERE request_id = '{others['request_id']}';"
        + (ROOT / "schema" / "0013_zoom_own.sql").read_text(),
    )
    for teacher, wish, user in ((hana, mine, made["host_id"]), (ben, others, ben.email)):
        kept = connected.psql(f"SELECT zoom_user FROM zoom_creates WHERE request_id = '{wish['request_id']}'")
        assert kept == ("" if wish is others else user)
        assert send(teacher, wish).status == 201
        assert asked(rest) == user


def test_repeating_a_request_makes_no_second_meeting(hana, rest):
    wish = wish_of(hana)
    answers = [send(hana, wish) for _ in range(3)]
    assert [a.status for a in answers] == [201] * 3
    assert len({(a["session"]["id"], a["join_url"], a["start_url"]) for a in answers}) == 1
    assert len(rest.creates) == 1


def test_a_double_tap_makes_one_meeting(hana, rest):
    wish = wish_of(hana)
    rest.plan = ["slow made"]
    rest.SLOW, before = 1.5, rest.SLOW
    try:
        answers = at_once(*[lambda: send(hana, wish)] * 3)
    finally:
        rest.SLOW = before
    assert [a.status for a in answers] == [201] * 3, answers
    assert len({a["session"]["id"] for a in answers}) == 1
    assert len(rest.creates) == 1


def test_a_request_id_is_for_one_wish(hana, rest):
    wish = wish_of(hana)
    assert send(hana, wish).status == 201
    assert send(hana, {**wish, "zoom_url": ZOOM_URL}).status == 409
    assert send(hana, {**wish, "student_id": new_student(hana)}).status == 409
    pasted = wish_of(hana, zoom_url=ZOOM_URL)
    assert send(hana, pasted).status == 201
    del pasted["zoom_url"]
    again = send(hana, pasted)
    assert again.status == 409 and again.field == "request_id"
    assert len(rest.creates) == 1


def test_another_teachers_student_or_request_makes_nothing(hana, join, rest):
    wish = wish_of(hana)
    ben = join("Ben")
    assert send(ben, wish).status == 404
    assert rest.creates == []
    assert send(hana, wish).status == 201
    assert send(ben, {**wish, "student_id": new_student(ben)}).status == 409
    assert len(rest.creates) == 1


def test_only_its_teacher_sees_the_start_link(connected, hana, boss):
    answer = send(hana, wish_of(hana))
    session_id = answer["session"]["id"]
    assert "SECRET-HOST-KEY" in answer["start_url"]
    for path in (
        "/api/admin/teacher-sessions",
        "/api/admin/teacher-sessions?format=csv",
        f"/api/admin/session-events?session_id={session_id}",
    ):
        assert "SECRET-HOST-KEY" not in boss.get(path).text
    assert "SECRET-HOST-KEY" not in hana.get("/api/teacher/sessions").text
    opened = connected.client().get(answer["join_url"].removeprefix(connected.url))
    assert "SECRET-HOST-KEY" not in f"{opened.headers}{opened.text}"


def test_a_start_link_is_not_handed_out_when_zoom_may_not_take_it_any_more(connected, hana, rest):
    """It lives for two hours from the meeting's making: then the host opens the join link."""
    fresh, old, late = (send(hana, wish_of(hana)) for _ in range(3))
    meetings = list(rest.meetings.values())
    connected.age(fresh["session"]["id"], "105 minutes")
    connected.age(old["session"]["id"], "111 minutes")
    # Sent by the repeat of a request whose meeting was made long before.
    connected.psql(
        "UPDATE zoom_creates SET asked_at = asked_at - interval '111 minutes'"
        f" WHERE request_id = (SELECT request_id FROM sessions WHERE id = {late['session']['id']})",
        "UPDATE zoom_creates c SET asked_at = sent_at FROM sessions s"
        f" WHERE s.request_id = c.request_id AND s.id IN ({fresh['session']['id']}, {old['session']['id']})",
    )
    links = [hana.get(f"/api/teacher/session?session_id={a['session']['id']}") for a in (fresh, old, late)]
    assert [link["start_url"] for link in links] == [
        meetings[0]["start_url"],
        meetings[1]["join_url"],
        meetings[2]["join_url"],
    ]


def test_says_that_meetings_can_be_made(app, hana, make_teacher):
    assert hana.get("/api/teacher/students")["meetings"] is True
    assert make_teacher().get("/api/teacher/students")["meetings"] is False


def test_without_the_settings_pasting_works(make_teacher, make_student):
    teacher = make_teacher()
    wish = {"student_id": make_student(teacher)["id"], "request_id": str(uuid.uuid4())}
    assert "not connected" in refused(teacher.post(SEND, wish), 400)
    assert teacher.post(SEND, {**wish, "zoom_url": ZOOM_URL}).status == 201


# ---------------------------------------------------------------- the token


def test_all_workers_share_one_token(hana, rest):
    wishes = [wish_of(hana) for _ in range(6)]
    answers = at_once(*[lambda w=w: send(hana, w) for w in wishes])
    assert [a.status for a in answers] == [201] * 6
    assert len(rest.tokens) == 1


def test_a_refused_token_is_fetched_anew_once(hana, rest):
    assert send(hana, wish_of(hana)).status == 201
    rest.plan = ["401"]
    assert send(hana, wish_of(hana)).status == 201
    assert rest.tokens == ["token-1", "nobody's", "token-3"]
    rest.plan = ["401", "401"]
    detail = refused(send(hana, wish_of(hana)), 503)
    assert "credentials" in detail or "app" in detail
    assert len(rest.called("POST", "/oauth/token")) == 3


def test_a_token_that_expires_is_fetched_anew(connected, hana, rest):
    assert send(hana, wish_of(hana)).status == 201
    connected.psql("UPDATE zoom_tokens SET expires_at = clock_now() + interval '59 seconds'")
    assert send(hana, wish_of(hana)).status == 201
    assert len(rest.tokens) == 2


def test_many_who_find_it_refused_fetch_one(connected, hana, rest):
    assert send(hana, wish_of(hana)).status == 201
    rest.tokens.append("of another program")
    wishes = [wish_of(hana) for _ in range(4)]
    answers = at_once(*[lambda w=w: send(hana, w) for w in wishes])
    assert [a.status for a in answers] == [201] * 4
    assert len(rest.called("POST", "/oauth/token")) == 2


def test_refused_credentials_are_not_tried_again_at_once(hana, rest):
    rest.oauth = "refused"
    for _ in range(3):
        refused(send(hana, wish_of(hana)), 503)
    assert len(rest.called("POST", "/oauth/token")) == 1


@pytest.mark.parametrize("oauth", ["down", "slow"])
def test_a_token_that_does_not_come_is_no_meeting(hana, rest, oauth):
    rest.oauth = oauth
    refused(send(hana, wish_of(hana)), 503)
    assert rest.creates == []


# ---------------------------------------------------------------- limits


@pytest.fixture(name="within_a_day")
def long_before_midnight():
    """Zoom's day, which is UTC's, does not end meanwhile."""
    wait_for(lambda: time.time() % 86400 < 86400 - 60, seconds=90)


def test_a_limit_by_the_second_is_waited_for(hana, rest):
    rest.plan = ["429"]
    assert send(hana, wish_of(hana)).status == 201
    assert len(rest.creates) == 2
    rest.plan = ["429", "429"]
    wish = wish_of(hana)
    refused(send(hana, wish), 503)
    assert len(rest.creates) == 4
    assert send(hana, wish).status == 201


def test_a_daily_limit_is_obeyed_until_it_ends(connected, hana, rest, within_a_day):
    rest.plan = ["429 daily"]
    wish = wish_of(hana)
    for _ in range(3):
        refused(send(hana, wish), 503)
    assert len(rest.creates) == 1
    until = connected.psql(
        "SELECT until BETWEEN date_trunc('day', now(), 'UTC') + interval '23 hours 59 minutes'"
        " AND date_trunc('day', now(), 'UTC') + interval '24 hours 5 minutes' FROM zoom_pauses"
    )
    assert until == "t"
    assert send(hana, {**wish, "zoom_url": ZOOM_URL}).status == 201


def test_a_users_daily_limit_is_that_users(connected, hana, rest, within_a_day):
    rest.plan = ["429 user"]
    for _ in range(2):
        refused(send(hana, wish_of(hana)), 503)
    assert len(rest.creates) == 1
    assert connected.psql("SELECT zoom_user FROM zoom_pauses") == hana.email


def test_a_hundred_a_day_are_counted_here(connected, hana, rest, within_a_day):
    connected.psql(
        "INSERT INTO zoom_creates (request_id, account_id, zoom_user, topic, minutes, asked_at)"
        f" SELECT gen_random_uuid(), {hana.id}, '{hana.email}', gen_random_uuid()::text, 60,"
        "  clock_now() FROM generate_series(1, 100)"
    )
    refused(send(hana, wish_of(hana)), 503)
    assert rest.creates == []
    connected.psql("UPDATE zoom_creates SET asked_at = asked_at - interval '1 day'")
    assert send(hana, wish_of(hana)).status == 201


# ---------------------------------------------------------------- failures

LOST = ["500", "reset", "slow", "cut", "html", "no json"]


@pytest.mark.parametrize("how", LOST)
def test_a_lost_answer_is_looked_for(hana, rest, how):
    rest.plan = [f"{how} made"]
    answer = send(hana, wish_of(hana))
    assert answer.status == 201, answer
    (meeting,) = rest.meetings.values()
    assert answer["start_url"] == meeting["start_url"]
    assert len(rest.creates) == 1 and len(rest.called("GET", "/v2/users/.*")) == 1


@pytest.mark.parametrize("how", LOST)
def test_what_was_not_made_is_made_by_the_repeat(hana, rest, how):
    rest.plan = [how]
    wish = wish_of(hana)
    assert "try again" in refused(send(hana, wish), 503)
    assert send(hana, wish).status == 201
    assert len(rest.meetings) == 1 and len(rest.creates) == 2


def test_one_that_was_made_while_nobody_could_look_is_found_by_the_repeat(connected, hana, rest):
    rest.plan, rest.lists = ["reset made"], ["500"]
    wish = wish_of(hana)
    refused(send(hana, wish), 503)
    refused(send(hana, wish), 503)  # Zoom is left alone for a moment
    connected.psql("DELETE FROM zoom_pauses")
    assert send(hana, wish).status == 201
    assert len(rest.meetings) == len(rest.creates) == 1


@pytest.mark.parametrize("how, words", [("404", "knows nobody"), ("400", "code 300")])
def test_a_refusal_says_what_to_do(hana, rest, how, words):
    rest.plan = [how]
    wish = wish_of(hana)
    assert words in refused(send(hana, wish), 409)
    assert send(hana, {**wish, "zoom_url": ZOOM_URL}).status == 201


def test_a_link_that_leads_elsewhere_is_not_sent(hana, rest):
    rest.plan = ["evil"]
    refused(send(hana, wish_of(hana)), 503)


def test_a_meeting_that_cannot_be_used_is_found_and_not_made_again(hana, rest):
    rest.plan = ["evil"]
    wish = wish_of(hana)
    for _ in range(3):
        assert "cannot be sent" in refused(send(hana, wish), 503)
    assert len(rest.creates) == 1
    (meeting,) = rest.meetings.values()
    meeting["id"] = 7  # no id of a meeting
    assert "cannot be sent" in refused(send(hana, wish), 503)
    assert len(rest.creates) == 1
    assert send(hana, {**wish, "zoom_url": ZOOM_URL}).status == 201


def test_a_worker_that_dies_meanwhile_loses_nothing(connected, hana, rest):
    rest.plan = ["slow made"]
    wish = wish_of(hana)

    def die():
        assert rest.made.wait(60)
        parent = connected.pid("teacher_send_link")
        workers = open(f"/proc/{parent}/task/{parent}/children").read().split()
        for worker in workers:
            os.kill(int(worker), signal.SIGKILL)

    first, _ = at_once(lambda: send(hana, wish), die)
    assert first.status == 503, first
    connected.psql("UPDATE zoom_creates SET leased_until = clock_now()")  # as if 25 seconds were over
    deadline = time.monotonic() + 60
    while (answer := send(hana, wish)).status == 503 and time.monotonic() < deadline:
        pass
    assert answer.status == 201, answer
    assert len(rest.meetings) == len(rest.creates) == 1
