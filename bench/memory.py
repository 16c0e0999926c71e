"""The memory of the gateway's process while a large file goes in by `put` and comes out by curl.

    python -m bench.memory [--gib 5]

Resident bytes, looked at ten times a second; the highest of each phase counts. Needs three times the file on disk.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import psutil

from bench.house import curl, house, random_file
from bench.options import options

LIMIT = 250 * 10**6


class Watch:
    """The highest resident size of a process while the `with` lasts, in bytes; and the processor seconds it took."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = Event()
        self._thread = Thread(target=self._look)
        self.highest = 0
        self.cpu = 0.0

    def __enter__(self) -> Watch:
        self._before = self._process.cpu_times()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        after = self._process.cpu_times()
        self.cpu = after.user + after.system - self._before.user - self._before.system

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.highest = max(self.highest, self._process.memory_info().rss)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--gib", type=float, default=5)
    gib = parser.parse_args().gib
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with house(folder) as (_, gateway):
            assert gateway.process is not None
            pid = gateway.process.pid
            idle = psutil.Process(pid).memory_info().rss
            file = random_file(folder / "file.bin", round(gib * 1024))
            print(
                f"{gib:g} GiB; idle {idle / 1e6:.0f} MB\n| phase | seconds | MB/s | CPU s per GiB | highest RSS |"
            )
            print("|---|---|---|---|---|")

            def phase(what: str, work: Callable[[], object]) -> None:
                began = time.perf_counter()
                with Watch(pid) as watch:
                    work()
                took = time.perf_counter() - began
                speed = file.stat().st_size / 1e6 / took
                row = f"| {what} | {took:.0f} | {speed:.0f} | {watch.cpu / gib:.1f} | {watch.highest / 1e6:.0f} MB |"
                print(row + ("" if watch.highest < LIMIT else f" over {LIMIT / 1e6:.0f} MB"), flush=True)

            phase("in, by put", lambda: gateway.run("put", file, "/", timeout=3600))
            with gateway.client() as client:
                file_id = client.get("/api/v1/nodes", params={"path": "/"}).json()["items"][0]["id"]
            phase("out, by curl", lambda: curl(gateway, file_id))


if __name__ == "__main__":
    main()
