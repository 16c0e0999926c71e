"""The gate, polled: it never waits, it says what to wait for, and it reads ahead as the reader takes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ChunkCorrupt, ClientGone, Transient
from model import ByteRange, Wait
from storage.memory import MemoryStore
from streaming.ahead import FIRST, GROWTH
from streaming.plan import plan
from streaming.read import VerifiedStream
from tests.streaming.at_rest import PIECE, WatchedStore, stored, text

DATA = text(100)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    built = MemoryStore()
    yield built
    built.close()


def streaming(watched: WatchedStore, store: MemoryStore, data: bytes = DATA) -> VerifiedStream:
    return VerifiedStream(
        plan(stored(store, data, [len(data)]), ByteRange(0, len(data))), watched, yield_size=PIECE
    )


def land(watched: WatchedStore, *numbers: int) -> None:
    """Let these reads, by the order in which they were asked for, have their bytes."""
    for number in numbers:
        watched.reads[number].set_result(DATA[number * PIECE :][:PIECE])


def test_it_says_which_read_it_waits_for_and_gives_its_bytes_once_they_are_there(store: MemoryStore) -> None:
    watched = WatchedStore(store, window=16)
    stream = streaming(watched, store)
    before = time.monotonic()
    wait = stream.poll(0)
    assert isinstance(wait, Wait) and wait.future is watched.reads[0]
    assert before + 60 < wait.until < math.inf
    land(watched, 0)
    assert stream.poll(0) == DATA[:PIECE]
    stream.close()


def test_the_end_comes_when_the_reader_has_everything(store: MemoryStore) -> None:
    stream = streaming(WatchedStore(store, answers=99), store, DATA[:PIECE])
    assert stream.poll(0) == DATA[:PIECE]
    assert stream.poll(1) == Wait(math.inf)
    assert stream.poll(0) is None
    assert stream.poll(0) is None


def test_an_empty_plan_ends_at_once(store: MemoryStore) -> None:
    stream = VerifiedStream(plan(stored(store, b"", []), ByteRange(0, 0)), store, yield_size=PIECE)
    assert stream.poll(0) is None


def test_a_reader_that_takes_nothing_holds_the_first_pieces_and_no_more(store: MemoryStore) -> None:
    watched = WatchedStore(store, answers=99, window=16)
    stream = streaming(watched, store)
    left = 0
    while isinstance(block := stream.poll(left), bytes):
        left += len(block)
    assert block == Wait(math.inf)
    assert left == FIRST * PIECE and len(watched.reads) == FIRST
    stream.close()


def test_a_reader_that_is_found_waiting_is_read_ahead_for(store: MemoryStore) -> None:
    watched = WatchedStore(store, window=16)
    stream = streaming(watched, store)
    stream.poll(0)
    assert len(watched.reads) == FIRST  # the first piece says nothing
    land(watched, 0, 1)
    assert stream.poll(0) == DATA[:PIECE] and stream.poll(0) == DATA[PIECE : 2 * PIECE]
    stream.poll(0)
    assert len(watched.reads) == FIRST + FIRST * GROWTH
    stream.close()


def test_a_reader_that_still_had_something_when_the_next_piece_came_is_not(store: MemoryStore) -> None:
    watched = WatchedStore(store, window=16)
    stream = streaming(watched, store)
    stream.poll(0)
    land(watched, 0, 1)
    assert stream.poll(0) and stream.poll(PIECE)
    stream.poll(1)
    land(watched, 2)
    assert stream.poll(1) == DATA[2 * PIECE : 3 * PIECE]
    assert len(watched.reads) <= 3 + FIRST
    stream.close()


def test_trouble_of_the_store_is_a_pause_with_a_clock_and_no_future(store: MemoryStore) -> None:
    watched = WatchedStore(store)
    stream = streaming(watched, store)
    stream.poll(0)
    watched.reads[0].set_exception(Transient("busy", retry_after=5))
    before = time.monotonic()
    wait = stream.poll(0)
    assert isinstance(wait, Wait) and wait.future is None and before + 5 <= wait.until < before + 10
    assert stream.poll(0) == wait
    asked = len(watched.reads)
    stream.close()
    assert len(watched.reads) == asked


def test_a_bad_piece_is_asked_for_twice_more_and_then_ends_it(store: MemoryStore) -> None:
    watched = WatchedStore(store, window=1)
    stream = streaming(watched, store)
    for number in range(3):
        wait = stream.poll(0)
        assert isinstance(wait, Wait) and wait.future is watched.reads[number]
        watched.reads[number].set_result(b"evil")
    with pytest.raises(ChunkCorrupt):
        stream.poll(0)
    assert watched.clients[0].closed
    with pytest.raises(ClientGone):
        stream.poll(0)


def test_closing_ends_the_future_that_is_waited_for(store: MemoryStore) -> None:
    stream = streaming(WatchedStore(store), store)
    wait = stream.poll(0)
    assert isinstance(wait, Wait) and wait.future is not None
    woken = threading.Event()
    wait.future.add_done_callback(lambda _: woken.set())
    stream.close()
    assert woken.is_set()
    with pytest.raises(ClientGone):
        stream.poll(0)


@pytest.mark.slow
@given(st.integers(0, 60), st.integers(1, 9), st.integers(1, 12), st.integers(1, 5), st.data())
def test_readers_of_all_kinds_get_the_bytes_and_hold_no_more_than_the_window(
    size: int, piece: int, block: int, window: int, data: st.DataObject
) -> None:
    inner = MemoryStore()
    content = text(size)
    file = stored(inner, content, [size] if size else [], piece)
    watched = WatchedStore(inner, answers=99, window=window)
    stream = VerifiedStream(plan(file, ByteRange(0, size)), watched, yield_size=block)
    got, left = bytearray(), 0
    while (given_ := stream.poll(left)) is not None:
        if isinstance(given_, bytes):
            got += given_
            left += len(given_)
            assert left <= (window + 1) * piece
        else:
            assert left, "nobody would ever poll again"
        left -= data.draw(st.integers(0 if isinstance(given_, bytes) else 1, left))
    assert bytes(got) == content
