"""Programs that somebody waits for: how far each is, when it is given up, and how one is killed in the middle."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

from model import MIB

SLOWEST, SLOWEST_FILES = MIB, 4
"""Bytes and files per second below which a program is given up; and a minute more for each, to begin and to end."""


class Failed(Exception):
    """A program did not do its work; the message has what it said."""


def finish(process: Popen[Any], label: str, size: int, goal: Path | None = None, files: int = 1) -> None:
    """Wait for its end and show how far it is. Raises Failed when it is not content, or too slow."""
    began, patience = time.monotonic(), 60 + size / SLOWEST + files / SLOWEST_FILES
    with process:
        try:
            while True:
                try:
                    said, _ = process.communicate(timeout=1)
                    break
                except TimeoutExpired:
                    seconds = time.monotonic() - began
                    show(label, seconds, size, arrived(goal) if goal else None)
                    if seconds > patience:
                        raise Failed("gave up waiting") from None
        finally:
            process.kill()
    if process.returncode != 0:
        text = said if isinstance(said, str) else said.decode(errors="replace")
        raise Failed(f"exit code {process.returncode}: {' '.join(text.split())[-300:]}")


def kill_after(process: Popen[Any], goal: Path, size: int) -> None:
    """Kill it when `size` bytes are on the disk. Raises Failed when it ended before."""
    deadline = time.monotonic() + 60 + size / SLOWEST
    with process:
        try:
            while arrived(goal) < size:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed("there was no middle to kill it in; choose a larger --size")
                time.sleep(0.02)
        finally:
            process.kill()


def arrived(goal: Path) -> int:
    """Bytes of a file that are on the disk: of one with holes, less than its size."""
    try:
        status = goal.stat()
    except FileNotFoundError:
        return 0
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)


def show(label: str, seconds: float, size: int, there: int | None) -> None:
    """One line that the next one overwrites; only for somebody who is looking."""
    if sys.stderr.isatty():
        part = f" {100 * there // max(size, 1)} %" if there is not None else ""
        print(f"\r\x1b[K{label}: {seconds:.0f} s{part}", end="", file=sys.stderr, flush=True)


def say(line: str) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    print(line, flush=True)
