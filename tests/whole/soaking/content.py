"""Bytes that can be made again: what stands at an offset is a function of the file's name and the offset."""

from __future__ import annotations

import random
import zlib

PERIOD = 1_048_583
"""Bytes until the pattern repeats: a prime above the size of a piece, so that no two pieces of a file are alike."""
_TWICE = random.Random("soak").randbytes(PERIOD) * 2


class Content:
    """The bytes of one file."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._shift = zlib.crc32(name.encode()) % PERIOD

    def __repr__(self) -> str:
        return f"<Content {self.name!r} {self.size} bytes>"

    def read(self, start: int, stop: int) -> bytes:
        """The bytes in [start, stop)."""
        parts = []
        while start < stop:
            at = (start + self._shift) % PERIOD
            count = min(stop - start, PERIOD)
            parts.append(_TWICE[at : at + count])
            start += count
        return b"".join(parts)

    def holds(self, offset: int, block: bytes) -> bool:
        """Whether these bytes are what stands at `offset`."""
        return offset + len(block) <= self.size and self.read(offset, offset + len(block)) == block
