"""Zoom's webhook at its door: who gets in, what is kept, what is answered."""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import socket
import time

import pytest

import zoom
from academy import at_once, wait_for

VECTORS = json.loads((pathlib.Path(__file__).parent / "zoom_vectors.json").read_text())
NOW = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.timezone.utc)


def send(client, body, headers):
    headers = {"Origin": None, "Sec-Fetch-Site": None, **headers}
    return client.request("POST", zoom.WEBHOOK, body, headers=headers)


def kept(app, event):
    """The stored events with that name."""
    return app.rows(
        "SELECT key, event, state, kind, encode(body, 'base64') AS body, uuid, received_at"
        f" FROM zoom_raw WHERE event = '{event}' ORDER BY received_at"
    )


def how_many(app):
    return int(app.psql("SELECT count(*) FROM zoom_raw"))


def an_event(**fields):
    meeting = zoom.Meeting(85393847045, "HostSyntheticXXXXXXXXX")
    return {**meeting.started(NOW), **fields}


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda v: v["name"])
def test_what_zoom_signed_is_taken_in(app, nobody, vector):
    body = base64.b64decode(vector["body_base64"])
    assert len(body) == vector["body_len"]
    headers = {
        "x-zm-request-timestamp": vector["timestamp"],
        "x-zm-signature": vector["signature"],
    }
    answer = send(nobody, body, headers)
    assert answer.status == 200, answer
    (row,) = [r for r in kept(app, json.loads(body)["event"]) if base64.b64decode(r["body"]) == body]
    assert row["state"] == ("ignored" if "url_validation" in row["event"] else "inbox")


@pytest.mark.parametrize("vector", VECTORS["challenges"], ids=lambda v: v["plainToken"])
def test_a_signed_challenge_is_answered(nobody, vector):
    payload = {"plainToken": vector["plainToken"]}
    event = {"payload": payload, "event_ts": 1720705455858, "event": "endpoint.url_validation"}
    answer = zoom.deliver(nobody, event, secret=vector["secret"])
    assert answer.status == 200 and answer.type == "application/json"
    assert answer.json == {
        "plainToken": vector["plainToken"],
        "encryptedToken": vector["encryptedToken"],
    }


def forgeries():
    body = json.dumps(an_event()).encode()
    good = zoom.sign(body)
    mac, at = good["x-zm-signature"], good["x-zm-request-timestamp"]
    later = str(int(time.time()) + 3600)

    def headers(signature, timestamp=at):
        return {"x-zm-request-timestamp": timestamp, "x-zm-signature": signature}

    return {
        "nothing": (body, {}),
        "no signature": (body, headers(None)),
        "no timestamp": (body, headers(mac, None)),
        "upper case": (body, headers("v0=" + mac[3:].upper())),
        "no v0=": (body, headers(mac[3:])),
        "v1=": (body, headers("v1=" + mac[3:])),
        "a changed byte": (body.replace(b"60", b"61"), good),
        "a newline more": (body + b"\n", good),
        "no body": (b"", good),
        "another secret": (body, zoom.sign(body, "4fv1RkqGQUq5sWbEz6hA5B")),
        "the empty secret": (body, zoom.sign(body, "")),
        "both secrets at once": (body, zoom.sign(body, ",".join(zoom.SECRETS))),
        "another moment": (body, headers(mac, str(int(at) - 1))),
        "far in the future": (body, zoom.sign(body, timestamp=later)),
        "a timestamp of letters": (body, zoom.sign(body, timestamp="now")),
        "a timestamp with a sign": (body, zoom.sign(body, timestamp="+" + at)),
        "milliseconds": (body, zoom.sign(body, timestamp=at + "000")),
        "a long timestamp": (body, zoom.sign(body, timestamp="0" * 3000 + at)),
        "a long signature": (body, headers(mac + "a" * 3000)),
        "two in one": (body, headers(f"{mac}, {mac}")),
    }


@pytest.mark.parametrize("name", forgeries())
def test_what_zoom_did_not_sign_so_is_refused(app, nobody, name):
    before = how_many(app)
    answer = send(nobody, *forgeries()[name])  # signed now: a long run comes here after an hour
    assert answer.status == 401, (name, answer)
    assert how_many(app) == before


def raw(app, head, body):
    """Talks HTTP by hand; the status and the whole answer."""
    with socket.create_connection(("127.0.0.1", app.port), timeout=10) as s:
        s.sendall(head.encode() + body)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return int(answer.split()[1]), answer


