"""A store in front of another: what one stream fetched is kept for all, and what two want at a time is fetched once.

It verifies nothing, as no store does: the gate (`streaming/window.py`) checks what comes out and asks again with an
`attempt` above 0 when it is bad, and then the cache steps aside and replaces what it had. So it may lose or mangle
what it keeps, and no reader ever gets a wrong byte.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from errors import Transient
from model import ByteRange, Label, Locator
from storage.base import ChunkClient, ChunkStore, Read, Source, StoreHealth
from storage.cache.flights import Flights
from storage.cache.index import Place
from storage.cache.line import Line
from storage.cache.pieces import PieceCache
from storage.cache.statistics import CacheStatistics

HITS_AHEAD = 2
"""The window of a stream that finds all it asks for: reading further ahead would only fill memory."""

CLOSE_DEADLINE = 4.5
"""Seconds; the contract gives `close` five. A disk that does not answer by then is left behind."""


class CachedStore(ChunkStore):
    """`inner` with at most `disk_limit` bytes of its pieces below `folder`, and `memory_limit` bytes in memory.

    Pieces are kept as they were asked for: a piece is found again by the same locator and the same span only.
    """

    def __init__(self, inner: ChunkStore, folder: Path, disk_limit: int, memory_limit: int) -> None:
        """Owns `inner` from now on. Never raises for a disk that does not work; `statistics().fault` tells of it."""
        self._inner = inner
        self._pieces = PieceCache(folder, disk_limit, memory_limit)
        self._flights = Flights(self._landed)
        self._counting = threading.Lock()  # reads start on many threads
        self._misses = self._refetched = self._bytes_fetched = 0

    def __repr__(self) -> str:
        return f"<CachedStore {self._pieces} {self._flights} before {self._inner!r}>"

    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        return self._inner.put(label, source, after)

    def find(self, label: Label, after: Locator | None) -> Locator | None:
        return self._inner.find(label, after)

    def missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        return self._inner.missing(locators)

    def delete(self, locators: Sequence[Locator]) -> None:
        self._inner.delete(locators)  # first: nobody can fetch again what is forgotten here
        gone = frozenset(locators)
        self._flights.disown(gone)
        self._pieces.forget(gone)

    def client(self) -> ChunkClient:
        return CachedClient(self)

    def health(self) -> StoreHealth:
        """The inner store's, with what the cache counted beside what it counted."""
        inner, ours = self._inner.health(), self.statistics()
        counted, held = {**inner.counted, **ours.totals()}, {**inner.held, **ours.held()}
        return replace(inner, counted=counted, held=held)

    @property
    def max_chunk_size(self) -> int:
        return self._inner.max_chunk_size

    def statistics(self) -> CacheStatistics:
        with self._counting:
            misses, refetched, fetched = self._misses, self._refetched, self._bytes_fetched
        return self._pieces.statistics(
            misses=misses, shared=self._flights.shared, refetched=refetched, bytes_fetched=fetched
        )

    def close(self) -> None:
        """Both at a time: each may need most of the five seconds."""
        closing = threading.Thread(target=self._pieces.close, name="cache-close", daemon=True)
        closing.start()
        self._inner.close()
        self._flights.close()
        closing.join(CLOSE_DEADLINE)

    def line(self) -> Line:
        """One stream's way to the inner store."""
        return Line(self._inner)

    def kept(self, place: Place) -> bytes | None:
        return self._pieces.get(place)

    def fetch(self, place: Place, attempt: int, line: Line) -> Read | None:
        """The piece from the inner store, shared with whoever asks for it now; None if it is `kept` by now."""
        if attempt > 0:
            self._pieces.drop(place)

        def begin() -> Read:
            with self._counting:
                self._misses += 1
                self._refetched += attempt > 0
            return line.read(place, attempt)

        return self._flights.join(place, attempt, begin, lambda: attempt == 0 and place in self._pieces)

    def _landed(self, place: Place, data: bytes) -> None:
        with self._counting:
            self._bytes_fetched += len(data)
        if len(data) == place.span.length:  # what is short may be a fault; the gate will ask again
            self._pieces.keep(place, data)


class CachedClient(ChunkClient):
    """One stream's reads: a hit is over when `read` returns, a miss goes out on a line of the stream's own."""

    def __init__(self, store: CachedStore) -> None:
        self._store = store
        self._line = store.line()
        self._lock = threading.Lock()  # close from another thread must see every read that was let in
        self._waiting: set[Future[bytes]] = set()
        self._hits_in_a_row = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<CachedClient waits for {len(self._waiting)}{' closed' if self._closed else ''}>"

    @property
    def window(self) -> int:
        """The inner client's; small before the first miss, and while that many reads in a row were hits."""
        whole = self._line.window
        if whole is None:
            return HITS_AHEAD
        return whole if self._hits_in_a_row < whole else min(HITS_AHEAD, whole)

    def read(self, locator: Locator, span: ByteRange, *, attempt: int = 0) -> Read:
        place = Place(locator, span)
        while not self._closed:
            data = self._store.kept(place) if attempt == 0 else None
            if data is not None:
                self._hits_in_a_row += 1
                return _over(data)
            future = self._store.fetch(place, attempt, self._line)
            if future is not None:
                self._hits_in_a_row = 0
                return self._let_in(future)
        refused = Read()
        refused.set_exception(Transient("The stream was closed."))
        return refused

    def expect(self, locators: Iterable[Locator]) -> None:
        self._line.expect(locators)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
        for future in waiting:
            future.cancel()
        self._line.release()

    def _let_in(self, future: Read) -> Read:
        with self._lock:
            closed = self._closed
            self._waiting.add(future)
        future.add_done_callback(self._forget)
        if closed:
            future.cancel()
        return future

    def _forget(self, future: Future[bytes]) -> None:
        with self._lock:
            self._waiting.discard(future)


def _over(data: bytes) -> Read:
    future = Read()
    future.set_result(data)
    return future
