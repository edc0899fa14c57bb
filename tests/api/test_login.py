"""Signing in, staying in, getting out; invitations and passwords."""

import re
import time

import pytest

from academy import PASSWORD, Instance, at_once
from conftest import check_logs


def sign_in(client, email, password, **kwargs):
    return client.post("/api/auth/login", {"email": email, "password": password}, **kwargs)


def forget_attempts(app):
    app.psql("DELETE FROM login_attempts")


@pytest.fixture
def make_teacher(invite_teacher):
    """Who signs in here has come in as people do."""
    return invite_teacher


# ---------------------------------------------------------------- sign in


def test_signs_in_and_says_who_it_is(app, nobody, make_teacher):
    hana = make_teacher("Hana")
    answer = sign_in(nobody, hana.email, hana.password)
    account = {"id": hana.id, "name": "Hana", "email": hana.email, "role": "teacher"}
    assert answer.status == 200 and answer.json == {"account": account}
    me = nobody.get("/api/auth/me")
    assert me.status == 200 and set(me.json) == {"account", "academy", "now"}
    assert me["account"] == account
    assert set(me["academy"]) == {"name", "time_zone", "currency"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", me["now"])


def test_an_address_is_known_in_any_case(nobody, make_teacher):
    hana = make_teacher()
    assert sign_in(nobody, hana.email.upper(), hana.password).status == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(nobody, make_teacher):
    hana = make_teacher()
    answer = sign_in(nobody, hana.email, hana.password)
    (cookie,) = answer.headers.get_all("Set-Cookie")
    assert re.fullmatch(r"login=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax", cookie)


def test_over_https_the_cookie_is_secure_and_guarded_by_its_name():
    """The instance believes that it stands behind a proxy which speaks https."""
    secure = Instance(env=["BASE_URL=https://class.example.org"], brief=True)
    try:
        client = secure.client()
        client.origin = "https://class.example.org"
        answer = sign_in(client, secure.admin_email, secure.admin_password)
        (cookie,) = answer.headers.get_all("Set-Cookie")
        assert re.fullmatch(r"__Host-login=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure", cookie)
        assert client.get("/api/auth/me").status == 200
        client.cookies = {"login": client.cookies["__Host-login"]}  # which a page on plain http could set
        assert client.get("/api/auth/me").status == 401
        client.origin = secure.url
        assert client.post("/api/auth/logout", headers={"Sec-Fetch-Site": None}).status == 403
        check_logs(secure.logs())
    finally:
        secure.stop()


def test_each_login_has_a_token_of_its_own_and_only_its_hash_is_kept(app, make_teacher):
    hana = make_teacher()
    tokens = {hana.sign_in().cookies["login"] for _ in range(3)}
    assert len(tokens) == 3
    dump = app.psql(f"SELECT encode(token_hash, 'escape') FROM logins WHERE account_id = {hana.id}")
    assert dump and not any(token in dump for token in tokens)


def test_the_login_a_browser_comes_with_ends_when_it_signs_in_anew(make_teacher):
    hana = make_teacher()
    before = hana.client.fork()
    assert sign_in(hana.client, hana.email, hana.password).status == 200
    assert hana.get("/api/auth/me").status == 200
    assert before.get("/api/auth/me").status == 401


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "%00", '"', "\x7f"])
def test_a_token_nobody_has_is_nobodys(nobody, token):
    nobody.cookies["login"] = token
    assert nobody.get("/api/auth/me").status == 401


def test_wrong_password_and_unknown_address_get_one_answer(nobody, make_teacher):
    hana = make_teacher()
    wrong = sign_in(nobody, hana.email, "not her password")
    unknown = sign_in(nobody, "stranger@example.org", "not her password")
    assert wrong.status == unknown.status == 401
    assert wrong.body == unknown.body
    assert not wrong.headers["Set-Cookie"]


