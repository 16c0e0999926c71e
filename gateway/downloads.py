"""Bytes on their way out: admission, then all rows, then a stream that knows none of us.

What `open` returns outlives the request. It holds a plan, a store client and a place in line: plain data, nothing that
leads to Flask or to the database. Damage that it meets goes into a queue, which upkeep empties into the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock

from db import Database
from db.contents import Contents
from errors import AtCapacity
from model import ByteRange, File, User, Wait
from storage.base import ChunkStore
from streaming.plan import plan
from streaming.read import DamageReport, VerifiedStream


class Admission:
    """How many downloads run, in all and per user. The lock: two requests may ask for the last place at once."""

    def __init__(self, most: int, most_per_user: int) -> None:
        self._most = most
        self._most_per_user = most_per_user
        self._running: Counter[int] = Counter()
        self._lock = Lock()

    def enter(self, user_id: int) -> None:
        """Raises AtCapacity."""
        with self._lock:
            if self._running[user_id] >= self._most_per_user:
                raise AtCapacity(
                    f"You have {self._most_per_user} downloads running, which is the most. Wait for one to end."
                )
            if self._running.total() >= self._most:
                raise AtCapacity("All places for downloads are taken. Try again in a few seconds.")
            self._running[user_id] += 1

    def leave(self, user_id: int) -> None:
        with self._lock:
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]

    @property
    def running(self) -> int:
        with self._lock:
            return self._running.total()


class Download(Iterator[bytes]):
    """A running download. `close()` must be called, and may be called more than once and from any thread."""

    def __init__(
        self, stream: VerifiedStream, file: File, span: ByteRange, leave: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._leave = leave
        self._closing = Lock()  # the server's thread and its watchdog may both close; the place is left once
        self._closed = False
        self.file = file
        self.span = span
        self.sent = 0
        """Bytes handed on so far."""

    def __repr__(self) -> str:
        state = "closed" if self._closed else "running"
        return f"<Download {state} file={self.file.id} sent={self.sent} of {self.span.length} bytes>"

    def __next__(self) -> bytes:
        block = next(self._stream)
        self.sent += len(block)
        return block

    def poll(self, left: int) -> bytes | Wait | None:
        """`VerifiedStream.poll`."""
        block = self._stream.poll(left)
        if isinstance(block, bytes):
            self.sent += len(block)
        return block

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
        try:
            self._stream.close()
        finally:
            self._leave()


class Downloads:
    def __init__(
        self, database: Database, store: ChunkStore, *, yield_size: int, most: int, most_per_user: int
    ) -> None:
        self._contents = Contents(database)
        self._store = store
        self._yield_size = yield_size
        self._admission = Admission(most, most_per_user)
        self._damage: SimpleQueue[DamageReport] = SimpleQueue()

    @property
    def running(self) -> int:
        return self._admission.running

    def open(self, user: User, file: File, span: ByteRange, *, gone: Callable[[], bool]) -> Download:
        """A download of `span` whose first piece is verified and in hand.

        `gone` is asked, about twice a second while we wait for the store, whether the client has left. Raises
        AtCapacity; NotFound when the contents were replaced meanwhile; StoreError or Damaged when the first piece
        cannot be had.
        """
        self._admission.enter(user.id)
        leave = self._admission.leave
        try:
            chosen = plan(self._contents.part(file.content_id, span), span)
            stream = VerifiedStream(
                chosen, self._store, yield_size=self._yield_size, gone=gone, report=self._damage.put
            )
            download = Download(stream, file, span, partial(leave, user.id))
        except BaseException:
            leave(user.id)
            raise
        try:
            stream.start()
        except BaseException:
            download.close()
            raise
        return download

    def damage(self) -> Iterator[DamageReport]:
        """The damage met since this was last asked."""
        while True:
            try:
                yield self._damage.get_nowait()
            except Empty:
                return
