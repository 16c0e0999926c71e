"""What the Telegram store does about each thing that goes wrong on the way, in the middle of reads and of puts."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest

from errors import ChunkMissing, Permanent, Transient
from model import MIB, ByteRange, Locator
from storage.base import ChunkClient
from storage.telegram.signin import PROVEN
from storage.telegram.store import TelegramStore
from storage.telegram.timing import Timing
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.storage.contract import body_of, label_of, put, read, read_all, source_of
from tests.storage.telegram_store import QUICK, settings_for

pytestmark = pytest.mark.slow

SIZE = 12 * MIB + 5
BODY = body_of(SIZE)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox) -> Iterator[RunningSandbox]:
    """Well-behaved again after each test; tests that break it for good have one of their own."""
    shared.control.clear()
    yield shared
    shared.control.clear()


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


Opener = Callable[..., TelegramStore]


@pytest.fixture
def opened(sessions: Path, tmp_path: Path) -> Iterator[Opener]:
    """`opened(sandbox, bots=2)` gives a started store; all are closed at the end."""
    stores: list[TelegramStore] = []

    def open_(
        sandbox: RunningSandbox, *, bots: int = 1, own_sessions: bool = False, timing: Timing = QUICK
    ) -> TelegramStore:
        folder = tmp_path / "sessions" if own_sessions else sessions
        stores.append(TelegramStore(settings_for(sandbox, bots=bots), folder, "sandbox", timing))
        stores[-1].start(10.0)
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opener, sandbox: RunningSandbox) -> TelegramStore:
    return opened(sandbox)


def under_way(client: ChunkClient, locator: Locator) -> list[Future[bytes]]:
    """Reads of the whole of BODY, in flight."""
    spans = [ByteRange(at, min(at + MIB, SIZE)) for at in range(0, SIZE, MIB)]
    return [client.read(locator, span) for span in spans]


def joined(reads: list[Future[bytes]]) -> bytes:
    return b"".join(future.result(QUICK.read + 2) for future in reads)


def healthy_within(seconds: float, store: TelegramStore) -> bool:
    deadline = time.monotonic() + seconds
    while not store.health().ok and time.monotonic() < deadline:
        time.sleep(0.05)
    return store.health().ok


FaultSetter = Callable[[RunningSandbox, str], None]
PASSING: dict[str, FaultSetter] = {
    "a short flood wait": lambda sandbox, method: sandbox.control.rpc_error(
        method, 420, "FLOOD_WAIT_1", 2, 3
    ),
    "a short premium flood wait": lambda sandbox, method: sandbox.control.rpc_error(
        method, 420, "FLOOD_PREMIUM_WAIT_1", 1, 3
    ),
    "dropped connections": lambda sandbox, method: sandbox.control.drop(method, 4, 2),
    "silence": lambda sandbox, method: sandbox.control.silence(method, 2, 2),
    "a fault of Telegram's own": lambda sandbox, method: sandbox.control.rpc_error(
        method, 500, "RPC_CALL_FAIL", 3, 2
    ),
    "no workers": lambda sandbox, method: sandbox.control.rpc_error(method, -503, "Timeout", 3, 2),
}


@pytest.mark.parametrize("fault", PASSING)
def test_reads_get_over(fault: str, store: TelegramStore, sandbox: RunningSandbox) -> None:
    locator, client = put(store, BODY), store.client()
    PASSING[fault](sandbox, "upload.getFile")
    assert joined(under_way(client, locator)) == BODY
    client.close()


@pytest.mark.parametrize("fault", PASSING)
def test_an_upload_gets_over(fault: str, store: TelegramStore, sandbox: RunningSandbox) -> None:
    PASSING[fault](sandbox, "upload.saveBigFilePart")
    client = store.client()
    assert read_all(client, put(store, BODY), SIZE) == BODY
    client.close()


@pytest.mark.parametrize(
    "fault",
    [
        lambda sandbox: sandbox.control.rpc_error("messages.sendMedia", 420, "FLOOD_WAIT_1"),
        lambda sandbox: sandbox.control.rpc_error("messages.sendMedia", 400, "FILE_PART_1_MISSING"),
        lambda sandbox: sandbox.control.rpc_error("messages.sendMedia", 500, "RPC_CALL_FAIL"),
        lambda sandbox: sandbox.control.drop("messages.sendMedia"),
        lambda sandbox: sandbox.control.silence("messages.sendMedia"),
    ],
    ids=["flood wait", "lost part", "fault of Telegram's own", "drop", "silence"],
)
def test_a_message_is_posted_exactly_once_whatever_happens_to_the_answer(
    fault: Callable[[RunningSandbox], None], store: TelegramStore, sandbox: RunningSandbox
) -> None:
    body = body_of(700_000)
    label = label_of(body)
    fault(sandbox)
    locator = store.put(label, source_of(body))
    assert store.put(label, source_of(body)) == locator
    captions = [message.caption for message in sandbox.control.list_messages(sandbox.channel)]
    assert sum(str(label.file) in caption for caption in captions) == 1


def test_a_message_that_is_only_not_answered_in_time_sends_no_part_again(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    store = opened(sandbox, timing=replace(QUICK, request=0.95, control=1.0))  # time for one try
    sandbox.control.silence("messages.sendMedia", None)
    body = body_of(700_000)
    with pytest.raises(Transient, match="did not answer in time"):
        store.put(label_of(body), source_of(body))
    assert store.statistics().bytes_written == len(body)


def test_a_repeat_after_a_crash_finds_the_message_that_was_posted(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    body = body_of(1000)
    label = label_of(body)
    before = opened(sandbox)
    locator = before.put(label, source_of(body))
    before.close()
    after = opened(sandbox)
    assert after.put(label, source_of(body)) == locator
    assert after.find(label, None) == locator


def test_a_repeat_after_a_crash_looks_behind_the_message_that_is_known_to_be_older(
    opened: Opener, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.telegram.finder.NEAR", 2)
    monkeypatch.setattr("storage.telegram.finder.AHEAD", ())
    body = body_of(1000)
    label, before = label_of(body), opened(sandbox)
    deleted = [put(before, body_of(20 + number)) for number in range(4)]
    locator = before.put(label, source_of(body))
    before.delete(deleted)
    before.close()
    assert opened(sandbox).put(label, source_of(body), deleted[-1]) == locator


def test_a_message_is_found_beyond_a_long_stretch_of_deleted_ones(store: TelegramStore) -> None:
    body = body_of(10)
    label = label_of(body)
    first = put(store, body_of(20))
    locator = store.put(label, source_of(body))
    assert store.find(label, replace(first, message=max(1, first.message - 50))) == locator


def test_a_long_flood_wait_fails_quickly_and_says_how_long(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.rpc_error("upload.getFile", 420, "FLOOD_WAIT_600", None)
    started = time.monotonic()
    with pytest.raises(Transient) as waiting:
        read(client, locator, 0, MIB)
    assert time.monotonic() - started < 3.0
    assert 590 < waiting.value.retry_after <= 600
    assert store.statistics().flood_waits >= 1
    assert "wait" in store.health().detail.lower()
    client.close()


def test_another_account_takes_over_while_one_waits(opened: Opener, sandbox: RunningSandbox) -> None:
    store = opened(sandbox, bots=2)
    locator, client = put(store, BODY), store.client()
    sandbox.control.rpc_error("upload.getFile", 420, "FLOOD_WAIT_600", 1)
    assert joined(under_way(client, locator)) == BODY
    client.close()


def test_expired_references_are_refreshed_in_mid_stream(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    sandbox.control.expire_references()
    assert joined(under_way(client, locator)) == BODY
    assert store.statistics().refetches >= 1
    client.close()


def test_many_messages_are_looked_up_in_few_calls(opened: Opener, sandbox: RunningSandbox) -> None:
    writer = opened(sandbox)
    bodies = [body_of(50, seed) for seed in range(30)]
    locators = [put(writer, body) for body in bodies]
    writer.close()  # two stores on one session would lose it: AUTH_KEY_DUPLICATED
    reader = opened(sandbox)
    client = reader.client()
    before = sandbox.control.stats()["calls"].get("channels.getMessages", 0)
    reads = [client.read(locator, ByteRange(0, 50)) for locator in locators]
    assert [future.result(5) for future in reads] == bodies
    assert sandbox.control.stats()["calls"]["channels.getMessages"] - before <= 3
    client.close()


def test_a_document_in_another_data_centre_is_followed(own_sandbox: RunningSandbox, opened: Opener) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    own_sandbox.control.move_documents(4)
    assert joined(under_way(client, locator)) == BODY
    client.close()
    store.close()
    again = opened(own_sandbox, own_sessions=True)  # with the key for the other data centre that was kept
    client = again.client()
    assert joined(under_way(client, locator)) == BODY
    assert own_sandbox.control.stats()["calls"]["auth.exportAuthorization"] == 1
    client.close()


def test_a_flipped_byte_passes_through_and_another_attempt_brings_the_right_one(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.flip(1)
    assert read(client, locator, 0, MIB) != BODY[:MIB]
    assert read(client, locator, 0, MIB, attempt=1) == BODY[:MIB]
    client.close()


def test_a_reply_that_is_cut_once_is_asked_for_again(store: TelegramStore, sandbox: RunningSandbox) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.cut(1)
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    client.close()


def test_replies_that_stay_cut_come_out_short_and_not_as_a_hang(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.cut(None)
    short = read(client, locator, 0, MIB)
    assert len(short) < MIB
    assert BODY.startswith(short)
    client.close()


def test_a_message_that_somebody_deleted_is_missing(store: TelegramStore, sandbox: RunningSandbox) -> None:
    locator, client = put(store, BODY), store.client()
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    sandbox.control.delete_message(locator.channel, locator.message)
    with pytest.raises(ChunkMissing):
        read(client, locator, MIB, 2 * MIB)
    client.close()


@pytest.mark.parametrize("breaking", ["duplicate_key", "revoke_session", "kill_key"])
def test_a_bot_whose_session_is_gone_signs_in_again_by_itself(
    breaking: str, own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    getattr(own_sandbox.control, breaking)()
    assert joined(under_way(client, locator)) == BODY
    assert store.statistics().sign_ins == 2
    client.close()


def test_a_bot_that_loses_its_session_now_and_then_does_not_wait_longer_each_time(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True, timing=replace(QUICK, sign_in_again=0.002))
    locator, client = put(store, BODY), store.client()
    for _ in range(14):  # doubled each time, the last wait would be longer than a read may take
        time.sleep(PROVEN * 0.002)
        own_sandbox.control.revoke_session()
        assert read(client, locator, 0, MIB) == BODY[:MIB]
    client.close()


def test_a_server_that_restarts_is_found_again(own_sandbox: RunningSandbox, opened: Opener) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    own_sandbox.kill()
    reads = under_way(client, locator)
    wait(reads, 0.5)
    assert not store.health().ok
    own_sandbox.restart()
    assert joined(reads) == BODY
    assert healthy_within(5.0, store)
    client.close()


def test_a_server_that_stays_away_fails_reads_in_time_and_is_not_stormed(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    own_sandbox.kill()
    started = time.monotonic()
    for future in under_way(client, locator):
        with pytest.raises(Transient):
            future.result(QUICK.read + 2)
    assert time.monotonic() - started < QUICK.read + 2
    assert not store.health().ok
    client.close()


def test_a_server_that_accepts_and_drops_is_left_alone_between_attempts(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    before = sandbox.control.stats()["calls"].get("help.getConfig", 0)
    sandbox.control.drop("upload.getFile", None)
    with pytest.raises(Transient):
        read(client, locator, 0, MIB)
    sandbox.control.clear()
    assert sandbox.control.stats()["calls"]["help.getConfig"] - before < 60
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    client.close()


def test_a_channel_that_is_gone_is_a_permanent_error_that_says_what_to_do(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    own_sandbox.control.delete_channel(own_sandbox.channel)
    with pytest.raises(Permanent, match="TELEGRAM_CHANNEL"):
        put(store, BODY)
    with pytest.raises(Permanent):
        read(client, locator, 0, MIB)
    health = store.health()
    assert not health.ok
    assert "TELEGRAM_CHANNEL" in health.detail
    client.close()


def test_cancelled_reads_free_their_places_at_once(opened: Opener, sandbox: RunningSandbox) -> None:
    patient = replace(
        QUICK, silence=60.0, request=60.0, read=60.0
    )  # nothing but the cancelling can free a place
    store = opened(sandbox, timing=patient)
    locator, client, other = put(store, BODY), store.client(), store.client()
    sandbox.control.silence("upload.getFile", 80)
    stuck = [client.read(locator, ByteRange(0, MIB)) for _ in range(80)]
    time.sleep(0.3)
    sandbox.control.clear()
    started = time.monotonic()
    client.close()
    assert not wait(stuck, 5.0).not_done
    assert read(other, locator, MIB, 2 * MIB) == BODY[MIB : 2 * MIB]
    assert time.monotonic() - started < 5.0
    other.close()


def test_the_main_address_never_sees_a_second_connection(own_sandbox: RunningSandbox, opened: Opener) -> None:
    store = opened(own_sandbox, own_sessions=True)
    client = store.client()
    assert joined(under_way(client, put(store, BODY))) == BODY
    connections = own_sandbox.control.stats()["connections"]
    assert connections["2 main"] == 1
    assert 1 <= connections["2 media"] <= 3
    client.close()


def test_closing_in_mid_flight_takes_less_than_five_seconds(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.silence("*", None)
    reads = under_way(client, locator)
    time.sleep(0.2)
    started = time.monotonic()
    store.close()
    assert time.monotonic() - started < 5.0
    assert not wait(reads, 1.0).not_done


def test_the_share_of_a_client_shrinks_with_their_number(store: TelegramStore) -> None:
    clients = [store.client() for _ in range(64)]
    assert clients[0].window == 2
    for client in clients[1:]:
        client.close()
    assert clients[0].window == 16
    clients[0].close()


def test_a_start_without_a_server_is_transient_and_the_store_connects_by_itself_later(
    own_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    own_sandbox.stop()
    store = TelegramStore(settings_for(own_sandbox), tmp_path / "sessions", "sandbox", QUICK)
    with pytest.raises(Transient):
        store.start(2.0)
    assert not store.health().ok
    own_sandbox.restart()
    assert healthy_within(10.0, store)
    store.close()


def test_a_kept_session_that_the_server_does_not_know_leads_to_a_new_sign_in(
    own_sandbox: RunningSandbox, opened: Opener, tmp_path: Path
) -> None:
    opened(own_sandbox, own_sessions=True).close()
    (kept,) = (tmp_path / "sessions").glob("bot-*.json")
    fields = json.loads(kept.read_text(encoding="utf-8"))
    fields["key"] = base64.b64encode(bytes(range(256))).decode()
    kept.write_text(json.dumps(fields), encoding="utf-8")
    store = TelegramStore(settings_for(own_sandbox), tmp_path / "sessions", "sandbox", QUICK)
    try:
        with pytest.raises(Transient):
            store.start(5.0)
        assert healthy_within(5.0, store)
        assert store.statistics().sign_ins == 1
    finally:
        store.close()


def test_a_slow_line_is_slow_and_not_dead(store: TelegramStore, sandbox: RunningSandbox) -> None:
    locator, client = put(store, BODY), store.client()
    sandbox.control.bandwidth(400_000)  # a piece takes longer than a silent connection is given
    assert read(client, locator, 0, MIB) == BODY[:MIB]
    assert store.statistics().connections_lost == 0
    client.close()


def test_a_start_keeps_the_bot_signed_in(own_sandbox: RunningSandbox, opened: Opener) -> None:
    opened(own_sandbox, own_sessions=True).close()
    store = opened(own_sandbox, own_sessions=True)
    assert store.statistics().sign_ins == 0
    assert own_sandbox.control.stats()["calls"]["auth.importBotAuthorization"] == 1


def test_a_media_address_that_refuses_the_key_is_left_for_the_main_connection(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    own_sandbox.control.rpc_error("upload.getFile", 401, "AUTH_KEY_UNREGISTERED", 1)
    assert joined(under_way(client, locator)) == BODY
    assert store.statistics().sign_ins == 1
    assert own_sandbox.control.stats()["connections"]["2 main"] == 1
    client.close()


def test_a_put_that_the_store_is_closed_under_is_transient(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    sandbox.control.silence("upload.saveBigFilePart", None)
    with ThreadPoolExecutor(1) as threads:
        putting = threads.submit(put, store, BODY)
        time.sleep(0.3)
        store.close()
        with pytest.raises(Transient):
            putting.result(5)


def test_one_label_put_by_two_threads_at_once_is_one_message(
    store: TelegramStore, sandbox: RunningSandbox
) -> None:
    label = label_of(BODY)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: store.put(label, source_of(BODY)), range(2))
    assert first == second


def test_a_flood_wait_on_signing_in_is_obeyed(own_sandbox: RunningSandbox, tmp_path: Path) -> None:
    own_sandbox.control.rpc_error("auth.importBotAuthorization", 420, "FLOOD_WAIT_2")
    store = TelegramStore(settings_for(own_sandbox), tmp_path / "sessions", "sandbox", QUICK)
    try:
        with pytest.raises(Transient) as waiting:
            store.start(5.0)
        assert waiting.value.retry_after == 2
        time.sleep(1.0)
        assert own_sandbox.control.stats()["calls"]["auth.importBotAuthorization"] == 1
        assert healthy_within(6.0, store)
    finally:
        store.close()


def test_a_server_without_media_addresses_is_served_over_the_one_connection(
    own_sandbox: RunningSandbox, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.telegram.media.media_address", lambda options, dc: None)
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    assert joined(under_way(client, locator)) == BODY
    own_sandbox.control.move_documents(4)
    assert joined(under_way(client, locator)) == BODY
    connections = own_sandbox.control.stats()["connections"]
    assert connections["2 main"] == connections["4 main"] == 1
    assert not connections.get("2 media")
    client.close()


def test_a_key_that_another_data_centre_forgot_is_made_anew(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    locator, client = put(store, BODY), store.client()
    own_sandbox.control.move_documents(4)
    assert joined(under_way(client, locator)) == BODY
    own_sandbox.control.rpc_error("upload.getFile", 401, "AUTH_KEY_UNREGISTERED", 3)
    assert joined(under_way(client, locator)) == BODY
    assert own_sandbox.control.stats()["calls"]["auth.exportAuthorization"] <= 4
    assert store.statistics().sign_ins == 1
    client.close()


def test_many_streams_under_constant_faults_never_get_a_wrong_byte(
    opened: Opener, sandbox: RunningSandbox
) -> None:
    store = opened(sandbox, bots=2)
    locator = put(store, BODY)
    sandbox.control.drop("upload.getFile", 12, 20)
    sandbox.control.rpc_error("upload.getFile", 420, "FLOOD_WAIT_1", 2, 40)
    sandbox.control.rpc_error("upload.getFile", 400, "FILE_REFERENCE_EXPIRED", 5, 60)
    sandbox.control.rpc_error("upload.getFile", 500, "INTERNAL", 5, 80)

    def stream(seed: int) -> bool:
        chance, client = random.Random(seed), store.client()
        same = True
        for _ in range(6):
            start = chance.randrange(12) * MIB
            stop = start + chance.randrange(1, MIB + 1)
            future = client.read(locator, ByteRange(start, stop))
            if chance.random() < 0.3:
                future.cancel()
            else:
                same &= future.result(QUICK.read + 2) == BODY[start:stop]
        client.close()
        return same

    with ThreadPoolExecutor(24) as threads:
        assert all(threads.map(stream, range(24)))
    assert store._pool.room.held == 0


def test_an_idle_connection_is_pinged(store: TelegramStore) -> None:
    before = store.statistics().requests
    time.sleep(2.5)
    assert store.statistics().requests > before
    assert store.statistics().connections_lost == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot freeze a process")
def test_a_server_that_froze_while_nobody_asked_is_noticed_and_found_again(
    own_sandbox: RunningSandbox, opened: Opener
) -> None:
    store = opened(own_sandbox, own_sessions=True)
    if sys.platform != "win32":
        os.kill(own_sandbox.pid, signal.SIGSTOP)
        try:
            deadline = time.monotonic() + 8
            while store.health().ok and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not store.health().ok
        finally:
            os.kill(own_sandbox.pid, signal.SIGCONT)
    assert healthy_within(8.0, store)
    assert store.statistics().sign_ins == 1
