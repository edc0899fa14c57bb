"""Click, end, webhook, timeout, cancel, correct and replay of one class, statement by statement in every order
that PostgreSQL's locks allow: what was answered is there, once. Two of them may do the same. CLASSCLOCK_LONG=1: all
orders of two that anything can tell apart, many of three."""

import base64
import collections
import functools
import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import tempfile
import threading
import time
import uuid

import pytest

import zoom
from academy import PHONE, SEED, Clock, moment, sample
from node import NAME, Node
from rig import LONG
from test_calls import ask

ORDERS = 2000 if LONG else 3  # of a pair; in the long run, where more are cut off
DRAWN = 14  # of the pairs in a normal run
TRIPLES, TRIPLE_ORDERS = (84, 20) if LONG else (2, 3)
TURN_S = 0.03  # for so long two of a program have not gone on: one waits for the other
STATEMENT_S = 10  # which a job waits for one: lib/timeout.c
TRIES = 3  # of an order that strays from its path
counted = collections.Counter()
AHEAD = "test.ahead"  # of a connection: how much later it is there
_meetings = itertools.count(70000000001)


class Class:
    """A class at the point of its life where the actors meet.

    For the timeout its time is over: its deadline has passed, or, before it is opened, its link ends between the clock
    of all others and the job's.
    """

    def __init__(self, rig, names):
        self.rig, self.meeting_id, self.seconds = rig, next(_meetings), itertools.count(60)
        sent = rig.send(f"https://us02web.zoom.us/j/{self.meeting_id}")
        self.sent, self.id = sent, sent["session"]["id"]
        self.link_id = rig.psql(f"SELECT replace(link_id::text, '-', '') FROM sessions WHERE id = {self.id}")
        self.taps = 0
        self.event = zoom.Meeting(self.meeting_id, "hostOfThisClass").ended(self.now())
        if not {"click", "elsewhere"} & set(names):
            rig.insist(self.open)
        if "timeout" in names:
            life = rig.psql(f"SELECT link_hours FROM sessions WHERE id = {self.id}")
            rig.age(self.id, f"{life} hours -5 minutes" if "click" in names else "71 minutes")

    def open(self):
        assert self.rig.client().open(self.sent["join_url"]).status == 302
        self.taps += 1
        assert self.status() == "active"

    def now(self):
        return moment(self.rig.psql("SELECT to_json(clock_now()) #>> '{}'"))

    def stamp(self, seconds_ago):
        return self.rig.psql(
            f"SELECT to_char((clock_now() - interval '{seconds_ago} seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        )

    def count(self, kind):
        return self.rig.count("session_events", f"session_id = {self.id} AND kind = '{kind}'")

    def status(self):
        return self.rig.session(self.id)["session_status"]


@functools.cache
def node_of(rig):
    return Node(rig)


class Actor(threading.Thread):
    """Somebody who does one thing to the class."""

    program = ""

    def __init__(self, rig, lesson):
        super().__init__(daemon=True)
        self.rig, self.lesson, self.result = rig, lesson, None
        self.peers = [self]  # all of the order that do the same
        self.prepare()

    def prepare(self):
        pass

    def run(self):
        self.result = self.act()

    def hold(self, kept, told, most):
        """What was told is there, and no more; but whoever came to their deadline at the gate was told that nobody knows."""
        in_doubt = any(peer.result == 503 for peer in self.peers)
        assert told <= kept <= (most if in_doubt else told), (kept, told)

    def link(self, name):
        target = self.lesson.sent[name].removeprefix(self.rig.url)
        return ask(self.rig, "GET", target, headers=PHONE | {"Sec-Fetch-Site": None}).status

    def check(self):
        raise NotImplementedError


class Click(Actor):
    program = "zoom_track"

    def act(self):
        return self.link("join_url")

    def check(self):
        assert self.result in (302, 410)
        self.lesson.taps += 1
        if self.result == 302:  # who was let in has started the class
            assert self.lesson.status() not in ("sent", "missed")


class Elsewhere(Click):
    """A click of the same link that comes to another node."""

    program = NAME

    def prepare(self):
        self.node = node_of(self.rig)
        self.node.until_clicks_reach_the_database()

    def act(self):
        return self.node.get(self.lesson.sent["join_url"].removeprefix(self.rig.url))

    def check(self):
        assert self.node.replay() == 0
        super().check()


class End(Actor):
    program = "zoom_teacher_left"

    def act(self):
        return self.link("leave_url")

    def check(self):
        assert self.result == 200
        assert self.lesson.count("teacher_left") or self.lesson.count("cancelled")


class Webhook(Actor):
    """Two of them are Zoom's attempts at one event."""

    program = "zoom_webhook"

    def act(self):
        body = json.dumps(self.lesson.event).encode()
        return ask(self.rig, "POST", zoom.WEBHOOK, body, {"Origin": None, "Sec-Fetch-Site": None, **zoom.sign(body)}).status

    def check(self):
        assert self.result in (200, 503)
        kept = self.rig.count("zoom_raw", f"uuid = '{self.lesson.event['payload']['object']['uuid']}'")
        self.hold(kept, any(peer.result == 200 for peer in self.peers), 1)


class Job(Actor):
    """A program of cron/."""

    settings = {}

    def act(self):
        began = time.monotonic()
        with self.rig.program(self.program, **self.settings) as running:
            self.said = running.communicate(timeout=600)[0]
        self.took = time.monotonic() - began
        return running.returncode

    def check(self):
        assert self.result == 0, self.said


class Timeout(Job):
    """By its clock the class's time is over."""

    program = "session-timeout"

    def prepare(self):
        self.settings = {"DATABASE_URL": f"{self.rig.env['DATABASE_URL']} options='-c {AHEAD}=10min'"}

    def check(self):
        if self.result == 1 and self.took > STATEMENT_S:  # it came to its deadline at the gate
            self.result = self.act()
        super().check()
        assert self.act() == 0, self.said  # what others held is left to the next run
        row = self.rig.session(self.lesson.id)
        if row["session_status"] == "active":  # only because it was opened now
            assert moment(row["times_out_at"]) > self.lesson.now()
        else:
            assert row["session_status"] != "sent"

    def did(self):
        """How many ends of the class it has written."""
        return self.lesson.count("timed_out") + self.lesson.count("missed")


class Replay(Job):
    """On a node of its own, whose journal holds a tap of a moment ago."""

    program = "journal-replay"

    def prepare(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-node."))
        self.key = uuid.uuid4()
        now = int(time.time() * 1e6)
        words = ["2", "click", self.key.hex, now, 0, self.lesson.id, self.lesson.link_id, now - 10**8, now + 10**10, "-", "-", "-"]
        text = " ".join(map(str, words))
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        line = f"\n{text} {base64.urlsafe_b64encode(digest).decode().rstrip('=')}\n"
        (self.folder / "journal").write_text(line)
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "journal"):
                shutil.chown(path, "www-data", "www-data")
        self.settings = {"JOURNAL_DIR": str(self.folder)}

    def check(self):
        for _ in range(3):
            if self.result == 0:
                break
            self.result = self.act()  # what waits is brought home by the next run
        super().check()
        assert self.rig.count("clicks", f"key = '{self.key}'") == 1, self.said
        assert not list(self.folder.glob("*.bad"))
        self.lesson.taps += 1
        shutil.rmtree(self.folder)


class Cancel(Actor):
    program = "teacher_session"

    def act(self):
        wish = {"session_id": self.lesson.id, "action": "cancel", "reason": "an order"}
        return ask(self.rig, "POST", "/api/teacher/session", wish, client=self.rig.teacher).status

    def check(self):
        assert self.result in (200, 409, 503)
        self.hold(self.lesson.count("cancelled"), any(peer.result == 200 for peer in self.peers), 1)


class Correct(Actor):
    program = "admin_session"

    def prepare(self):
        self.wish = {
            "session_id": self.lesson.id,
            "action": "correct",
            "reason": "an order",
            "clicked_at": self.lesson.stamp(next(self.lesson.seconds)),
            "session_ended_at": self.lesson.stamp(1),
        }

    def act(self):
        return ask(self.rig, "POST", "/api/admin/session", self.wish, client=self.rig.admin).status

    def check(self):
        assert self.result in (200, 409, 503)
        self.hold(self.lesson.count("corrected") / 2, sum(peer.result == 200 for peer in self.peers), len(self.peers))


ACTORS = {"click": Click, "end": End, "webhook": Webhook, "timeout": Timeout, "cancel": Cancel,
          "correct": Correct, "replay": Replay}  # fmt: skip
# A click of another node meets at the class what one of this node does, but for other clicks and what is replayed.
EVERYONE = ACTORS | {"elsewhere": Elsewhere}
PAIRS = [*itertools.combinations_with_replacement(ACTORS, 2), *((name, "elsewhere") for name in ("click", "end", "replay"))]


class Order:
    """One run of some actors in an order: choose(i, held) says who goes on at step i, of those that could. held holds
    their kinds by who they are: (which program, which of its connections)."""

    def __init__(self, rig, names, choose):
        self.rig, self.proxy, self.names, self.choose = rig, rig.proxy, names, choose
        rig.until_clicks_reach_the_database()
        self.lesson = Class(rig, names)
        self.actors = [EVERYONE[name](rig, self.lesson) for name in names]
        for actor in self.actors:
            actor.peers = [peer for peer in self.actors if type(peer) is type(actor)]
        self.programs = list(dict.fromkeys(actor.program for actor in self.actors))
        self.met = {program: [] for program in self.programs}  # its connections, as they came to the gate
        self.inside, self.changed = set(), set()  # connections in a transaction, and those that have changed or locked in it
        self.asked = {}  # the statements of those who went on since anything was published
        self.trace = []  # who went on

    def waiting(self, program):
        """How many of its statements wait, here or for a lock in the database."""
        backends = [link.backend for link in self.proxy.unanswered(program)]
        where = f"NOT granted AND pid IN ({','.join(map(str, backends))})"
        blocked = self.rig.psql(f"SELECT count(DISTINCT pid) FROM pg_locks WHERE {where}") if backends else 0
        return len(self.proxy.held(program)) + int(blocked)

    def is_settled(self, program, quiet_s):
        """Whether all that its actors can do now waits. Two may wait for each other elsewhere, as clicks for their turn."""
        alive = sum(actor.is_alive() for actor in self.actors if actor.program == program)
        waiting = self.waiting(program)
        return waiting >= alive or (waiting > 0 and quiet_s > TURN_S)

    def held(self):
        """The connections whose statements wait here, once nobody is busy, by who they are."""
        began = time.monotonic()
        while not all(self.is_settled(program, time.monotonic() - began) for program in self.programs):
            with self.proxy.changed:
                self.proxy.changed.wait(0.002)
        held = {}
        for i, program in enumerate(self.programs):
            met = self.met[program]
            links = sorted(self.proxy.held(program), key=lambda link: link.number)
            met += [link for link in links if link not in met]
            held |= {(i, met.index(link)): link for link in links}
        return held

    def kind(self, link):
        """What the statement that waits on a connection is to others."""
        words = link.sql.upper().split()
        if words[0] in ("BEGIN", "SET"):
            return NOTHING
        if words[0] in ("COMMIT", "ROLLBACK"):
            return PUBLISHES if link in self.changed else NOTHING
        if words[0] in ("SELECT", "WITH") and not CHANGES.search(link.sql):
            return READS
        if link.program in (Click.program, NAME) and self.changed - {link}:
            return READS  # a click at a class that is held sees that, and asks again
        return CHANGES_UNSEEN if link in self.inside else PUBLISHES

    def release(self, link):
        """Lets a statement go on."""
        self.asked[link] = link.sql
        word, kind = link.sql.split()[0].upper(), self.kind(link)
        if word == "BEGIN":
            self.inside.add(link)
        elif word in ("COMMIT", "ROLLBACK"):
            self.inside.discard(link)
            self.changed.discard(link)
        elif kind == CHANGES_UNSEEN:
            self.changed.add(link)
        if kind == PUBLISHES:
            self.asked.clear()
        link.released.set()

    def options(self, held):
        """Who may go on, with the kinds of their statements. Whoever asks the same again waits until there is something new."""
        anew = {who: link for who, link in held.items() if self.asked.get(link) != link.sql}
        return {who: self.kind(link) for who, link in (anew or held).items()}

    def run(self):
        with self.proxy.gate(self.programs):
            for actor in self.actors:
                actor.start()
            while any(actor.is_alive() for actor in self.actors):
                held = self.held()
                if not held:
                    with self.proxy.changed:  # a lock's holder is done: its end comes by itself
                        self.proxy.changed.wait(0.005)
                    continue
                who = self.choose(len(self.trace), self.options(held))
                self.trace.append(who)
                self.release(held[who])
        for actor in self.actors:
            actor.join()
        self.check()
        return self

    def check(self):
        what = (self.names, self.trace, [actor.result for actor in self.actors])
        try:
            self.rig.replay()
            for actor in self.actors:
                actor.check()
            kept = self.rig.count("clicks", f"session_id = {self.lesson.id}")
            assert kept == self.lesson.taps, (kept, self.lesson.taps)
        except AssertionError as problem:
            raise AssertionError(f"CLASSCLOCK_SEED={SEED} {what}: {problem}") from problem
        for actor in self.actors:
            counted[f"{type(actor).__name__} {actor.result}"] += 1


# What a statement is to those of others. What a transaction has changed they see with its COMMIT, and who changes too
# waits for it.
NOTHING, READS, CHANGES_UNSEEN, PUBLISHES = "nothing", "reads", "changes unseen", "publishes"
CHANGES = re.compile(r"\b(FOR (NO KEY )?(UPDATE|SHARE)|INSERT|UPDATE|DELETE|pg_advisory\w*|nextval|set_config)\b", re.I)


def commute(one, other):
    """Whether it is the same which of two statements of two actors comes first."""
    return NOTHING in (one, other) or (READS in (one, other) and PUBLISHES not in (one, other))


class Step:
    def __init__(self, held, asleep):
        self.held, self.asleep = held, asleep  # kinds, by who
        awake = [who for who in held if who not in asleep]
        self.chosen = (awake or list(held))[0]


class Tree:
    """All orders, walked one run after the other, but for those that come from one that was run by letting neighbours
    that commute change places (sleep sets, Godefroid 1996)."""

    def __init__(self):
        self.path, self.strays = [], 0

    def begin(self):
        self.strayed = False

    def choose(self, i, held):
        """Along the path that is set; then whoever need not be asleep, since to go on now is not what was run before."""
        if i == len(self.path) and not self.strayed:
            asleep = {}
            if i:
                last = self.path[-1]
                kind = last.held[last.chosen]
                asleep = {who: k for who, k in last.asleep.items() if who != last.chosen and commute(k, kind)}
            self.path.append(Step(held, asleep))
        if i < len(self.path) and self.path[i].chosen in held:
            return self.path[i].chosen
        self.strayed = True  # only time decides some things
        return next(iter(held))

    def next(self):
        """Sets the path of the next run; False where there is none."""
        self.strays += self.strayed
        if self.strayed and self.strays % TRIES:
            return True  # once more
        while self.path:
            step = self.path[-1]
            step.asleep[step.chosen] = step.held[step.chosen]
            awake = [who for who in step.held if who not in step.asleep]
            if awake:
                step.chosen = awake[0]
                return True
            self.path.pop()
        return False


def every_order(rig, names):
    tree = Tree()
    for _ in range(ORDERS):
        tree.begin()
        yield Order(rig, names, tree.choose).run()
        if not tree.next():
            print(f"{names}: all, {tree.strays} strayed")
            return
    print(f"{names}: CUT OFF after {ORDERS} orders, there are more")


def some_orders(rig, names, n, seed):
    pick = random.Random(seed)
    for _ in range(n):
        yield Order(rig, names, lambda i, held: pick.choice(list(held))).run()


@pytest.fixture(autouse=True, scope="module")
def clock_of_the_job(rig):
    """The database's clock as whoever asks sets it ahead."""
    with_ahead = f"statement_timestamp() + coalesce(nullif(current_setting('{AHEAD}', true), ''), '0')::interval"
    Clock(rig).show(with_ahead)
    yield
    Clock(rig).reset()


@pytest.fixture(autouse=True, scope="module")
def other_node(rig):
    yield
    if node_of.cache_info().currsize:
        node_of(rig).stop()


@pytest.mark.parametrize("names", sample(PAIRS, DRAWN), ids="-".join)
def test_two_at_one_class(rig, names):
    orders = every_order(rig, names) if LONG else some_orders(rig, names, ORDERS, f"{SEED} {names}")
    traces = {tuple(order.trace) for order in orders}
    print(f"CLASSCLOCK_SEED={SEED} {names}: {len(traces)} orders; {dict(counted)}")


def test_three_at_one_class(rig):
    every = list(itertools.combinations_with_replacement(ACTORS, 3))
    for names in random.Random(SEED).sample(every, TRIPLES):
        traces = {tuple(order.trace) for order in some_orders(rig, names, TRIPLE_ORDERS, f"{SEED} {names}")}
        print(f"CLASSCLOCK_SEED={SEED} {names}: {len(traces)} orders")


@pytest.mark.parametrize("other", [name for name in ACTORS if name != "timeout"])
def test_the_timeout_has_something_to_do(rig, other):
    """Where it comes first, whoever it meets."""
    order = Order(rig, (other, "timeout"), lambda i, held: list(held)[-1]).run()
    assert order.actors[1].did() == 1, order.trace
