"""The message with the link: what it says, and what becomes of it whatever Telegram does."""

import concurrent.futures
import re
import threading
import uuid

import pytest

import telegram as tg
from academy import Psql, at_once, hash_of
from telegram import new_chat, until
from telegram_app import FIXTURES

app, admin, make_teacher, make_student, telegram, updates, pair = FIXTURES


def log_of(app, session_id):
    return app.rows(
        "SELECT d.state, d.outcome, d.status, d.attempt FROM deliveries d JOIN messages m"
        f" ON m.id = d.message_id WHERE m.session_id = {session_id} ORDER BY d.id"
    )


def delivery_of(teacher, session_id):
    sessions = teacher.get("/api/teacher/sessions").json["sessions"]
    return next((s["delivery"], s["delivery_detail"]) for s in sessions if s["id"] == session_id)


def run_job(app, status=0):
    done = app.job("telegram-outbox")
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def counts(line):
    return {word: int(n) for n, word in re.findall(r"(\d+) (sent|unknown|failed|queued|dropped)", line)}


# ---------------------------------------------------------------- what arrives


def test_the_button_that_arrives_starts_the_class(app, telegram, pair, send, nobody):
    teacher, student, chat = pair(name="Amina")
    sent = send(teacher, student)
    assert (sent["delivery"], sent["delivery_outcome"], sent["delivery_detail"]) == ("sent", None, None)
    assert sent["session"]["delivery"] == "sent"
    (message,) = telegram.shown(chat)
    assert message.url == sent["join_url"]
    target = message.url.removeprefix(app.url)
    opened = nobody.get(target, headers={"Origin": None, "Sec-Fetch-Site": None, "User-Agent": "Mozilla/5.0"})
    assert opened.status == 302
    assert app.session(sent["session"]["id"])["session_status"] == "active"


def test_the_link_stands_in_the_button_alone(telegram, pair, send):
    teacher, student, chat = pair(name="Amina")
    sent = send(teacher, student)
    (message,) = telegram.shown(chat)
    assert set(message.params) == {
        "chat_id",
        "text",
        "protect_content",
        "link_preview_options",
        "reply_markup",
    }
    assert message.params["protect_content"] is True
    assert message.params["link_preview_options"] == {"is_disabled": True}
    assert "http" not in message.text and "://" not in message.text
    (button,) = message.buttons
    assert button == {"text": "Join the class", "url": sent["join_url"]}
    assert message.token == tg.TOKEN and message.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "language, says, button",
    [
        ("en", "your class with", "Join the class"),
        ("ar", "حصتك مع", "ادخل الحصة"),
        ("ar-EG", "حصتك مع", "ادخل الحصة"),
        ("am", "ዝግጁ", "ወደ ክፍሉ ይግቡ"),
        ("fr", "your class with", "Join the class"),
        ("arc", "your class with", "Join the class"),
    ],
)
def test_it_speaks_the_students_language(telegram, pair, send, language, says, button):
    teacher, student, chat = pair(name="Sara", language=language)
    send(teacher, student)
    (message,) = telegram.shown(chat)
    assert says in message.text and "Sara" in message.text and teacher.name in message.text
    assert message.buttons[0]["text"] == button


def test_names_neither_turn_the_text_around_nor_become_links(telegram, make_teacher, make_student, send):
    teacher = make_teacher("evil.example/x @admin")
    student = make_student(teacher, name="A\u202eB\u2066C\u200fD <b>&amp; *_", telegram_chat_id=new_chat())
    send(teacher, student)
    (message,) = telegram.shown(student["telegram_chat_id"])
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]", message.text)
    assert "ABCD <b>&amp; *_" in message.text  # plain text: nothing is markup, nothing is escaped
    assert "evil.example" not in message.text and "@admin" not in message.text
    assert "parse_mode" not in message.params


def test_without_a_chat_there_is_no_message(app, telegram, make_teacher, make_student, send):
    teacher = make_teacher()
    sent = send(teacher, make_student(teacher))
    assert (sent["delivery"], sent["delivery_detail"]) == ("none", None)
    assert not telegram.sent()
    assert not app.rows(f"SELECT FROM messages WHERE session_id = {sent['session']['id']}")


def test_a_repeated_request_sends_one_message(telegram, pair, send):
    teacher, student, chat = pair()
    request_id = str(uuid.uuid4())
    first = send(teacher, student, request_id=request_id)
    again = send(teacher, student, request_id=request_id)
    assert again == first and first["delivery"] == "sent"
    assert len(telegram.sent(chat)) == 1


def test_a_double_tap_sends_one_message_and_both_answers_say_so(telegram, pair, send):
    teacher, student, chat = pair()
    telegram.will(tg.after(0.5))
    request_id = str(uuid.uuid4())
    tabs = [teacher.client.fork() for _ in range(3)]
    answers = at_once(*(lambda tab=tab: send(tab, student, request_id=request_id) for tab in tabs))
    assert [a["delivery"] for a in answers] == ["sent"] * 3
    assert len(telegram.sent(chat)) == 1


