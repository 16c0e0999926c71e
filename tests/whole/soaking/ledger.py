"""What happened, counted; and what must never happen, word for word. Written by all threads of a soak."""

from __future__ import annotations

import logging
from collections import Counter
from threading import Lock

log = logging.getLogger(__name__)

MOST = 40
"""Wrongs that are kept word for word; one that is broken always would fill the memory."""


class Ledger:
    """The lock: every client writes here."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._outcomes: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._wrongs: list[str] = []
        self._wrong = 0
        self.bytes_out = 0
        """Bytes that clients received, every one of them compared."""
        self.bytes_in = 0

    def count(self, outcome: str) -> None:
        with self._lock:
            self._outcomes[outcome] += 1

    def fault(self, name: str) -> None:
        with self._lock:
            self._faults[name] += 1

    def received(self, count: int) -> None:
        with self._lock:
            self.bytes_out += count

    def sent(self, count: int) -> None:
        with self._lock:
            self.bytes_in += count

    def wrong(self, sentence: str) -> None:
        """Something that no weather excuses."""
        log.error("%s", sentence)
        with self._lock:
            self._wrong += 1
            if len(self._wrongs) < MOST:
                self._wrongs.append(sentence)

    @property
    def wrongs(self) -> list[str]:
        with self._lock:
            more = self._wrong - len(self._wrongs)
            return [*self._wrongs, *([f"and {more} more"] if more else [])]

    @property
    def outcomes(self) -> dict[str, int]:
        with self._lock:
            return dict(self._outcomes.most_common())

    @property
    def faults(self) -> dict[str, int]:
        with self._lock:
            return dict(self._faults.most_common())
