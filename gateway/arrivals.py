"""How a part of an upload is taken in: one writer at a time, staged, measured in order, handed to transit, finished."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import BinaryIO
from uuid import UUID

from db import Database
from db.uploads import Uploads as Rows
from errors import AtCapacity, Busy, ChecksumMismatch, Gone, NotFound
from gateway.finishing import Finishing
from gateway.transit import Transit, chunk_span
from model import PIECE_SIZE, ByteRange, File, Upload
from storage.base import ChunkStore, Source
from streaming.digests import ChunkDigests, measure
from streaming.staging import Staging

LIFE = timedelta(days=7)
"""How long an upload may rest between two parts before it expires."""
PUT_LIFE = timedelta(minutes=10)
"""How long what a plain PUT left behind is kept after a crash: nobody can go on with it; its client sends it anew."""
REST = timedelta(hours=1)
"""How long an upload keeps its begun chunk on disk for certain; past that the room may be taken for others."""
REST_WHEN_WAITED_FOR = timedelta(minutes=2)
"""The same while somebody waits for room: longer than a slow line needs for one part."""
ROOM_WAIT = 50.0
"""Seconds that a part waits for room in staging: under the minute after which proxies and browsers give up."""
WRITER_WAIT = 2.0
"""Seconds that a request waits for another, or upkeep, to let go of its upload."""


class Writer:
    """What this process knows of an upload that is being written: who writes, who wants to, and the hash of what was
    measured so far.

    The hash covers the bytes before `_measured`; it is lost with the process, and then upkeep makes the digest later.
    """

    def __init__(self) -> None:
        self._turn = Lock()  # one writer at a time, or two parts at one offset would mix
        self._wanting = 0
        self._counting = Lock()  # guards that number, which several requests change
        self._whole = hashlib.sha256()
        self._measured = 0

    def enter(self, wait: float) -> bool:
        """Become the one who writes; False when another still does after `wait` seconds, in which it is asked not to
        wait for anything itself. Who has no time asks for nothing.
        """
        if self._turn.acquire(blocking=False):
            return True
        with self._counting:
            self._wanting += 1
        try:
            return wait > 0 and self._turn.acquire(timeout=wait)
        finally:
            with self._counting:
                self._wanting -= 1

    def leave(self) -> None:
        self._turn.release()

    def wanted(self) -> bool:
        """Whether another request has come for this upload: whoever writes shall let go sooner than wait."""
        return self._wanting > 0

    def measure(self, source: Source, span: ByteRange) -> ChunkDigests:
        """The digests of the chunk at `span` of the file, which the whole's takes in if it is next in order."""
        if span.start < self._measured:  # the upload was set back: other bytes may come than before
            self._whole, self._measured = hashlib.sha256(), 0
        if span.start != self._measured:
            return measure(source, span.length, PIECE_SIZE)
        whole = self._whole.copy()  # so that an exception leaves no half of a chunk in it
        digests = measure(source, span.length, PIECE_SIZE, whole=whole)
        self._whole, self._measured = whole, span.stop
        return digests

    def sha256(self, length: int) -> bytes | None:
        """The whole's, if all its `length` bytes were measured in order."""
        return self._whole.digest() if self._measured == length else None


