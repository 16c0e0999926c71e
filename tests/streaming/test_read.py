"""The gate: what comes out is what was stored, or an exception; and nothing stays behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import (
    ChunkCorrupt,
    ChunkMissing,
    ChunkShort,
    ClientGone,
    Damaged,
    Permanent,
    StowgramError,
    Transient,
)
from model import ByteRange, DownloadPlan, Locator
from storage.memory import MemoryStore, OnRead
from streaming.ahead import FIRST
from streaming.plan import piece_reads, plan
from streaming.read import DamageReport, VerifiedStream
from tests.streaming.at_rest import FILE, PIECE, WatchedStore, stored, text

DATA = text(50)
SIZES = (9, 1, 16, 24)
HURT = Locator(-1000000000001, 3)
"""The message of the chunk at 10..26, of which the piece at 4..8 is hurt."""


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    built = MemoryStore()
    yield built
    built.close()


def whole(store: MemoryStore) -> DownloadPlan:
    return plan(stored(store, DATA, SIZES), ByteRange(0, len(DATA)))


def hurting(break_it: Callable[[bytes, int], bytes], times: int) -> tuple[OnRead, list[int]]:
    """A hook that breaks one piece `times` times, and the attempts at that piece that it saw."""
    attempts: list[int] = []

    def on_read(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        if (locator, span.start) != (HURT, 4):
            return body
        attempts.append(attempt)
        return break_it(body, attempt) if len(attempts) <= times else body

    return on_read, attempts


def drain(stream: VerifiedStream, got: list[bytes]) -> None:
    try:
        got.extend(stream)
    finally:
        stream.close()


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(1, 9), st.integers(1, 12), st.data())
def test_any_span_comes_out_as_it_went_in(
    sizes: list[int], piece: int, block: int, data: st.DataObject
) -> None:
    content = text(sum(sizes))
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    store = MemoryStore()
    stream = VerifiedStream(
        plan(stored(store, content, sizes, piece), ByteRange(start, stop)), store, yield_size=block
    )
    blocks = list(stream)
    assert b"".join(blocks) == content[start:stop]
    assert all(0 < len(each) <= block for each in blocks)
    assert next(stream, None) is None


def flipped(body: bytes, attempt: int) -> bytes:
    return bytes([body[0] ^ 1]) + body[1:]


def cut(body: bytes, attempt: int) -> bytes:
    return body[:-1]


def lengthened(body: bytes, attempt: int) -> bytes:
    return body + b"x"


def interrupted(body: bytes, attempt: int) -> bytes:
    raise Transient("the line is down", retry_after=0)


def missing(body: bytes, attempt: int) -> bytes:
    raise ChunkMissing("the message is gone")


def forbidden(body: bytes, attempt: int) -> bytes:
    raise Permanent("the channel is gone")


@pytest.mark.parametrize(
    ("fault", "times", "attempts"),
    [(flipped, 1, [0, 1]), (flipped, 2, [0, 1, 2]), (cut, 1, [0, 1]), (interrupted, 1, [0, 0])],
)
def test_what_a_second_or_third_read_mends_is_not_noticed(
    store: MemoryStore, fault: Callable[[bytes, int], bytes], times: int, attempts: list[int]
) -> None:
    chosen = whole(store)
    store.on_read, seen = hurting(fault, times)
    reports: list[DamageReport] = []
    assert b"".join(VerifiedStream(chosen, store, yield_size=3, report=reports.append)) == DATA
    assert seen == attempts
    assert reports == []


@pytest.mark.parametrize(
    ("fault", "error", "reported"),
    [
        (flipped, ChunkCorrupt, True),
        (lengthened, ChunkCorrupt, True),
        (cut, ChunkShort, True),
        (missing, ChunkMissing, True),
        (forbidden, Permanent, False),
    ],
)
def test_what_stays_broken_ends_the_stream_before_the_broken_piece(
    store: MemoryStore, fault: Callable[[bytes, int], bytes], error: type[StowgramError], reported: bool
) -> None:
    chosen = whole(store)
    store.on_read, _ = hurting(fault, 99)
    reports: list[DamageReport] = []
    got: list[bytes] = []
    stream = VerifiedStream(chosen, store, yield_size=3, report=reports.append)
    with pytest.raises(error):
        drain(stream, got)
    assert b"".join(got) == DATA[:14]
    assert [(each.file, each.chunk, each.piece) for each in reports] == ([(FILE, 2, 1)] if reported else [])
    with pytest.raises(ClientGone):  # never a quiet end
        next(stream)


def test_a_start_that_fails_says_so_before_a_byte_is_promised(store: MemoryStore) -> None:
    chosen = whole(store)
    store.on_read = lambda locator, span, attempt, body: b""
    stream = VerifiedStream(chosen, store, yield_size=3)
    with pytest.raises(ChunkShort):
        stream.start()
    assert stream.sent == 0
    assert "closed" in repr(stream)


def test_trouble_longer_than_patience_is_told_at_once(store: MemoryStore) -> None:
    chosen = whole(store)

    def busy(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        raise Transient("wait an hour", retry_after=3600)

    store.on_read = busy
    began = time.monotonic()
    with pytest.raises(Transient) as caught:
        VerifiedStream(chosen, store, yield_size=3).start()
    assert caught.value.retry_after == 3600
    assert time.monotonic() - began < 2


def test_one_wait_serves_all_reads_that_met_the_same_trouble(store: MemoryStore) -> None:
    chosen = whole(store)
    down = threading.Event()
    seen: list[int] = []

    def once_down(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        seen.append(span.start)
        if len(seen) >= FIRST:
            down.set()
        if len(seen) <= FIRST:
            down.wait(5)
            raise Transient("the line is down", retry_after=0)
        return body

    store.on_read = once_down
    began = time.monotonic()
    assert b"".join(VerifiedStream(chosen, store, yield_size=9)) == DATA
    assert time.monotonic() - began < 2 * 0.5 + 1


def test_a_store_that_never_answers_is_given_up_at_the_deadline(store: MemoryStore) -> None:
    silent = WatchedStore(store)
    stream = VerifiedStream(whole(store), silent, yield_size=3, deadline=0.2)
    with pytest.raises(Transient, match="in time"):
        stream.start()
    assert silent.in_flight == 0
    assert silent.clients[0].closed


def test_a_client_that_left_is_noticed_while_the_store_is_silent(store: MemoryStore) -> None:
    silent = WatchedStore(store)
    left = threading.Event()
    threading.Timer(0.2, left.set).start()
    began = time.monotonic()
    with pytest.raises(ClientGone):
        VerifiedStream(whole(store), silent, yield_size=3, gone=left.is_set).start()
    assert time.monotonic() - began < 2
    assert silent.in_flight == 0


def test_closing_from_another_thread_ends_a_wait_at_once(store: MemoryStore) -> None:
    silent = WatchedStore(store)
    stream = VerifiedStream(whole(store), silent, yield_size=3)
    threading.Timer(0.1, stream.close).start()
    with pytest.raises(ClientGone):
        next(stream)
    assert silent.in_flight == 0


def test_closing_at_any_point_leaves_nothing_in_flight(store: MemoryStore) -> None:
    chosen = whole(store)
    lengths = [read.keep.length for part in chosen.slices for read in piece_reads(part)]
    for answers in range(len(lengths) + 1):
        covered = sum(lengths[:answers])
        for until in range(0, covered + 1, 3):
            watched = WatchedStore(store, answers=answers)
            stream = VerifiedStream(chosen, watched, yield_size=3)
            while stream.sent < until:
                next(stream)
            stream.close()
            stream.close()
            assert watched.in_flight == 0
            assert all(client.closed for client in watched.clients)
            with pytest.raises(StopIteration if stream.sent == len(DATA) else ClientGone):
                next(stream)


def test_a_stream_that_was_never_pulled_asks_the_store_for_nothing(store: MemoryStore) -> None:
    watched = WatchedStore(store)
    stream = VerifiedStream(whole(store), watched, yield_size=3)
    assert "new" in repr(stream)
    stream.close()
    assert (watched.clients, watched.reads) == ([], [])


def test_a_second_start_does_nothing(store: MemoryStore) -> None:
    watched = WatchedStore(store, answers=99)
    stream = VerifiedStream(whole(store), watched, yield_size=3)
    stream.start()
    stream.start()
    assert len(watched.clients) == 1
    assert "running" in repr(stream)
    assert b"".join(stream) == DATA
    assert "complete" in repr(stream)
    assert watched.clients[0].closed


@pytest.mark.parametrize("window", [1, 2, 5])
def test_it_never_holds_more_pieces_than_the_window_and_one(store: MemoryStore, window: int) -> None:
    chosen = whole(store)
    ends = list(accumulate(read.keep.length for part in chosen.slices for read in piece_reads(part)))
    watched = WatchedStore(store, answers=99, window=window)
    stream = VerifiedStream(chosen, watched, yield_size=1)
    most = 0
    for _ in stream:
        sent_whole = sum(end <= stream.sent for end in ends)
        most = max(most, len(watched.reads) - sent_whole)
    assert most <= window + 1


def test_the_window_is_asked_for_again_before_every_read(store: MemoryStore) -> None:
    watched = WatchedStore(store, answers=99, window=1)
    stream = VerifiedStream(whole(store), watched, yield_size=PIECE)
    next(stream)
    before = len(watched.reads)
    watched.window = 4
    next(stream)
    assert len(watched.reads) - before == FIRST
    stream.close()


def test_a_plan_that_does_not_add_up_is_no_quiet_end(store: MemoryStore) -> None:
    good = whole(store)
    stream = VerifiedStream(replace(good, slices=good.slices[:-1]), store, yield_size=3)
    got: list[bytes] = []
    with pytest.raises(Damaged):
        drain(stream, got)


def test_a_read_that_the_store_gives_up_by_itself_is_asked_again(store: MemoryStore) -> None:
    watched = WatchedStore(store, answers=0)
    stream = VerifiedStream(whole(store), watched, yield_size=9)

    def give_up() -> None:
        watched.answers = 99
        for future in watched.reads:
            future.cancel()

    threading.Timer(0.1, give_up).start()
    assert b"".join(stream) == DATA


def test_a_store_that_closes_in_mid_stream_ends_it_at_once(store: MemoryStore) -> None:
    chosen = whole(store)
    store.on_read = lambda locator, span, attempt, body: body
    stream = VerifiedStream(chosen, store, yield_size=3)
    next(stream)
    store.close()
    began = time.monotonic()
    with pytest.raises(Transient, match="closed"):
        drain(stream, [])
    assert time.monotonic() - began < 2


def test_a_client_that_left_after_the_last_byte_is_no_error(store: MemoryStore) -> None:
    stream = VerifiedStream(whole(store), store, yield_size=9, gone=lambda: stream.sent == len(DATA))
    assert b"".join(stream) == DATA


def test_pulling_and_closing_at_once_gives_right_bytes_and_leaves_nothing(store: MemoryStore) -> None:
    chosen = whole(store)
    for number in range(200):
        watched = WatchedStore(store, answers=number % 14)
        stream = VerifiedStream(chosen, watched, yield_size=3, deadline=10)
        closer = threading.Timer(0.0002 * (number % 7), stream.close)
        got: list[bytes] = []
        closer.start()
        try:
            drain(stream, got)
        except ClientGone:
            pass
        closer.join(5)
        assert DATA.startswith(b"".join(got))
        assert watched.in_flight == 0
        assert all(client.closed for client in watched.clients)
