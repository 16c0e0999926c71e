"""The data plane of one account: the pace says how much, turns say whose, lanes carry it.

On the loop thread only. It must never know messages; what it carries is requests of so many bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from telethon.tl import TLRequest

from errors import StoreError, Transient
from storage.telegram.errors import Flooded, PartsLost, StaleReference, WrongDataCentre
from storage.telegram.lane import Lane, OnSent, least_loaded
from storage.telegram.media import MediaLanes
from storage.telegram.pace import Pace
from storage.telegram.turns import Turns

AskOn = Callable[[Lane, TLRequest, float, OnSent], Awaitable[Any]]
_SAYS_NOTHING = (StaleReference, WrongDataCentre, PartsLost)
"""Answers about a document or an upload, not about the line."""

_log = logging.getLogger(__name__)


class Traffic:
    """Hold one of `turns` for each `ask`."""

    def __init__(self, media: MediaLanes, ask_on: AskOn, connections: int) -> None:
        """`ask_on(lane, request, deadline, on_sent)` makes one attempt; at most `connections` lanes per data centre."""
        self.pace = Pace(connections)
        self.turns = Turns(self.pace.window)
        self.in_flight = 0
        self._media = media
        self._media.use(self.pace.connections)
        self._ask_on = ask_on
        self._tended: dict[Lane, asyncio.Future[None]] = {}

    def __repr__(self) -> str:
        return f"<Traffic {self.in_flight} in flight {self.pace} {self.turns}>"

    @property
    def load(self) -> float:
        """What is under way or waits, as a part of what may be under way."""
        return (self.turns.held + self.turns.waiting) / self.turns.total

    def lane(self, dc: int, avoid: Lane | None = None) -> Lane:
        """The best lane for documents of data centre `dc`. Raises Transient while the account is not connected."""
        return least_loaded(self._media.of(dc), avoid)

    def home_lane(self, avoid: Lane | None = None) -> Lane:
        """The best lane for uploads, which go to the account's own data centre."""
        return self.lane(self._media.home, avoid)

    async def ask(
        self, lane: Lane, request: TLRequest, size: int, deadline: float, on_sent: OnSent = lambda: None
    ) -> Any:
        """The answer to one attempt to carry `size` bytes of a document one way or the other; the pace learns from it.

        Raises a StoreError. What `on_sent` raises passes through, and nothing is sent then.
        """
        clock = asyncio.get_running_loop().time
        sent_at: float | None = None

        def sent() -> None:
            nonlocal sent_at
            on_sent()
            sent_at = clock()
            self.in_flight += 1

        try:
            answer = await self._ask_on(lane, request, deadline, sent)
            if sent_at is not None:
                work = type(request), size
                self.pace.answered(clock(), work, size, clock() - sent_at, self.in_flight)
            return answer
        except Flooded as error:
            self.pace.flooded(clock())
            reason = str(error), error.retry_after
            self.turns.dismiss(lambda: Flooded(*reason))  # another account may serve them now
            raise
        except Transient as error:
            if sent_at is not None and not isinstance(error, _SAYS_NOTHING):
                self.pace.failed(clock())
            raise
        finally:
            if sent_at is not None:
                self.in_flight -= 1
            self._follow_pace()

    def tend(self) -> None:
        """See to it that the lanes in use are connected, and no others; returns at once."""
        for lane in self._media.wanting():
            self._tend(lane, self._open)
        for lane in self._media.spare():
            self._tend(lane, Lane.close)

    def _follow_pace(self) -> None:
        # A connection that is not open carries nothing yet: its share would only queue on the others.
        self.turns.resize(max(1, self.pace.window * self._media.open // self.pace.connections))
        if self._media.connections != self.pace.connections:
            self._media.use(self.pace.connections)
            self.tend()

    def _tend(self, lane: Lane, work: Callable[[Lane], Coroutine[Any, Any, None]]) -> None:
        """One thing at a time for each lane, and none waits for another's."""
        if lane not in self._tended:
            self._tended[lane] = asyncio.ensure_future(work(lane))
            self._tended[lane].add_done_callback(lambda _: self._tended.pop(lane))

    async def _open(self, lane: Lane) -> None:
        try:
            await lane.opened(asyncio.get_running_loop().time() + self._media.connect)
            self._follow_pace()
        except StoreError as error:
            _log.info("A media connection could not be opened: %s", error)
