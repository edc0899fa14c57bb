"""Who may call what: every endpoint × {nobody, teacher, another teacher, admin}, in one table.

An endpoint that nginx or cgi/ knows and ENDPOINTS does not fails here: add its row.
"""

import re
import uuid

import pytest

from academy import ROOT, ZOOM_URL

ACTORS = ["nobody", "teacher", "other", "admin"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# What the four get. A set: any of these.
ANYONE = (200, 200, 200, 200)
SIGNED_IN = (401, 200, 200, 200)
ADMIN = (401, 403, 403, 200)
TEACHER = (401, 200, 200, 403)  # each sees the own
OWNER = (401, 200, 404, 403)
REFUSED = (401, 401, 401, 401)  # a secret decides, and a login is none


def made(outcome):
    """The same, where success is 201."""
    return tuple(201 if status == 200 else status for status in outcome)


class World:
    """What the calls are about: a teacher with a student, and another teacher."""

    def __init__(self, make_teacher, make_student, send, app, admin):
        self.teacher, self.other = make_teacher(), make_teacher()
        self.student = make_student(self.teacher)
        self.people = {"nobody": app.client(), "teacher": self.teacher, "other": self.other, "admin": admin}
        self._send = send

    def session(self):
        return self._send(self.teacher, self.student)["session"]["id"]

    def browser(self, actor, path=None):
        """A browser of the actor's, with a login of its own where the call ends it."""
        person = self.people[actor]
        if actor == "nobody":
            return person.fork()
        return person.sign_in() if path == "/api/auth/logout" else person.client.fork()


@pytest.fixture(scope="module")
def world(make_teacher, make_student, send, app, admin):
    return World(make_teacher, make_student, send, app, admin)


def wish(world):
    return {"student_id": world.student["id"], "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}


def new_package(world):
    return {"name": str(uuid.uuid4()), "duration_minutes": 60, "buffer_minutes": 10, "rate": None, "currency": "USD"}


def new_student(world):
    return {"name": "Access", "teacher_id": world.teacher.id, "package_id": None}


def new_teacher(world):
    return {"name": "Access", "email": f"{uuid.uuid4()}@example.org"}


# Path, method, what the four get, and the call: a query for GET, else a body (called with the world).
ENDPOINTS = [
    ("/api/zoom/track", "GET", (404,) * 4, lambda w: {"token": "A" * 80}),
    ("/api/zoom/teacher-left", "GET", ({400, 403},) * 4, lambda w: {"session": w.session(), "exp": 1, "sig": "A" * 43}),
    ("/api/zoom/webhook", "POST", ({401, 404},) * 4, lambda w: {"event": "meeting.ended"}),
    ("/api/telegram/webhook", "POST", ({401, 403, 404},) * 4, lambda w: {"update_id": 1}),
    ("/api/admin/teacher-sessions", "GET", ADMIN, lambda w: {}),
    ("/api/admin/auto-timeout", "POST", ADMIN, lambda w: {}),
    ("/api/cron/session-timeout", "GET", REFUSED, lambda w: {}),
    ("/api/admin/session", "POST", ADMIN, lambda w: {"session_id": w.session(), "action": "cancel", "reason": "access"}),
    ("/api/admin/session-events", "GET", ADMIN, lambda w: {"session_id": w.session()}),
    ("/api/admin/teachers", "GET", ADMIN, lambda w: {}),
    ("/api/admin/teachers", "POST", made(ADMIN), new_teacher),
    ("/api/admin/teachers", "PATCH", ADMIN, lambda w: {"id": w.teacher.id}),
    ("/api/admin/students", "GET", ADMIN, lambda w: {}),
    ("/api/admin/students", "POST", made(ADMIN), new_student),
    ("/api/admin/students", "PATCH", ADMIN, lambda w: {"id": w.student["id"]}),
    ("/api/admin/packages", "GET", ADMIN, lambda w: {}),
    ("/api/admin/packages", "POST", made(ADMIN), new_package),
    ("/api/admin/packages", "PATCH", ADMIN, lambda w: {"id": "Europe"}),
    ("/api/admin/settings", "GET", ADMIN, lambda w: {}),
    ("/api/admin/settings", "PATCH", ADMIN, lambda w: {}),
    ("/api/admin/attention", "GET", ADMIN, lambda w: {}),
    ("/api/admin/trends", "GET", ADMIN, lambda w: {}),
    ("/api/admin/zoom-inbox", "GET", ADMIN, lambda w: {}),
    ("/api/admin/zoom-inbox", "POST", (401, 403, 403, 404), lambda w: {"uuid": "x", "session_id": None, "reason": "access"}),
    ("/api/admin/deliveries", "GET", ADMIN, lambda w: {}),
    ("/api/admin/student-link", "POST", (401, 403, 403, 409), lambda w: {"student_id": w.student["id"]}),  # no bot here
    ("/api/admin/teacher-link", "POST", (401, 403, 403, 409), lambda w: {"teacher_id": w.teacher.id}),
    ("/api/teacher/student-link", "POST", (401, 409, 409, 403), lambda w: {"student_id": w.student["id"]}),
    ("/api/teacher/teacher-link", "POST", (401, 409, 409, 403), lambda w: {}),
    ("/api/admin/import", "POST", ADMIN, lambda w: {"kind": "teachers", "csv": "name,email\nA,b", "dry_run": True}),
    ("/api/teacher/students", "GET", TEACHER, lambda w: {}),
    ("/api/teacher/sessions", "GET", TEACHER, lambda w: {}),
    ("/api/teacher/send-link", "POST", made(OWNER), wish),
    ("/api/teacher/session", "GET", OWNER, lambda w: {"session_id": w.session()}),
    ("/api/teacher/session", "POST", OWNER, lambda w: {"session_id": w.session(), "action": "cancel"}),
    ("/api/teacher/attendance", "POST", OWNER, lambda w: {"session_id": w.session(), "attendance": "present"}),
    ("/api/auth/login", "POST", (401,) * 4, lambda w: {"email": "access@example.org", "password": "wrong"}),
    ("/api/auth/logout", "POST", ANYONE, lambda w: {}),
    ("/api/auth/accept-invite", "POST", (404,) * 4, lambda w: {"token": "x", "password": "a quiet river 7"}),
    ("/api/auth/password", "POST", (401, 400, 400, 400), lambda w: {"current_password": "wrong", "new_password": "a quiet river 8"}),
    ("/api/auth/me", "GET", SIGNED_IN, lambda w: {}),
    ("/healthz", "GET", (200,) * 4, lambda w: {}),
    ("/metrics", "GET", (200,) * 4, lambda w: {}),
]  # fmt: skip

# Programs that no browser calls: a signature or secret stands for who it is.
NO_BROWSER = {"/api/zoom/webhook", "/api/telegram/webhook"}


def program_of(path):
    return path.removeprefix("/api/").strip("/").replace("/", "_").replace("-", "_")


def is_made(path):
    return (ROOT / "cgi" / f"{program_of(path)}.c").exists()


def rows():
    return [row for row in ENDPOINTS if is_made(row[0])]


def methods_of(path):
    return [method for known, method, *_ in ENDPOINTS if known == path]


def call(world, browser, method, path, content, **kwargs):
    values = content(world)
    if method != "GET":
        return browser.request(method, path, values, **kwargs)
    query = "&".join(f"{name}={value}" for name, value in values.items())
    return browser.get(path + "?" * bool(query) + query, **kwargs)


# ---------------------------------------------------------------- the table is whole


def test_every_endpoint_of_nginx_has_a_row():
    site = (ROOT / "nginx" / "site.conf").read_text()
    served = re.findall(r"location = (\S+) \{[^}]*fastcgi_pass", site)
    assert len(served) > 20
    assert set(served) == {path for path, *_ in ENDPOINTS}


def test_every_program_has_a_row():
    programs = {path.stem for path in (ROOT / "cgi").glob("*.c")}
    assert programs <= {program_of(path) for path, *_ in ENDPOINTS}


def test_every_method_of_a_program_has_a_row():
    for path in {row[0] for row in rows()}:
        source = (ROOT / "cgi" / f"{program_of(path)}.c").read_text()
        served = set(re.findall(r'\{ "([A-Z]+)", \w+ \}', source))
        assert served - {"HEAD"} == set(methods_of(path)), path


# ---------------------------------------------------------------- who gets in


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("path, method, outcome, content", rows(), ids=lambda v: v if isinstance(v, str) else "")
def test_gets_in_or_not(app, world, actor, path, method, outcome, content):
    app.psql("DELETE FROM login_attempts")
    expected = outcome[ACTORS.index(actor)]
    answer = call(world, world.browser(actor, path), method, path, content)
    assert answer.status in (expected if isinstance(expected, set) else {expected}), answer


@pytest.mark.parametrize("path", sorted({row[0] for row in rows()}))
def test_other_methods_are_not_allowed(world, path):
    allowed = set(methods_of(path))
    for actor in ("nobody", "admin"):
        for method in METHODS:
            if method in allowed:
                continue
            answer = world.browser(actor).request(method, path, None if method in ("GET", "HEAD", "OPTIONS") else {})
            if method == "HEAD" and answer.status != 405:  # may be GET's headers, where GET is allowed
                assert "GET" in allowed
                continue
            assert answer.status == 405, answer
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize(
    "path, method, content",
    [(p, m, c) for p, m, _, c in rows() if m != "GET" and p not in NO_BROWSER],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_page_of_another_site_changes_nothing(world, path, method, content):
    for actor in ("admin", "teacher"):
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
            {"Sec-Fetch-Site": None, "Origin": None},
        ):
            answer = call(world, world.browser(actor), method, path, content, headers=headers)
            assert answer.status == 403, answer


# ---------------------------------------------------------------- what is not the caller's own


def test_a_teacher_touches_nothing_of_another(app, world):
    session = world.session()
    before = app.session(session), len(app.evidence(session))
    for path, body in (
        ("/api/teacher/session", {"session_id": session, "action": "end"}),
        ("/api/teacher/session", {"session_id": session, "action": "cancel"}),
        ("/api/teacher/session", {"session_id": session, "action": "zoom_url", "zoom_url": ZOOM_URL}),
        ("/api/teacher/attendance", {"session_id": session, "attendance": "absent"}),
        ("/api/teacher/send-link", wish(world)),
    ):
        answer = world.other.post(path, body)
        assert answer.status == 404, answer
        # Another's and nobody's look the same.
        nobodys = {**body, **{name: 999_999_999 for name in ("session_id", "student_id") if name in body}}
        assert world.other.post(path, nobodys).body == answer.body
    assert before == (app.session(session), len(app.evidence(session)))


def test_a_teacher_sees_nothing_of_another(world):
    session = world.session()
    mine = world.teacher.get("/api/teacher/sessions")
    theirs = world.other.get("/api/teacher/sessions")
    assert session in [s["id"] for s in mine["sessions"]]
    assert theirs["sessions"] == []
    assert world.student["id"] not in [s["id"] for s in world.other.get("/api/teacher/students")["students"]]


def test_a_path_that_is_no_endpoint_is_not_found(world):
    for path in ("/api/", "/api/admin", "/api/admin/", "/api/admin/teachers/", "/api/admin/teachers/1", "/api/Auth/Me",
                 "/api/auth//me", "/api/auth/me%00", "/api/admin_teachers"):  # fmt: skip
        answer = world.browser("admin").get(path)
        assert answer.status in (400, 404), answer