def test_a_new_link_is_a_new_message(app, telegram, pair, send):
    teacher, student, chat = pair()
    first = send(teacher, student)
    second = send(teacher, student)
    assert second["join_url"] != first["join_url"]
    run_job(app)  # where the machine was too slow to wait for its turn
    assert [m.url for m in telegram.shown(chat)] == [first["join_url"], second["join_url"]]
    first_at, second_at = (m.at for m in telegram.sent(chat))
    assert second_at - first_at >= 0.99  # one chat, one message a second


def test_the_evidence_tells_of_the_delivery(app, telegram, pair, send):
    teacher, student, _ = pair()
    sent = send(teacher, student)
    kinds = [(e["kind"], e["source"], e["detail"]) for e in app.evidence(sent["session"]["id"])]
    assert ("delivery", "telegram", {"state": "sent", "outcome": "sent"}) in kinds


# ---------------------------------------------------------------- every row of Telegram's errors

FINAL = [
    (tg.error(403, "Forbidden: bot was blocked by the user"), "blocked", "has blocked the bot"),
    (tg.error(403, "Forbidden: user is deactivated"), "deactivated", "account is gone"),
    (
        tg.error(403, "Forbidden: bot can't initiate conversation with a user"),
        "never_started",
        "never opened the bot",
    ),
    (tg.error(403, "Forbidden: bot was kicked from the group chat"), "left_group", "group"),
    (tg.error(403, "Forbidden: bot was kicked from the supergroup chat"), "left_group", "group"),
    (tg.error(403, "Forbidden: bot is not a member of the supergroup chat"), "left_group", "group"),
    (tg.error(403, "Forbidden: the group chat was deleted"), "left_group", "group"),
    (tg.error(403, "Forbidden: something new"), "forbidden", "does not let the bot write"),
    (tg.error(400, "Bad Request: chat not found"), "no_chat", "does not know this chat"),
]


@pytest.mark.parametrize("answer, outcome, words", FINAL, ids=[f"{n}-{row[1]}" for n, row in enumerate(FINAL)])
def test_a_dead_chat_is_told_and_left_alone(app, telegram, pair, send, answer, outcome, words):
    teacher, student, chat = pair()
    telegram.will(answer)
    sent = send(teacher, student)
    assert (sent["delivery"], sent["delivery_outcome"]) == ("failed", outcome) and words in sent["delivery_detail"]
    assert delivery_of(teacher, sent["session"]["id"]) == ("failed", sent["delivery_detail"])
    assert [row["outcome"] for row in log_of(app, sent["session"]["id"])] == [outcome]
    run_job(app)
    again = send(teacher, student)  # Telegram would take it; the chat is not tried again
    assert again["delivery"] == "failed" and words in again["delivery_detail"]
    run_job(app)
    assert len(telegram.sent(chat)) == 1


def test_what_did_not_arrive_needs_attention_until_the_class_is_opened(app, admin, telegram, pair, send, nobody):
    def undelivered():
        items = admin.get("/api/admin/attention?kind=undelivered")["items"]
        return [item["detail"] for item in items if item["session_id"] == sent["session"]["id"]]

    telegram.will(tg.error(403, "Forbidden: bot was blocked by the user"))
    sent = send(*pair()[:2])
    assert undelivered() == [sent["delivery_detail"]]
    opened = nobody.get(sent["join_url"].removeprefix(app.url), headers={"User-Agent": "Mozilla/5.0"})
    assert opened.status == 302 and undelivered() == []


