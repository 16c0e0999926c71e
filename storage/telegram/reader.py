"""Reading one span of one message: the choice of account and lane, and what to do about each way it can fail."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from concurrent.futures import Future
from itertools import count
from typing import Any, NamedTuple

from telethon.tl import functions, types

from errors import StoreError, Transient
from model import MIB, PIECE_SIZE, ByteRange, Locator
from storage.base import ChunkClient, Read
from storage.telegram.account import Account
from storage.telegram.documents import Document
from storage.telegram.errors import Flooded, NoAccess, SignedOut, StaleReference, WrongDataCentre
from storage.telegram.lane import Lane
from storage.telegram.loop import LoopThread
from storage.telegram.outlook import Outlook
from storage.telegram.pool import BYTES_IN_FLIGHT, Pool

WINDOW_MOST = 16
WINDOW_LEAST = 2
TRIES = 8
"""Attempts at one span, whatever failed, before the read fails."""
REFETCHES = 3
SMALLEST_READ = 4096
"""upload.getFile: offsets and limits are multiples of 4 KiB (core.telegram.org/api/files#downloading-files)."""

_log = logging.getLogger(__name__)


def legal_read(span: ByteRange) -> ByteRange:
    """The smallest read that upload.getFile allows around `span`, which must not cross a border of 1 MiB.

    Its length divides 1 MiB and is a multiple of 4 KiB, hence a power of two; aligned to itself it crosses no border
    (core.telegram.org/api/files#downloading-files).
    """
    length = SMALLEST_READ
    while length < MIB:
        start = span.start // length * length
        if span.stop <= start + length:
            return ByteRange(start, start + length)
        length *= 2
    start = span.start // MIB * MIB
    return ByteRange(start, start + MIB)


class Wanted(NamedTuple):
    """`span` of the message at `locator`, wanted by `stream` for `read`; of a stream's, the lowest `order` is first."""

    locator: Locator
    span: ByteRange
    stream: Hashable
    order: int
    read: Read


class Reader:
    """Reads spans through the pool; on the loop thread only."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, wanted: Wanted, avoid: Lane | None) -> tuple[bytes, Lane]:
        """What is wanted, shorter if the message is, and the lane that it came by. Raises a StoreError."""
        timing, statistics = self._pool.timing, self._pool.statistics
        deadline = asyncio.get_running_loop().time() + timing.read
        try:
            async with asyncio.timeout_at(deadline):
                body, lane = await _Journey(self._pool, wanted, avoid, deadline).arrive()
        except TimeoutError:
            raise Transient(f"Telegram did not deliver within {timing.read:g} s.") from None
        statistics.bytes_read += len(body)
        return body, lane

    def foresee(self, locators: Iterable[Locator]) -> None:
        """Look these messages up, by every account that may be asked for them: if one has to wait, another goes on."""
        now = asyncio.get_running_loop().time()
        for account in self._pool.accounts:
            if account.is_ready and account.usable_at(functions.channels.GetMessagesRequest) <= now:
                account.documents.foresee(locators)


class _Journey:
    """One read on its way through retries; holds what was learned by the failures so far."""

    def __init__(self, pool: Pool, wanted: Wanted, avoid: Lane | None, deadline: float) -> None:
        self._pool = pool
        self._locator, self._span, self._stream, self._order, self._read = wanted
        self._deadline = deadline
        self._avoid = avoid
        self._lane: Lane | None = None
        self._document: Document | None = None
        self._refetches = 0
        self._shortest_wait = 0.05

    async def arrive(self) -> tuple[bytes, Lane]:
        """Try until it works; raises the StoreError that ends it."""
        for attempt in range(1, TRIES + 1):
            account = await self._pool.choose(functions.upload.GetFileRequest, self._deadline)
            try:
                body = await self._attempt(account)
                if len(body) == self._expected() or attempt >= TRIES // 2:
                    assert self._lane is not None
                    return body, self._lane  # short for good: the gate will say so
                self._avoid = self._lane
            except StoreError as error:
                await self._learn(account, error, last=attempt == TRIES)
            self._pool.statistics.retries += 1
        raise AssertionError("the last attempt either returns or raises")

    async def _attempt(self, account: Account) -> bytes:
        self._document = None
        document = self._document = await account.document(self._locator)
        window = legal_read(self._span)
        request = functions.upload.GetFileRequest(document.location, window.start, window.length)
        async with self._pool.turn(account, self._stream, window.length, self._order):
            lane = self._lane = account.traffic.lane(document.dc, self._avoid)
            answer: Any = await account.traffic.ask(lane, request, window.length, self._deadline, self._send)
        if not isinstance(answer, types.upload.File):
            raise Transient("Telegram sent us to a CDN, which we never ask for.", 0.0)
        return answer.bytes[self._span.start - window.start : self._span.stop - window.start]  # type: ignore[no-any-return]

    async def _learn(self, account: Account, error: StoreError, *, last: bool) -> None:
        """Prepare the next attempt by what went wrong, or raise `error` if there should be none."""
        if last or not self._read.wanted or not (isinstance(error, Transient) or error is account.fault):
            raise error
        match error:
            case StaleReference() if self._document is not None:
                self._refetches += 1
                if self._refetches > REFETCHES:
                    raise error
                self._pool.statistics.refetches += 1
                account.documents.forget(self._locator, self._document)
            case WrongDataCentre() if self._document is not None:
                account.documents.move(self._locator, self._document, error.dc)
            case Flooded() | SignedOut() | NoAccess():
                pass  # `choose` waits, takes another account, or says that there is none
            case Transient():
                _log.info("Reading message %d again: %s", self._locator.message, error)
                self._avoid = self._lane
                await asyncio.sleep(min(self._shortest_wait, error.retry_after))
                self._shortest_wait *= 2

    def _send(self) -> None:
        if not self._read.send():
            raise asyncio.CancelledError

    def _expected(self) -> int:
        size = self._document.size if self._document is not None else math.inf
        return max(0, min(self._span.length, int(min(size, self._span.stop)) - self._span.start))


class Share:
    """What each of the open clients may have in flight of what the process may."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # clients come and go on many threads
        self._clients = 0

    @property
    def window(self) -> int:
        """Reads of a piece."""
        share = BYTES_IN_FLIGHT // PIECE_SIZE // max(1, self._clients)
        return max(WINDOW_LEAST, min(WINDOW_MOST, share))

    def change(self, by: int) -> None:
        with self._lock:
            self._clients += by


class TelegramChunkClient(ChunkClient):
    """One stream's reads. Opening one costs nothing: connections and looked-up messages are the store's."""

    def __init__(self, loop: LoopThread, reader: Reader, share: Share) -> None:
        self._loop = loop
        self._reader = reader
        self._share = share
        self._lock = threading.Lock()  # close from another thread must see every read that was let in
        self._in_flight: set[Future[bytes]] = set()
        self._came_by: OrderedDict[tuple[Locator, int], Lane] = OrderedDict()
        self._closed = False
        self._order = count(1)
        self._outlook = Outlook()
        share.change(+1)

    def __repr__(self) -> str:
        return f"<TelegramChunkClient {len(self._in_flight)} in flight{' closed' if self._closed else ''}>"

    @property
    def window(self) -> int:
        return self._share.window

    def read(self, locator: Locator, span: ByteRange, *, attempt: int = 0) -> Read:
        future = Read()
        with self._lock:
            if self._closed:
                future.set_exception(Transient("The stream was closed."))
                return future
            self._in_flight.add(future)
        self._loop.fulfil(future, self._read(future, locator, span, attempt))
        future.add_done_callback(self._forget)
        return future

    def expect(self, locators: Iterable[Locator]) -> None:
        self._outlook = Outlook(locators)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            in_flight = list(self._in_flight)
        self._share.change(-1)
        for future in in_flight:
            future.cancel()

    def _forget(self, future: Future[bytes]) -> None:
        with self._lock:
            self._in_flight.discard(future)

    async def _read(self, future: Read, locator: Locator, span: ByteRange, attempt: int) -> bytes:
        if span.length == 0:
            return b""

        place = (locator, span.start)
        avoid = self._came_by.get(place) if attempt else None
        order = 0 if attempt else next(self._order)  # what was bad is needed now
        if upcoming := self._outlook.reached(locator):
            # Not before this read has asked for its own message: it must not wait for an answer about a hundred. It is
            # among them for the other accounts.
            asyncio.get_running_loop().call_soon(self._reader.foresee, [locator, *upcoming])
        body, lane = await self._reader.read(Wanted(locator, span, self, order, future), avoid)
        self._came_by[place] = lane
        while len(self._came_by) > 4 * WINDOW_MOST:
            self._came_by.popitem(last=False)
        return body
