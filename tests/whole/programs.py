"""Download programs as people use them: the command line of each that brings one address into one file.

Each line resumes: given again after an interruption, it goes on where it was (axel keeps its own notes for that).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One of them. `line` takes an address, a header line and the file to write, called as the address ends."""

    name: str
    line: Callable[[str, str, Path], list[str]]

    def start(self, url: str, header: str, goal: Path) -> subprocess.Popen[bytes]:
        """Begin; what it has to say is to be read by the caller."""
        return subprocess.Popen(
            self.line(url, header, goal),
            cwd=goal.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def fetch(self, url: str, header: str, goal: Path, timeout: float = 60) -> None:
        """Run it to its end; it must be content."""
        with self.start(url, header, goal) as process:
            try:
                said, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0, f"{self.name}: {said.decode(errors='replace')[-2000:]}"


def _curl(url: str, header: str, goal: Path) -> list[str]:
    # Without --fail: with it, curl takes the 416 of a complete file for a failure.
    return ["curl", "-sS", "-C", "-", "-H", header, "-o", str(goal), url]


def _wget(url: str, header: str, goal: Path) -> list[str]:
    return ["wget", "-nv", "--tries=3", "-c", "--header", header, "-O", str(goal), url]


def _wget2(url: str, header: str, goal: Path) -> list[str]:
    # It goes on with a file only under the name that it chose itself, the last part of the address.
    assert url.endswith("/" + goal.name)
    return ["wget2", "-nv", "--tries=3", "-c", "--header", header, "-P", str(goal.parent), url]


def _aria2c(url: str, header: str, goal: Path) -> list[str]:
    connections = ["-x16", "-s16", "-k1M", "-c", "--auto-save-interval=1", "--file-allocation=none"]
    place = ["-d", str(goal.parent), "-o", goal.name]
    return ["aria2c", "-q", "--no-conf", *connections, "--header", header, *place, url]


def _axel(url: str, header: str, goal: Path) -> list[str]:
    return ["axel", "-q", "-n8", "-H", header, "-o", str(goal), url]


CURL, WGET, WGET2 = Program("curl", _curl), Program("wget", _wget), Program("wget2", _wget2)
ARIA2C, AXEL = Program("aria2c", _aria2c), Program("axel", _axel)
PROGRAMS = (CURL, WGET, WGET2, ARIA2C, AXEL)
