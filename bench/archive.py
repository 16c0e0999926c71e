"""A folder streamed as a ZIP, beside the same bytes as single files, one after the other.

    python -m bench.archive [--rounds 3] [--latency 0 20]

Both by one connection at a time, with no cache; the files are synthetic. What came as a ZIP is read once more, untimed,
and found good by its CRC-32s. Rounds take turns, and the best of each counts. Single files have a connection each, as
most programs do it.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.fetch import Fetch
from bench.house import Stocked, stocked
from bench.options import add_latency, options
from bench.report import at_least, heading, row
from model import MIB, ByteRange

GOAL = 0.95
LARGE = {f"film {number}": 256 * MIB for number in range(4)}
SMALL = {f"picture {number}": 200_000 for number in range(500)}


def zip_of(house: Stocked) -> tuple[str, int]:
    """The address of the top folder's ZIP, and its length."""
    with house.gateway.client() as client:
        root = client.get("/api/v1/nodes").json()["folder"]["id"]
        head = client.head(f"/folders/{root}/download.zip")
    return f"{house.gateway.url}/folders/{root}/download.zip", int(head.headers["Content-Length"])


def examine(house: Stocked, folder: Path) -> None:
    url, _ = zip_of(house)
    path = folder / "fetched.zip"
    with house.gateway.client() as client, client.stream("GET", url) as response, path.open("wb") as file:
        for block in response.iter_bytes(MIB):
            file.write(block)
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None or set(archive.namelist()) != set(house.files):
            raise SystemExit("WRONG BYTES")
    path.unlink()


def as_zip(house: Stocked, url: str, size: int) -> None:
    Fetch(url, house.gateway.token, ByteRange(0, size), lambda start, length: b"", whole=True).run()


def as_files(house: Stocked) -> None:
    for name in house.files:
        house.fetch(name).run()


def seconds(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    add_latency(parser, [0, 20])
    chosen = parser.parse_args()
    heading("files", "latency", "files MB/s", "ZIP MB/s", "ZIP / files", "goal")
    for sizes in (LARGE, SMALL):
        with tempfile.TemporaryDirectory() as name, stocked(Path(name), sizes) as house:
            examine(house, Path(name))
            there = zip_of(house)
            for latency in chosen.latency:
                house.sandbox.control.latency(latency)
                taken = [
                    (seconds(partial(as_files, house)), seconds(partial(as_zip, house, *there)))
                    for _ in range(chosen.rounds)
                ]
                files, zipped = (sum(sizes.values()) / 1e6 / min(each) for each in zip(*taken, strict=True))
                what = f"{len(sizes)} of {max(sizes.values()) / 1e6:.1f} MB"
                speeds = f"{files:.0f}", f"{zipped:.0f}", f"{zipped / files:.2f}"
                row(what, f"{latency} ms", *speeds, at_least(zipped / files, GOAL))


if __name__ == "__main__":
    main()
