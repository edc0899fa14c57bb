"""A Telegram of the tests' own: takes calls of the Bot API, keeps them, and fails as told.

What it cannot show is how Telegram itself behaves; each failure is written as the official server
writes it. The happy path is also played by a peer that others wrote: test_telegram_peer.py.
"""

import http.server
import itertools
import json
import os
import pathlib
import signal
import socket
import struct
import threading
import time

TOKEN = "7311:AAF_classclock-tests-only_0123456789abc"
SECRET = "telegram-webhook-secret_0123456789-ABCDEF"
BOT = "classclock_test_bot"


class Call:
    """A call of the Bot API as it arrived."""

    def __init__(self, path, headers, body):
        _, bot, self.method = path.split("/", 2)
        self.token = bot.removeprefix("bot")
        self.headers, self.at = headers, time.monotonic()
        self.params = json.loads(body) if body else {}
        self.done = False  # whether the message is now in the chat

    @property
    def chat_id(self):
        return self.params.get("chat_id")

    @property
    def text(self):
        return self.params["text"]

    @property
    def buttons(self):
        return [b for row in self.params["reply_markup"]["inline_keyboard"] for b in row]

    @property
    def url(self):
        (button,) = self.buttons
        return button["url"]

    def __repr__(self):
        return f"{self.method}({self.params})"


# ---------------------------------------------------------------- answers
# Each takes the server's handler and the call, and answers it somehow.


def _json(handler, status, answer):
    body = json.dumps(answer).encode()
    _raw(handler, status, body, "application/json")


def _raw(handler, status, body, kind, length=None):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def ok(handler, call):
    call.done = True
    _json(handler, 200, {"ok": True, "result": handler.server.telegram.result(call)})


def error(code, description, http_status=None, **parameters):
    """An error in Telegram's own form; the status of HTTP equals error_code."""

    def answer(handler, _call):
        body = {"ok": False, "error_code": code, "description": description}
        if parameters:
            body["parameters"] = parameters
        _json(handler, http_status or code, body)

    return answer


