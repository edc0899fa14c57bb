"""Whose chat is whose: deep links, the webhook, and chats that die and come back. And Zoom's webhook, which nobody has
set up in this instance."""

import re
import urllib.parse

import pytest

import telegram as tg
import zoom
from academy import at_once
from conftest import sign_in_admin, student_maker, teacher_maker
from telegram import BOT, SECRET, Updates, new_chat, next_update
from telegram_app import FIXTURES
from test_zoom_webhook import an_event, challenge, how_many

app, admin, make_teacher, make_student, telegram, updates, pair = FIXTURES

LINK = re.compile(rf"https://t\.me/{BOT}\?start=([A-Za-z0-9_-]{{43}})")


def code_of(answer):
    assert answer.status == 201, answer
    assert set(answer.json) == {"url", "expires_at"}
    return LINK.fullmatch(answer["url"]).group(1)


def student_code(person, student):
    return code_of(person.post(f"/api/{_role(person)}/student-link", {"student_id": student["id"]}))


def _role(person):
    return person.get("/api/auth/me")["account"]["role"]


def chat_of(app, student):
    return app.row(f"SELECT telegram_chat_id AS id FROM students WHERE id = {student['id']}")["id"]


def replies(telegram, chat):
    return [m.text for m in telegram.shown(chat)]


@pytest.fixture
def unlinked(pair):
    def make(**fields):
        return pair(telegram_chat_id=None, **fields)[:2]

    return make


# ---------------------------------------------------------------- the link


def test_a_link_leads_to_the_bot_and_only_a_hash_is_kept(app, admin, telegram, unlinked):
    _, student = unlinked()
    code = student_code(admin, student)
    assert code not in app.psql("SELECT code_hash, encode(code_hash, 'escape') FROM chat_codes")
    assert student_code(admin, student) != code


def test_the_bots_name_is_asked_for_once(app, admin, telegram, unlinked):
    app.psql("UPDATE telegram_bots SET username = NULL")
    student = unlinked()[1]
    for _ in range(3):
        student_code(admin, student)
    assert [c.method for c in telegram.calls] == ["getMe"]


@pytest.mark.parametrize(
    "answer, status",
    [
        (tg.error(401, "Unauthorized"), 409),
        (tg.page(502), 503),
        (tg.wait(5), 503),
        (lambda handler, call: tg._json(handler, 200, {"ok": True, "result": {"username": "a/b?c"}}), 503),
        (lambda handler, call: tg._json(handler, 200, {"ok": True, "result": []}), 503),
    ],
    ids=["bad token", "page", "wait", "no name", "no object"],
)
def test_without_the_bots_name_there_is_no_link(app, admin, telegram, unlinked, answer, status):
    app.psql("UPDATE telegram_bots SET username = NULL")
    telegram.will_always(answer, method="getMe")
    refused = admin.post("/api/admin/student-link", {"student_id": unlinked()[1]["id"]})
    assert refused.status == status, refused


def test_without_a_bot_the_answer_says_what_to_do(bare_app):
    admin = sign_in_admin(bare_app)
    student = student_maker(admin, teacher_maker(bare_app, admin))()
    refused = admin.post("/api/admin/student-link", {"student_id": student["id"]})
    assert refused.status == 409 and "TELEGRAM_BOT_TOKEN" in refused["detail"]
    assert "Copy the class link" in refused["detail"]


def test_who_may_link_whom(app, admin, nobody, telegram, unlinked, make_teacher):
    teacher, student = unlinked()
    other = make_teacher()
    student_code(teacher, student)
    wish = {"student_id": student["id"]}
    assert other.post("/api/teacher/student-link", wish).status == 404
    assert other.post("/api/admin/student-link", wish).status == 403
    assert nobody.post("/api/admin/student-link", wish).status == 401
    code_of(admin.post("/api/admin/teacher-link", {"teacher_id": teacher.id}))
    code_of(teacher.post("/api/teacher/teacher-link"))
    assert other.post("/api/admin/teacher-link", {"teacher_id": teacher.id}).status == 403
    assert admin.post("/api/admin/teacher-link", {"teacher_id": admin.id}).status == 404
    missing = admin.post("/api/admin/student-link", {"student_id": 10**12})
    assert missing.status == 404 and missing.field == "student_id"
    assert teacher.post("/api/teacher/teacher-link", {"teacher_id": other.id}).status == 400


