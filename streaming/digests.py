"""What is remembered of bytes so that they can be recognised again. Pure, apart from reading its source."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from model import PIECE_SIZE, ByteRange, Chunk
from storage.base import Source

# CRC-32 as in ISO 3309 and ZIP (APPNOTE.TXT 4.4.7): polynomials over GF(2) with bit 31 for x^0, hence
# "reflected".
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_X_TO_THE_8 = 1 << (31 - 8)


@dataclass(frozen=True, slots=True)
class ChunkDigests:
    """SHA-256 and CRC-32 of a chunk, and the SHA-256 of each of its pieces, end to end."""

    sha256: bytes
    crc32: int
    pieces: bytes


def measure(
    source: Source, size: int, piece_size: int = PIECE_SIZE, *, whole: hashlib._Hash | None = None
) -> ChunkDigests:
    """The digests of the first `size` bytes of `source`, read once, a piece at a time.

    `whole`, the running SHA-256 of the file that the chunk continues, is fed too; after an exception it is worthless.
    Exceptions of the source pass through; one that gives too few bytes breaks its contract, which is a ValueError.
    """
    chunk, crc, pieces = hashlib.sha256(), 0, bytearray()
    for start in range(0, size, piece_size):
        span = ByteRange(start, min(start + piece_size, size))
        data = source(span)
        if len(data) != span.length:
            raise ValueError(f"the source gave {len(data)} bytes for {span}")
        chunk.update(data)
        if whole is not None:
            whole.update(data)
        crc = zlib.crc32(data, crc)
        pieces += hashlib.sha256(data).digest()
    return ChunkDigests(chunk.digest(), crc, bytes(pieces))


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
