"""The body of one request as it arrives: exactly as long as announced, and what its checksum says, or refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from errors import BadInput, ChecksumMismatch

BLOCK = 1 << 20
"""Bytes of a body that are held in memory at a time."""


class Body:
    """`length` bytes to come from `stream`, with a SHA-256 `checksum` or None.

    A stream that can seek (a server has spooled it) is looked through at once, so that nothing wrong is ever written.
    Another one is `proven` only when `prove` was called after its last byte. Raises BadInput, ChecksumMismatch.
    """

    def __init__(self, stream: BinaryIO, length: int, checksum: bytes | None) -> None:
        self._stream = stream
        self._length = length
        self._checksum = checksum
        self._seen = hashlib.sha256()
        self.proven = checksum is None
        """Whether nothing but its length is in question any more."""
        if stream.seekable():
            self._look_through()

    def blocks(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes. Raises BadInput when the stream ends before."""
        while length:
            block = self._stream.read(min(BLOCK, length))
            if not block:
                raise BadInput(f"The body ended before the {self._length} bytes that were announced.")
            length -= len(block)
            if not self.proven:
                self._seen.update(block)
            yield block

    def prove(self) -> None:
        """Raises ChecksumMismatch unless all that was read is what the checksum was made of."""
        if not self.proven and self._seen.digest() != self._checksum:
            raise ChecksumMismatch("The bytes that arrived do not have the checksum that was sent with them.")
        self.proven = True

    def _look_through(self) -> None:
        start = self._stream.tell()
        if self._stream.seek(0, os.SEEK_END) - start < self._length:
            raise BadInput(f"The body is shorter than the {self._length} bytes that were announced.")
        self._stream.seek(start)
        if not self.proven:
            for _ in self.blocks(self._length):
                pass
            self.prove()
            self._stream.seek(start)
