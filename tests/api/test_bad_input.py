"""What bad input gets: every parameter and every field of every operation, given every wrong value.

What is wrong comes from docs/openapi.yaml, which test_openapi.py holds against the programs: a value
that a schema there does not allow must be refused by the name of the parameter or field, and nothing
may have changed. An operation without a row in GOOD fails here. Wrong methods: test_access.py.
"""

import datetime
import json
import re
import time
import urllib.parse
import uuid

import pytest

import zoom
from academy import ZOOM_URL
from openapi import CONTRACT

OPERATIONS = {operation["operationId"]: operation for _, _, operation in CONTRACT.operations()}
WHERE = {operation["operationId"]: (method.upper(), path) for path, method, operation in CONTRACT.operations()}
NOBODYS = 999_999_999

# Bodies and queries in which the sender may write what it likes; each has its own tests below.
TOLERANT = {"track", "trackHead", "teacherLeft", "zoomWebhook", "telegramWebhook"}


class Raw(str):
    """JSON as it is, where Python would write other JSON or none."""


# Values for fields. Those that the field's schema allows are left out.
VALUES = [
    None, True, False, [], [1], {}, {"id": 1}, 0, -1, 1.5, 200_000, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63), -(2**70),
    "", " ", "\t\n", "0", "12", "12abc", "null", "ENDED", "end,cancel", "usd", "US", "-1.00", "1e3", "1,00", "1.005", "NaN", "x" * 10_000,
    "é" * 10_000, "2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T10:60:00Z", "2026-01-31",
    "2025-02-29T00:00:00Z", "2026-01-31T10:00:00", "2026-01-31T10:00:00+03:00", "2026-01-31 10:00:00Z", "0000-01-01T00:00:00Z",
    "12345678-1234-1234-1234-12345678901", "12345678123412341234123456789012", "g2345678-1234-1234-1234-123456789012",
]  # fmt: skip
# What no field takes, whatever its kind.
NO_VALUES = [
    Raw('"a\\u0000b"'), Raw("NaN"), Raw("Infinity"), Raw("1e999"), Raw("-1e999"), Raw("0x10"), Raw("01"), Raw("'x'"), Raw("undefined"),
    Raw("9" * 400), Raw('"\\ud800"'), Raw('"\udcff"'), Raw('"\udcc0\udc80"'), Raw('"\udced\udca0\udc80"'), Raw("[" * 40 + "]" * 40),
]  # fmt: skip
# Values for parameters.
TEXTS = [
    " ", "0", "-1", "1.5", "+5", "12abc", "0x10", "1e3", " 5", "5 ", "٥", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "9" * 30, "true", "null", "red", "ENDED", "ended,sent", "CSV", "1 OR 1=1", "2026-02-30", "2025-02-29",
    "2026-00-10", "2026-13-01", "2026-04-31", "2026-1-1", "20260101", "0000-01-01", "10000-01-01", "2026-01-01T00:00:00Z", "today",
    "x" * 401, "A" * 64, "....",
]  # fmt: skip
# What no parameter takes: no text, or too long for a query of ours.
NO_TEXTS = ["%00", "a%00b", "%ff", "%c0%80", "%ed%a0%80", "%zz", "%", "%e2%82", "x" * 10_000]

