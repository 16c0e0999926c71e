"""What is remembered of bytes so that they can be recognised again. Pure, apart from reading its source."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from model import PIECE_SIZE, ByteRange, Chunk
from storage.base import Source

# CRC-32 as in ISO 3309 and ZIP (APPNOTE.TXT 4.4.7): polynomials over GF(2) with bit 31 for x^0, hence
# "reflected".
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_X_TO_THE_8 = 1 << (31 - 8)


NOTHING: Mapping[int, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ChunkDigests:
    """SHA-256 and CRC-32 of a chunk, and the SHA-256 of each of its pieces, end to end."""

    sha256: bytes
    crc32: int
    pieces: bytes


class Measuring:
    """The digests of the first `size` bytes of a chunk, which may be read on as more of them come.

    `start` is where the chunk begins in its file. `whole`, the running SHA-256 of the file that the chunk continues, is
    fed too. After an exception all of it is worthless.
    """

    def __init__(
        self, start: int = 0, piece_size: int = PIECE_SIZE, whole: hashlib._Hash | None = None
    ) -> None:
        self.start = start
        self.size = 0
        self._piece_size = piece_size
        self._chunk = hashlib.sha256()
        # Of the first chunk one hash is both.
        self.whole = self._chunk if whole is not None and start == 0 else whole
        self._crc = 0
        self._pieces = bytearray()
        self._begun = hashlib.sha256()
        """Of the last piece, as long as it is not whole."""

    def read(self, source: Source, stop: int, known: Mapping[int, bytes] = NOTHING) -> None:
        """Go on to `stop` bytes of `source`, read once, a piece at a time.

        `known` are the SHA-256s of whole pieces that somebody has made already, by where they begin in the file.
        Exceptions of the source pass through; one that gives too few bytes breaks its contract, which is a ValueError.
        """
        while self.size < stop:
            left = self._piece_size - self.size % self._piece_size
            span = ByteRange(self.size, min(self.size + left, stop))
            data = source(span)
            if len(data) != span.length:
                raise ValueError(f"the source gave {len(data)} bytes for {span}")
            self._chunk.update(data)
            if self.whole is not None and self.whole is not self._chunk:
                self.whole.update(data)
            self._crc = zlib.crc32(data, self._crc)
            if span.length == self._piece_size and (digest := known.get(self.start + span.start)):
                self._pieces += digest
            else:
                self._begun.update(data)
                if span.length == left:
                    self._pieces += self._begun.digest()
                    self._begun = hashlib.sha256()
            self.size = span.stop

    def digests(self) -> ChunkDigests:
        """Of what was read; it is the whole chunk now."""
        last = self._begun.digest() if self.size % self._piece_size else b""
        return ChunkDigests(self._chunk.digest(), self._crc, bytes(self._pieces) + last)


def measure(source: Source, size: int, piece_size: int = PIECE_SIZE) -> ChunkDigests:
    """The digests of the first `size` bytes of `source`. Raises what `Measuring.read` raises."""
    measuring = Measuring(piece_size=piece_size)
    measuring.read(source, size)
    return measuring.digests()


def crc32_combine(crc1: int, crc2: int, len2: int) -> int:
    """The CRC-32 of A+B, from those of A and B and the number of bytes in B.

    Appending n bytes multiplies A's remainder by x^(8n); the conditioning of both CRCs cancels out in the sum.
    """
    return _product(_shift(len2), crc1) ^ crc2


def file_crc32(chunks: Iterable[Chunk]) -> int:
    """The CRC-32 of a whole file from those of its chunks, in order."""
    crc = 0
    for chunk in chunks:
        crc = crc32_combine(crc, chunk.crc32, chunk.size)
    return crc


@lru_cache(maxsize=64)  # nearly all chunks of a file have one size
def _shift(length: int) -> int:
    """x^(8*length) modulo the polynomial, by repeated squaring."""
    power, square = _ONE, _X_TO_THE_8
    while length:
        if length & 1:
            power = _product(power, square)
        square = _product(square, square)
        length >>= 1
    return power


def _product(a: int, b: int) -> int:
    """a*b modulo the polynomial."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product