OURS = [
    (tg.error(400, "Bad Request: chat_id is empty"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: message text is empty"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: message is too long"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: reply markup is too long"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: can't parse entities: x"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: USER_IS_BOT"), "refused", "refused the message"),
    (
        tg.error(
            400,
            "Bad Request: inline keyboard button URL 'http://localhost/api' is invalid: Wrong HTTP URL",
        ),
        "bad_url",
        "BASE_URL",
    ),
    (tg.error(409, "Conflict: terminated by other getUpdates request"), "refused", "refused the message"),
    (
        tg.error(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ),
        "refused",
        "refused the message",
    ),
    (tg.error(400, "Bad Request: message is not modified: x"), "refused", "refused the message"),
    (tg.error(400, "Bad Request: message to edit not found"), "refused", "refused the message"),
    (
        tg.error(400, "Bad Request: query is too old and response timeout expired or query ID is invalid"),
        "refused",
        "refused the message",
    ),
]


@pytest.mark.parametrize("answer, outcome, words", OURS, ids=[f"{n}-{row[1]}" for n, row in enumerate(OURS)])
def test_a_refusal_fails_this_message_alone(app, telegram, pair, send, answer, outcome, words):
    teacher, student, chat = pair()
    telegram.will(answer)
    sent = send(teacher, student)
    assert (sent["delivery"], sent["delivery_outcome"]) == ("failed", outcome) and words in sent["delivery_detail"]
    run_job(app)
    assert len(telegram.sent(chat)) == 1
    tg.forget_pace(app)
    assert send(teacher, student)["delivery"] == "sent"


@pytest.mark.parametrize(
    "answer", [tg.error(401, "Unauthorized"), tg.error(404, "Not Found"), tg.error(404, "Not Found: method not found")]
)
def test_a_bad_token_stops_the_sender_and_loses_nothing(app, telegram, pair, send, clock, answer):
    pairs = [pair() for _ in range(3)]
    telegram.will_always(answer)
    sent = [send(teacher, student) for teacher, student, _ in pairs]
    assert {s["delivery"] for s in sent} == {"queued"}
    assert all("token is wrong" in s["delivery_detail"] for s in sent)
    clock.move("2 minutes")
    before = len(telegram.sent())
    done = app.job("telegram-outbox")
    assert done.returncode == 1 and "TELEGRAM_BOT_TOKEN" in done.stderr
    assert len(telegram.sent()) == before + 1  # alarm, and stop
    telegram.forget()
    clock.move("4 minutes")
    assert counts(run_job(app))["sent"] == 3
    assert [[m.url for m in telegram.shown(chat)] for _, _, chat in pairs] == [[s["join_url"]] for s in sent]


# ---------------------------------------------------------------- asked to wait


def test_a_wait_is_obeyed_to_the_second_and_never_shortened(app, telegram, pair, send):
    teacher, student, chat = pair()
    telegram.will(tg.wait(3))
    sent = send(teacher, student)
    assert sent["delivery"] == "queued" and "asks us to wait" in sent["delivery_detail"]
    planned = app.psql(f"SELECT next_at - changed_at FROM messages WHERE session_id = {sent['session']['id']}")
    assert planned == "00:00:03"
    assert counts(run_job(app)) == {"sent": 1, "unknown": 0, "failed": 0, "queued": 0, "dropped": 0}
    first, second = telegram.sent(chat)
    assert second.at - first.at >= 3
    assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)


def test_an_overloaded_telegram_that_asks_for_silence_late_gets_it(app, telegram, pair, send, clock):
    """It answers after three seconds: too late for the teacher, in time for the job."""
    teacher, student, chat = pair()
    telegram.will_always(tg.after(3, tg.wait(60)))
    assert send(teacher, student)["delivery"] == "unknown"
    clock.move("1 minute")
    assert counts(run_job(app))["unknown"] == 1
    clock.move("100 seconds")
    run_job(app)
    assert len(telegram.sent(chat)) == 2
    telegram.forget()
    clock.move("130 seconds")
    assert counts(run_job(app))["sent"] == 1


def end_of_silence(app, clock):
    """The clock stands still ten seconds before it: twice as long as a run would wait for it."""
    clock.stop(app.psql("SELECT hold_until - interval '10 seconds' FROM telegram_bots"))


def test_a_wait_silences_the_bot_in_every_chat(app, telegram, pair, send, clock):
    one, two = pair(), pair()
    telegram.will(tg.wait(3600))
    assert send(*one[:2])["delivery"] == "queued"
    assert send(*two[:2])["delivery"] == "queued"
    run_job(app)
    end_of_silence(app, clock)
    run_job(app)
    assert len(telegram.sent()) == 1
    clock.move("3605 seconds")
    assert counts(run_job(app))["sent"] == 2
    assert len(telegram.shown(one[2])) == len(telegram.shown(two[2])) == 1


@pytest.mark.parametrize(
    "answer",
    [
        tg.error(429, "Too Many Requests: retry after 600"),
        tg.error(429, "Too Many Requests: retry after 5", retry_after=600),
    ],
    ids=["in words alone", "the number counts"],
)
def test_a_wait_is_understood_in_every_form(app, telegram, pair, send, clock, answer):
    teacher, student, chat = pair()
    telegram.will(answer)
    send(teacher, student)
    end_of_silence(app, clock)
    run_job(app)
    assert len(telegram.sent(chat)) == 1
    clock.move("601 seconds")
    run_job(app)
    assert len(telegram.sent(chat)) == 2


# ---------------------------------------------------------------- not known


UNKNOWN = {
    "cut": tg.cut,
    "reset": tg.reset,
    "lost": tg.lost,
    "500": tg.error(500, "Internal Server Error: restart"),
    "502 page": tg.page(502),
    "200 page": tg.page(200),
    "403 page": tg.page(403),
    "no ok": lambda handler, call: tg._json(handler, 500, {"message": "Route not found"}),
    "ok is text": lambda handler, call: tg._json(handler, 200, {"ok": "true"}),
    "slow": tg.after(4),
}


@pytest.mark.parametrize("fault", UNKNOWN)
def test_what_is_not_known_is_shown_so_and_sent_again_with_the_same_link(app, telegram, pair, send, clock, fault):
    teacher, student, chat = pair()
    telegram.will(UNKNOWN[fault])
    sent = send(teacher, student)  # that it does not wait: the slow one would have been sent
    assert sent["delivery"] == "unknown" and "may have arrived" in sent["delivery_detail"]
    assert delivery_of(teacher, sent["session"]["id"])[0] == "unknown"
    clock.stop(app.psql(f"SELECT changed_at FROM messages WHERE session_id = {sent['session']['id']}"))
    run_job(app)  # not at once
    assert len(telegram.sent(chat)) == 1
    clock.move("1 minute")
    assert counts(run_job(app))["sent"] == 1
    assert [m.url for m in telegram.sent(chat)] == [sent["join_url"]] * 2
    assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)
    assert [row["state"] for row in log_of(app, sent["session"]["id"])] == ["unknown", "sent"]


