"""The parts of the Telegram store that need no server: captions, windows, addresses, references, bounds, sessions."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.errors import rpc_message_to_error
from telethon.network.requeststate import RequestState
from telethon.tl.functions.upload import SaveFilePartRequest

from errors import ChunkMissing, Permanent, StoreError, Transient
from model import MIB, ByteRange, Label, Locator
from storage.telegram import captions, channel
from storage.telegram.addresses import main_address, media_address
from storage.telegram.documents import Documents
from storage.telegram.errors import (
    AlreadyPosted,
    ConnectionLost,
    Flooded,
    NoAccess,
    PartsLost,
    Refusal,
    SignedOut,
    StaleReference,
    WrongDataCentre,
    translated,
)
from storage.telegram.reader import legal_read
from storage.telegram.sessions import Session, SessionFolder
from storage.telegram.timing import Backoff
from storage.telegram.wire import Address, Sender

LABEL = Label("chunk", UUID(int=7), 3, 192 * MIB, 64 * MIB, bytes(range(32)))


@given(
    st.builds(
        Label,
        st.sampled_from(["chunk", "manifest"]),
        st.uuids(),
        st.integers(0, 10**6),
        st.integers(0, 2**50),
        st.integers(1, 2**31),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 9),
    )
)
def test_a_label_survives_the_caption_and_the_file_name(label: Label) -> None:
    assert captions.decode(captions.encode(label), captions.file_name(label)) == label
    assert len(captions.encode(label)) <= 1024


@given(st.text(), st.text())
def test_captions_of_others_are_no_labels_and_no_errors(caption: str, name: str) -> None:
    assert captions.decode(caption, name) is None


@pytest.mark.parametrize(
    "change",
    [
        {"stowgram": 2},
        {"kind": "x"},
        {"index": -1},
        {"sha256": "00"},
        {"file": 1},
        {"offset": None},
        {"size": []},
    ],
)
def test_a_caption_with_a_wrong_field_is_no_label(change: dict[str, Any]) -> None:
    fields = json.loads(captions.encode(LABEL)) | change
    assert captions.decode(json.dumps(fields), captions.file_name(LABEL)) is None


def test_random_ids_are_equal_for_equal_labels_only_and_fit_64_bits() -> None:
    others = [replace(LABEL, attempt=1), replace(LABEL, index=4), replace(LABEL, kind="manifest")]
    ids = [captions.random_id(label) for label in [LABEL, *others]] + [captions.random_id(LABEL, 1)]
    assert len(set(ids)) == 5
    assert captions.random_id(replace(LABEL)) == ids[0]
    assert all(-(2**63) <= number < 2**63 for number in ids)


@given(st.integers(0, 5), st.integers(0, MIB - 1), st.integers(1, MIB))
def test_a_legal_read_covers_the_span_and_keeps_the_rules_of_get_file(
    block: int, start: int, length: int
) -> None:
    span = ByteRange(block * MIB + start, block * MIB + min(MIB, start + length))
    window = legal_read(span)
    assert window.start <= span.start and span.stop <= window.stop
    assert window.start % 4096 == 0 and window.length % 4096 == 0 and MIB % window.length == 0
    assert window.start >> 20 == (window.stop - 1) >> 20
    assert window.length == 4096 or window.length < 4 * MIB


def test_a_small_span_costs_a_small_read() -> None:
    assert legal_read(ByteRange(MIB, MIB + 1)) == ByteRange(MIB, MIB + 4096)
    assert legal_read(ByteRange(0, 4097)) == ByteRange(0, 8192)


def option(dc: int, host: str, **flags: bool) -> Any:
    defaults = {"ipv6": False, "media_only": False, "tcpo_only": False, "cdn": False, "secret": None}
    return SimpleNamespace(id=dc, ip_address=host, port=443, **(defaults | flags))


def test_the_media_address_is_chosen_among_what_a_plain_transport_can_use() -> None:
    options = [
        option(4, "main"),
        option(4, "cdn", media_only=True, cdn=True),
        option(4, "obfuscated", media_only=True, tcpo_only=True),
        option(4, "secret", media_only=True, secret=True),
        option(4, "v6", media_only=True, ipv6=True),
        option(4, "media", media_only=True),
        option(2, "other", media_only=True),
    ]
    assert media_address(options, 4) == Address(4, "media", 443, True)
    assert main_address(options, 4) == Address(4, "main", 443, False)
    assert media_address(options[:4], 4) is None
    assert media_address(options[:5], 4) == Address(4, "v6", 443, True)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("-1001234567890", channel.ById(-1001234567890)),
        ("1234567890", channel.ById(-1001234567890)),
        ("@stow_gram", channel.ByName("stow_gram")),
        ("stow_gram", channel.ByName("stow_gram")),
        ("https://t.me/stow_gram", channel.ByName("stow_gram")),
        ("t.me/c/1234567890/17", channel.ById(-1001234567890)),
        ("https://t.me/+AbC-_d", channel.ByInvite("AbC-_d")),
        ("https://t.me/joinchat/AbC", channel.ByInvite("AbC")),
        (" create:My files ", channel.ToCreate("My files")),
    ],
)
def test_a_channel_can_be_named_in_every_usual_way(text: str, reference: channel.Reference) -> None:
    assert channel.parse(text) == reference


@pytest.mark.parametrize("text", ["", "create:", "https://example.org/x", "a b", "@ab", "t.me/"])
def test_what_names_no_channel_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(Permanent, match="create:TITLE"):
        channel.parse(text)


@pytest.mark.parametrize(
    ("code", "message", "ours"),
    [
        (420, "FLOOD_WAIT_7", Flooded),
        (420, "FLOOD_PREMIUM_WAIT_7", Flooded),
        (400, "FILE_REFERENCE_EXPIRED", StaleReference),
        (400, "FILE_REFERENCE_2_EXPIRED", StaleReference),
        (303, "FILE_MIGRATE_4", WrongDataCentre),
        (406, "AUTH_KEY_DUPLICATED", SignedOut),
        (401, "AUTH_KEY_UNREGISTERED", SignedOut),
        (401, "SESSION_REVOKED", SignedOut),
        (500, "RANDOM_ID_DUPLICATE", AlreadyPosted),
        (400, "FILE_PART_3_MISSING", PartsLost),
        (400, "MESSAGE_ID_INVALID", ChunkMissing),
        (400, "CHANNEL_PRIVATE", NoAccess),
        (403, "CHAT_WRITE_FORBIDDEN", NoAccess),
        (500, "INTERDC_2_CALL_ERROR", Transient),
        (-503, "Timeout", Transient),
        (400, "NEVER_HEARD_OF", Refusal),
    ],
)
def test_each_error_of_telegram_has_a_word_of_ours(code: int, message: str, ours: type[StoreError]) -> None:
    foreign = rpc_message_to_error(SimpleNamespace(error_code=code, error_message=message), None)
    assert type(translated(foreign)) is ours
    assert str(translated(foreign)).endswith(".")


def test_errors_of_the_line_are_worth_another_connection() -> None:
    for error in (ConnectionResetError(), TimeoutError(), EOFError(), asyncio.IncompleteReadError(b"", 4)):
        assert type(translated(error)) is ConnectionLost
    flood = rpc_message_to_error(SimpleNamespace(error_code=420, error_message="FLOOD_WAIT_7"), None)
    waiting = translated(flood)
    assert isinstance(waiting, Transient) and waiting.retry_after == 7


def test_a_back_off_grows_to_its_most_and_is_reset_by_success() -> None:
    backoff = Backoff(1.0, 8.0)
    delays = []
    for _ in range(8):
        backoff.fail(100.0)
        delays.append(backoff.until - 100.0)
    assert 0.5 <= delays[0] <= 1.0
    assert 4.0 <= delays[-1] <= 8.0
    backoff.succeed()
    assert (backoff.failures, backoff.until) == (0, 0.0)


def test_a_session_is_kept_privately_and_only_for_its_own_secret(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "telegram")
    session = Session(Address(2, "127.0.0.1", 4430), bytes(range(256)), {4: bytes(256)})
    folder.save("bot-1", "1:secret", session)
    assert folder.load("bot-1", "1:secret") == session
    assert folder.load("bot-1", "1:another") is None
    assert folder.load("bot-2", "1:secret") is None
    kept = tmp_path / "telegram" / "bot-1.json"
    assert "secret" not in kept.read_text(encoding="utf-8").replace('"secret"', "")
    if sys.platform != "win32":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["bot-1.json"]
    folder.forget("bot-1")
    folder.forget("bot-1")
    assert folder.load("bot-1", "1:secret") is None


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"secret": 1}', '{"foreign": 3}'])
def test_a_damaged_session_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "bot-1.json").write_text(text, encoding="utf-8")
    assert SessionFolder(tmp_path).load("bot-1", "1:secret") is None


@pytest.mark.parametrize("text", ["", "1", "hello", "1" + "A" * 352, "1" + "é" * 352, "1" + "A" * 351])
def test_a_string_that_is_no_session_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Permanent, match=r"run\.py login") as refusal:
        Session.from_string(text)
    assert len(text) < 2 or text not in str(refusal.value)


def test_no_secret_is_in_a_repr() -> None:
    session = Session(Address(2, "127.0.0.1", 4430), b"k" * 256, {4: b"f" * 256})
    assert "kkk" not in repr(session)
    assert "fff" not in repr(session)


def test_parts_go_out_as_they_are_and_not_gzipped() -> None:
    async def scenario() -> None:
        sender, body = Sender(bytes(range(256))), bytes(100_000)
        sender._send_queue.append(RequestState(SaveFilePartRequest(1, 0, body)))
        _, packed = await sender._send_queue.get()
        assert body in packed

    asyncio.run(scenario())


def test_messages_that_are_named_twice_are_looked_up_once_and_answered() -> None:
    """As in the ZIP of a folder in which files share their contents."""
    asked: list[list[int]] = []

    async def scenario() -> None:
        all_wait = asyncio.Event()

        async def get_messages(_: int, ids: list[int]) -> list[Any]:
            asked.append(ids)
            await all_wait.wait()
            return []

        documents = Documents(get_messages)
        locators = [Locator(-100, number) for number in (1, 2, 1, 2, 3)]
        documents.foresee(locators)
        waiting = asyncio.gather(*map(documents.get, locators), return_exceptions=True)
        asyncio.get_running_loop().call_later(0.01, all_wait.set)
        answers = await asyncio.wait_for(waiting, 5)
        assert all(isinstance(answer, ChunkMissing) for answer in answers)

    asyncio.run(scenario())
    assert asked == [[1, 2, 3]]


def test_the_message_that_is_read_is_asked_for_before_those_that_are_foreseen() -> None:
    asked: list[list[int]] = []

    async def scenario() -> None:
        both = asyncio.Event()

        async def get_messages(_: int, ids: list[int]) -> list[Any]:
            asked.append(ids)
            if len(asked) == 2:
                both.set()
            await both.wait()
            return []

        documents = Documents(get_messages)
        locators = [Locator(-100, number) for number in (1, 2, 3)]
        asyncio.get_running_loop().call_soon(documents.foresee, locators)  # as a client does
        with pytest.raises(ChunkMissing):
            async with asyncio.timeout(5):
                await documents.get(locators[0])

    asyncio.run(scenario())
    assert asked == [[1], [2, 3]]
