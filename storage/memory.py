"""A complete store in memory, for tests and wrappers: real semantics, and one hook each way to break them.

It must never know more than the contract does; what a test wants to break, it breaks through the hooks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress

from errors import ChunkMissing, StoreClosed, Transient
from model import ByteRange, Label, Locator
from storage.base import ChunkClient, ChunkStore, Read, Source, StoreHealth

OnRead = Callable[[Locator, ByteRange, int, bytes], bytes]
"""`on_read(locator, span, attempt, true_bytes)` gives what the client gets; it may block or raise a StoreError."""
OnPut = Callable[[Label, Locator | None], None]
"""Called with None before anything is kept, and with the locator once it is: raising then is a lost answer."""

CHANNEL = -1000000000001
WINDOW = 8
"""Reads that a client asks for at once, and the threads that run `on_read`."""


class MemoryStore(ChunkStore):
    """Messages in a dict. Without `on_read` a read ends before `read` returns; with it, on another thread."""

    def __init__(
        self,
        *,
        on_read: OnRead | None = None,
        on_put: OnPut | None = None,
        max_chunk_size: int = 4000 * (512 << 10),
    ) -> None:
        self.on_read = on_read
        self.on_put = on_put
        self._max_chunk_size = max_chunk_size
        self._lock = threading.Lock()  # put from several threads: number, label and bytes change together
        self._messages: dict[Locator, tuple[Label, bytes]] = {}
        self._last_message = 0
        self._closed = False
        self._readers = ThreadPoolExecutor(WINDOW, "memory-store")

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self._messages)} messages{' closed' if self._closed else ''}>"

    @property
    def labels(self) -> dict[Locator, Label]:
        """Every message alive, so that a test can prove that none is an orphan."""
        with self._lock:
            return {locator: label for locator, (label, _) in self._messages.items()}

    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        self._refuse_if_closed()
        if self.on_put is not None:
            self.on_put(label, None)
        body = source(ByteRange(0, label.size))
        if len(body) != label.size:
            raise ValueError(f"the source gave {len(body)} of {label.size} bytes")
        with self._lock:
            locator = self._at_rest(label)
            if locator is None:
                self._last_message += 1
                locator = Locator(CHANNEL, self._last_message)
                self._messages[locator] = (label, bytes(body))
        if self.on_put is not None:
            self.on_put(label, locator)
        return locator

    def find(self, label: Label, after: Locator | None) -> Locator | None:
        self._refuse_if_closed()
        with self._lock:
            return self._at_rest(label)

    def missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        self._refuse_if_closed()
        with self._lock:
            return frozenset(locators) - self._messages.keys()

    def delete(self, locators: Sequence[Locator]) -> None:
        self._refuse_if_closed()
        with self._lock:
            for locator in locators:
                self._messages.pop(locator, None)

    def client(self) -> MemoryClient:
        return MemoryClient(self)

    def health(self) -> StoreHealth:
        detail = "The store is closed." if self._closed else f"{len(self._messages)} messages in memory."
        return StoreHealth("memory", not self._closed, detail)

    @property
    def max_chunk_size(self) -> int:
        return self._max_chunk_size

    def close(self) -> None:
        self._closed = True
        self._readers.shutdown(wait=False)  # what is queued still runs, and fails: every future ends

    def fetch(self, locator: Locator, span: ByteRange, attempt: int) -> bytes:
        """The bytes of one read, through `on_read`; raises ChunkMissing, StoreClosed, or what `on_read` raises."""
        self._refuse_if_closed()
        with self._lock:
            message = self._messages.get(locator)
        if message is None:
            raise ChunkMissing(f"Message {locator.message} is gone.")
        body = message[1][span.start : span.stop]
        return body if self.on_read is None else self.on_read(locator, span, attempt, body)

    def run(self, work: Callable[[], None]) -> None:
        """Run `work` on a reader thread if a hook may block it, else here; raises StoreClosed once closed."""
        if self.on_read is None:
            work()
            return
        self._refuse_if_closed()
        try:
            self._readers.submit(work)
        except RuntimeError:  # closed between the check and here
            raise StoreClosed("The store is closed.") from None

    def _at_rest(self, label: Label) -> Locator | None:
        return next((locator for locator, (kept, _) in self._messages.items() if kept == label), None)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StoreClosed("The store is closed.")


class MemoryClient(ChunkClient):
    """Reads of one stream; a future stays pending until its bytes are there, so it can always be cancelled."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.Lock()  # close from another thread must see every read that was let in
        self._in_flight: set[Future[bytes]] = set()
        self._closed = False

    @property
    def window(self) -> int:
        return WINDOW

    def read(self, locator: Locator, span: ByteRange, *, attempt: int = 0) -> Read:
        future = Read()
        with self._lock:
            if self._closed:
                future.set_exception(Transient("The stream was closed."))
                return future
            self._in_flight.add(future)
        future.add_done_callback(self._forget)

        def work() -> None:
            _settle(future, lambda: self._store.fetch(locator, span, attempt))

        try:
            self._store.run(work)
        except StoreClosed as error:
            with suppress(InvalidStateError):  # cancelled meanwhile
                future.set_exception(error)
        return future

    def close(self) -> None:
        with self._lock:
            self._closed = True
            in_flight = list(self._in_flight)
        for future in in_flight:
            future.cancel()

    def _forget(self, future: Future[bytes]) -> None:
        with self._lock:
            self._in_flight.discard(future)
        if future.cancelled():  # tells those who wait() for it, as an executor would
            future.set_running_or_notify_cancel()


def _settle(future: Future[bytes], fetch: Callable[[], bytes]) -> None:
    """End `future` with what `fetch` gives or raises, unless it was cancelled meanwhile."""
    with suppress(InvalidStateError):
        try:
            future.set_result(fetch())
        except InvalidStateError:
            raise
        except Exception as error:  # noqa: BLE001  a future carries whatever its work raised
            future.set_exception(error)
