"""Verified pieces, in order, with some reads ahead. What comes back from a store is checked here before anyone has it.

A state machine that never waits: `poll` says what to wait for. It must never know who wants the pieces: `read` sends
them on, `write` only asks whether they are good.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass

from errors import ChunkCorrupt, ChunkShort, ClientGone, Damaged, StoreClosed, Transient
from model import Wait
from storage.base import ChunkClient
from streaming.plan import PieceRead

ATTEMPTS = 3
"""How often a piece is read before its bytes count as bad: once, and twice another way."""
PIECE_DEADLINE = 120.0
"""Seconds from the moment a piece is needed until its reader gives up, all attempts together."""
STEP = 0.5
"""Seconds: the longest wait without asking whether anyone still wants the bytes; the shortest pause after trouble."""


@dataclass(slots=True)
class _Flight:
    read: PieceRead
    future: Future[bytes]
    attempt: int = 0
    deadline: float = math.inf
    """When its reader gives up, once it is needed."""
    patient_until: float = math.inf
    again_at: float | None = None
    """When it is asked for again, after trouble of the store."""


class PieceWindow:
    """Pieces of one store client, in the order of `reads`. One thread at a time polls; `close()` may come from any.

    No lock: a read that slips in while `close()` runs meets a closed client, which cancels or refuses it.
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
        self._needed: _Flight | None = None
        self._all_asked = False
        self._closed = threading.Event()
        self.current: PieceRead | None = None
        """The piece that was given last or has failed."""

    @property
    def most(self) -> int:
        """How many reads the client would have in flight now; at least 1."""
        return max(1, self._client.window)

    @property
    def ahead(self) -> int:
        """How many reads are in flight or wait to be taken."""
        return len(self._ahead) + (self._needed is not None)

    def fill(self, most: int) -> None:
        """Start reads until `most` are in flight or wait to be taken, and no more than the client's window."""
        while not self._all_asked and self.ahead < min(most, self.most):
            read = next(self._reads, None)
            if read is None:
                self._all_asked = True
            else:
                self._ahead.append(_Flight(read, self._ask(read)))

    def poll(self, patience: float) -> bytes | Wait | None:
        """The next piece, whole and verified, with `current` saying which; what to wait for; None after the last.

        Waits out `Transient` failures that end within `patience` seconds of the moment that the piece is first polled
        for, and reads bad bytes again. Raises StoreError, Damaged, or ClientGone; a piece that failed is done with, and
        the next call goes on behind it.
        """
        flight = self._needed or self._take_up(patience)
        if flight is None:
            self._assert_open()
            return None if self._all_asked else Wait(math.inf)
        self.current = flight.read
        try:
            given = self._advanced(flight)
        except BaseException:
            self._needed = None
            flight.future.cancel()
            raise
        if not isinstance(given, Wait):
            self._needed = None
        return given

    def take(self, patience: float) -> bytes | None:
        """`poll`, with as many reads ahead as the client would have, and waiting; None after the last."""
        self.fill(self.most)
        while isinstance(given := self.poll(patience), Wait):
            self.wait(given)
        return given

    def wait(self, until: Wait) -> None:
        """Wait for that, but no longer than is good without asking whether anyone still wants the bytes."""
        seconds = max(0.0, min(STEP, until.until - time.monotonic()))
        if until.future is None:
            self._closed.wait(seconds)
        else:
            with suppress(TimeoutError, CancelledError):
                until.future.exception(seconds)

    def close(self) -> None:
        """Cancel what is in flight and drop what has come; may be repeated."""
        self._closed.set()
        self._client.close()
        needed, self._needed = self._needed, None
        while flight := needed or self._first():
            flight.future.cancel()
            needed = None

    def _take_up(self, patience: float) -> _Flight | None:
        """The next flight, from now on needed."""
        self._needed = flight = self._first()
        if flight is not None:
            now = time.monotonic()
            flight.deadline = now + self._deadline
            flight.patient_until = now + min(patience, self._deadline)
        return flight

    def _first(self) -> _Flight | None:
        try:
            return self._ahead.popleft()
        except IndexError:  # asked and not looked up before: `close` may have taken the last one meanwhile
            return None

    def _ask(self, read: PieceRead, attempt: int = 0) -> Future[bytes]:
        return self._client.read(read.chunk.locator, read.chunk.piece_span(read.piece), attempt=attempt)

    def _advanced(self, flight: _Flight) -> bytes | Wait:
        """As far as it goes without waiting."""
        while True:
            self._assert_wanted()
            now = time.monotonic()
            if now >= flight.deadline:
                raise Transient("The store did not answer in time. Try again in a moment.")
            if flight.again_at is not None:
                if now < flight.again_at:
                    return Wait(min(flight.again_at, flight.deadline))
                flight.again_at = None
                flight.future = self._ask(flight.read, flight.attempt)
                self._ask_again_for_the_rest()
            if not flight.future.done():
                return Wait(flight.deadline, flight.future)
            if (data := self._landed(flight, now)) is not None:
                return data

    def _landed(self, flight: _Flight, now: float) -> bytes | None:
        """The bytes that came, if they are good; else the flight knows how it goes on."""
        failure = self._failure(flight.future)
        if isinstance(failure, Transient) and not isinstance(failure, StoreClosed):
            pause = max(failure.retry_after, STEP)  # a store that says 0 must not make us spin
            if now + pause >= flight.patient_until:
                raise failure
            flight.again_at = now + pause
            return None
        data = flight.future.result()
        fault = _fault(flight.read, data)
        if fault is None:
            return data
        flight.attempt += 1
        if flight.attempt == ATTEMPTS:
            raise fault
        flight.future = self._ask(flight.read, flight.attempt)
        return None

    def _failure(self, future: Future[bytes]) -> BaseException | None:
        try:
            return future.exception(timeout=0)
        except CancelledError:
            self._assert_wanted()
            return Transient("The store gave up a read.", retry_after=STEP)

    def _ask_again_for_the_rest(self) -> None:
        """Reads ahead that met the same trouble go out together again: one wait for all, not one for each."""
        for waiting in self._ahead.copy():
            if _may_work_again(waiting.future):
                waiting.future = self._ask(waiting.read)

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
