"""Channels and their messages through unmodified Telethon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from telethon import functions, types

from tests.sandbox.telethon_stories import (
    as_bot,
    get,
    put,
    refused,
)
from tests.sandbox_process import RunningSandbox, start_sandbox

pytestmark = pytest.mark.slow

MIB = 1 << 20


def test_bots_get_messages_by_id_but_no_history(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        number = (await put(client, sandbox.channel, b"here", 110)).id
        found = await client.get_messages(sandbox.channel, ids=[number, number + 1000])
        assert found[0].id == number and found[1] is None
        peer = await client.get_input_entity(sandbox.channel)
        ids = [types.InputMessageID(n) for n in range(1, 102)]
        await refused(client(functions.channels.GetMessagesRequest(peer, ids)), "MSG_ID_INVALID")
        history = functions.messages.GetHistoryRequest(peer, 0, None, 0, 10, 0, 0, 0)
        await refused(client(history), "BOT_METHOD_INVALID")

    as_bot(sandbox, story)


def test_a_deleted_message_takes_its_bytes_along(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        message = await put(client, sandbox.channel, b"short-lived", 120)
        await client.delete_messages(sandbox.channel, [message.id])
        assert await client.get_messages(sandbox.channel, ids=[message.id]) == [None]
        await refused(get(client, message.document), "FILE_REFERENCE_EXPIRED")
        assert message.id not in [stored.id for stored in sandbox.control.list_messages(sandbox.channel)]

    as_bot(sandbox, story)


def test_a_channel_that_is_gone_or_closed_is_private(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as own:

        async def story(client: Any) -> None:
            await put(client, own.channel, b"x", 1)
            own.control.delete_channel(own.channel)
            await refused(put(client, own.channel, b"x", 2), "CHANNEL_PRIVATE")

        as_bot(own, story)
