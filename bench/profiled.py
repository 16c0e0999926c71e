"""A gateway with a sampler in it, which writes down where the processor time went: by thread, and by line.

    python -m bench.profiled REPORT

It samples from the moment that the file REPORT is there, which it overwrites at the end: starting up does not count.
Two hundred times a second each thread's own clock is read, and what it has run since is put down to the line that it
is at. A line that calls into C (AES, SHA-256, a send) stands for what runs there. POSIX only: Windows has no
such clocks.
"""

from __future__ import annotations

import linecache
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TypeVar

from cli import main as serve

STEP = 0.005
SHOWN = 20
Key = TypeVar("Key")
ROOT = Path(__file__).resolve().parent.parent


if sys.platform == "win32":

    def clock_of(ident: int) -> float:
        raise SystemExit("Windows has no clocks of threads.")
else:

    def clock_of(ident: int) -> float:
        """Seconds of processor time that a thread has had; 0 when it has ended meanwhile."""
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(ident))
        except OSError:
            return 0.0


class Sampler:
    """Runs in a thread of its own until `stop`."""

    def __init__(self, signal: Path) -> None:
        self._signal = signal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._clocks: dict[int, float] = {}
        self._threads: defaultdict[str, float] = defaultdict(float)
        self._lines: defaultdict[tuple[str, str, int], float] = defaultdict(float)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(STEP):
            if not self._signal.exists():
                continue
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident != self._thread.ident and ident in names:
                    self._look(ident, names[ident], frame)

    def _look(self, ident: int, name: str, frame: FrameType) -> None:
        now = clock_of(ident)
        spent = now - self._clocks.get(ident, now)
        self._clocks[ident] = now
        if spent > 0:
            self._threads[name] += spent
            code = frame.f_code
            self._lines[code.co_filename, code.co_qualname, frame.f_lineno] += spent

    def report(self) -> str:
        total = sum(self._threads.values()) or 1.0
        lines = [f"{total:.1f} s of processor time; by thread:"]
        lines += [f"{spent / total:7.1%}  {name}" for name, spent in _most(self._threads, 8)]
        lines.append("by line:")
        for (path, function, number), spent in _most(self._lines, SHOWN):
            source = linecache.getline(path, number).strip()[:60]
            lines.append(f"{spent / total:7.1%}  {_short(path)}:{number} {function}: {source}")
        return "\n".join(lines)


def _most(spent: Mapping[Key, float], count: int) -> list[tuple[Key, float]]:
    return sorted(spent.items(), key=lambda item: -item[1])[:count]


def _short(path: str) -> str:
    parts = Path(path).parts
    ours = parts[: len(ROOT.parts)] == ROOT.parts and ".venv" not in parts
    return "/".join(parts[len(ROOT.parts) :] if ours else parts[-2:])


def main() -> None:
    report = Path(sys.argv[1])
    sampler = Sampler(report)
    sampler.start()
    try:
        serve(["serve"])
    finally:
        sampler.stop()
        report.write_text(sampler.report(), encoding="utf-8")


if __name__ == "__main__":
    main()
