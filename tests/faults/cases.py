"""A call of a program that is made to fail, and what such calls need that no other program can spoil."""

import http.client
import json
import secrets
import uuid

from academy import hash_of

HANGS_S = 40  # an import may take 25 s (cgi/admin_import.c), other calls less


class Case:
    """A call of one program. prepare() makes its subject, call() is what fails."""

    status = 200
    effect = b""  # in a statement before the COMMIT with which it is done
    deprived = False  # of the database
    group = None  # of programs whose calls follow one another; None: those of the program

    def __init__(self, world):
        self.world, self.rig = world, world.rig

    @property
    def name(self):
        return type(self).__name__

    def prepare(self):
        return None

    def call(self, subject):
        raise NotImplementedError

    def is_right(self, answer):
        return answer.status == self.status

    def look(self, subject, answers):
        """After each call that may have failed."""

    def settle(self, subject, answers):
        """After the call was repeated until it was right."""


class Once(Case):
    """done() counts the effect of the calls for a subject, and holds it to be whole or not there."""

    again = None  # the status that says that it is done already
    adds = False  # each call that is done adds one
    subject, asked = None, 0

    def call(self, subject):
        self.asked = self.asked + 1 if subject is self.subject else 1
        self.subject = subject
        return self.ask(subject)

    def ask(self, subject):
        raise NotImplementedError

    def done(self, subject):
        raise NotImplementedError

    def tells(self, answer):
        """Whether what it says is true."""
        return True

    def is_right(self, answer):
        if answer.status == self.again:
            return self.asked > 1 and self.done(self.subject) == 1
        return answer.status == self.status and self.done(self.subject) > 0 and self.tells(answer)

    def look(self, subject, answers):
        told = sum(a.status == self.status for a in answers if a)
        least, most = (told, len(answers)) if self.adds else (told > 0, 1)
        assert least <= self.done(subject) <= most, (self.done(subject), [a and a.status for a in answers])

    def settle(self, subject, answers):
        assert self.done(subject) > 0

    def whole(self, query):
        """The one value that all columns of the query's row have."""
        row = self.rig.row(query)
        assert len(set(row.values())) == 1, row
        return next(iter(row.values()))


class Answer:
    def __init__(self, raw):
        self.status, self.headers, self.body = raw.status, raw.headers, raw.read()


def ask(rig, method, target, body=None, headers=None, client=None):
    """An answer, or None where there was none that is whole."""
    sent = {"Origin": rig.url, "Sec-Fetch-Site": "same-origin", **(headers or {})}
    if client:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=HANGS_S)
    try:
        connection.request(method, target, body, {k: v for k, v in sent.items() if v is not None})
        return Answer(connection.getresponse())
    except (http.client.HTTPException, ConnectionError):
        return None
    except TimeoutError as hang:
        raise AssertionError(f"{target} hangs") from hang
    finally:
        connection.close()


def is_own_word(answer):
    """Whether it is the program that says that it could not or does not know, and not nginx for one that says nothing."""
    return answer.status == 503 and json.loads(answer.body)["title"] in ("Try again shortly", "Outcome unknown, repeat it")


# ---------------------------------------------------------------- subjects


def a_class(rig, **fields):
    """What send-link answered of a class that has been opened."""
    sent = rig.send(**fields)
    rig.insist(lambda: opened(rig, sent))  # others make that program fail
    return sent


def opened(rig, sent):
    rig.tap(sent)
    assert rig.session(sent["session"]["id"])["session_status"] == "active"


def account(rig, joined=True):
    """A new teacher, with the password of the others if they have joined: id and address."""
    email = f"fault{uuid.uuid4()}@example.org"
    password = f"(SELECT password_hash FROM accounts WHERE id = {rig.teacher_id})" if joined else "NULL"
    made = rig.psql(
        "INSERT INTO accounts (role, name, email, password_hash)"
        f" VALUES ('teacher', 'Fault', '{email}', {password}) RETURNING id"
    )
    return int(made), email


def login(rig, account_id):
    """A browser in which the person is signed in."""
    client, token = rig.client(), secrets.token_urlsafe(32)
    rig.psql(f"INSERT INTO logins (token_hash, account_id) VALUES ({hash_of(token)}, {account_id})")
    client.cookies["login"] = token
    return client


def invitation(rig, account_id):
    token, later = secrets.token_urlsafe(32), "clock_now() + interval '1 day'"
    rig.psql(f"INSERT INTO invites (token_hash, account_id, expires_at) VALUES ({hash_of(token)}, {account_id}, {later})")
    return token


def chat_code(rig, student_id):
    code, later = secrets.token_urlsafe(32), "clock_now() + interval '1 day'"
    rig.psql(
        "INSERT INTO chat_codes (code_hash, student_id, made_by, expires_at)"
        f" VALUES ({hash_of(code)}, {student_id}, {rig.teacher_id}, {later})"
    )
    return code
