"""The contract of a place where chunks rest. It must never know of files, users, HTTP or SQL.

Every store and every wrapper around one passes `tests/storage/contract.py`. All methods may be called from any thread.
Errors are those of `errors.py` only: `Transient` (worth trying after its `retry_after`), `StoreClosed` among them,
`Permanent`, `ChunkMissing`.
A store verifies nothing: digests are checked at the one door out, `streaming/read.py`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from model import ByteRange, Label, Locator

Source = Callable[[ByteRange], bytes]
"""Reads bytes to be stored. `source(span)` returns exactly `span.length` bytes; it may be called from any thread, more
than once for one span, and for several spans at a time."""


class Read(Future[bytes]):
    """The bytes of a read, to come. Once they are asked for over the wire they cost the same, kept or dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._deciding = threading.Lock()  # a read is sent or withdrawn, by two threads, and never both
        self.sent = False
        """Whether the store has asked for the bytes, so that they come whether or not anybody still waits."""
        self.wanted = True
        """Whether anybody waits. If not, it ends with the first attempt that fails."""

    def send(self) -> bool:
        """For the store, before each attempt: False if nobody waits, and then the bytes must not be asked for."""
        with self._deciding:
            if not self.wanted or self.cancelled():
                return False
            self.sent = True
            return True

    def withdraw(self) -> bool:
        """For whoever shares the read among waiters: the last one left. True if it was not sent, and now never will be:
        cancel it then."""
        with self._deciding:
            self.wanted = False
            return not self.sent

    def want(self) -> None:
        """Somebody waits again for a read that was sent."""
        with self._deciding:
            self.wanted = True


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """One account of a store now: `window` requests may be in flight, `waiting` more have not had their turn."""

    name: str
    window: int
    in_flight: int
    waiting: int
    connections: int
    pace: str
    """`starting`, `steady`, `trying` more or fewer connections, or `draining` to look at an empty line."""
    flood_wait: float
    """Seconds that it still has to wait; `flood_waits` were asked for since the start."""
    flood_waits: int


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How the store is: `mode` is `sandbox`, `telegram` or `memory`; `detail` is a sentence for the operator.

    `counted` is what it has counted since it was made, by name: requests, bytes, flood waits, and so on. `accounts` are
    those it works with, if it works with any.
    """

    mode: str
    ok: bool
    detail: str
    counted: Mapping[str, int] = field(default_factory=dict)
    accounts: tuple[AccountHealth, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)
    """What it holds now, by name."""


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

    def expect(self, locators: Iterable[Locator]) -> None:  # noqa: B027  a store with nothing to prepare ignores it
        """A hint, once and before the first read: these messages will be read, in this order; or, behind those, may be
        soon, by another client.

        They are taken one by one as the reads get there, on whatever thread.
        """

    @abstractmethod
    def close(self) -> None:
        """Cancel what is in flight. Later reads fail with `Transient`."""


class ChunkStore(ABC):
    """Where chunks rest."""

    @abstractmethod
    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        """Store `label.size` bytes of `source` as one message that carries `label`; return when it is at rest.

        `label.size` is at least 1 and at most the store's `max_chunk_size`. Repeating a `put` whose outcome is unknown
        never leaves two messages: the store recognises an equal label (its `attempt` included) and returns the message
        that is there, for which `after` is a hint as in `find`. An exception raised by `source` passes through.
        """

    @abstractmethod
    def find(self, label: Label, after: Locator | None) -> Locator | None:
        """The message that an earlier `put` of an equal label left, or None if it left none.

        `after` is a hint: a message known to be older than it. Called after a crash, so it may be slow, but not wrong.
        """

    @abstractmethod
    def missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        """Those of the messages that are not there now, from no memory of them."""

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
