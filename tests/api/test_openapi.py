"""docs/openapi.yaml names every endpoint, and the programs answer what it says."""

import re
import uuid

import jsonschema
import pytest
import yaml

import zoom
from academy import ROOT, ZOOM_URL
from openapi import CONTRACT, Strict

OPERATIONS = {operation["operationId"]: operation for _, _, operation in CONTRACT.operations()}
WHERE = {operation["operationId"]: (method.upper(), path) for path, method, operation in CONTRACT.operations()}

# What other tests bring about: outages and floods, a rival's import, an instance without CRON_SECRET.
ELSEWHERE = {"429", "503"}
ELSEWHERE_OF = {"import": {"409"}, "cronSessionTimeout": {"404"}}

# A bot, or a meeting of Zoom's, is needed: test_telegram_*.py and test_zoom_inbox.py tell these stories, and every
# answer that they get is held to the document too.
OTHER_STORIES = {
    "adminStudentLink", "adminTeacherLink", "ownStudentLink", "ownTeacherLink", "deliveries", "telegramWebhook",
    "zoomInbox", "assignMeeting",
}  # fmt: skip
TOLD_HERE = sorted(set(OPERATIONS) - OTHER_STORIES)


def program_of(path):
    return ROOT / "cgi" / (path.removeprefix("/api/").strip("/").replace("/", "_").replace("-", "_") + ".c")


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


# ---------------------------------------------------------------- the document


def test_the_document_is_whole():
    document = CONTRACT.document
    assert document["openapi"].startswith("3.1.")
    assert len(OPERATIONS) == len(list(CONTRACT.operations()))
    refs = set(references(document))
    for ref in refs:
        CONTRACT.resolver.resolve(ref)
    defined = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "parameters")
        for name in document["components"][kind]
    }
    assert defined == refs
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert not schema.get("type") == "object" or "additionalProperties" in schema, name
    for path, method, operation in CONTRACT.operations():
        assert operation["summary"] and operation["tags"], (method, path)
        for requirement in operation.get("security", document["security"]):
            assert set(requirement) <= set(document["components"]["securitySchemes"])
        for status, answer in operation["responses"].items():
            assert CONTRACT.resolve(answer)["description"], (method, path, status)


@pytest.mark.parametrize("text", ["get: 1\nget: 1\n", "get: {summary: x, 'summary': y}", "- get: {a: {b: 1, b: 2}}"])
def test_a_key_that_stands_twice_is_refused(text):
    """YAML forbids it, and strict readers refuse the whole file."""
    with pytest.raises(yaml.YAMLError, match="twice"):
        yaml.load(text, Strict)


def test_an_item_is_told_that_is_wrong_among_those_that_were_valid_before():
    def errors(items):
        return [error.split(":")[0] for error in CONTRACT.errors(schema, items, CONTRACT.remembering)]

    schema = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}}
    for ids, wrong in (([1, 2], []), ([2, "1", 1], ["1/id"]), (["1", 2], ["0/id"]), ([1, True, 2, 1.5], ["1/id", "3/id"])):
        assert errors([{"id": n} for n in ids]) == wrong, ids
    assert errors([{"id": 1}, {}]) == ["1"]
    assert sum(kept is schema["items"] for kept in CONTRACT.valid.values()) == 2


def test_it_names_what_nginx_serves_and_nothing_else():
    site = (ROOT / "nginx" / "site.conf").read_text()
    served = set(re.findall(r"location = (\S+) \{[^}]*fastcgi_pass", site))
    made = {path for path in served if program_of(path).exists()}
    assert len(made) > 25
    assert set(CONTRACT.document["paths"]) == made
    assert {program_of(path).stem for path in made} == {p.stem for p in (ROOT / "cgi").glob("*.c")}


def test_it_names_the_methods_of_each_program():
    for path in CONTRACT.document["paths"]:
        routes = set(re.findall(r'\{ "([A-Z]+)", \w+ \}', program_of(path).read_text()))
        assert routes == {method.upper() for p, method, _ in CONTRACT.operations() if p == path}, path


def test_it_says_who_may_call():
    for path, _, operation in CONTRACT.operations():
        who = re.search(r"\.who = WHO_(\w+)", program_of(path).read_text())[1]
        by_login = operation.get("security", CONTRACT.document["security"]) == [{"login": []}]
        assert by_login == (who in ("ADMIN", "TEACHER", "SIGNED_IN")), path


# ---------------------------------------------------------------- the programs