def test_unknown_addresses_take_as_long_as_known_ones(app, nobody, make_teacher):
    """Without the hash they would take a tenth of it. The best of many rounds, since machines are busy."""
    invited = make_teacher()
    app.psql(f"UPDATE accounts SET password_hash = NULL WHERE id = {invited.id}")
    emails = [make_teacher().email, "stranger2@example.org", invited.email]
    best = dict.fromkeys(emails, 1e9)
    for rounds in range(1, 41):
        forget_attempts(app)
        for email in emails:
            began = time.monotonic()
            assert sign_in(nobody, email, "not the password").status == 401
            best[email] = min(best[email], time.monotonic() - began)
        known, *others = best.values()
        if rounds >= 5 and all(0.6 < other / known < 1.7 for other in others):
            return
    pytest.fail(f"the times differ: {best}")


def test_who_has_no_password_yet_cannot_sign_in(app, nobody, admin):
    made = admin.post("/api/admin/teachers", {"name": "New", "email": "new@example.org"})
    assert made.status == 201
    for password in ("", " ", "null", PASSWORD):
        assert sign_in(nobody, "new@example.org", password).status in (400, 401)


@pytest.mark.parametrize(
    "body, field",
    [
        ({}, "email"),
        ({"email": "a@example.org"}, "password"),
        ({"email": 1, "password": "x"}, "email"),
        ({"email": "a@example.org", "password": None}, "password"),
        ({"email": "a@example.org", "password": "x" * 1025}, "password"),
        ({"email": "a" * 255, "password": "x"}, "email"),
        ({"email": "a@example.org\0b", "password": "x"}, "email"),
        ({"email": "a@example.org", "password": "x", "role": "admin"}, "role"),
        (b"[]", "body"),
        (b"{", "body"),
        (b'{"email":"\xff","password":"x"}', "body"),
    ],
)
def test_bad_input_is_refused_by_name(nobody, body, field):
    answer = nobody.request("POST", "/api/auth/login", body)
    assert answer.status == 400 and answer.field == field


def test_a_page_of_another_site_cannot_sign_anybody_in(app, nobody, make_teacher):
    hana = make_teacher()
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
    ):
        answer = sign_in(nobody, hana.email, hana.password, headers=headers)
        assert answer.status == 403 and not answer.headers["Set-Cookie"]
    bare = {"Sec-Fetch-Site": None, "Origin": None}
    assert sign_in(nobody, hana.email, hana.password, headers=bare).status == 200


def test_a_cookie_without_an_origin_changes_nothing(make_teacher):
    """What sends a cookie is a browser, and must say where the call comes from."""
    hana = make_teacher()
    answer = hana.post("/api/auth/logout", headers={"Sec-Fetch-Site": None, "Origin": None})
    assert answer.status == 403
    assert hana.get("/api/auth/me").status == 200


# ---------------------------------------------------------------- how long a login lasts


def test_a_login_idles_out_after_twelve_hours(clock, make_teacher):
    hana = make_teacher()
    clock.move("11 hours 59 minutes")
    assert hana.get("/api/auth/me").status == 200  # which is an action: the twelve hours start anew
    clock.move("23 hours 50 minutes")
    assert hana.get("/api/auth/me").status == 200
    clock.move("36 hours")
    assert hana.get("/api/auth/me").status == 401


def test_polls_do_not_keep_a_login(clock, make_teacher):
    hana = make_teacher()
    for hours in (4, 8, 11):
        clock.move(f"{hours} hours")
        assert hana.get("/api/teacher/students", headers={"X-Poll": "1"}).status == 200
    clock.move("12 hours 1 minute")
    assert hana.get("/api/teacher/students").status == 401


def test_a_login_ends_after_seven_days_whatever_happens(clock, make_teacher):
    hana = make_teacher()
    for hours in range(10, 168, 10):
        clock.move(f"{hours} hours")
        assert hana.get("/api/auth/me").status == 200
    clock.move("168 hours 1 minute")
    assert hana.get("/api/auth/me").status == 401


