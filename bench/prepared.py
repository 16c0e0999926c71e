"""A prepared ZIP sent by the gateway, beside nginx sending the same file.

    python -m bench.prepared [--mib 1024] [--rounds 5]

Fetched by curl, over one connection and over sixteen that share it; the rows take turns, and the best round of each
counts. The file lies in the system's page cache. How long it takes to make it is told, too.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.house import Stocked, stocked
from bench.options import options
from bench.report import heading, row
from model import MIB
from tests.nginx import nginx_before

CONNECTIONS = (1, 16)


def prepare(house: Stocked) -> tuple[str, str, int, float]:
    """Path and query of the link, the file's name, its size, and the seconds that it took to make it."""
    began = time.perf_counter()
    with house.gateway.client() as client:
        root = client.get("/api/v1/nodes").json()["folder"]["id"]
        job = client.post(f"/api/v1/folders/{root}/prepare-download", json={}).json()
        while job["status"] != "ready":
            if job["status"] == "failed":
                raise SystemExit(job["error"])
            time.sleep(0.1)
            job = client.get(f"/api/v1/jobs/{job['job_id']}").json()
    seconds = time.perf_counter() - began
    parts = urlsplit(job["download_url"])
    return f"{parts.path}?{parts.query}", f"{job['job_id']}.zip", job["size"], seconds


def fetch(url: str, size: int, connections: int) -> float:
    """Seconds until each curl has its share of the file."""
    share = -(-size // connections)
    ranges = (f"{start}-{min(start + share, size) - 1}" for start in range(0, size, share))
    began = time.perf_counter()
    running = [subprocess.Popen(["curl", "-sf", "-o", os.devnull, "-r", part, url]) for part in ranges]
    ended = [one.wait() for one in running]
    if any(ended):
        raise SystemExit("curl failed")
    return time.perf_counter() - began


def processor_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, stocked(Path(name), {"film": chosen.mib * MIB}) as house:
        link, file, size, seconds = prepare(house)
        print(f"{size / 1e6:.0f} MB made in {seconds:.1f} s: {size / 1e6 / seconds:.0f} MB/s\n")
        heading("connections", "gateway MB/s", "CPU s / GiB", "nginx MB/s", "gateway / nginx")
        shelf = house.gateway.data / "prepared"
        with nginx_before(house.gateway.url, shelf, Path(name) / "nginx", open_to_all=True) as nginx:
            for connections in CONNECTIONS:
                ours, theirs, spent = [], [], processor_seconds(house.pid)
                for _ in range(chosen.rounds):
                    ours.append(fetch(house.gateway.url + link, size, connections))
                    theirs.append(fetch(f"{nginx}/internal/prepared/{file}", size, connections))
                spent = (processor_seconds(house.pid) - spent) / chosen.rounds * (1 << 30) / size
                speeds = [size / 1e6 / min(each) for each in (ours, theirs)]
                figures = f"{speeds[0]:.0f}", f"{spent:.2f}", f"{speeds[1]:.0f}"
                row(connections, *figures, f"{speeds[0] / speeds[1]:.2f}")


if __name__ == "__main__":
    main()
