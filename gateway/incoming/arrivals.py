"""How a part of an upload is taken in: one writer at a time, staged, measured in order, handed to transit, finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from time import monotonic
from uuid import UUID

from db import Database
from db.incoming.uploads import Uploads as Rows
from errors import AtCapacity, Busy, ChecksumMismatch, Gone, NotFound
from gateway.incoming.finishing import Finishing
from gateway.incoming.transit import Transit, chunk_span
from gateway.incoming.writer import Writer
from model import ByteRange, File, Upload
from storage.base import ChunkStore
from streaming.body import Body
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
        body: Body,
        arrived: Callable[[int], None],
        *,
        acknowledged: bool = True,
    ) -> None:
        """Stage the next bytes; measure them, and send each chunk on as it becomes complete.

        Their offset is durable on return when it will be `acknowledged`; otherwise nobody can go on from it, and it is
        kept for `PUT_LIFE` only. `arrived` is told how many of the bytes are on the disk.
        """
        life = LIFE if acknowledged else PUT_LIFE
        at, stop = upload.offset, body.span.stop

        def reach(offset: int) -> None:
            nonlocal at
            self._rows.advance(upload.id, at, offset, datetime.now(UTC) + life, durable=acknowledged)
            at = offset
            arrived(at - upload.offset)

        def chunk_complete(index: int) -> None:
            chunk = chunk_span(upload, index)
            reach(chunk.stop)
            begun = max(upload.offset, chunk.start)
            self._transit.send(upload, index, partial(writer.measure, begun=begun, pieces=body.pieces))

        self.send_complete(upload)
        self._staging.receive(
            upload.id, body, total=upload.length, chunk_size=upload.chunk_size,
            wait=ROOM_WAIT, wanted=writer.wanted, on_chunk=chunk_complete,
        )  # fmt: skip
        if at < stop:
            reach(stop)
            self._measure_begun(upload, writer, body)

    def _measure_begun(self, upload: Upload, writer: Writer, body: Body) -> None:
        """What the body brought of the chunk that it leaves unfinished: while the client goes on sending."""
        stop = body.span.stop
        index = stop // upload.chunk_size
        chunk = chunk_span(upload, index)
        part = ByteRange(max(body.span.start, chunk.start), stop)
        source = self._staging.source(upload.id, index)
        self._transit.meanwhile(partial(writer.measure_ahead, source, chunk, part, body.pieces))

    def take_again(self, upload: Upload, body: Body) -> None:
        """The last byte comes again, because it was not acknowledged: it must be the byte that is staged."""
        (again,) = body.blocks(1)
        last = (upload.length - 1) // upload.chunk_size
        end = chunk_span(upload, last).length
        if again != self._staging.source(upload.id, last)(ByteRange(end - 1, end)):
            raise ChecksumMismatch(
                "The last byte is not the one that was sent before. Begin the upload again."
            )
        body.prove()
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
        finished = self._finishing.finish(upload, writer.sha256(upload.length), until, writer.wanted)
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
        # Before the rows: an upload that begins in between is then in neither.
        staged = self._staging.uploads()
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
            begun = upload.offset // upload.chunk_size
            # Also what a killed request left behind the offset, which then stands where the chunk begins.
            freed = [index for index in self._staging.parts(upload.id) if index >= begun]
            if upload.offset == upload.length or not freed:
                continue
            try:
                with self.writing(upload.id, wait=0):
                    self._rows.rewind(upload.id, begun)
                    for index in freed:
                        self._staging.drop(upload.id, index)
            except (Busy, NotFound, Gone):
                continue  # its client is here, or it has ended

    def close(self) -> None:
        self._transit.close()

    def _forget(self, upload_id: UUID) -> None:
        self._transit.forget(upload_id)
        with self._lock:
            self._writers.pop(upload_id, None)
