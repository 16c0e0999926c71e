"""The contract suite: every store, and every wrapper that is one, passes it.

A store's own test is a subclass of `StoreContract` with a fixture `store` that gives an open store and closes it. The
suite never assumes that the store is its alone, and never that a message number means anything.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from uuid import uuid4

import pytest

from errors import ChunkMissing, StoreClosed, Transient
from model import MIB, PIECE_SIZE, ByteRange, Label, Locator
from storage.base import ChunkClient, ChunkStore, Source

READ_DEADLINE = 30.0


def body_of(size: int, seed: int = 0) -> bytes:
    """`size` bytes that no two seeds share and that do not repeat."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def label_of(body: bytes, index: int = 0) -> Label:
    """The label of a chunk of a file of its own."""
    return Label("chunk", uuid4(), index, 0, len(body), hashlib.sha256(body).digest())


def source_of(body: bytes) -> Source:
    return lambda span: body[span.start : span.stop]


def put(store: ChunkStore, body: bytes) -> Locator:
    return store.put(label_of(body), source_of(body))


def read(client: ChunkClient, locator: Locator, start: int, stop: int, attempt: int = 0) -> bytes:
    return client.read(locator, ByteRange(start, stop), attempt=attempt).result(READ_DEADLINE)


def read_all(client: ChunkClient, locator: Locator, size: int) -> bytes:
    spans = [ByteRange(at, min(at + PIECE_SIZE, size)) for at in range(0, size, PIECE_SIZE)]
    return b"".join(future.result(READ_DEADLINE) for future in [client.read(locator, span) for span in spans])


