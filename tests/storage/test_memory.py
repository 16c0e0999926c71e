"""The memory store keeps the contract, and its hooks can break it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest

from errors import Transient
from model import MIB, ByteRange, Label, Locator
from storage.memory import MemoryStore
from tests.storage.contract import StoreContract, body_of, label_of, put, read, source_of


class TestMemoryStore(StoreContract):
    @pytest.fixture(params=[False, True], ids=["inline", "threaded"])
    def store(self, request: pytest.FixtureRequest) -> Iterator[MemoryStore]:
        store = MemoryStore(on_read=(lambda locator, span, attempt, body: body) if request.param else None)
        yield store
        store.close()


def test_on_read_decides_what_the_client_gets() -> None:
    store = MemoryStore(on_read=lambda locator, span, attempt, body: body if attempt else b"\0" + body[1:])
    body = b"\1" + body_of(99)
    locator, client = put(store, body), store.client()
    assert read(client, locator, 0, 100) == b"\0" + body[1:]
    assert read(client, locator, 0, 100, attempt=1) == body
    store.close()


def test_a_read_that_a_hook_holds_up_can_be_cancelled_at_once() -> None:
    held = threading.Event()

    def hold(locator: Locator, span: ByteRange, attempt: int, body: bytes) -> bytes:
        held.wait(10)
        return body

    store = MemoryStore(on_read=hold)
    client, locator = store.client(), put(store, body_of(MIB))
    futures = [client.read(locator, ByteRange(0, MIB)) for _ in range(12)]
    client.close()
    assert not wait(futures, 1.0).not_done
    assert all(future.cancelled() for future in futures)
    held.set()
    store.close()


def test_an_answer_that_was_lost_leaves_the_message_to_be_found() -> None:
    def lose(label: Label, locator: Locator | None) -> None:
        if locator is not None:
            raise Transient("The line is down.")

    store, body = MemoryStore(on_put=lose), body_of(10)
    label = label_of(body)
    with pytest.raises(Transient):
        store.put(label, source_of(body))
    assert store.find(label, None) is not None
    assert list(store.labels.values()) == [label]
    store.close()
