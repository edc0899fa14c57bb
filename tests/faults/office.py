"""Calls of admins, and of people about their own accounts, each of which is to have its effect once or not at all."""

import json
import re
import uuid

import telegram
import zoom
from academy import PASSWORD, moment
from cases import Once, a_class, account, ask, hash_of, invitation, login

OTHER_PASSWORD = "a quiet river 8"
OTHER_URL = "https://us02web.zoom.us/j/8123456780"


def as_admin(case, method, target, wish):
    return ask(case.rig, method, target, wish, client=case.rig.admin)


def parsed(answer):
    return json.loads(answer.body)


# ---------------------------------------------------------------- links to chats


class StudentLink(Once):
    """Each code that was told is there; none is there that nobody asked for."""

    program, status, adds, group = "admin_student_link", 201, True, "links"
    target, field, column = "/api/admin/student-link", "student_id", "student_id"

    def prepare(self):
        self.rig.psql("UPDATE telegram_bots SET username = NULL")  # so that Telegram is asked
        return self.whose(), self.rig.admin

    def whose(self):
        return self.rig.student()

    def ask(self, subject):
        person, client = subject
        return ask(self.rig, "POST", self.target, {self.field: person} if self.field else {}, client=client)

    def done(self, subject):
        return self.rig.count("chat_codes", f"{self.column} = {subject[0]} AND used_at IS NULL")

    def tells(self, answer):
        code = re.fullmatch(rf"https://t\.me/{telegram.BOT}\?start=(.*)", parsed(answer)["url"])[1]
        return self.rig.count("chat_codes", f"code_hash = {hash_of(code)} AND {self.column} = {self.subject[0]}") == 1


class TeacherLink(StudentLink):
    program, target, field, column = "admin_teacher_link", "/api/admin/teacher-link", "teacher_id", "account_id"

    def whose(self):
        return account(self.rig)[0]


class OwnStudentLink(StudentLink):
    program, target = "teacher_student_link", "/api/teacher/student-link"

    def prepare(self):
        return super().prepare()[0], self.rig.teacher


class OwnLink(TeacherLink):
    program, target, field = "teacher_teacher_link", "/api/teacher/teacher-link", None

    def prepare(self):
        person, _ = super().prepare()
        return person, login(self.rig, person)


# ---------------------------------------------------------------- accounts


class Logout(Once):
    program = "auth_logout"

    def prepare(self):
        return login(self.rig, self.rig.teacher_id)

    def ask(self, subject):
        return ask(self.rig, "POST", "/api/auth/logout", {}, client=subject)

    def done(self, subject):
        return 1 - self.rig.count("logins", f"token_hash = {hash_of(subject.cookies['login'])}")

    def tells(self, answer):
        return "Max-Age=0" in answer.headers["Set-Cookie"]


class Password(Once):
    """With the password the other logins are gone."""

    program, group, effect = "auth_password", "accounts", b"UPDATE accounts SET password_hash"

    def prepare(self):
        self.rig.psql("DELETE FROM login_attempts")
        person, email = account(self.rig)
        login(self.rig, person)
        return person, email, login(self.rig, person)

    def ask(self, subject):
        wish = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
        return ask(self.rig, "POST", "/api/auth/password", wish, client=subject[2])

    def done(self, subject):
        person, _, client = subject
        return self.whole(
            f"SELECT (password_hash <> (SELECT password_hash FROM accounts WHERE id = {self.rig.teacher_id}))::int AS new,"
            f" (SELECT (array_agg(token_hash) = ARRAY[{hash_of(client.cookies['login'])}])::int"
            f"  FROM logins WHERE account_id = {person}) AS alone FROM accounts WHERE id = {person}"
        )

    def settle(self, subject, answers):
        super().settle(subject, answers)
        signed_in = ask(self.rig, "POST", "/api/auth/login", {"email": subject[1], "password": OTHER_PASSWORD})
        assert signed_in.status == 200


class TeacherDisabled(Once):
    """With the account its logins and invitations end."""

    program = "admin_teachers"

    def prepare(self):
        person, _ = account(self.rig)
        login(self.rig, person)
        invitation(self.rig, person)
        return person

    def ask(self, subject):
        return as_admin(self, "PATCH", "/api/admin/teachers", {"id": subject, "disabled": True})

    def done(self, subject):
        return self.whole(
            "SELECT (disabled_at IS NOT NULL)::int AS disabled,"
            f" (SELECT 1 - count(*) FROM logins WHERE account_id = {subject}) AS out,"
            f" (SELECT 1 - count(*) FROM invites WHERE account_id = {subject}) AS uninvited"
            f" FROM accounts WHERE id = {subject}"
        )

    def tells(self, answer):
        return parsed(answer)["disabled"] is True


