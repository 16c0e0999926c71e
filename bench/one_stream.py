"""Table 1: one download, uncached, beside a raw window of getFile, Telethon's iter_download and the naive gateway.

    python -m bench.one_stream [--mib 1024] [--slow-mib 64] [--latency 0 20 80 40] [--rounds 1] [--no-naive] [--profile]

Ours and the raw window take the whole file, in turn, and medians of the rounds count; the two slow ones take its first
part, since their speed does not depend on the size. The row at 40 ms has 5 MiB/s a connection, and 8 connections of one
account. The file is synthetic (bench/synthetic.py).
`--profile` runs ours once more at 0 ms, with a sampler in the gateway that says where its processor time goes.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.baselines import iter_download, raw_window
from bench.house import Stocked, stocked
from bench.memory import Watch
from bench.naive import naive
from bench.options import add_latency, options
from bench.report import at_least, heading, row
from bench.synthetic import CHUNK
from model import MIB

CAP = 5 * MIB
CONNECTIONS = 8
CAPPED = 40
LATENCIES = (0, 20, 80, CAPPED)
"""Milliseconds; the last with the cap, and with one account from there on."""


@dataclass(frozen=True)
class Speeds:
    """MB/s; ours by the raw window's of the same round; and processor seconds of the gateway for each GiB."""

    ours: float
    raw: float
    of_raw: float
    plain: float
    naive: float
    cpu: float

    def goals(self, latency: int) -> str:
        if latency == 0:
            return f"{self.of_raw:.2f} of raw, {at_least(self.of_raw, 0.8)}"
        times = f"{self.ours / self.plain:.1f} x iter_download"
        if latency == 20:
            return f"{times}, {at_least(self.ours / self.plain, 5)}"
        if latency == 80:
            return f"{times}, {at_least(self.ours / self.plain, 12)}; {at_least(self.ours, 60, ' MB/s')}"
        part = self.ours * 1e6 / (CAP * CONNECTIONS)
        return f"{part:.2f} of {CONNECTIONS} x 5 MiB/s, {at_least(part, 0.9)}"


def measure(house: Stocked, latency: int, rounds: int, with_naive: bool) -> Speeds:
    if latency == CAPPED:
        # The cap is on connections, and the goal is for those of one account.
        house.restart_gateway(TELEGRAM_BOT_TOKENS=house.sandbox.bot_tokens[0])
        house.fetch("part").run()
    house.sandbox.control.latency(latency)
    house.sandbox.control.bandwidth(CAP if latency == CAPPED else 0)
    whole, part = house.files["whole"], house.files["part"]
    took = []
    for _ in range(rounds):
        raw = whole.size / 1e6 / raw_window(house.sandbox, whole, CONNECTIONS)
        with Watch(house.pid) as watch:
            ours = house.fetch("whole").run().speed
        took.append((ours, raw, ours / raw, watch.cpu * (1 << 30) / whole.size))
    plain = iter_download(house.sandbox, part)
    slowest = 0.0
    if with_naive:
        with naive(house.sandbox, part) as fetch:
            slowest = fetch.run().speed
    ours, raw, of_raw, cpu = map(median, zip(*took, strict=True))
    return Speeds(ours, raw, of_raw, part.size / 1e6 / plain, slowest, cpu)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--slow-mib", type=int, default=CHUNK // MIB)
    add_latency(parser, LATENCIES, choices=LATENCIES)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-naive", action="store_true", help="it takes most of the time")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    sizes = {"whole": chosen.mib * MIB, "part": chosen.slow_mib * MIB}
    with (
        tempfile.TemporaryDirectory() as name,
        stocked(Path(name), sizes, TELEGRAM_CONNECTIONS=str(CONNECTIONS)) as house,
    ):
        house.fetch("part").run()  # connections are open, as in a gateway that has been up for a while
        print(f"{chosen.mib} MiB; {chosen.slow_mib} MiB for iter_download and naive; MB/s")
        heading("latency", "ours", "raw window", "iter_download", "naive", "gateway's CPU s/GiB", "goal")
        for latency in chosen.latency:
            speeds = measure(house, latency, chosen.rounds, not chosen.no_naive)
            figures = (
                f"{figure:.1f}" if figure else ""
                for figure in (speeds.ours, speeds.raw, speeds.plain, speeds.naive)
            )
            what = f"{latency} ms" + (", 5 MiB/s a connection" if latency == CAPPED else "")
            row(what, *figures, f"{speeds.cpu:.1f}", speeds.goals(latency))
        if chosen.profile:
            house.sandbox.control.clear()
            print(house.profile(["whole"], Path(name) / "profile"))


if __name__ == "__main__":
    main()
