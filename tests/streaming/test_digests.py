"""Digests of a chunk, and checksums put together."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import ByteRange
from storage.memory import MemoryStore
from streaming.digests import Measuring, crc32_combine, measure
from tests.streaming.at_rest import reading, stored, text


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_two_checksums_make_the_checksum_of_both(one: bytes, two: bytes) -> None:
    assert crc32_combine(zlib.crc32(one), zlib.crc32(two), len(two)) == zlib.crc32(one + two)


def test_the_length_of_a_part_may_be_far_past_memory() -> None:
    tail = bytes(5 << 20)
    step = crc32_combine(zlib.crc32(b"x"), zlib.crc32(tail), len(tail))
    twice = crc32_combine(step, zlib.crc32(tail), len(tail))
    both = crc32_combine(zlib.crc32(tail), zlib.crc32(tail), len(tail))
    assert crc32_combine(zlib.crc32(b"x"), both, 2 * len(tail)) == twice
    assert 0 <= crc32_combine(1, 2, 1 << 50) < 1 << 32


@given(st.lists(st.integers(1, 40), max_size=10))
def test_the_checksum_of_a_file_comes_from_its_chunks(sizes: list[int]) -> None:
    data = text(sum(sizes))
    assert stored(MemoryStore(), data, sizes).crc32 == zlib.crc32(data)


@given(st.binary(min_size=1, max_size=50), st.integers(1, 9))
def test_a_chunk_is_measured_whole_and_by_piece(data: bytes, piece_size: int) -> None:
    digests = measure(reading(data), len(data), piece_size)
    assert digests.sha256 == hashlib.sha256(data).digest()
    assert digests.crc32 == zlib.crc32(data)
    pieces = [data[at : at + piece_size] for at in range(0, len(data), piece_size)]
    assert digests.pieces == b"".join(hashlib.sha256(piece).digest() for piece in pieces)


@given(st.binary(min_size=1, max_size=50), st.lists(st.integers(1, 49), max_size=4), st.integers(1, 9))
def test_a_chunk_that_is_measured_as_it_comes_has_the_same_digests(
    data: bytes, cuts: list[int], piece_size: int
) -> None:
    start, whole = 3 * piece_size, hashlib.sha256(b"before")
    known = {
        start + at: hashlib.sha256(data[at : at + piece_size]).digest()
        for at in range(0, len(data) - piece_size + 1, 2 * piece_size)
    }
    measuring = Measuring(start, piece_size, whole)
    for stop in [*sorted({min(cut, len(data)) for cut in cuts}), len(data)]:
        measuring.read(reading(data), stop, known)
    assert measuring.digests() == measure(reading(data), len(data), piece_size)
    assert whole.digest() == hashlib.sha256(b"before" + data).digest()


def test_the_first_chunk_of_a_file_begins_the_digest_of_the_whole() -> None:
    measuring = Measuring(0, 4, hashlib.sha256())
    measuring.read(reading(b"first chunk"), 11)
    assert measuring.whole is not None
    assert measuring.whole.digest() == measuring.digests().sha256 == hashlib.sha256(b"first chunk").digest()


def test_a_source_that_gives_too_little_is_not_measured() -> None:
    def short(span: ByteRange) -> bytes:
        return bytes(span.length - 1)

    with pytest.raises(ValueError, match="the source gave"):
        measure(short, 10, 4)
