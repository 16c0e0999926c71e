"""Pages and memory while hundreds read slowly: 200 and then 500 downloads of different files at 128 KB/s, uncached.

    python -m bench.slow_readers [--readers 0 200 500] [--seconds 20] [--files 1000] [--most 1000]

The readers are a process of their own and compare every byte; each takes what it may ten times a second, at a moment of
its own, as strangers do. Meanwhile pages are asked for over and over, on one connection: the document that a browser
opens, and a listing of 200 files. The gateway's process is looked at ten times a second.
"""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import psutil

from bench.house import house
from bench.memory import Watch
from bench.options import options
from model import MIB
from tests.whole.running import RunningGateway

SPEED = 128 * 1000
SIZE = 4 * MIB
SHIFT = 4096
TURNS = 10
"""Into so many groups the readers are split, which take their turns one after the other."""
TICK = 0.01
"""Seconds between two turns."""
PAGES = ("/", "/api/v1/nodes?path=/")
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
    print(f"all {len(ids)} run after {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    print("run", flush=True)
    began, turn = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        for number in range(turn % TURNS, len(ids), TURNS):
            most = min(int(passed * SPEED), SIZE) - got[number]
            start = places[ids[number]] * SHIFT + got[number]
            got[number] += take(socks[number], most, whole[start : start + most])
        turn += 1
        time.sleep(TICK)
    for sock in socks:
        sock.close()
    return sum(got), time.monotonic() - began


def take(sock: socket.socket, most: int, expected: memoryview) -> int:
    """How many of at most so many bytes were there; all as they should be."""
    if most <= 0:
        return 0
    try:
        block = sock.recv(most)
    except BlockingIOError:
        return 0
    if not block or block != expected[: len(block)]:
        raise SystemExit(f"a download went wrong: {len(block)} other bytes")
    return len(block)


def ask_for_pages(
    gateway: RunningGateway, readers: subprocess.Popen[str] | None, seconds: float
) -> dict[str, list[float]]:
    """Milliseconds that each page took each time, until the readers have ended."""
    taken: dict[str, list[float]] = {page: [] for page in PAGES}
    with gateway.client() as client:
        until = time.monotonic() + seconds
        while (readers.poll() is None) if readers else time.monotonic() < until:
            for page, times in taken.items():
                began = time.perf_counter()
                client.get(page).raise_for_status()
                times.append(1000 * (time.perf_counter() - began))
                time.sleep(0.05)
    return taken


def start_readers(gateway: RunningGateway, ids: list[int], seconds: float) -> subprocess.Popen[str]:
    """The process that reads these; the token goes by its standard input, where nobody sees it."""
    words = ["-m", "bench.slow_readers", "--load", str(gateway.port), "--seconds", str(seconds)]
    readers = subprocess.Popen(
        [sys.executable, *words, *map(str, ids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert readers.stdin and readers.stdout
    readers.stdin.write(gateway.token + "\n")
    readers.stdin.flush()
    return readers


def row(gateway: RunningGateway, ids: list[int], seconds: float) -> str:
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    readers, highest = None, 0
    if ids:
        with Watch(process.pid) as starting:
            readers = start_readers(gateway, ids, seconds)
            readers.stdout.readline()  # type: ignore[union-attr]
        highest = starting.highest
        print(f"while they start: {highest / 1e6:.0f} MB", file=sys.stderr, flush=True)
    with Watch(process.pid) as watch:
        began = time.monotonic()
        pages = ask_for_pages(gateway, readers, seconds)
        threads = process.num_threads()
        passed = time.monotonic() - began
    moved = float(readers.stdout.readline() or 0) if readers and readers.stdout else 0.0
    if readers is not None and readers.wait() != 0:
        raise SystemExit("the readers failed")
    page_goal, memory_goal = GOALS.get(len(ids), (0, 0))
    times = (f"{median(taken):.1f}, {quantiles(taken, n=20)[-1]:.1f}" for taken in pages.values())
    return (
        f"| {len(ids)} | {moved:.1f} | {' | '.join(times)} | {max(highest, watch.highest) / 1e6:.0f} MB "
        f"| {100 * watch.cpu / passed:.0f} % | {threads} "
        f"| {f'{page_goal} ms, {memory_goal} MB' if page_goal else ''} |"
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--readers", type=int, nargs="+", default=[0, 200, 500])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--files", type=int, default=1000, help="at most so many different ones")
    parser.add_argument("--most", type=int, default=1000, help="MAX_CONCURRENT_DOWNLOADS")
    parser.add_argument("--load", type=int, metavar="PORT", help=SUPPRESS)
    parser.add_argument("ids", type=int, nargs="*", help=SUPPRESS)
    chosen = parser.parse_args()
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
            heads = " | ".join(f"{page} p50, p95 ms" for page in PAGES)
            print(f"| readers | MB/s | {heads} | highest RSS | CPU | threads | goal (p95, RSS) |")
            print("|---|---|---|---|---|---|---|---|")
            for count in chosen.readers:
                print(row(gateway, ids[:count], chosen.seconds), flush=True)


if __name__ == "__main__":
    main()