def test_logins_of_the_past_are_not_kept(app, clock, make_teacher):
    hana = make_teacher()
    for _ in range(2):
        hana.sign_in()
    clock.move("168 hours 1 minute")
    hana.sign_in()
    assert app.psql(f"SELECT count(*) FROM logins WHERE account_id = {hana.id}") == "1"


def test_signing_out_ends_this_browser_only(make_teacher):
    hana = make_teacher()
    phone = hana.sign_in()
    kept = hana.client.fork()
    answer = hana.post("/api/auth/logout")
    assert answer.status == 200 and "login" not in hana.client.cookies
    assert kept.get("/api/auth/me").status == 401
    assert phone.get("/api/auth/me").status == 200
    assert hana.post("/api/auth/logout").status == 200


# ---------------------------------------------------------------- invitations


def invite(admin, n="9", **fields):
    email = f"invited{time.monotonic_ns()}@example.org"
    made = admin.post("/api/admin/teachers", {"name": f"Invited {n}", "email": email, **fields})
    assert made.status == 201
    return made.json, made["invite_url"].split("#")[1]


def accept(client, token, password=PASSWORD):
    return client.post("/api/auth/accept-invite", {"token": token, "password": password})


def test_an_invitation_signs_in_once(app, nobody, admin):
    teacher, token = invite(admin)
    assert teacher["invite_url"].startswith(app.url + "/invite#")
    answer = accept(nobody, token)
    assert answer.status == 200 and answer["account"]["id"] == teacher["id"]
    assert nobody.get("/api/auth/me")["account"]["role"] == "teacher"
    again = accept(app.client(), token, "another password")
    assert again.status == 404 and again.field == "token"
    assert sign_in(app.client(), teacher["email"], PASSWORD).status == 200


def test_of_many_who_accept_at_once_one_gets_in(app, admin):
    teacher, token = invite(admin)
    clients = [app.client() for _ in range(12)]
    calls = [lambda c=c, i=i: accept(c, token, f"a quiet river {i}") for i, c in enumerate(clients)]
    answers = at_once(*calls)
    assert sorted(a.status for a in answers) == [200] + [404] * 11
    (winner,) = [i for i, a in enumerate(answers) if a.status == 200]
    assert sign_in(app.client(), teacher["email"], f"a quiet river {winner}").status == 200


def test_an_invitation_lasts_seven_days(app, clock, admin, nobody):
    _, token = invite(admin)
    clock.move("7 days")
    assert accept(nobody, token).status == 404
    clock.move("6 days 23 hours 59 minutes")
    assert accept(nobody, token).status == 200


def test_a_fresh_invitation_replaces_the_earlier(admin, nobody):
    teacher, first = invite(admin)
    again = admin.patch("/api/admin/teachers", {"id": teacher["id"], "invite": True})
    assert again.status == 200
    assert accept(nobody, first).status == 404
    assert accept(nobody, again["invite_url"].split("#")[1]).status == 200


def test_an_invitation_is_a_way_back_for_who_forgot_the_password(admin, make_teacher, nobody):
    hana = make_teacher()
    again = admin.patch("/api/admin/teachers", {"id": hana.id, "invite": True})
    assert hana.get("/api/auth/me").status == 200  # until it is used nothing has changed
    assert accept(nobody, again["invite_url"].split("#")[1], "a new password").status == 200
    assert hana.get("/api/auth/me").status == 401
    assert sign_in(nobody, hana.email, hana.password).status == 401
    assert sign_in(nobody, hana.email, "a new password").status == 200


def test_a_corrected_address_takes_the_invitation_back_that_the_wrong_one_has(admin, nobody):
    teacher, token = invite(admin)
    moved = f"moved{time.monotonic_ns()}@example.org"
    kept = {"id": teacher["id"], "email": teacher["email"].upper(), "name": "The Same"}
    assert admin.patch("/api/admin/teachers", kept)["invited"] is not None
    changed = admin.patch("/api/admin/teachers", {"id": teacher["id"], "email": moved})
    assert changed.status == 200 and changed["invited"] is None
    assert accept(nobody, token).status == 404
    again = admin.patch("/api/admin/teachers", {"id": teacher["id"], "email": teacher["email"], "invite": True})
    assert accept(nobody, again["invite_url"].split("#")[1]).status == 200


