"""Which messages a stream will come to, so that they are looked up before they are needed. Pure: it asks nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from model import Locator
from storage.telegram.documents import BATCH

NEAR = BATCH // 2
"""A stream with fewer looked up in front of it comes near unknown ones."""
BEHIND = 64
"""Messages behind it that a stream may come back to, to read again what failed."""


class Outlook:
    """Goes along with the reads of one stream."""

    def __init__(self, expected: Iterable[Locator] = ()) -> None:
        """`expected` is in the order of reading, and taken only as far as the stream gets."""
        self._rest: Iterator[Locator] = iter(expected)
        self._ahead: deque[Locator] = deque()
        self._behind: deque[Locator] = deque(maxlen=BEHIND)

    def __repr__(self) -> str:
        return f"<Outlook {len(self._ahead)} looked up ahead>"

    def reached(self, locator: Locator) -> list[Locator]:
        """What to look up now that `locator` is read: nothing mostly. Reads may leave messages out."""
        if locator in self._behind or not self._pass_to(locator) or len(self._ahead) >= NEAR:
            return []
        batch = list(islice(self._rest, BATCH - 1))  # one call, with `locator`
        self._ahead.extend(batch)
        return batch

    def _pass_to(self, locator: Locator) -> bool:
        while (passed := self._ahead.popleft() if self._ahead else next(self._rest, None)) is not None:
            self._behind.append(passed)
            if passed == locator:
                return True
        return False