class Story:
    """Calls of every operation that bring about every status that it names."""

    def __init__(self, app, admin, teacher, other, student):
        self.app, self.admin, self.teacher, self.other, self.student = app, admin, teacher, other, student
        self.nobody = app.client()

    def person(self, operation):
        """Who may make the call, and who may not."""
        if operation["tags"] == ["teacher"]:
            return self.teacher, self.admin
        return self.admin, self.teacher

    def send(self, **changes):
        wish = {"student_id": self.student["id"], "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}
        return self.teacher.post("/api/teacher/send-link", {**wish, **changes})

    def running(self):
        sent = self.send()
        self.nobody.open(sent["join_url"])
        return sent["session"]["id"]

    def refused_before_they_are_read(self):
        for name, (method, path) in WHERE.items():
            operation = OPERATIONS[name]
            may, may_not = self.person(operation)
            body = None if method in ("GET", "HEAD") else {}
            if "security" not in operation:
                self.nobody.request(method, path, body)
            if "403" in operation["responses"]:
                other_site = {"Sec-Fetch-Site": "cross-site"}
                may_not.request(method, path, body, headers=other_site if body == {} else None)
            if "415" in operation["responses"]:
                may.request(method, path, b"a=1", headers={"Content-Type": "text/plain"})
            if "413" in operation["responses"]:
                may.request(method, path, b" " * (1 << 20) + b"{}")
            if "400" in operation["responses"]:
                if body is None:
                    may.get(path + "?color=red")
                else:
                    may.request(method, path, {"color": "red"})

    def reads(self):
        day = "2026-01-31"
        filters = f"student_id={self.student['id']}&package_id=Europe&q=a&status=active&limit=1"
        for person, path in ((self.admin, "/api/admin/teacher-sessions"), (self.teacher, "/api/teacher/sessions")):
            first = person.get(f"{path}?limit=1")
            person.get(f"{path}?limit=1&cursor={first['next_cursor']}")
            person.get(f"{path}?date={day}")
            person.get(f"{path}?days=7")
            person.get(f"{path}?from={day}&to={day}&{filters}")
        self.admin.get(f"/api/admin/teacher-sessions?teacher_id={self.teacher.id}&format=json")
        self.admin.get("/api/admin/teacher-sessions?format=csv")
        for path in ("/api/admin/teachers", "/api/admin/packages", "/api/admin/students"):
            self.admin.get(f"{path}?q=a&limit=1")
        self.admin.get(f"/api/admin/students?teacher_id={self.teacher.id}")
        self.teacher.get("/api/teacher/students?q=a&limit=5")
        self.admin.get("/api/admin/attention")
        self.admin.get("/api/admin/attention?kind=no_attendance&limit=2")
        self.admin.get("/api/admin/trends")
        self.admin.get(f"/api/admin/trends?from={day}&to={day}&format=json")
        self.admin.get("/api/admin/trends?format=csv")
        self.admin.get("/api/admin/settings")
        self.nobody.get("/healthz")
        self.nobody.get("/metrics")
        self.admin.get("/api/auth/me")

    def links(self):
        sent = self.send()
        self.teacher.get(f"/api/teacher/session?session_id={sent['session']['id']}")
        self.teacher.get("/api/teacher/session?session_id=999999999")
        self.send(student_id=999999999)
        self.send(request_id=self.app.session(sent["session"]["id"])["request_id"], zoom_url=ZOOM_URL + "1")
        for method in ("GET", "HEAD"):
            for headers in ({}, {"Purpose": "prefetch"}):
                self.nobody.open(sent["join_url"], method, headers)
            self.nobody.open(self.app.url + "/api/zoom/track?token=x", method)
            self.teacher.client.open(sent["join_url"], method)
        self.nobody.open(sent["join_url"], headers={"User-Agent": "WhatsApp/2"})
        for url in (sent["leave_url"], sent["leave_url"] + "x", sent["leave_url"] + "&x=1"):
            self.nobody.open(url)
        gone = self.send()
        self.teacher.act(gone["session"]["id"], "cancel")
        for method in ("GET", "HEAD"):
            self.nobody.open(gone["join_url"], method)
        lost = self.send()
        self.app.psql(
            "SET session_replication_role = replica;"
            f" DELETE FROM session_events WHERE session_id = {lost['session']['id']};"
            f" DELETE FROM sessions WHERE id = {lost['session']['id']}"
        )
        self.nobody.open(lost["leave_url"])

    def actions(self):
        n = self.running()
        self.teacher.act(n, "zoom_url", zoom_url=ZOOM_URL)
        self.teacher.post("/api/teacher/attendance", {"session_id": n, "attendance": "late", "note": "x"})
        self.teacher.act(n, "end")
        self.teacher.act(n, "cancel")
        self.other.act(n, "end")
        self.other.post("/api/teacher/attendance", {"session_id": n, "attendance": "late"})
        row = self.admin.get(f"/api/admin/session-events?session_id={n}")["session"]
        self.admin.get("/api/admin/session-events?session_id=999999999")
        self.admin.act(n, "correct", clicked_at=row["clicked_at"], session_ended_at=row["session_ended_at"])
        self.admin.act(n, "release")
        self.admin.act(n, "reopen", times_out_at=row["times_out_at"])
        self.admin.act(n, "reopen", reason="once more")
        self.teacher.act(n, "cancel", session_status="active")
        self.admin.act(n, "cancel", session_status="active")
        self.admin.act(999999999, "end")
        self.admin.post("/api/admin/auto-timeout", {"dry_run": True})
        self.admin.post("/api/admin/auto-timeout")
        for secret in ("wrong", self.app.env["CRON_SECRET"]):
            for path in ("/api/cron/session-timeout", "/api/cron/session-timeout?color=red"):
                self.nobody.get(path, headers={"Authorization": f"Bearer {secret}"})

    def people(self):
        name = f"{uuid.uuid4()}@example.org"
        made = self.admin.post("/api/admin/teachers", {"name": "A", "email": name})
        self.admin.post("/api/admin/teachers", {"name": "A", "email": name})
        change = {"id": made["id"], "name": "B", "email": "b" + name, "disabled": False, "invite": True}
        token = self.admin.patch("/api/admin/teachers", change)["invite_url"].split("#")[1]
        self.admin.patch("/api/admin/teachers", {"id": made["id"], "email": self.teacher.email})
        self.admin.patch("/api/admin/teachers", {"id": 999999999})
        everything = {
            "name": "A", "teacher_id": made["id"], "package_id": "Europe", "language": "am",
            "telegram_chat_id": -100123, "zoom_url": ZOOM_URL, "note": "x",
        }  # fmt: skip
        student = self.admin.post("/api/admin/students", {**everything, "request_id": str(uuid.uuid4())})
        self.admin.patch("/api/admin/students", {"id": student["id"], **everything, "disabled": True})
        self.admin.patch("/api/admin/students", {"id": 999999999})
        self.admin.post("/api/admin/students", {**everything, "package_id": "none such"})
        self.admin.patch("/api/admin/teachers", {"id": self.other.id, "disabled": True})
        for method, more in (("POST", {}), ("PATCH", {"id": student["id"]})):
            self.admin.request(method, "/api/admin/students", {**everything, "teacher_id": self.other.id, **more})
        self.admin.patch("/api/admin/teachers", {"id": self.other.id, "disabled": False})
        package = {
            "name": str(uuid.uuid4()), "duration_minutes": 45, "buffer_minutes": 0, "rate": "7.5", "currency": "EUR",
        }  # fmt: skip
        self.admin.post("/api/admin/packages", package)
        self.admin.post("/api/admin/packages", package)
        package["id"] = package.pop("name")
        self.admin.patch("/api/admin/packages", {**package, "retired": True})
        self.admin.patch("/api/admin/packages", {"id": "none such"})
        self.admin.patch("/api/admin/settings", self.admin.get("/api/admin/settings").json)
        for csv in ("name,email\nA,x1@example.org\n", "name,email\n,\n"):
            self.admin.post("/api/admin/import", {"kind": "teachers", "csv": csv, "dry_run": True})
        self._enter(token)

    def _enter(self, token):
        browser = self.app.client()
        accept = {"token": token, "password": "a quiet river 9"}
        email = browser.post("/api/auth/accept-invite", accept)["account"]["email"]
        browser.post("/api/auth/accept-invite", accept)
        browser.post("/api/auth/login", {"email": email, "password": "wrong wrong"})
        browser.post("/api/auth/login", {"email": email, "password": "a quiet river 9"})
        change = {"current_password": "a quiet river 9", "new_password": "a quiet river 10"}
        browser.post("/api/auth/password", change)
        browser.post("/api/auth/logout")

    def zoom(self):
        challenge = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
        zoom.deliver(self.nobody, challenge)
        zoom.deliver(self.nobody, {**challenge, "payload": {"plainToken": "\x01"}})
        zoom.deliver(self.nobody, {"event": "meeting.sharing_started"})
        zoom.deliver(self.nobody, {}, secret="wrong")
        zoom.deliver(self.nobody, b" " * (1 << 20) + b"{}")


@pytest.fixture(scope="module")
def story(app, admin, make_teacher, make_student):
    teacher, other = make_teacher(), make_teacher()
    story = Story(app, admin, teacher, other, make_student(teacher))
    before = len(CONTRACT.deviations)
    CONTRACT.used.clear()
    CONTRACT.seen.clear()
    for _ in range(2):
        story.running()
        story.student = make_student(teacher)
    for chapter in ("refused_before_they_are_read", "links", "actions", "reads", "people", "zoom"):
        getattr(story, chapter)()
    story.deviations = CONTRACT.deviations[before:]
    return story


def test_every_answer_is_as_documented(story):
    assert story.deviations == []


@pytest.mark.parametrize("name", TOLD_HERE)
def test_every_documented_status_comes_about(story, name):
    documented = set(OPERATIONS[name]["responses"]) - ELSEWHERE - ELSEWHERE_OF.get(name, set())
    assert documented <= {str(status) for operation, status in CONTRACT.seen if operation == name}


@pytest.mark.parametrize("name", TOLD_HERE)
def test_every_documented_parameter_and_field_is_taken(story, name):
    operation = OPERATIONS[name]
    documented = {p["name"] for p in CONTRACT.parameters(operation)}
    documented |= set(CONTRACT.fields(operation).get("properties", {}))
    used = {field for used, field in CONTRACT.used if used == name}
    assert documented <= used
