"""Every secret is replaced by another: while both are known nothing that was made with the old one is
dead, and once the old one has gone nothing is left that it opens."""

import datetime
import itertools
import os
import re
import signal

import pytest

import zoom
from academy import PASSWORD, SECRETS, ZOOM_URL, Instance, wait_for
from conftest import check_logs, sign_in_admin, student_maker, teacher_maker

KINDS = ("AUTH_SECRET", "CRON_SECRET", "ZOOM_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET")
OLD = {kind: f"the-old-one-of-{kind}-and-long-enough" for kind in KINDS}
NEW = {kind: f"the-new-one-of-{kind}-and-long-enough" for kind in KINDS}
_updates = itertools.count(1)


def settings(*secrets):
    return [f"{kind}={','.join(secret[kind] for secret in secrets)}" for kind in KINDS]


class Doors:
    """Those that a secret opens, tried with either."""

    def __init__(self, app):
        self.app = app

    def cron(self, secret):
        headers = {"Authorization": f"Bearer {secret['CRON_SECRET']}", "Origin": None, "Sec-Fetch-Site": None}
        return self.app.client().get("/api/cron/session-timeout", headers=headers).status

    def zoom(self, secret):
        meeting = zoom.Meeting(81234567890, "host")
        event = meeting.started(datetime.datetime.now(datetime.timezone.utc))
        return zoom.deliver(self.app.client(), event, secret["ZOOM_WEBHOOK_SECRET"]).status

    def telegram(self, secret):
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret["TELEGRAM_WEBHOOK_SECRET"],
                   "Origin": None, "Sec-Fetch-Site": None}  # fmt: skip
        update = {"update_id": next(_updates)}
        return self.app.client().post("/api/telegram/webhook", update, headers=headers).status

    def statuses(self, secret):
        return [self.cron(secret), self.zoom(secret), self.telegram(secret)]


@pytest.fixture(scope="module")
def rotated():
    instance = Instance(settings(OLD), brief=True)
    yield instance
    check = instance.check()
    logs = instance.logs()
    instance.stop()
    assert check.returncode == 0, check.stdout + check.stderr
    check_logs(logs)


def restart_alone(app, program, secret):
    """As systemctl restarts one service: with settings that the others do not have yet."""
    file = (app.state / "run").resolve() / "env.d" / program
    file.write_text(re.sub(r"^AUTH_SECRET=.*", f"AUTH_SECRET={secret}", file.read_text(), flags=re.M))
    before = app.pid(program)
    os.kill(before, signal.SIGTERM)
    wait_for(lambda: app.pid(program) != before)


def test_no_link_dies_when_secrets_are_replaced(rotated, send):
    app, doors = rotated, Doors(rotated)
    admin = sign_in_admin(app)
    make_teacher = teacher_maker(app, admin)
    make_student = student_maker(admin, make_teacher)
    teacher = make_teacher("Rotation")
    sent = {name: send(teacher, make_student(teacher)) for name in ("tapped", "waiting", "left behind")}
    wish = {"student_id": make_student(teacher)["id"], "zoom_url": ZOOM_URL, "request_id": "11111111-2222-3333-4444-555555555555"}
    repeated = teacher.post("/api/teacher/send-link", wish)
    assert app.client().open(sent["tapped"]["join_url"]).status == 302
    page = admin.get("/api/admin/teacher-sessions?limit=2")
    invited = admin.post("/api/admin/teachers", {"name": "Invited", "email": "rotation-invited@example.org"})
    invitation = {"token": invited["invite_url"].split("#")[1], "password": PASSWORD}
    assert doors.statuses(OLD) == [200] * 3 and doors.statuses(NEW) == [401] * 3

    # docs/ops.md, 3: last, then first, since who seals may be restarted before who opens.
    app.restart(settings(OLD, NEW))
    restart_alone(app, "teacher_send_link", f"{NEW['AUTH_SECRET']},{OLD['AUTH_SECRET']}")
    early = send(teacher, make_student(teacher))
    assert app.client().open(early["join_url"]).status == 302

    app.restart(settings(NEW, OLD))
    # Logins, invitations and the next page.
    assert teacher.get("/api/auth/me").status == 200
    following = admin.get(f"/api/admin/teacher-sessions?limit=2&cursor={page['next_cursor']}")
    assert following.status == 200 and len(following["sessions"]) == 2
    assert app.client().post("/api/auth/accept-invite", invitation).status == 200
    # The button in the student's chat, for the first time and again; "End class" in the teacher's hand.
    for name in ("waiting", "tapped"):
        answer = app.client().open(sent[name]["join_url"])
        assert (answer.status, answer.headers["Location"]) == (302, ZOOM_URL)
    assert app.session(sent["waiting"]["session"]["id"])["session_status"] == "active"
    assert app.client().open(sent["tapped"]["leave_url"]).status == 200
    assert app.session(sent["tapped"]["session"]["id"])["ended_by"] == "teacher_left"
    # A call that is repeated across it: the same session, by a link that opens.
    again = teacher.post("/api/teacher/send-link", wish)
    assert again.status == 201 and again["session"]["id"] == repeated["session"]["id"]
    for answer in (repeated, again):
        assert app.client().open(answer["join_url"]).status == 302
    assert doors.statuses(OLD) == doors.statuses(NEW) == [200] * 3
    fresh = send(teacher, make_student(teacher))

    app.restart(settings(NEW))
    assert teacher.get("/api/auth/me").status == 200
    assert app.client().open(fresh["join_url"]).status == 302
    assert app.client().open(fresh["leave_url"]).status == 200
    gone = app.client().open(sent["left behind"]["join_url"])
    assert gone.status == 404 and gone.type == "text/html"
    assert app.client().open(sent["left behind"]["leave_url"]).status in (400, 403)
    assert app.session(sent["left behind"]["session"]["id"])["session_status"] == "sent"
    assert admin.get(f"/api/admin/teacher-sessions?limit=2&cursor={page['next_cursor']}").status == 400
    assert doors.statuses(NEW) == [200] * 3 and doors.statuses(OLD) == [401] * 3


def test_the_secrets_are_among_those_that_no_log_may_hold(rotated):
    assert set(OLD.values()) | set(NEW.values()) <= SECRETS.seen
