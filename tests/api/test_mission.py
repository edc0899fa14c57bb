"""The main job from end to end: a link is sent, a click starts the clock, evidence stops it."""

import base64
import datetime
import http.client
import random
import re
import uuid

import pytest

from academy import PHONE, ROOT, SEED, ZOOM_URL, Client, at_once, moment, wait_for
from retold import explanation

MINUTE = datetime.timedelta(minutes=1)
# A whole hour that lies ahead, where the clock can stand still: links are younger then than they are.
HOUR = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) + 60 * MINUTE

# The rows of the facts on false clicks: what previewers, scanners and search engines send.
CRAWLERS = [
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.24.13.77 A",
    "Viber",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Meta-ExternalHit/1.1",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "meta-externalfetcher/1.1",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Slackbot 1.0 (+https://api.slack.com/robots)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) MicrosoftPreview/2.0 +https://aka.ms/MicrosoftPreview",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "Mozilla/5.0 (compatible; SnapURLPreview/1.0)",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
    "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15 (Applebot/0.1)",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Mozilla/5.0 (compatible; Mattermost-Bot/1.1)",
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
    "BeeperBot",
    "BlueskyPreviewBot",
    "Chatwork LinkPreview v1",
    "BufferLinkPreviewBot/1.0",
    "Yahoo Link Preview",
    "Mozilla/5.0 (compatible;Linespider/1.1;+https://lin.ee/4dwXkTH)",
    "bitlybot/3.0",
    "Google-Safety",
    "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
    "Mozilla/5.0 (en-us) AppleWebKit/525.13 (KHTML, like Gecko; Google Web Preview) Version/3.1",
    "Mozilla/5.0 (Linux; Android 11; moto g power) Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Puppeteer/22.0",
    "Chrome Privacy Preserving Prefetch Proxy",
    "Mozilla/5.0 (compatible; CloudFlare-Prefetch/0.1; +http://www.cloudflare.com/)",
    "Mozilla/5.0 (compatible; CloudflareRadarURLScanner/1.0)",
    "AppEngine-Google; (+http://code.google.com/appengine; appid: s~virustotalcloud)",
    "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
    "Expanse, a Palo Alto Networks company, searches across the global IPv4 space",
    "Mozilla/5.0 zgrab/0.x",
    "masscan/1.3 (https://github.com/robertdavidgraham/masscan)",
    "Mozilla/5.0 (compatible; NextCloud-News/1.0)",
    "ArenaUnfurlBot",
    "some bot",
    "my crawler 2",
    "a web spider",
    "preview",
]

# Named beside them as looking alike, or too doubtful to refuse a student for.
PEOPLE = [
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
    " Telegram-Android/11.3.3 (Samsung SM-A556B; Android 14; SDK 34; AVERAGE)",
    "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Instagram 334.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 [FBAN/FBIOS;FBAV/468]",
    "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Mobile Safari/537.36 Line/13.20.0/IAB",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.49(0x18003137)",
    "curl/7.88.1",
    "",
    None,
]

PREFETCHES = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
    {"X-Purpose": "preview"},
    {"Sec-Purpose": "prefetch", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "no-cors"},
]


@pytest.fixture(scope="module", name="hana")
def a_teacher(make_teacher):
    return make_teacher("Hana")


@pytest.fixture(scope="module", name="europe")
def a_student(make_student, hana):
    return make_student(hana, "Samuel")


@pytest.fixture(name="sent")
def a_class(send, hana, europe):
    return send(hana, europe)


@pytest.fixture(name="class_of")
def a_class_of_a_new_student(send, hana, make_student):
    def make(package="Europe"):
        return send(hana, make_student(hana, package_id=package))

    return make


def after(**units):
    return HOUR + datetime.timedelta(**units)


def text(then):
    """A moment as answers show it."""
    return then.isoformat().replace("+00:00", "Z")


def identity(sent):
    return sent["session"]["id"]


def kinds(app, sent):
    return [event["kind"] for event in app.evidence(identity(sent))]


def clicks(app, sent):
    return app.psql(f"SELECT verdict FROM clicks WHERE session_id = {identity(sent)} ORDER BY id").split()


def assert_not_started(app, sent):
    row = app.session(identity(sent))
    assert row["session_status"] == "sent" and row["clicked_at"] is None, row
    assert "clicked" not in kinds(app, sent)


def assert_opens(answer, zoom_url=ZOOM_URL):
    """The redirect to Zoom, byte for byte, with nothing that keeps or tells it."""
    assert answer.status == 302, answer
    assert answer.headers.get_all("Location") == [zoom_url]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get_all("Referrer-Policy") == ["no-referrer"]
    assert not answer.headers["Set-Cookie"] and not answer.body


def assert_page(answer, status):
    """A page for a person: no way on to Zoom, something to read."""
    assert answer.status == status and answer.type == "text/html", answer
    assert not answer.headers["Location"] and b"zoom.us" not in answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<h1>" in answer.text and "<p>" in answer.text


