"""Zoom's REST API as far as the product calls it, with every failure on demand."""

import base64
import http.server
import json
import re
import threading
import time
import urllib.parse

ACCOUNT, CLIENT, CLIENT_SECRET = "AcctSynthetic", "client-1", "client-secret-1"


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # with five a second call beside others waits for TCP to ask again


class Rest:
    """A server that remembers its calls. plan holds what shall become of the next creates, in order:

    ok            made and answered
    401           the token is not valid (code 124), until another is fetched
    429           too many in this second
    429 daily     the account's day is used up
    429 user      the user's 100 creates of the day are used up
    404           no such user (code 1001)
    400           refused
    500, reset, slow, cut, html, no json     not made, and no answer to use
    500 made, reset made, slow made, ...     made all the same
    evil          made, with a join link that leads elsewhere
    """

    SLOW = 7  # seconds; longer than a caller waits

    def __init__(self):
        self.lock = threading.Lock()
        self.forget()
        rest = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

            def do_GET(self):
                rest.serve(self, "GET")

            def do_POST(self):
                rest.serve(self, "POST")

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def forget(self):
        self.plan, self.lists, self.tokens, self.calls = [], [], [], []
        self.meetings = {}
        self.oauth = "ok"  # or: refused, down, slow
        self.made = threading.Event()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def env(self):
        base = f"http://127.0.0.1:{self.port}"
        return [
            f"ZOOM_ACCOUNT_ID={ACCOUNT}",
            f"ZOOM_CLIENT_ID={CLIENT}",
            f"ZOOM_CLIENT_SECRET={CLIENT_SECRET},client-secret-0",
            f"ZOOM_API_BASE={base}/v2",
            f"ZOOM_OAUTH_BASE={base}",
        ]

    def called(self, method, pattern):
        return [call for call in self.calls if call[0] == method and re.fullmatch(pattern, call[1])]

    @property
    def creates(self):
        return self.called("POST", "/v2/users/.*/meetings")

    # ------------------------------------------------------------ answers

    def serve(self, request, method):
        length = int(request.headers["Content-Length"] or 0)
        body = request.rfile.read(length)
        url = urllib.parse.urlsplit(request.path)
        with self.lock:
            self.calls.append((method, url.path, url.query, body, dict(request.headers)))
        if url.path == "/oauth/token":
            return self._token(request, url.query)
        with self.lock:
            valid = request.headers["Authorization"] == f"Bearer {(self.tokens or [None])[-1]}"
        if not valid:
            return self._json(request, 401, {"code": 124, "message": "Invalid access token."})
        if method == "POST":
            return self._create(request, urllib.parse.unquote(url.path.split("/")[3]), json.loads(body))
        if url.path.startswith("/v2/meetings/"):
            return self._json(request, 200, self.meetings[int(url.path.split("/")[-1])])
        return self._list(request)

    def _token(self, request, query):
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        asked = urllib.parse.parse_qs(query)
        right = asked == {"grant_type": ["account_credentials"], "account_id": [ACCOUNT]}
        if self.oauth == "down":
            return self._hang_up(request)
        if self.oauth == "slow":
            time.sleep(self.SLOW)
            return self._hang_up(request)
        if self.oauth == "refused" or request.headers["Authorization"] != expected or not right:
            problem = {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
            return self._json(request, 400, problem)
        with self.lock:
            self.tokens.append(f"token-{len(self.tokens) + 1}")
            token = self.tokens[-1]
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 3599, "scope": "x"}
        return self._json(request, 200, answer)

    def _make(self, user, wish, join_url=None):
        with self.lock:
            number = 84500000001 + len(self.meetings)
            self.meetings[number] = {
                **wish,
                "id": number,
                "uuid": "mE+/x1234567890123456A==",
                "host_id": "Host" + re.sub(r"\W", "", user) if "@" in user else user,
                "join_url": join_url or f"https://us05web.zoom.us/j/{number}?pwd=Q9.1",
                "start_url": f"https://us05web.zoom.us/s/{number}?zak=SECRET-HOST-KEY-{number}",
            }
        self.made.set()
        return self.meetings[number]

    def _create(self, request, user, wish):
        with self.lock:
            what = self.plan.pop(0) if self.plan else "ok"
        meeting = None
        if what in ("ok", "evil") or what.endswith(" made"):
            join_url = "https://evilzoom.us/j/84500000001" if what == "evil" else None
            meeting = self._make(user, wish, join_url)
        what = what.removesuffix(" made")
        if what in ("ok", "evil"):
            return self._json(request, 201, meeting)
        if what == "401":
            with self.lock:
                self.tokens.append("nobody's")
            return self._json(request, 401, {"code": 124, "message": "Invalid access token."})
        if what.startswith("429"):
            return self._limit(request, what)
        if what == "404":
            return self._json(request, 404, {"code": 1001, "message": f"User does not exist: {user}."})
        if what == "400":
            return self._json(request, 400, {"code": 300, "message": "Invalid field."})
        return self._break(request, what)

    def _limit(self, request, what):
        headers, text = {"X-RateLimit-Type": "QPS"}, "You have reached the maximum per-second rate limit"
        if what == "429 daily":
            tomorrow = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 86400))
            headers = {"X-RateLimit-Type": "Daily-limit", "Retry-After": tomorrow}
            text = "You have reached the maximum daily rate limit"
        if what == "429 user":
            text = "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests"
        self._json(request, 429, {"code": 429, "message": text}, headers)

    def _list(self, request):
        with self.lock:
            what = self.lists.pop(0) if self.lists else "ok"
            names = ("id", "topic", "join_url", "start_time", "uuid", "host_id", "type")
            listed = [{n: m.get(n) for n in names} for m in self.meetings.values()]
        if what != "ok":
            return self._break(request, what)
        return self._json(request, 200, {"page_size": 300, "meetings": listed})

    def _break(self, request, what):
        if what == "slow":
            time.sleep(self.SLOW)
        if what == "500":
            return self._json(request, 500, {"code": 500, "message": "Internal error"})
        if what == "html":
            return self._send(request, 502, "text/html", b"<html>Bad gateway</html>")
        if what == "no json":
            return self._send(request, 201, "application/json", b'{"id": 845')
        if what == "cut":
            request.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n{")
        return self._hang_up(request)

    def _hang_up(self, request):
        request.close_connection = True
        request.connection.close()

    def _json(self, request, status, body, headers=()):
        self._send(request, status, "application/json", json.dumps(body).encode(), dict(headers))

    def _send(self, request, status, type_, body, headers=()):
        try:
            request.send_response(status)
            request.send_header("Content-Type", type_)
            request.send_header("Content-Length", str(len(body)))
            for name, value in dict(headers).items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass  # the caller did not wait
