"""Bytes at rest and the way to them: ranges, messages, chunks, contents, plans."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

MIB = 1 << 20
PIECE_SIZE = MIB
"""Bytes per verified piece: the block that Telegram's upload.getFile never crosses (core.telegram.org/api/files)."""
DIGEST_SIZE = 32
"""Bytes in a SHA-256 digest."""


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes `start` up to, not including, `stop`. It has no `__len__`: an empty range must not be falsy."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"not a range: {self.start}..{self.stop}")

    @property
    def length(self) -> int:
        return self.stop - self.start

    def within(self, other: ByteRange) -> ByteRange:
        """The part of this range that lies in `other`; empty (at an end of `other`) where they do not meet."""
        start = min(max(self.start, other.start), other.stop)
        return ByteRange(start, max(start, min(self.stop, other.stop)))


@dataclass(frozen=True, slots=True, order=True)
class Locator:
    """Where a message rests. Only the store that made it may interpret it; everyone else keeps it and hands it back.

    It holds nothing that expires: no access hash, no file reference.
    """

    channel: int
    message: int


@dataclass(frozen=True, slots=True)
class Label:
    """What a stored message says of itself; the store writes it into the caption (see docs/design.md).

    `attempt` makes another message of a chunk whose first message turned out bad.
    """

    kind: Literal["chunk", "manifest"]
    file: UUID
    index: int
    offset: int
    size: int
    sha256: bytes
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One message at rest. It carries its own offset in the file, so nothing assumes that chunks are equal.

    `pieces` is the SHA-256 digests of its pieces, 32 bytes each, end to end; a piece is `piece_size` bytes counted from
    the chunk's start, the last one shorter.
    """

    index: int
    offset: int
    size: int
    sha256: bytes
    crc32: int
    pieces: bytes
    locator: Locator
    piece_size: int = PIECE_SIZE

    def __post_init__(self) -> None:
        if self.size <= 0 or len(self.sha256) != DIGEST_SIZE:
            raise ValueError(f"not a chunk: {self.index}")
        if len(self.pieces) != DIGEST_SIZE * self.piece_count:
            raise ValueError(
                f"chunk {self.index} has {len(self.pieces)} digest bytes for {self.piece_count} pieces"
            )

    @property
    def span(self) -> ByteRange:
        """Its place in the file."""
        return ByteRange(self.offset, self.offset + self.size)

    @property
    def piece_count(self) -> int:
        return -(-self.size // self.piece_size)

    def piece_span(self, piece: int) -> ByteRange:
        """Where piece number `piece` lies, counted from the chunk's own start."""
        start = piece * self.piece_size
        return ByteRange(start, min(start + self.piece_size, self.size))

    def piece_digest(self, piece: int) -> bytes:
        return self.pieces[piece * DIGEST_SIZE : (piece + 1) * DIGEST_SIZE]


def tree_digest(chunks: tuple[Chunk, ...]) -> bytes:
    """SHA-256 over the piece digests of all chunks, in order: the file's identity, and its strong ETag."""
    tree = hashlib.sha256()
    for chunk in chunks:
        tree.update(chunk.pieces)
    return tree.digest()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's contents at rest. Complete by construction: chunks are contiguous from 0 and their sizes add up."""

    uuid: UUID
    size: int
    tree: bytes
    sha256: bytes | None
    crc32: int
    chunks: tuple[Chunk, ...]

    def __post_init__(self) -> None:
        _assert_contiguous(self.uuid, self.chunks, 0, 0)
        held = self.chunks[-1].span.stop if self.chunks else 0
        if held != self.size:
            raise ValueError(f"file {self.uuid}: chunks hold {held} of {self.size} bytes")


@dataclass(frozen=True, slots=True)
class StoredPart:
    """The chunks of a file's contents at rest that one span touches: whole chunks, contiguous, perhaps none.

    A download needs no more: the digests of 100 GiB are 3 MiB, which a seek must not read. `nearby` are messages of the
    same contents that the next seek is likely to want, nearest first.
    """

    uuid: UUID
    chunks: tuple[Chunk, ...]
    nearby: tuple[Locator, ...] = ()

    def __post_init__(self) -> None:
        if self.chunks:
            _assert_contiguous(self.uuid, self.chunks, self.chunks[0].index, self.chunks[0].offset)


def _assert_contiguous(uuid: UUID, chunks: tuple[Chunk, ...], index: int, offset: int) -> None:
    for chunk in chunks:
        if (chunk.index, chunk.offset) != (index, offset):
            raise ValueError(f"file {uuid}: chunk {index} is missing or out of place")
        index, offset = index + 1, offset + chunk.size


@dataclass(frozen=True, slots=True)
class ChunkSummary:
    """What people are told of a chunk: all of it but the digests of its pieces."""

    index: int
    offset: int
    size: int
    sha256: bytes
    crc32: int
    locator: Locator


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of contents beside what a File says, with some of the chunks; `next` is the index to go on from."""

    crc32: int
    piece_size: int
    stored_at: datetime
    chunks: tuple[ChunkSummary, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of one chunk that a plan wants; `span` is counted from the chunk's start and is never empty."""

    chunk: Chunk
    span: ByteRange


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The whole answer to a request, before any I/O: the slices, in order, add up to `span` of the file."""

    file: UUID
    span: ByteRange
    slices: tuple[Slice, ...]
    nearby: tuple[Locator, ...] = ()
    """As of a StoredPart."""

    def file_at(self, place: int) -> UUID:
        """The file whose bytes are `place` bytes behind the start: always this one."""
        return self.file


class Wait(NamedTuple):
    """Why a stream that is polled has no bytes now: ask again at `until` (time.monotonic(), perhaps infinite), or when
    `future` has ended, or when the reader has taken more of what it was given; whichever comes first.
    """

    until: float
    future: Future[bytes] | None = None
