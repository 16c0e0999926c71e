"""One upload, beside a stock Telethon `send_file` of the same bytes to the same sandbox, at 0, 20 and 80 ms.

    python -m bench.upload [--mib 256] [--rounds 1] [--latency 0 20 80] [--cap MIB] [--profile]

`store alone` puts the same chunks into Telegram by storage/telegram, without HTTP, staging or database; `put` is the
command, through the whole gateway, until the file is visible; `browser` is Chromium, onto whose window the file is
dropped, until the page says that it is stored. Each is a process of its own; the first two are not charged for
connecting, the last not for its start. The goal: 0.8 of the store alone.

The processor seconds are those of everybody who has a part in it, the sandbox included: where the store alone keeps all
cores busy, `put` can be no faster than the ratio of the two sums. With `--cap` each connection to the sandbox has so
many MiB/s: then the line bounds them, as Telegram's does, and not two cores.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import uuid4

import psutil
from playwright.sync_api import Page
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

import config
from bench.browser import SETTINGS, upload
from bench.house import house, random_file
from bench.options import add_latency, options
from bench.report import heading, row
from config import TelegramSettings
from gateway.incoming.transit import CARRIERS
from model import MIB, ByteRange, Label
from storage.telegram.store import TelegramStore
from tests.app.browsing import chromium, sign_in, window
from tests.sandbox_process import RunningSandbox
from tests.whole.running import RunningGateway

CHUNK = 64 * MIB
"""As in the house."""


class Took(NamedTuple):
    """Seconds on the clock, and processor seconds."""

    clock: float
    cpu: float

    @classmethod
    def since(cls, began: Took) -> Took:
        now = cls.now()
        return cls(now.clock - began.clock, now.cpu - began.cpu)

    @classmethod
    def now(cls) -> Took:
        """Of this process."""
        return cls(time.perf_counter(), time.process_time())


async def _send_files(settings: TelegramSettings, files: list[Path]) -> Took:
    assert settings.server is not None and settings.server_key is not None
    rsa.add_key(settings.server_key.read_text(encoding="ascii"), old=False)
    session = StringSession()
    session.set_dc(*settings.server)
    client = TelegramClient(session, settings.api_id, settings.api_hash, receive_updates=False)
    await client.start(bot_token=settings.bot_tokens[0])
    try:
        peer = await client.get_input_entity(int(settings.channel))
        began = Took.now()
        for file in files:
            # The parts that Telethon takes for files above 750 MB, so that a smaller one is as fast.
            await client.send_file(peer, file, force_document=True, part_size_kb=512)
        return Took.since(began)
    finally:
        await client.disconnect()


def send_file(settings: TelegramSettings, path: Path) -> Took:
    """What a stock Telethon client takes for a file, or for those of a folder one after another."""
    return asyncio.run(_send_files(settings, sorted(path.iterdir()) if path.is_dir() else [path]))


def put_chunks(settings: TelegramSettings, file: Path) -> Took:
    """What our store takes for the chunks of the file, as many at a time as the gateway sends."""
    upload, size = uuid4(), file.stat().st_size

    def put(start: int) -> None:
        def source(span: ByteRange) -> bytes:
            with file.open("rb") as opened:
                opened.seek(start + span.start)
                return opened.read(span.length)

        length = min(CHUNK, size - start)
        store.put(Label("chunk", upload, start // CHUNK, start, length, bytes(32)), source)

    with tempfile.TemporaryDirectory() as sessions:
        store = TelegramStore(settings, Path(sessions), "telegram")
        try:
            store.start(30.0)
            began = Took.now()
            with ThreadPoolExecutor(CARRIERS) as carriers:
                list(carriers.map(put, range(0, size, CHUNK)))
            return Took.since(began)
        finally:
            store.close()


ALONE: dict[str, Callable[[TelegramSettings, Path], Took]] = {"send_file": send_file, "store": put_chunks}


WAYS = ("send_file", "store alone", "put", "browser")
_MADE = itertools.count(1)
RATIOS = ((1, 2), (1, 3), (0, 2))
"""Seconds of one way by those of another, as they stand in WAYS: how many times as fast the other is."""
SUMS = ("CPU s per GiB, store alone", "put", "put: the gateway's")


def alone(way: str, gateway: RunningGateway, sandbox: RunningSandbox, file: Path) -> Took:
    """What one of them measures in a process of its own, with the gateway's settings but none of its sign-ins."""
    command = [sys.executable, "-m", "bench.upload", way, str(file)]
    before = worked(sandbox.pid)
    done = subprocess.run(command, env=gateway.environment, check=True, timeout=900, capture_output=True)
    clock, cpu = map(float, done.stdout.split())
    return Took(clock, cpu + worked(sandbox.pid) - before)


