"""What one decrypted packet holds: a message, a container of messages, gzip around either. Bounded, whatever arrives.

https://core.telegram.org/mtproto/service_messages#containers
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from sandbox.protocol import ProtocolError

MAX_CONTAINER = 1024
"""Messages in one container: "no more than 1024"."""
MAX_UNPACKED = 2 << 20
"""Bytes that one gzip_packed object may unfold into."""
_CONTAINER = 0x73F1F8DC
_GZIP_PACKED = 0x3072CFA1
_HEAD = struct.Struct("<qqqii")


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the client sent it; `body` is its TL object, unzipped."""

    msg_id: int
    seq_no: int
    body: bytes

    @property
    def constructor(self) -> int:
        return int.from_bytes(self.body[:4], "little")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A packet's outer message, and the messages to act on: those of its container, or itself alone."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    is_container: bool
    messages: tuple[Message, ...]


def parse_envelope(plaintext: bytes) -> Envelope:
    """What a decrypted packet says. Raises ProtocolError."""
    if len(plaintext) < _HEAD.size:
        raise ProtocolError("a message without its head")
    salt, session_id, msg_id, seq_no, length = _HEAD.unpack_from(plaintext)
    padding = len(plaintext) - _HEAD.size - length
    if length < 4 or length % 4 or not 12 <= padding <= 1024:
        raise ProtocolError(f"a message of {length} bytes with {padding} bytes of padding")
    outer = Message(msg_id, seq_no, _unzip(plaintext[_HEAD.size : _HEAD.size + length]))
    if outer.constructor == _CONTAINER:
        return Envelope(salt, session_id, msg_id, seq_no, True, _split_container(outer.body))
    return Envelope(salt, session_id, msg_id, seq_no, False, (outer,))


def _split_container(body: bytes) -> tuple[Message, ...]:
    messages = []
    try:
        (count,) = struct.unpack_from("<i", body, 4)
        if not 0 <= count <= MAX_CONTAINER:
            raise ProtocolError(f"a container of {count} messages")
        at = 8
        for _ in range(count):
            msg_id, seq_no, length = struct.unpack_from("<qii", body, at)
            at += 16
            if length < 4 or length % 4 or at + length > len(body):
                raise ProtocolError(f"a message of {length} bytes in a container")
            messages.append(Message(msg_id, seq_no, _unzip(body[at : at + length])))
            at += length
    except struct.error as error:
        raise ProtocolError("a container that ends too early") from error
    if any(message.constructor == _CONTAINER for message in messages):
        raise ProtocolError("a container in a container")
    return tuple(messages)


def _unzip(body: bytes) -> bytes:
    if int.from_bytes(body[:4], "little") != _GZIP_PACKED:
        return body
    if len(body) < 8:
        raise ProtocolError("gzip_packed without its data")
    start = 8 if body[4] == 0xFE else 5
    length = int.from_bytes(body[5:8], "little") if body[4] == 0xFE else body[4]
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body[start : start + length], MAX_UNPACKED)
    except zlib.error as error:
        raise ProtocolError("gzip_packed data that is no gzip") from error
    if not unpacker.eof or len(unpacked) < 4:
        raise ProtocolError("gzip_packed data that is cut off or too large")
    return unpacked
