"""The body of one request as it arrives: exactly as long as announced, and what its checksum says, or refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from errors import BadInput, ChecksumMismatch
from model import PIECE_SIZE, ByteRange, Checksum

BLOCK = 1 << 20
"""Bytes of a body that are held in memory at a time."""


class Body:
    """The bytes at `span` of a file, to come from `stream`, with a checksum or without.

    It is `proven` when `prove` was called after its last byte. Raises BadInput, ChecksumMismatch.
    """

    def __init__(self, stream: BinaryIO, span: ByteRange, checksum: Checksum | None = None) -> None:
        self._stream = stream
        self.span = span
        self._checksum = checksum
        self._seen = ByPiece(span.start) if checksum and checksum.by_piece else hashlib.sha256()
        self.proven = checksum is None
        """Whether nothing but its length is in question any more."""
        if stream.seekable():
            self._require_length()

    @property
    def pieces(self) -> dict[int, bytes]:
        """The SHA-256s of whole pieces, by where they begin in the file, if the proof needed them."""
        return self._seen.whole if isinstance(self._seen, ByPiece) else {}

    def blocks(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes. Raises BadInput when the stream ends before."""
        while length:
            block = self._stream.read(min(BLOCK, length))
            if not block:
                raise BadInput(f"The body ended before the {self.span.length} bytes that were announced.")
            length -= len(block)
            if not self.proven:
                self._seen.update(block)
            yield block

    def prove(self) -> None:
        """Raises ChecksumMismatch unless all that was read is what the checksum was made of."""
        if self._checksum and not self.proven and self._seen.digest() != self._checksum.digest:
            raise ChecksumMismatch("The bytes that arrived do not have the checksum that was sent with them.")
        self.proven = True

    def prove_ahead(self) -> None:
        """Look through it before any of it is taken; only of a stream that can seek (a server has spooled it)."""
        start = self._stream.tell()
        for _ in self.blocks(self.span.length):
            pass
        self.prove()
        self._stream.seek(start)

    def _require_length(self) -> None:
        start = self._stream.tell()
        if self._stream.seek(0, os.SEEK_END) - start < self.span.length:
            raise BadInput(f"The body is shorter than the {self.span.length} bytes that were announced.")
        self._stream.seek(start)

    @property
    def seekable(self) -> bool:
        return self._stream.seekable()


class ByPiece:
    """The digest over the digests of what comes of each piece of a file, from byte `start` of the file on."""

    def __init__(self, start: int) -> None:
        self.whole: dict[int, bytes] = {}
        """Those of whole pieces, by where they begin in the file."""
        self._start = self._at = start
        self._piece = hashlib.sha256()
        self._over = hashlib.sha256()

    def update(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            # Invariant: _piece holds exactly the bytes from _start to _at, which lie in one piece.
            part = view[: PIECE_SIZE - self._at % PIECE_SIZE]
            self._piece.update(part)
            self._at += len(part)
            view = view[len(part) :]
            if self._at % PIECE_SIZE == 0:
                self._end()

    def digest(self) -> bytes:
        """Of all that came; nothing may come afterwards."""
        if self._at > self._start:
            self._end()
        return self._over.digest()

    def _end(self) -> None:
        digest = self._piece.digest()
        self._over.update(digest)
        if self._at - self._start == PIECE_SIZE:
            self.whole[self._start] = digest
        self._start, self._piece = self._at, hashlib.sha256()