def test_a_header_of_ten_kilobytes_is_refused(app):
    body = json.dumps(an_event()).encode()
    at = str(int(time.time()))
    head = (
        "POST /api/zoom/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\nx-zm-request-timestamp: {at}\r\n"
        f"x-zm-signature: v0={'a' * 10240}\r\n\r\n"
    )
    status, _ = raw(app, head, body)
    assert status in (400, 401)


@pytest.mark.parametrize("right_one", [0, 1])
def test_a_repeated_header_is_refused(app, right_one):
    body = json.dumps(an_event()).encode()
    good = zoom.sign(body)
    signatures = ["v0=" + "0" * 64] * 2
    signatures[right_one] = good["x-zm-signature"]
    before = how_many(app)
    status, _ = raw(
        app,
        "POST /api/zoom/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"x-zm-request-timestamp: {good['x-zm-request-timestamp']}\r\n"
        f"x-zm-signature: {signatures[0]}\r\nx-zm-signature: {signatures[1]}\r\n\r\n",
        body,
    )
    assert status in (400, 401)
    assert how_many(app) == before


def test_a_late_retry_with_its_first_timestamp_is_taken_in(nobody):
    old = int(time.time()) - 85 * 60 - 600
    assert zoom.deliver(nobody, an_event(), timestamp=old).status == 200


# ---------------------------------------------------------------- challenges


