"""Accounts and auth keys, as unmodified Telethon sees them: signing in, staying so, and what a key may do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from telethon import errors, functions, types
from telethon.network.connection import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate

from tests.sandbox.telethon_stories import (
    as_bot,
    get,
    new_client,
    put,
    refused,
    save_parts,
    signed_in,
)
from tests.sandbox_process import RunningSandbox, start_sandbox

pytestmark = pytest.mark.slow

MIB = 1 << 20


def user_id(sandbox: RunningSandbox) -> int:
    return int(sandbox.phone.lstrip("+"))


async def sign_in_user(sandbox: RunningSandbox, password: str | None = None) -> Any:
    client = new_client(sandbox)
    await client.connect()
    await client.send_code_request(sandbox.phone)
    try:
        await client.sign_in(sandbox.phone, sandbox.code)
    except errors.SessionPasswordNeededError:
        await client.sign_in(password=password)
    return client


@pytest.mark.parametrize("transport", [ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate])
def test_every_transport_serves(sandbox: RunningSandbox, transport: Any) -> None:
    async def story() -> None:
        client = new_client(sandbox, connection=transport)
        await client.start(bot_token=sandbox.bot_tokens[0])
        message = await put(
            client, sandbox.channel, os.urandom(300_000), int.from_bytes(os.urandom(7), "big")
        )
        assert len(await get(client, message.document, 0, 256 << 10)) == 256 << 10
        await client.disconnect()

    asyncio.run(story())


def test_wrong_credentials_are_refused(sandbox: RunningSandbox) -> None:
    async def story() -> None:
        client = new_client(sandbox)
        await client.connect()
        sign_in = functions.auth.ImportBotAuthorizationRequest
        await refused(client(sign_in(0, sandbox.api_id, sandbox.api_hash, "1:x")), "ACCESS_TOKEN_INVALID")
        await refused(client(sign_in(0, sandbox.api_id, "x" * 32, sandbox.bot_tokens[0])), "API_ID_INVALID")
        await refused(client(functions.upload.SaveFilePartRequest(1, 0, b"x")), "AUTH_KEY_UNREGISTERED")
        with pytest.raises(errors.PhoneNumberInvalidError):
            await client.send_code_request("+9996620000")
        await client.send_code_request(sandbox.phone)
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(sandbox.phone, "00000")
        await client.disconnect()

    asyncio.run(story())


def test_a_user_signs_in_with_code_and_password_and_reads_history(sandbox: RunningSandbox) -> None:
    sandbox.control.set_password(user_id(sandbox), "correct horse")

    async def story() -> None:
        with pytest.raises(errors.PasswordHashInvalidError):
            await sign_in_user(sandbox, "wrong horse")
        client = await sign_in_user(sandbox, "correct horse")
        # A user has to be shown a channel before it may name it.
        assert sandbox.channel in [dialog.id async for dialog in client.iter_dialogs()]
        await put(client, sandbox.channel, b"by the user", 41, caption="look for me")
        assert [m.message async for m in client.iter_messages(sandbox.channel, search="look for")] == [
            "look for me"
        ]
        await client.log_out()

    try:
        asyncio.run(story())
    finally:
        sandbox.control.set_password(user_id(sandbox), None)


def test_a_user_makes_a_channel_and_adds_a_bot_to_it(sandbox: RunningSandbox) -> None:
    async def story() -> None:
        client = await sign_in_user(sandbox)
        made = await client(functions.channels.CreateChannelRequest("More", "room", broadcast=True))
        bot = await client.get_input_entity("stowgram_1_bot")
        rights = types.ChatAdminRights(post_messages=True, delete_messages=True)
        await client(functions.channels.EditAdminRequest(made.chats[0], bot, rights, rank=""))
        invite = await client(functions.messages.ExportChatInviteRequest(made.chats[0]))
        found = await client(functions.messages.CheckChatInviteRequest(invite.link.rpartition("+")[2]))
        assert found.chat.id == made.chats[0].id
        await client.disconnect()
        async with signed_in(sandbox) as bot_client:
            assert (await put(bot_client, int(f"-100{made.chats[0].id}"), b"hello", 42)).id == 2

    asyncio.run(story())


def test_a_session_outlives_a_restart(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as own:

        async def before() -> tuple[str, int]:
            async with signed_in(own) as client:
                message = await put(client, own.channel, b"kept", 1)
                await save_parts(client, 9, b"parts")
                return client.session.save(), message.id

        async def after(session: str, number: int) -> None:
            client = new_client(own, session)
            await client.connect()
            (message,) = await client.get_messages(own.channel, ids=[number])
            assert await get(client, message.document) == b"kept"
            with pytest.raises(errors.RPCError):
                await put(client, own.channel, b"again", 1)
            assert (await put(client, own.channel, b"next", 2)).id == number + 1
            await client.disconnect()

        session, number = asyncio.run(before())
        port = own.port
        own.kill()
        own.restart()
        assert own.port == port
        asyncio.run(after(session, number))


def test_one_key_on_two_main_connections_is_dead_for_good(tmp_path: Path) -> None:
    with start_sandbox(tmp_path) as own:

        async def story() -> None:
            async with signed_in(own) as first:
                second = new_client(own, first.session.save())
                with pytest.raises(errors.AuthKeyDuplicatedError):
                    await second.connect()
                    await second.get_me()
                with pytest.raises(errors.AuthKeyDuplicatedError):
                    await first(functions.users.GetUsersRequest([types.InputUserSelf()]))
                await second.disconnect()
                saved = first.session.save()
            own.restart()
            again = new_client(own, saved)
            with pytest.raises(errors.AuthKeyDuplicatedError):
                await again.connect()
                await again.get_me()
            await again.disconnect()

        asyncio.run(story())


def test_a_key_may_follow_itself_on_the_main_address(sandbox: RunningSandbox) -> None:
    async def story() -> None:
        async with signed_in(sandbox) as first:
            saved = first.session.save()
        for _ in range(3):
            again = new_client(sandbox, saved)
            await again.connect()
            assert (await again.get_me()).bot
            await again.disconnect()

    asyncio.run(story())


def test_media_addresses_take_one_key_over_many_connections(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        message = await put(client, sandbox.channel, b"popular", 130)
        config = await client(functions.help.GetConfigRequest())
        media = next(option for option in config.dc_options if option.id == 2 and option.media_only)
        others = []
        for _ in range(3):
            other = new_client(sandbox, client.session.save())
            other.session.set_dc(2, media.ip_address, media.port)
            await other.connect()
            others.append(other)
        assert await asyncio.gather(*(get(other, message.document) for other in others)) == [b"popular"] * 3
        for other in others:
            await other.disconnect()

    as_bot(sandbox, story)
