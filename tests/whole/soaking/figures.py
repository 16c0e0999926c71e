"""How much of everything the gateway's process holds, seen from outside; and what one at rest must not hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil

from tests.whole.running import RunningGateway

THREADS_SLACK = 4
"""Threads that a gateway at rest may have more than when it first rested: pools that fill as they are needed."""
DESCRIPTORS_SLACK = 24
"""The same of descriptors: connections to Telegram, one after another, and to the database."""
HELD = (
    "stowgram_downloads_running",
    "stowgram_downloads_waiting",
    "stowgram_uploads_running",
    "stowgram_transfer_connections",
    "stowgram_account_in_flight",
    "stowgram_account_waiting",
)
"""What /metrics tells of places, and of turns to ask Telegram: nobody has one who has left."""
ALARMS = (
    "Traceback",
    "Exception ignored",
    "never retrieved",
    "was destroyed but it is pending",
    "never awaited",
)
"""What no line of the log may say."""


@dataclass(frozen=True)
class Figures:
    threads: int
    descriptors: int
    rss: int
    """Bytes."""

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.descriptors} descriptors, {self.rss / 1e6:.0f} MB"


def figures(gateway: RunningGateway) -> Figures:
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    if sys.platform == "win32":
        held = process.num_handles()
    else:
        held = process.num_fds()
    return Figures(process.num_threads(), held, process.memory_info().rss)


def unrest(gateway: RunningGateway, before: Figures | None) -> Iterator[str]:
    """Why this gateway, whose clients have all left, is not at rest; `before` is when it rested first."""
    now = figures(gateway)
    if before and now.threads > before.threads + THREADS_SLACK:
        yield f"{now.threads} threads, after {before.threads} when it first rested"
    if before and now.descriptors > before.descriptors + DESCRIPTORS_SLACK:
        yield f"{now.descriptors} descriptors, after {before.descriptors} when it first rested"
    metrics = httpx.get(f"{gateway.url}/metrics", timeout=10).text.splitlines()
    for name in HELD:
        found = [line for line in metrics if line.startswith(name)]
        yield from (line for line in found if float(line.split()[-1]))
        if not found:
            yield f"/metrics does not tell {name}"
    for room in ("staging", "spool"):
        if left := [path.name for path in (gateway.data / room).rglob("*")]:
            yield f"left in {room}: {left[:5]}"


def first_alarm(gateway: RunningGateway) -> str:
    """The first line of the log that nobody should ever find there, with what stands around it; else nothing."""
    lines = gateway.log.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if any(alarm in line for alarm in ALARMS):
            return "\n".join(lines[max(0, number - 3) : number + 40])
    return ""