def test_who_joined_from_a_wrong_address_is_out_when_the_right_one_is_invited(admin, nobody, invite_teacher):
    stranger = invite_teacher()
    right = {"id": stranger.id, "email": f"right{time.monotonic_ns()}@example.org", "invite": True}
    changed = admin.patch("/api/admin/teachers", right)
    assert changed.status == 200 and changed["joined"] is False
    assert stranger.get("/api/auth/me").status == 401
    assert sign_in(nobody, right["email"], stranger.password).status == 401
    assert accept(nobody, changed["invite_url"].split("#")[1], "a new password").status == 200
    assert sign_in(nobody, right["email"], "a new password").status == 200


def test_an_address_that_changes_signs_nobody_out(admin, nobody, invite_teacher):
    teacher = invite_teacher()
    moved = {"id": teacher.id, "email": f"moved{time.monotonic_ns()}@example.org"}
    assert admin.patch("/api/admin/teachers", moved)["joined"] is True
    assert teacher.get("/api/auth/me").status == 200
    assert sign_in(nobody, moved["email"], teacher.password).status == 200


@pytest.mark.parametrize(
    "password", ["short", "1234567", "password", "12345678", "aaaaaaaa", "QWERTYUIOP", "x" * 1025]
)
def test_a_refused_password_uses_nothing_up(admin, nobody, password):
    _, token = invite(admin)
    answer = accept(nobody, token, password)
    assert answer.status == 400 and answer.field == "password"
    assert accept(nobody, token, "y" + "z x" * 300).status == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 200, "' OR 1=1 --"])
def test_an_unknown_invitation_is_not_found(nobody, token):
    answer = accept(nobody, token)
    assert answer.status == 404 and answer.field == "token"


def test_who_is_disabled_cannot_accept(admin, nobody):
    teacher, token = invite(admin)
    assert admin.patch("/api/admin/teachers", {"id": teacher["id"], "disabled": True}).status == 200
    assert accept(nobody, token).status == 404
    refused = admin.patch("/api/admin/teachers", {"id": teacher["id"], "invite": True})
    assert refused.status == 409 and refused.field == "invite"


def test_an_operator_invites_by_command(app, nobody):
    done = app.job("classclock-admin", "invite", "--role", "admin", "second@example.org", "--name", "Second")
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    base, _, token = line.partition("#")
    assert base == app.url + "/invite"
    answer = accept(nobody, token)
    assert answer.status == 200
    assert answer["account"]["role"] == "admin" and answer["account"]["name"] == "Second"
    other_role = app.job("classclock-admin", "invite", "--role", "teacher", "second@example.org")
    assert other_role.returncode == 1 and not other_role.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["--role", "owner", "a@example.org"], ["--role", "admin"], ["a@example.org"], ["--role"], ["x", "y"]],
)
def test_a_wrong_invite_command_says_how(app, arguments):
    done = app.job("classclock-admin", "invite", *arguments)
    assert done.returncode == 2 and "--role" in done.stderr and not done.stdout


# ---------------------------------------------------------------- passwords


def change(client, current, new):
    return client.post("/api/auth/password", {"current_password": current, "new_password": new})


def test_a_new_password_ends_the_other_logins_and_keeps_this_one(nobody, make_teacher):
    hana = make_teacher()
    phone = hana.sign_in()
    answer = change(hana, hana.password, "the long way round")
    assert answer.status == 200
    assert hana.get("/api/auth/me").status == 200
    assert phone.get("/api/auth/me").status == 401
    assert sign_in(nobody, hana.email, hana.password).status == 401
    assert sign_in(nobody, hana.email, "the long way round").status == 200


