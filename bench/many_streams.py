"""Table 6: 64 fast uncached downloads of different files at 20 ms: their total beside the raw ceiling, and fairness.

    python -m bench.many_streams [--streams 64] [--seconds 15] [--latency 20]

What each has received is counted over the same seconds, while all of them run. The ceiling is what one process without
HTTP gets from the same sandbox over 8 connections, measured before and after; the mean of both counts.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import mean, median

from bench.baselines import raw_window
from bench.crowd import crowd
from bench.house import CROWDED, Stocked, stocked
from bench.memory import Watch
from bench.options import add_latency, options
from bench.report import at_least, heading, row
from model import MIB

WARMING = 3.0
EACH = 1 << 30
"""Bytes of each file; all are synthetic (bench/synthetic.py)."""


def measure(house: Stocked, streams: int, seconds: float) -> tuple[list[int], float, Watch]:
    """The bytes that each received in so many seconds."""
    with crowd(streams, lambda number: house.fetch(f"file-{number:03}")) as members:
        time.sleep(WARMING)
        with Watch(house.pid) as watch:
            before, began = members.received(), time.perf_counter()
            time.sleep(seconds)
            after, took = members.received(), time.perf_counter() - began
    return [late - early for early, late in zip(before, after, strict=True)], took, watch


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=15)
    add_latency(parser, [20])
    chosen = parser.parse_args()
    sizes = {f"file-{number:03}": EACH for number in range(chosen.streams)} | {"raw": 512 * MIB}
    with (
        tempfile.TemporaryDirectory() as name,
        stocked(Path(name), sizes, TELEGRAM_CONNECTIONS="8", **CROWDED) as house,
    ):
        for latency in chosen.latency:
            house.sandbox.control.latency(latency)
            tell(house, latency, chosen.streams, chosen.seconds)


def tell(house: Stocked, latency: int, streams: int, seconds: float) -> None:
    raw = house.files["raw"]
    ceilings = [raw_window(house.sandbox, raw)]
    received, took, watch = measure(house, streams, seconds)
    ceilings.append(raw_window(house.sandbox, raw))
    ceiling = mean(raw.size / 1e6 / each for each in ceilings)
    total = sum(received) / 1e6 / took
    fairness = min(received) / median(received) if median(received) else 0.0
    print(f"{streams} downloads for {took:.0f} s at {latency} ms")
    heading("what", "figure", "goal")
    row("raw ceiling of one process, MB/s", f"{ceiling:.0f}", "")
    row("all downloads, MB/s", f"{total:.0f}", "")
    row("of the ceiling", f"{total / ceiling:.2f}", at_least(total / ceiling, 0.8))
    row("slowest / median", f"{fairness:.2f}", at_least(fairness, 0.5))
    row("gateway's CPU s/GiB", f"{watch.cpu * (1 << 30) / max(1, sum(received)):.1f}", "")
    row("gateway's highest RSS, MB", f"{watch.highest / 1e6:.0f}", "")


if __name__ == "__main__":
    main()