class TeacherInvited(Once):
    """Whatever was asked before, the invitation that was told last is the one that opens."""

    program = "admin_teachers"

    def prepare(self):
        return account(self.rig, joined=False)[0]

    def ask(self, subject):
        return as_admin(self, "PATCH", "/api/admin/teachers", {"id": subject, "invite": True})

    def done(self, subject):
        return self.rig.count("invites", f"account_id = {subject} AND used_at IS NULL")

    def tells(self, answer):
        token = parsed(answer)["invite_url"].split("#")[1]
        return self.rig.count("invites", f"token_hash = {hash_of(token)} AND account_id = {self.subject}") == 1


# ---------------------------------------------------------------- students, packages, settings


class StudentChanged(Once):
    """With the student's chat goes the link that waits for it."""

    program = "admin_students"

    def prepare(self):
        sent, chat = self.rig.send()["session"], telegram.new_chat()
        self.rig.psql(
            f"UPDATE students SET telegram_chat_id = {chat} WHERE id = {sent['student']['id']}",
            "INSERT INTO messages (kind, session_id, chat_id, next_at)"
            f" VALUES ('join_link', {sent['id']}, {chat}, clock_now() + interval '1 hour')",
        )
        return sent["student"]["id"], sent["id"], telegram.new_chat()

    def ask(self, subject):
        student, _, chat = subject
        wish = {"id": student, "name": "Changed", "telegram_chat_id": chat}
        return as_admin(self, "PATCH", "/api/admin/students", wish)

    def done(self, subject):
        student, session, chat = subject
        return self.whole(
            f"SELECT (name = 'Changed')::int AS named, (telegram_chat_id = {chat})::int AS moved,"
            f" (SELECT count(*) FROM messages WHERE session_id = {session} AND chat_id = {chat}) AS followed"
            f" FROM students WHERE id = {student}"
        )

    def tells(self, answer):
        told = parsed(answer)
        return (told["name"], told["telegram_chat_id"]) == ("Changed", self.subject[2])


class NewPackage(Once):
    program, status, again = "admin_packages", 201, 409

    def prepare(self):
        return {"name": f"Fault {uuid.uuid4()}", "duration_minutes": 45, "buffer_minutes": 10, "rate": "9.50", "currency": "EUR"}

    def ask(self, subject):
        return as_admin(self, "POST", "/api/admin/packages", subject)

    def done(self, subject):
        return self.rig.count("packages", f"id = '{subject['name']}' AND rate = 9.50")

    def tells(self, answer):
        return parsed(answer)["id"] == self.subject["name"]


class PackagePriced(Once):
    """With the package those of its classes get the rate that had none."""

    program = "admin_packages"

    def prepare(self):
        package, student = f"Fault {uuid.uuid4()}", self.rig.student()
        self.rig.psql(
            f"INSERT INTO packages (id, duration_minutes, buffer_minutes, currency) VALUES ('{package}', 45, 10, 'EUR')",
            f"UPDATE students SET package_id = '{package}' WHERE id = {student}",
        )
        self.rig.send(student_id=student)
        return package

    def ask(self, subject):
        return as_admin(self, "PATCH", "/api/admin/packages", {"id": subject, "rate": "9.50"})

    def done(self, subject):
        return self.whole(
            "SELECT count(rate) AS package, (SELECT count(package_rate) FROM sessions"
            f" WHERE package_id = '{subject}') AS class FROM packages WHERE id = '{subject}'"
        )

    def tells(self, answer):
        return parsed(answer)["rate"] == "9.50"


class Settings(Once):
    program = "admin_settings"

    def prepare(self):
        return f"Academy {uuid.uuid4()}"

    def ask(self, subject):
        return as_admin(self, "PATCH", "/api/admin/settings", {"name": subject})

    def done(self, subject):
        return self.rig.count("academy", f"name = '{subject}'")

    def tells(self, answer):
        return parsed(answer)["name"] == self.subject


# ---------------------------------------------------------------- classes


