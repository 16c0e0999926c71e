"""The contract of a place where chunks rest. It must never know of files, users, HTTP or SQL.

Every store and every wrapper around one passes `tests/storage/contract.py`. All methods may be called from any thread.
Errors are those of `errors.py` only: `Transient` (worth trying after its `retry_after`), `StoreClosed` among them,
`Permanent`, `ChunkMissing`.
A store verifies nothing: digests are checked at the one door out, `streaming/read.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from model import ByteRange, Label, Locator, StoreHealth

Source = Callable[[ByteRange], bytes]
"""Reads bytes to be stored. `source(span)` returns exactly `span.length` bytes; it may be called from any thread, more
than once for one span, and for several spans at a time."""


class Read(Future[bytes]):
    """The bytes of a read, to come."""

    sent = False
    """Whether the store has asked for them over the wire, so that they come whether or not anybody still waits."""


class ChunkClient(ABC):
    """One stream's own view of a store: it shares no state with a request or with another stream.

    Made by `ChunkStore.client()` without I/O. `close()` may be called at any time, from any thread, more than once.
    """

    @property
    @abstractmethod
    def window(self) -> int:
        """How many reads this client would have in flight now; at least 1, and it may change between two reads."""

    @abstractmethod
    def read(self, locator: Locator, span: ByteRange, *, attempt: int = 0) -> Read:
        """Start to read `span` (counted from the message's first byte) of the message at `locator`.

        `span.start` is a multiple of the piece size, and the span crosses no piece border. The future gives the bytes
        as they rest: `span.length` of them, fewer only if the message is shorter. An `attempt` above 0 says that the
        earlier answer was bad: the store then goes another way (another connection, no cache) where it has one.

        The future always ends, within the store's own deadline; it fails with `Transient`, `Permanent` or
        `ChunkMissing`. Cancelling it frees its place at once.
        """

    @abstractmethod
    def close(self) -> None:
        """Cancel what is in flight. Later reads fail with `Transient`."""


class ChunkStore(ABC):
    """Where chunks rest."""

    @abstractmethod
    def put(self, label: Label, source: Source) -> Locator:
        """Store `label.size` bytes of `source` as one message that carries `label`; return when it is at rest.

        `label.size` is at least 1 and at most the store's `max_chunk_size`. Repeating a `put` whose outcome is unknown
        never leaves two messages: the store recognises an equal label (its `attempt` included) and returns the message
        that is there. An exception raised by `source` passes through.
        """

    @abstractmethod
    def find(self, label: Label, after: Locator | None) -> Locator | None:
        """The message that an earlier `put` of an equal label left, or None if it left none.

        `after` is a hint: a message known to be older than it. Called after a crash, so it may be slow, but not wrong.
        """

    @abstractmethod
    def delete(self, locators: Sequence[Locator]) -> None:
        """Delete the messages. Those that are gone already are no error. May be repeated."""

    @abstractmethod
    def client(self) -> ChunkClient:
        """A fresh client for one stream."""

    @abstractmethod
    def health(self) -> StoreHealth:
        """How the store is now, from what it knows; returns within 2 s."""

    @property
    @abstractmethod
    def max_chunk_size(self) -> int:
        """The most bytes that one message can hold."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything, within 5 s. What is cut off by it, and later calls, fail with `StoreClosed`."""