# facts: what an allow-list of Zoom's hosts must refuse. tests/unit/test_zoom_url.c knows many more.
NOT_ZOOM = [
    "https://evilzoom.us/j/123456789", "https://zoom.us.evil.example/j/123456789", "https://zoom.us@evil.example/j/123456789",
    "https://user:word@zoom.us/j/123456789", "https:\\\\zoom.us/j/123456789", "https://zoom.us\\@evil.example/j/123456789",
    "//zoom.us/j/123456789", "https:////zoom.us/j/123456789", "https://zoom%2eus/j/123456789", "https://zoom.us%2f.evil.example/j/123456789",
    "https://zo\u043em.us/j/123456789", "https://zoom\u3002us/j/123456789", "https://xn--zom-gna.us/j/123456789", "http://zoom.us/j/123456789",
    "https://zoom.us:8443/j/123456789", "https://zoom.us/j/12345678", "https://zoom.us/j/123456789012", "https://zoom.us/",
    "https://zoom.us/s/123456789?zak=secret", "https://zoom.us/j/123456789?zak=secret", "zoommtg://zoom.us/join?confno=123456789",
    "javascript:alert(1)", "data:text/html,x", "https://zoom.us/j/123456789\r\nSet-Cookie: a=b", "https://zoom.us/j/123456789\n",
    " https://zoom.us/j/123456789", "https://zoom.us/j/123456789?pwd=\x7f", "https://zoom.us/j/123456789?pwd=" + "x" * 600,
    "https://zoom.us/j/123456789?pwd=<b>",
]  # fmt: skip


# ---------------------------------------------------------------- the table


class World:
    def __init__(self, app, admin, make_teacher, make_student, send):
        self.app, self.admin = app, admin
        self.known = None  # everything(), as it was a moment ago
        self.teacher, self.other = make_teacher(), make_teacher()
        self.student, self.others = make_student(self.teacher), make_student(self.other)
        self.sent = send(self.teacher, self.student)
        app.client().open(self.sent["join_url"])
        self.session = self.sent["session"]["id"]
        self.foreign = send(self.other, self.others)["session"]["id"]
        send(self.teacher, make_student(self.teacher))
        self.session_row = admin.get(f"/api/admin/session-events?session_id={self.session}")["session"]
        self.cursor = {
            person.role: person.get(path + "?limit=1")["next_cursor"]
            for person, path in ((admin, "/api/admin/teacher-sessions"), (self.teacher, "/api/teacher/sessions"))
        }

    def caller(self, name):
        (tag,) = OPERATIONS[name]["tags"]
        if name in ("login", "acceptInvite"):
            return self.app.client()
        return (self.teacher if tag == "teacher" else self.admin).client.fork()

    def call(self, name, values, raw="", **headers):
        """Makes the call with the values in its query or body, again if nginx says that these are too many."""
        answer = self.call_once(name, values, raw, headers)
        while answer.status == 429:
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.call_once(name, values, raw, headers)
        return answer

    def call_once(self, name, values, raw, headers):
        method, path = WHERE[name]
        if name == "cronSessionTimeout":
            headers = {"Authorization": f"Bearer {self.app.env['CRON_SECRET']}"}
        body = None
        if method == "GET":
            raw = "&".join(filter(None, [urllib.parse.urlencode(values), raw]))
        else:
            body = values if isinstance(values, bytes) else encoded(values)
        return self.caller(name).request(method, path + "?" * bool(raw) + raw, body, headers=headers)

    def everything(self):
        """All that the database holds, but for what goes on by itself: clocks of logins, runs of timers, and the node's
        row, which is written when a tap has been answered."""
        if not hasattr(self, "tables"):
            self.tables = self.app.psql(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'classclock'::regnamespace"
                " AND relname NOT IN ('job_runs', 'nodes') ORDER BY 1"
            ).split()
            assert len(self.tables) > 20
        parts = (
            f"SELECT '{table}', count(*) || ' ' || sum(hashtextextended(({columns(table)})::text, 0)::numeric) FROM {table} t"
            for table in self.tables
        )
        return dict(line.split("|") for line in self.app.psql(" UNION ALL ".join(parts)).split("\n"))


def columns(table):
    return "(t.token_hash, t.account_id)" if table == "logins" else "t"


def encoded(values):
    """A body. What Python calls a surrogate escape stands for a byte that is no UTF-8."""
    members = (f"{json.dumps(k)}:{v if isinstance(v, Raw) else json.dumps(v)}" for k, v in values.items())
    return ("{" + ",".join(members) + "}").encode("utf-8", "surrogateescape")


