"""The arithmetic of a download, over random files and spans."""

from __future__ import annotations

import hashlib
from itertools import accumulate
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import MIB, ByteRange, Chunk, Locator, StoredFile, StoredPart
from streaming.plan import piece_reads, plan

CHUNK_SIZES = st.lists(st.integers(1, 40), max_size=12)


def file_of(sizes: list[int], piece_size: int) -> StoredFile:
    offsets = accumulate(sizes, initial=0)
    chunks = tuple(
        Chunk(
            index,
            offset,
            size,
            bytes(32),
            0,
            bytes(32 * -(-size // piece_size)),
            Locator(1, index),
            piece_size,
        )
        for index, (offset, size) in enumerate(zip(offsets, sizes, strict=False))
    )
    return StoredFile(UUID(int=1), sum(sizes), bytes(32), None, 0, chunks)


@given(CHUNK_SIZES, st.integers(1, 9), st.data())
def test_the_kept_bytes_are_the_span_each_once_and_in_order(
    sizes: list[int], piece_size: int, data: st.DataObject
) -> None:
    file = file_of(sizes, piece_size)
    start = data.draw(st.integers(0, file.size))
    span = ByteRange(start, data.draw(st.integers(start, file.size)))
    kept: list[int] = []
    for part in plan(file, span).slices:
        assert part.span.length
        for read in piece_reads(part):
            whole = read.chunk.piece_span(read.piece)
            assert read.keep.length
            assert read.keep.stop <= whole.length
            first = read.chunk.offset + whole.start
            kept.extend(range(first + read.keep.start, first + read.keep.stop))
    assert kept == list(range(span.start, span.stop))


@given(CHUNK_SIZES, st.data())
def test_a_plan_touches_no_chunk_that_it_does_not_need(sizes: list[int], data: st.DataObject) -> None:
    file = file_of(sizes, 4)
    start = data.draw(st.integers(0, file.size))
    span = ByteRange(start, data.draw(st.integers(start, file.size)))
    needed = [chunk for chunk in file.chunks if chunk.span.within(span).length]
    assert [part.chunk for part in plan(file, span).slices] == needed


@given(CHUNK_SIZES.filter(bool), st.data())
def test_the_chunks_that_a_span_touches_are_enough_to_plan_it(sizes: list[int], data: st.DataObject) -> None:
    file = file_of(sizes, 4)
    start = data.draw(st.integers(0, file.size - 1))
    span = ByteRange(start, data.draw(st.integers(start + 1, file.size)))
    touched = tuple(chunk for chunk in file.chunks if chunk.span.within(span).length)
    assert plan(StoredPart(file.uuid, touched), span) == plan(file, span)
    for lacking in (touched[1:], touched[:-1]):
        with pytest.raises(ValueError, match="reaches past"):
            plan(StoredPart(file.uuid, lacking), span)


def test_a_part_with_a_gap_is_none() -> None:
    first, _, last = file_of([3, 3, 3], 4).chunks
    with pytest.raises(ValueError, match="out of place"):
        StoredPart(UUID(int=1), (first, last))


def test_a_span_past_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="reaches past"):
        plan(file_of([3, 3], 4), ByteRange(0, 7))


def test_a_plan_of_100_gib_has_every_chunk_and_begins_in_the_first_piece() -> None:
    size, count = 64 * MIB, 1600
    pieces = hashlib.sha256().digest() * 64
    chunks = tuple(Chunk(i, i * size, size, bytes(32), 0, pieces, Locator(1, i)) for i in range(count))
    file = StoredFile(UUID(int=1), size * count, bytes(32), None, 0, chunks)
    chosen = plan(file, ByteRange(1, file.size - 1))
    assert len(chosen.slices) == count
    assert next(piece_reads(chosen.slices[0])).keep == ByteRange(1, MIB)