def test_a_disabled_person_gets_no_link(admin, telegram, unlinked):
    teacher, student = unlinked()
    assert admin.patch("/api/admin/students", {"id": student["id"], "disabled": True}).status == 200
    assert admin.post("/api/admin/student-link", {"student_id": student["id"]}).status == 404
    assert admin.patch("/api/admin/teachers", {"id": teacher.id, "disabled": True}).status == 200
    assert admin.post("/api/admin/teacher-link", {"teacher_id": teacher.id}).status == 404


# ---------------------------------------------------------------- /start


@pytest.mark.parametrize(
    "language, says", [("en", "will arrive here"), ("ar", "ستصل"), ("am", "ተሳክቷል")]
)
def test_start_links_the_chat_and_answers_in_the_students_language(
    app, admin, telegram, updates, unlinked, language, says
):
    _, student = unlinked(name="Lulu", language=language)
    chat = new_chat()
    updates.start(chat, student_code(admin, student), language="fr")
    assert chat_of(app, student) == chat
    (reply,) = replies(telegram, chat)
    assert says in reply and "Lulu" in reply


def link_and_answer(app, telegram, chat, update):
    """What /start brought without the job: the link, and a second later the reply, if there was time for it."""
    link, *replies_then = telegram.shown(chat)
    quick = app.row(
        "SELECT m.changed_at - u.received_at < interval '0.3 s' AS yes FROM messages m, telegram_updates u"
        f" WHERE m.chat_id = {chat} AND m.kind = 'join_link' AND u.update_id = {update['update_id']}"
    )["yes"]
    assert replies_then or not quick
    app.job("telegram-outbox")
    _, reply = telegram.shown(chat)
    assert reply.at - link.at >= 0.99  # one chat, one message a second
    return link.url, reply.text


def test_a_link_that_waits_arrives_as_soon_as_the_chat_is_known(app, telegram, updates, unlinked, send):
    teacher, student = unlinked()
    sent = send(teacher, student)
    assert sent["delivery"] == "none"
    chat = new_chat()
    url, reply = link_and_answer(app, telegram, chat, updates.start(chat, student_code(teacher, student)))
    assert url == sent["join_url"] and "will arrive here" in reply