def test_the_current_password_must_be_known(nobody, make_teacher):
    hana = make_teacher()
    answer = change(hana, "not hers", "the long way round")
    assert answer.status == 400 and answer.field == "current_password"
    assert sign_in(nobody, hana.email, hana.password).status == 200


@pytest.mark.parametrize("password", ["short", "password1", "x" * 1025])
def test_a_new_password_must_be_worth_it(make_teacher, password):
    hana = make_teacher()
    answer = change(hana, hana.password, password)
    assert answer.status == 400 and answer.field == "new_password"
    answer = change(hana, hana.password, hana.email)
    assert answer.status == 400 and answer.field == "new_password"


def test_passwords_are_argon2id_at_the_costs_that_owasp_names(app, make_teacher):
    hana = make_teacher()
    stored = app.psql(f"SELECT password_hash FROM accounts WHERE id = {hana.id}")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_of_other_costs_is_renewed_at_the_next_sign_in(app, nobody, make_teacher):
    hana = make_teacher()
    # "a quiet river 7" at m=8192, t=1, made by libsodium.
    old = old_hash(PASSWORD)
    app.psql(f"UPDATE accounts SET password_hash = '{old}' WHERE id = {hana.id}")
    assert sign_in(nobody, hana.email, PASSWORD).status == 200
    stored = app.psql(f"SELECT password_hash FROM accounts WHERE id = {hana.id}")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(nobody, hana.email, PASSWORD).status == 200


def old_hash(password):
    import ctypes

    sodium = ctypes.CDLL("libsodium.so.23")
    out = ctypes.create_string_buffer(128)
    text = password.encode()
    done = sodium.crypto_pwhash_str(
        out, text, ctypes.c_ulonglong(len(text)), ctypes.c_ulonglong(1), ctypes.c_size_t(8192 * 1024)
    )
    assert done == 0
    return out.value.decode()


# ---------------------------------------------------------------- throttling


@pytest.fixture
def fresh_attempts(app, clock):
    """No failures from before, none left behind; and no time goes by in which a wait ends, however slow the machine."""
    clock.stop(app.psql("SELECT clock_now()"))
    forget_attempts(app)
    yield
    forget_attempts(app)


def strangers_view(app, person):
    """What someone sees who tries from elsewhere: the owner's known address is forgotten."""
    app.psql("DELETE FROM login_attempts WHERE key LIKE 'known %'")
    return app.client()


