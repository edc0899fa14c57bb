"""An instance whose programs fail when a test wants: preload.c sits in each of them, and a proxy
between them and PostgreSQL."""

import http.client
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest.mock
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "api"))
import telegram  # noqa: E402
import zoom  # noqa: E402
from academy import ROOT, ZOOM_URL, Instance, wait_for  # noqa: E402
from plan import Plans  # noqa: E402
from proxy import PORT, Proxy  # noqa: E402
from outage import Academy  # noqa: E402

LONG = "CLASSCLOCK_LONG" in os.environ
LATELY = 1 << 16  # bytes of a log; in a long run whole ones are read too often to be read whole
ON_A_PHONE = {"Origin": None, "Sec-Fetch-Site": None}


def is_back(said, *anew):
    """Whether a program that has said that the database is away has found it back, or has begun anew."""
    return max(said.rfind(word) for word in ["the database is back", *anew]) >= said.rfind("the database is away")


class Rig(Academy):
    def __init__(self):
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="classclock-plan."))
        self.shared.chmod(0o755)
        folders = [pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build")) / f for f in ("cgi", "cron")]
        self.plans = Plans(self.shared, [file.name for folder in folders for file in folder.iterdir() if file.is_file()])
        self.proxy = Proxy(lambda: (self.state / "run").resolve() / "pg" / PORT)
        self.telegram = telegram.Telegram()
        settings = [
            f"TELEGRAM_BOT_TOKEN={telegram.TOKEN}",
            f"TELEGRAM_API_BASE={self.telegram.base}",
            f"TELEGRAM_WEBHOOK_SECRET={telegram.SECRET}",
            f"DATABASE_URL=host={self.proxy.folder} dbname=classclock user=classclock_app",
            f"ZOOM_WEBHOOK_SECRET={zoom.SECRET}",
        ]
        with unittest.mock.patch.dict(os.environ, LD_PRELOAD=str(self.plans.library)):
            Instance.__init__(self, settings, folder=self.shared)

    def stop(self):
        self.plans.rest()
        super().stop()
        self.proxy.stop()
        self.telegram.stop()
        shutil.rmtree(self.shared, ignore_errors=True)

    @property
    def env_file(self):
        """The settings, where the programs' user can read them."""
        return str((self.state / "run").resolve() / "env")

    @property
    def build(self):
        return pathlib.Path((self.state / "build").read_text().strip())

    def program(self, name, *arguments, **settings):
        """Starts a program of cron/ with the preloaded library, as the timer's user."""
        return subprocess.Popen(
            [self.build / "cron" / name, *arguments],
            env={**os.environ, "LD_PRELOAD": str(self.plans.library), "CLASSCLOCK_ENV": self.env_file, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user="www-data" if os.geteuid() == 0 else None,
        )

    def student(self, teacher_id=None):
        """A new student, whatever happens to the programs."""
        return int(self.psql(
            "INSERT INTO students (name, teacher_id, package_id)"
            f" VALUES ('Sara', {teacher_id or self.teacher_id}, 'Europe') RETURNING id"
        ))

    def insist(self, call, seconds=300):
        """What call() returns, as soon as it does not fail."""
        until = time.monotonic() + seconds
        while True:
            try:
                return call()
            except (AssertionError, ConnectionError, http.client.HTTPException):
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def send(self, zoom_url=ZOOM_URL, **fields):
        """A class to a new student, or the one that is given; what send-link answers."""
        wish = self.wish(zoom_url=zoom_url, **fields)
        return self.insist(lambda: self._send(wish))

    def _send(self, wish):
        sent = self.teacher.fork().post("/api/teacher/send-link", wish)
        assert sent.status == 201, sent
        return sent.json

    def wish(self, **fields):
        """What a teacher posts to send a class to a new student."""
        return {"student_id": self.student(), "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4()), **fields}

    def workers(self, name):
        """The pids of a program's workers."""
        parent = self.pid(name)
        try:
            text = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(word) for word in text.split()]

    def log(self, name, most=None):
        """What a program has said, or the end of it."""
        with (self.state / "log" / f"{name}.log").open("rb") as file:
            if most:
                file.seek(max(0, file.seek(0, os.SEEK_END) - most))
            return file.read().decode(errors="replace")

    def reaches_the_database(self, name):
        return is_back(self.log(name, LATELY))

    def until_clicks_reach_the_database(self):
        # The one that found it away may be killed before it finds it back; its successor begins anew.
        wait_for(lambda: is_back(self.log("zoom_track", LATELY), "starting another"))

    def count(self, table, where):
        return int(self.psql(f"SELECT count(*) FROM {table} WHERE {where}"))

    def check_session(self, session_id, taps):
        """So many taps, each once, and the clock runs from the first."""
        n = int(session_id)
        assert self.count("clicks", f"session_id = {n}") == taps, n
        row = self.row(
            "SELECT clicked_at, (SELECT min(happened_at) FROM session_events e WHERE e.session_id = s.id"
            f" AND kind = 'clicked') AS first FROM sessions s WHERE id = {n}"
        )
        assert row["clicked_at"] and row["clicked_at"] == row["first"], (n, row)