def test_once_in_doubt_a_message_stays_so_until_it_is_confirmed(app, telegram, pair, send, clock):
    teacher, student, _ = pair()
    telegram.will(tg.reset, tg.wait(30))
    sent = send(teacher, student)
    clock.move("1 minute")
    assert counts(run_job(app))["unknown"] == 1
    assert delivery_of(teacher, sent["session"]["id"])[0] == "unknown"
    clock.move("3 minutes")
    assert counts(run_job(app))["sent"] == 1


def test_a_message_in_doubt_is_given_up_when_the_class_is_open(app, telegram, pair, send, clock, nobody):
    teacher, student, chat = pair()
    telegram.will(tg.reset)
    sent = send(teacher, student)
    opened = nobody.get(sent["join_url"].removeprefix(app.url), headers={"User-Agent": "Mozilla/5.0"})
    assert opened.status == 302
    clock.move("1 minute")
    assert counts(run_job(app))["dropped"] == 1
    assert len(telegram.sent(chat)) == 1
    assert delivery_of(teacher, sent["session"]["id"])[0] == "unknown"


def test_when_telegram_cannot_be_reached_nothing_is_in_doubt(app, telegram, pair, send, clock):
    teacher, student, chat = pair()
    telegram.down()
    sent = send(teacher, student)
    assert sent["delivery"] == "queued" and "cannot be reached" in sent["delivery_detail"]
    clock.move("1 minute")
    assert counts(run_job(app))["queued"] == 1
    telegram.up()
    clock.move("5 minutes")
    assert counts(run_job(app))["sent"] == 1
    assert len(telegram.sent(chat)) == 1


def test_when_telegram_is_silent_a_run_ends_soon(app, telegram, pair, send, clock):
    telegram.down()
    for _ in range(6):
        send(*pair()[:2])
    clock.move("1 minute")
    assert counts(run_job(app))["queued"] == 3
    telegram.up()
    clock.move("10 minutes")
    assert counts(run_job(app))["sent"] == 6


def test_the_pause_grows_and_keeps_moving(app, telegram, pair, send):
    teacher, student, _ = pair()
    telegram.will_always(tg.page(502))
    sent = send(teacher, student)["session"]["id"]
    pauses = []
    for _ in range(9):
        pauses.append(
            float(app.psql(f"SELECT extract(epoch FROM next_at - changed_at) FROM messages WHERE session_id = {sent}"))
        )
        app.psql(f"UPDATE messages SET next_at = clock_now() WHERE session_id = {sent}")
        tg.forget_pace(app)
        until(lambda: counts(run_job(app))["unknown"] == 1)
    for n, pause in enumerate(pauses):
        base = min(15 * 2**n, 900)
        assert 0.75 * base - 1 <= pause <= 1.25 * base + 1, pauses
    assert len(set(pauses)) == len(pauses)


# ---------------------------------------------------------------- groups that move


def test_a_group_that_moved_is_followed_once_and_remembered(app, telegram, pair, send):
    old, new = -new_chat(), -1_000_000_000_000 - new_chat()
    teacher, student, _ = pair(telegram_chat_id=old)
    moved = tg.error(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new)
    telegram.will_always(moved, chat_id=old)
    sent = send(teacher, student)
    assert sent["delivery"] == "sent"
    assert len(telegram.sent(old)) == 1 and [m.url for m in telegram.shown(new)] == [sent["join_url"]]
    assert app.row(f"SELECT telegram_chat_id AS id FROM students WHERE id = {student['id']}")["id"] == new
    tg.forget_pace(app)
    assert send(teacher, student)["delivery"] == "sent"
    assert len(telegram.sent(old)) == 1


def test_groups_that_point_at_each_other_are_no_circle(app, telegram, pair, send):
    one, two = -new_chat(), -1_000_000_000_000 - new_chat()
    teacher, student, _ = pair(telegram_chat_id=one)
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    telegram.will_always(tg.error(400, words, migrate_to_chat_id=two), chat_id=one)
    telegram.will_always(tg.error(400, words, migrate_to_chat_id=one), chat_id=two)
    assert send(teacher, student)["delivery"] == "failed"
    assert (len(telegram.sent(one)), len(telegram.sent(two))) == (1, 1)


# ---------------------------------------------------------------- another chat, or none


def change(admin, student, **fields):
    changed = admin.patch("/api/admin/students", {"id": student["id"], **fields})
    assert changed.status == 200, changed
    return changed


def links(telegram, chat):
    return [m.url for m in telegram.shown(chat) if "reply_markup" in m.params]


GONE = {
    "unlinked": ({"telegram_chat_id": None}, "chat was removed"),
    "disabled": ({"disabled": True}, "was disabled"),
}


@pytest.fixture(params=["queued", "unknown", "failed"])
def waiting(request, telegram, pair, send):
    """A link that has not arrived: who sent it to whom, the old chat, and what send-link answered."""
    teacher, student, chat = pair()
    answers = {"unknown": tg.lost, "failed": tg.error(400, "Bad Request: x")}
    if request.param == "queued":
        telegram.down()
    else:
        telegram.will(answers[request.param])
    sent = send(teacher, student)
    telegram.forget()
    assert sent["delivery"] == request.param
    return teacher, student, chat, sent


def test_a_link_that_waits_follows_the_student_to_another_chat(app, admin, telegram, clock, waiting):
    teacher, student, old, sent = waiting
    new = new_chat()
    change(admin, student, telegram_chat_id=new)
    clock.move("1 minute")
    assert counts(run_job(app))["sent"] == 1
    assert (links(telegram, old), links(telegram, new)) == ([], [sent["join_url"]])
    assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)