def challenge(token):
    return {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": token}}


def test_a_challenge_cannot_be_used_to_sign_an_event(nobody):
    attack = VECTORS["oracle_attack_must_be_refused"]
    event = challenge(attack["forged_plainToken"])
    forged = send(nobody, json.dumps(event).encode(), {"x-zm-request-timestamp": "1767261961"})
    assert forged.status == 401 and attack["hmac"] not in forged.text
    signed = zoom.deliver(nobody, event, secret=attack["secret"])
    assert signed.status == 400 and attack["hmac"] not in signed.text


@pytest.mark.parametrize(
    "token",
    ["", "a:b", "a b", "a\n", "a" * 129, "é", 7, None, ["a"], {"a": 1}, "v0:1:{}", "a\u0000b", "a|b"],
)
def test_an_unsafe_token_gets_no_mac(nobody, token):
    answer = zoom.deliver(nobody, challenge(token))
    assert answer.status == 400 and "encryptedToken" not in answer.text
    mac = hmac.new(zoom.SECRET.encode(), str(token).encode(), hashlib.sha256).hexdigest()
    assert mac not in answer.text


def test_a_challenge_is_noted(app, nobody):
    before = len(kept(app, "endpoint.url_validation"))
    assert zoom.deliver(nobody, challenge("noted")).status == 200
    assert len(kept(app, "endpoint.url_validation")) == before + 1


# ---------------------------------------------------------------- what is kept


def test_four_deliveries_are_one(app, nobody):
    event = an_event(event="meeting.delivered_four_times")
    before = how_many(app)
    answers = at_once(*[lambda: zoom.deliver(nobody, event)] * 4)
    assert [a.status for a in answers] == [200] * 4
    assert how_many(app) == before + 1


def test_other_headers_and_key_order_make_no_other_event(app, nobody):
    event = an_event()
    assert zoom.deliver(nobody, event).status == 200
    before = how_many(app)
    again = dict(reversed(event.items()))
    assert zoom.deliver(nobody, again, **{"x-zm-trackingid": "v=2.0;clid=us05"}).status == 200
    assert how_many(app) == before


def test_the_raw_bytes_are_kept(app, nobody):
    body = (
        b'{ "event" : "meeting.kept_as_is" ,"payload":{"object":{"topic":"\\uD83D\\uDE92 \xe2\x80\x99'
        b' \\u0000 \xff","id":81234567890}},"event_ts":1767261960000}'
    )
    assert zoom.deliver(nobody, body).status == 200
    (row,) = kept(app, "meeting.kept_as_is")
    assert base64.b64decode(row["body"]) == body and row["state"] == "ignored"


def malformed():
    good = an_event()
    of = good["payload"]["object"]

    def without(name):
        return {k: v for k, v in of.items() if k != name}

    def event(payload_object):
        return json.dumps({**good, "payload": {"object": payload_object}}).encode()

    person = zoom.Person("Ann")
    joined = zoom.Meeting(85393847045, "HostSyntheticXXXXXXXXX").joined(person, NOW)
    nobody_joined = json.loads(json.dumps(joined))
    del nobody_joined["payload"]["object"]["participant"]
    return {
        "nothing": b"",
        "no JSON": b"meeting.ended",
        "a list": b"[]",
        "a number": b"7",
        "cut off": json.dumps(good).encode()[:-3],
        "no event": b'{"payload":{}}',
        "an event of no text": b'{"event":7,"payload":{}}',
        "an event of 100 kB": json.dumps({"event": "x" * 100000}).encode(),
        "no payload": b'{"event":"meeting.started"}',
        "no uuid": event(without("uuid")),
        "an empty uuid": event({**of, "uuid": ""}),
        "a uuid with a separator": event({**of, "uuid": "a|b"}),
        "a uuid with NUL": event({**of, "uuid": "a\0b"}),
        "a uuid of 10 kB": event({**of, "uuid": "a" * 10240}),
        "a uuid of no text": event({**of, "uuid": 7}),
        "nobody joined": json.dumps(nobody_joined).encode(),
        "deep": b'{"event":"meeting.started","payload":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "lone surrogates": b'{"event":"meeting.\\ud800started","payload":{}}',
        "invalid UTF-8": b'{"event":"\xff\xfe meeting.started"}',
        "an unknown event": json.dumps({**good, "event": "meeting.alert"}).encode(),
        "another product": json.dumps({"event": "phone.callee_ended", "payload": {}}).encode(),
    }


@pytest.mark.parametrize("name", malformed())
def test_signed_but_unusable_is_kept_and_never_refused(app, nobody, name):
    body = malformed()[name]
    before = how_many(app)
    for _ in range(2):
        assert zoom.deliver(nobody, body).status == 200, name
    assert how_many(app) == before + 1
    (row,) = app.rows(
        "SELECT state, kind FROM zoom_raw WHERE"
        f" sha256(body) = '\\x{hashlib.sha256(body).hexdigest()}'"
    )
    assert row == {"state": "ignored", "kind": None}


def test_a_megabyte_fits(app, nobody):
    """Where it takes longer than Zoom waits, it comes again."""
    event = an_event(event="meeting.large", padding="x" * 1_000_000)
    wait_for(lambda: zoom.deliver(nobody, event).status == 200)
    assert len(kept(app, "meeting.large")) == 1


@pytest.mark.parametrize(
    "meeting_id, taken",
    [
        (81234567890, 81234567890),
        ("81234567890", 81234567890),
        (123456789, 123456789),
        ("1234567890", 1234567890),
        (12345678, None),
        (812345678901, None),
        (9007199254740993, None),
        (18446744073709551617, None),
        (-81234567890, None),
        (81234567890.5, None),
        ("8123456789x", None),
        ("812 3456 789", None),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_meeting_ids_are_numbers_or_texts_of_9_to_11_digits(app, nobody, meeting_id, taken):
    event = an_event()
    event["payload"]["object"]["id"] = meeting_id
    assert zoom.deliver(nobody, event).status == 200
    of = event["payload"]["object"]["uuid"]
    assert app.row(f"SELECT meeting_id FROM zoom_occurrences WHERE uuid = '{of}'") == {
        "meeting_id": taken
    }


@pytest.mark.parametrize("occurrence", ["/abc//DEF+ghiJKLmnopQ==", "+/+/+/+/+/+/+/+/+/+/+A==", "a"])
def test_uuids_hold_slashes_and_plus_signs(app, nobody, occurrence):
    event = zoom.Meeting(85393847045, "H", occurrence).started(NOW)
    assert zoom.deliver(nobody, event).status == 200
    (row,) = app.rows(f"SELECT key, kind FROM zoom_raw WHERE uuid = '{occurrence}' AND host_id = 'H'")
    assert row["key"] == f"meeting.started|{occurrence}||2026-01-01T10:00:00Z"


def test_a_missing_moment_is_that_of_the_event(app, nobody):
    event = an_event()
    del event["payload"]["object"]["start_time"]
    assert zoom.deliver(nobody, event).status == 200
    of = event["payload"]["object"]["uuid"]
    row = app.row(f"SELECT happened_at FROM zoom_raw WHERE uuid = '{of}'")
    assert row["happened_at"].startswith("2026-01-01T10:00:00.412")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_is_known(nobody, method):
    answer = nobody.request(method, zoom.WEBHOOK)
    assert answer.status == 405 and answer.headers["Allow"] == "POST"


def test_nobody_elses_cookie_or_origin_matters(nobody, admin):
    assert zoom.deliver(admin.client.fork(), an_event()).status == 200
    assert zoom.deliver(nobody, an_event(), Origin="https://evil.example").status == 200
