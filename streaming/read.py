"""The gate: the only door through which stored bytes leave. It must never know of Flask, a request or the database.

A stream is prepared inside a request and pulled long after it, so it holds a plan, a store and two callbacks, no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from errors import ChunkMissing, ClientGone, Damaged
from model import ByteRange, DownloadPlan
from storage.base import ChunkStore
from streaming.plan import piece_reads
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
    """The bytes of a plan, each verified, as an iterator of blocks of at most `yield_size` bytes.

    Memory: at most (`client.window` + 1) pieces and one block, whatever the plan's length. `gone` is asked at least
    twice a second while it waits; `report` is called once, before the exception, when a piece is lost for good.

    An object and not a generator, because a generator that was never pulled does not run its `finally`. One thread
    pulls; `close()` may come from any thread. It ends with StopIteration only when all bytes of the plan are out.
    """

    def __init__(
        self,
        plan: DownloadPlan,
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
        self._store = store
        self._yield_size = yield_size
        self._gone = gone
        self._report = report
        self._deadline = deadline
        self._window: PieceWindow | None = None
        self._piece, self._keep = b"", _NOTHING
        self._closed = False

    def __repr__(self) -> str:
        span = self.plan.span
        ahead = 0 if self._window is None else self._window.ahead
        return (
            f"<VerifiedStream {self._state} file={self.plan.file.uuid} bytes={span.start}..{span.stop} "
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
        if self._window is not None and not self._closed:
            return
        try:
            self._open()
            self._next_piece(START_PATIENCE)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> VerifiedStream:
        return self

    def __next__(self) -> bytes:
        """The next block. Raises StoreError, Damaged or ClientGone, and is closed then."""
        if self._closed and self.sent == self.plan.span.length:
            raise StopIteration
        try:
            self.start()
            if not self._keep.length and not self._next_piece(self._deadline):
                self._assert_complete()
                raise StopIteration
            return self._block()
        except BaseException:  # StopIteration too: whichever way it ends, nothing stays in flight
            self.close()
            raise

    def close(self) -> None:
        """Cancel what is in flight and drop what is held. For any thread, at any time, more than once."""
        self._closed = True
        self._piece, self._keep = b"", _NOTHING
        if self._window is not None:
            self._window.close()

    def _open(self) -> None:
        if self._closed:
            raise ClientGone("The stream was closed.")
        reads = chain.from_iterable(map(piece_reads, self.plan.slices))
        self._window = PieceWindow(self._store.client(), reads, gone=self._gone, deadline=self._deadline)
        if self._closed:  # by another thread, which may have come too early to see the window
            raise ClientGone("The stream was closed.")

    def _next_piece(self, patience: float) -> bool:
        """Put the next verified piece in hand; False after the last."""
        window = self._window
        assert window is not None
        try:
            piece = window.take(patience)
        except (Damaged, ChunkMissing) as error:
            if lost := window.current:
                self._report(DamageReport(self.plan.file.uuid, lost.chunk.index, lost.piece, str(error)))
            raise
        if piece is None or window.current is None:
            return False
        self._piece, self._keep = piece, window.current.keep
        window.fill()  # the pieces behind it travel while this one is being sent
        return True

    def _block(self) -> bytes:
        piece, keep = self._piece, self._keep
        cut = min(keep.start + self._yield_size, keep.stop)
        block = piece[keep.start : cut]  # a whole piece is handed on as it is, without a copy
        self._keep = ByteRange(cut, keep.stop)
        if cut == keep.stop:
            self._piece = b""
        self.sent += len(block)
        return block

    def _assert_complete(self) -> None:
        """A short stream is an exception, never a quiet end."""
        if self.sent != self.plan.span.length:
            raise Damaged(f"The stream ended after {self.sent} of {self.plan.span.length} bytes.")