@pytest.mark.parametrize("why", GONE)
def test_a_link_that_waits_is_not_sent_to_a_chat_that_was_taken_away(
    app, admin, telegram, updates, clock, waiting, why
):
    teacher, student, old, sent = waiting
    wish, words = GONE[why]
    change(admin, student, **wish)
    state, detail = delivery_of(teacher, sent["session"]["id"])
    if sent["delivery"] == "failed":
        assert (state, detail) == ("failed", sent["delivery_detail"])  # as it was
    else:
        assert state == ("failed" if sent["delivery"] == "queued" else "unknown") and words in detail
        (*_, last) = log_of(app, sent["session"]["id"])
        assert (last["state"], last["outcome"]) == (state, why)
    clock.move("1 minute")
    run_job(app)
    updates.start(old)
    updates.membership(old, "member")
    clock.move("2 minutes")
    run_job(app)
    assert links(telegram, old) == []
    # What was taken away comes back, and with it the link, unless it had failed there before.
    change(admin, student, telegram_chat_id=old, disabled=False)
    clock.move("3 minutes")
    run_job(app)
    failed = sent["delivery"] == "failed"
    assert links(telegram, old) == ([] if failed else [sent["join_url"]])
    assert delivery_of(teacher, sent["session"]["id"])[0] == ("failed" if failed else "sent")


def test_a_link_that_was_sent_stays_as_it_is(app, admin, telegram, pair, send, clock):
    teacher, student, chat = pair()
    sent, new = send(teacher, student), new_chat()
    assert sent["delivery"] == "sent"
    for wish in ({"telegram_chat_id": new}, {"telegram_chat_id": None}, {"telegram_chat_id": new, "disabled": True}):
        change(admin, student, **wish)
        clock.move("1 minute")
        run_job(app)
        assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)
    assert (len(telegram.sent(chat)), len(telegram.sent(new))) == (1, 0)


def once(app, student, condition, then):
    """Telegram answers when this has become of the student."""

    def answer(handler, call):
        until(lambda: app.rows(f"SELECT FROM students WHERE id = {student['id']} AND {condition}"))
        then(handler, call)

    return answer


def ok_once(app, student, chat):
    """Telegram takes the message, and says so when the student's chat is another."""
    return once(app, student, f"telegram_chat_id = {chat}", tg.ok)


def code_for(admin, student):
    return admin.post("/api/admin/student-link", {"student_id": student["id"]})["url"].split("start=")[1]


@pytest.mark.parametrize("why", [None, "unlinked", "disabled"])
def test_a_link_on_its_way_when_the_chat_changes_does_not_go_there_again(
    app, admin, telegram, pair, send, clock, why
):
    """Telegram has not taken it: what was asked for meanwhile counts from then on."""
    teacher, student, old = pair()
    new = new_chat()
    changed = {None: f"telegram_chat_id = {new}", "unlinked": "telegram_chat_id IS NULL"}
    telegram.will(once(app, student, changed.get(why, "disabled_at IS NOT NULL"), tg.wait(1)))

    def change_meanwhile():
        until(lambda: telegram.sent(old))
        change(admin, student, **(GONE[why][0] if why else {"telegram_chat_id": new}))

    sent, _ = at_once(lambda: send(teacher, student), change_meanwhile)
    assert sent["delivery"] == "queued"
    clock.move("1 minute")
    run_job(app)
    assert links(telegram, old) == []
    assert links(telegram, new) == ([] if why else [sent["join_url"]])
    state, detail = delivery_of(teacher, sent["session"]["id"])
    assert state == "failed" and GONE[why][1] in detail if why else state == "sent"


@pytest.mark.parametrize(
    "answer", [tg.error(400, "Bad Request: x"), tg.error(403, "Forbidden: bot was blocked by the user")]
)
@pytest.mark.parametrize("whose", ["admin", "student"])
def test_a_link_that_is_refused_where_its_student_was_goes_to_the_chat_of_now(
    app, admin, telegram, updates, pair, send, clock, answer, whose
):
    teacher, student, old = pair()
    new = new_chat()
    code = code_for(admin, student)
    telegram.will(once(app, student, f"telegram_chat_id = {new}", answer))

    def change_meanwhile():
        until(lambda: telegram.sent(old))
        if whose == "admin":
            change(admin, student, telegram_chat_id=new)
        else:
            updates.start(new, code)

    sent, _ = at_once(lambda: send(teacher, student), change_meanwhile)
    assert sent["delivery"] == "queued"
    clock.move("1 minute")
    run_job(app)
    assert (links(telegram, old), links(telegram, new)) == ([], [sent["join_url"]])
    assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)
    assert [row["state"] for row in log_of(app, sent["session"]["id"])] == ["failed", "sent"]


