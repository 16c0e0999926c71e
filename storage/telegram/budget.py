"""A counted bound that is shared fairly: first come, first served. For bytes and for requests in flight."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Budget:
    """At most `total` units are held at a time; on the loop thread only. `total` may be changed at any time."""

    def __init__(self, total: int) -> None:
        self.most = total
        self.total = total
        self.held = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    def __repr__(self) -> str:
        return f"<Budget {self.held} of {self.total} held, {len(self._queue)} waiting>"

    @property
    def wanted(self) -> int:
        """Units held and waited for."""
        return self.held + sum(units for units, turn in self._queue if not turn.cancelled())

    @asynccontextmanager
    async def hold(self, units: int) -> AsyncIterator[None]:
        """Wait for a turn and hold `units` (never more than there are in all); given back at once on any way out."""
        units = min(units, self.most)
        await self._take(units)
        try:
            yield
        finally:
            self.held -= units
            self._serve()

    def shrink(self) -> None:
        """Halve the total, for the other side asked us to slow down."""
        self.total = max(1, self.total // 2)

    def ease(self) -> None:
        """Take one less than is held now, but two: what is under way comes too slowly."""
        self.total = max(min(2, self.most), min(self.total, self.held) - 1)

    def grow(self) -> None:
        """Take one back after a success, up to where it began."""
        self.total = min(self.most, self.total + 1)
        self._serve()

    async def _take(self, units: int) -> None:
        if not self._queue and self._fits(units):
            self.held += units
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (units, turn)
        self._queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # `_serve` may have met it first
                    self._queue.remove(entry)
            else:
                self.held -= units  # served and cancelled in the same instant
            self._serve()
            raise

    def _serve(self) -> None:
        while self._queue:
            units, turn = self._queue[0]
            if not turn.cancelled() and not self._fits(units):
                return
            self._queue.popleft()
            if not turn.cancelled():
                self.held += units
                turn.set_result(None)

    def _fits(self, units: int) -> bool:
        return self.held == 0 or self.held + units <= self.total
