"""Many small files by `put`, beside a stock Telethon `send_file` of each, one after another, to the same sandbox.

    python -m bench.small_files [--files 300] [--size 4096] [--latency 0 80]

`put` is the command, from its start until all files are visible; each file costs two messages and a read-back.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench.house import house
from bench.options import add_latency, options
from bench.upload import alone, put


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--size", type=int, default=4096, help="in bytes")
    add_latency(parser, [0, 80])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, house(Path(name)) as (sandbox, gateway):
        files = Path(name) / "files"
        files.mkdir()
        for number in range(chosen.files):
            (files / f"{number:06}").write_bytes(os.urandom(chosen.size))
        print(f"{chosen.files} files of {chosen.size} bytes; milliseconds for each")
        print("| latency | send_file | put | send_file / put | gateway's CPU |\n|---|---|---|---|---|")
        for latency in chosen.latency:
            sandbox.control.latency(latency)
            stock = alone("send_file", gateway, sandbox, files)
            ours, cpu = put(gateway, sandbox, files, f"/{latency}")
            stock, ours, cpu = (1000 * seconds / chosen.files for seconds in (stock.clock, ours.clock, cpu))
            print(f"| {latency} ms | {stock:.1f} | {ours:.1f} | {stock / ours:.1f} | {cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
