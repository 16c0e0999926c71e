"""Every fault that can be asked for, seen by unmodified Telethon; each ends when it should."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest
from telethon import errors, functions

from sandbox.control import Control, ControlError
from sandbox.faults import Faults, Rule, bounded
from tests.sandbox.telethon_stories import as_bot, get, new_client, put, refused
from tests.sandbox_process import RunningSandbox, start_sandbox

pytestmark = pytest.mark.slow

MIB = 1 << 20
DATA = os.urandom(2 * MIB)


def random_id() -> int:
    return int.from_bytes(os.urandom(7), "big")


async def put_data(client: Any, sandbox: RunningSandbox) -> Any:
    return await put(client, sandbox.channel, DATA, random_id())


def test_latency_is_shared_by_requests_in_flight_together(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.latency(ms=300)
        started = time.monotonic()
        await asyncio.gather(*(get(client, document, number * 4096) for number in range(20)))
        assert 0.3 <= time.monotonic() - started < 3
        sandbox.control.clear()

    as_bot(sandbox, story)


def test_bandwidth_is_capped(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.bandwidth(2 * MIB)
        started = time.monotonic()
        for offset in (0, MIB):
            assert await get(client, document, offset, MIB) == DATA[offset : offset + MIB]
        assert 0.9 <= time.monotonic() - started < 5
        sandbox.control.clear()

    as_bot(sandbox, story)


def test_a_capped_line_trickles(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.bandwidth(MIB)
        connection = client._sender._connection
        fetching = asyncio.create_task(get(client, document, 0, MIB))
        seen = []
        while not fetching.done():
            await asyncio.sleep(0.1)
            seen.append(len(connection._reader._buffer))
        assert len({size for size in seen if 0 < size < MIB}) > 2
        sandbox.control.clear()

    as_bot(sandbox, story)


def test_an_error_comes_as_often_as_asked_and_after_as_many_calls(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.rpc_error("upload.getFile", 420, "FLOOD_WAIT_7", times=2, after=1)
        assert await get(client, document) == DATA[:4096]
        for _ in range(2):
            with pytest.raises(errors.FloodWaitError) as caught:
                await get(client, document)
            assert caught.value.seconds == 7
            client._flood_waited_requests.clear()
        assert await get(client, document) == DATA[:4096]

    as_bot(sandbox, story)


def test_a_dropped_connection_is_dropped_once(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.drop("upload.getFile")
        # Telethon connects again and repeats the call.
        assert await get(client, document) == DATA[:4096]
        assert sandbox.control.stats()["connections"] == {"2 main": 1}

    as_bot(sandbox, story)


def test_a_silenced_call_is_never_answered_but_others_are(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put_data(client, sandbox)).document
        sandbox.control.silence("upload.getFile")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get(client, document), timeout=0.5)
        assert await get(client, document) == DATA[:4096]

    as_bot(sandbox, story)


def test_a_flipped_byte_and_a_cut_tail(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        message, other = await put_data(client, sandbox), await put_data(client, sandbox)
        sandbox.control.flip(times=1)
        flipped = await get(client, message.document)
        assert [a ^ b for a, b in zip(flipped, DATA, strict=False) if a != b] == [1]
        sandbox.control.cut(times=1)
        assert await get(client, message.document) == DATA[: 4096 - 1000]
        sandbox.control.flip(times=None, channel=sandbox.channel, message=message.id)
        for _ in range(3):
            assert await get(client, message.document) != DATA[:4096]
        assert await get(client, other.document) == DATA[:4096]
        sandbox.control.clear()
        assert await get(client, message.document) == DATA[:4096]

    as_bot(sandbox, story)


def test_a_message_deleted_by_somebody_else_is_gone(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        message = await put_data(client, sandbox)
        sandbox.control.delete_message(sandbox.channel, message.id)
        assert await client.get_messages(sandbox.channel, ids=[message.id]) == [None]
        assert message.id not in [stored.id for stored in sandbox.control.list_messages(sandbox.channel)]

    as_bot(sandbox, story)


@pytest.mark.parametrize(
    ("lose", "error", "is_final"),
    [
        (lambda control: control.duplicate_key(), errors.AuthKeyDuplicatedError, True),
        (lambda control: control.revoke_session(), errors.SessionRevokedError, False),
        (lambda control: control.kill_key(), errors.AuthKeyUnregisteredError, False),
    ],
    ids=["duplicate_key", "revoke_session", "kill_key"],
)
def test_a_key_is_lost_until_somebody_signs_in_with_it(
    sandbox: RunningSandbox, lose: Any, error: type[Exception], is_final: bool
) -> None:
    async def story() -> None:
        client = new_client(sandbox)
        await client.start(bot_token=sandbox.bot_tokens[0])
        lose(sandbox.control)
        for _ in range(2):
            with pytest.raises(error):
                await client(functions.updates.GetStateRequest())
        signing_in = client.sign_in(bot_token=sandbox.bot_tokens[0])
        if is_final:
            await refused(signing_in, "AUTH_KEY_DUPLICATED")
        else:
            assert (await signing_in).bot
        await client.disconnect()

    asyncio.run(story())


def test_the_control_port_refuses_what_it_does_not_know(sandbox: RunningSandbox) -> None:
    with pytest.raises(ControlError):
        sandbox.control._do("no_such_command")
    with pytest.raises(ControlError):
        sandbox.control._do("latency", seconds=1)
    with pytest.raises(ControlError):
        sandbox.control.flip(channel=sandbox.channel, message=999_999)


def test_there_is_no_control_port_unless_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        start_sandbox(tmp_path_factory.mktemp("plain"), control=False) as plain,
        pytest.raises(AssertionError),
    ):
        assert isinstance(plain.control, Control)


def test_rules_count_only_the_calls_they_name() -> None:
    faults = Faults(
        rules=[Rule("drop", "a", times=bounded(2), after=1), Rule("silence", "*", times=bounded(None))]
    )
    kinds = [getattr(faults.on_call(name), "kind", None) for name in ("b", "a", "a", "b", "a", "a")]
    assert kinds == ["silence", "silence", "drop", "silence", "drop", "silence"]
    faults.clear()
    assert faults.on_call("a") is None
