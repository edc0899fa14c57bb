"""nginx: what is served, what is not, and what every answer carries."""

import concurrent.futures
import http.client
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest

from academy import ROOT, Response, wait_for
from wire import SECURITY_HEADERS

PROGRAMS = sorted(file.stem for file in (ROOT / "cgi").glob("*.c"))


def url_of(program):
    """zoom_teacher_left serves /api/zoom/teacher-left; healthz and metrics stand at the top."""
    area, _, rest = program.partition("_")
    return f"/api/{area}/{rest.replace('_', '-')}" if rest else f"/{area}"


def run_folder(app):
    return (app.state / "run").resolve()


def asker(port):
    """Asks for anything as it is, and takes any answer."""

    def ask(target, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body, names)
            raw = connection.getresponse()
            return Response(method, target, None, raw, raw.read())
        finally:
            connection.close()

    return ask


@pytest.fixture(scope="module")
def browser(app):
    return asker(app.port)


def locations(app):
    """Every location of the configuration in use: its modifier and path, and its body."""
    text = (app.state / "nginx/classclock/site.conf").read_text()
    found = re.findall(r"^location\s+(\S+\s+)?(\S+)\s*\{(.*?)^\}", text, re.M | re.S)
    assert len(found) == len(re.findall(r"^\s*location\b", text, re.M))
    return [(modifier.strip(), path, body) for modifier, path, body in found]


def sockets(app, passed_to):
    """The sockets behind the value of a fastcgi_pass."""
    text = (app.state / "nginx/classclock/http.conf").read_text()
    upstream = re.search(rf"^upstream {re.escape(passed_to)} \{{(.*?)^\}}", text, re.M | re.S)
    return re.findall(r"unix:(\S+);", upstream[1]) if upstream else [passed_to.removeprefix("unix:")]


def test_each_program_is_reached_by_its_own_exact_location(app):
    passed = {
        path: sockets(app, to)
        for modifier, path, body in locations(app)
        for to in re.findall(r"fastcgi_pass (\S+);", body)
        if modifier == "="
    }
    assert passed == {url_of(p): [f"{run_folder(app)}/{p}.sock"] for p in PROGRAMS}


def test_nothing_else_passes_a_request_on(app):
    for modifier, path, body in locations(app):
        assert modifier == "=" or "_pass" not in body, path


def test_no_source_file_is_served_but_pages_scripts_and_styles(browser):
    static = ROOT / "static"
    for file in static.rglob("*"):
        name = file.relative_to(static)
        if not file.is_file() or "node_modules" in name.parts:
            continue
        shown = name.suffix in (".html", ".css", ".js", ".svg", ".png", ".ico", ".woff2", ".webmanifest")
        assert browser(f"/{name}").status == (200 if shown else 404), name


def ways_to_fail(browser):
    """(what, answer) of every kind of answer that nginx gives by itself or passes on."""
    long = "a" * 9000
    yield "page", browser("/")
    yield "missing page", browser("/nope")
    yield "missing endpoint", browser("/api/nope")
    yield "bad path", browser("/../x")
    yield "bad host", browser("/", Host="a b")
    yield "long path", browser("/" + long)
    yield "long header", browser("/", X=long)
    yield "method", browser("/", "DELETE")
    yield "large", browser("/api/auth/login", "POST", "x" * 70000)
    yield "transfer coding", browser("/", Transfer_Encoding="x")
    for program in PROGRAMS:
        yield program, browser(url_of(program))
        yield program, browser(url_of(program), "BREW")


def test_every_answer_carries_each_security_header_once(browser):
    for what, answer in ways_to_fail(browser):
        for header in SECURITY_HEADERS:
            assert len(answer.headers.get_all(header, [])) == 1, (what, header)
        assert answer.headers.get_all("Strict-Transport-Security") is None, what
        assert answer.headers["Server"] == "nginx", what


def test_refusals_of_nginx_are_problem_documents(browser):
    for what, answer in ways_to_fail(browser):
        if answer.status in (400, 405, 413, 414, 501, 503) and answer.type != "text/html":
            assert answer.type == "application/problem+json", what
            assert answer.json["status"] == answer.status, what
    assert browser("/api/auth/login", "POST", "x" * 70000).status == 413


