"""The click: first clicks a second and how long they take, beside peers and limits."""

import contextlib
import sys
from functools import partial

from peers import Peers
from place import Place, Pool, arguments, load, pgbench
from table import Row, publish

# The click of session :id in pgbench, whose variables are numbers: arrays of one, as the program sends them.
PGBENCH = """\
\\set n :n + 1
\\set id :base + :n * :clients + :client_id
{sql}
"""


class Click:
    """The product and its peers, each asked for clicks in the same way."""

    def __init__(self, place, pool, quick):
        self.place, self.pool = place, pool
        self.seconds = 0.5 if quick else 1.5
        self.most = 8_000 if quick else 40_000  # clicks a second that there are targets for
        self.statement = click_statement(place, pool)
        self.same = pool.keep(2000)
        self.best_clients = 16
        one = {
            1: "ARRAY[:id]",
            2: "ARRAY[lpad(to_hex(:id::bigint), 32, '0')]",
            3: f"ARRAY[{pool.expires}]",
            4: "ARRAY[NULL]",
            5: "ARRAY['127.1.0.1']",
            6: "ARRAY['Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36']",
            7: "ARRAY[NULL]",
            8: "ARRAY[gen_random_uuid()]",
        }
        self.script = self.statement.replace(" SKIP LOCKED", "")
        for n, value in one.items():
            self.script = self.script.replace(f"${n}::", f"{value}::")

    def first(self, port, clients, seconds=None, rate=0):
        """First clicks: each target once."""
        seconds = seconds or self.seconds
        file = self.pool.targets(int(seconds * (rate or self.most)) + clients)
        result = load(port, clients, seconds, file, rate)
        self.pool.give_back(result["asked"])
        assert result["status"][1] == result["answers"], result
        return result

    def again(self, port, clients):
        """The same targets again and again, for what keeps no account of them."""
        result = load(port, clients, -self.seconds, self.same)
        assert sum(result["status"][2:]) == 0, result
        return result

    def pgbench(self, clients, seconds=None):
        count = int(max(1, seconds or self.seconds) * self.most)
        self.pool.targets(count)
        variables = {"n": 0, "base": self.pool.first, "clients": clients}
        result = pgbench(
            self.place, PGBENCH.format(sql=self.script), clients, seconds or self.seconds, min(clients, 2), variables
        )
        self.pool.give_back(result["n"] + 3 * clients)
        return result


def click_statement(place, pool):
    """What zoom_track sends for a group of clicks."""
    file = pool.targets(1)
    (statement,) = [s for s in place.statements(lambda: load(place.port, 1, 0.5, file)) if "INSERT INTO clicks" in s["raw"]]
    return statement["raw"]


def better(click, choices, clients):
    """The choice with more clicks a second in one trial."""
    return max(choices, key=lambda port: click.first(port, clients)["rate"])


def compare_first(click, ports, rounds, rows):
    for clients in (32, 128):
        fastify = better(click, ports["fastify"], clients)
        pairs = {
            f"Fastify, {ports['fastify'].index(fastify) + 1} process(es), no nginx": (fastify, "at least", 2.0),
            "Fastify, clicks grouped, behind nginx": (ports["grouped"], "at least", 1.2 if clients == 32 else 1.0),
            "nginx + PHP-FPM": (ports["php"], "at least", 4.0),
        }
        limits = {"nginx answering 302 alone": ports["nginx"], "nginx + FastCGI that does nothing": ports["hello"]}
        work = f"first clicks a second, {clients} connections"
        new = {name: Row(work, name, bound, target, "/s") for name, (_, bound, target) in pairs.items()}
        new |= {name: Row(work, name, "at least", None, "/s") for name in limits}
        new["pgbench"] = Row(work, f"pgbench, one a transaction, {click.best_clients} clients", "at least", 1.2, "/s")
        runs = {"ours": partial(click.first, click.place.port, clients)}
        runs |= {name: partial(click.first, port, clients) for name, (port, _, _) in pairs.items()}
        runs |= {name: partial(click.again, port, clients) for name, port in limits.items()}
        runs["pgbench"] = partial(click.pgbench, click.best_clients)
        for n in range(rounds):
            rates = {name: run()["rate"] for name, run in in_turn(runs.items(), n)}
            for name, row in new.items():
                row.add(rates["ours"], rates[name])
        rows += new.values()


