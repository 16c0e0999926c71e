"""One download, uncached, through the whole gateway, beside a stock Telethon `iter_download` from the same sandbox.

    python -m bench.one_stream [--mib 64] [--rounds 3]

Each round runs both, one after the other, at 0, 20 and 80 ms; the ratio of a round is taken within the round.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from bench.house import curl, house, iter_download, random_file
from tests.whole.known import chunk_messages

LATENCIES = (0, 20, 80)
TARGETS = {0: 1.0, 20: 4.0, 80: 6.0}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mib", type=int, default=64, help="size of the file, one chunk")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with house(folder, CHUNK_SIZE_MIB=str(max(1, chosen.mib))) as (sandbox, gateway):
            gateway.run("put", random_file(folder / "file.bin", chosen.mib), "/", timeout=600)
            with gateway.client() as client:
                file_id = client.get("/api/v1/nodes", params={"path": "/"}).json()["items"][0]["id"]
            message = chunk_messages(gateway.data)[0]
            print(
                f"{chosen.mib} MiB, {chosen.rounds} rounds; MB/s are medians, the ratio is the median of the rounds'"
            )
            print("| latency | iter_download | stowgram | ratio | target |\n|---|---|---|---|---|")
            for latency in LATENCIES:
                sandbox.control.latency(latency)
                rounds = [
                    (iter_download(sandbox, message), curl(gateway, file_id)) for _ in range(chosen.rounds)
                ]
                megabytes = chosen.mib * 1.048576
                plain, ours = (median(megabytes / pair[i] for pair in rounds) for i in (0, 1))
                ratio = median(pair[0] / pair[1] for pair in rounds)
                print(
                    f"| {latency} ms | {plain:.1f} | {ours:.1f} | {ratio:.2f} | {TARGETS[latency]:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
