"""Which bytes of which chunk and piece a request needs. Pure arithmetic: no I/O, no waiting."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol
from uuid import UUID

from model import ByteRange, Chunk, DownloadPlan, Locator, Slice, StoredFile, StoredPart


class Plan(Protocol):
    """What a stream has to know: a DownloadPlan, or bytes of many files, one after the other."""

    @property
    def span(self) -> ByteRange:
        """As long as the slices are together."""

    @property
    def slices(self) -> Iterable[Slice]:
        """In order; they can be gone through more than once, and may be made as that is done."""

    @property
    def nearby(self) -> tuple[Locator, ...]:
        """Messages that are not read, but may be by whoever asks next."""

    def file_at(self, place: int) -> UUID:
        """The file whose bytes are `place` bytes behind the start of the span."""


@dataclass(frozen=True, slots=True)
class PieceRead:
    """Read the whole of piece number `piece` of `chunk`, verify it, keep `keep` (counted from the piece's start)."""

    chunk: Chunk
    piece: int
    keep: ByteRange


def plan(file: StoredFile | StoredPart, span: ByteRange) -> DownloadPlan:
    """The slices of `file` that hold `span`: one for each chunk that it touches, none of them empty.

    Raises ValueError when `span` reaches past the chunks.
    """
    slices = tuple(_slices(file.chunks, span))
    held = sum(part.span.length for part in slices)
    if held != span.length:
        raise ValueError(f"{span} reaches past the chunks of file {file.uuid}, which hold {held} bytes of it")
    return DownloadPlan(file.uuid, span, slices, file.nearby if isinstance(file, StoredPart) else ())


def _slices(chunks: tuple[Chunk, ...], span: ByteRange) -> Iterator[Slice]:
    first = max(0, bisect_right(chunks, span.start, key=lambda chunk: chunk.offset) - 1)
    for chunk in islice(chunks, first, None):
        if chunk.offset >= span.stop:
            return
        wanted = span.within(chunk.span)
        if wanted.length:
            yield Slice(chunk, _shifted(wanted, -chunk.offset))


def piece_reads(part: Slice) -> Iterator[PieceRead]:
    """The pieces that `part` touches, in order, made one at a time: a plan of 100 GiB has 100,000 of them."""
    chunk, size = part.chunk, part.chunk.piece_size
    for piece in range(part.span.start // size, -(-part.span.stop // size)):
        whole = chunk.piece_span(piece)
        yield PieceRead(chunk, piece, _shifted(part.span.within(whole), -whole.start))


def whole_piece(chunk: Chunk, piece: int) -> PieceRead:
    """The read that keeps all of a piece."""
    return PieceRead(chunk, piece, ByteRange(0, chunk.piece_span(piece).length))


def _shifted(span: ByteRange, by: int) -> ByteRange:
    return ByteRange(span.start + by, span.stop + by)
