"""Unmodified Telethon against a running sandbox: `as_bot(sandbox, story)` signs in, runs the story, and signs off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from telethon import TelegramClient, errors, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tests.sandbox_process import RunningSandbox

Story = Callable[[Any], Awaitable[None]]
PART = 512 << 10
SMALL_FILE = 10 << 20
_sessions: WeakKeyDictionary[RunningSandbox, dict[int, str]] = WeakKeyDictionary()
"""The bots that are signed in already; a key exchange takes a second."""


def new_client(sandbox: RunningSandbox, session: str = "", **options: Any) -> Any:
    """A client that gives up soon and hides nothing; `session` as an earlier one saved it."""
    rsa.add_key(sandbox.key.read_text(encoding="ascii"), old=False)
    kept = StringSession(session)
    if not session:
        kept.set_dc(sandbox.dc, sandbox.host, sandbox.port)
    # Telethon remembers the addresses of the first server it sees for the whole process.
    TelegramClient._config = None
    defaults: dict[str, Any] = {
        "flood_sleep_threshold": 0,
        "request_retries": 0,
        "raise_last_call_error": True,
    }
    return TelegramClient(kept, sandbox.api_id, sandbox.api_hash, **(defaults | options))


@asynccontextmanager
async def _signed_in(sandbox: RunningSandbox, bot: int) -> Any:
    sessions = _sessions.setdefault(sandbox, {})
    client = new_client(sandbox, sessions.get(bot, ""))
    await client.start(bot_token=sandbox.bot_tokens[bot])
    sessions[bot] = client.session.save()
    try:
        yield client
    finally:
        await client.disconnect()


def signed_in(sandbox: RunningSandbox, bot: int = 0) -> AbstractAsyncContextManager[Any]:
    """A client signed in as one of the bots; one at a time for each bot."""
    return _signed_in(sandbox, bot)


def as_bot(sandbox: RunningSandbox, story: Story, bot: int = 0) -> None:
    async def whole() -> None:
        async with signed_in(sandbox, bot) as client:
            await asyncio.wait_for(story(client), timeout=60)

    asyncio.run(whole())


async def save_parts(client: Any, file_id: int, data: bytes, size: int = PART) -> Any:
    """Save `data` in parts of `size`, and name it as sendMedia wants it."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    if len(data) > SMALL_FILE:
        for number, part in enumerate(parts):
            await client(functions.upload.SaveBigFilePartRequest(file_id, number, len(parts), part))
        return types.InputFileBig(file_id, len(parts), "a.bin")
    for number, part in enumerate(parts):
        await client(functions.upload.SaveFilePartRequest(file_id, number, part))
    return types.InputFile(file_id, len(parts), "a.bin", "")


async def post(client: Any, channel: int, file: Any, random_id: int, caption: str = "") -> Any:
    """Send an uploaded file; the message."""
    media = types.InputMediaUploadedDocument(file, "application/octet-stream", [])
    peer = await client.get_input_entity(channel)
    sent = await client(functions.messages.SendMediaRequest(peer, media, caption, random_id=random_id))
    return sent.updates[1].message


async def put(client: Any, channel: int, data: bytes, random_id: int, caption: str = "") -> Any:
    """Upload and send; the message."""
    return await post(client, channel, await save_parts(client, random_id, data), random_id, caption)


def location(document: Any, **changed: Any) -> Any:
    fields = {"access_hash": document.access_hash, "file_reference": document.file_reference} | changed
    return types.InputDocumentFileLocation(id=document.id, thumb_size="", **fields)


async def get(client: Any, document: Any, offset: int = 0, limit: int = 4096, **flags: Any) -> bytes:
    reply = await client(functions.upload.GetFileRequest(location(document), offset, limit, **flags))
    data: bytes = reply.bytes
    return data


async def refused(awaitable: Awaitable[Any], message: str) -> None:
    """The call must fail with exactly this error of Telegram's."""
    with pytest.raises(errors.RPCError) as caught:
        await awaitable
    assert rpc_name(caught.value) == message


def rpc_name(error: Any) -> str:
    """The error's name on the wire; Telethon keeps it only for errors it does not know."""
    from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re

    for name, known in rpc_errors_dict.items():
        if type(error) is known:
            return str(name)
    for pattern, known in rpc_errors_re:
        if type(error) is known:
            number = next(v for k, v in vars(error).items() if isinstance(v, int) and k not in ("code",))
            return str(pattern).replace("(\\d+)", str(number))
    return str(error.message)
