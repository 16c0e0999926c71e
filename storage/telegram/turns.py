"""A counted bound that streams share fairly: whoever holds least is served next. For bytes and for requests in flight.

One rule makes a new stream's first piece overtake all read-ahead, and shares what there is equally among those who want
more than their share (max-min fairness). It must never know what is held, or for what.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Turn:
    """A place in the line; once `served` is done, `units` are held until `Turns.leave`."""

    stream: Hashable
    units: int
    order: int
    arrived: int
    served: asyncio.Future[None] = field(repr=False)
    holds: bool = False

    def __lt__(self, other: Turn) -> bool:
        return (self.order, self.arrived) < (other.order, other.arrived)


class Turns:
    """At most `total` units are held at a time. On the loop thread only.

    What is free goes to the stream that holds least; among equals to the one that was served longest ago, the new ones
    first; within a stream to the lowest `order`. Nothing goes past the one whose turn it is, so small ones starve no
    large one. A stream is new until it is served, and again when it neither holds nor waits for anything.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._held: Counter[Hashable] = Counter()
        self._lines: dict[Hashable, list[Turn]] = {}
        self._served: dict[Hashable, int] = {}
        self._arrivals = self._services = 0
        self.held = 0
        """Units; may be read on any thread, as `waiting` may be."""
        self.waiting = 0
        """Turns that are not served yet."""

    def __repr__(self) -> str:
        return f"<Turns {self.held} of {self._total} held, {self.waiting} waiting>"

    @property
    def total(self) -> int:
        return self._total

    @asynccontextmanager
    async def hold(self, stream: Hashable, units: int = 1, order: int = 0) -> AsyncIterator[None]:
        """Wait for a turn and hold `units`; given back at once on any way out. What exceeds the total is let in alone.

        Raises what `dismiss` is given.
        """
        turn = self.enter(stream, units, order)
        try:
            await turn.served
            yield
        finally:
            self.leave(turn)

    def enter(self, stream: Hashable, units: int = 1, order: int = 0) -> Turn:
        """Stand in line. Whoever enters has to leave."""
        self._arrivals += 1
        turn = Turn(stream, units, order, self._arrivals, asyncio.get_running_loop().create_future())
        self.waiting += 1
        insort(self._lines.setdefault(stream, []), turn)
        self._serve()
        return turn

    def leave(self, turn: Turn) -> None:
        """Give back what `turn` holds, or its place in the line. A second time does nothing."""
        if turn.holds:
            turn.holds = False
            self.held -= turn.units
            self._held[turn.stream] -= turn.units
            if not self._held[turn.stream]:
                del self._held[turn.stream]
        else:
            self._take_out(turn)
        if turn.stream not in self._held and turn.stream not in self._lines:
            self._served.pop(turn.stream, None)
        self._serve()

    def resize(self, total: int) -> None:
        """Share `total` units from now on. What is held stays held."""
        self._total = total
        self._serve()

    def dismiss(self, reason: Callable[[], Exception]) -> None:
        """Whoever waits has come in vain: their `hold` raises a `reason()`."""
        for turn in [turn for line in self._lines.values() for turn in line]:
            self._take_out(turn)
            if not turn.served.done():
                turn.served.set_exception(reason())

    def _serve(self) -> None:
        while self._lines:
            turn = min((line[0] for line in self._lines.values()), key=self._claim)
            if self.held and self.held + turn.units > self._total:
                return
            self._take_out(turn)
            if turn.served.done():
                continue  # cancelled, and about to leave
            turn.holds = True
            self.held += turn.units
            self._held[turn.stream] += turn.units
            self._services += 1
            self._served[turn.stream] = self._services
            turn.served.set_result(None)

    def _claim(self, turn: Turn) -> tuple[int, int, int]:
        return self._held.get(turn.stream, 0), self._served.get(turn.stream, 0), turn.arrived

    def _take_out(self, turn: Turn) -> None:
        line = self._lines.get(turn.stream, [])
        if turn in line:
            line.remove(turn)
            self.waiting -= 1
            if not line:
                del self._lines[turn.stream]
