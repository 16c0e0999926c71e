"""One TCP connection to one address, with deadlines. It never reconnects: when it is lost, it is thrown away."""

from __future__ import annotations

import asyncio
import platform
import random
from dataclasses import dataclass, field
from typing import Any

from telethon.tl import TLRequest, functions
from telethon.tl.alltlobjects import LAYER

from storage.telegram.errors import FOREIGN, ConnectionLost, Unanswered, translated
from storage.telegram.proxy import ProxyRefused
from storage.telegram.statistics import Statistics
from storage.telegram.timing import Timing
from storage.telegram.wire import Address, Sender, Transport

APP_VERSION = "1"
LAST_WORDS = 0.2
"""Seconds between the end of a connection and the word why, such as that the server does not know our key."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """What every connection of the store needs to be opened."""

    api_id: int
    timing: Timing
    statistics: Statistics
    proxy: str | None = field(repr=False, default=None)


class Connection:
    """Open it, ask it, close it; all on the loop thread. `lost` is done as soon as the connection is of no more use."""

    def __init__(self, dialling: Dialling, address: Address, key: bytes | None) -> None:
        loop = asyncio.get_running_loop()
        self._dialling = dialling
        self._loop = loop
        self.address = address
        self.lost: asyncio.Future[None] = loop.create_future()
        self.opened_at = loop.time()
        self._sender = Sender(key)
        self._transport = Transport(address, dialling.proxy, self._end)

    def __repr__(self) -> str:
        return f"<Connection {self.address}{' lost' if self.lost.done() else ''}>"

    @property
    def key(self) -> bytes | None:
        return self._sender.key

    @property
    def moved_at(self) -> float:
        """When bytes last went either way, on the loop's clock: on a slow line one answer may take long."""
        return max(self.opened_at, self._transport.moved_at)

    async def open(self, first: TLRequest) -> Any:
        """Connect, making a key where there is none, and give the answer to `first`, which introduces us.

        Raises a StoreError; then the connection is closed.
        """
        timing = self._dialling.timing
        try:
            async with asyncio.timeout(timing.connect):
                await self._sender.connect(self._transport)
                self._sender._disconnected.add_done_callback(_mark_retrieved)
                answer = await self.ask(self._introducing(first), timing.connect)
        except OSError as error:  # a TimeoutError too
            await self.close()
            reason = str(error) if isinstance(error, ProxyRefused) else type(error).__name__
            raise ConnectionLost(f"Cannot reach {self.address}: {reason}.", 2.0) from None
        except BaseException as error:
            await self.close()
            if isinstance(error, FOREIGN):
                raise translated(error) from None
            raise
        self._dialling.statistics.connections += 1
        self.opened_at = self._loop.time()
        return answer

    async def ask(self, request: TLRequest, limit: float) -> Any:
        """The answer to `request`, at most `limit` seconds from now.

        Raises a StoreError: ConnectionLost when the connection ends or falls silent first, Unanswered when only this
        one takes too long, else what Telegram's error becomes at the border. Being cancelled leaves the connection
        usable.
        """
        if self.lost.done():
            raise ConnectionLost(f"The connection to {self.address} was lost.", 1.0)
        self._dialling.statistics.requests += 1
        started = self._loop.time()
        try:
            answer = self._sender.send(request)
            try:
                await self._wait(answer, started, limit)
                return answer.result()
            finally:
                _forsake(answer)
        except FOREIGN as error:
            raise translated(error) from None

    async def close(self) -> None:
        """Idempotent; takes no longer than a second."""
        self._end()
        closing = asyncio.ensure_future(self._hang_up())
        await asyncio.wait({closing}, timeout=1.0)

    async def ping(self) -> None:
        """Ask for a sign of life. Raises a StoreError without one."""
        await self.ask(functions.PingRequest(random.getrandbits(63)), self._dialling.timing.silence)

    async def _wait(self, answer: asyncio.Future[Any], started: float, limit: float) -> None:
        """Until there is an answer. Raises ConnectionLost, or Unanswered when only this one fails to come."""
        silence = self._dialling.timing.silence
        while True:
            patience = min(self._quiet_since(started) + silence, started + limit) - self._loop.time()
            await asyncio.wait(
                {answer, self.lost}, timeout=max(0.0, patience), return_when=asyncio.FIRST_COMPLETED
            )
            now = self._loop.time()
            if answer.done() and not answer.cancelled():
                return
            if self.lost.done() or answer.cancelled():
                await asyncio.wait({answer}, timeout=LAST_WORDS)
                if answer.done() and not answer.cancelled():
                    return
                raise ConnectionLost(f"The connection to {self.address} was lost.", 1.0)
            if now >= self._quiet_since(started) + silence:
                self._end()
                raise ConnectionLost(f"Telegram ({self.address}) said nothing for {silence:g} s.", 1.0)
            if now >= started + limit:
                raise Unanswered

    def _quiet_since(self, started: float) -> float:
        return max(self.moved_at, started)

    async def _hang_up(self) -> None:
        await self._transport.disconnect()
        await self._sender.disconnect()

    def _end(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def _introducing(self, query: TLRequest) -> TLRequest:
        introduction = functions.InitConnectionRequest(
            api_id=self._dialling.api_id,
            device_model="Stowgram",
            system_version=platform.system() or "unknown",
            app_version=APP_VERSION,
            system_lang_code="en",
            lang_pack="",
            lang_code="en",
            query=query,
        )
        return functions.InvokeWithLayerRequest(LAYER, functions.InvokeWithoutUpdatesRequest(introduction))


def _forsake(answer: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more: an answer that still comes is dropped, an error in it is not reported."""
    if not answer.cancel():
        _mark_retrieved(answer)


def _mark_retrieved(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