def listed(admin, sent, **filters):
    """The class as the admin's list shows it."""
    filters.setdefault("student_id", sent["session"]["student"]["id"])  # others' classes fill more than a page
    answer = admin.get("/api/admin/teacher-sessions?" + "&".join(f"{k}={v}" for k, v in filters.items()))
    assert answer.status == 200, answer
    (found,) = [row for row in answer["sessions"] if row["id"] == identity(sent)]
    return found


def totals(admin, student):
    return admin.get(f"/api/admin/teacher-sessions?student_id={student['id']}")["totals"]


def run_job(app):
    done = app.job("session-timeout")
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------- the mission


def test_a_click_starts_the_clock_and_leaving_stops_it(app, admin, send, tap, clock, hana, make_student):
    student = make_student(hana)
    clock.stop(after(seconds=0.25))
    sent = send(hana, student)
    session = sent["session"]
    assert session["session_status"] == "sent" and session["clicked_at"] is None
    assert session["sent_at"] == text(after(seconds=0.25))
    assert sent["join_url"].startswith(f"{app.url}/api/zoom/track?token=")
    assert sent["start_url"] == ZOOM_URL
    assert sent["leave_url"].startswith(f"{app.url}/api/zoom/teacher-left?session={session['id']}&exp=")
    assert sent["delivery"] == "none"
    assert listed(admin, sent)["session_status"] == "sent"
    assert totals(admin, student) == {
        "sent": 1, "active": 0, "ended": 0, "timeout": 0, "cancelled": 0, "missed": 0, "minutes": 0,
    }

    assert tap(sent["join_url"], headers={"User-Agent": CRAWLERS[0]}).status == 200
    assert tap(sent["join_url"], "HEAD").status == 302
    assert tap(sent["join_url"], headers=PREFETCHES[0]).status == 503
    assert_not_started(app, sent)

    clock.stop(after(minutes=4, seconds=30.5))
    assert_opens(tap(sent["join_url"]))
    live = listed(admin, sent, status="active", student_id=student["id"])
    assert live["session_status"] == "active"
    assert live["student"] == {"id": student["id"], "name": student["name"]}
    assert live["clicked_at"] == text(after(minutes=4, seconds=30.5))
    assert live["times_out_at"] == text(after(minutes=74, seconds=30.5))
    assert live["session_ended_at"] is None and live["session_duration_minutes"] is None
    assert totals(admin, student)["active"] == 1

    clock.stop(after(minutes=51, seconds=59.999999))  # 47 minutes and 29.499999 seconds
    answer = tap(sent["leave_url"])
    assert_page(answer, 200)
    ended = listed(admin, sent, status="ended")
    assert ended["session_ended_at"] == text(after(minutes=51, seconds=59.999999))
    assert ended["session_duration_minutes"] == 47
    assert ended["ended_by"] == "teacher_left" and ended["estimated"] is False
    before = kinds(app, sent), totals(admin, student)
    assert before[1]["minutes"] == 47 and before[1]["ended"] == 1

    clock.stop(after(minutes=55))
    again = tap(sent["leave_url"])
    assert again.status == 200 and again.body == answer.body
    assert listed(admin, sent) == ended
    assert (kinds(app, sent), totals(admin, student)) == before


@pytest.mark.parametrize(
    "seconds, minutes",
    [(0, 0), (29.999999, 0), (30, 1), (89.999999, 1), (90, 2), (3570, 60), (4200, 70)],
)
def test_minutes_are_rounded_half_up(app, clock, send, tap, hana, europe, seconds, minutes):
    clock.stop(after())
    sent = send(hana, europe)
    tap(sent["join_url"])
    clock.stop(after(seconds=seconds))
    assert tap(sent["leave_url"]).status == 200
    row = app.session(identity(sent))
    assert (row["session_status"], row["session_duration_minutes"]) == ("ended", minutes)


@pytest.mark.parametrize(
    "zoom_url",
    [
        "https://zoom.us/j/123456789",
        "https://US02WEB.Zoom.us/j/81234567890?pwd=AbC.-_1&omn=9#success",
        "https://zoom.us:443/j/81234567890?pwd=a%2Fb%20c&x=(1)*~!$',;:@/?&&",
        "https://school.zoom.us/my/hana.teacher-1",
        "https://zoom.us/wc/join/81234567890",
        "https://zoomgov.com/j/81234567890?",
        "https://zoom.us/j/81234567890?pwd=" + "x" * 566,
    ],
)
def test_the_zoom_link_comes_out_as_it_went_in(send, tap, hana, europe, zoom_url):
    sent = send(hana, europe, zoom_url)
    assert sent["start_url"] == zoom_url
    assert_opens(tap(sent["join_url"]), zoom_url)


# ---------------------------------------------------------------- who is no person