def wait(seconds):
    return error(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def page(status, body=b"<html><body><h1>Bad Gateway</h1></body></html>"):
    """What a proxy in between has to say."""

    def answer(handler, _call):
        _raw(handler, status, body, "text/html")

    return answer


def after(seconds, then=ok):
    """Takes its time."""

    def answer(handler, call):
        handler.server.telegram.stopping.wait(seconds)
        then(handler, call)

    return answer


def cut(handler, call):
    """The message is sent, and the answer breaks off in the middle."""
    call.done = True
    _raw(handler, 200, b'{"ok":true,"result":{"mess', "application/json", length=500)


def reset(handler, call):
    """The message is sent, and the connection is torn down without a word."""
    call.done = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def lost(handler, _call):
    """The request was read, nothing was done with it, and nobody will ever say so."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        call = Call(self.path, self.headers, body)
        answer = self.server.telegram.take(call)
        try:
            answer(self, call)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the caller has stopped waiting

    do_GET = do_POST

    def log_message(self, *_args):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_args):
        pass


class Telegram:
    """The server. Answers every call as Telegram would, but for those that will() tells of."""

    def __init__(self):
        self.calls, self.stopping = [], threading.Event()
        self._next, self._lock = [], threading.Lock()
        self._rules = []
        self._ids = itertools.count(1)
        self._server = None
        self.port = 0
        self.up()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        if self._server:
            return
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.telegram = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        """Nobody listens any more: connecting is refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    def stop(self):
        self.stopping.set()
        self.down()

    def forget(self):
        """As at first: no calls, no failures to come."""
        self.up()
        with self._lock:
            self.calls.clear()
            self._next.clear()
            self._rules.clear()

    def will(self, *answers):
        """The next calls of sendMessage are answered so, one after the other."""
        with self._lock:
            self._next.extend(answers)

    def will_always(self, answer, chat_id=None, method="sendMessage"):
        """From now on calls of that method (into that chat) are answered so."""
        with self._lock:
            self._rules.insert(0, (method, chat_id, answer))

    def take(self, call):
        with self._lock:
            self.calls.append(call)
            if call.token != TOKEN:
                return error(401, "Unauthorized")
            if call.method == "sendMessage" and self._next:
                return self._next.pop(0)
            for method, chat_id, answer in self._rules:
                if call.method == method and chat_id in (None, call.chat_id):
                    return answer
        return ok

    def result(self, call):
        if call.method == "getMe":
            return {"id": 7311, "is_bot": True, "first_name": "Test", "username": BOT}
        if call.method == "sendMessage":
            chat = {"id": call.chat_id, "type": "private"}
            message = {"message_id": next(self._ids), "date": int(time.time()), "chat": chat}
            return {**message, "text": call.text}
        return True

    def sent(self, chat_id=None):
        """The calls of sendMessage (into that chat), whatever was answered."""
        with self._lock:
            return [c for c in self.calls if c.method == "sendMessage" and chat_id in (None, c.chat_id)]

    def shown(self, chat_id):
        """What the person sees in that chat: the messages that were really sent."""
        return [c for c in self.sent(chat_id) if c.done]


# ---------------------------------------------------------------- the product's side

_numbers = itertools.count(1)


def new_chat():
    """The id of a chat nobody has used."""
    return 5_000_000_000 + next(_numbers)


class Updates:
    """Telegram's side of the webhook."""

    def __init__(self, app):
        self.app = app

    def post(self, update, secret=SECRET):
        headers = {"Origin": None, "Sec-Fetch-Site": None}
        if secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        return self.app.client().post("/api/telegram/webhook", update, headers=headers)

    def message(self, chat_id, text, update_id=None, language="en", kind="private"):
        person = {"id": chat_id, "is_bot": False, "first_name": "P", "language_code": language}
        message = {
            "message_id": 1,
            "date": int(time.time()),
            "from": person,
            "chat": {"id": chat_id, "type": kind},
            "text": text,
        }
        return {"update_id": update_id or next_update(), "message": message}

    def start(self, chat_id, code=None, **kwargs):
        """Someone opens the bot, perhaps by a deep link; the update, taken in."""
        update = self.message(chat_id, f"/start {code}" if code else "/start", **kwargs)
        answer = self.post(update)
        assert answer.status == 200 and answer.body == b"", answer
        return update

    def membership(self, chat_id, status):
        """The person blocks ('kicked') or unblocks ('member') the bot."""
        kind = "private" if chat_id > 0 else "group"
        change = {
            "chat": {"id": chat_id, "type": kind},
            "from": {"id": abs(chat_id), "is_bot": False, "first_name": "P"},
            "date": int(time.time()),
            "old_chat_member": {"status": "member", "user": {"id": 7311, "is_bot": True}},
            "new_chat_member": {"status": status, "user": {"id": 7311, "is_bot": True}},
        }
        answer = self.post({"update_id": next_update(), "my_chat_member": change})
        assert answer.status == 200 and answer.body == b"", answer


_updates = itertools.count(int(time.time()) % 1_000_000 * 1000)


def next_update():
    return next(_updates)


def until(condition, seconds=120):
    """Waits for a condition to hold; its value. Fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def forget_pace(app):
    """Lets the next message into each chat go at once, as if a second had passed."""
    app.psql("UPDATE telegram_chats SET tried_at = NULL")


class Timer:
    """The instance's own timer of a job, held still so that only tests run the job."""

    def __init__(self, app, job):
        self._file = pathlib.Path(app.state) / "pids" / f"timer-{job}"
        self._group = int(until(self._read).split()[0])
        os.killpg(self._group, signal.SIGSTOP)

    def _read(self):
        return self._file.read_text() if self._file.exists() else ""

    def release(self):
        os.killpg(self._group, signal.SIGCONT)
