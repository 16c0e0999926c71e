"""What is seen of a transfer: a bar with speed and time left on a terminal, else only what went wrong."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType
from typing import Self

from tqdm import tqdm

import names


class Progress:
    """Counts bytes; callable from any thread."""

    def __init__(self, what: str) -> None:
        self._lock = Lock()  # tqdm counts without one
        self._bar = tqdm(
            desc=what, total=0, unit="B", unit_scale=True, unit_divisor=1024, dynamic_ncols=True,
            disable=not sys.stderr.isatty(), leave=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._bar.close()

    def moved(self, size: int) -> None:
        """`size` more bytes are safe; less than 0 when some have to go again."""
        with self._lock:
            self._bar.update(size)

    def expect(self, size: int) -> None:
        """`size` more bytes are to come."""
        with self._lock:
            self._bar.total = (self._bar.total or 0) + size

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        with self._lock:
            tqdm.write(names.shown(line), file=sys.stderr)
