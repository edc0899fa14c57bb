"""More calls that change something, as test_calls.py has them: what admins decide, and what people set."""

import json
import uuid

import telegram
import zoom
from academy import PASSWORD, ZOOM_URL, moment
from test_calls import Case, TeacherLeft, ask


class AdminActs(TeacherLeft):
    """An action on a class that is over since the moment it began."""

    program, reason = "admin_session", "a fault"

    def prepare(self):
        sent = super().prepare()
        n = sent["session"]["id"]
        self.rig.end(sent)
        assert self.rig.session(n)["session_status"] == "ended"
        return {"session_id": n, "reason": self.reason, **self.wish(n)}

    def call(self, subject):
        return ask(self.rig, "POST", "/api/admin/session", subject, client=self.rig.admin)

    def settle(self, subject, answers):
        where = f"session_id = {subject['session_id']} AND detail->>'reason' = '{self.reason}'"
        kinds = self.rig.psql(f"SELECT string_agg(kind, ' ' ORDER BY id) FROM session_events WHERE {where}")
        assert kinds == self.adds, kinds
        shown = json.loads(answers[-1].body)["session"]
        assert self.rig.session(shown["id"])["session_status"] == shown["session_status"]


class AdminReopens(AdminActs):
    adds = "reopened"

    def wish(self, n):
        return {"action": "reopen"}


class AdminCorrects(AdminActs):
    adds = "corrected corrected"

    def wish(self, n):
        at = self.rig.psql(f"SELECT rfc3339(clicked_at) FROM sessions WHERE id = {n}")
        return {"action": "correct", "clicked_at": at, "session_ended_at": at}


class AdminReleases(AdminCorrects):
    adds = "released"

    def wish(self, n):
        correct = {"session_id": n, "reason": "before", **super().wish(n)}
        assert self.rig.admin.fork().post("/api/admin/session", correct).status == 200
        return {"action": "release"}


class AssignMeeting(TeacherLeft):
    program = "admin_zoom_inbox"

    def prepare(self):
        session = super().prepare()["session"]["id"]
        now = moment(self.rig.psql("SELECT to_json(clock_now()) #>> '{}'"))
        meeting = zoom.Meeting(8000000002, "hostOfNobody")
        assert zoom.deliver(self.rig.client(), meeting.started(now)).status == 200
        return {"uuid": meeting.uuid, "session_id": session, "reason": "a fault"}

    def call(self, subject):
        return ask(self.rig, "POST", "/api/admin/zoom-inbox", subject, client=self.rig.admin)

    def settle(self, subject, answers):
        where = f"session_id = {subject['session_id']} AND detail->>'uuid' = '{subject['uuid']}'"
        assert self.rig.psql(f"SELECT string_agg(kind, ' ' ORDER BY id) FROM session_events WHERE {where}") == (
            "zoom_assigned zoom_started"
        )


class ChangeZoomUrl(TeacherLeft):
    program = "teacher_session"

    def call(self, subject):
        wish = {"session_id": subject["session"]["id"], "action": "zoom_url", "zoom_url": ZOOM_URL + "7"}
        return ask(self.rig, "POST", "/api/teacher/session", wish, client=self.rig.teacher)

    def settle(self, subject, answers):
        n = subject["session"]["id"]
        assert self.rig.session(n)["zoom_url"] == ZOOM_URL + "7"
        assert self.rig.count("session_events", f"session_id = {n} AND kind = 'zoom_url'") == 1


class Change(Case):
    """What the last call asked for is there, and stays as it is."""

    def call(self, subject):
        wish, _, _ = subject
        return ask(self.rig, "PATCH", f"/api/admin/{self.program.removeprefix('admin_')}", wish, client=self.rig.admin)

    def settle(self, subject, answers):
        _, table, where = subject
        assert self.rig.count(table, where) == 1


