"""ZIPs of members whose bytes are computed: any size costs nothing, and any place of one can be read."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from functools import cache

from model import ByteRange
from streaming.archive import Body, Layout
from streaming.digests import crc32_combine
from streaming.zip_records import Member

PATTERN = bytes(range(256)) * 4096
"""What a member's bytes repeat: 1 MiB."""


def body(span: ByteRange) -> bytes:
    """The bytes of a member there."""
    first = span.start % len(PATTERN)
    repeated = PATTERN * (1 + (first + span.length) // len(PATTERN))
    return repeated[first : first + span.length]


@cache
def crc32(size: int) -> int:
    """Of a member of that size."""
    if size <= len(PATTERN):
        return zlib.crc32(PATTERN[:size])
    half = size // 2 // len(PATTERN) * len(PATTERN) or len(PATTERN)
    return crc32_combine(crc32(half), crc32(size - half), size - half)


def member(name: str, size: int = 0, modified: int = 1_700_000_000) -> Member:
    return Member(name.encode(), size, crc32(size), modified)


def read(layout: Layout, span: ByteRange) -> bytes:
    """The archive's bytes there, as the parts tell them."""
    return b"".join(
        body(part.span) if isinstance(part, Body) else layout.frame(part.span) for part in layout.parts(span)
    )


def whole(members: Sequence[Member]) -> bytes:
    layout = Layout(members)
    return read(layout, ByteRange(0, layout.size))


class Opened(io.RawIOBase):
    """An archive as a file to read, of which nothing is made before it is asked for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._layout.size}[whence]
        if at < 0:
            raise OSError("before the start")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = ByteRange(self._at, self._at + len(buffer))
        found = read(self._layout, wanted.within(ByteRange(0, self._layout.size)))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
