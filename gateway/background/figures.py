"""What became of jobs since the start, by kind, for whoever shows it. It must never know how that is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from threading import Lock


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a kind of job. Now: how many are `waiting` and `running`, None while the database does not tell. Since the
    start: how many `failed`, and when one last ended well, in seconds since 1970.
    """

    kind: str
    waiting: int | None
    running: int | None
    failed: int
    last_success: float | None


class Ends:
    """How jobs ended. The lock: several workers note them."""

    def __init__(self) -> None:
        self._failed: Counter[str] = Counter()
        self._made: dict[str, float] = {}
        self._lock = Lock()

    def failed(self, kind: str) -> None:
        with self._lock:
            self._failed[kind] += 1

    def made(self, kind: str, at: datetime) -> None:
        with self._lock:
            self._made[kind] = at.timestamp()

    def figures(self, kind: str, waiting: int | None, running: int | None) -> Figures:
        with self._lock:
            return Figures(kind, waiting, running, self._failed[kind], self._made.get(kind))
