"""More come than the machine can serve, or do nothing with the place they have: what is acknowledged is kept, the rest
is refused cleanly, and afterwards all is as before. docs/guarantees.md, P1 and P5. Sizes: CLASSCLOCK_LONG."""

import collections
import contextlib
import resource
import select
import signal
import socket

from outage import (LONG, Taps, all_opened, check_ledger, forget_taps, kept_taps, put_classes, running, signal_all,
                    standing_still, until)

OVERLOAD_SECONDS = 60 if LONG else 10
SCHOOLS = 200  # addresses, so that nginx's limit an address is not what refuses


def capacity(app, links):
    """How many taps a second this machine answers with the class at best, as it is now."""
    best = 0
    for rate in (5000, 10_000, 20_000):
        taps = Taps(app, links, rate, 1, SCHOOLS).finish()
        ended = [tap[2] for tap in taps if tap[3] == 302]
        best = max(best, len(ended) / ((max(ended) - taps[0][1]) / 1e6))
    return best


class Taken:
    """What nginx says of the taps that it has had from here on."""

    def __init__(self, app):
        self.log = app.state / "log" / "nginx-classclock.log"
        self.before = self.log.stat().st_size

    def statuses(self):
        """How many it answered with each."""
        with self.log.open(encoding="utf-8") as file:
            file.seek(self.before)
            return collections.Counter(int(line.split('" ')[1][:3]) for line in file if '"GET /api/zoom/track"' in line)


def test_three_times_what_the_machine_can_do(app):
    """Clicks that were answered are kept, the others are told to come again, and afterwards all is as before."""
    links = put_classes(app, 1500)
    rate = capacity(app, links)
    app.replay()  # of a busy machine some are in the journal
    forget_taps(app)
    taken = Taken(app)
    taps = Taps(app, links, 3 * rate, OVERLOAD_SECONDS, SCHOOLS).finish()
    statuses = {status: sum(tap[3] == status for tap in taps) for status in sorted({tap[3] for tap in taps})}
    print(f"{rate:.0f} taps a second at most, {3 * rate:.0f} came, {OVERLOAD_SECONDS} s: {statuses}")
    # -1 reached nobody: the client had no room for more that wait, or the kernel's queue none for another connection.
    # 0 was reset by a kernel whose queue is full, one now and then. nginx has had none that it did not answer, and of
    # those who gave up just then hardly one.
    answered = {status: n for status, n in statuses.items() if status > 0}
    until(lambda: all(n <= taken.statuses()[status] for status, n in answered.items()))  # nginx says so after it answers
    few, taken = statuses[302] / 1000, taken.statuses()
    assert set(answered) <= {302, 429, 503} and statuses.get(0, 0) <= few
    assert taken.total() - sum(answered.values()) <= few, taken
    assert all(retry for *_, status, retry in taps if status in (429, 503))
    until(app.works)
    sent = app.send()
    until(lambda: app.client().open(sent["join_url"]).status == 302)
    app.replay()
    check_ledger(taps, kept_taps(app.psql))
    # Recovered: an ordinary crowd is served as ever.
    forget_taps(app)
    crowd = Taps(app, links, 100, 2).finish()
    all_opened(crowd)
    app.replay()
    check_ledger(crowd, kept_taps(app.psql))
    forget_taps(app)


QUEUE = 4097 + 256  # what the kernel queues for a socket (Backlog= of cgi/classclock.socket.in) and zoom_track has in hand
MORE = 100


@contextlib.contextmanager
def knocking(app, n, *lines, body=b""):
    """So many taps whose link nobody made, each on a connection of its own; what polls for their answers, and they."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    answered = select.poll()
    with contextlib.ExitStack() as connections:
        waiting = []
        for i in range(n):
            s = socket.create_connection(("127.0.0.1", app.port), source_address=(f"127.0.2.{i % SCHOOLS}", 0))
            waiting.append(connections.enter_context(s))
            head = [f"GET /api/zoom/track?token=forged{i} HTTP/1.1", "Host: here", "Connection: close", *lines, "", ""]
            s.sendall("\r\n".join(head).encode() + body)
            answered.register(s, select.POLLIN)
        yield answered, waiting


def test_who_has_not_asked_yet_takes_nobodys_place(app):
    """Requests whose bodies come by bytes, more of them than may wait."""
    sent = app.send()
    with knocking(app, QUEUE + MORE, "Content-Length: 60000", "Expect: 100-continue", body=b"x") as (answered, slow):
        until(lambda: len(answered.poll(0)) == len(slow))  # each was told to go on; nginx waits ten seconds for it
        assert {s.recv(12) for s in slow} == {b"HTTP/1.1 100"}
        app.tap(sent)


def test_who_finds_no_place_where_a_program_stands_still_is_told_to_come_again(app):
    """At once; with nobody told, nginx would run out of connections."""
    with standing_still(app.family("zoom_track")), knocking(app, QUEUE + MORE) as (answered, waiting):
        until(lambda: len(answered.poll(0)) >= MORE, 8)  # nginx waits ten seconds for a program
        signal_all(app.family("zoom_track"), signal.SIGCONT)
        answers = [s.makefile("rb").read() for s in waiting]
    statuses = collections.Counter(answer.split(b" ", 2)[1] for answer in answers)
    assert set(statuses) == {b"404", b"503"} and 4000 <= statuses[b"404"] <= QUEUE
    (told,) = {answer.partition(b"\r\n\r\n")[2] for answer in answers if b" 503 " in answer[:20]}
    assert b"<html" in told and b'http-equiv="refresh"' in told
    assert sum(b"\r\nRetry-After: 5\r\n" in answer for answer in answers) == statuses[b"503"]
    app.tap(app.send())


def test_a_process_of_nginx_that_is_killed_takes_the_places_of_its_taps_along(app):
    sent = app.send()
    with standing_still(app.family("zoom_track")), knocking(app, QUEUE + MORE) as (answered, _):
        until(lambda: len(answered.poll(0)) >= MORE, 8)
        _, *workers = app.family("nginx")
        signal_all(workers, signal.SIGKILL)
        until(lambda: not any(running(pid) for pid in workers))
    until(lambda: app.client().open(sent["join_url"]).status == 302)  # the program has looked at who has gone