class AdminActs(Once):
    """One of an admin's decisions about a class that has been opened, and the evidence of it."""

    program = "admin_session"
    action = kind = becomes = ""

    def prepare(self):
        return a_class(self.rig)["session"]["id"]

    def wish(self):
        return {}

    def ask(self, subject):
        return self.act(subject, self.action, **self.wish())

    def act(self, session, action, **more):
        wish = {"session_id": session, "action": action, "reason": "a fault", **more}
        return as_admin(self, "POST", "/api/admin/session", wish)

    def first(self, session, action, **more):
        answer = self.act(session, action, **more)
        assert answer and answer.status == 200

    def done(self, subject):
        return self.whole(
            f"SELECT ({self.becomes})::int AS becomes, (SELECT count(*) FROM session_events e"
            f" WHERE session_id = s.id AND kind = '{self.kind}') AS evidence FROM sessions s WHERE id = {subject}"
        )

    def now(self):
        return self.rig.psql("SELECT rfc3339(clock_now())")


class AdminCancels(AdminActs):
    action, kind, becomes = "cancel", "cancelled", "session_status = 'cancelled'"


class AdminReopens(AdminActs):
    action, kind, becomes = "reopen", "reopened", "session_status = 'active'"

    def prepare(self):
        n = super().prepare()
        self.first(n, "end")
        return n


class AdminCorrects(AdminActs):
    action = "correct"

    def prepare(self):
        n = super().prepare()
        self.to = dict.fromkeys(("clicked_at", "session_ended_at"), self.now())
        return n

    def wish(self):
        return self.to

    def done(self, subject):
        columns = ", ".join(
            f"(SELECT count(*) FROM session_events WHERE session_id = s.id AND kind = 'corrected' AND happened_at = '{at}'"
            f" AND detail->>'field' = '{field}') AS said_{field}, ({field} IS NOT DISTINCT FROM '{at}')::int AS {field}"
            for field, at in self.to.items()
        )
        return self.whole(f"SELECT {columns} FROM sessions s WHERE id = {subject}")


class AdminReleases(AdminActs):
    action, kind, becomes = "release", "released", "NOT corrected"

    def prepare(self):
        n = super().prepare()
        self.first(n, "correct", clicked_at=self.now())
        return n


class AdminAssigns(Once):
    """A meeting is given to a class, and what Zoom told of it comes along."""

    program, group = "admin_zoom_inbox", "zoom"

    def prepare(self):
        n = a_class(self.rig)["session"]["id"]
        now = moment(self.rig.psql("SELECT to_json(clock_now()) #>> '{}'"))
        meeting = zoom.Meeting(8100000000 + n, f"host{n}")
        body = json.dumps(meeting.started(now)).encode()
        told = ask(self.rig, "POST", zoom.WEBHOOK, body, {"Origin": None, "Sec-Fetch-Site": None, **zoom.sign(body)})
        assert told.status == 200
        return n, meeting.uuid

    def ask(self, subject):
        session, meeting = subject
        return as_admin(self, "POST", "/api/admin/zoom-inbox", {"uuid": meeting, "session_id": session, "reason": "a fault"})

    def done(self, subject):
        session, meeting = subject
        evidence = f"FROM session_events WHERE session_id = {session} AND detail->>'uuid' = '{meeting}'"
        return self.whole(
            f"SELECT (SELECT count(*) {evidence} AND kind = 'zoom_assigned') AS said,"
            f" (SELECT count(*) {evidence} AND kind = 'zoom_started') AS brought,"
            f" count(*) AS owned FROM zoom_occurrences WHERE uuid = '{meeting}' AND session_id = {session}"
        )


class TeacherChangesUrl(Once):
    """The link is the class's and its student's from then on."""

    program = "teacher_session"

    def prepare(self):
        session = a_class(self.rig)["session"]
        return session["id"], session["student"]["id"]

    def ask(self, subject):
        wish = {"session_id": subject[0], "action": "zoom_url", "zoom_url": OTHER_URL}
        return ask(self.rig, "POST", "/api/teacher/session", wish, client=self.rig.teacher)

    def done(self, subject):
        session, student = subject
        return self.whole(
            f"SELECT (s.zoom_url = '{OTHER_URL}')::int AS becomes, (st.zoom_url = '{OTHER_URL}')::int AS remembered,"
            f" (SELECT count(*) FROM session_events WHERE session_id = {session} AND kind = 'zoom_url') AS said"
            f" FROM sessions s, students st WHERE s.id = {session} AND st.id = {student}"
        )

    def tells(self, answer):
        return parsed(answer)["start_url"] == OTHER_URL


CASES = [StudentLink, TeacherLink, OwnStudentLink, OwnLink, Logout, Password, TeacherDisabled, TeacherInvited,
         StudentChanged, NewPackage, PackagePriced, Settings, AdminCancels, AdminReopens, AdminCorrects, AdminReleases,
         AdminAssigns, TeacherChangesUrl]  # fmt: skip