def test_the_sixth_guess_must_wait(app, fresh_attempts, make_teacher):
    hana = make_teacher()
    stranger = strangers_view(app, hana)
    for _ in range(5):
        assert sign_in(stranger, hana.email, "a guess").status == 401
    refused = sign_in(stranger, hana.email, "a guess")
    assert refused.status == 429 and refused.headers["Retry-After"] == "1"
    # Also with the right password: whether it is right is not told before the wait is over.
    assert sign_in(stranger, hana.email, hana.password).status == 429


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(app, clock, fresh_attempts, make_teacher):
    hana = make_teacher()
    stranger = strangers_view(app, hana)
    for _ in range(4):
        assert sign_in(stranger, hana.email, "a guess").status == 401
    began, elapsed, waits = app.psql("SELECT clock_now()"), 0, []
    for _ in range(13):
        clock.show(f"timestamptz '{began}' + interval '{elapsed} seconds'")
        assert sign_in(stranger, hana.email, "a guess").status == 401
        waits.append(int(sign_in(stranger, hana.email, "a guess").headers["Retry-After"]))
        elapsed += waits[-1] + 1
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_unknown_accounts_are_throttled_alike(app, fresh_attempts, nobody):
    answers = [sign_in(nobody, "stranger3@example.org", "a guess").status for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2


def test_a_success_starts_the_count_anew(app, fresh_attempts, make_teacher):
    hana = make_teacher()
    stranger = strangers_view(app, hana)
    for _ in range(3):
        for _ in range(4):
            assert sign_in(stranger, hana.email, "a guess").status == 401
        assert sign_in(stranger, hana.email, hana.password).status == 200


def test_strangers_do_not_lock_the_owner_out(app, fresh_attempts, make_teacher):
    """Someone elsewhere keeps the account locked; the owner, where he has signed in before, gets in."""
    hana = make_teacher()
    assert sign_in(app.client(), hana.email, hana.password).status == 200
    app.psql(
        "INSERT INTO login_attempts SELECT replace(substring(key FROM '^known [0-9a-f]+'), 'known', 'account'),"
        " 50, clock_now(), clock_now() + interval '15 minutes' FROM login_attempts WHERE key LIKE 'known %'"
    )
    assert sign_in(app.client(), hana.email, hana.password).status == 200


def test_existing_logins_go_on_while_an_account_is_locked(app, fresh_attempts, make_teacher):
    hana = make_teacher()
    stranger = strangers_view(app, hana)
    while sign_in(stranger, hana.email, "a guess").status == 401:
        pass
    assert hana.get("/api/auth/me").status == 200


def test_an_address_that_sprays_must_wait_but_not_those_known_there(app, fresh_attempts, make_teacher, nobody):
    hana = make_teacher()
    assert sign_in(app.client(), hana.email, hana.password).status == 200
    app.psql(
        "INSERT INTO login_attempts VALUES ('address 127.0.0.0/24', 120, clock_now(), clock_now() + interval '9 s')"
        " ON CONFLICT (key) DO UPDATE SET failures = 120, locked_until = excluded.locked_until"
    )
    refused = sign_in(nobody, "stranger4@example.org", "a guess")
    assert refused.status == 429 and 8 <= int(refused.headers["Retry-After"]) <= 9
    assert sign_in(nobody, hana.email, hana.password).status == 200
    # And what a known person does there does not free the address.
    assert app.psql("SELECT failures FROM login_attempts WHERE key LIKE 'address %'") == "120"


def test_many_guesses_at_once_are_no_way_around(app, fresh_attempts, make_teacher):
    hana = make_teacher()
    strangers_view(app, hana)
    calls = [lambda c=app.client(): sign_in(c, hana.email, "a guess").status for _ in range(40)]
    statuses = at_once(*calls)
    assert statuses.count(401) == 5 and statuses.count(429) == 35
    failures = app.psql("SELECT failures FROM login_attempts WHERE key LIKE 'account %'")
    assert int(failures) == statuses.count(401)


def test_a_stolen_login_cannot_be_used_to_guess_the_password(app, fresh_attempts, make_teacher):
    hana = make_teacher()
    app.psql("DELETE FROM login_attempts")
    statuses = [change(hana, "a guess", "the long way round").status for _ in range(7)]
    assert statuses[:5] == [400] * 5 and statuses[5:] == [429, 429]


def test_old_failures_are_forgotten_and_the_table_stays_small(app, clock, fresh_attempts, nobody):
    app.psql(
        "INSERT INTO login_attempts SELECT 'account ' || n, 9, clock_now(), NULL FROM generate_series(1, 25) n"
    )
    app.psql("INSERT INTO login_attempts VALUES ('known x 192.0.2.0/24', 0, clock_now(), NULL)")
    clock.move("25 hours")
    for n in range(3):
        assert sign_in(nobody, f"forget{n}@example.org", "a guess").status == 401
    left = app.rows("SELECT key FROM login_attempts")
    assert sum(row["key"].startswith("account ") and len(row["key"]) < 12 for row in left) == 0
    assert any(row["key"].startswith("known x") for row in left)
    clock.move("91 days")
    assert sign_in(nobody, "forget4@example.org", "a guess").status == 401
    assert not app.rows("SELECT key FROM login_attempts WHERE key LIKE 'known x%'")


def test_no_email_address_is_kept_with_its_failures(app, fresh_attempts, nobody):
    """People type their password into the wrong field."""
    sign_in(nobody, "my-secret-password", "x")
    assert "my-secret" not in app.psql("SELECT key FROM login_attempts")
