"""Bytes in and out through unmodified Telethon, with every limit that Telegram documents."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Any

import pytest
from telethon import errors, functions, types

from tests.sandbox.telethon_stories import (
    PART,
    SMALL_FILE,
    as_bot,
    get,
    location,
    post,
    put,
    refused,
    save_parts,
    signed_in,
)
from tests.sandbox_process import RunningSandbox

pytestmark = pytest.mark.slow

MIB = 1 << 20


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
