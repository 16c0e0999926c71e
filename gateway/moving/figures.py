"""Figures of what moves, for whoever shows them. It must never know how they are shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock

from gateway.moving.transfer import Direction

FIRST_BYTE_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """`counts[n]` values were at most `bounds[n]`; the last count is that of all."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float


class Histogram:
    """Counts values by size. The lock: downloads begin on several threads."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()

    def note(self, value: float) -> None:
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += 1
            self._sum += value

    def distribution(self) -> Distribution:
        with self._lock:
            return Distribution(self._bounds, tuple(accumulate(self._counts)), self._sum)


@dataclass(frozen=True, slots=True)
class Figures:
    """Since the start: `moved` bytes, `ended` transfers by how they ended, `first_byte` in seconds. Now: the rest."""

    moved: Mapping[Direction, int]
    ended: Mapping[tuple[Direction, str], int]
    first_byte: Distribution
    running: Mapping[Direction, int]
    connections: Mapping[Direction, int]
    waiting: int
    """Requests in line."""
