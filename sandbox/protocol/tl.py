"""Reading and writing TL, Telegram's serialisation, with one kind of failure. Its types come from Telethon's schema."""

from __future__ import annotations

import struct
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader

from sandbox.protocol import ProtocolError

# What Telethon's generated readers raise on bytes that are not what they expect.
_MALFORMED = (
    struct.error,
    BufferError,
    RuntimeError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    OSError,
    EOFError,
    TypeNotFoundError,
)


def read_object(data: bytes) -> Any:
    """The TL object at the start of `data`; trailing bytes are ignored. Raises ProtocolError."""
    try:
        return BinaryReader(data).tgread_object()
    except _MALFORMED as error:
        raise ProtocolError(f"not a TL object: {type(error).__name__}") from error


def pack_bytes_head(size: int) -> tuple[bytes, bytes]:
    """What goes before and after `size` bytes to make them a TL string: its length, and padding to 4 bytes."""
    head = bytes([size]) if size < 254 else b"\xfe" + size.to_bytes(3, "little")
    return head, bytes(-(len(head) + size) % 4)