@pytest.mark.parametrize("whose", ["admin", "student"])
def test_a_link_that_arrives_where_its_student_was_goes_to_the_chat_that_they_link_meanwhile(
    app, admin, telegram, updates, pair, send, clock, whose
):
    teacher, student, old = pair()
    new, code = new_chat(), code_for(admin, student)
    telegram.will(ok_once(app, student, new))

    def change_meanwhile():
        until(lambda: telegram.sent(old))
        if whose == "admin":
            change(admin, student, telegram_chat_id=new)
        else:
            updates.start(new, code)

    sent, _ = at_once(lambda: send(teacher, student), change_meanwhile)
    follows = whose == "student"
    assert sent["delivery"] == ("queued" if follows else "sent")
    clock.move("1 minute")
    run_job(app)
    assert (links(telegram, old), links(telegram, new)) == ([sent["join_url"]], [sent["join_url"]] * follows)
    assert delivery_of(teacher, sent["session"]["id"]) == ("sent", None)
    assert [row["state"] for row in log_of(app, sent["session"]["id"])] == ["sent"] * (1 + follows)


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def test_a_link_is_taken_for_the_chat_of_before_while_another_is_linked(
    app, admin, telegram, updates, pair, send, clock
):
    """The code counts already, and what waits has not been moved yet."""
    teacher, student, old = pair()
    *another, door = pair()  # whose message comes first: by then the job is there, which takes its time to start
    new = new_chat()
    code, held = code_for(admin, student), code_for(admin, student)
    telegram.down()
    first, sent = send(*another), send(teacher, student)
    telegram.up()
    is_linking = threading.Event()

    def ok_then(handler, call):
        assert is_linking.wait(20)
        tg.ok(handler, call)

    telegram.will_always(ok_then, chat_id=door)
    telegram.will_always(ok_once(app, student, new), chat_id=old)
    app.psql(f"UPDATE messages SET next_at = next_at - interval '1 minute' WHERE session_id = {first['session']['id']}")
    clock.move("1 minute")
    other = Psql(app)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        other.run("SELECT 1")
        other.send("BEGIN;\n")
        other.run(f"SELECT FROM chat_codes WHERE code_hash = {hash_of(held)} FOR UPDATE")  # voided with the other
        job = pool.submit(run_job, app)
        until(lambda: job.done() or telegram.sent(door))
        linking = pool.submit(updates.start, new, code)
        until(lambda: linking.done() or app.psql(WAITING) == "1")
        is_linking.set()
        until(lambda: job.done() or telegram.sent(old))
        other.run("COMMIT")
        other.close()
    assert linking.result() and job.result()
    assert (links(telegram, old), links(telegram, new)) == ([sent["join_url"]], [sent["join_url"]])


def test_a_chat_that_is_linked_as_the_arrival_is_noted_is_heeded(app, admin, telegram, updates, pair, send, clock):
    """Who links it has left the link on its way alone, and has not committed yet."""
    teacher, student, old = pair()
    new, code = new_chat(), code_for(admin, student)
    is_linking = threading.Event()

    def ok_then(handler, call):
        assert is_linking.wait(20)
        tg.ok(handler, call)

    telegram.will(ok_then)
    other = Psql(app)
    other.run("SELECT 1")
    other.send("BEGIN;\n")
    other.run(f"INSERT INTO telegram_chats (chat_id) VALUES ({new})")  # which linking comes to last
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sending = pool.submit(send, teacher, student)
        until(lambda: telegram.sent(old))
        linking = pool.submit(updates.start, new, code)
        until(lambda: linking.done() or app.psql(WAITING) == "1")
        is_linking.set()
        until(lambda: sending.done() or app.psql(WAITING) == "2")
        other.run("COMMIT")
        other.close()
    assert linking.result() and sending.result()["delivery"] == "queued"
    clock.move("1 minute")
    run_job(app)
    url = sending.result()["join_url"]
    assert (links(telegram, old), links(telegram, new)) == ([url], [url])


def test_a_chat_that_changes_as_the_refusal_is_noted_is_heeded(app, telegram, pair, send, clock):
    """Who changes it has left the link on its way alone, and has not committed yet."""
    teacher, student, old = pair()
    new = new_chat()
    is_changing = threading.Event()

    def refuse(handler, call):
        assert is_changing.wait(20)
        tg.error(400, "Bad Request: x")(handler, call)

    telegram.will(refuse)
    other = Psql(app)
    other.run("SELECT 1")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sending = pool.submit(send, teacher, student)
        until(lambda: telegram.sent(old))
        other.send("BEGIN;\n")
        other.run(f"UPDATE students SET telegram_chat_id = {new} WHERE id = {student['id']}")
        is_changing.set()
        until(lambda: sending.done() or app.psql(WAITING) == "1")
        other.run("COMMIT")
        other.close()
    assert sending.result()["delivery"] == "queued"
    clock.move("1 minute")
    run_job(app)
    assert (links(telegram, old), links(telegram, new)) == ([], [sending.result()["join_url"]])


@pytest.mark.parametrize("why", [None, "unlinked"])
def test_a_dead_senders_link_does_not_go_to_the_chat_of_before(app, admin, telegram, pair, send, clock, why):
    teacher, student, old = pair()
    new = new_chat()
    telegram.down()
    sent = send(teacher, student)
    telegram.up()
    app.psql(
        "UPDATE messages SET state = 'sending', next_at = clock_now() + interval '20 s'"
        f" WHERE session_id = {sent['session']['id']}"
    )
    change(admin, student, telegram_chat_id=None if why else new)
    clock.move("1 minute")
    run_job(app)
    assert links(telegram, old) == []
    assert links(telegram, new) == ([] if why else [sent["join_url"]])
    log = [(row["state"], row["outcome"]) for row in log_of(app, sent["session"]["id"])]
    assert log[1:] == ([("unknown", "unlinked")] if why else [("unknown", "interrupted"), ("sent", "sent")])