class Arrivals:
    def __init__(self, database: Database, store: ChunkStore, staging: Staging) -> None:
        self._rows = Rows(database)
        self._staging = staging
        self._transit = Transit(database, store, staging)
        self._finishing = Finishing(database, store, staging, self._transit)
        self._writers: dict[UUID, Writer] = {}
        self._lock = Lock()  # guards the dict of writers only

    def __repr__(self) -> str:
        return f"<Arrivals: {len(self._writers)} uploads, {self._transit!r}>"

    @contextmanager
    def writing(self, upload_id: UUID, wait: float = WRITER_WAIT) -> Iterator[Writer]:
        """Be the one who writes to this upload. Raises Busy when another still does after `wait` seconds."""
        with self._lock:
            writer = self._writers.setdefault(upload_id, Writer())
        if not writer.enter(wait):
            raise Busy("Another request is writing to this upload.")
        try:
            yield writer
        finally:
            writer.leave()

    def recall(self, upload_id: UUID) -> None:
        """Have whoever writes to this upload let go, if it only waits; one that has bytes in hand stages them first.

        Returns when it has, and after `WRITER_WAIT` seconds in any case.
        """
        with self._lock:
            writer = self._writers.get(upload_id)
        if writer is not None and writer.enter(WRITER_WAIT):
            writer.leave()

    def take(
        self,
        upload: Upload,
        writer: Writer,
        body: BinaryIO,
        length: int,
        checksum: bytes | None,
        arrived: Callable[[int], None],
        *,
        acknowledged: bool = True,
    ) -> None:
        """Stage the next `length` bytes; send each chunk on as it becomes complete.

        Their offset is durable on return when it will be `acknowledged`; otherwise nobody can go on from it, and it is
        kept for `PUT_LIFE` only. `arrived` is told how many of the bytes are on the disk.
        """
        expires = datetime.now(UTC) + (LIFE if acknowledged else PUT_LIFE)
        at, stop = upload.offset, upload.offset + length

        def reach(offset: int) -> None:
            nonlocal at
            self._rows.advance(upload.id, at, offset, expires, durable=acknowledged)
            at = offset
            arrived(at - upload.offset)

        def chunk_complete(index: int) -> None:
            reach(chunk_span(upload, index).stop)
            self._transit.send(upload, index, writer.measure)

        self.send_complete(upload)
        self._staging.receive(
            upload.id, upload.offset, body, length, total=upload.length, chunk_size=upload.chunk_size,
            wait=ROOM_WAIT, wanted=writer.wanted, checksum=checksum, on_chunk=chunk_complete,
        )  # fmt: skip
        if at < stop:
            reach(stop)

    def take_again(self, upload: Upload, body: BinaryIO, checksum: bytes | None) -> None:
        """The last byte comes again, because it was not acknowledged: it must be the byte that is staged."""
        again = body.read(1)
        last = (upload.length - 1) // upload.chunk_size
        end = chunk_span(upload, last).length
        if again != self._staging.source(upload.id, last)(ByteRange(end - 1, end)):
            raise ChecksumMismatch(
                "The last byte is not the one that was sent before. Begin the upload again."
            )
        if checksum is not None and hashlib.sha256(again).digest() != checksum:
            raise ChecksumMismatch("The bytes that arrived do not have the checksum that was sent with them.")
        self.send_complete(upload)

    def send_complete(self, upload: Upload) -> None:
        """Send every complete chunk that has no row: after a restart, or when an earlier try failed."""
        whole, begun = divmod(upload.offset, upload.chunk_size)
        complete = whole + bool(begun and upload.offset == upload.length)
        there = self._rows.indexes(upload.id) if complete else frozenset()
        for index in range(complete):
            if index not in there:
                self._transit.send(upload, index)

    def finish(self, upload: Upload, writer: Writer, wait: float) -> tuple[File, bool]:
        """Make it a file, which replaced another or did not, once its chunks have arrived.

        Raises AtCapacity when that takes more than `wait` seconds, and Busy when another request comes for it.
        """
        until = monotonic() + wait
        if not self._transit.wait(upload.id, wait, writer.wanted):
            raise AtCapacity(
                "All bytes are here; Telegram is still taking them. Send the last byte again to wait.", 1
            )
        finished = self._finishing.finish(upload, writer.sha256(upload.length), until)
        self._forget(upload.id)
        return finished

    def give_up(self, upload_id: UUID) -> None:
        """Abandon it; what is in transit goes to the trash when it arrives. Raises Busy, and Conflict when finished."""
        with self.writing(upload_id):
            self._rows.abandon(upload_id)
            self._staging.drop_all(upload_id)
        self._forget(upload_id)

    def in_transit(self, upload_id: UUID) -> bool:
        return self._transit.busy(upload_id)

    def free_leftovers(self) -> None:
        staged = (
            self._staging.uploads()
        )  # before the rows: an upload that begins in between is then in neither
        live = {upload.id for upload in self._rows.unfinished()}
        for upload_id in staged:
            if upload_id not in live and not self._transit.busy(upload_id):
                self._staging.drop_all(upload_id)

    def make_room(self) -> None:
        """Take back the begun chunks of uploads that rest, the longest first, while staging is more than half full.

        Their offset goes back to the chunk's start, which a client hears when it asks where to go on.
        """
        rested = datetime.now(UTC) - (REST_WHEN_WAITED_FOR if self._staging.waited_for else REST)
        resting = [upload for upload in self._rows.unfinished() if upload.expires_at - LIFE < rested]
        for upload in sorted(resting, key=lambda upload: upload.expires_at):
            if 2 * self._staging.held <= self._staging.limit:
                return
            if upload.offset == upload.length or not upload.offset % upload.chunk_size:
                continue
            try:
                with self.writing(upload.id, wait=0):
                    begun = upload.offset // upload.chunk_size
                    self._rows.rewind(upload.id, begun)
                    self._staging.drop(upload.id, begun)
            except (Busy, NotFound, Gone):
                continue  # its client is here, or it has ended

    def close(self) -> None:
        self._transit.close()

    def _forget(self, upload_id: UUID) -> None:
        self._transit.forget(upload_id)
        with self._lock:
            self._writers.pop(upload_id, None)
