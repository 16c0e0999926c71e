"""The TCP transports: how packets are framed on a stream. It must never know what is in a packet.

https://core.telegram.org/mtproto/mtproto-transports: full, abridged and intermediate, told apart by the first bytes.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from zlib import crc32

from sandbox.protocol import ProtocolError

MAX_PACKET = 2 << 20
"""Bytes in one incoming packet. Telegram closes the connection on containers above 1 MiB; the rest is slack."""
_ABRIDGED_TAG = b"\xef"
_INTERMEDIATE_TAG = b"\xee\xee\xee\xee"

Buffers = Sequence[bytes | memoryview]
"""Bytes in pieces, so that a large packet is never copied only to be joined."""


class Framing(ABC):
    """One transport, in both directions. It counts packets, so each connection has its own."""

    @abstractmethod
    def next_packet(self, buffer: bytearray) -> tuple[int, int, int] | None:
        """(start, stop, end): the first packet's payload in `buffer`, and its frame's end; None when incomplete."""

    @abstractmethod
    def frame(self, payload: Buffers) -> Buffers:
        """`payload`, a packet in pieces, framed."""


class Full(Framing):
    """Length, running number, payload, CRC-32 over it all."""

    def __init__(self) -> None:
        self._received = 0
        self._sent = 0

    def next_packet(self, buffer: bytearray) -> tuple[int, int, int] | None:
        if len(buffer) < 8:
            return None
        length, number = struct.unpack_from("<ii", buffer)
        _check_length(length - 12)
        if number != self._received:
            raise ProtocolError(f"full transport: packet {number} where {self._received} was due")
        if len(buffer) < length:
            return None
        with memoryview(buffer) as view:
            checksum = crc32(view[: length - 4])
        if checksum != int.from_bytes(buffer[length - 4 : length], "little"):
            raise ProtocolError("full transport: wrong checksum")
        self._received += 1
        return 8, length - 4, length

    def frame(self, payload: Buffers) -> Buffers:
        head = struct.pack("<ii", sum(map(len, payload)) + 12, self._sent)
        self._sent += 1
        checksum = crc32(head)
        for piece in payload:
            checksum = crc32(piece, checksum)
        return [head, *payload, checksum.to_bytes(4, "little")]


class Abridged(Framing):
    """Length in words of 4 bytes: one byte, or 0x7f and three more."""

    def next_packet(self, buffer: bytearray) -> tuple[int, int, int] | None:
        if not buffer:
            return None
        # The top bit asks for a quick acknowledgement, which we, as Telegram may, leave out.
        words, start = buffer[0] & 0x7F, 1
        if words == 0x7F:
            if len(buffer) < 4:
                return None
            words, start = int.from_bytes(buffer[1:4], "little"), 4
        _check_length(words * 4)
        stop = start + words * 4
        return (start, stop, stop) if len(buffer) >= stop else None

    def frame(self, payload: Buffers) -> Buffers:
        words = sum(map(len, payload)) >> 2
        head = bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        return [head, *payload]


class Intermediate(Framing):
    """Length in bytes, in four of them."""

    def next_packet(self, buffer: bytearray) -> tuple[int, int, int] | None:
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[:4], "little") & 0x7FFFFFFF
        _check_length(length)
        return (4, 4 + length, 4 + length) if len(buffer) >= 4 + length else None

    def frame(self, payload: Buffers) -> Buffers:
        return [sum(map(len, payload)).to_bytes(4, "little"), *payload]


class Deframer:
    """Cuts the incoming stream into packets. `framing` is None until the first bytes have told the transport."""

    def __init__(self) -> None:
        self.framing: Framing | None = None
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Take what arrived; yield every packet that is now complete. Raises ProtocolError."""
        self._buffer += data
        if self.framing is None and (detected := _detect(self._buffer)) is not None:
            self.framing, tag_length = detected
            del self._buffer[:tag_length]
        while self.framing is not None and (found := self.framing.next_packet(self._buffer)) is not None:
            start, stop, end = found
            with memoryview(self._buffer) as view:
                packet = bytes(view[start:stop])
            del self._buffer[:end]
            yield packet


def _detect(first: bytearray) -> tuple[Framing, int] | None:
    """The transport that begins with these bytes and the length of its tag; None while there are too few of them."""
    if first[:1] == _ABRIDGED_TAG:
        return Abridged(), 1
    if len(first) < 8:
        return None
    if first[:4] == _INTERMEDIATE_TAG:
        return Intermediate(), 4
    length, number = struct.unpack_from("<ii", first)
    if number == 0 and 12 <= length <= MAX_PACKET:
        return Full(), 0
    raise ProtocolError("neither the full nor the abridged nor the intermediate transport")


def _check_length(length: int) -> None:
    if not 0 < length <= MAX_PACKET or length % 4:
        raise ProtocolError(f"a packet of {length} bytes")
