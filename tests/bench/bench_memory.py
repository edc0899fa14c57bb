"""Memory of all programs and nginx, at rest and while students click, beside Fastify alone."""

import sys
import threading
import time

from bench_click import Click
from peers import Peers
from place import Place, Pool, arguments
from processes import descendants, of_instance, pss
from table import Row, publish


def peak_of(work, pids):
    """The most that pids() hold while work() runs, MiB."""
    highest, over = [pss(pids())], threading.Event()

    def watch():
        while not over.wait(0.1):
            highest.append(pss(pids()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return max(highest)


def main():
    quick = arguments(__doc__).quick
    rounds = 1 if quick else 5
    rest = Row("memory at rest, PSS of all programs and nginx", "Fastify alone", "at most", 1.0, "MiB")
    peak = Row("memory at the peak of 128 clicking clients, PSS", "Fastify alone", "at most", 0.7, "MiB")
    statement = None
    for _ in range(rounds):
        with Place() as place:
            time.sleep(1)
            ours_rest = pss(of_instance(place))
            pool = Pool(place, 20_000 if quick else 150_000)
            click = Click(place, pool, quick)
            statement = statement or click.statement
            peers = Peers(place, statement)
            with peers.fastify(1) as (port, pid):
                theirs_rest = pss(descendants(pid))
                ours_peak = peak_of(lambda: click.first(place.port, 128), lambda: of_instance(place))
                theirs_peak = peak_of(lambda: click.first(port, 128), lambda: descendants(pid))
            rest.add(ours_rest, theirs_rest)
            peak.add(ours_peak, theirs_peak)
            peers.close()
            pool.close()
    publish("memory", [rest, peak], [], quick)


if __name__ == "__main__":
    sys.exit(main())
