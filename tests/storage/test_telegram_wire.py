"""What comes off the wire: packets cut anywhere, and envelopes with a file in them, as Telethon would open them."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import time
from hashlib import sha256
from typing import Any

import cryptg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey
from telethon.errors import SecurityError
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import types
from telethon.tl.core import RpcResult

from model import MIB
from storage.telegram.envelope import Envelopes, FileAnswer
from storage.telegram.packets import HEAD, LARGE, LARGEST, WAITING, Packet, Packets
from tests.sandbox.client_half import AUTH_KEY, abridged

REQUEST = 7


class Line(asyncio.Transport):
    """A connection that moves nothing and remembers what it was told."""

    paused = aborted = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def abort(self) -> None:
        self.aborted = True


def open_packets() -> tuple[Packets, Line]:
    packets, line = Packets(), Line()
    packets.connection_made(line)
    return packets, line


def feed(packets: Packets, data: bytes, most: int) -> None:
    """As a socket does that has at most so many bytes at a time."""
    while data:
        room = packets.get_buffer(-1)
        count = min(len(room), len(data), most)
        room[:count] = data[:count]
        packets.buffer_updated(count)
        data = data[count:]


def taken(packets: Packets) -> Packet:
    return asyncio.run(asyncio.wait_for(packets.take(), 5))


def whole(packet: Packet) -> bytes:
    return packet if isinstance(packet, bytes) else b"".join(packet)


@pytest.mark.slow
@given(
    words=st.lists(st.sampled_from((1, 2, 126, 127, 128, LARGE // 4, LARGE // 4 + 1, 50_000)), max_size=6),
    most=st.sampled_from((1000, 4096, LARGE, MIB)),
)
def test_packets_come_whole_and_in_order_wherever_the_line_cuts_them(words: list[int], most: int) -> None:
    packets, _ = open_packets()
    sent = [os.urandom(4 * count) for count in words]
    for packet in sent:
        feed(packets, abridged(packet), most)
        assert whole(taken(packets)) == packet


def test_short_packets_come_whole_even_when_every_byte_comes_alone() -> None:
    packets, _ = open_packets()
    for packet in (b"1234", b"x" * 504, b"y" * 508):
        feed(packets, abridged(packet), 1)
        assert taken(packets) == packet


def test_a_large_packet_is_cut_behind_its_head() -> None:
    packets, _ = open_packets()
    feed(packets, abridged(os.urandom(3 * LARGE)), MIB)
    assert [len(part) for part in taken(packets)] == [HEAD, 3 * LARGE - HEAD]  # type: ignore[arg-type]


def test_no_more_is_read_while_packets_wait_to_be_taken() -> None:
    packets, line = open_packets()
    for _ in range(WAITING):
        assert not line.paused
        feed(packets, abridged(b"1234"), MIB)
    assert line.paused
    taken(packets)
    assert not line.paused


def test_who_announces_more_than_any_answer_is_hung_up_on() -> None:
    packets, line = open_packets()
    feed(packets, b"\x7f" + (LARGEST // 4).to_bytes(3, "little"), MIB)
    assert line.aborted


def test_after_the_end_every_take_says_so() -> None:
    packets, _ = open_packets()
    feed(packets, abridged(b"1234"), MIB)
    packets.connection_lost(None)
    assert taken(packets) == b"1234"
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            taken(packets)


class Server:
    """Seals messages for one session, as core.telegram.org/mtproto/description says."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._last = int(time.time()) << 32 | 1

    def packet(self, body: bytes, *, number: int | None = None) -> bytes:
        self._last += 4
        plain = struct.pack("<qqqii", 0, self._session, number or self._last, 1, len(body)) + body
        plain += os.urandom(-(len(plain) + 12) % 16 + 12)
        message_key = sha256(AUTH_KEY[96:128] + plain).digest()[8:24]
        key, iv = MTProtoState._calc_key(AUTH_KEY, message_key, False)
        key_id: bytes = struct.pack("<Q", AuthKey(AUTH_KEY).key_id)
        sealed: bytes = cryptg.encrypt_ige(plain, key, iv)
        return key_id + message_key + sealed


