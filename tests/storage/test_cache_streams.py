"""What streams notice of the cache: fewer fetches, and nothing else, whatever happens to its disk."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from errors import ChunkMissing, Transient
from model import MIB, PIECE_SIZE, ByteRange, Locator, StoredFile
from storage.cache import pieces
from storage.cache.store import HITS_AHEAD, CachedStore
from storage.memory import WINDOW, MemoryStore
from streaming.plan import plan
from streaming.read import VerifiedStream
from tests.full_disk import files_of_at_most
from tests.storage.contract import body_of, put, read
from tests.streaming.at_rest import WatchedStore, stored

SIZE = 5 * MIB + 77
PIECES = 6
BODY = body_of(SIZE)


class CountedStore(MemoryStore):
    """Counts what is fetched from it; with `held` set, fetches wait until it is set."""

    def __init__(self) -> None:
        super().__init__(on_read=self._count)
        self.fetched: list[tuple[Locator, ByteRange]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def _count(self, locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        self.fetched.append((locator, span))
        self.go_on.wait(10)
        return body


@pytest.fixture
def inner() -> CountedStore:
    return CountedStore()


@pytest.fixture
def file(inner: CountedStore) -> StoredFile:
    return stored(inner, BODY, [3 * MIB, SIZE - 3 * MIB], PIECE_SIZE)


@pytest.fixture
def store(inner: CountedStore, tmp_path: Path) -> Iterator[CachedStore]:
    """Its disk holds all, its memory nothing."""
    with closing(CachedStore(inner, tmp_path / "cache", 16 * MIB, 0)) as store:
        yield store


def stream(store: CachedStore, file: StoredFile, span: ByteRange | None = None) -> bytes:
    whole = ByteRange(0, file.size)
    return b"".join(VerifiedStream(plan(file, span or whole), store, yield_size=256 << 10))


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def fill(store: CachedStore, file: StoredFile) -> None:
    assert stream(store, file) == BODY
    until(lambda: store.statistics().pieces_on_disk == PIECES)


def test_a_second_stream_fetches_nothing(store: CachedStore, inner: CountedStore, file: StoredFile) -> None:
    fill(store, file)
    assert stream(store, file) == BODY
    assert stream(store, file, ByteRange(MIB - 1, 4 * MIB + 1)) == BODY[MIB - 1 : 4 * MIB + 1]
    assert len(inner.fetched) == PIECES
    counted = store.statistics()
    assert (counted.misses, counted.disk_hits, counted.memory_hits) == (PIECES, PIECES + 5, 0)
    assert counted.bytes_fetched == SIZE


def test_the_disk_serves_after_a_restart(inner: CountedStore, file: StoredFile, tmp_path: Path) -> None:
    with closing(CachedStore(WatchedStore(inner, answers=99), tmp_path, 16 * MIB, 0)) as store:
        assert stream(store, file) == BODY
    assert store.statistics().pieces_on_disk == PIECES  # what waited to be written was written
    watched = WatchedStore(MemoryStore())
    with closing(CachedStore(watched, tmp_path, 16 * MIB, 0)) as again:
        assert stream(again, file) == BODY
    assert watched.clients == []


def test_a_small_working_set_stays_in_memory_within_its_bound(
    inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    with closing(CachedStore(inner, tmp_path, 0, 2 * MIB)) as store:
        assert stream(store, file) == BODY
        assert stream(store, file, ByteRange(4 * MIB, SIZE)) == BODY[4 * MIB :]
        assert len(inner.fetched) == PIECES
        counted = store.statistics()
        assert counted.memory_hits == 2
        assert counted.bytes_in_memory <= 2 * MIB
    assert list(tmp_path.iterdir()) == []


def test_the_disk_stays_within_its_bound(inner: CountedStore, file: StoredFile, tmp_path: Path) -> None:
    with closing(CachedStore(inner, tmp_path, 3 * MIB + 5, 0)) as store:
        assert stream(store, file) == BODY
        until(lambda: store.statistics().evictions == PIECES - 3)
    assert (tmp_path / "pieces.slab").stat().st_size <= 3 * MIB


def test_many_streams_of_one_file_fetch_each_piece_once(
    store: CachedStore, inner: CountedStore, file: StoredFile
) -> None:
    with ThreadPoolExecutor(8) as streams:
        running = [streams.submit(stream, store, file) for _ in range(8)]
        assert all(one.result(30) == BODY for one in running)
    assert len(inner.fetched) == PIECES


def test_a_stream_that_ends_leaves_the_fetch_to_those_who_wait_for_it(
    inner: CountedStore, tmp_path: Path
) -> None:
    body = body_of(MIB)
    locator, watched = put(inner, body), WatchedStore(inner)
    with closing(CachedStore(watched, tmp_path, 0, 0)) as store:
        first, second = store.client(), store.client()
        futures = [client.read(locator, ByteRange(0, MIB)) for client in (first, second)]
        first.close()
        assert futures[0].cancelled()
        assert [client.closed for client in watched.clients] == [False]
        watched.reads[0].set_result(body)
        assert futures[1].result(5) == body
        # Nobody needs it any more, and the second stream needed none of its own.
        assert [client.closed for client in watched.clients] == [True]
        second.close()


def test_the_last_stream_that_ends_takes_its_fetches_along(inner: CountedStore, tmp_path: Path) -> None:
    locator, watched = put(inner, body_of(MIB)), WatchedStore(inner)
    with closing(CachedStore(watched, tmp_path, 0, 0)) as store:
        clients = [store.client(), store.client()]
        for client in clients:
            client.read(locator, ByteRange(0, MIB))
        for client in clients:
            client.close()
        assert watched.in_flight == 0
        assert all(client.closed for client in watched.clients)


def test_a_failed_fetch_fails_all_who_share_it_and_the_next_one_may_work(
    inner: CountedStore, tmp_path: Path
) -> None:
    body = body_of(MIB)
    locator, watched = put(inner, body), WatchedStore(inner)
    with closing(CachedStore(watched, tmp_path, 0, 0)) as store:
        clients = [store.client(), store.client()]
        futures = [client.read(locator, ByteRange(0, MIB)) for client in clients]
        watched.reads[0].set_exception(Transient("The line is down."))
        for future in futures:
            with pytest.raises(Transient, match="line is down"):
                future.result(5)
        again = clients[1].read(locator, ByteRange(0, MIB))
        watched.reads[1].set_result(body)
        assert again.result(5) == body


def test_a_stream_that_only_hits_opens_no_client_and_reads_little_ahead(
    inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    watched = WatchedStore(inner, answers=PIECES, window=5)
    with closing(CachedStore(watched, tmp_path, 16 * MIB, 0)) as store:
        fill(store, file)
        opened = len(watched.clients)
        client = store.client()
        chunk = file.chunks[0]
        for piece in range(chunk.piece_count):
            assert client.window == HITS_AHEAD
            assert client.read(chunk.locator, chunk.piece_span(piece)).done()
        assert len(watched.clients) == opened
        client.read(chunk.locator, ByteRange(0, 5))  # a miss
        assert client.window == 5
        client.close()


def test_rot_on_the_disk_heals_itself_and_no_reader_gets_a_wrong_byte(
    store: CachedStore, inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    fill(store, file)
    with (tmp_path / "cache" / "pieces.slab").open("r+b") as slab:
        for piece in (0, 3):
            slab.seek(piece * PIECE_SIZE + 5)
            slab.write(b"rot")
    assert stream(store, file) == BODY
    assert store.statistics().refetched == 2
    until(lambda: store.statistics().pieces_on_disk == PIECES)
    assert stream(store, file) == BODY
    assert len(inner.fetched) == PIECES + 2


def test_a_bad_answer_is_kept_no_longer_than_until_the_next_attempt(
    store: CachedStore, inner: CountedStore
) -> None:
    body = body_of(MIB)
    locator, client = put(inner, body), store.client()
    inner.on_read = lambda locator, span, attempt, body: body if attempt else bytes(len(body))
    assert read(client, locator, 0, MIB) == bytes(MIB)
    assert read(client, locator, 0, MIB, attempt=1) == body
    assert read(client, locator, 0, MIB) == body
    client.close()


def test_a_short_answer_is_not_kept(store: CachedStore, inner: CountedStore) -> None:
    locator, client = put(inner, body_of(10)), store.client()
    for _ in range(2):
        assert len(read(client, locator, 0, MIB)) == 10
    assert len(inner.fetched) == 2
    client.close()


def test_what_is_deleted_leaves_the_disk_too(
    store: CachedStore, inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    fill(store, file)
    store.delete([file.chunks[0].locator])
    assert store.statistics().pieces_on_disk == PIECES - 3
    with pytest.raises(ChunkMissing):
        stream(store, file)
    assert stream(store, file, ByteRange(3 * MIB, SIZE)) == BODY[3 * MIB :]


def test_what_is_deleted_on_its_way_is_not_kept(store: CachedStore, inner: CountedStore) -> None:
    body = body_of(MIB)
    locator, client = put(inner, body), store.client()
    inner.go_on.clear()
    future = client.read(locator, ByteRange(0, MIB))
    until(lambda: len(inner.fetched) == 1)
    store.delete([locator])
    inner.go_on.set()
    assert future.result(5) == body
    with pytest.raises(ChunkMissing):
        read(client, locator, 0, MIB)
    client.close()


def test_a_folder_that_cannot_be_is_bypassed_and_told(
    inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with closing(CachedStore(inner, tmp_path / "file" / "cache", 16 * MIB, 0)) as store:
        assert stream(store, file) == BODY
        counted = store.statistics()
        assert counted.errors == 1
        assert "bypassed" in (counted.fault or "")
        assert store.health().ok


def test_a_disk_that_stops_answering_is_bypassed(
    store: CachedStore, inner: CountedStore, file: StoredFile
) -> None:
    fill(store, file)
    assert store._pieces._slab is not None
    store._pieces._slab._data.close()  # every operation on it fails from now on
    assert stream(store, file) == BODY
    assert stream(store, file) == BODY
    assert len(inner.fetched) == 3 * PIECES
    assert store.statistics().fault is not None


def test_a_full_disk_is_bypassed_until_there_is_room(
    store: CachedStore, inner: CountedStore, file: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "REST", 0.0)
    with files_of_at_most(2 * MIB):
        assert stream(store, file) == BODY
        until(lambda: store.statistics().fault is not None)
        assert stream(store, file) == BODY
        assert store.statistics().pieces_on_disk <= 2
        until(lambda: store.statistics().bytes_in_memory == 0)  # nothing waits to be written any more
    fill(store, file)
    assert store.statistics().fault is None


def test_after_a_failed_write_the_disk_is_left_alone_for_a_while(
    store: CachedStore, inner: CountedStore, file: StoredFile
) -> None:
    with files_of_at_most(MIB // 2):
        assert stream(store, file) == BODY
        until(lambda: store.statistics().errors == 1)
        assert stream(store, file) == BODY
        counted = store.statistics()
    assert counted.errors == 1
    assert counted.not_written >= PIECES


def test_streams_that_come_seek_and_go_leave_nothing_behind(
    inner: CountedStore, file: StoredFile, tmp_path: Path
) -> None:
    with closing(CachedStore(inner, tmp_path, 3 * MIB, MIB)) as store:

        def come_and_go(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(15):
                start = chance.randrange(SIZE)
                span = ByteRange(start, chance.randint(start, SIZE))
                running = VerifiedStream(plan(file, span), store, yield_size=MIB)
                whole = b""
                for block in running:
                    whole += block
                    if chance.random() < 0.2:
                        break
                running.close()
                assert BODY[span.start : span.stop].startswith(whole)

        with ThreadPoolExecutor(6) as streams:
            for done in [streams.submit(come_and_go, seed) for seed in range(6)]:
                done.result(60)
        until(lambda: len(store._flights) == 0)
        assert store.statistics().bytes_in_memory <= MIB + pieces.BACKLOG
        assert WINDOW > HITS_AHEAD  # so that both ways of reading ahead were taken


def test_closing_takes_the_writer_along(store: CachedStore, inner: CountedStore, file: StoredFile) -> None:
    stream(store, file)
    store.close()
    assert not store._pieces._writer.is_alive()
    assert store.statistics().bytes_in_memory == 0