@pytest.fixture(scope="module", name="w")
def world(app, admin, make_teacher, make_student, send):
    return World(app, admin, make_teacher, make_student, send)


def lists(**more):
    return lambda w: [{"q": "a", "limit": 5, **more}]


def sessions(role, **more):
    def make(w):
        usual = {"status": "active", "student_id": w.student["id"], "package_id": "Europe", "q": "a", "limit": 5, **more}
        if role == "admin":
            usual["teacher_id"] = w.teacher.id
        return [
            {**usual, "from": "2026-01-01", "to": "2026-01-31"},
            {"date": "2026-01-31", "cursor": w.cursor[role]},
            {"days": 7},
        ]

    return make


def student(w):
    return {
        "name": "A", "teacher_id": w.teacher.id, "package_id": "Europe", "language": "en", "telegram_chat_id": 5,
        "zoom_url": ZOOM_URL, "note": "x",
    }  # fmt: skip


PACKAGE = {"duration_minutes": 60, "buffer_minutes": 10, "rate": "1.00", "currency": "USD"}


def actions(w):
    act = {"session_id": w.session, "reason": "as agreed"}
    start, end = w.session_row["clicked_at"], w.session_row["times_out_at"]
    return [
        {**act, "action": "correct", "clicked_at": start, "session_ended_at": end},
        {**act, "action": "reopen", "clicked_at": start, "times_out_at": end},
        {**act, "action": "end"},
        {**act, "action": "cancel", "session_status": "active"},
    ]