def test_what_else_changes_about_a_student_repeats_nothing(app, admin, telegram, pair, send, clock):
    teacher, student, chat = pair()
    telegram.will(tg.error(400, "Bad Request: x"))
    sent = send(teacher, student)
    change(admin, student, name="Another", telegram_chat_id=chat, disabled=False)
    clock.move("1 minute")
    run_job(app)
    assert len(telegram.sent(chat)) == 1
    assert delivery_of(teacher, sent["session"]["id"]) == ("failed", sent["delivery_detail"])


def test_a_link_that_follows_into_a_dead_chat_has_failed(app, admin, telegram, updates, pair, send, clock):
    teacher, student, _ = pair()
    dead = new_chat()
    updates.membership(dead, "kicked")
    telegram.down()
    sent = send(teacher, student)
    telegram.up()
    change(admin, student, telegram_chat_id=dead)
    state, detail = delivery_of(teacher, sent["session"]["id"])
    assert state == "failed" and "blocked the bot" in detail
    updates.membership(dead, "member")
    clock.move("1 minute")
    run_job(app)
    assert links(telegram, dead) == [sent["join_url"]]


def test_a_siblings_link_stays_in_the_chat(app, admin, telegram, pair, make_student, send, clock):
    teacher, student, chat = pair()
    sibling = make_student(teacher, telegram_chat_id=chat)
    telegram.down()
    sent, other = send(teacher, student), send(teacher, sibling)
    telegram.up()
    change(admin, student, telegram_chat_id=None)
    clock.move("1 minute")
    run_job(app)
    assert links(telegram, chat) == [other["join_url"]]
    assert delivery_of(teacher, sent["session"]["id"])[0] == "failed"


# ---------------------------------------------------------------- order and pace


def test_messages_of_a_chat_keep_their_order(app, telegram, make_teacher, make_student, send, clock):
    chat = new_chat()
    classes = []
    telegram.will(tg.wait(60))
    for _ in range(3):
        teacher = make_teacher()
        classes.append(send(teacher, make_student(teacher, telegram_chat_id=chat)))
    assert [c["delivery"] for c in classes] == ["queued"] * 3
    app.psql("UPDATE telegram_bots SET hold_until = NULL", "UPDATE telegram_chats SET hold_until = NULL")
    later = send(*_sibling(make_teacher, make_student, chat))
    assert later["delivery"] == "queued"  # the first is not due, and nobody overtakes it
    clock.move("61 seconds")
    run_job(app)
    urls = [c["join_url"] for c in [*classes, later]]
    assert [m.url for m in telegram.shown(chat)] == urls
    times = [m.at for m in telegram.shown(chat)]
    assert all(b - a >= 0.99 for a, b in zip(times, times[1:]))


def _sibling(make_teacher, make_student, chat):
    teacher = make_teacher()
    return teacher, make_student(teacher, telegram_chat_id=chat)


def test_two_runs_at_once_send_each_message_once(app, telegram, pair, send, clock):
    telegram.down()
    sent = [(send(*p[:2]), p[2]) for p in [pair() for _ in range(12)]]
    telegram.up()
    clock.move("1 minute")
    telegram.will_always(tg.after(0.05))
    lines = at_once(*[lambda: run_job(app)] * 3)
    assert sum(counts(line)["sent"] for line in lines) == 12
    for answer, chat in sent:
        assert [m.url for m in telegram.sent(chat)] == [answer["join_url"]]


def test_a_run_stays_under_telegrams_rate(app, telegram, pair, send, clock):
    telegram.down()
    for _ in range(40):
        send(*pair()[:2])
    telegram.up()
    clock.move("1 minute")
    assert counts(run_job(app))["sent"] == 40
    times = [m.at for m in telegram.sent()]
    assert times[-1] - times[0] >= 39 * 0.040 - 0.05


def test_a_link_that_is_not_needed_any_more_is_not_sent(app, telegram, pair, send, clock):
    telegram.down()
    superseded, cancelled, late = pair(), pair(), pair()
    old = send(*superseded[:2])
    new = send(*superseded[:2])
    gone = send(*cancelled[:2])["session"]["id"]
    over = send(*late[:2])["session"]["id"]
    answer = cancelled[0].post("/api/teacher/session", {"session_id": gone, "action": "cancel"})
    assert answer.status == 200, answer
    app.age(over, "13 hours")
    telegram.up()
    clock.move("1 minute")
    line = counts(run_job(app))
    assert (line["sent"], line["dropped"]) == (1, 2)
    assert [m.url for m in telegram.sent()] == [new["join_url"]]
    assert delivery_of(superseded[0], old["session"]["id"])[0] == "none"
    assert delivery_of(cancelled[0], gone)[0] == "none"


