"""Scanners of others against a running instance, signed in and not: what they find is known and answered in
docs/guarantees.md. They attack what they are told of, on this machine alone."""

import json
import pathlib
import subprocess
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
from academy import ZOOM_URL, Instance  # noqa: E402
from conftest import check_logs, sign_in_admin, student_maker, teacher_maker  # noqa: E402

# All of wapiti's but those that call a server of its own or guess at names and passwords.
MODULES = "backup,blindsql,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss"
# A scan is over plain http, which has no HSTS; the other header is for browsers that no longer exist.
ANSWERED = {"Strict-Transport-Security is not set", "X-XSS-Protection is not set"}


class Ground:
    """What there is to scan: a class on its way, and who may look at it."""

    def __init__(self, app):
        self.app = app
        self.admin = sign_in_admin(app)
        self.teacher = teacher_maker(app, self.admin)()
        student = student_maker(self.admin, None)(self.teacher)
        wish = {"student_id": student["id"], "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}
        self.sent = self.teacher.post("/api/teacher/send-link", wish).json
        self.session = self.sent["session"]["id"]

    def cookie(self, who):
        return f"login={getattr(self, who).client.cookies['login']}"

    def places(self):
        yield from (self.sent["join_url"], self.sent["leave_url"])
        for path in (
            "/ /invite /admin/ /admin/people /teacher/ /healthz /metrics /api/auth/me /api/zoom/webhook"
            " /api/telegram/webhook /api/cron/session-timeout /api/admin/teachers /api/admin/students /api/admin/packages"
            " /api/admin/settings /api/admin/attention /api/admin/trends /api/admin/zoom-inbox /api/admin/deliveries"
            " /api/admin/teacher-sessions?date=2026-01-01&status=ended&teacher_id=1&student_id=1&package_id=Europe&q=a"
            " /api/admin/teacher-sessions?format=csv&q=a /api/teacher/students /api/teacher/sessions?limit=5"
            f" /api/admin/session-events?session_id={self.session} /api/teacher/session?session_id={self.session}"
        ).split():
            yield self.app.url + path


@pytest.fixture(scope="module")
def ground():
    instance = Instance(["ZOOM_WEBHOOK_SECRET=a-secret-for-the-scan", "TELEGRAM_WEBHOOK_SECRET=another-for-the-scan"])
    yield Ground(instance)
    check = instance.check()
    logs = instance.logs()
    instance.stop()
    assert check.returncode == 0, check.stdout + check.stderr
    check_logs(logs)


@pytest.mark.parametrize("who", ["nobody", "teacher", "admin"])
def test_wapiti_finds_nothing_new(ground, tmp_path, who):
    report = tmp_path / "report"
    command = ["wapiti", "-u", f"{ground.app.url}/", "--scope", "domain", "-m", MODULES, "-l", "2", "-f", "json", "-o", report,
               "--store-session", tmp_path, "--store-config", tmp_path, "--no-bugreport", "--flush-session",
               "--max-scan-time", "540", "--max-attack-time", "60"]  # fmt: skip
    for place in ground.places():
        command += ["-s", place]
    if who != "nobody":
        command += ["-H", f"Cookie: {ground.cookie(who)}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert report.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(report.read_text())
    new = [item for kind in ("vulnerabilities", "anomalies") for items in found[kind].values() for item in items
           if item["info"] not in ANSWERED]  # fmt: skip
    assert not new, json.dumps(new, indent=1)[:4000]


def targets(ground):
    """Name, URL, body, and whose cookie."""
    base = ground.app.url
    sessions = "date=2026-01-01&status=ended&teacher_id=1&student_id=1&package_id=Europe&q=a&limit=10"
    action = json.dumps({"session_id": ground.session, "action": "end*", "reason": "x*"})
    return [
        ("the list", f"{base}/api/admin/teacher-sessions?{sessions}", None, "admin"),
        ("the timeline", f"{base}/api/admin/session-events?session_id={ground.session}", None, "admin"),
        ("the join link", ground.sent["join_url"], None, None),
        ("the leave link", ground.sent["leave_url"], None, None),
        ("signing in", f"{base}/api/auth/login", '{"email":"a*","password":"b*"}', None),
        ("Zoom", f"{base}/api/zoom/webhook", '{"event":"meeting.ended*"}', None),
        ("an action", f"{base}/api/teacher/session", action, "teacher"),
    ]


def test_sqlmap_injects_nothing(ground, tmp_path):
    for name, url, body, who in targets(ground):
        command = ["sqlmap", "-u", url, "--batch", "--disable-coloring", "--output-dir", tmp_path, "--flush-session",
                   "--ignore-code=401", "--level=2", "--risk=2", "--technique=BEUSQ", "--dbms=PostgreSQL", "--retries=0",
                   "--skip=Cookie,User-Agent,Referer"]  # fmt: skip
        if body:
            command += ["--data", body, "--headers", "Content-Type: application/json\nSec-Fetch-Site: same-origin"]
        if who:
            command += ["--cookie", ground.cookie(who)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert "do not appear to be injectable" in done.stdout, (name, done.stdout[-3000:])
