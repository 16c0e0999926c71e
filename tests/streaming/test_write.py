"""The look back at chunks that were written."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ClientGone, Permanent, Transient
from model import ByteRange, Locator
from storage.memory import MemoryStore
from streaming.write import READ_BACK_PIECES, read_back, sampled, share
from tests.streaming.at_rest import WatchedStore, stored, text

DATA = text(50)
SIZES = (9, 1, 16, 24)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    built = MemoryStore()
    yield built
    built.close()


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(1, 70), st.integers())
def test_a_sample_is_all_or_the_ends_and_each_chunk_as_far_as_it_goes(
    sizes: list[int], budget: int, seed: int
) -> None:
    file = stored(MemoryStore(), text(sum(sizes)), sizes)
    everything = [(chunk, piece) for chunk in file.chunks for piece in range(chunk.piece_count)]
    picked = sampled(file.chunks, budget, rng=random.Random(seed))
    assert len(picked) == min(budget, len(everything))
    assert list(picked) == [pair for pair in everything if pair in set(picked)]
    if picked and budget > 1:
        assert (picked[0], picked[-1]) == (everything[0], everything[-1])
    if budget >= len(sizes) + 2:
        assert {chunk.index for chunk, _ in picked} == set(range(len(sizes)))


@given(st.integers(1, 300), st.integers(1, 80))
def test_the_shares_of_the_chunks_of_a_file_are_about_what_a_file_gets(whole: int, size: int) -> None:
    sizes = [size] * (whole // size) + ([whole % size] if whole % size else [])
    chunks = stored(MemoryStore(), text(whole), sizes).chunks
    pieces = sum(chunk.piece_count for chunk in chunks)
    shares = [share(chunk, pieces * chunk.piece_size) for chunk in chunks]
    assert all(1 <= each <= chunk.piece_count for each, chunk in zip(shares, chunks, strict=True))
    assert min(pieces, READ_BACK_PIECES) <= sum(shares) <= max(len(chunks), READ_BACK_PIECES) + len(chunks)


def test_good_chunks_read_back_well(store: MemoryStore) -> None:
    assert read_back(store, sampled(stored(store, DATA, SIZES).chunks)) == ()
    assert read_back(store, ()) == ()


def test_every_bad_chunk_is_named_once(store: MemoryStore) -> None:
    chunks = stored(store, DATA, SIZES).chunks
    bad = {chunks[0].locator, chunks[2].locator}
    store.on_read = lambda locator, span, attempt, body: body[::-1] if locator in bad else body
    store.delete([chunks[1].locator])
    assert read_back(store, sampled(chunks)) == (0, 1, 2)


def test_a_piece_that_came_bad_once_is_not_a_bad_chunk(store: MemoryStore) -> None:
    chunks = stored(store, DATA, SIZES).chunks
    store.on_read = lambda locator, span, attempt, body: body if attempt else b""
    assert read_back(store, sampled(chunks)) == ()


def test_a_store_that_cannot_be_asked_is_an_error_and_no_verdict(store: MemoryStore) -> None:
    chunks = stored(store, DATA, SIZES).chunks

    def closed(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        raise Permanent("the channel is gone")

    store.on_read = closed
    with pytest.raises(Permanent):
        read_back(store, sampled(chunks))
    silent = WatchedStore(store)
    with pytest.raises(Transient):
        read_back(silent, sampled(chunks), deadline=0.1)
    assert silent.in_flight == 0


def test_reading_back_ends_when_nobody_waits_for_it_however_many_pieces_are_left(store: MemoryStore) -> None:
    chunks = stored(store, DATA, SIZES).chunks

    def slow(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        time.sleep(0.2)
        return body

    store.on_read = slow
    began = time.monotonic()
    with pytest.raises(ClientGone):
        read_back(store, sampled(chunks), gone=lambda: time.monotonic() >= began + 0.1)
    assert time.monotonic() - began < 1
