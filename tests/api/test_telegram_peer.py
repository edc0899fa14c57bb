"""Telegram played by the npm package telegram-test-api, which nobody here wrote: the happy path, whole.

It knows no secret_token, so what it posts to the webhook goes through a bridge that adds the header,
as Telegram itself would. Everything else is the package's. Failures are telegram.py's to play.
"""

# pylint: disable=redefined-outer-name
import contextlib
import http.client
import http.server
import itertools
import json
import pathlib
import subprocess
import threading
import urllib.parse

import pytest

from academy import free_port
from conftest import run, sign_in_admin, student_maker, teacher_maker
from telegram import SECRET, TOKEN, Timer, new_chat, until

UI = pathlib.Path(__file__).parents[1] / "ui"
BOT = "TestNameBot"  # the package's own

_people = itertools.count(1)


class Peer:
    """The package's server, and the people in its chats."""

    def __init__(self):
        assert (UI / "node_modules/telegram-test-api").is_dir(), "run npm ci in tests/ui"
        self.port = free_port()
        command = ["node", UI / "lib/telegram_peer.js", str(self.port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "listening\n"

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.communicate(timeout=20)

    def call(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.load(answer)["result"]

    def start(self, chat, code, language="en"):
        """A person opens the bot by a deep link."""
        person = {"id": chat, "is_bot": False, "first_name": f"P{next(_people)}", "language_code": language}
        self.call(
            "/sendCommand",
            {
                "botToken": TOKEN,
                "from": person,
                "chat": {**person, "type": "private"},
                "date": 1767261961,
                "text": f"/start {code}",
                "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
            },
        )

    def shown(self, chat):
        """The messages in a chat that nobody has looked at yet, once there are some."""
        return [m["message"] for m in until(lambda: self.call("/getUpdates", {"token": TOKEN, "chatId": chat}))]


class Bridge:
    """Passes what the package posts on to the product, with the header that it leaves out."""

    def __init__(self, app):
        bridge = self
        self.statuses = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {"Origin": None, "Sec-Fetch-Site": None, "X-Telegram-Bot-Api-Secret-Token": SECRET}
                answer = app.client().request("POST", "/api/telegram/webhook", body, headers=headers)
                bridge.statuses.append(answer.status)
                self.send_response(answer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture(scope="module")
def peer():
    the_peer = Peer()
    yield the_peer
    the_peer.stop()


@pytest.fixture(scope="module")
def app(peer):
    settings = [
        f"TELEGRAM_BOT_TOKEN={TOKEN}",
        f"TELEGRAM_API_BASE={peer.base}",
        f"TELEGRAM_WEBHOOK_SECRET={SECRET}",
    ]
    for instance in run(settings):
        timer = Timer(instance, "telegram-outbox")
        yield instance
        timer.release()


@pytest.fixture(scope="module")
def admin(app):
    return sign_in_admin(app)


@pytest.fixture(scope="module")
def make_teacher(app, admin):
    return teacher_maker(app, admin)


@pytest.fixture(scope="module")
def make_student(admin, make_teacher):
    return student_maker(admin, make_teacher)


@pytest.fixture
def bridge(app, peer):
    """The operator has registered the webhook; the package posts to the bridge instead."""
    done = app.job("classclock-admin", "telegram-webhook", "set")
    assert done.returncode == 0 and done.stdout == f"set: {app.url}/api/telegram/webhook\n", done
    the_bridge = Bridge(app)
    peer.call(f"/bot{TOKEN}/setWebhook", {"url": the_bridge.url})
    yield the_bridge
    peer.call(f"/bot{TOKEN}/deleteWebhook", {})
    the_bridge.server.shutdown()


def code_of(answer):
    assert answer.status == 201, answer
    link = urllib.parse.urlsplit(answer["url"])
    assert (link.netloc, link.path) == ("t.me", f"/{BOT}"), answer
    return urllib.parse.parse_qs(link.query)["start"][0]


def button_of(message):
    ((button,),) = message["reply_markup"]["inline_keyboard"]
    return button


def tap(app, url):
    target = url.removeprefix(app.url)
    return app.client().get(target, headers={"Origin": None, "Sec-Fetch-Site": None, "User-Agent": "Mozilla/5.0"})


def test_from_start_to_the_end_of_a_class(app, admin, peer, bridge, make_teacher, make_student, send):
    """Both link their chats, the button arrives and starts the class, the teacher is told and ends it."""
    teacher = make_teacher()
    student = make_student(teacher, name="Amina", language="en")
    students_chat, teachers_chat = new_chat(), new_chat()

    peer.start(students_chat, code_of(admin.post("/api/admin/student-link", {"student_id": student["id"]})))
    (welcome,) = peer.shown(students_chat)
    assert "Amina" in welcome["text"] and "reply_markup" not in welcome
    bound = app.row(f"SELECT telegram_chat_id AS chat FROM students WHERE id = {student['id']}")
    assert bound == {"chat": students_chat}
    peer.start(teachers_chat, code_of(teacher.post("/api/teacher/teacher-link")))
    assert len(peer.shown(teachers_chat)) == 1
    until(lambda: bridge.statuses == [200, 200])

    app.psql("UPDATE telegram_chats SET tried_at = NULL")  # as if a second had passed
    sent = send(teacher, student)
    assert sent["delivery"] == "sent"
    (message,) = peer.shown(students_chat)
    assert button_of(message) == {"text": "Join the class", "url": sent["join_url"]}
    assert message["protect_content"] is True and message["link_preview_options"] == {"is_disabled": True}
    assert "http" not in message["text"] and "parse_mode" not in message
    kept = app.row(f"SELECT message_id FROM messages WHERE session_id = {sent['session']['id']}")
    assert kept["message_id"] > 0

    assert tap(app, button_of(message)["url"]).status == 302
    assert app.session(sent["session"]["id"])["session_status"] == "active"

    app.job("telegram-outbox")
    (told,) = peer.shown(teachers_chat)
    assert told["text"].startswith("Amina opened the class at ")
    assert button_of(told)["text"] == "End class"
    assert tap(app, button_of(told)["url"]).status == 200
    row = app.session(sent["session"]["id"])
    assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left")
