"""Files at rest in a store, with pieces and chunks so tiny that every border is near."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from uuid import UUID

from errors import Transient
from model import ByteRange, Chunk, Label, Locator, StoredFile, tree_digest
from storage.base import ChunkClient, ChunkStore, Read, Source, StoreHealth
from streaming.digests import file_crc32, measure

FILE = UUID(int=7)
PIECE = 4


def text(size: int, seed: int = 1) -> bytes:
    """Bytes in which no piece looks like another."""
    return random.Random(seed).randbytes(size)


def reading(data: bytes) -> Source:
    return lambda span: data[span.start : span.stop]


def stored(store: ChunkStore, data: bytes, sizes: Sequence[int], piece_size: int = PIECE) -> StoredFile:
    """`data` in chunks of these sizes."""
    chunks: list[Chunk] = []
    offset = 0
    for index, size in enumerate(sizes):
        source = reading(data[offset : offset + size])
        seen = measure(source, size, piece_size)
        locator = store.put(Label("chunk", FILE, index, offset, size, seen.sha256), source)
        chunks.append(Chunk(index, offset, size, seen.sha256, seen.crc32, seen.pieces, locator, piece_size))
        offset += size
    whole = tuple(chunks)
    return StoredFile(FILE, len(data), tree_digest(whole), None, file_crc32(whole), whole)


class WatchedStore(ChunkStore):
    """Answers the first `answers` reads at once and the others never; keeps the future of every read."""

    def __init__(self, inner: ChunkStore, *, answers: int = 0, window: int = 3) -> None:
        self.inner = inner
        self.answers = answers
        self.window = window
        self.reads: list[Future[bytes]] = []
        self.clients: list[WatchedClient] = []

    @property
    def in_flight(self) -> int:
        return sum(not future.done() for future in self.reads)

    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        return self.inner.put(label, source, after)

    def find(self, label: Label, after: Locator | None) -> Locator | None:
        return self.inner.find(label, after)

    def missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        return self.inner.missing(locators)

    def delete(self, locators: Sequence[Locator]) -> None:
        self.inner.delete(locators)

    def client(self) -> ChunkClient:
        self.clients.append(WatchedClient(self))
        return self.clients[-1]

    def health(self) -> StoreHealth:
        return self.inner.health()

    @property
    def max_chunk_size(self) -> int:
        return self.inner.max_chunk_size

    def close(self) -> None:
        self.inner.close()


class WatchedClient(ChunkClient):
    def __init__(self, store: WatchedStore) -> None:
        self._store = store
        self._reads: list[Read] = []
        self.closed = False

    @property
    def window(self) -> int:
        return self._store.window

    def read(self, locator: Locator, span: ByteRange, *, attempt: int = 0) -> Read:
        future = Read()
        self._reads.append(future)
        self._store.reads.append(future)
        with suppress(InvalidStateError):  # cancelled by `close` meanwhile
            if self.closed:
                future.set_exception(Transient("The stream was closed."))
            elif len(self._store.reads) <= self._store.answers:
                future.set_result(self._store.inner.client().read(locator, span, attempt=attempt).result(5))
        return future

    def close(self) -> None:
        self.closed = True
        for future in self._reads:
            future.cancel()
