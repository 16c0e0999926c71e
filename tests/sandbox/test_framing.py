"""Frames and encryption: the outer layers of the protocol core."""

from __future__ import annotations

import os
import struct
from zlib import crc32

import pytest
from telethon.tl import functions, types

from sandbox.protocol import ProtocolError
from sandbox.protocol.crypto import open_packet, seal_packet
from sandbox.protocol.tl import pack_bytes_head
from sandbox.protocol.transports import MAX_PACKET, Deframer
from tests.sandbox.client_half import (
    AUTH_KEY,
    Client,
    abridged,
    open_reply,
)

PAYLOADS = [bytes(4), os.urandom(504), os.urandom(508), os.urandom(70_000)]


def full(payload: bytes, number: int) -> bytes:
    framed = struct.pack("<ii", len(payload) + 12, number) + payload
    return framed + struct.pack("<I", crc32(framed))


def stream(transport: str) -> bytes:
    """All PAYLOADS as a client sends them."""
    match transport:
        case "full":
            return b"".join(full(payload, number) for number, payload in enumerate(PAYLOADS))
        case "abridged":
            return b"\xef" + b"".join(map(abridged, PAYLOADS))
        case _:
            return b"\xee" * 4 + b"".join(
                len(payload).to_bytes(4, "little") + payload for payload in PAYLOADS
            )


@pytest.mark.parametrize("transport", ["full", "abridged", "intermediate"])
@pytest.mark.parametrize("step", [1, 3, 1000, 1 << 20])
def test_packets_come_out_of_a_stream_however_it_is_cut(transport: str, step: int) -> None:
    deframer, sent = Deframer(), stream(transport)
    received = [p for at in range(0, len(sent), step) for p in deframer.feed(sent[at : at + step])]
    assert received == PAYLOADS


@pytest.mark.parametrize("transport", ["full", "abridged", "intermediate"])
def test_a_server_frames_as_a_client_reads(transport: str) -> None:
    deframer = Deframer()
    assert len(list(deframer.feed(stream(transport)))) == len(PAYLOADS)
    assert deframer.framing is not None
    tag = {"full": b"", "abridged": b"\xef", "intermediate": b"\xee" * 4}[transport]
    framed = b"".join(b"".join(deframer.framing.frame([p[:2], memoryview(p)[2:]])) for p in PAYLOADS)
    assert tag + framed == stream(transport)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n",
        b"\xef\x00",
        b"\xef\x7f\xff\xff\xff",
        b"\xee" * 4 + struct.pack("<i", MAX_PACKET + 4) + bytes(4),
        full(b"1234", 1),
        full(b"1234", 0)[:-1] + b"x",
        struct.pack("<ii", 13, 0) + bytes(16),
    ],
)
def test_a_broken_frame_is_a_protocol_error(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Deframer().feed(garbage))


@pytest.mark.parametrize("size", [0, 4, 1000, (32 << 10) - 44, 32 << 10, 100_000])
def test_what_the_server_seals_the_client_opens(size: int) -> None:
    head = struct.pack("<qqqii", 1, 2, 5, 1, size + 20)
    data = os.urandom(size)
    before, after = pack_bytes_head(size)
    body = struct.pack("<IIi", types.upload.File.CONSTRUCTOR_ID, types.storage.FileUnknown.CONSTRUCTOR_ID, 7)
    packet = seal_packet(AUTH_KEY, [head, body + before, memoryview(data), after])
    assert open_reply(packet).bytes == data


def test_a_changed_packet_is_refused() -> None:
    packet = bytearray(Client().packet(bytes(functions.PingRequest(1))))
    packet[-1] ^= 1
    with pytest.raises(ProtocolError):
        open_packet(AUTH_KEY, bytes(packet))
