"""Bytes on their way out: admission, then all rows, then a stream that knows none of us.

What `open` returns outlives the request. It holds a plan, a store client and a place among the transfers: plain
data, nothing that leads to Flask or to the database. Damage that it meets goes into a queue, which upkeep empties into
the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Lock
from time import monotonic

from db import Database
from db.stored.contents import Contents
from errors import ClientGone, Damaged, StoreError
from gateway.limits import Limits
from gateway.moving.rates import Pace, Rates
from gateway.moving.transfer import UNKNOWN, Connection, Subject, Visitor
from gateway.moving.transfers import Transfers
from model import ByteRange, Client, File, Folder, User, Wait
from storage.base import ChunkStore
from streaming.plan import plan
from streaming.read import DamageReport, VerifiedStream
from streaming.stored_archive import ArchiveStream, StoredArchive

Stream = VerifiedStream | ArchiveStream

STEP = 0.5
"""The longest wait, in seconds, without asking whether anyone still wants the bytes."""


class Download(Iterator[bytes]):
    """A running download. `close()` must be called, and may be called more than once and from any thread."""

    def __init__(
        self,
        stream: Stream,
        connection: Connection,
        pace: Pace,
        *,
        gone: Callable[[], bool],
        leave: Callable[[Connection, str], None],
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._pace = pace
        self._gone = gone
        self._leave = leave
        self._closing = Lock()  # the server's thread and its watchdog may both close; the place is left once
        self._closed = Event()
        self._failure: str | None = None
        self._next: bytes | None = None  # in hand, until the rates let it go
        self._given = 0
        self.span = connection.span

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else "running"
        return f"<Download {state} {self.sent} of {self.span.length} bytes, {self._connection.transfer!r}>"

    @property
    def sent(self) -> int:
        """Bytes that the reader has taken, as far as the server tells."""
        return self._connection.moved

    @property
    def outcome(self) -> str:
        """How it ended, when it has."""
        if self._failure is not None:
            return f"failed: {self._failure}"
        if self._connection.transfer.cancelled:
            return "cancelled"
        return "complete" if self.sent == self.span.length else "client left"

    def start(self) -> None:
        """Have the first verified piece in hand. Raises StoreError, Damaged or ClientGone."""
        with self._noting_failure():
            self._stream.start()

    def __next__(self) -> bytes:
        """The next block, waited for until the rates allow it. Raises StoreError, Damaged or ClientGone."""
        with self._noting_failure():
            block = next(self._stream)
        while (until := self._held_until() or self._pace.ask(len(block))) is not None:
            self._closed.wait(max(0.0, min(STEP, until - monotonic())))
            if self._closed.is_set() or self._gone():
                raise ClientGone("The client went away.")
        self._given += len(block)
        self._connection.has_moved(self._given)
        return block

    def started(self, wake: Callable[[], None]) -> None:
        """From now on it is polled, and `wake` has that done soon."""
        self._connection.wake = wake

    def poll(self, left: int) -> bytes | Wait | None:
        """`VerifiedStream.poll`, at the rates that are allowed."""
        self._connection.has_moved(self._given - left)
        until = self._held_until()
        if until is not None:
            return Wait(until)
        if self._next is None:
            with self._noting_failure():
                found = self._stream.poll(left)
            if not isinstance(found, bytes):
                return found
            self._next = found
        block = self._next[: self._pace.block]  # when it is polled, a stream gives a whole piece
        until = self._pace.ask(len(block))
        if until is not None:
            return Wait(until)
        self._next = self._next[len(block) :] or None
        self._given += len(block)
        return block

    def _held_until(self) -> float | None:
        """When a pause ends, at the latest; None while there is none. Raises ClientGone when it was cancelled."""
        transfer = self._connection.transfer
        if transfer.cancelled:
            raise ClientGone("The download was cancelled.")
        return transfer.paused_until if transfer.paused else None

    def close(self) -> None:
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
        try:
            self._stream.close()
        finally:
            self._pace.close()
            self._leave(self._connection, "partial" if self.outcome == "complete" else self.outcome)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, Damaged) as error:
            self._failure = str(error)
            raise


class Downloads:
    def __init__(self, database: Database, store: ChunkStore, limits: Limits, transfers: Transfers) -> None:
        self._contents = Contents(database)
        self._store = store
        self._transfers = transfers
        self._rates = Rates(limits.user_rate, limits.total_rate, limits.yield_size)
        self._damage: SimpleQueue[DamageReport] = SimpleQueue()

    def open(
        self,
        user: User,
        file: File,
        span: ByteRange,
        *,
        client: Client = UNKNOWN,
        gone: Callable[[], bool],
        visitor: Visitor | None = None,
    ) -> Download:
        """A download of `span` whose first piece is verified and in hand; it may have waited in line before.

        `gone` is asked, about twice a second while we wait, whether the client has left. Raises AtCapacity; NotFound
        when the contents were replaced meanwhile; ClientGone; Gone when it is cancelled; StoreError or Damaged when the
        first piece cannot be had. A `visitor` has places and rates of their own, and those of the share.
        """

        def stream(over: Callable[[], bool]) -> VerifiedStream:
            planned = plan(self._contents.part(file.content_id, span), span)
            return VerifiedStream(
                planned,
                self._store,
                yield_size=self._rates.block_size(visitor),
                gone=over,
                report=self._damage.put,
            )

        return self._open(Subject.download(user, file, visitor), span, stream, client, gone)

    def open_archive(
        self,
        user: User,
        folder: Folder,
        archive: StoredArchive,
        span: ByteRange,
        *,
        client: Client = UNKNOWN,
        gone: Callable[[], bool],
        visitor: Visitor | None = None,
    ) -> Download:
        """The same of a folder's archive: one transfer, with one place, as long as the folder stays as it is."""

        def stream(over: Callable[[], bool]) -> ArchiveStream:
            return ArchiveStream(
                archive,
                span,
                self._store,
                yield_size=self._rates.block_size(visitor),
                gone=over,
                report=self._damage.put,
            )

        subject = Subject.archive(user, folder, archive.digest, archive.size, visitor)
        return self._open(subject, span, stream, client, gone)

    def _open(
        self,
        subject: Subject,
        span: ByteRange,
        make: Callable[[Callable[[], bool]], Stream],
        client: Client,
        gone: Callable[[], bool],
    ) -> Download:
        """`make` gives the stream once there is a place for it, with what it asks whether it is over."""
        connection = self._transfers.join(subject, client, span)

        def over() -> bool:
            return connection.transfer.cancelled or gone()

        try:
            self._transfers.admit(connection, over)
            stream = make(over)
        except BaseException:
            self._transfers.leave(connection, "refused")
            connection.transfer.require_wanted()
            raise
        pace = self._rates.pace(subject.party, connection.number)
        download = Download(stream, connection, pace, gone=over, leave=self._transfers.leave)
        try:
            download.start()
        except BaseException:
            download.close()
            connection.transfer.require_wanted()
            raise
        self._transfers.begun(connection)
        return download

    def note_damage(self, report: DamageReport) -> None:
        """For whoever else reads through the gate, on any thread; it is written down later.

        Streams that outlive their request get the queue's own `put`: what is bound to us leads to the database.
        """
        self._damage.put(report)

    def damage(self) -> Iterator[DamageReport]:
        """The damage noted since this was last asked."""
        while True:
            try:
                yield self._damage.get_nowait()
            except Empty:
                return
