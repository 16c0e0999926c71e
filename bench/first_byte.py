"""Table 2: the first byte of a random range in a 10 GiB file, uncached; alone, and with 32 streams running.

    python -m bench.first_byte [--requests 100] [--latency 80] [--streams 32] [--gib 10]

Each request is a new connection; the time counts from before connecting. The streams read as fast as they get, from
random places of another such file. Both files are synthetic (bench/synthetic.py): real messages, 160 for each.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from bench.crowd import crowd
from bench.fetch import Fetch
from bench.house import CROWDED, Stocked, stocked
from bench.options import add_latency, options
from bench.report import at_most, heading, percentile, row
from model import ByteRange

LENGTH = 100_000
GOALS = {0: 0.25, 1: 0.5}
"""Seconds of the 95th percentile: alone, and in a crowd."""
WARMING = 5.0


def somewhere(house: Stocked, name: str, length: int | None = None) -> Fetch:
    size = house.files[name].size
    start = random.randrange(size - (length or 1))
    return house.fetch(name, ByteRange(start, start + length if length else size))


def measure(house: Stocked, what: str, requests: int, goal: float) -> None:
    times = [somewhere(house, "sought", LENGTH).run().first for _ in range(requests)]
    p50, p95 = (percentile(times, percent) for percent in (50, 95))
    figures = (f"{1000 * figure:.0f} ms" for figure in (p50, p95, max(times)))
    row(what, requests, *figures, at_most(1000 * p95, 1000 * goal, " ms"))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--requests", type=int, default=100)
    add_latency(parser, [80])
    parser.add_argument("--streams", type=int, default=32)
    parser.add_argument("--gib", type=float, default=10)
    chosen = parser.parse_args()
    size = round(chosen.gib * (1 << 30))
    with (
        tempfile.TemporaryDirectory() as name,
        stocked(Path(name), {"sought": size, "streamed": size}, **CROWDED) as house,
    ):
        somewhere(house, "sought", LENGTH).run()
        for latency in chosen.latency:
            house.sandbox.control.latency(latency)
            print(f"{LENGTH} bytes at random places of {chosen.gib:g} GiB, {latency} ms")
            tell(house, chosen.requests, chosen.streams)


def tell(house: Stocked, requests: int, crowded: int) -> None:
    heading("what", "requests", "p50", "p95", "longest", "goal (p95)")
    measure(house, "alone", requests, GOALS[0])
    with crowd(crowded, lambda _: somewhere(house, "streamed")) as streams:
        time.sleep(WARMING)
        before, began = sum(streams.received()), time.perf_counter()
        measure(house, f"with {crowded} streams", requests, GOALS[1])
        speed = (sum(streams.received()) - before) / 1e6 / (time.perf_counter() - began)
    print(f"the streams had {speed:.0f} MB/s together meanwhile")


if __name__ == "__main__":
    main()