def envelopes() -> tuple[Envelopes, Server]:
    state = Envelopes(AuthKey(AUTH_KEY), loggers=_Silent())
    return state, Server(state.id)


class _Silent(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return logging.getLogger("test")


def file_answer(data: bytes) -> bytes:
    file = types.upload.File(types.storage.FileUnknown(), 0, data)
    return struct.pack("<Iq", RpcResult.CONSTRUCTOR_ID, REQUEST) + bytes(file)


def cut(packet: bytes) -> Packet:
    """As it leaves the line."""
    packets, _ = open_packets()
    feed(packets, abridged(packet), MIB)
    return taken(packets)


@pytest.mark.parametrize("size", [0, 1, 16, 100, 300_001])
def test_what_is_sent_is_sealed_as_the_server_opens_it(size: int) -> None:
    state, _ = envelopes()
    data = os.urandom(size)
    packet = state.encrypt_message_data(data)
    key, iv = MTProtoState._calc_key(AUTH_KEY, packet[8:24], True)
    plain = cryptg.decrypt_ige(packet[24:], key, iv)
    assert packet[:8] == struct.pack("<Q", AuthKey(AUTH_KEY).key_id)
    assert plain[: 16 + size] == struct.pack("<qq", state.salt, state.id) + data
    assert 12 <= len(plain) - 16 - size < 12 + 16
    assert sha256(AUTH_KEY[88:120] + plain).digest()[8:24] == packet[8:24]


@given(size=st.sampled_from((LARGE, LARGE + 1, 2 * LARGE - 60, 2 * LARGE - 61, 300_001, MIB)))
def test_a_file_comes_out_of_its_envelope_byte_for_byte(size: int) -> None:
    state, server = envelopes()
    data = os.urandom(size)
    message = state.decrypt_message_data(cut(server.packet(file_answer(data))))
    assert isinstance(message.obj, FileAnswer)
    assert (message.obj.request, message.obj.file.bytes) == (REQUEST, data)


@pytest.mark.parametrize("place", [HEAD, HEAD + 100, HEAD + LARGE, 3 * LARGE, -1, 8])
def test_one_wrong_bit_anywhere_and_the_message_is_refused(place: int) -> None:
    state, server = envelopes()
    packet = bytearray(server.packet(file_answer(os.urandom(4 * LARGE))))
    packet[place] ^= 1
    with pytest.raises(SecurityError):
        state.decrypt_message_data(cut(bytes(packet)))


def test_a_message_that_comes_again_is_ignored() -> None:
    state, server = envelopes()
    packet = server.packet(file_answer(os.urandom(MIB)))
    assert state.decrypt_message_data(cut(packet)) is not None
    assert state.decrypt_message_data(cut(packet)) is None


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_message_of_another_time_is_ignored(minutes: int) -> None:
    state, server = envelopes()
    number = int(time.time() + 60 * minutes) << 32 | 1
    assert state.decrypt_message_data(cut(server.packet(file_answer(bytes(MIB)), number=number))) is None


def test_a_message_of_another_session_is_refused() -> None:
    state, _ = envelopes()
    with pytest.raises(SecurityError):
        state.decrypt_message_data(cut(Server(state.id ^ 1).packet(file_answer(bytes(MIB)))))


def test_what_says_that_it_is_longer_than_it_is_reaches_nobody() -> None:
    state, server = envelopes()
    with pytest.raises(BufferError):
        BinaryReader(
            state.decrypt_message_data(cut(server.packet(file_answer(bytes(MIB))[:-4096]))).obj.body
        ).tgread_object()


def test_anything_else_that_is_large_is_read_by_telethon() -> None:
    state, server = envelopes()
    other = struct.pack("<Iq", RpcResult.CONSTRUCTOR_ID, REQUEST) + bytes(
        types.help.CountryCode("x" * 2 * LARGE)
    )
    message = state.decrypt_message_data(cut(server.packet(other)))
    assert isinstance(message.obj, RpcResult)
    assert BinaryReader(message.obj.body).tgread_object().country_code == "x" * 2 * LARGE
