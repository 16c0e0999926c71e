"""Ten uploads at once, each by a `put` of its own: what the gateway's process takes of processor and memory.

    python -m bench.many_uploads [--uploads 10] [--mib 64] [--latency 0 80]

The goal for its memory is that of bench.memory.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psutil

from bench.house import house, random_file
from bench.memory import LIMIT, Watch
from bench.options import add_latency, options
from bench.report import at_most, heading, row

PATIENCE = 900
"""Seconds that all of them may take."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--mib", type=int, default=64, help="of each")
    add_latency(parser, [0, 80])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, house(Path(name)) as (sandbox, gateway):
        assert gateway.process is not None
        pid, folder = gateway.process.pid, Path(name)
        print(
            f"{chosen.uploads} times {chosen.mib} MiB; idle {psutil.Process(pid).memory_info().rss / 1e6:.0f} MB"
        )
        heading(
            "latency", "seconds", "MB/s together", "CPU s per GiB", "of one core", "highest RSS, MB", "goal"
        )
        size = chosen.uploads * chosen.mib
        for latency in chosen.latency:
            sandbox.control.latency(latency)
            files = [random_file(folder / f"{number}.bin", chosen.mib) for number in range(chosen.uploads)]
            began = time.perf_counter()
            with Watch(pid) as watch:
                running = [gateway.command("put", file, f"/{latency}/{file.name}") for file in files]
                for one in running:
                    said, _ = one.communicate(timeout=PATIENCE)
                    assert one.returncode == 0, said
            took = time.perf_counter() - began
            row(
                f"{latency} ms",
                f"{took:.1f}",
                f"{size * 1.048576 / took:.0f}",
                f"{watch.cpu * 1024 / size:.1f}",
                f"{watch.cpu / took:.0%}",
                f"{watch.highest / 1e6:.0f}",
                at_most(watch.highest / 1e6, LIMIT / 1e6),
            )


if __name__ == "__main__":
    main()
