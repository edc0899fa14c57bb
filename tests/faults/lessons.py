"""A client that keeps its own ledger of every acknowledged send, tap and end, and what it is held against."""

import json
import threading
import time
import uuid

from academy import PHONE, ZOOM_URL
from test_calls import ask


def rows(psql, query):
    return json.loads(psql(f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"))


def ledger_students(rig, n):
    """So many students for Clients; their ids."""
    made = rig.psql(
        "INSERT INTO students (name, teacher_id, package_id)"
        f" SELECT 'Ledger', {rig.teacher_id}, 'Europe' FROM generate_series(1, {n}) RETURNING id"
    )
    return [int(row) for row in made.split()]


AGAIN = 0.1  # seconds before the same is asked again


class Lesson:
    """What the client knows of one class."""

    def __init__(self, student):
        self.wish = {"student_id": student, "zoom_url": ZOOM_URL, "request_id": str(uuid.uuid4())}
        self.id, self.tried, self.opened, self.left = None, 0, 0, False


class Clients:
    """Teachers and students who go on until they get what they want, each so many seconds after the last."""

    def __init__(self, rig, students, threads=6, rest=0):
        self.rig, self.students, self.lessons, self.stopped = rig, students, [], threading.Event()
        self.acknowledged, self.refused, self.lock, self.wrong, self.rest = 0, 0, threading.Lock(), [], rest
        self.threads = [threading.Thread(target=self.go_on, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def go_on(self):
        while not self.stopped.wait(self.rest):
            with self.lock:
                lesson = self.begin(self.students.pop())
                self.lessons.append(lesson)
            try:
                self.hold(lesson)
            except Exception as problem:  # pylint: disable=broad-except
                self.wrong.append(problem)
                return

    def begin(self, student):
        return Lesson(student)

    def insist(self, right, method, target, body=None, headers=None, client=None):
        """Asks until the answer is there; meanwhile there may be none, or that of an outage."""
        until = time.monotonic() + 600
        while True:
            answer = ask(self.rig, method, target, body, headers, client)
            if answer and answer.status == right:
                with self.lock:
                    self.acknowledged += 1
                return answer
            self.refused += 1
            if answer and answer.status != 503:
                raise AssertionError(f"{method} {target}: {answer.status} {answer.body[:200]}")
            if time.monotonic() > until:
                raise AssertionError(f"{method} {target}: no answer")
            time.sleep(AGAIN)

    def hold(self, lesson):
        visitor = PHONE | {"Sec-Fetch-Site": None}
        sent = json.loads(self.insist(201, "POST", "/api/teacher/send-link", lesson.wish, client=self.rig.teacher).body)
        lesson.id = sent["session"]["id"]
        join, leave = (sent[name].removeprefix(self.rig.url) for name in ("join_url", "leave_url"))
        while not lesson.opened:
            lesson.tried += 1
            answer = ask(self.rig, "GET", join, headers=visitor)
            if answer and answer.status == 302:
                assert answer.headers["Location"] == ZOOM_URL
                lesson.opened += 1
                with self.lock:
                    self.acknowledged += 1
            else:
                assert answer is None or answer.status == 503, answer.status
                time.sleep(AGAIN)
        self.insist(200, "GET", leave, headers=visitor)
        lesson.left = True

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[0]


class Ends(Clients):
    """Teachers who end classes from their page; the classes run, and are given by their ids."""

    def begin(self, student):
        return student

    def hold(self, lesson):
        self.insist(200, "POST", "/api/teacher/session", {"session_id": lesson, "action": "end"}, client=self.rig.teacher)


def check_lessons(psql, lessons):
    """To the row: what was acknowledged is there, once, and nothing that nobody did."""
    kept = {
        row["id"]: row
        for row in rows(
            psql,
            "SELECT s.id, s.request_id, s.session_status, s.ended_by, s.clicked_at,"
            " (SELECT count(*) FROM clicks c WHERE c.session_id = s.id) AS clicks,"
            " (SELECT count(*) FROM session_events e WHERE e.session_id = s.id AND kind = 'sent') AS sent"
            " FROM sessions s JOIN students st ON st.id = s.student_id WHERE st.name = 'Ledger'",
        )
    }
    assert len(kept) == len(lessons)
    for lesson in lessons:
        row = kept[lesson.id]
        assert row["request_id"] == lesson.wish["request_id"] and row["sent"] == 1
        assert lesson.opened <= row["clicks"] <= lesson.tried, (row, lesson.opened, lesson.tried)
        assert row["clicked_at"] and lesson.left
        assert (row["session_status"], row["ended_by"]) == ("ended", "teacher_left"), row


def check_ends(psql, ends):
    """Each that was acknowledged is there, once, and of the other classes none has ended."""
    ended = rows(
        psql,
        "SELECT s.id, s.session_status, s.ended_by, count(*) AS n FROM sessions s"
        " JOIN session_events e ON e.session_id = s.id AND e.kind = 'teacher_ended' GROUP BY s.id",
    )
    assert sorted(row["id"] for row in ended) == sorted(ends)
    wrong = [row for row in ended if (row["session_status"], row["ended_by"], row["n"]) != ("ended", "teacher", 1)]
    assert not wrong, wrong