def test_telegrams_troubles_leave_workers_for_others(app, telegram, pair, send):
    """Whoever needs no Telegram is answered before it lets go of the first of those who do."""
    telegram.will_always(tg.after(6))
    waiting = [pair() for _ in range(12)]
    free = pair(telegram_chat_id=None)
    answered = []
    at_once(*[lambda p=p: answered.append(send(p[0].client.fork(), p[1])["delivery"]) for p in [*waiting, free]])
    assert set(answered) == {"unknown", "queued", "none"} and len(answered) == 13
    assert answered.index("none") < answered.index("unknown"), answered
    assert len(telegram.sent()) < 12


# ---------------------------------------------------------------- the program


def test_the_job_explains_itself(app, telegram):
    helped = app.job("telegram-outbox", "--help")
    assert helped.returncode == 0 and helped.stdout.startswith("usage: telegram-outbox")
    version = app.job("telegram-outbox", "--version")
    assert version.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", version.stdout)
    wrong = app.job("telegram-outbox", "--now")
    assert wrong.returncode == 2 and wrong.stderr.startswith("usage:")


def test_a_dry_run_counts_and_sends_nothing(app, telegram, pair, send, clock):
    telegram.down()
    send(*pair()[:2])
    telegram.up()
    clock.move("1 minute")
    dry = app.job("telegram-outbox", "--dry-run")
    assert dry.returncode == 0 and dry.stdout == "telegram-outbox: 1 due, 1 waiting in all (dry run)\n"
    assert not telegram.sent()
    line = run_job(app)
    assert re.fullmatch(
        r"telegram-outbox: ok, 1 sent, 0 unknown, 0 failed, 0 queued, 0 dropped in \d+ ms\n", line
    )
    run = app.row("SELECT ok, detail FROM job_runs WHERE job = 'telegram-outbox' ORDER BY id DESC LIMIT 1")
    assert run["ok"] and run["detail"]["sent"] == 1


def test_the_token_and_the_links_reach_no_log(app, telegram, pair, send, clock):
    teacher, student, _ = pair()
    url = "Bad Request: inline keyboard button URL 'https://x.example/api/zoom/track?token=SECRET' is invalid"
    telegram.will(tg.error(400, url), tg.page(502), tg.error(401, "Unauthorized"))
    links = [send(teacher, student)["join_url"] for _ in range(2)]
    clock.move("1 minute")
    outputs = app.job("telegram-outbox")
    text = app.logs() + outputs.stdout + outputs.stderr
    assert "telegram method=sendMessage status=400 outcome=bad_url" in text
    assert tg.TOKEN not in text and tg.TOKEN.split(":")[1] not in text and "SECRET" not in text
    assert not any(link.split("token=")[1] in text for link in links)
    everything = app.psql("SELECT * FROM deliveries", "SELECT * FROM messages", "SELECT * FROM telegram_bots")
    assert tg.TOKEN not in everything and "token=" not in everything


# ---------------------------------------------------------------- the log that the admin sees


def test_the_admin_sees_every_attempt(app, admin, telegram, pair, send, clock):
    teacher, student, _ = pair()
    telegram.will(tg.reset, tg.error(403, "Forbidden: bot was blocked by the user"))
    sent = send(teacher, student)["session"]["id"]
    clock.move("1 minute")
    run_job(app)
    answer = admin.get(f"/api/admin/deliveries?session_id={sent}")
    assert answer.status == 200, answer
    newest, oldest = answer["deliveries"]
    assert (oldest["state"], oldest["outcome"], oldest["status"]) == ("unknown", "unknown", None)
    assert (newest["state"], newest["outcome"], newest["status"]) == ("failed", "blocked", 403)
    assert newest["student"] == {"id": student["id"], "name": student["name"]}
    assert newest["teacher"] == {"id": teacher.id, "name": teacher.name}
    assert newest["session_id"] == sent and newest["attempt"] == 2
    assert newest["message"]["kind"] == "join_link" and newest["message"]["state"] == "failed"


def test_the_log_is_filtered_and_read_page_by_page(app, admin, telegram, pair, send):
    teacher, student, _ = pair()
    telegram.will(tg.error(400, "Bad Request: x"), tg.ok, tg.error(400, "Bad Request: y"))
    for _ in range(3):
        tg.forget_pace(app)
        send(teacher, student)
    target = f"/api/admin/deliveries?student_id={student['id']}"
    whole = [(d["id"], d["state"]) for d in admin.get(target)["deliveries"]]
    assert [state for _, state in whole] == ["failed", "sent", "failed"]
    failed = admin.get(f"{target}&state=failed")["deliveries"]
    assert [d["id"] for d in failed] == [whole[0][0], whole[2][0]]
    pages, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"{target}&limit=1{cursor and '&cursor=' + cursor}")
        assert page.status == 200, page
        pages += [(d["id"], d["state"]) for d in page["deliveries"]]
        cursor = page["next_cursor"]
    assert pages == whole


@pytest.mark.parametrize(
    "query, field",
    [("state=new", "state"), ("session_id=0", "session_id"), ("limit=201", "limit"), ("cursor=abc", "cursor"), ("x=1", "x")],
)
def test_a_wrong_filter_is_named(admin, query, field):
    answer = admin.get(f"/api/admin/deliveries?{query}")
    assert answer.status == 400 and answer.field == field


def test_the_log_is_the_admins_alone(app, nobody, make_teacher):
    assert nobody.get("/api/admin/deliveries").status == 401
    assert make_teacher().get("/api/admin/deliveries").status == 403