def worked(pid: int) -> float:
    """Processor seconds that a process has had so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def put(gateway: RunningGateway, sandbox: RunningSandbox, file: Path, remote: str) -> tuple[Took, float]:
    """What the command takes until the file is visible, and the gateway's share of the processor seconds."""
    assert gateway.process is not None
    pids = gateway.process.pid, sandbox.pid
    before, ended, began = [worked(pid) for pid in pids], os.times(), time.perf_counter()
    gateway.run("put", file, remote, timeout=900)
    clock, client = time.perf_counter() - began, os.times()
    servers = [worked(pid) - was for pid, was in zip(pids, before, strict=True)]
    commands = client.children_user + client.children_system - ended.children_user - ended.children_system
    return Took(clock, sum(servers) + commands), servers[0]


class Round(NamedTuple):
    """Seconds that each way took; processor seconds of all during two of them, and of the gateway during `put`."""

    send_file: float
    store: float
    put: float
    browser: float
    store_cpu: float
    put_cpu: float
    gateway_cpu: float


def measured(page: Page, gateway: RunningGateway, sandbox: RunningSandbox, file: Path, mib: int) -> Round:
    """A file by each way; the gateway gets sizes that it has none of yet, or contents would be compared first."""
    stock, store = (alone(way, gateway, sandbox, random_file(file, mib)) for way in ALONE)
    ours, cpu = put(gateway, sandbox, new_file(file, mib), f"/put {file.name}")
    browser = upload(page, "/", [new_file(file, mib)])
    return Round(stock.clock, store.clock, ours.clock, browser, store.cpu, ours.cpu, cpu)


def new_file(path: Path, mib: int) -> Path:
    """`mib` MiB, and some bytes more than any file had that was made before."""
    random_file(path, mib)
    with path.open("ab") as file:
        file.write(bytes(next(_MADE)))
    return path


def profile(gateway: RunningGateway, file: Path, report: Path) -> str:
    """Where a gateway's processor time goes during a `put`; it is stopped afterwards."""
    gateway.stop()
    gateway.start(("-m", "bench.profiled", str(report)))
    report.touch()
    gateway.run("put", file, "/profiled", timeout=900)
    gateway.stop()
    return report.read_text(encoding="utf-8")


def tell(latency: int, mib: int, rounds: list[Round]) -> None:
    speeds = (f"{median(mib * 1.048576 / each[way] for each in rounds):.1f}" for way in range(len(WAYS)))
    ratios = (f"{median(each[of] / each[way] for each in rounds):.2f}" for of, way in RATIOS)
    sums = (
        f"{median(each[cpu] for each in rounds) * 1024 / mib:.1f}"
        for cpu in range(len(WAYS), len(Round._fields))
    )
    row(f"{latency} ms", *speeds, *ratios, *sums)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    add_latency(parser, [0, 20, 80])
    parser.add_argument(
        "--cap", type=float, default=0, help="MiB/s of each connection to the sandbox; 0 for none"
    )
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        house(Path(name), **SETTINGS) as (sandbox, gateway),
        chromium() as browser,
        window(browser, gateway, forgiven=("Failed to load resource",)) as page,
    ):
        sign_in(page)
        print(f"{chosen.mib} MiB, medians of {chosen.rounds} round(s); speeds in MB/s, ratios within a round")
        heading("latency", *WAYS, "put / store", "browser / store", "put / send_file", *SUMS)
        for latency in chosen.latency:
            sandbox.control.latency(latency)
            sandbox.control.bandwidth(chosen.cap * MIB)
            files = [Path(name) / f"{latency} {number}.bin" for number in range(chosen.rounds)]
            tell(latency, chosen.mib, [measured(page, gateway, sandbox, file, chosen.mib) for file in files])
        if chosen.profile:
            sandbox.control.clear()
            print(profile(gateway, new_file(Path(name) / "profiled.bin", chosen.mib), Path(name) / "report"))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ALONE:
        telegram = config.read().telegram
        assert telegram is not None
        print(*ALONE[sys.argv[1]](telegram, Path(sys.argv[2])))
    else:
        main()