def test_a_code_binds_once(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    code = student_code(admin, student)
    first, second = new_chat(), new_chat()
    updates.start(first, code)
    updates.start(second, code)
    assert chat_of(app, student) == first
    assert "used before or has expired" in replies(telegram, second)[0]


def test_two_chats_at_once_and_one_of_them_gets_it(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    code = student_code(admin, student)
    chats = [new_chat() for _ in range(6)]
    at_once(*[lambda c=c: updates.start(c, code) for c in chats])
    app.job("telegram-outbox")
    said = [replies(telegram, c)[0] for c in chats]
    winner = chat_of(app, student)
    assert [c for c, s in zip(chats, said) if "will arrive here" in s] == [winner]


def test_a_second_tap_in_the_same_chat_is_answered_as_the_first(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    code, chat = student_code(admin, student), new_chat()
    updates.start(chat, code)
    tg.forget_pace(app)
    updates.start(chat, code)
    first, second = replies(telegram, chat)
    assert first == second and chat_of(app, student) == chat


def test_a_code_expires(app, admin, telegram, updates, unlinked, clock):
    _, student = unlinked()
    code, chat = student_code(admin, student), new_chat()
    clock.move("7 days 1 minute")
    updates.start(chat, code)
    assert chat_of(app, student) is None
    assert "expired" in replies(telegram, chat)[0]


def test_linking_voids_what_other_codes_there_are(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    one, two = student_code(admin, student), student_code(admin, student)
    chat, stranger = new_chat(), new_chat()
    updates.start(chat, two)
    updates.start(stranger, one)
    assert chat_of(app, student) == chat


def test_siblings_share_a_chat(app, admin, telegram, updates, unlinked):
    chat = new_chat()
    children = [unlinked()[1] for _ in range(2)]
    for child in children:
        updates.start(chat, student_code(admin, child))
    assert [chat_of(app, child) for child in children] == [chat, chat]


NO_GOOD = "used before or has expired"


def last_reply(app, telegram, updates, chat, code):
    tg.forget_pace(app)
    updates.start(chat, code)
    return replies(telegram, chat)[-1]


@pytest.mark.parametrize("replaced", [False, True], ids=["cleared", "replaced"])
def test_a_used_code_does_not_bring_a_removed_chat_back(
    app, admin, telegram, updates, unlinked, send, clock, replaced
):
    teacher, student = unlinked()
    code, old = student_code(admin, student), new_chat()
    updates.start(old, code)
    now = new_chat() if replaced else None
    change = {"id": student["id"], "telegram_chat_id": now}
    assert admin.patch("/api/admin/students", change).status == 200
    newer = student_code(admin, student)
    for moved in ("1 minute", "8 days"):
        clock.move(moved)
        assert NO_GOOD in last_reply(app, telegram, updates, old, code)
        assert chat_of(app, student) == now
    clock.reset()
    tg.forget_pace(app)
    sent = send(teacher, student)
    assert sent["delivery"] == ("sent" if replaced else "none")
    assert sent["join_url"] not in [m.url for m in telegram.shown(old) if "reply_markup" in m.params]
    third = new_chat()
    updates.start(third, newer)
    assert chat_of(app, student) == third  # it was not voided


def test_an_older_code_does_not_take_the_student_from_the_chat_of_a_newer_one(
    app, admin, telegram, updates, unlinked
):
    _, student = unlinked()
    first, second = new_chat(), new_chat()
    codes = []
    for chat in (first, second):
        codes.append(student_code(admin, student))
        updates.start(chat, codes[-1])
    assert NO_GOOD in last_reply(app, telegram, updates, first, codes[0])
    assert "will arrive here" in last_reply(app, telegram, updates, second, codes[1])
    assert chat_of(app, student) == second


def test_an_update_that_comes_again_changes_nothing(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    chat = new_chat()
    update = updates.start(chat, student_code(admin, student))
    change = {"id": student["id"], "telegram_chat_id": None}
    assert admin.patch("/api/admin/students", change).status == 200
    answer = updates.post(update)
    assert answer.status == 200 and answer.body == b""
    assert chat_of(app, student) is None
    assert len(replies(telegram, chat)) == 1


def test_a_disabled_person_is_not_linked_and_the_code_is_not_spent(app, admin, telegram, updates, unlinked):
    teacher, student = unlinked()
    people = [
        ("students", student["id"], student_code(admin, student)),
        ("teachers", teacher.id, code_of(teacher.post("/api/teacher/teacher-link"))),
    ]
    for path, who, code in people:
        chat = new_chat()
        for disabled, says in ((True, NO_GOOD), (False, "Done.")):
            change = {"id": who, "disabled": disabled}
            assert admin.patch(f"/api/admin/{path}", change).status == 200
            assert says in last_reply(app, telegram, updates, chat, code)
            table = path if path == "students" else "accounts"
            kept = app.row(f"SELECT telegram_chat_id AS chat FROM {table} WHERE id = {who}")
            assert kept == {"chat": None if disabled else chat}


@pytest.mark.parametrize("lost", ["student", "account"])
def test_a_code_is_worth_what_its_maker_may_still_do(app, admin, telegram, updates, unlinked, make_teacher, lost):
    """A teacher who kept a student's link cannot take the chat over once the student, or the account, is lost."""
    teacher, student = unlinked()
    kept, chat = student_code(teacher, student), new_chat()
    if lost == "student":
        changes = [("students", {"id": student["id"], "teacher_id": who}) for who in (make_teacher().id, teacher.id)]
    else:
        changes = [("teachers", {"id": teacher.id, "disabled": value}) for value in (True, False)]
    for (path, change), says in zip(changes, (NO_GOOD, "will arrive here")):
        assert admin.patch(f"/api/admin/{path}", change).status == 200
        assert says in last_reply(app, telegram, updates, chat, kept)
        assert chat_of(app, student) == (None if says == NO_GOOD else chat)
    # Whoever has the chat is answered as before, whoever teaches them now.
    assert admin.patch("/api/admin/students", {"id": student["id"], "teacher_id": make_teacher().id}).status == 200
    assert "will arrive here" in last_reply(app, telegram, updates, chat, kept)


def test_an_admins_code_outlives_a_change_of_teacher(app, admin, telegram, updates, unlinked, make_teacher):
    _, student = unlinked()
    code, chat = student_code(admin, student), new_chat()
    assert admin.patch("/api/admin/students", {"id": student["id"], "teacher_id": make_teacher().id}).status == 200
    updates.start(chat, code)
    assert chat_of(app, student) == chat


@pytest.mark.parametrize("code", ["x", "A" * 43, "A" * 64, "A" * 65, "a b", "../../x", "' OR 1=1", "ሀ"])
def test_a_code_nobody_made_links_nobody(app, telegram, updates, code):
    chat = new_chat()
    updates.start(chat, code)
    assert len(replies(telegram, chat)) == 1
    assert not app.rows(f"SELECT id FROM students WHERE telegram_chat_id = {chat}")


def test_a_stranger_is_told_what_the_bot_is_for(telegram, updates):
    for language, says in [("en", "Hello"), ("ar-SA", "مرحبًا"), ("am", "ሰላም"), ("xx", "Hello")]:
        chat = new_chat()
        updates.start(chat, language=language)
        assert says in replies(telegram, chat)[0]


@pytest.mark.parametrize("text", ["hello", "/started", "/stop", "start", " /start", "/START"])
def test_other_words_get_no_answer(app, telegram, updates, text):
    chat = new_chat()
    answer = updates.post(updates.message(chat, text))
    assert answer.status == 200 and answer.body == b""
    assert not app.rows(f"SELECT FROM messages WHERE chat_id = {chat}")


@pytest.mark.parametrize("form", ["/start@{bot} {code}", "/start  {code}"])
def test_start_is_understood_in_groups_too(app, admin, telegram, updates, unlinked, form):
    _, student = unlinked()
    chat = -new_chat()
    text = form.format(bot=BOT, code=student_code(admin, student))
    assert updates.post(updates.message(chat, text, kind="group")).status == 200
    assert chat_of(app, student) == chat


# ---------------------------------------------------------------- the webhook's door


@pytest.mark.parametrize("secret", [None, "", "x", SECRET[:-1], SECRET + "x", SECRET.lower(), f" {SECRET[1:]}"])
def test_without_the_secret_nothing_is_read(app, updates, secret):
    chat = new_chat()
    update = updates.message(chat, "/start")
    assert updates.post(update, secret=secret).status == 401
    assert not app.rows(f"SELECT FROM telegram_updates WHERE update_id = {update['update_id']}")


def test_without_a_configured_secret_the_door_is_shut(bare_app):
    updates = Updates(bare_app)
    for secret in (None, "", SECRET):
        assert updates.post(updates.message(new_chat(), "/start"), secret=secret).status == 401


def test_an_update_is_taken_in_once(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    chat = new_chat()
    update = updates.message(chat, f"/start {student_code(admin, student)}")
    answers = at_once(*[lambda: updates.post(update)] * 5)
    assert [a.status for a in answers] == [200] * 5
    assert len(telegram.sent(chat)) == 1
    assert len(app.rows(f"SELECT FROM messages WHERE chat_id = {chat}")) == 1


POISON = {
    "nothing": b"",
    "no JSON": b"{",
    "two texts": b'{"update_id":1}{"update_id":2}',
    "a list": b"[]",
    "a number": b"7",
    "no update_id": b'{"message":{"text":"/start"}}',
    "a text for an id": b'{"update_id":"7"}',
    "no UTF-8": b'{"update_id":7,"x":"\xff"}',
    "deep": b'{"update_id":7,"x":' + b"[" * 500 + b"]" * 500 + b"}",
    "NUL": b'{"update_id":7,"x":"\x00"}',
}


@pytest.mark.parametrize("what", POISON)
def test_poison_is_swallowed(updates, what):
    answer = updates.post(POISON[what])
    assert answer.status == 200 and answer.body == b"", answer


STRANGE = {
    "nothing in it": {},
    "message is a text": {"message": "x"},
    "no chat": {"message": {"text": "/start"}},
    "chat is a list": {"message": {"text": "/start", "chat": []}},
    "id is a text": {"message": {"text": "/start", "chat": {"id": "7"}}},
    "id is too large": {"message": {"text": "/start", "chat": {"id": 2**60}}},
    "id is 0": {"message": {"text": "/start", "chat": {"id": 0}}},
    "text is a number": {"message": {"text": 7, "chat": {"id": 7}}},
    "text with NUL": {"message": {"text": "/start \0", "chat": {"id": 7_000_000_001}}},
    "no status": {"my_chat_member": {"chat": {"id": 7}}},
    "channel post": {"channel_post": {"chat": {"id": -100}, "text": "/start"}},
    "edited": {"edited_message": {"chat": {"id": 7}, "text": "/start"}},
    "a call of its own": {"method": "sendMessage", "chat_id": 7, "text": "x"},
}


@pytest.mark.parametrize("what", STRANGE)
def test_strange_updates_are_taken_and_left(app, telegram, updates, what):
    update = {"update_id": next_update(), **STRANGE[what]}
    answer = updates.post(update)
    assert answer.status == 200 and answer.body == b"", answer
    assert app.rows(f"SELECT FROM telegram_updates WHERE update_id = {update['update_id']}")


def test_a_huge_update_is_no_poison(app, telegram, updates):
    chat = new_chat()
    update = updates.message(chat, "/start")
    update["message"]["reply_to_message"] = {"text": "ሀ" * 60_000}
    assert updates.post(update).status == 200
    assert len(replies(telegram, chat)) == 1


def test_only_our_outage_is_503_and_the_update_counts_when_it_comes_again(app, admin, telegram, updates, unlinked):
    _, student = unlinked()
    chat = new_chat()
    update = updates.message(chat, f"/start {student_code(admin, student)}")
    with app.database_stopped():
        answer = updates.post(update)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert updates.post(update).status == 200
    assert chat_of(app, student) == chat


def test_what_we_cannot_handle_does_not_block_the_queue(app, telegram, updates):
    chat = new_chat()
    app.psql("ALTER TABLE telegram_chats ADD CONSTRAINT tests_poison CHECK (chat_id <> %d)" % chat)
    try:
        update = updates.message(chat, "/start")
        answer = updates.post(update)
        assert answer.status == 200 and answer.body == b""
        assert updates.post(update).status == 200
    finally:
        app.psql("ALTER TABLE telegram_chats DROP CONSTRAINT tests_poison")
    kept = app.row(f"SELECT outcome FROM telegram_updates WHERE update_id = {update['update_id']}")
    assert kept == {"outcome": "skipped"}


# ---------------------------------------------------------------- chats that die and come back


def test_blocking_and_coming_back_are_followed(app, telegram, updates, pair, send):
    teacher, student, chat = pair()
    updates.membership(chat, "kicked")
    sent = send(teacher, student)
    assert sent["delivery"] == "failed" and "blocked the bot" in sent["delivery_detail"]
    assert not telegram.sent(chat)
    updates.membership(chat, "member")
    app.job("telegram-outbox")
    assert [m.url for m in telegram.shown(chat)] == [sent["join_url"]]


def test_start_brings_a_dead_chat_back_with_what_still_matters(app, telegram, updates, pair, send):
    teacher, student, chat = pair()
    updates.membership(chat, "kicked")
    sent = send(teacher, student)
    assert sent["delivery"] == "failed"
    url, reply = link_and_answer(app, telegram, chat, updates.start(chat))
    assert url == sent["join_url"] and "will arrive here" in reply
    assert send(teacher, student)["session"]["id"] != sent["session"]["id"]


def test_start_does_not_send_what_nobody_needs_any_more(app, telegram, updates, pair, send, clock):
    teacher, student, chat = pair()
    telegram.down()
    session = send(teacher, student)["session"]["id"]
    cancelled = teacher.post("/api/teacher/session", {"session_id": session, "action": "cancel"})
    assert cancelled.status == 200, cancelled
    telegram.up()
    clock.move("1 minute")
    updates.start(chat)
    (reply,) = telegram.shown(chat)
    assert "will arrive here" in reply.text
    assert app.row(f"SELECT state FROM messages WHERE session_id = {session}") == {"state": "dropped"}


def test_leaving_a_group_is_its_death(app, telegram, updates, pair, send):
    teacher, student, _ = pair(telegram_chat_id=-new_chat())
    updates.membership(student["telegram_chat_id"], "left")
    assert "group" in send(teacher, student)["delivery_detail"]


def test_a_group_that_says_it_moved_is_followed(app, telegram, updates, pair, send):
    old, new = -new_chat(), -1_000_000_000_000 - new_chat()
    teacher, student, _ = pair(telegram_chat_id=old)
    update = updates.message(old, "x", kind="group")
    del update["message"]["text"]
    update["message"]["migrate_to_chat_id"] = new
    assert updates.post(update).status == 200
    assert chat_of(app, student) == new
    send(teacher, student)
    assert telegram.shown(new) and not telegram.sent(old)


def test_a_group_that_moved_keeps_its_codes_and_its_language(app, admin, telegram, updates, unlinked):
    old, new = -new_chat(), -1_000_000_000_000 - new_chat()
    _, student = unlinked()
    teacher, _ = unlinked()
    codes = [student_code(admin, student), code_of(teacher.post("/api/teacher/teacher-link"))]
    for code in codes:
        updates.start(old, code, language="ar")
    moved = updates.message(old, "x", kind="group")
    del moved["message"]["text"]
    moved["message"]["migrate_to_chat_id"] = new
    assert updates.post(moved).status == 200
    assert app.row(f"SELECT language FROM telegram_chats WHERE chat_id = {new}") == {"language": "ar"}
    before = app.row("SELECT max(id) AS id FROM messages")["id"]  # some may have moved along
    for code in codes:
        updates.start(new, code, language=None)
    kinds = f"SELECT kind FROM messages WHERE chat_id = {new} AND id > {before} ORDER BY id"
    assert [row["kind"] for row in app.rows(kinds)] == ["student_linked", "teacher_linked"]
    assert chat_of(app, student) == new


# ---------------------------------------------------------------- the teacher's chat


@pytest.fixture
def teacher_chat(telegram, updates):
    def link(teacher, language="en"):
        chat = new_chat()
        updates.start(chat, code_of(teacher.post("/api/teacher/teacher-link")), language=language)
        return chat

    return link


def tap(app, nobody, url):
    target = url.removeprefix(app.url)
    return nobody.get(target, headers={"Origin": None, "Sec-Fetch-Site": None, "User-Agent": "Mozilla/5.0"})


@pytest.mark.parametrize("language, end", [("en", "End class"), ("ar", "إنهاء الحصة"), ("am", "ክፍሉን አብቃ")])
def test_the_teacher_is_told_who_opened_the_class_and_can_end_it(
    app, admin, nobody, telegram, unlinked, send, teacher_chat, clock, language, end
):
    teacher, student = unlinked(name="Yonas")
    chat = teacher_chat(teacher, language)
    assert len(replies(telegram, chat)) == 1
    zone = admin.get("/api/admin/settings")["time_zone"]
    assert admin.patch("/api/admin/settings", {"time_zone": "Africa/Addis_Ababa"}).status == 200
    sent = send(teacher, student)
    assert tap(app, nobody, sent["join_url"]).status == 302
    assert tap(app, nobody, sent["join_url"]).status == 302  # a second tap tells nothing new
    clock.move("2 seconds")
    app.job("telegram-outbox")
    message = telegram.shown(chat)[-1]
    assert len(replies(telegram, chat)) == 2
    clicked = app.row(
        "SELECT to_char(clicked_at AT TIME ZONE 'Africa/Addis_Ababa', 'HH24:MI') AS at"
        f" FROM sessions WHERE id = {sent['session']['id']}"
    )
    assert "Yonas" in message.text and clicked["at"] in message.text
    if language == "en":
        assert message.text == f"Yonas opened the class at {clicked['at']}"
    (button,) = message.buttons
    assert button["text"] == end
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(button["url"]).query)
    assert query["session"] == [str(sent["session"]["id"])]
    assert tap(app, nobody, button["url"]).status == 200
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
    assert admin.patch("/api/admin/settings", {"time_zone": zone}).status == 200


def test_a_teacher_without_a_chat_is_not_written_to(app, nobody, telegram, unlinked, send):
    teacher, student = unlinked()
    sent = send(teacher, student)
    tap(app, nobody, sent["join_url"])
    assert not app.rows(f"SELECT FROM messages WHERE session_id = {sent['session']['id']}")


def test_a_teacher_is_not_told_of_a_class_that_is_over(app, nobody, telegram, unlinked, send, teacher_chat, clock):
    teacher, student = unlinked()
    chat = teacher_chat(teacher)
    sent = send(teacher, student)
    tap(app, nobody, sent["join_url"])
    ended = teacher.post("/api/teacher/session", {"session_id": sent["session"]["id"], "action": "end"})
    assert ended.status == 200
    clock.move("2 seconds")
    app.job("telegram-outbox")
    assert len(replies(telegram, chat)) == 1


def test_robots_and_late_taps_tell_the_teacher_nothing(app, nobody, telegram, unlinked, send, teacher_chat):
    teacher, student = unlinked()
    teacher_chat(teacher)
    sent = send(teacher, student)
    target = sent["join_url"].removeprefix(app.url)
    nobody.get(target, headers={"User-Agent": "TelegramBot (like TwitterBot)"})
    nobody.request("HEAD", target, headers={"User-Agent": "Mozilla/5.0"})
    assert not app.rows(f"SELECT FROM messages WHERE session_id = {sent['session']['id']}")


@pytest.mark.parametrize("disabled", [False, True])
def test_what_waits_for_a_teacher_does_not_go_to_the_chat_of_before(
    app, admin, nobody, telegram, unlinked, send, teacher_chat, clock, disabled
):
    teacher, student = unlinked(name="Hana")
    old, new = teacher_chat(teacher), None
    sent = send(teacher, student)
    telegram.down()
    assert tap(app, nobody, sent["join_url"]).status == 302
    telegram.up()
    if disabled:
        assert admin.patch("/api/admin/teachers", {"id": teacher.id, "disabled": True}).status == 200
    else:
        new = teacher_chat(teacher)
    clock.move("1 minute")
    app.job("telegram-outbox")
    assert len(replies(telegram, old)) == 1
    if new:
        assert ["Hana" in text for text in replies(telegram, new)] == [True, False]
    message = f"SELECT state, outcome FROM messages WHERE session_id = {sent['session']['id']}"
    expected = {"state": "failed", "outcome": "disabled"} if disabled else {"state": "sent", "outcome": "sent"}
    assert app.row(message) == expected


def test_a_used_code_does_not_bring_a_teachers_old_chat_back(app, telegram, updates, make_teacher):
    teacher = make_teacher()
    old, new = new_chat(), new_chat()
    codes = []
    for chat in (old, new):
        codes.append(code_of(teacher.post("/api/teacher/teacher-link")))
        updates.start(chat, codes[-1])
    assert NO_GOOD in last_reply(app, telegram, updates, old, codes[0])
    assert "Done." in last_reply(app, telegram, updates, new, codes[1])
    assert app.row(f"SELECT telegram_chat_id AS id FROM accounts WHERE id = {teacher.id}")["id"] == new


def test_a_teacher_who_blocks_the_bot_is_left_alone(app, nobody, telegram, updates, unlinked, send, teacher_chat):
    teacher, student = unlinked()
    chat = teacher_chat(teacher)
    updates.membership(chat, "kicked")
    sent = send(teacher, student)
    assert tap(app, nobody, sent["join_url"]).status == 302
    assert not app.rows(f"SELECT FROM messages WHERE session_id = {sent['session']['id']}")


# ---------------------------------------------------------------- where Telegram posts its updates


def test_the_operator_registers_the_webhook(app, telegram):
    done = app.job("classclock-admin", "telegram-webhook", "set")
    url = f"{app.url}/api/telegram/webhook"
    assert done.returncode == 0 and done.stdout == f"set: {url}\n"
    (call,) = telegram.calls
    assert call.method == "setWebhook"
    assert call.params == {
        "url": url,
        "secret_token": SECRET,
        "allowed_updates": ["message", "my_chat_member"],
        "max_connections": 10,
    }
    assert SECRET not in done.stderr and tg.TOKEN not in done.stderr


def test_the_operator_sees_how_the_webhook_does(app, telegram):
    def info(url, **more):
        result = {"url": url, "pending_update_count": 3, **more}
        return lambda handler, call: tg._json(handler, 200, {"ok": True, "result": result})

    telegram.will_always(
        info(f"{app.url}/api/telegram/webhook", last_error_message="Wrong response from the webhook: 503"),
        method="getWebhookInfo",
    )
    shown = app.job("classclock-admin", "telegram-webhook", "show").stdout
    assert shown == (
        f"url: {app.url}/api/telegram/webhook\npending updates: 3\n"
        "last error: Wrong response from the webhook: 503\n"
    )
    telegram.will_always(
        info(f"{app.url}/x", last_error_message="Connection refused", last_error_date=1767261961), method="getWebhookInfo"
    )
    shown = app.job("classclock-admin", "telegram-webhook", "show").stdout
    assert shown.endswith("\nlast error: Connection refused (2026-01-01T10:06:01Z)\n")
    telegram.will_always(info("https://elsewhere.example/x"), method="getWebhookInfo")
    assert "(not this server's)" in app.job("classclock-admin", "telegram-webhook", "show").stdout
    telegram.will_always(info(""), method="getWebhookInfo")
    assert "none is set" in app.job("classclock-admin", "telegram-webhook", "show").stdout


def test_the_operator_takes_the_webhook_away_and_learns_why_not(app, telegram):
    done = app.job("classclock-admin", "telegram-webhook", "delete")
    assert done.returncode == 0 and done.stdout == "deleted\n"
    assert [c.method for c in telegram.calls] == ["deleteWebhook"]
    words = "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    telegram.will_always(tg.error(400, words), method="setWebhook")
    refused = app.job("classclock-admin", "telegram-webhook", "set")
    assert refused.returncode == 1 and words in refused.stderr
    telegram.will_always(tg.error(401, "Unauthorized"), method="setWebhook")
    refused = app.job("classclock-admin", "telegram-webhook", "set")
    assert refused.returncode == 1 and "TELEGRAM_BOT_TOKEN" in refused.stderr
    telegram.down()
    refused = app.job("classclock-admin", "telegram-webhook", "set")
    assert refused.returncode == 1 and "cannot be asked now" in refused.stderr
    assert app.job("classclock-admin", "telegram-webhook", "take").returncode == 2


# ---------------------------------------------------------------- Zoom's webhook, without a secret


def test_without_a_secret_nothing_of_zooms_gets_in(app, nobody):
    assert "ZOOM_WEBHOOK_SECRET" not in app.env
    for secret in ("", zoom.SECRET):
        assert zoom.deliver(nobody, an_event(), secret).status == 401
    asked = zoom.deliver(nobody, challenge("abc"), secret="")
    assert asked.status == 401 and "encryptedToken" not in asked.text
    assert how_many(app) == 0
