"""Table 7: a file of 100 GiB beside one of 100 MiB: memory, the plan, the start, a range in the middle, aria2c.

    python -m bench.huge_file [--gib 100] [--seconds 8] [--rounds 9]

The large file is synthetic (bench/synthetic.py): 1600 messages, each with digests of its own. The plan is made in this
process from the gateway's own database; everything else goes over HTTP at 0 ms, uncached. Memory is that of a gateway
just started for each round, in turn; medians count.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

import psutil

from bench.fetch import SAMPLE
from bench.house import CROWDED, Stocked, stocked
from bench.memory import Watch
from bench.options import options
from bench.report import at_most, heading, row
from bench.segments import aria2c
from db import Database
from db.access.people import People
from db.stored.contents import Contents
from db.tree.browsing import Tree
from model import MIB, ByteRange
from streaming.plan import plan

TIMES = 15
PLACES = 16384
"""Where aria2c's part is looked at; a hole is a place that it has not come to yet."""
SAME = 8.0
"""MB by which two runs of one and the same thing differ."""


def milliseconds_to_plan(house: Stocked, name: str, span: ByteRange) -> float:
    """To read the rows of a span and to plan it; the median of some times."""
    times = []
    with closing(Database(f"sqlite:///{house.gateway.data / 'stowgram.sqlite3'}")) as database:
        contents, (admin,) = Contents(database), People(database).all()
        content_id = Tree(database).file(admin.id, house.files[name].node).content_id
        for _ in range(TIMES):
            began = time.perf_counter()
            plan(contents.part(content_id, span), span)
            times.append(1000 * (time.perf_counter() - began))
    return median(times)


def milliseconds_to_start(house: Stocked, name: str, span: ByteRange | None = None) -> float:
    """Until the first byte; the median of some times."""
    return median(1000 * house.fetch(name, span).glance().first for _ in range(TIMES))


def growth(house: Stocked, name: str, seconds: float) -> float:
    """MB by which the gateway's memory grows at most in so many seconds of downloading, after a fresh start."""
    house.restart_gateway()
    house.fetch("warm").run()  # what any first download needs does not count
    idle = psutil.Process(house.pid).memory_info().rss
    until = time.monotonic() + seconds
    with Watch(house.pid) as watch:
        while (left := until - time.monotonic()) > 0.1:
            house.fetch(name).run_for(left)
    return (watch.highest - idle) / 1e6


def compare_memory(house: Stocked, seconds: float, rounds: int) -> None:
    """A row of how much each makes the gateway grow, in turn; the medians."""
    grown = [[growth(house, file, seconds) for file in ("small", "large")] for _ in range(rounds)]
    small, huge = map(median, zip(*grown, strict=True))
    goal = at_most(huge, small + SAME, " (the small one's + 8)")
    row("RSS grows by, MB", f"{small:.1f}", f"{huge:.1f}", goal)


def part_by_aria2c(house: Stocked, name: str, seconds: float, folder: Path) -> str:
    """What it wrote of the file in so many seconds over 16 connections, and whether the bytes are right."""
    file, goal = house.files[name], folder / "part.bin"
    line = aria2c(house, name, 16, goal, f"--stop={seconds:.0f}")
    subprocess.run(line, timeout=seconds + 60, check=False)  # its exit code says that it was stopped
    places = range(0, goal.stat().st_size, max(SAMPLE, file.size // PLACES))
    right = wrong = 0
    with goal.open("rb") as written:
        for start in places:
            written.seek(start)
            found = written.read(SAMPLE).rstrip(b"\0")
            right += bool(found) and found == file.read(start, len(found))
            wrong += found != file.read(start, len(found))
    if wrong or not right:
        raise SystemExit(f"WRONG BYTES at {wrong} of {len(places)} places, right ones at {right}")
    return f"in {seconds:.0f} s, {right} of {len(places)} places, all right"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--gib", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=9, help="of memory, which scatters")
    parser.add_argument("--seconds", type=float, default=8, help="of each download whose memory is watched")
    chosen = parser.parse_args()
    large = round(chosen.gib * (1 << 30))
    sizes = {"small": 100 * MIB, "large": large, "warm": 64 * MIB}
    with tempfile.TemporaryDirectory() as name, stocked(Path(name), sizes, **CROWDED) as house:
        house.fetch("warm").run()
        heading("what", "100 MiB", f"{chosen.gib:g} GiB", "goal")
        middle = {
            file: ByteRange(sizes[file] // 2 + 1, sizes[file] // 2 + 1 + MIB) for file in ("small", "large")
        }

        def compare(what: str, of: Callable[[str], float], goal: float) -> None:
            figures = of("small"), of("large")
            row(what, *(f"{figure:.1f}" for figure in figures), at_most(figures[1], goal))

        def whole(file: str) -> ByteRange:
            return ByteRange(0, sizes[file])

        compare("plan of the whole, ms", lambda file: milliseconds_to_plan(house, file, whole(file)), 50)
        compare(
            "plan of 1 MiB in the middle, ms",
            lambda file: milliseconds_to_plan(house, file, middle[file]),
            50,
        )
        compare("first byte of the whole, ms", lambda file: milliseconds_to_start(house, file), 300)
        compare(
            "first byte in the middle, ms", lambda file: milliseconds_to_start(house, file, middle[file]), 300
        )
        row("aria2c -x16, a part", "", part_by_aria2c(house, "large", chosen.seconds, Path(name)), "")
        compare_memory(house, chosen.seconds, chosen.rounds)


if __name__ == "__main__":
    main()
