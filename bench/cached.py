"""What a cached byte costs before HTTP: the gate over a warm cache, beside the two things it cannot do without.

    python -m bench.cached [--size-mib 256] [--rounds 5] [--folder DIR]

One stream, one thread; the rows take turns, and the best round of each counts. The files lie in the system's page
cache, as they do for a web server that serves one file again and again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.options import options
from model import MIB, PIECE_SIZE, ByteRange, StoredFile
from storage.cache.store import CachedStore
from storage.memory import MemoryStore
from streaming.plan import plan
from streaming.read import VerifiedStream
from tests.streaming.at_rest import stored

CHUNK = 64 * MIB
WARMING = 60.0
"""Seconds for the disk to take the pieces."""


def stream(store: CachedStore, file: StoredFile) -> None:
    whole = VerifiedStream(plan(file, ByteRange(0, file.size)), store, yield_size=PIECE_SIZE)
    assert sum(map(len, whole)) == file.size


def warm(store: CachedStore, file: StoredFile) -> None:
    """Stream until every piece is on disk: those that come faster than the disk takes them are not written."""
    until = time.monotonic() + WARMING
    while store.statistics().pieces_on_disk < -(-file.size // PIECE_SIZE):
        if time.monotonic() > until:
            raise SystemExit(f"the disk did not take the pieces: {store.statistics()}")
        stream(store, file)
        time.sleep(0.2)


def hash_plainly(body: bytes) -> None:
    for start in range(0, len(body), PIECE_SIZE):
        hashlib.sha256(body[start : start + PIECE_SIZE]).digest()


def read_plainly(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(PIECE_SIZE):
            pass


def fastest(rounds: int, rows: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of the best round of each row."""
    best = dict.fromkeys(rows, float("inf"))
    for _ in range(rounds):
        for name, work in rows.items():
            started = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def measure(folder: Path, size: int, rounds: int) -> dict[str, float]:
    body = os.urandom(size)
    (folder / "plain").write_bytes(body)
    inner = MemoryStore()
    sizes = [min(CHUNK, size - start) for start in range(0, size, CHUNK)]
    file = stored(inner, body, sizes, PIECE_SIZE)
    with (
        closing(CachedStore(inner, folder / "disk", 2 * size, 0)) as disk,
        closing(CachedStore(inner, folder / "both", 2 * size, size)) as memory,
    ):
        warm(disk, file)
        warm(memory, file)
        misses = disk.statistics().misses, memory.statistics().misses
        rows = {
            "plain SHA-256 of each piece": partial(hash_plainly, body),
            "plain reading of a file, 1 MiB a read": partial(read_plainly, folder / "plain"),
            "verified stream, pieces on disk": partial(stream, disk, file),
            "verified stream, pieces in memory": partial(stream, memory, file),
        }
        best = fastest(rounds, rows)
        assert misses == (disk.statistics().misses, memory.statistics().misses), "something was fetched again"
    return best


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--size-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the cache lies; a temporary folder by default")
    chosen = parser.parse_args()
    size = chosen.size_mib * MIB
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        best = measure(Path(folder), size, chosen.rounds)
    print(f"{chosen.size_mib} MiB, best of {chosen.rounds}")
    for name, seconds in best.items():
        print(f"{name:<40}{size / 1e6 / seconds:>8.0f} MB/s")


if __name__ == "__main__":
    main()
