"""HTTP as bytes: what no client library would send, and every answer held to its headers."""

import http.client
import socket

# On every answer, whoever gives it; each once.
SECURITY_HEADERS = [
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
]


class Answer:
    def __init__(self, raw):
        self.status, self.headers, self.body = raw.status, raw.headers, raw.read()
        self.closes = raw.will_close

    @property
    def type(self):
        return (self.headers["Content-Type"] or "").split(";")[0]

    def __repr__(self):
        return f"{self.status} {self.type} {self.body[:300]!r}"


class Wire:
    """A connection to nginx. Answers are read in the order of the requests, as many as come."""

    def __init__(self, port, address="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120, source_address=(address, 0))
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass  # it has been refused already; the answer says why

    def read(self, method="GET"):
        """The next answer; None when the connection has ended. Interim answers are skipped."""
        try:
            if not self.stream.peek(1):
                return None
        except ConnectionError:
            return None
        raw = http.client.HTTPResponse(_Kept(self.stream), method=method)
        raw.begin()
        answer = Answer(raw)
        check_headers(answer)
        return answer


class _Kept:
    """What HTTPResponse takes for a socket; the stream stays open for the next answer."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, _mode):
        return self

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self):
        pass


def check_headers(answer):
    for name in SECURITY_HEADERS:
        assert len(answer.headers.get_all(name, [])) == 1, (name, answer)
    assert answer.headers["Server"] == "nginx", answer
    # Ours is read by nobody else's pages, and over plain http nothing is promised about https.
    for name in answer.headers:
        assert not name.lower().startswith("access-control-"), (name, answer)
    assert not answer.headers["Strict-Transport-Security"], answer


def request(target, method="GET", *lines, body=b""):
    """A plain request as bytes; target and lines may be bytes of any kind."""
    parts = [f"{method} ".encode(), as_bytes(target), b" HTTP/1.1\r\nHost: class.example.org\r\n"]
    parts += [as_bytes(line) + b"\r\n" for line in lines]
    if body:
        parts.append(b"Content-Length: %d\r\n" % len(body))
    return b"".join(parts) + b"\r\n" + body


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def ask(port, *requests, address="127.0.0.1"):
    """Sends the requests, one behind the other, in one connection; their answers, as many as come."""
    with Wire(port, address) as wire:
        wire.send(b"".join(requests))
        answers = [wire.read(r.split(b" ", 1)[0].decode()) for r in requests]
        return [answer for answer in answers if answer]
