"""A place for one live connection: opened when needed, opened again with back-off when lost. Lanes make a pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from telethon.tl import TLRequest

from errors import StoreError, Transient
from storage.telegram.connection import Connection
from storage.telegram.errors import ConnectionLost, Unanswered
from storage.telegram.statistics import Statistics
from storage.telegram.timing import Backoff, Timing

OnSent = Callable[[], None]

_log = logging.getLogger(__name__)


class Lane:
    """`dial` gives an open connection or raises a StoreError. Opened by one task at a time."""

    def __init__(
        self, dial: Callable[[], Awaitable[Connection]], timing: Timing, statistics: Statistics
    ) -> None:
        self._dial = dial
        self._timing = timing
        self._statistics = statistics
        self._opening = asyncio.Lock()  # many readers find the lane empty at once; one of them dials
        self._backoff = Backoff(timing.backoff_first, timing.backoff_most)
        self._connection: Connection | None = None
        self._retired = False
        self.load = 0
        """Requests that have chosen this lane and are not answered."""

    def __repr__(self) -> str:
        return f"<Lane {self._connection} load {self.load} failures {self._backoff.failures}>"

    @property
    def is_up(self) -> bool:
        return self._connection is not None and not self._connection.lost.done()

    @property
    def failures(self) -> int:
        """In a row; 0 while all is well."""
        return self._backoff.failures

    async def ask(self, request: TLRequest, deadline: float, on_sent: OnSent = lambda: None) -> Any:
        """The answer to `request`, opening the connection if need be; `deadline` is on the loop's clock.

        `on_sent` is called when there is a connection and the request goes out; what it raises passes through. Raises a
        StoreError: what the connection raises, Unanswered, or Transient when the breaker stays open past the deadline.
        """
        self.load += 1
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self.opened(deadline)
                limit = min(self._timing.request, deadline - asyncio.get_running_loop().time())
                on_sent()
                return await connection.ask(request, limit)
        except TimeoutError:
            raise Unanswered from None
        finally:
            self.load -= 1

    async def opened(self, deadline: float) -> Connection:
        """The live connection of this lane. Raises a StoreError, at the latest at `deadline`."""
        if self._connection is not None and not self._connection.lost.done():
            return self._connection
        async with self._opening:
            await self._bury()
            if self._connection is None:
                await self._wait_for_breaker(deadline)
                connection = await self._dialled()
                if self._retired:  # nobody would ever close it
                    await connection.close()
                    raise ConnectionLost("The connection was given up while it was being opened.", 0.0)
                self._connection = connection
            return self._connection

    async def ping(self) -> None:
        """Keep an idle connection known to the routers on its way, and find out if it is dead."""
        now = asyncio.get_running_loop().time()
        connection = self._connection
        if connection is None or connection.lost.done() or now - connection.moved_at < self._timing.idle:
            return
        try:
            await connection.ping()
        except StoreError as error:
            _log.info("An idle connection was dead: %s", error)

    async def close(self) -> None:
        """Hang up. The next request opens another connection, perhaps before this returns."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def retire(self) -> None:
        """Hang up for good; a connection that is being opened at this moment is closed as well."""
        self._retired = True
        await self.close()

    async def _dialled(self) -> Connection:
        try:
            return await self._dial()
        except StoreError as error:
            self._backoff.fail(asyncio.get_running_loop().time())
            if self._backoff.failures in (1, 10, 100):
                _log.warning("%s Failed %d time(s).", error, self._backoff.failures)
            raise

    async def _wait_for_breaker(self, deadline: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._backoff.until > deadline:
            raise Transient("Telegram cannot be reached; trying again soon.", self._backoff.until - now)
        await asyncio.sleep(max(0.0, self._backoff.until - now))

    async def _bury(self) -> None:
        """Throw a lost connection away, closed for sure: a second one beside it might cost the key.

        One that did not live long counts as a failure to connect.
        """
        lost = self._connection
        if lost is None or not lost.lost.done():
            return
        now = asyncio.get_running_loop().time()
        self._connection = None
        self._statistics.connections_lost += 1
        if now - lost.opened_at < self._timing.stable:
            self._backoff.fail(now)
        else:
            self._backoff.succeed()
        await lost.close()


def least_loaded(lanes: Sequence[Lane], avoid: Lane | None) -> Lane:
    """The lane with the fewest requests, live ones first, `avoid` only when it is the only one."""
    others = [lane for lane in lanes if lane is not avoid] or list(lanes)
    return min(others, key=lambda lane: (not lane.is_up, lane.failures > 0, lane.load))
