"""Zoom, as its webhooks show it: payloads as in live captures, signed by an independent library."""

import base64
import datetime
import hashlib
import hmac
import itertools
import json
import time
import uuid

SECRET = "It's-a-secret/token_1"
SECRETS = ("4fv1RkqGQUq5sWbEz6hA5A", SECRET)  # two apps of one academy
WEBHOOK = "/api/zoom/webhook"

_numbers = itertools.count(1)


def text(moment):
    """A moment as Zoom writes it: UTC, whole seconds."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(body, secret=SECRET, timestamp=None):
    """The headers under a body."""
    timestamp = str(int(time.time()) if timestamp is None else timestamp)
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return {"x-zm-request-timestamp": timestamp, "x-zm-signature": f"v0={mac.hexdigest()}"}


def deliver(client, event, secret=SECRET, timestamp=None, **headers):
    """One attempt of Zoom's to hand over an event (a dict, or the bytes of a body)."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    sent = {
        "Origin": None,
        "Sec-Fetch-Site": None,
        "User-Agent": "Zoom Marketplace/1.0a",
        "Content-Type": "application/json; charset=utf-8",
        "x-zm-request-id": str(uuid.uuid4()).replace("-", "_"),
        **sign(body, secret, timestamp),
        **headers,
    }
    return client.request("POST", WEBHOOK, body, headers=sent)


def fresh_uuid():
    """Zoom's uuid of an occurrence: base64, now and then with / and +."""
    return base64.b64encode(uuid.uuid4().bytes).decode()


class Person:
    """Someone in meetings. Who is signed in to Zoom has an account; a connection is new each time."""

    def __init__(self, name, account=""):
        self.name, self.account = name, account
        self.connection = None
        self.dial()

    def dial(self):
        """A new connection, as after a drop."""
        self.connection = str(uuid.uuid4()).upper()


class Meeting:
    """One occurrence of a meeting, which tells what happens in it as events."""

    def __init__(self, meeting_id, host_id, occurrence=None):
        self.id, self.host_id = meeting_id, host_id
        self.uuid = occurrence or fresh_uuid()

    def _event(self, name, at, **more):
        return {
            "event": name,
            "event_ts": int(at.timestamp() * 1000) + 412,
            "payload": {
                "account_id": "AcctSyntheticXXXXXXXXX",
                "object": {
                    "duration": 60,
                    "timezone": "Europe/Madrid",
                    "topic": "Clase \U0001f692 – 1",
                    "id": str(self.id),
                    "type": 2,
                    "uuid": self.uuid,
                    "host_id": self.host_id,
                    **more,
                },
            },
        }

    def started(self, at):
        return self._event("meeting.started", at, start_time=text(at))

    def ended(self, at):
        return self._event("meeting.ended", at, start_time=text(at), end_time=text(at))

    def _person(self, name, person, at, connection, **more):
        return self._event(
            name,
            at,
            participant={
                "user_id": str(16778240 + next(_numbers)),
                "user_name": person.name,
                "id": person.account,
                "participant_user_id": person.account,
                "participant_uuid": connection or person.connection,
                "email": "",
                "registrant_id": "",
                "public_ip": "203.0.113.1",
                **more,
            },
        )

    def joined(self, person, at, connection=None, **more):
        event = "meeting.participant_joined"
        return self._person(event, person, at, connection, join_time=text(at), **more)

    def left(self, person, at, connection=None, reason="left the meeting"):
        return self._person(
            "meeting.participant_left",
            person,
            at,
            connection,
            leave_time=text(at),
            leave_reason=f"left the meeting. Reason : {reason}",
            private_ip="10.0.0.5",
        )