def test_a_page_answers_reading_methods_only(browser):
    answer = browser("/", "POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_page_is_asked_about_each_time_and_sent_when_it_changed(browser):
    first = browser("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = browser("/", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_a_page_is_compressed_for_those_who_can_read_it(browser):
    answer = browser("/", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_class_that_taps_one_link_three_hundred_times_is_let_in(browser):
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: browser("/api/zoom/track?token=x"), range(300)))
    assert {answer.status for answer in answers} == {404}  # by the program: the token is forged


def children(pid):
    return set(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@pytest.fixture
def no_programs(app, browser):
    """Takes the sockets away, as if no program was there."""
    files = [run_folder(app) / f"{program}.sock" for program in PROGRAMS]
    for file in files:
        file.rename(file.with_suffix(".away"))
    # New nginx workers, which keep no connection of before.
    nginx = app.pid("nginx")
    old = children(nginx)
    os.kill(nginx, signal.SIGHUP)
    wait_for(lambda: not old & children(nginx) and browser("/api/zoom/track").status == 503)
    yield
    for file in files:
        file.with_suffix(".away").rename(file)


def test_on_the_way_to_a_class_an_outage_is_a_page_that_tries_again(browser, no_programs):
    for path in ("/api/zoom/track?token=secret", "/api/zoom/teacher-left?session=1&sig=secret"):
        answer = browser(path)
        assert (answer.status, answer.type) == (503, "text/html")
        assert re.search(r'<meta http-equiv="refresh" content="\d+">', answer.text)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Cache-Control"] == "no-store"


def test_for_programs_an_outage_is_a_problem_document(browser, no_programs):
    for program in PROGRAMS:
        path = url_of(program)
        if path in ("/api/zoom/track", "/api/zoom/teacher-left"):
            continue
        answer = browser(path, "POST", "{}", Content_Type="application/json")
        assert (answer.status, answer.type) == (503, "application/problem+json"), path
        assert answer.json["status"] == 503
        assert int(answer.headers["Retry-After"]) > 0


def test_no_log_holds_a_token(app, browser, no_programs):
    browser("/api/zoom/track?token=token-in-an-outage")
    browser("/api/zoom/track?token=token-of-a-bad-host", Host="a b")
    browser("/api/zoom/track?token=token-and-a-huge-header", X="a" * 40000)
    browser("/api/zoom/track?token=token-" + "a" * 9000)
    for file in (app.state / "log").iterdir():
        text = file.read_text(errors="replace")
        assert "token-" not in text and "token%2D" not in text, file.name


def test_the_access_log_keeps_no_whole_address(app, browser):
    browser("/a-path-to-look-for")
    log = app.state / "log/nginx-classclock.log"
    # Written when the answer has gone out.
    (line,) = wait_for(lambda: re.findall("^.*/a-path-to-look-for.*$", log.read_text(), re.M))
    assert "127.0.0.0" in line and "127.0.0.1" not in line


@pytest.fixture
def html():
    """/var/www/html: whoever nginx's workers are, they can read it."""
    with tempfile.TemporaryDirectory(prefix="classclock-html.") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@pytest.fixture(name="operators")
def operators_nginx(tmp_path, html):
    """nginx's command with classclock.conf among Debian's own settings, once the operator's names are in it."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    names = ["-subj", "/CN=class.example.org", "-keyout", key, "-out", cert]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names],
        check=True,
        capture_output=True,
    )
    (tmp_path / "classclock").mkdir()
    for file in (ROOT / "nginx").glob("*.conf"):
        text = file.read_text().replace("/var/log/nginx", str(tmp_path))
        text = re.sub(r"^ *listen \[.*\n", "", text, flags=re.M)
        text = re.sub(r"listen (80|443)", r"listen 127.0.0.1:20\1", text)
        text = re.sub(r"/etc/ssl/certs/\S+\.pem", str(cert), text)
        text = re.sub(r"/etc/ssl/private/\S+\.key", str(key), text)
        text = text.replace("root /var/www/html;", f"root {html};")
        (tmp_path / "classclock" / file.name).write_text(text)
    main = tmp_path / "nginx.conf"
    debian = pathlib.Path("/etc/nginx/nginx.conf").read_text()
    assert "include /etc/nginx/sites-enabled/*;" in debian
    debian = debian.replace("/etc/nginx/sites-enabled/*", f"{tmp_path}/classclock/classclock.conf")
    debian = re.sub(r"^user .*\n", "", debian, flags=re.M)  # who is not root is warned of it
    main.write_text(debian.replace("/run/nginx.pid", f"{tmp_path}/pid").replace("/var/log/nginx", str(tmp_path)))
    return ["/usr/sbin/nginx", "-p", tmp_path, "-c", main, "-e", tmp_path / "errors"]


def test_the_operators_site_is_valid(operators):
    done = subprocess.run([*operators, "-t"], capture_output=True, text=True)
    assert done.returncode == 0 and "warn" not in done.stderr, done.stderr


def test_a_site_that_certbot_changed_may_stand_beside_it(operators, tmp_path):
    """certbot's plugin for nginx writes ipv6only=on, and of one address nginx takes options of the socket from one listen alone."""
    ours = re.findall(r"^ *(listen .*)\n", (ROOT / "nginx" / "classclock.conf").read_text(), re.M)
    assert len(ours) == 4
    certificate = f"ssl_certificate {tmp_path}/cert.pem; ssl_certificate_key {tmp_path}/key.pem;"
    other = "listen [::]:443 ssl http2 ipv6only=on; listen 443 ssl http2; listen 80; listen [::]:80;"
    conf = tmp_path / "beside.conf"
    servers = "".join(f"server {{ server_name {n}.example.org; {certificate} {listen} }}" for n, listen in enumerate([other, " ".join(ours)]))
    conf.write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {servers} }}")
    command = ["/usr/sbin/nginx", "-p", tmp_path, "-c", conf, "-e", tmp_path / "errors", "-t"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"{conf}:" not in done.stderr, done.stderr  # whether this machine has the addresses is another matter


def test_who_makes_the_certificate_finds_the_proof_on_port_80(operators, tmp_path, html):
    """RFC 8555, 8.3: asked for on port 80, and answered from a folder that certbot writes to."""
    proof = html / ".well-known" / "acme-challenge" / "token-1"
    proof.parent.mkdir(parents=True)
    proof.write_text("proof")
    (html / "secret").write_text("secret")
    with subprocess.Popen([*operators, "-g", "daemon off;"]) as nginx:
        try:
            wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
            ask = asker(2080)
            answer = ask("/.well-known/acme-challenge/token-1")
            assert answer.status == 200 and answer.text == "proof"
            assert ask("/.well-known/acme-challenge/not-token-1").status == 404  # of which Debian's own error.log would tell
            for path in ("/secret", "/.well-known/", "/.well-known/acme-challenge/../../secret"):
                answer = ask(path)
                assert answer.status == 301 and answer.headers["Location"].startswith("https://class.example.org/"), answer
            assert "token-1" not in "".join(file.read_text() for file in tmp_path.glob("*.log"))
        finally:
            nginx.terminate()