class StoreContract:
    @pytest.mark.parametrize("size", [1, 8, 1023, 4097, MIB - 1, MIB, MIB + 1, 2 * MIB + 77])
    def test_what_is_put_comes_back_byte_for_byte(self, store: ChunkStore, size: int) -> None:
        body = body_of(size)
        locator = put(store, body)
        client = store.client()
        assert read_all(client, locator, size) == body
        client.close()

    @pytest.mark.parametrize("length", [1, 1024, 4096, 5000, 65_537, MIB - 1])
    def test_part_of_a_piece_can_be_read(self, store: ChunkStore, length: int) -> None:
        body = body_of(2 * MIB)
        client = store.client()
        assert read(client, put(store, body), MIB, MIB + length) == body[MIB : MIB + length]
        client.close()

    def test_a_read_past_the_end_gives_what_there_is(self, store: ChunkStore) -> None:
        body = body_of(MIB + 10)
        client, locator = store.client(), put(store, body)
        assert read(client, locator, MIB, 2 * MIB) == body[MIB:]
        assert read(client, locator, 2 * MIB, 3 * MIB) == b""
        client.close()

    def test_another_attempt_gives_the_same_bytes(self, store: ChunkStore) -> None:
        body = body_of(MIB)
        client, locator = store.client(), put(store, body)
        assert [read(client, locator, 0, MIB, attempt) for attempt in range(3)] == [body] * 3
        client.close()

    def test_putting_an_equal_label_again_gives_the_message_that_is_there(self, store: ChunkStore) -> None:
        body = body_of(100)
        label = label_of(body)
        assert store.put(label, source_of(body)) == store.put(label, source_of(body))

    def test_another_attempt_at_a_chunk_is_a_message_of_its_own(self, store: ChunkStore) -> None:
        body = body_of(100)
        label = label_of(body)
        first, second = (store.put(replace(label, attempt=attempt), source_of(body)) for attempt in (0, 1))
        assert first != second
        assert store.find(label, None) == first
        assert store.find(replace(label, attempt=1), first) == second

    def test_a_manifest_and_a_chunk_of_one_file_are_two_messages(self, store: ChunkStore) -> None:
        body = body_of(64)
        label = label_of(body)
        assert store.put(label, source_of(body)) != store.put(
            replace(label, kind="manifest"), source_of(body)
        )

    def test_find_gives_the_message_with_and_without_a_hint(self, store: ChunkStore) -> None:
        before, body = put(store, body_of(10)), body_of(20)
        label = label_of(body, index=3)
        locator = store.put(label, source_of(body))
        put(store, body_of(30))
        assert store.find(label, None) == locator
        assert store.find(label, before) == locator

    def test_find_gives_none_for_what_was_never_put(self, store: ChunkStore) -> None:
        before, body = put(store, body_of(10)), body_of(20)
        label = label_of(body)
        assert store.find(label, before) is None
        store.put(label, source_of(body))
        assert store.find(replace(label, index=1), before) is None
        assert store.find(replace(label, sha256=bytes(32)), before) is None

    def test_a_deleted_message_is_missing_and_not_found(self, store: ChunkStore) -> None:
        body = body_of(MIB + 1)
        label = label_of(body)
        locator, other = store.put(label, source_of(body)), put(store, body)
        store.delete([locator])
        client = store.client()
        with pytest.raises(ChunkMissing):
            read(client, locator, 0, MIB)
        assert store.find(label, None) is None
        assert store.missing([other, locator, other]) == {locator}
        assert read(client, other, MIB, MIB + 1) == body[MIB:]
        client.close()

    def test_deleting_twice_is_no_error(self, store: ChunkStore) -> None:
        locators = [put(store, body_of(10)), put(store, body_of(10))]
        store.delete(locators)
        store.delete(locators)
        store.delete([])

    def test_what_was_deleted_can_be_put_again(self, store: ChunkStore) -> None:
        body = body_of(500)
        label = label_of(body)
        store.delete([store.put(label, source_of(body))])
        client = store.client()
        assert read(client, store.put(label, source_of(body)), 0, 500) == body
        client.close()

    def test_a_message_that_never_was_is_missing(self, store: ChunkStore) -> None:
        locator = put(store, body_of(10))
        client = store.client()
        with pytest.raises(ChunkMissing):
            read(client, replace(locator, message=locator.message + 100_000), 0, 10)
        client.close()

    def test_of_many_messages_those_are_missing_that_are_not_there(self, store: ChunkStore) -> None:
        there = [put(store, body_of(10)) for _ in range(3)]
        never = [replace(there[0], message=there[-1].message + 1000 + number) for number in range(120)]
        assert store.missing([*never[:110], *there, *never[110:]]) == frozenset(never)
        assert store.missing(there) == store.missing([]) == frozenset()

    def test_what_the_source_raises_passes_through_and_leaves_no_message(self, store: ChunkStore) -> None:
        before, body = put(store, body_of(10)), body_of(3 * MIB)
        label = label_of(body)

        def failing(span: ByteRange) -> bytes:
            if span.stop > 2 * MIB:
                raise KeyError("the disk is gone")
            return body[span.start : span.stop]

        with pytest.raises(KeyError, match="the disk is gone"):
            store.put(label, failing)
        assert store.find(label, before) is None

    def test_the_source_is_asked_for_nothing_outside_the_chunk(self, store: ChunkStore) -> None:
        body, asked, lock = body_of(2 * MIB + 5), set[ByteRange](), threading.Lock()

        def source(span: ByteRange) -> bytes:
            with lock:
                asked.add(span)
            return body[span.start : span.stop]

        store.put(label_of(body), source)
        assert min(span.start for span in asked) == 0
        assert max(span.stop for span in asked) == len(body)

    def test_a_client_has_a_window_of_at_least_one(self, store: ChunkStore) -> None:
        client = store.client()
        assert client.window >= 1
        client.close()

    def test_a_cancelled_read_leaves_the_others_alone(self, store: ChunkStore) -> None:
        body = body_of(4 * MIB)
        client, locator = store.client(), put(store, body)
        futures = [client.read(locator, ByteRange(at, at + MIB)) for at in range(0, 4 * MIB, MIB)]
        if futures[1].cancel():
            assert futures[1].cancelled()
        assert futures[0].result(READ_DEADLINE) == body[:MIB]
        assert futures[3].result(READ_DEADLINE) == body[3 * MIB :]
        client.close()

    def test_closing_a_client_ends_its_reads_and_no_others(self, store: ChunkStore) -> None:
        body = body_of(2 * MIB)
        locator, closed, going = put(store, body), store.client(), store.client()
        futures = [closed.read(locator, ByteRange(at, at + MIB)) for at in (0, MIB)]
        closed.close()
        closed.close()
        assert not wait(futures, 2.0).not_done
        with pytest.raises(Transient):
            read(closed, locator, 0, MIB)
        assert read_all(going, locator, len(body)) == body
        going.close()

    def test_many_threads_put_and_read_at_once(self, store: ChunkStore) -> None:
        def go(seed: int) -> bool:
            body = body_of(MIB + seed, seed)
            client = store.client()
            same = read_all(client, put(store, body), len(body)) == body
            client.close()
            return same

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(go, range(8)))

    def test_health_answers_quickly_and_says_ok(self, store: ChunkStore) -> None:
        put(store, body_of(10))
        started = time.monotonic()
        health = store.health()
        assert time.monotonic() - started < 2.0
        assert health.ok, health.detail
        assert health.mode in {"sandbox", "telegram", "memory"}

    def test_a_message_holds_at_least_a_mebibyte(self, store: ChunkStore) -> None:
        assert store.max_chunk_size >= MIB

    def test_a_closed_store_stops_within_five_seconds_and_refuses_later_calls(
        self, store: ChunkStore
    ) -> None:
        body = body_of(MIB)
        label = label_of(body)
        locator, client = store.put(label, source_of(body)), store.client()
        started = time.monotonic()
        store.close()
        store.close()
        assert time.monotonic() - started < 5.0
        with pytest.raises(StoreClosed):
            store.put(label, source_of(body))
        with pytest.raises(StoreClosed):
            store.find(label, None)
        with pytest.raises(StoreClosed):
            store.delete([locator])
        with pytest.raises(StoreClosed):
            read(client, locator, 0, MIB)
        assert not store.health().ok
        client.close()