def test_a_crawler_gets_a_page_with_a_button_and_starts_nothing(app, tap, send, hana, europe):
    sent = send(hana, europe, ZOOM_URL + "&x=1")
    for agent in CRAWLERS:
        answer = tap(sent["join_url"], headers={"User-Agent": agent})
        assert answer.status == 200 and answer.type == "text/html", agent
        assert not answer.headers["Location"] and answer.headers["Cache-Control"] == "no-store"
        (button,) = re.findall(r'<a class="button" href="([^"]*)"', answer.text)
        assert button.replace("&amp;", "&") == ZOOM_URL + "&x=1"
    assert_not_started(app, sent)
    assert clicks(app, sent) == ["crawler"] * len(CRAWLERS)
    assert kinds(app, sent) == ["sent", "click_ignored"]  # one of a kind tells enough


@pytest.mark.parametrize("agent", PEOPLE)
def test_an_unknown_or_doubtful_browser_is_a_person(app, tap, sent, agent):
    assert_opens(tap(sent["join_url"], headers={"User-Agent": agent}))
    assert app.session(identity(sent))["session_status"] == "active"


@pytest.mark.parametrize(
    "headers",
    [
        dict.fromkeys(PHONE),
        {"Sec-Fetch-Mode": None, "Sec-Fetch-Dest": None, "Sec-Fetch-Site": None, "Accept": None},
        {"Accept": "*/*", "Sec-Fetch-Dest": "empty"},
        {"Sec-Purpose": "", "Purpose": "navigate"},
        {"Referer": "https://web.telegram.org/", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_missing_and_odd_headers_make_nobody_a_robot(app, tap, sent, headers):
    assert_opens(tap(sent["join_url"], headers=headers))
    assert app.session(identity(sent))["session_status"] == "active"


def test_a_prefetch_is_told_to_come_back(app, tap, sent):
    for headers in PREFETCHES:
        answer = tap(sent["join_url"], headers=headers)
        assert_page(answer, 503)
        assert "Sec-Purpose" in answer.headers["Vary"]
    assert_not_started(app, sent)
    assert clicks(app, sent) == ["prefetch"] * len(PREFETCHES)
    assert_opens(tap(sent["join_url"]))  # the person comes


def test_head_gets_the_headers_and_starts_nothing(app, tap, sent):
    head = tap(sent["join_url"], "HEAD")
    assert_opens(head)
    assert_not_started(app, sent)
    get = tap(sent["join_url"])
    varying = {"Date", "Connection"}
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in get.headers.items() if k not in varying
    }


def test_other_methods_are_refused(app, tap, sent):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        answer = tap(sent["join_url"], method)
        assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", answer
    assert tap(sent["join_url"], "get").status in (400, 405)  # nginx knows no such method
    assert_not_started(app, sent)
    assert clicks(app, sent) == []


def test_non_people_leave_an_opened_class_alone_too(app, tap, sent):
    tap(sent["join_url"])
    before = app.session(identity(sent))
    for headers in ({"User-Agent": CRAWLERS[0]}, PREFETCHES[0]):
        tap(sent["join_url"], headers=headers)
    tap(sent["join_url"], "HEAD")
    assert app.session(identity(sent)) == before


def test_prefetch_and_crawlers_end_no_class(app, tap, sent):
    tap(sent["join_url"])
    for headers in ({"User-Agent": CRAWLERS[0]}, *PREFETCHES):
        assert tap(sent["leave_url"], headers=headers).status == 503
    assert tap(sent["leave_url"], "HEAD").status == 405
    assert app.session(identity(sent))["session_status"] == "active"
    assert "teacher_left" not in kinds(app, sent)


# ---------------------------------------------------------------- repeats, late clicks, lost rows


def test_later_clicks_open_zoom_again_and_change_nothing(app, tap, clock, sent):
    assert_opens(tap(sent["join_url"]))
    before = app.session(identity(sent))
    clock.move("20 minutes")
    assert_opens(tap(sent["join_url"]))
    assert app.session(identity(sent)) == before
    assert clicks(app, sent) == ["human", "human"]
    assert kinds(app, sent) == ["sent", "clicked"]


def test_the_click_s_statement_is_planned_once_a_connection(app, tap, sent):
    """PostgreSQL would plan it anew for each lone click. It is asked not to, as its own log says."""
    said, log = "SET plan_cache_mode = force_generic_plan", app.state / "log" / "postgres.log"
    app.psql("ALTER SYSTEM SET log_statement = 'all'")
    try:
        app.psql("SELECT pg_reload_conf()", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'classclock_app'")
        wait_for(lambda: tap(sent["join_url"]).status == 302 and said in log.read_text())
    finally:
        app.psql("ALTER SYSTEM RESET log_statement")
        app.psql("SELECT pg_reload_conf()")


def test_a_click_after_the_end_still_opens_zoom(app, tap, clock, sent):
    tap(sent["join_url"])
    clock.move("50 minutes")
    tap(sent["leave_url"])
    before = app.session(identity(sent))
    clock.move("6 hours")
    assert_opens(tap(sent["join_url"]))
    assert_opens(tap(sent["join_url"]))
    assert app.session(identity(sent)) == before
    assert clicks(app, sent) == ["human", "late", "late"]
    (ignored,) = [e for e in app.evidence(identity(sent)) if e["kind"] == "click_ignored"]
    assert ignored["detail"] == {"why": "late"} and ignored["source"] == "student"


def test_a_late_click_waits_for_the_admin(app, admin, tap, clock, sent):
    """Someone tried the link at noon, the class is at six: reopening is one call, and noon costs no minutes."""
    tap(sent["join_url"])
    clock.move("6 hours")
    run_job(app)
    tap(sent["join_url"])
    (late,) = [e for e in app.evidence(identity(sent)) if e["kind"] == "click_ignored"]
    answer = admin.act(identity(sent), "reopen", "the class is now", clicked_at=text(moment(late["happened_at"])))
    assert answer.status == 200 and answer["session"]["session_status"] == "active"
    clock.move("6 hours 50 minutes")
    tap(sent["leave_url"])
    row = app.session(identity(sent))
    assert (row["session_status"], row["session_duration_minutes"]) == ("ended", 50)


def test_a_missing_row_after_a_restored_backup_still_opens_zoom(app, tap, sent):
    n = identity(sent)
    app.psql(
        "SET session_replication_role = replica;"
        f" DELETE FROM session_events WHERE session_id = {n}; DELETE FROM sessions WHERE id = {n}"
    )
    before = app.psql("SELECT count(*) FROM clicks WHERE session_id IS NULL AND verdict = 'orphan'")
    assert_opens(tap(sent["join_url"]))
    after = app.psql("SELECT count(*) FROM clicks WHERE session_id IS NULL AND verdict = 'orphan'")
    assert int(after) == int(before) + 1
    assert tap(sent["join_url"], headers={"User-Agent": CRAWLERS[0]}).status == 200
    assert tap(sent["leave_url"]).status == 404


def test_a_row_that_is_another_s_is_not_touched(app, tap, sent):
    """After a restore the number may belong to another class: the link's own id tells."""
    n = identity(sent)
    app.psql(f"UPDATE sessions SET link_id = '{uuid.uuid4()}' WHERE id = {n}")
    assert_opens(tap(sent["join_url"]))
    assert_not_started(app, sent)
    assert clicks(app, sent) == []


def test_an_orphan_s_link_expires_as_well(app, tap, clock, sent):
    app.psql(f"UPDATE sessions SET link_id = '{uuid.uuid4()}' WHERE id = {identity(sent)}")
    clock.move("12 hours")
    assert_page(tap(sent["join_url"]), 410)


# ---------------------------------------------------------------- links that do not open


def test_a_link_lives_twelve_hours_to_the_microsecond(app, admin, tap, clock, send, hana, europe):
    clock.stop(after())
    first = send(hana, europe)
    clock.stop(after(hours=11, minutes=59, seconds=59.999999))
    assert_opens(tap(first["join_url"]))
    assert listed(admin, first)["times_out_at"] == text(after(hours=13, minutes=9, seconds=59.999999))
    clock.stop(after())
    second = send(hana, europe)
    clock.stop(after(hours=12))
    assert_page(tap(second["join_url"]), 410)
    assert_not_started(app, second)


def test_an_unopened_link_is_missed(app, admin, tap, clock, sent):
    clock.move("11 hours 59 minutes")
    run_job(app)
    assert app.session(identity(sent))["session_status"] == "sent"
    clock.move("15 hours")
    run_job(app)
    row = listed(admin, sent, status="missed")
    assert row["session_status"] == "missed" and row["session_duration_minutes"] is None
    missed = app.evidence(identity(sent))[-1]
    assert missed["kind"] == "missed"
    assert moment(missed["happened_at"]) == moment(row["sent_at"]) + 720 * MINUTE
    assert_page(tap(sent["join_url"]), 410)
    assert app.session(identity(sent))["session_status"] == "missed"


def test_how_long_a_link_lives_is_sealed_into_it(app, admin, tap, clock, send, hana, europe):
    def live(hours):
        assert admin.patch("/api/admin/settings", {"link_hours": hours}).status == 200

    try:
        live(1)
        short = send(hana, europe)
        tap(short["join_url"])  # opened, so that the next does not supersede it
        live(24)
        long = send(hana, europe)
        live(2)
        clock.move("61 minutes")
        assert_opens(tap(short["join_url"]))  # the class runs: somebody whose call broke off comes back
        clock.move("71 minutes")
        assert_page(tap(short["join_url"]), 410)
        clock.move("23 hours 59 minutes")
        assert_opens(tap(long["join_url"]))
    finally:
        clock.reset()  # the admin is not signed in for so long
        live(12)


def test_a_cancelled_class_does_not_open(app, tap, sent, hana):
    assert hana.act(identity(sent), "cancel").status == 200
    assert_page(tap(sent["join_url"]), 410)
    assert_page(tap(sent["join_url"], headers={"User-Agent": CRAWLERS[0]}), 410)
    assert tap(sent["join_url"], "HEAD").status == 410
    assert app.session(identity(sent))["session_status"] == "cancelled"


def test_the_pages_speak_the_reader_s_language(app, tap):
    def page(language):
        return tap(f"{app.url}/api/zoom/track?token=x", headers={"Accept-Language": language}).text

    assert '<html lang="ar" dir="rtl">' in page("ar-EG,ar;q=0.9,en;q=0.8")
    assert '<html lang="am"' in page("am")
    assert '<html lang="en"' in page("de-DE")


def flipped(token):
    """The token with each of its bits turned over, one at a time."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for bit in range(8 * len(raw)):
        other = bytearray(raw)
        other[bit // 8] ^= 1 << bit % 8
        yield base64.urlsafe_b64encode(other).rstrip(b"=").decode()


def other_spellings(token):
    """Other texts of the same bytes, for a decoder that is not strict."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {0: 0, 2: 4, 3: 2}[len(token) % 4]
    last = alphabet.index(token[-1])
    for bits in range(1, 1 << spare):
        yield token[:-1] + alphabet[last | bits]
    yield token + "="
    yield token + "=" * (-len(token) % 4 or 4)
    yield token.replace("-", "+").replace("_", "/") + "%0A"
    yield "%20" + token
    yield token + "%20"
    yield token + "A"
    yield token[:-1]
    yield token[:20] + "%0A" + token[20:]


def test_a_forged_link_is_not_ours_whichever_bit_was_turned(app, sent):
    """Many of them on one connection; a forgery costs no query. Of a link's beginning as many pass as of the link: the
    bits behind it are drawn, and all tried in tests/unit/test_join_link.c."""
    token = sent["join_url"].split("token=")[1]
    flips, begins = list(flipped(token)), 8 * 24
    flips = flips[:begins] + random.Random(SEED).sample(flips[begins:], 300)
    forged = [*flips, *other_spellings(token), "", "A" * 43, "A" * 900, "%00", token * 2]
    base = Client(app.url).base
    connection = http.client.HTTPConnection(base.hostname, base.port)
    for other in forged:
        connection.request("GET", f"/api/zoom/track?token={other}", headers={"User-Agent": "curl"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 404, (other, answer.status, body)
        assert not answer.headers["Location"] and b"zoom" not in body
    connection.close()
    assert_not_started(app, sent)
    assert clicks(app, sent) == []
    assert_opens(app.client().open(sent["join_url"]))


def test_other_parameters_are_ignored(app, tap, send, hana, europe):
    for extra in (
        "&utm_source=telegram&utm_medium=bot",
        "&fbclid=IwAR0_x&gclid=1&mc_eid=%E2%9C%93",
        "&token=A",
        "&token=",
        "&x=%zz&y=%00",
        "&" * 50,
        "&" + "&".join(f"p{i}={i}" for i in range(200)),
    ):
        sent = send(hana, europe)
        assert_opens(tap(sent["join_url"] + extra))
        assert app.session(identity(sent))["session_status"] == "active"
        assert_opens(tap(sent["join_url"].replace("?", "?utm_id=7&")))


def test_of_several_tokens_the_first_counts(app, tap, send, hana, make_student):
    one, two = (send(hana, make_student(hana), f"{ZOOM_URL}{n}") for n in (1, 2))
    second = two["join_url"].split("?")[1]
    assert_opens(tap(f"{one['join_url']}&{second}"), f"{ZOOM_URL}1")
    assert_not_started(app, two)
    assert tap(f"{app.url}/api/zoom/track?token=x&{second}").status == 404
    assert tap(f"{app.url}/api/zoom/track?x=1").status == 404
    assert tap(f"{app.url}/api/zoom/track").status == 404


def test_who_is_signed_in_starts_nothing_and_is_told(app, admin, sent, hana, make_teacher, clock):
    for person in (hana, admin, make_teacher()):
        for method in ("GET", "HEAD"):
            answer = person.client.open(sent["join_url"], method)
            assert answer.status == 200 and not answer.headers["Location"]
        assert_page(person.client.open(sent["join_url"]), 200)
        assert_not_started(app, sent)
    ignored = [e["detail"]["why"] for e in app.evidence(identity(sent)) if e["kind"] == "click_ignored"]
    assert ignored == ["signed_in"]
    browser = hana.sign_in()
    stale = browser.fork()
    browser.post("/api/auth/logout")
    assert_opens(stale.open(sent["join_url"]))  # signed out: a person like any other
    before = app.session(identity(sent))
    assert_page(hana.client.open(sent["join_url"]), 200)
    assert app.session(identity(sent)) == before


# ---------------------------------------------------------------- newer links


def test_a_newer_link_takes_the_old_button_along(app, admin, tap, send, hana, make_student):
    student = make_student(hana)
    first = send(hana, student, f"{ZOOM_URL}1")
    second = send(hana, student, f"{ZOOM_URL}2")
    third = send(hana, student, f"{ZOOM_URL}3")
    assert kinds(app, first) == ["sent", "superseded"]
    assert app.session(identity(first))["session_status"] == "cancelled"
    assert app.session(identity(first))["superseded_by"] == identity(second)
    assert_opens(tap(first["join_url"], "HEAD"), f"{ZOOM_URL}3")
    assert_not_started(app, third)
    assert_opens(tap(first["join_url"]), f"{ZOOM_URL}3")
    assert app.session(identity(third))["session_status"] == "active"
    assert_opens(tap(second["join_url"]), f"{ZOOM_URL}3")
    assert_opens(tap(third["join_url"]), f"{ZOOM_URL}3")
    for old in (first, second):
        assert app.session(identity(old))["session_status"] == "cancelled"
        assert kinds(app, old) == ["sent", "superseded"] and clicks(app, old) == []
    assert clicks(app, third) == ["head", "human", "human", "human"]


def test_a_withdrawn_button_opens_nothing_whatever_is_sent_after_it(app, admin, tap, send, hana, make_student):
    """It may have reached the wrong person, whose tap must not start the next class's clock."""
    student = make_student(hana)
    first = send(hana, student, f"{ZOOM_URL}1")
    assert hana.act(identity(first), "cancel").status == 200
    second = send(hana, student, f"{ZOOM_URL}2")
    assert_page(tap(first["join_url"]), 410)
    assert admin.act(identity(second), "cancel", reason="x").status == 200
    third = send(hana, student, f"{ZOOM_URL}3")
    for old, whose in ((first, "the teacher"), (second, "an admin")):
        assert_page(tap(old["join_url"]), 410)
        assert kinds(app, old) == ["sent", "cancelled"]
        assert tap(old["join_url"], "HEAD").status == 410
        assert app.session(identity(old))["superseded_by"] is None
        assert explanation(admin, identity(old)).endswith(f"cancelled by {whose}.")
    assert_not_started(app, third)


def test_a_replaced_button_that_is_withdrawn_opens_nothing_any_more(app, admin, tap, send, hana, make_student):
    """It went to the wrong person, and a newer link was sent before anybody noticed."""
    student = make_student(hana)
    first, second, third = (send(hana, student, f"{ZOOM_URL}{i}") for i in (1, 2, 3))
    assert_opens(tap(first["join_url"], "HEAD"), f"{ZOOM_URL}3")
    assert admin.act(identity(first), "cancel").status == 200
    assert_page(tap(first["join_url"]), 410)
    assert_not_started(app, third)
    for person in (admin, hana):
        assert person.act(identity(first), "cancel").status == 200
    assert kinds(app, first) == ["sent", "superseded", "cancelled"]
    assert app.session(identity(first))["superseded_by"] is None
    assert explanation(admin, identity(first)).endswith("cancelled by an admin.")
    assert tap(first["join_url"], "HEAD").status == 410
    assert_opens(tap(second["join_url"]), f"{ZOOM_URL}3")  # which nobody withdrew


def test_a_former_teachers_button_is_still_the_students(app, admin, tap, send, hana, make_teacher, make_student):
    """Who changed teachers goes on from the old chat message; the former teacher is told that it is not theirs."""
    student, ben = make_student(hana), make_teacher("Ben")
    old = send(hana, student, f"{ZOOM_URL}1")
    assert admin.patch("/api/admin/students", {"id": student["id"], "teacher_id": ben.id}).status == 200
    new = send(ben, student, f"{ZOOM_URL}2")
    path = old["join_url"].removeprefix(app.url)
    assert_page(hana.client.get(path), 200)
    assert_not_started(app, new)
    assert_opens(tap(old["join_url"]), f"{ZOOM_URL}2")
    row = app.session(identity(new))
    assert (row["session_status"], row["teacher_id"]) == ("active", ben.id)
    assert app.session(identity(old))["session_status"] == "cancelled"


def test_withdrawn_links_that_had_been_superseded_are_taken_back(app, tap, send, hana, make_student):
    """As an earlier version left them; a link that nobody had withdrawn goes on opening the newer class."""
    student = make_student(hana)
    withdrawn = send(hana, student, f"{ZOOM_URL}1")
    assert hana.act(identity(withdrawn), "cancel").status == 200
    replaced, newer = (send(hana, student, f"{ZOOM_URL}{i}") for i in (2, 3))
    app.psql(
        f"UPDATE sessions SET superseded_by = {identity(replaced)} WHERE id = {identity(withdrawn)};"
        " INSERT INTO session_events (session_id, kind, happened_at, source, dedupe)"
        f" VALUES ({identity(withdrawn)}, 'superseded', clock_now(), 'system', 'superseded')"
    )
    app.psql((ROOT / "schema" / "0012_withdrawn.sql").read_text())
    assert_page(tap(withdrawn["join_url"]), 410)
    assert_not_started(app, newer)
    assert_opens(tap(replaced["join_url"]), f"{ZOOM_URL}3")


def test_a_class_that_runs_is_not_superseded(app, tap, send, hana, make_student):
    student = make_student(hana)
    first = send(hana, student, f"{ZOOM_URL}1")
    tap(first["join_url"])
    second = send(hana, student, f"{ZOOM_URL}2")
    assert_opens(tap(first["join_url"]), f"{ZOOM_URL}1")
    assert_not_started(app, second)
    assert_opens(tap(second["join_url"]), f"{ZOOM_URL}2")
    assert app.session(identity(first))["session_status"] == "active"


def test_only_the_same_student_s_link_is_superseded(app, send, hana, make_student):
    one, other = (send(hana, make_student(hana)) for _ in range(2))
    assert_not_started(app, one)
    assert_not_started(app, other)


def test_the_old_button_shares_the_new_class_s_fate(app, tap, clock, send, hana, make_student):
    student = make_student(hana)
    first = send(hana, student, f"{ZOOM_URL}1")
    clock.move("11 hours 50 minutes")
    send(hana, student, f"{ZOOM_URL}2")
    clock.move("13 hours")
    assert_opens(tap(first["join_url"]), f"{ZOOM_URL}2")  # though its own life is over
    clock.move("24 hours")
    assert_page(tap(first["join_url"]), 410)
    clock.reset()
    old, new = send(hana, student), send(hana, student)
    assert hana.act(identity(new), "cancel").status == 200
    assert_page(tap(old["join_url"]), 410)


def test_another_zoom_link_reaches_the_button_that_was_sent(app, tap, sent, hana):
    answer = hana.act(identity(sent), "zoom_url", zoom_url=f"{ZOOM_URL}9")
    assert answer.status == 200 and answer["start_url"] == f"{ZOOM_URL}9"
    assert_opens(tap(sent["join_url"]), f"{ZOOM_URL}9")
    assert_opens(tap(answer["join_url"]), f"{ZOOM_URL}9")


# ---------------------------------------------------------------- the other path: time


LIMITS = [("Europe", 70), ("USA", 70), ("Canada", 70), ("0 Fee", 40), (None, 70)]


def assert_timed_out(app, sent, minutes):
    row = app.session(identity(sent))
    assert row["session_status"] == "timeout", row
    assert moment(row["session_ended_at"]) == moment(row["clicked_at"]) + minutes * MINUTE
    assert row["session_ended_at"] == row["times_out_at"]
    assert row["session_duration_minutes"] == minutes
    assert row["estimated"] is True and row["ended_by"] is None
    (noted,) = [e for e in app.evidence(identity(sent)) if e["kind"] == "timed_out"]
    assert moment(noted["happened_at"]) == moment(row["times_out_at"]) and noted["source"] == "system"


@pytest.mark.parametrize("package, minutes", LIMITS)
@pytest.mark.parametrize("late", ["0 seconds", "3 hours"])
def test_silence_ends_a_class_at_its_deadline(app, admin, tap, class_of, package, minutes, late):
    """With the clock of the data moved back, as outside checks do it."""
    sent = class_of(package)
    tap(sent["join_url"])
    app.age(identity(sent), f"{minutes - 1} minutes")
    run_job(app)
    assert app.session(identity(sent))["session_status"] == "active"
    app.age(identity(sent), f"1 minute {late}")
    run_job(app)
    assert_timed_out(app, sent, minutes)
    row = listed(admin, sent, status="timeout")
    assert row["session_duration_minutes"] == minutes and row["estimated"] is True


def test_the_deadline_is_exact_and_the_job_s_moment_changes_nothing(app, clock, tap, class_of):
    clock.stop(after(seconds=0.5))
    classes = [(class_of("Europe"), 70), (class_of("0 Fee"), 40)]
    for sent, _ in classes:
        tap(sent["join_url"])
    for sent, minutes in classes[::-1]:
        clock.stop(after(minutes=minutes, seconds=0.499999))
        run_job(app)
        assert app.session(identity(sent))["session_status"] == "active"
    clock.stop(after(hours=4))
    run_job(app)
    for sent, minutes in classes:
        assert_timed_out(app, sent, minutes)
        assert moment(app.session(identity(sent))["clicked_at"]) == after(seconds=0.5)


def test_what_applied_when_the_link_was_sent_counts(app, admin, clock, send, tap, hana, make_student):
    name = f"Package {uuid.uuid4()}"
    package = {"name": name, "duration_minutes": 20, "buffer_minutes": 5, "rate": "3.00", "currency": "USD"}
    assert admin.post("/api/admin/packages", package).status == 201
    student = make_student(hana, package_id=name)
    sent = send(hana, student)
    change = {"id": name, "duration_minutes": 90, "rate": "9.00"}
    assert admin.patch("/api/admin/packages", change).status == 200
    tap(sent["join_url"])
    clock.move("26 minutes")
    run_job(app)
    assert_timed_out(app, sent, 25)
    assert listed(admin, sent)["package_rate"] == "3.00"


def test_jobs_at_once_end_each_class_once(app, admin, tap, class_of):
    classes = [class_of() for _ in range(6)]
    bearer = {"Authorization": f"Bearer {app.env['CRON_SECRET']}"}
    for sent in classes:
        tap(sent["join_url"])
        app.age(identity(sent), "71 minutes")
    at_once(
        *[lambda: run_job(app)] * 3,
        *[lambda: admin.client.fork().post("/api/admin/auto-timeout")] * 3,
        *[lambda: app.client().get("/api/cron/session-timeout", headers=bearer)] * 2,
    )
    for sent in classes:
        assert_timed_out(app, sent, 70)


def test_the_deadline_holds_while_a_hundred_clients_click_and_end(app, admin, tap, hana, class_of):
    classes = [class_of(package) for package in ("Europe", "0 Fee") * 5]
    for sent in classes:
        tap(sent["join_url"])
        app.age(identity(sent), "75 minutes")

    def clicks_or_ends(i):
        sent = classes[i % len(classes)]
        if i % 4 == 0:
            return tap(sent["join_url"])
        if i % 4 == 1:
            return tap(sent["leave_url"])
        return (hana if i % 4 == 2 else admin).act(identity(sent), "end")

    calls = [lambda i=i: clicks_or_ends(i) for i in range(100)]
    answers = at_once(*calls, *[lambda: run_job(app)] * 2)
    statuses = {a.status for a in answers if not isinstance(a, str)}
    assert statuses == {200, 302}
    for i, sent in enumerate(classes):
        assert_timed_out(app, sent, 40 if i % 2 else 70)


@pytest.mark.parametrize("job_first", [False, True])
def test_an_end_after_the_deadline_leaves_the_deadline(app, admin, tap, hana, class_of, job_first):
    left, by_teacher, by_admin = (class_of() for _ in range(3))
    for sent in (left, by_teacher, by_admin):
        tap(sent["join_url"])
        app.age(identity(sent), "70 minutes 1 second")
    if job_first:
        run_job(app)
    assert tap(left["leave_url"]).status == 200
    for person, sent in ((hana, by_teacher), (admin, by_admin)):
        answer = person.act(identity(sent), "end")
        assert answer.status == 200 and answer["session"]["session_status"] == "timeout"
    run_job(app)
    for sent in (left, by_teacher, by_admin):
        assert_timed_out(app, sent, 70)
    assert kinds(app, left).count("teacher_left") == 1  # kept, though it decides nothing


@pytest.mark.parametrize("job_first", [False, True])
def test_an_end_at_the_deadline_is_an_end(app, clock, send, tap, hana, europe, job_first):
    clock.stop(after())
    sent = send(hana, europe)
    tap(sent["join_url"])
    clock.stop(after(minutes=70))
    if job_first:
        run_job(app)
        assert app.session(identity(sent))["session_status"] == "timeout"
    tap(sent["leave_url"])
    row = app.session(identity(sent))
    assert (row["session_status"], row["ended_by"], row["estimated"]) == ("ended", "teacher_left", False)
    assert row["session_duration_minutes"] == 70


def test_leaving_before_anybody_came_counts_from_nobody_s_click(app, tap, clock, sent):
    """The end is kept; the class, opened later, runs as if it had not been said."""
    assert tap(sent["leave_url"]).status == 200
    assert_not_started(app, sent)
    clock.move("10 minutes")
    assert_opens(tap(sent["join_url"]))
    assert app.session(identity(sent))["session_status"] == "active"
    assert kinds(app, sent) == ["sent", "teacher_left", "clicked"]


# ---------------------------------------------------------------- time as outside checks move it


def test_moving_the_data_decides_as_moving_the_clock(app, admin, tap, class_of):
    """Sessions and evidence shifted by a superuser, at every turn of a class's life."""
    sent = class_of()
    n = identity(sent)
    app.age(n, "11 hours")
    assert_opens(tap(sent["join_url"]))
    app.age(n, "47 minutes")
    tap(sent["leave_url"])
    row = app.session(n)
    assert (row["session_status"], row["session_duration_minutes"]) == ("ended", 47)
    app.age(n, "20 minutes")
    reopened = admin.act(n, "reopen")
    assert reopened["session"]["session_status"] == "active"
    app.age(n, "22 minutes")
    run_job(app)
    assert app.session(n)["session_status"] == "active"
    app.age(n, "2 minutes")  # 23 of 70 minutes were left
    run_job(app)
    row = app.session(n)
    assert (row["session_status"], row["session_duration_minutes"]) == ("timeout", 47 + 20 + 23)
    assert app.check().returncode == 0
    start = text(moment(row["clicked_at"]))
    assert admin.act(n, "correct", session_ended_at=start)["session"]["session_duration_minutes"] == 0
    app.age(n, "3 days")
    released = admin.act(n, "release")
    assert released["session"]["session_duration_minutes"] == 90
    assert app.check().returncode == 0


def test_a_moved_link_is_missed_and_expired(app, tap, sent):
    app.age(identity(sent), "12 hours")
    assert_page(tap(sent["join_url"]), 410)
    run_job(app)
    assert app.session(identity(sent))["session_status"] == "missed"
    assert_page(tap(sent["join_url"]), 410)


def test_a_moved_class_falls_on_another_day(app, admin, tap, sent):
    tap(sent["join_url"])
    app.age(identity(sent), "40 days")
    run_job(app)
    row = app.session(identity(sent))
    day = row["clicked_at"][:10]
    assert listed(admin, sent, date=day)["session_status"] == "timeout"
    yesterday = str(moment(row["clicked_at"]).date() - 1440 * MINUTE)
    answer = admin.get(f"/api/admin/teacher-sessions?date={yesterday}")
    assert identity(sent) not in [found["id"] for found in answer["sessions"]]
