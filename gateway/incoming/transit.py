"""Chunks on their way from staging to the store, a few at a time, each announced before it is sent.

The order makes a crash harmless at every step: the intent is durable before the message can exist, the chunk's row is
durable before its staged bytes go. So a message is always known, by a row or by an intent that finds it. Pieces of it
are read back while its bytes are staged still, so that a bad one is stored again without anybody's help.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore, Lock
from time import monotonic
from uuid import UUID

from db import Database
from db.incoming.uploads import Uploads as Rows
from db.stored.messages import Messages
from errors import ChunkCorrupt, StoreError
from model import PIECE_SIZE, ByteRange, Chunk, Label, Locator, Upload
from storage.base import ChunkStore, Source
from streaming.digests import ChunkDigests, measure
from streaming.room import STEP, never, superseded
from streaming.staging import Staging
from streaming.write import read_back, sampled, share

log = logging.getLogger(__name__)

CARRIERS = 4
"""Chunks in flight to the store at a time, of all uploads; as many more may be on their way back."""
TRIES = 3
"""How often a chunk that comes back wrong is stored while its bytes are still staged."""


def chunk_span(upload: Upload, index: int) -> ByteRange:
    """Where chunk `index` of the upload lies in the file."""
    start = index * upload.chunk_size
    return ByteRange(start, min(start + upload.chunk_size, upload.length))


def _measured(source: Source, span: ByteRange) -> ChunkDigests:
    return measure(source, span.length, PIECE_SIZE)


class Transit:
    def __init__(self, database: Database, store: ChunkStore, staging: Staging) -> None:
        self._rows = Rows(database)
        self._messages = Messages(database)
        self._store = store
        self._staging = staging
        self._carriers = ThreadPoolExecutor(2 * CARRIERS, thread_name_prefix="transit")
        self._lanes = BoundedSemaphore(CARRIERS)  # to the store; who reads back leaves it to the next
        # One thread, so that the chunks of a file are measured in the order in which they were sent.
        self._measuring = ThreadPoolExecutor(1, thread_name_prefix="measuring")
        # `send` is called by requests and by upkeep; a chunk must not be carried twice at once.
        self._lock = Lock()
        self._moving: dict[UUID, dict[int, Future[None]]] = {}
        self._posting: Counter[UUID] = Counter()
        """Messages that are being put, of which a manifest is in nothing else here."""
        self._seen: dict[UUID, set[Locator]] = {}
        """Chunks that came back as they were stored."""
        self._newest: Locator | None = None
        """A message that is there, so it is older than those to come; which one of them does not matter."""

    def __repr__(self) -> str:
        return f"<Transit: {sum(map(len, self._moving.values()))} chunks of {len(self._moving)} uploads>"

    def send(
        self, upload: Upload, index: int, measured: Callable[[Source, ByteRange], ChunkDigests] = _measured
    ) -> None:
        """Carry a complete staged chunk to the store. Does nothing for a chunk that is on its way or there already.

        `measured` gives its digests; it is called while the client goes on sending, in the order of the calls of this.
        """
        with self._lock:
            moving = self._moving.setdefault(upload.id, {})
            before = moving.get(index)
            if before is None or (before.done() and before.exception() is not None):
                source, span = self._staging.source(upload.id, index), chunk_span(upload, index)
                digests = self._measuring.submit(measured, source, span)
                moving[index] = self._carriers.submit(self._carry, upload, index, digests)

    def meanwhile(self, measure: Callable[[], None]) -> None:
        """Have this done, in order with what is measured of complete chunks."""
        self._measuring.submit(measure)

    def busy(self, upload_id: UUID) -> bool:
        """Whether a chunk or manifest of this upload may be about to appear in the store."""
        with self._lock:
            moving = self._moving.get(upload_id, {}).values()
            return self._posting[upload_id] > 0 or any(not future.done() for future in moving)

    def unseen(self, upload_id: UUID, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """Those of which nothing was read back: an earlier run stored them, or the store could not be asked then."""
        with self._lock:
            seen = self._seen.get(upload_id, ())
            return tuple(chunk for chunk in chunks if chunk.locator not in seen)

    def wait(self, upload_id: UUID, seconds: float, wanted: Callable[[], bool] = never) -> bool:
        """Wait until every chunk that was sent has arrived; False when they need longer.

        Raises what the first failed chunk raised, without waiting for the others; and Busy soon after the upload is
        `wanted` by another request.
        """
        deadline = monotonic() + seconds
        with self._lock:
            futures = list(self._moving.get(upload_id, {}).values())
        while futures:
            left = max(0.0, deadline - monotonic())
            done, rest = wait(futures, timeout=min(STEP, left), return_when="FIRST_COMPLETED")
            for future in done:
                future.result()
            if rest and not done:
                if wanted():
                    raise superseded()
                if left <= STEP:
                    return False
            futures = list(rest)
        return True

    def forget(self, upload_id: UUID) -> None:
        """Drop what is remembered of chunks that have arrived or failed; those still moving go as they end."""
        with self._lock:
            rest = {i: f for i, f in self._moving.pop(upload_id, {}).items() if not f.done()}
            if rest:
                self._moving[upload_id] = rest
            else:
                self._seen.pop(upload_id, None)
        for index, future in rest.items():  # outside the lock: one that ends meanwhile calls back at once
            future.add_done_callback(partial(self._drop, upload_id, index))

    def _drop(self, upload_id: UUID, index: int, ended: Future[None]) -> None:
        with self._lock:
            rest = self._moving.get(upload_id, {})
            if rest.get(index) is ended:  # and not one that was sent since
                del rest[index]
            if not rest:
                self._moving.pop(upload_id, None)
                self._seen.pop(upload_id, None)

    def close(self) -> None:
        for pool in (self._measuring, self._carriers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _carry(self, upload: Upload, index: int, measured: Future[ChunkDigests]) -> None:
        digests = measured.result()
        span = chunk_span(upload, index)
        # The last chunk stays until the file is visible: its last byte may come again.
        staged_goes = span.stop < upload.length
        for _ in range(TRIES):
            with self._lanes:
                chunk = self._store_chunk(upload, index, span, digests, durable=staged_goes)
            if self._came_back(upload, chunk):
                break
            log.warning("upload %s: chunk %d came back other than it was stored", upload.id, index)
            self._rows.discard_chunk(upload.id, index)
        else:
            raise ChunkCorrupt("Telegram gave back other bytes than it was given. Send the last part again.")
        if staged_goes:
            self._staging.drop(upload.id, index)
        log.debug("upload %s: chunk %d of %d bytes is stored", upload.id, index, span.length)

    def _store_chunk(
        self, upload: Upload, index: int, span: ByteRange, digests: ChunkDigests, *, durable: bool
    ) -> Chunk:
        """Its message, and then its row; of an upload that has ended meanwhile, the message goes to the trash."""
        discarded = self._rows.get(upload.id).discarded
        label = Label("chunk", upload.id, index, span.start, span.length, digests.sha256, attempt=discarded)
        chunk = Chunk(
            index=index,
            offset=span.start,
            size=span.length,
            sha256=digests.sha256,
            crc32=digests.crc32,
            pieces=digests.pieces,
            locator=self.deliver(upload.id, label, self._staging.source(upload.id, index)),
            piece_size=PIECE_SIZE,
        )
        self._rows.stored(upload.id, label, chunk, durable=durable)
        return chunk

    def _came_back(self, upload: Upload, chunk: Chunk) -> bool:
        """Whether what was read back of it is what was stored; also when nothing could be, which is left to the end."""
        try:
            if read_back(self._store, sampled((chunk,), share(chunk, upload.length))):
                return False
        except StoreError as error:
            log.info("upload %s: chunk %d is read back later: %s", upload.id, chunk.index, error)
        else:
            with self._lock:
                self._seen.setdefault(upload.id, set()).add(chunk.locator)
        return True

    def deliver(self, upload_id: UUID, label: Label, source: Source) -> Locator:
        """Announce, then store. A message that an earlier try may have left is looked for first."""
        with self._posting_for(upload_id):
            after = self._newest = self._newest or self._messages.newest()
            if not self._rows.intend(upload_id, label, after):
                after = next(after for known, after in self._rows.intents(upload_id) if known == label)
                found = self._store.find(label, after)
                if found is not None:
                    return found
            locator = self._newest = self._store.put(label, source, after)
            return locator

    @contextmanager
    def _posting_for(self, upload_id: UUID) -> Iterator[None]:
        with self._lock:
            self._posting[upload_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._posting -= Counter({upload_id: 1})  # keeps no zeros
