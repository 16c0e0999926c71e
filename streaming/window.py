"""Verified pieces, in order, with some reads ahead. What comes back from a store is checked here before anyone has it.

It must never know who wants the pieces: `read` sends them on, `write` only asks whether they are good.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

from errors import ChunkCorrupt, ChunkShort, ClientGone, Damaged, StoreClosed, Transient
from storage.base import ChunkClient
from streaming.plan import PieceRead

ATTEMPTS = 3
"""How often a piece is read before its bytes count as bad: once, and twice another way."""
PIECE_DEADLINE = 120.0
"""Seconds from the moment a piece is needed until its reader gives up, all attempts together."""
STEP = 0.5
"""The longest wait, in seconds, without asking whether anyone still wants the bytes."""


@dataclass(slots=True)
class _Flight:
    read: PieceRead
    future: Future[bytes]


class PieceWindow:
    """Pieces of one store client, in the order of `reads`. One thread takes them; `close()` may come from any thread.

    Holds at most `client.window` pieces, in flight or waiting to be taken. No lock: a read that slips in while
    `close()` runs meets a closed client, which cancels or refuses it.
    """

    def __init__(
        self,
        client: ChunkClient,
        reads: Iterator[PieceRead],
        *,
        gone: Callable[[], bool],
        deadline: float = PIECE_DEADLINE,
    ) -> None:
        self._client = client
        self._reads = reads
        self._gone = gone
        self._deadline = deadline
        self._ahead: deque[_Flight] = deque()
        self._closed = threading.Event()
        self.current: PieceRead | None = None
        """The piece that `take` gave last or failed on."""

    @property
    def ahead(self) -> int:
        """How many reads are in flight or wait to be taken."""
        return len(self._ahead)

    def fill(self) -> None:
        """Start as many reads as the client's window has room for."""
        while len(self._ahead) < max(1, self._client.window):
            read = next(self._reads, None)
            if read is None:
                return
            self._ahead.append(_Flight(read, self._ask(read)))

    def take(self, patience: float) -> bytes | None:
        """The next piece, whole and verified, with `current` saying which; None after the last.

        Waits out `Transient` failures that end within `patience` seconds, and reads bad bytes again. Raises StoreError,
        Damaged, or ClientGone; a piece that failed is done with, and the next call goes on behind it.
        """
        self.fill()
        flight = self._first()
        if flight is None:
            self._assert_open()
            return None
        self.current = flight.read
        now = time.monotonic()
        try:
            return self._verified(flight, now + self._deadline, now + min(patience, self._deadline))
        finally:
            flight.future.cancel()

    def close(self) -> None:
        """Cancel what is in flight and drop what has come; may be repeated."""
        self._closed.set()
        self._client.close()
        while flight := self._first():
            flight.future.cancel()

    def _first(self) -> _Flight | None:
        try:
            return self._ahead.popleft()
        except (
            IndexError
        ):  # asked and not looked up before: the other thread may have taken the last one meanwhile
            return None

    def _ask(self, read: PieceRead, attempt: int = 0) -> Future[bytes]:
        return self._client.read(read.chunk.locator, read.chunk.piece_span(read.piece), attempt=attempt)

    def _verified(self, flight: _Flight, deadline: float, patient_until: float) -> bytes:
        fault: Damaged | None = None
        for attempt in range(ATTEMPTS):
            if fault is not None:
                flight.future = self._ask(flight.read, attempt)
            data = self._answer(flight, attempt, deadline, patient_until)
            fault = _fault(flight.read, data)
            if fault is None:
                return data
        assert fault is not None
        raise fault

    def _answer(self, flight: _Flight, attempt: int, deadline: float, patient_until: float) -> bytes:
        """What the store says of this piece, after waiting out its `Transient` failures."""
        while True:
            failure = self._outcome(flight.future, deadline)
            if not isinstance(failure, Transient) or isinstance(failure, StoreClosed):
                return flight.future.result()
            pause = max(failure.retry_after, STEP)  # a store that says 0 must not make us spin
            if time.monotonic() + pause >= patient_until:
                raise failure
            self._pause(pause)
            flight.future = self._ask(flight.read, attempt)
            self._ask_again_for_the_rest()

    def _ask_again_for_the_rest(self) -> None:
        """Reads ahead that met the same trouble go out together again: one wait for all, not one for each."""
        for waiting in self._ahead.copy():
            if _may_work_again(waiting.future):
                waiting.future = self._ask(waiting.read)

    def _outcome(self, future: Future[bytes], deadline: float) -> BaseException | None:
        while True:
            self._assert_wanted()
            left = deadline - time.monotonic()
            if left <= 0:
                raise Transient("The store did not answer in time. Try again in a moment.")
            try:
                return future.exception(timeout=min(STEP, left))
            except TimeoutError:
                continue
            except CancelledError:
                self._assert_wanted()
                return Transient("The store gave up a read.", retry_after=STEP)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._assert_wanted()
            self._closed.wait(min(STEP, left))
        self._assert_wanted()

    def _assert_open(self) -> None:
        if self._closed.is_set():
            raise ClientGone("The stream was closed.")

    def _assert_wanted(self) -> None:
        self._assert_open()
        if self._gone():
            raise ClientGone("The client went away.")


def _may_work_again(future: Future[bytes]) -> bool:
    if not future.done():
        return False
    return future.cancelled() or isinstance(future.exception(), Transient)


def _fault(read: PieceRead, data: bytes) -> Damaged | None:
    """What is wrong with `data`, if it is not the piece that was stored."""
    wanted = read.chunk.piece_span(read.piece).length
    where = f"Piece {read.piece} of chunk {read.chunk.index}"
    if len(data) < wanted:
        return ChunkShort(f"{where} came back with {len(data)} of {wanted} bytes.")
    if hashlib.sha256(data).digest() != read.chunk.piece_digest(read.piece):
        return ChunkCorrupt(f"{where} came back with other bytes than were stored.")
    return None