def in_turn(runs, n):
    """Each time another one begins: whoever comes after a checkpoint, or a run that left much to write, is slower."""
    runs = list(runs)
    return runs[n % len(runs) :] + runs[: n % len(runs)]


def compare_repeated(click, ports, rounds, rows):
    row = Row("repeated clicks a second, 32 connections", "Fastify", "at least", 2.0, "/s")
    for _ in range(rounds):
        runs = [click.again(port, 32) for port in (click.place.port, *ports["fastify"])]
        row.add(runs[0]["rate"], max(run["rate"] for run in runs[1:]))
    rows.append(row)


def fairness(click, rounds, seconds, rows):
    row = Row("longest wait of any of 128 clients", "the median client's longest", "at most", 20, "ms")
    for _ in range(rounds):
        result = click.first(click.place.port, 128, seconds)
        assert result["unserved"] == 0, result
        row.add(result["longest_max"] / 1000, result["longest_median"] / 1000)
    rows.append(row)


def compare_calm(click, ports, rounds, rows):
    """p99 at half of what the slowest peer can do."""
    peers = {"Fastify": ports["fastify"][0], "Fastify grouped, nginx": ports["grouped"], "nginx + PHP-FPM": ports["php"]}
    peaks = {name: max(click.first(port, 32)["rate"] for _ in range(min(3, rounds))) for name, port in peers.items()}
    slowest = min(peaks, key=peaks.get)
    rate = peaks[slowest] / 2
    row = Row(f"p99 of a click at {rate:,.0f}/s", f"the slowest peer, {slowest}", "at most", 0.5, "ms")
    for n in range(rounds):
        p99s = {port: click.first(port, 32, 4 * click.seconds, rate)["p99"] / 1000 for port in in_turn([click.place.port, peers[slowest]], n)}
        row.add(p99s[click.place.port], p99s[peers[slowest]])
    rows.append(row)


def compare_lone(click, rounds, rows):
    row = Row("a lone click, p50", "pgbench with one client, p50", "at most", 1.8, "ms")
    runs = {"ours": partial(click.first, click.place.port, 1), "theirs": partial(click.pgbench, 1)}
    for n in range(rounds):
        p50s = {name: run()["p50"] / 1000 for name, run in in_turn(runs.items(), n)}
        row.add(p50s["ours"], p50s["theirs"])
    rows.append(row)


@contextlib.contextmanager
def all_peers(peers):
    location = "return 302 https://us02web.zoom.us/j/1;"
    with (
        peers.fastify(1) as (one, _),
        peers.fastify(2) as (two, _),
        peers.fastify_grouped() as (grouped, _),
        peers.php() as (php, _),
        peers.nginx(location) as (nginx, _),
        peers.hello() as (hello, _),
    ):
        yield {"fastify": [one, two], "grouped": grouped, "php": php, "nginx": nginx, "hello": hello}


def main():
    quick = arguments(__doc__).quick
    rounds = 1 if quick else 5
    rows = []
    with Place() as place:
        pool = Pool(place, 40_000 if quick else 1_800_000)
        click = Click(place, pool, quick)
        peers = Peers(place, click.statement)
        try:
            with all_peers(peers) as ports:
                for port in (place.port, *ports["fastify"], ports["grouped"], ports["php"]):
                    click.first(port, 32, 0.3)  # plans, caches
                click.best_clients = max((4, 8) if quick else (4, 8, 16, 32, 64), key=lambda n: click.pgbench(n)["rate"])
                compare_first(click, ports, rounds, rows)
                compare_repeated(click, ports, rounds, rows)
                compare_calm(click, ports, rounds, rows)
                compare_lone(click, rounds, rows)
                fairness(click, rounds, 5 if quick else 10, rows)  # a busy machine may stop for one
        finally:
            peers.close()
            pool.close()
    publish("click", rows, [], quick)


if __name__ == "__main__":
    sys.exit(main())