# Complete and right values of each operation, once or in several combinations.
GOOD = {
    "adminSessions": sessions("admin", format="json"),
    "adminSession": actions,
    "adminSessionEvents": lambda w: [{"session_id": w.session}],
    "adminAutoTimeout": lambda w: [{"dry_run": True}],
    "cronSessionTimeout": lambda w: [{}],
    "adminTeachers": lists(),
    "createTeacher": lambda w: [{"name": "A", "email": "bad-input@example.org"}],
    "changeTeacher": lambda w: [
        {"id": w.other.id, "name": "A", "email": "bad-input@example.org", "disabled": True, "invite": True}
    ],
    "adminStudents": lambda w: [{"teacher_id": w.teacher.id, "q": "a", "limit": 5}],
    "createStudent": lambda w: [{**student(w), "request_id": str(uuid.uuid4())}],
    "changeStudent": lambda w: [{"id": w.student["id"], **student(w), "disabled": True}],
    "adminPackages": lists(),
    "createPackage": lambda w: [{"name": "Bad input", **PACKAGE}],
    "changePackage": lambda w: [{"id": "Europe", **PACKAGE, "retired": True}],
    "settings": lambda w: [{}],
    "changeSettings": lambda w: [
        {"name": "A", "time_zone": "UTC", "currency": "EUR", "default_duration_minutes": 1, "default_buffer_minutes": 1, "link_hours": 1}
    ],
    "attention": lambda w: [{"kind": "unopened", "limit": 5}],
    "trends": lambda w: [{"from": "2026-01-01", "to": "2026-01-31", "format": "json"}],
    "import": lambda w: [{"kind": "teachers", "csv": "name,email\nA,bad-input@example.org\n", "dry_run": False}],
    "adminStudentLink": lambda w: [{"student_id": w.student["id"]}],
    "adminTeacherLink": lambda w: [{"teacher_id": w.teacher.id}],
    "ownStudentLink": lambda w: [{"student_id": w.student["id"]}],
    "ownTeacherLink": lambda w: [{}],
    "deliveries": lambda w: [
        {"session_id": w.session, "student_id": w.student["id"], "state": "sent", "limit": 5, "cursor": w.cursor["admin"]}
    ],
    "zoomInbox": lambda w: [{"state": "all", "session_id": w.session, "limit": 5}],
    "assignMeeting": lambda w: [{"uuid": "x", "session_id": w.session, "reason": "as agreed"}],
    "ownStudents": lists(),
    "ownSessions": sessions("teacher"),
    "sendLink": lambda w: [{"student_id": w.student["id"], "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}],
    "ownSession": lambda w: [{"session_id": w.session}],
    "teacherSession": lambda w: [
        {"session_id": w.session, "action": "zoom_url", "reason": "x", "zoom_url": ZOOM_URL},
        {"session_id": w.session, "action": "end"},
        {"session_id": w.session, "action": "cancel", "session_status": "active"},
    ],
    "attendance": lambda w: [{"session_id": w.session, "attendance": "late", "note": "x"}],
    "login": lambda w: [{"email": "bad-input@example.org", "password": "a quiet river 7"}],
    "logout": lambda w: [{}],
    "acceptInvite": lambda w: [{"token": "x", "password": "a quiet river 7"}],
    "changePassword": lambda w: [{"current_password": w.admin.password, "new_password": "a quiet river 7"}],
    "me": lambda w: [{}],
    "healthz": lambda w: [{}],
    "metrics": lambda w: [{}],
}  # fmt: skip

READING = sorted(name for name in GOOD if WHERE[name][0] == "GET")
CHANGING = sorted(set(GOOD) - set(READING))


def parameters(name):
    return {p["name"]: CONTRACT.resolve(p["schema"]) for p in CONTRACT.parameters(OPERATIONS[name])}


def fields(name):
    return CONTRACT.fields(OPERATIONS[name]).get("properties", {})


def test_every_operation_has_its_row_with_all_that_it_takes(w):
    assert set(GOOD) | TOLERANT == set(OPERATIONS)
    for name, good in GOOD.items():
        given = set().union(*good(w))
        assert given == set(parameters(name)) | set(fields(name)), name


def is_day_or_moment(schema):
    return "[0-9]{4}-[0-9]{2}-[0-9]{2}" in json.dumps(schema)


def is_in_the_calendar(value):
    try:
        datetime.datetime.fromisoformat(value.replace("Z", ""))
        return True
    except ValueError:
        return False


def is_wrong(schema, value):
    """Whether the contract does not allow a value here."""
    if isinstance(value, str) and is_day_or_moment(schema) and not is_in_the_calendar(value):
        return True
    return bool(CONTRACT.errors(schema, value))


def is_wrong_text(schema, text):
    """The same of a parameter, which is text."""
    if schema.get("type") == "integer":
        return not re.fullmatch("[0-9]+", text) or is_wrong(schema, int(text))
    return is_wrong(schema, text)


@pytest.fixture(name="nothing_changes")
def nothing_changes_meanwhile(w, request):
    """What is there after a test that went well is there before the next one, if that is such a test too."""
    before, w.known, failed = w.known or w.everything(), None, request.session.testsfailed
    yield
    after = w.everything()
    assert {table for table in before if before[table] != after[table]} == set()
    if request.session.testsfailed == failed:  # else a call of it may still go on
        w.known = after


@pytest.fixture(autouse=True)
def others_may_change_it(w, request):
    if "nothing_changes" not in request.fixturenames:
        w.known = None


def assert_refused(answer, *names):
    assert answer.status == 400 and answer.field in names, answer


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("name", READING)
def test_a_wrong_parameter_is_refused_by_name(w, nothing_changes, name):
    for good in GOOD[name](w):
        for parameter in good:
            schema = parameters(name)[parameter]
            wrong = [text for text in TEXTS if is_wrong_text(schema, text)]
            assert wrong, parameter
            for text in wrong:
                assert_refused(w.call(name, {**good, parameter: text}), parameter)
            others = {k: v for k, v in good.items() if k != parameter}
            for text in NO_TEXTS:
                answer = w.call(name, others, f"{parameter}={text}")
                assert answer.status == 414 or answer.status == 400 and answer.field in (parameter, "query"), answer
            assert_refused(w.call(name, good, f"{parameter}={good[parameter]}"), parameter)  # twice
        assert_refused(w.call(name, good, "color=red"), "color")
        assert_refused(w.call(name, good, "color=red&color=red"), "color")
        assert_refused(w.call(name, good, "&".join(f"p{n}=1" for n in range(100))), "query", *(f"p{n}" for n in range(100)))
        assert w.call(name, good, "x" * 10_000 + "=1").status in (400, 414)
        for text in ("%ff=1", "%00=1", "=1"):
            assert w.call(name, good, text).status == 400


@pytest.mark.parametrize("name", [name for name in READING if {"from", "to"} <= set(parameters(name))])
def test_a_span_that_ends_before_it_begins_is_refused(w, name):
    (good,) = [good for good in GOOD[name](w) if "from" in good]
    assert_refused(w.call(name, {**good, "from": "2026-02-01", "to": "2026-01-31"}), "from", "to")


NEEDY = [name for name in READING if any(p.get("required") for p in CONTRACT.parameters(OPERATIONS[name]))]


@pytest.mark.parametrize("name", NEEDY)
def test_what_must_be_asked_for_is_asked_for_by_name(w, name):
    (good,) = GOOD[name](w)
    for parameter in good:
        assert_refused(w.call(name, {}), parameter)
        assert_refused(w.call(name, {parameter: ""}), parameter)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def flips(text):
    """Base64url with each of its bits turned over, those that no byte keeps included."""
    for i, letter in enumerate(text):
        for bit in range(6):
            yield text[:i] + ALPHABET[ALPHABET.index(letter) ^ 1 << bit] + text[i + 1 :]


def respellings(text):
    """Base64url of nearly the same bytes, as a decoder that is not strict would take it."""
    yield from (text + "=", text + "A", text[:-1], text + "%0A", "%20" + text, text[:9] + "%0A" + text[9:], text + "%00", text + "==")


@pytest.mark.parametrize("name", [name for name in READING if "cursor" in parameters(name)])
def test_a_cursor_that_was_touched_is_refused(w, name):
    cursor = w.cursor[OPERATIONS[name]["tags"][0]]
    assert w.call(name, {"cursor": cursor}).status == 200
    for other in [*flips(cursor), *respellings(cursor), cursor[1:], cursor[::-1], cursor.swapcase(), "A" * 43]:
        assert_refused(w.call(name, {}, f"cursor={other}"), "cursor")


# ---------------------------------------------------------------- changing


@pytest.mark.parametrize("name", CHANGING)
def test_a_wrong_field_is_refused_by_name(w, nothing_changes, name):
    schemas = fields(name)
    required = CONTRACT.fields(OPERATIONS[name]).get("required", ())
    for good in GOOD[name](w):
        for field in good:
            wrong = [value for value in VALUES if is_wrong(schemas[field], value)]
            assert len(wrong) > 10, field
            for value in wrong:
                assert_refused(w.call(name, {**good, field: value}), field)
            for value in NO_VALUES:
                assert_refused(w.call(name, {**good, field: value}), field, "body")
            if field in required:
                assert_refused(w.call(name, {k: v for k, v in good.items() if k != field}), field)
        for unknown in ("color", "id ", "ID", "x" * 10_000, "é\u0001\n"):
            assert_refused(w.call(name, {**good, unknown: 1}), unknown)
        assert_refused(w.call(name, {**good, **{f"f{n}": 1 for n in range(100)}}), "body")


@pytest.mark.parametrize("name", CHANGING)
def test_a_body_that_is_none_is_refused(w, nothing_changes, name):
    good = encoded(GOOD[name](w)[0])
    for body in (b"[]", b"1", b'"x"', b"null", b"{", b"}", good[:-1], good + b"x", good + good, good + b"\0", b"\0" + good,
                 b"\xef\xbb\xbf" + good, b"\xff" + good, b"/* */" + good, good.replace(b'"', b"'") if b'"' in good else b"{'a':1}",
                 b"{,}", b'{"a":1,}', b"[" * 30_000, b'{"a":' * 20 + b"1" + b"}" * 20, b"a=1"):  # fmt: skip
        assert_refused(w.call(name, body), "body")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp", "text/json"):
        answer = w.call(name, good, **{"Content-Type": kind})
        assert answer.status == 415, (kind, answer)
    cap = 1_100_000 if name == "import" else 65_536
    for body in (good + b" " * cap, b"x" * 2 * cap):
        assert w.call(name, body).status == 413
    assert_refused(w.call(name, good, "x=1"), "query")


# Fields that say which, and are nobody's.
IDS = [
    (name, field) for name in CHANGING for field in fields(name) if field in ("id", "session_id", "student_id", "teacher_id", "package_id")
]  # fmt: skip


@pytest.mark.parametrize("name, field", IDS)
def test_an_id_that_nobody_has_is_not_found(w, nothing_changes, name, field):
    for good in GOOD[name](w):
        if field not in good:
            continue
        for wanted in ("Atlantis",) if isinstance(good[field], str) else (NOBODYS, 2**62):
            answer = w.call(name, {**good, field: wanted})
            bot_first = name.endswith("Link") and name != "sendLink"  # without one there is no link, whoever asks
            assert answer.status == 404 or bot_first and answer.status == 409, answer
            of_both = {"uuid", field} if name == "assignMeeting" else {field}  # the meeting is looked for first
            assert answer.status == 409 or answer.field in of_both, answer


@pytest.mark.parametrize("name", [n for n in GOOD if OPERATIONS[n]["tags"] == ["teacher"] and n not in ("ownStudents", "ownSessions")])
def test_an_id_of_somebody_else_looks_like_nobodys(w, nothing_changes, name):
    theirs = {"session_id": w.foreign, "student_id": w.others["id"]}
    for good in GOOD[name](w):
        for field in set(good) & set(theirs):
            answer, nobodys = (w.call(name, {**good, field: wanted}) for wanted in (theirs[field], NOBODYS))
            assert (answer.status, answer.body) == (nobodys.status, nobodys.body), answer
            assert answer.status in (404, 409), answer


@pytest.mark.parametrize("name", [name for name in CHANGING if "zoom_url" in fields(name)])
def test_a_link_that_does_not_join_at_zoom_is_refused(w, nothing_changes, name):
    (good,) = [good for good in GOOD[name](w) if "zoom_url" in good]
    for url in NOT_ZOOM:
        assert_refused(w.call(name, {**good, "zoom_url": url}), "zoom_url")


# ---------------------------------------------------------------- secrets in links and headers


def test_a_leave_link_that_was_touched_ends_nothing(w, nothing_changes):
    """Each bit of the signature, other spellings, other numbers, and parameters twice, missing or more."""
    link = w.sent["leave_url"]
    path, query = link[len(w.app.url) :].split("?")
    session, exp, sig = (part.split("=")[1] for part in query.split("&"))
    touched = [f"session={session}&exp={exp}&sig={other}" for other in [*flips(sig), *respellings(sig), "", "A" * 43, sig * 2]]
    for other in (int(session) + 1, f"0{session}", f"+{session}", f"{session}.0", f"{session}abc", f"{session}%00", 2**63, 2**64 + int(session), -1):
        touched.append(f"session={other}&exp={exp}&sig={sig}")
    for other in (int(exp) + 1, int(exp) - 1, f"0{exp}", f"{exp}abc", 2**63, 2**64 + int(exp), "", -1):
        touched.append(f"session={session}&exp={other}&sig={sig}")
    touched += [
        f"session={session}&exp={exp}", f"exp={exp}&sig={sig}", f"session={session}&sig={sig}", "",
        f"{query}&session={session}", f"{query}&exp={exp}", f"{query}&sig={sig}", f"{query}&color=red", f"{query}&x",
    ]  # fmt: skip
    client = w.app.client()
    for other in touched:
        answer = client.open(f"{w.app.url}{path}?{other}")
        assert answer.status in (400, 403), (other, answer)
        assert answer.type == "text/html" and "<h1>" in answer.text


def test_a_join_link_takes_no_more_than_its_length(w, nothing_changes):
    token = w.sent["join_url"].split("token=")[1]
    for other in (token + "A" * 10_000, "A" * 10_000, "%00" * 1000, "%ff%fe", token + "%00", f"{token[:40]}%00{token[40:]}"):
        for method in ("GET", "HEAD"):
            answer = w.app.client().open(f"{w.app.url}/api/zoom/track?token={other}", method)
            assert answer.status in (404, 414) and not answer.headers["Location"], answer


def test_zooms_signature_counts_to_the_last_bit(w, nothing_changes):
    body = json.dumps({"event": "meeting.ended", "event_ts": 1}).encode()
    good = zoom.sign(body)
    mac = good["x-zm-signature"]
    client = w.app.client()
    for i, letter in enumerate(mac):
        for bit in range(7):
            other = chr(ord(letter) ^ 1 << bit)
            if "!" <= other <= "~":
                forged = {**good, "x-zm-signature": mac[:i] + other + mac[i + 1 :]}
                answer = client.request("POST", zoom.WEBHOOK, body, headers=forged)
                assert answer.status == 401, (forged, answer)


def other_texts(secret):
    """Nearly the secret: a bit turned over in each letter, shorter, longer, twice."""
    for i, letter in enumerate(secret):
        yield secret[:i] + chr(ord(letter) ^ 1) + secret[i + 1 :]
        yield secret[:i] + letter.swapcase() + secret[i + 1 :] if letter.isalpha() else secret + letter
    yield from (secret[:-1], secret + "x", secret * 2, f"{secret},{secret}", "", "x" * 7000)


def test_the_jobs_secret_counts_to_the_last_bit(w, nothing_changes):
    secret = w.app.env["CRON_SECRET"]
    client = w.app.client()
    for other in [f"Bearer {text}" for text in other_texts(secret)] + [secret, f"Basic {secret}", f"Bearer  {secret}x", f"bearer={secret}"]:
        answer = client.get("/api/cron/session-timeout", headers={"Authorization": other})
        assert answer.status == 401, (other, answer)
    assert client.get("/api/cron/session-timeout").status == 401


def test_a_login_counts_to_the_last_bit(w, nothing_changes):
    """The cookie, for reading and for changing; the invitation alike."""
    ((cookie, token),) = w.teacher.client.cookies.items()
    for other in [*flips(token), token[:-1], token + "A", token * 2, "x" * 3000, token.swapcase()]:
        browser = w.app.client()
        browser.cookies = {cookie: other}
        assert browser.get("/api/auth/me").status == 401, other
    browser.cookies = {cookie: token[:-1] + "."}
    for name in CHANGING:
        if OPERATIONS[name]["tags"] in (["admin"], ["teacher"]):
            method, path = WHERE[name]
            assert browser.request(method, path, encoded(GOOD[name](w)[0])).status == 401, name


def test_an_invitation_counts_to_the_last_bit(w):
    made = w.admin.post("/api/admin/teachers", {"name": "A", "email": f"{uuid.uuid4()}@example.org"})
    token = made["invite_url"].split("#")[1]
    before = w.everything()
    one_a_letter = [other for n, other in enumerate(flips(token)) if n % 6 == n // 6 % 6]
    for other in [*one_a_letter, token + "A", token[:-1], token + "=", " " + token, token + "\n"]:
        answer = w.call("acceptInvite", {"token": other, "password": "a quiet river 7"})
        assert answer.status == 404, (other, answer)
    assert w.everything() == before
    assert w.call("acceptInvite", {"token": token, "password": "a quiet river 7"}).status == 200
