"""When each token or session was used last, until that is written down: in batches, not once a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from errors import DatabaseUnavailable, OutOfSpace

T = TypeVar("T")


class Uses(Generic[T]):
    """By row id. Bounded by the rows there are: only what was found good is noted."""

    def __init__(self, write: Callable[[Mapping[int, T]], None]) -> None:
        self._write = write
        self._noted: dict[int, T] = {}
        self._lock = Lock()  # guards the dict

    def note(self, row: int, use: T) -> None:
        with self._lock:
            self._noted[row] = use

    def keep(self) -> None:
        """Write down what was noted; what cannot be written now waits for the next call."""
        with self._lock:
            noted, self._noted = self._noted, {}
        try:
            if noted:
                self._write(noted)
        except (DatabaseUnavailable, OutOfSpace):
            with self._lock:
                self._noted = noted | self._noted
