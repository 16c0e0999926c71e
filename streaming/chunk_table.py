"""The chunks of many files in arrays: a hundred bytes for a small file, where objects would take a thousand.

It must never know what the files are called, or who wants their bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from uuid import UUID

from model import DIGEST_SIZE, ByteRange, Chunk, Locator, Slice

_UUID_SIZE = 16


class ChunkTable:
    """Files by number, in the order in which they were begun. Complete by construction: the chunks of each are
    contiguous from 0, and their sizes add up.
    """

    def __init__(self) -> None:
        self._uuids = bytearray()
        self._firsts = array("Q")  # of each file: the number of its first chunk
        self._missing = 0
        """Bytes of the last file whose chunks are not here yet."""
        self._offsets, self._sizes, self._piece_sizes = array("Q"), array("Q"), array("I")
        self._crc32s, self._channels, self._messages = array("I"), array("q"), array("q")
        self._sha256s, self._pieces, self._pieces_ends = bytearray(), bytearray(), array("Q", [0])

    @property
    def memory(self) -> int:
        """Bytes that this takes, about."""
        numbers = (self._firsts, self._offsets, self._sizes, self._piece_sizes, self._crc32s)
        more = (self._channels, self._messages, self._pieces_ends)
        held = sum(len(each) * each.itemsize for each in (*numbers, *more))
        return held + len(self._uuids) + len(self._sha256s) + len(self._pieces)

    def begin(self, uuid: bytes, size: int) -> None:
        """The next file, its UUID in 16 bytes; chunks follow. Raises ValueError when the one before is not whole."""
        self.end()
        self._uuids += uuid
        self._firsts.append(len(self._sizes))
        self._missing = size

    def add(self, chunk: Chunk) -> None:
        """The next chunk of the file that was begun last. Raises ValueError when it is another."""
        at = self._offsets[-1] + self._sizes[-1] if self._firsts[-1] < len(self._sizes) else 0
        if (chunk.index, chunk.offset) != (len(self._sizes) - self._firsts[-1], at):
            raise ValueError(f"chunk {chunk.index} of file {self.file(-1)} is missing or out of place")
        self._missing -= chunk.size
        self._offsets.append(chunk.offset)
        self._sizes.append(chunk.size)
        self._piece_sizes.append(chunk.piece_size)
        self._crc32s.append(chunk.crc32)
        self._channels.append(chunk.locator.channel)
        self._messages.append(chunk.locator.message)
        self._sha256s += chunk.sha256
        self._pieces += chunk.pieces
        self._pieces_ends.append(len(self._pieces))

    def end(self) -> None:
        """Raises ValueError when the last file is not whole."""
        if self._missing:
            raise ValueError(f"file {self.file(-1)}: {self._missing} bytes are in no chunk")

    def file(self, number: int) -> UUID:
        number %= len(self._firsts)
        return UUID(bytes=bytes(self._uuids[number * _UUID_SIZE : (number + 1) * _UUID_SIZE]))

    def slices(self, number: int, span: ByteRange) -> Iterator[Slice]:
        """The slices of the file's chunks that hold `span`, none of them empty."""
        first = self._firsts[number]
        stop = self._firsts[number + 1] if number + 1 < len(self._firsts) else len(self._sizes)
        for at in range(max(first, bisect_right(self._offsets, span.start, first, stop) - 1), stop):
            if self._offsets[at] >= span.stop:
                return
            chunk = self._chunk(at, at - first)
            wanted = span.within(chunk.span)
            if wanted.length:
                yield Slice(chunk, ByteRange(wanted.start - chunk.offset, wanted.stop - chunk.offset))

    def _chunk(self, at: int, index: int) -> Chunk:
        return Chunk(
            index,
            self._offsets[at],
            self._sizes[at],
            bytes(self._sha256s[at * DIGEST_SIZE : (at + 1) * DIGEST_SIZE]),
            self._crc32s[at],
            bytes(self._pieces[self._pieces_ends[at] : self._pieces_ends[at + 1]]),
            Locator(self._channels[at], self._messages[at]),
            self._piece_sizes[at],
        )
