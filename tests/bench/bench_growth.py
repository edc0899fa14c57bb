"""What a click costs as the table grows from ten thousand sessions to ten million."""

import sys

from place import Place, Pool, academy, arguments, load, many
from table import Row, publish


def cost(place, pool, clicks):
    """Microseconds a click, 128 clients at once."""
    result = load(place.port, 128, 60, pool.targets(clicks))
    assert result["status"][1] == clicks, result
    return 1e6 * result["seconds"] / clicks


def main():
    quick = arguments(__doc__).quick
    rounds, clicks = (1, 1_000) if quick else (5, 10_000)
    row = Row(f"a click among {many(quick):,} sessions, 128 clients", "among ten thousand", "at most", 1.3, "µs")
    with academy(quick) as large, Place(alone=True) as small:
        large_pool = Pool(large, (rounds + 1) * clicks)
        small_pool = Pool(small, clicks)
        try:
            cost(large, large_pool, clicks)
            cost(small, small_pool, clicks)
            for _ in range(rounds):
                small_pool.refill(clicks)
                row.add(cost(large, large_pool, clicks), cost(small, small_pool, clicks))
        finally:
            large_pool.remove()
            for pool in (large_pool, small_pool):
                pool.close()
    publish("growth", [row], [], quick)


if __name__ == "__main__":
    sys.exit(main())
