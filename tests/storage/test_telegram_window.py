"""The window over the pool, on the sandbox: who is served first, what it costs in calls, and how it adapts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import cycle, islice
from pathlib import Path

import pytest

from errors import Transient
from model import MIB, ByteRange, Locator
from storage.base import AccountHealth, ChunkClient
from storage.telegram.store import TelegramStore
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.contract import body_of, put, read
from tests.storage.telegram_store import QUICK, settings_for, within

pytestmark = pytest.mark.slow

PIECES = 12
BODY = body_of(PIECES * MIB)
SPANS = [ByteRange(at * MIB, (at + 1) * MIB) for at in range(PIECES)]
PATIENCE = 30.0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> Iterator[RunningSandbox]:
    shared.control.clear()
    yield shared
    shared.control.clear()


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


Opener = Callable[..., TelegramStore]


@pytest.fixture
def opened(sandbox: RunningSandbox, sessions: Path) -> Iterator[Opener]:
    stores: list[TelegramStore] = []

    def open_(*, bots: int = 1, connections: int = 8) -> TelegramStore:
        settings = settings_for(sandbox, bots=bots, connections=connections)
        stores.append(TelegramStore(settings, sessions, "sandbox", QUICK))
        stores[-1].start(10.0)
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def account(store: TelegramStore) -> AccountHealth:
    return store.health().accounts[0]


def warmed(store: TelegramStore) -> TelegramStore:
    """`store` with the connections that it starts with."""
    assert within(PATIENCE, lambda: account(store).connections == 2)
    return store


def calls(sandbox: RunningSandbox) -> Counter[str]:
    return Counter(sandbox.control.stats()["calls"])


def stream(client: ChunkClient, locator: Locator, until: Callable[[], bool]) -> bool:
    """Read the document round and round with 32 pieces in flight; whether `until` came true in good time."""
    spans, stop = cycle(SPANS), time.monotonic() + PATIENCE
    reads: set[Future[bytes]] = {client.read(locator, span) for span in islice(spans, 32)}
    while not (over := until()) and time.monotonic() < stop:
        done, reads = wait(reads, 1.0, FIRST_COMPLETED)
        reads |= {client.read(locator, next(spans)) for _ in done}
    for one in reads:
        one.cancel()
    return over


def test_a_new_streams_first_piece_overtakes_the_read_ahead_of_an_old_one(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    store = warmed(opened(connections=2))
    locator, old, new = put(store, BODY), store.client(), store.client()
    assert read(new, locator, 0, MIB) == BODY[:MIB]
    sandbox.control.bandwidth(6 * MIB)
    ahead = [old.read(locator, span) for span in SPANS * 4]
    assert read(new, locator, MIB, 2 * MIB) == BODY[MIB : 2 * MIB]
    assert sum(future.done() for future in ahead) < len(ahead) / 2
    old.close()
    new.close()


def test_streams_get_equal_shares(opened: Opener, sandbox: RunningSandbox) -> None:
    store = warmed(opened(connections=2))
    locator, greedy, modest = put(store, BODY), store.client(), store.client()
    sandbox.control.bandwidth(10 * MIB)
    many = [greedy.read(locator, span) for span in SPANS * 3]
    few = [modest.read(locator, span) for span in SPANS]
    assert not wait(few, PATIENCE).not_done
    assert sum(future.done() for future in many) < 2.5 * PIECES
    greedy.close()
    modest.close()


def test_a_warm_first_byte_costs_a_lookup_and_a_read_and_a_seek_no_more(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    writer = opened()
    first, second = put(writer, BODY), put(writer, BODY)
    writer.close()  # two stores on one session would lose it: AUTH_KEY_DUPLICATED
    store = warmed(opened())
    before = calls(sandbox)
    client = store.client()
    client.expect([first])
    assert read(client, first, 0, MIB) == BODY[:MIB]
    assert calls(sandbox) - before == {"channels.getMessages": 1, "upload.getFile": 1}
    client.close()
    before = calls(sandbox)
    client = store.client()  # a seek: a new request, here to another chunk
    client.expect([second])
    assert read(client, second, 7 * MIB, 8 * MIB) == BODY[7 * MIB : 8 * MIB]
    assert calls(sandbox) - before == {"channels.getMessages": 1, "upload.getFile": 1}
    client.close()


def test_a_stream_over_many_chunks_looks_them_up_in_few_calls_and_not_before_the_first(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    writer = opened()
    bodies = [body_of(50, seed) for seed in range(130)]
    locators = [put(writer, body) for body in bodies]
    writer.close()
    store = warmed(opened())
    before = calls(sandbox)
    client, taken = store.client(), list[Locator]()
    client.expect(taken.append(one) or one for one in locators)  # type: ignore[func-returns-value]
    assert read(client, locators[0], 0, 50) == bodies[0]
    assert len(taken) <= 101, "a plan of thousands of chunks is not taken at once"
    assert [read(client, locator, 0, 50) for locator in locators] == bodies
    assert (calls(sandbox) - before)["channels.getMessages"] == 3
    client.close()


def test_connections_are_added_while_they_help(opened: Opener, sandbox: RunningSandbox) -> None:
    sandbox.control.latency(40)
    sandbox.control.bandwidth(3 * MIB)  # of each connection
    store = warmed(opened(connections=8))
    locator, client = put(store, BODY), store.client()
    assert stream(client, locator, lambda: account(store).connections == 8)
    sandbox.control.clear()
    client.close()


def test_a_flood_wait_halves_the_window_and_leaves_one_connection_less(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    store = warmed(opened(connections=2))
    locator, client = put(store, BODY), store.client()
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    window = account(store).window
    sandbox.control.rpc_error("upload.getFile", 420, "FLOOD_WAIT_60", 1)
    with pytest.raises(Transient):
        read(client, locator, 0, MIB)
    now = account(store)
    assert now.window == window // 2
    assert 50 < now.flood_wait <= 60
    assert now.flood_waits == 1
    assert within(PATIENCE, lambda: account(store).connections == 1)
    client.close()


@pytest.mark.parametrize("method", ["upload.getFile", "channels.getMessages"])
def test_another_account_takes_over_in_mid_stream_without_a_pause(
    method: str, opened: Opener, sandbox: RunningSandbox
) -> None:
    writer = opened()
    locators = [put(writer, BODY[: 2 * MIB]) for _ in range(8)]
    writer.close()
    store = opened(bots=2)
    client = store.client()
    sandbox.control.rpc_error(method, 420, "FLOOD_WAIT_600", 1, after=1)
    for locator in locators:  # whoever sat that wait out would be late for its deadline
        reads = [client.read(locator, span) for span in SPANS[:2]]
        assert b"".join(one.result(PATIENCE) for one in reads) == BODY[: 2 * MIB]
    assert sorted(one.flood_waits for one in store.health().accounts) == [0, 1]
    client.close()


def test_what_nobody_waits_for_any_more_ends_with_its_first_failure(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    store = warmed(opened())
    locator, client = put(store, BODY), store.client()
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    before = calls(sandbox)
    sandbox.control.latency(300)
    sandbox.control.rpc_error("upload.getFile", 500, "RPC_CALL_FAIL", 1)
    abandoned = client.read(locator, SPANS[1])
    assert within(PATIENCE, lambda: abandoned.sent)
    assert not abandoned.withdraw()
    assert isinstance(abandoned.exception(PATIENCE), Transient)
    assert (calls(sandbox) - before)["upload.getFile"] == 1
    client.close()


def test_closing_a_client_frees_what_it_held_and_waited_for(opened: Opener, sandbox: RunningSandbox) -> None:
    store = warmed(opened())
    locator, client = put(store, BODY), store.client()
    sandbox.control.silence("upload.getFile", None)
    reads = [client.read(locator, span) for span in SPANS * 2]
    assert within(PATIENCE, lambda: account(store).in_flight > 0 and account(store).waiting > 0)
    client.close()
    assert not wait(reads, PATIENCE).not_done
    assert within(PATIENCE, lambda: account(store).in_flight == account(store).waiting == 0)
    assert store._pool.room.held == 0
