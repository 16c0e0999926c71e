"""Pages and memory while hundreds read slowly: 200 and then 500 downloads of different files at 128 KB/s, uncached.

    python -m bench.slow_readers [--readers 0 200 500] [--seconds 20]

The readers are a process of their own and compare every byte. Meanwhile a page is asked for again and again, over one
connection; the gateway's process is looked at ten times a second.
"""

from __future__ import annotations

import argparse
import http.client
import random
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import psutil

from bench.house import house
from bench.memory import Watch
from model import MIB
from tests.whole.running import RunningGateway

SPEED = 128 * 1000
SIZE = 4 * MIB
SHIFT = 4096
TICK = 0.1
"""Seconds between two turns of all readers."""
GOALS = {200: (10, 250), 500: (25, 400)}
"""Readers: milliseconds that 95 of 100 pages may take, MB that the gateway may take."""


def bodies(count: int) -> memoryview:
    """What all files are cut from: file N begins at N * SHIFT, so that no two have a piece in common."""
    return memoryview(random.Random(1).randbytes(SIZE + count * SHIFT))


def put_files(gateway: RunningGateway, count: int) -> list[int]:
    """Their ids."""
    whole = bodies(count)

    def put(number: int) -> int:
        body = bytes(whole[number * SHIFT :][:SIZE])
        answer = clients[number % len(clients)].put(f"/api/v1/content/{number}.bin", content=body)
        answer.raise_for_status()
        return int(answer.json()["id"])

    clients = [gateway.client() for _ in range(4)]
    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            return list(pool.map(put, range(count)))
    finally:
        for client in clients:
            client.close()


def read_slowly(address: tuple[str, int], token: str, ids: list[int], seconds: float) -> tuple[int, float]:
    """Bytes that all of them got, every one as it should be, and the seconds that took."""
    whole = bodies(len(ids))
    places = {file_id: number for number, file_id in enumerate(dict.fromkeys(ids))}
    began = time.monotonic()
    got = [0] * len(ids)
    socks: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        for file_id in ids:
            sock = socket.create_connection(address, timeout=30)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            line = f"GET /files/{file_id}/download HTTP/1.1"
            sock.sendall(f"{line}\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            socks.append(sock)
        for number, sock in enumerate(socks):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"download {number} was answered {head[:200]!r}")
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, number)
        print(f"all {len(ids)} run after {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        print("run", flush=True)
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            allowed = int(passed * SPEED)
            for key, _ in selector.select(timeout=0):
                number = key.data
                if (most := min(allowed, SIZE) - got[number]) > 0:
                    block = key.fileobj.recv(most)  # type: ignore[union-attr]
                    start = places[ids[number]] * SHIFT + got[number]
                    if not block or block != whole[start : start + len(block)]:
                        raise SystemExit(f"download {number} went wrong after {got[number]} bytes")
                    got[number] += len(block)
            time.sleep(TICK)
    for sock in socks:
        sock.close()
    return sum(got), time.monotonic() - began


def ask_for_pages(
    gateway: RunningGateway, readers: subprocess.Popen[str] | None, seconds: float
) -> list[float]:
    """Milliseconds of each, until the readers have ended."""
    taken: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    until = time.monotonic() + seconds
    while (readers.poll() is None) if readers else time.monotonic() < until:
        began = time.perf_counter()
        connection.request(
            "GET", "/api/v1/nodes?path=/", headers={"Authorization": f"Bearer {gateway.token}"}
        )
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        taken.append(1000 * (time.perf_counter() - began))
        time.sleep(0.05)
    connection.close()
    return taken


def row(gateway: RunningGateway, ids: list[int], seconds: float) -> str:
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    words = [
        sys.executable,
        "-m",
        "bench.slow_readers",
        "--load",
        str(gateway.port),
        "--seconds",
        str(seconds),
    ]
    readers = (
        subprocess.Popen(
            [*words, *map(str, ids)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        if ids
        else None
    )
    if readers is not None:
        assert readers.stdin and readers.stdout
        readers.stdin.write(gateway.token + "\n")
        readers.stdin.flush()
        with Watch(process.pid) as starting:
            readers.stdout.readline()
        highest = starting.highest
        print(f"while they start: {highest / 1e6:.0f} MB", file=sys.stderr, flush=True)
    else:
        highest = 0
    with Watch(process.pid) as watch:
        began = time.monotonic()
        pages = ask_for_pages(gateway, readers, seconds)
        threads = process.num_threads()
        passed = time.monotonic() - began
    moved = float(readers.stdout.readline() or 0) if readers and readers.stdout else 0.0
    if readers is not None and readers.wait() != 0:
        raise SystemExit("the readers failed")
    page_goal, memory_goal = GOALS.get(len(ids), (0, 0))
    goal = f"{page_goal} ms, {memory_goal} MB" if page_goal else ""
    p95 = quantiles(pages, n=20)[-1]
    megabytes = max(highest, watch.highest) / 1e6
    return (
        f"| {len(ids)} | {moved:.1f} | {median(pages):.1f} ms | {p95:.1f} ms | {megabytes:.0f} MB "
        f"| {100 * watch.cpu / passed:.0f} % | {threads} | {goal} |"
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--readers", type=int, nargs="+", default=[0, 200, 500])
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--files", type=int, default=1000, help="at most so many different ones")
    options.add_argument("--most", type=int, default=1000, help="MAX_CONCURRENT_DOWNLOADS")
    options.add_argument("--load", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options.add_argument("ids", type=int, nargs="*", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.load:
        token = sys.stdin.readline().strip()
        moved, took = read_slowly(("127.0.0.1", chosen.load), token, chosen.ids, chosen.seconds)
        print(moved / took / 1e6)
        return
    most = str(chosen.most)
    with tempfile.TemporaryDirectory(prefix="slowbench") as name:
        settings = {"MAX_CONCURRENT_DOWNLOADS": most, "MAX_CONCURRENT_DOWNLOADS_PER_USER": most}
        with house(Path(name), CHUNK_SIZE_MIB="4", **settings) as (_, gateway):
            different = put_files(gateway, min(chosen.files, max(chosen.readers)))
            ids = [different[number % len(different)] for number in range(max(chosen.readers))]
            gateway.stop()  # what the uploads left in its memory is not what is measured
            gateway.start()
            print(f"{chosen.seconds:g} s each, {SPEED // 1000} KB/s a reader")
            print("| readers | MB/s | page p50 | p95 | highest RSS | CPU | threads | goal |")
            print("|---|---|---|---|---|---|---|---|")
            for count in chosen.readers:
                print(row(gateway, ids[:count], chosen.seconds), flush=True)


if __name__ == "__main__":
    main()
