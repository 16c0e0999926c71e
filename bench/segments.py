"""Table 3: `aria2c -x16 -s16` of an uncached file, with the cache on, beside a single stream of an equal file.

    python -m bench.segments [--mib 1024] [--latency 0 20]

Counted at the sandbox: the bytes that it served for the file. Both are aria2c, writing to the disk, and what arrived is
read back and compared. Each file is fetched once: nothing of it is in the cache before. They are synthetic.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import time
from pathlib import Path

from bench.house import CROWDED, Stocked, stocked
from bench.options import add_latency, options
from bench.report import at_most, heading, row
from bench.synthetic import CHUNK, SyntheticFile
from model import MIB


def aria2c(house: Stocked, name: str, connections: int, goal: Path, *more: str) -> list[str]:
    """Its command line, which writes the file to `goal`, beginning at many places at once."""
    ways = [f"-x{connections}", f"-s{connections}", "-k1M", "--file-allocation=none", *more]
    header = f"Authorization: Bearer {house.gateway.token}"
    place = ["-d", str(goal.parent), "-o", goal.name]
    return ["aria2c", "-q", "--no-conf", *ways, "--header", header, *place, house.url(name)]


def fetch(house: Stocked, name: str, connections: int, goal: Path) -> tuple[float, float]:
    """Seconds, and the bytes that the sandbox served for each of the file."""
    before = house.sandbox.control.stats()["bytes_served"]
    began = time.perf_counter()
    subprocess.run(aria2c(house, name, connections, goal), check=True, timeout=600)
    seconds = time.perf_counter() - began
    served = house.sandbox.control.stats()["bytes_served"] - before
    if digest(goal) != digest_of(house.files[name]):
        raise SystemExit("WRONG BYTES")
    goal.unlink()
    return seconds, served / house.files[name].size


def digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def digest_of(file: SyntheticFile) -> bytes:
    whole = hashlib.sha256()
    for start in range(0, file.size, CHUNK):
        whole.update(file.read(start, min(CHUNK, file.size - start)))
    return whole.digest()


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    add_latency(parser, [0, 20])
    chosen = parser.parse_args()
    names = [f"{kind}-{latency}" for latency in chosen.latency for kind in ("one", "many")]
    sizes = dict.fromkeys(names, chosen.mib * MIB) | {"warm": 64 * MIB}
    cache = str(2 * len(sizes) * chosen.mib)
    with (
        tempfile.TemporaryDirectory() as name,
        stocked(Path(name), sizes, CACHE_SIZE_MIB=cache, **CROWDED) as house,
    ):
        house.fetch("warm").run()
        print(f"{chosen.mib} MiB")
        heading("latency", "connections", "seconds", "sandbox served / size", "goal", "time / single", "goal")
        for latency in chosen.latency:
            house.sandbox.control.latency(latency)
            goal = Path(name) / "fetched.bin"
            single, served = fetch(house, f"one-{latency}", 1, goal)
            row(f"{latency} ms", 1, f"{single:.1f}", f"{served:.3f}", "", "", "")
            seconds, served = fetch(house, f"many-{latency}", 16, goal)
            ratio = seconds / single
            row(
                f"{latency} ms",
                16,
                f"{seconds:.1f}",
                f"{served:.3f}",
                at_most(served, 1.02),
                f"{ratio:.2f}",
                at_most(ratio, 1.1),
            )


if __name__ == "__main__":
    main()
