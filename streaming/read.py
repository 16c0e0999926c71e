"""The gate: the only door through which stored bytes leave. It must never know of Flask, a request or the database.

A stream is prepared inside a request and pulled long after it, so it holds a plan, a store and two callbacks, no more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from errors import ChunkMissing, ClientGone, Damaged
from model import PIECE_SIZE, ByteRange, Wait
from storage.base import ChunkStore
from streaming.ahead import ReadAhead
from streaming.plan import Plan, piece_reads
from streaming.window import PIECE_DEADLINE, PieceWindow

START_PATIENCE = 10.0
"""Seconds that `start` waits out trouble of the store. Longer trouble is told to the client: no header has left yet."""
_NOTHING = ByteRange(0, 0)


@dataclass(frozen=True, slots=True)
class DamageReport:
    """A piece that is gone or stayed bad. `chunk` and `piece` are their numbers; `reason` is a sentence."""

    file: UUID
    chunk: int
    piece: int
    reason: str


def never() -> bool:
    """The client that never goes away."""
    return False


def ignore(report: DamageReport) -> None:
    """For readers with nobody to tell."""


class VerifiedStream:
    """The bytes of a plan, each verified, in blocks of at most `yield_size` bytes; when it is polled, of a piece.

    There are two ways to pull it, and one state machine: `poll` never waits and says what to wait for; an iterator
    waits. Memory: at most `client.window` pieces, in flight, landed or given and not yet taken by the reader, and fewer
    for a slow one (`ReadAhead`); and one piece in hand. `gone` is asked with each poll, and at least twice a second
    while an iterator waits; `report` is called once, before the exception, when a piece is lost for good.

    An object and not a generator, because a generator that was never pulled does not run its `finally`. One thread at a
    time pulls; `close()` may come from any thread. It ends only when all bytes of the plan are out.
    """

    def __init__(
        self,
        plan: Plan,
        store: ChunkStore,
        *,
        yield_size: int,
        gone: Callable[[], bool] = never,
        report: Callable[[DamageReport], None] = ignore,
        deadline: float = PIECE_DEADLINE,
    ) -> None:
        if yield_size < 1:
            raise ValueError(f"cannot yield {yield_size} bytes at a time")
        self.plan = plan
        self.sent = 0
        """Bytes given so far."""
        self._store = store
        self._yield_size = yield_size
        self._gone = gone
        self._report = report
        self._deadline = deadline
        self._window: PieceWindow | None = None
        first = next(iter(plan.slices), None)
        self._ahead = ReadAhead(first.chunk.piece_size if first else PIECE_SIZE)
        self._late = False
        """Whether the piece that is next was not there when it was polled for."""
        self._piece, self._keep = b"", _NOTHING
        self._closed = False

    def __repr__(self) -> str:
        span = self.plan.span
        ahead = 0 if self._window is None else self._window.ahead
        return (
            f"<VerifiedStream {self._state} file={self.plan.file_at(self.sent)} bytes={span.start}..{span.stop} "
            f"sent={self.sent} ahead={ahead}>"
        )

    @property
    def _state(self) -> str:
        if self.sent == self.plan.span.length:
            return "complete"
        if self._closed:
            return "closed"
        return "new" if self._window is None else "running"

    def start(self) -> None:
        """Open a fresh client and have the first verified piece in hand. A second call does nothing.

        Raises StoreError, Damaged or ClientGone, and is closed then: nothing has been promised to the client yet.
        """
        if self._window is None or self._closed:
            self._pull(START_PATIENCE)

    def __iter__(self) -> VerifiedStream:
        return self

    def __next__(self) -> bytes:
        """The next block, waited for. Raises StoreError, Damaged or ClientGone, and is closed then."""
        if self._closed and self.sent == self.plan.span.length:
            raise StopIteration
        self.start()
        self._pull(self._deadline)
        if not self._keep.length:
            self.close()
            raise StopIteration
        return self._block(self._yield_size)

    def poll(self, left: int) -> bytes | Wait | None:
        """What is in hand of the next piece, in one block; or what to wait for; or None when the reader has everything.

        `left` is how many of the bytes given so far the reader has not taken yet: they are read ahead, too. Raises
        StoreError, Damaged or ClientGone, and is closed then.
        """
        if self.sent == self.plan.span.length:
            self.close()
            return Wait(math.inf) if left else None
        try:
            wait = self._advance(left, self._deadline)
        except BaseException:
            self.close()
            raise
        return wait or self._block(self._keep.length)

    def close(self) -> None:
        """Cancel what is in flight and drop what is held. For any thread, at any time, more than once."""
        self._closed = True
        self._piece, self._keep = b"", _NOTHING
        if self._window is not None:
            self._window.close()

    def _open(self) -> PieceWindow:
        if self._closed:
            raise ClientGone("The stream was closed.")
        if self._window is None:
            reads = chain.from_iterable(map(piece_reads, self.plan.slices))
            client = self._store.client()
            client.expect(chain((part.chunk.locator for part in self.plan.slices), self.plan.nearby))
            self._window = PieceWindow(client, reads, gone=self._gone, deadline=self._deadline)
            if self._closed:  # by another thread, which may have come too early to see the window
                raise ClientGone("The stream was closed.")
        return self._window

    def _pull(self, patience: float) -> None:
        """Wait until a piece is in hand, or all are out."""
        try:
            while wait := self._advance(0, patience):
                self._open().wait(wait)
        except BaseException:
            self.close()
            raise

    def _advance(self, left: int, patience: float) -> Wait | None:
        """See that a piece is in hand, unless all are out, and that more are on their way; or what to wait for."""
        window = self._open()
        self._ahead.took(self.sent - left, time.monotonic())
        self._read_ahead(window, left)
        if self._keep.length:
            return None
        found = self._next_piece(window, patience)
        self._late |= isinstance(found, Wait) and window.ahead > 0
        if self._late and not left:
            self._ahead.waited(self.sent, window.most)
        self._late &= isinstance(found, Wait)
        if isinstance(found, bytes) and window.current is not None:
            self._piece, self._keep = found, window.current.keep
            self._ahead.gave(self.sent + self._keep.length, time.monotonic())
        self._read_ahead(window, left)  # the pieces behind it travel while this one is being sent
        return found if isinstance(found, Wait) else None

    def _read_ahead(self, window: PieceWindow, left: int) -> None:
        window.fill(self._ahead.reads(left + self._keep.length, window.most))

    def _next_piece(self, window: PieceWindow, patience: float) -> bytes | Wait | None:
        try:
            found = window.poll(patience)
        except (Damaged, ChunkMissing) as error:
            if lost := window.current:
                self._report(
                    DamageReport(self.plan.file_at(self.sent), lost.chunk.index, lost.piece, str(error))
                )
            raise
        if found is None and self.sent != self.plan.span.length:  # an exception, never a quiet end
            raise Damaged(f"The stream ended after {self.sent} of {self.plan.span.length} bytes.")
        return found

    def _block(self, most: int) -> bytes:
        piece, keep = self._piece, self._keep
        cut = min(keep.start + most, keep.stop)
        block = piece[keep.start : cut]  # a whole piece is handed on as it is, without a copy
        self._keep = ByteRange(cut, keep.stop)
        if cut == keep.stop:
            self._piece = b""
        self.sent += len(block)
        return block
