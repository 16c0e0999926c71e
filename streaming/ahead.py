"""How far a stream reads ahead: a slow reader costs a piece, a fast one has a whole window. Pure: it is told the time.

It must never know what is read, or from where.
"""

from __future__ import annotations

import math
from collections import deque

FIRST = 2
"""Pieces in hand or on their way for a reader of whom nothing is known yet."""
GROWTH = 4
"""How many times as many a reader gets who was found waiting: two round trips later it has a whole window."""
SLOW = 2.0
"""Seconds that a piece lies ready before its reader counts as slow."""
MARGIN = 0.25
"""What part of a piece may be left when the next one is asked for, for a slow reader."""


class ReadAhead:
    """Counts in pieces of `piece_size` bytes what may be in flight, landed, or given and not yet taken."""

    def __init__(self, piece_size: int) -> None:
        self._size = piece_size
        self._given: deque[tuple[int, float]] = deque()  # where each piece ends, and when it was given
        self._waited_at = 0
        self.pieces = FIRST

    def __repr__(self) -> str:
        return f"<ReadAhead {self.pieces} pieces>"

    def reads(self, left: int, window: int) -> int:
        """How many pieces may be in flight or landed, at most `window`, while `left` given bytes are not taken."""
        return math.floor(min(self.pieces, window) + MARGIN - left / self._size)

    def gave(self, stop: int, now: float) -> None:
        """A piece was given; it ends `stop` bytes from the start of the stream."""
        self._given.append((stop, now))

    def took(self, taken: int, now: float) -> None:
        """The reader has the first `taken` bytes of the stream. Who was slow to take one gets one piece at a time."""
        while self._given and self._given[0][0] <= taken:
            _, since = self._given.popleft()
            if now - since > SLOW:
                self.pieces = 1

    def waited(self, at: int, window: int) -> None:
        """The reader has taken everything, `at` bytes, and found no more. Counts once for each place but the start."""
        if at > self._waited_at:
            self._waited_at = at
            self.pieces = max(1, min(self.pieces * GROWTH, window))
