"""What Telegram documents, asked of the sandbox by unmodified Telethon."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from telethon import errors, functions, types
from telethon.network.connection import ConnectionTcpAbridged, ConnectionTcpFull, ConnectionTcpIntermediate

from tests.sandbox.telethon_stories import (
    PART,
    SMALL_FILE,
    as_bot,
    get,
    location,
    new_client,
    post,
    put,
    refused,
    save_parts,
    signed_in,
)
from tests.sandbox_process import RunningSandbox, start_sandbox

MIB = 1 << 20


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(autouse=True)
def _clear(sandbox: RunningSandbox) -> Iterator[None]:
    yield
    sandbox.control.clear()


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


# Signing in -----------------------------------------------------------------------------------------------------------


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


# Bytes in -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part_size", [64 << 10, PART])
def test_a_document_comes_back_as_it_went_in(sandbox: RunningSandbox, part_size: int) -> None:
    data = os.urandom(SMALL_FILE + 12_345)

    async def story(client: Any) -> None:
        file = await save_parts(client, 100 + part_size, data, part_size)
        message = await post(client, sandbox.channel, file, 100 + part_size, "caption")
        assert (message.message, message.document.size) == ("caption", len(data))
        assert await client.download_media(message, bytes) == data
        assert await get(client, message.document, 11 * MIB, MIB) == b""

    as_bot(sandbox, story)


@pytest.mark.parametrize(
    ("part", "total", "size", "message"),
    [
        (0, 21, PART + 1, "FILE_PART_TOO_BIG"),
        (0, 21, 0, "FILE_PART_EMPTY"),
        (0, 21, 3 << 10, "FILE_PART_SIZE_INVALID"),
        (0, 21, 1000, "FILE_PART_SIZE_INVALID"),
        (21, 21, PART, "FILE_PART_INVALID"),
        (-1, 21, PART, "FILE_PART_INVALID"),
        (0, 4001, PART, "FILE_PARTS_INVALID"),
        (0, 0, PART, "FILE_PARTS_INVALID"),
    ],
)
def test_a_part_against_the_rules_is_refused(
    sandbox: RunningSandbox, part: int, total: int, size: int, message: str
) -> None:
    async def story(client: Any) -> None:
        await refused(client(functions.upload.SaveBigFilePartRequest(7, part, total, bytes(size))), message)

    as_bot(sandbox, story)


def test_a_file_with_parts_missing_changed_or_of_the_wrong_kind_is_refused(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        save = functions.upload.SaveBigFilePartRequest
        await client(save(50, 0, 30, bytes(PART)))
        await refused(client(save(50, 1, 30, bytes(PART // 2))), "FILE_PART_SIZE_CHANGED")
        await refused(
            post(client, sandbox.channel, types.InputFileBig(50, 30, "x"), 50), "FILE_PART_1_MISSING"
        )
        await refused(
            post(client, sandbox.channel, types.InputFileBig(50, 29, "x"), 50), "FILE_PARTS_INVALID"
        )
        await refused(
            post(client, sandbox.channel, types.InputFile(50, 30, "x", ""), 50), "FILE_PARTS_INVALID"
        )
        await client(save(51, 0, 1, b"far too small for this call"))
        await refused(post(client, sandbox.channel, types.InputFileBig(51, 1, "x"), 51), "FILE_PARTS_INVALID")
        await client(functions.upload.SaveFilePartRequest(52, 0, b"hello"))
        wrong = types.InputFile(52, 1, "x", hashlib.md5(b"other").hexdigest())
        await refused(post(client, sandbox.channel, wrong, 52), "MD5_CHECKSUM_INVALID")

    as_bot(sandbox, story)


def test_a_random_id_posts_once(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        await put(client, sandbox.channel, b"once", 60)
        file = await save_parts(client, 61, b"twice")
        await refused(post(client, sandbox.channel, file, 60), "RANDOM_ID_DUPLICATE")
        both = await asyncio.gather(
            put(client, sandbox.channel, b"a", 62),
            put(client, sandbox.channel, b"a", 62),
            return_exceptions=True,
        )
        assert sum(isinstance(one, errors.RPCError) for one in both) == 1

    as_bot(sandbox, story)


def test_a_caption_beyond_1024_is_refused(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        assert (await put(client, sandbox.channel, b"x", 70, "c" * 1024)).message == "c" * 1024
        await refused(
            put(client, sandbox.channel, b"x", 71, "c" * 1023 + "\U0001f4c1"), "MEDIA_CAPTION_TOO_LONG"
        )

    as_bot(sandbox, story)


# Bytes out ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "limit", "precise", "message"),
    [
        (1024, 4096, False, "OFFSET_INVALID"),
        (-4096, 4096, False, "OFFSET_INVALID"),
        (0, 1024, False, "LIMIT_INVALID"),
        (0, 12_288, False, "LIMIT_INVALID"),
        (0, 2 * MIB, False, "LIMIT_INVALID"),
        (0, 0, False, "LIMIT_INVALID"),
        (4096, MIB, False, "LIMIT_INVALID"),
        (768 << 10, PART, False, "LIMIT_INVALID"),
        (512, 1024, True, "OFFSET_INVALID"),
        (0, 1000, True, "LIMIT_INVALID"),
        (1024, MIB, True, "LIMIT_INVALID"),
        (1024, 3 << 10, True, None),
        (MIB - PART, PART, False, None),
    ],
)
def test_windows_are_those_that_telegram_allows(
    sandbox: RunningSandbox, offset: int, limit: int, precise: bool, message: str | None
) -> None:
    async def story(client: Any) -> None:
        posted = await put(client, sandbox.channel, os.urandom(2 * MIB), int.from_bytes(os.urandom(7), "big"))
        if message is None:
            assert len(await get(client, posted.document, offset, limit, precise=precise)) == limit
        else:
            await refused(get(client, posted.document, offset, limit, precise=precise), message)

    as_bot(sandbox, story)


def test_hashes_and_references_belong_to_one_account_and_expire(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        document = (await put(client, sandbox.channel, b"mine", 80)).document
        read = functions.upload.GetFileRequest
        await refused(client(read(location(document, access_hash=1), 0, 4096)), "FILE_ID_INVALID")
        await refused(client(read(location(document, file_reference=b""), 0, 4096)), "FILE_REFERENCE_EMPTY")
        await refused(
            client(read(location(document, file_reference=bytes(25)), 0, 4096)), "FILE_REFERENCE_INVALID"
        )
        async with signed_in(sandbox, bot=1) as other:
            await refused(get(other, document), "FILE_ID_INVALID")
        sandbox.control.expire_references()
        await refused(get(client, document), "FILE_REFERENCE_EXPIRED")
        (fresh,) = await client.get_messages(
            sandbox.channel, ids=[(await put(client, sandbox.channel, b"x", 81)).id]
        )
        assert await get(client, fresh.document) == b"x"

    as_bot(sandbox, story)


def test_a_document_in_another_data_centre_is_read_there(sandbox: RunningSandbox) -> None:
    async def story(client: Any) -> None:
        message = await put(client, sandbox.channel, b"far away", 90)
        sandbox.control.move_documents(4)
        await refused(get(client, message.document), "FILE_MIGRATE_4")
        # Telethon follows by itself: it exports its authorization to data centre 4.
        assert await client.download_media(message, bytes) == b"far away"

    try:
        as_bot(sandbox, story)
    finally:
        sandbox.control.move_documents(2)


# Channels -------------------------------------------------------------------------------------------------------------


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


# Auth keys and addresses ----------------------------------------------------------------------------------------------


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