class ChangePackage(Change):
    """Its class that has no rate gets the one that is given."""

    program = "admin_packages"

    def prepare(self):
        name = f"Fault {uuid.uuid4()}"
        self.rig.psql(f"INSERT INTO packages (id, duration_minutes, buffer_minutes, currency) VALUES ('{name}', 60, 10, 'USD')")
        student = self.rig.student()
        self.rig.psql(f"UPDATE students SET package_id = '{name}' WHERE id = {student}")
        sent = self.rig.teacher.fork().post("/api/teacher/send-link", self.rig.wish(student_id=student))
        assert sent.status == 201 and sent["session"]["package_rate"] is None
        where = f"s.package_id = '{name}' AND s.package_rate = 12.50 AND p.rate = 12.50"
        return {"id": name, "rate": "12.50"}, "sessions s JOIN packages p ON p.id = s.package_id", where


class ChangeSettings(Change):
    program = "admin_settings"

    def prepare(self):
        name = f"Fault {uuid.uuid4()}"
        return {"name": name}, "academy", f"name = '{name}'"


class ChangeStudent(Change):
    program = "admin_students"

    def prepare(self):
        student, name, chat = self.rig.student(), f"Fault {uuid.uuid4()}", telegram.new_chat()
        where = f"id = {student} AND name = '{name}' AND telegram_chat_id = {chat}"
        return {"id": student, "name": name, "telegram_chat_id": chat}, "students", where


class ChangeTeacher(Change):
    program = "admin_teachers"

    def prepare(self):
        email = f"changed{uuid.uuid4()}@example.org"
        made = self.rig.psql(f"INSERT INTO accounts (role, name, email) VALUES ('teacher', 'Fault', '{email}') RETURNING id")
        where = f"id = {made} AND name = 'Changed' AND disabled_at IS NOT NULL"
        return {"id": int(made), "name": "Changed", "disabled": True}, "accounts", where


class ChangePassword(Case):
    program, effect = "auth_password", b"UPDATE accounts SET password_hash"

    def prepare(self):
        """A teacher, signed in on two devices."""
        email = f"password{uuid.uuid4()}@example.org"
        made = self.rig.admin.fork().post("/api/admin/teachers", {"name": "Fault", "email": email})
        one, other = self.rig.client(), self.rig.client()
        invitation = {"token": made["invite_url"].split("#")[1], "password": PASSWORD}
        assert one.post("/api/auth/accept-invite", invitation).status == 200
        assert self.sign_in(other, email, PASSWORD) == 200
        return email, one, other

    def sign_in(self, client, email, password):
        return client.post("/api/auth/login", {"email": email, "password": password}).status

    def call(self, subject):
        wish = {"current_password": PASSWORD, "new_password": "the long way round"}
        return ask(self.rig, "POST", "/api/auth/password", wish, client=subject[1])

    def settle(self, subject, answers):
        email, one, other = subject
        assert one.get("/api/auth/me").status == 200 and other.get("/api/auth/me").status == 401
        assert self.sign_in(other, email, "the long way round") == 200


class LinkStudent(Case):
    """Whatever codes were made, one links the chat, and none is good afterwards."""

    program, status = "admin_student_link", 201

    def prepare(self):
        return self.rig.student()

    def call(self, subject):
        return ask(self.rig, "POST", "/api/admin/student-link", {"student_id": subject}, client=self.rig.admin)

    def settle(self, subject, answers):
        code = json.loads(answers[-1].body)["url"].split("start=")[1]
        chat = telegram.new_chat()
        update = telegram.Updates(self.rig).message(chat, f"/start {code}")
        secret = {"X-Telegram-Bot-Api-Secret-Token": telegram.SECRET}
        answer = ask(self.rig, "POST", "/api/telegram/webhook", update, {"Origin": None, "Sec-Fetch-Site": None, **secret})
        assert answer.status == 200
        assert self.rig.count("students", f"id = {subject} AND telegram_chat_id = {chat}") == 1
        assert self.rig.count("chat_codes", f"student_id = {subject} AND used_at IS NULL") == 0
