"""A ZIP of deflated members, as writes to a file: values in, bytes and their places out. Pure.

Each member is deflated in segments that begin anew, so that whoever was stopped goes on behind the last whole segment,
also inside a large member, and the bytes come out the same. It must never know where members' bytes come from.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from model import ByteRange
from streaming.archive import Layout
from streaming.zip_records import central_header, end_records, local_header

SEGMENT = 4 << 20
"""Bytes of a member that are deflated together; what is begun anew loses 32 KiB of past to look back at."""
_MARK = struct.Struct("<QQQ")

Write = tuple[int, bytes]
"""Where in the archive these bytes belong."""


class Mark(NamedTuple):
    """With `taken` bytes of this member deflated the archive ends at `place`: one can go on from here."""

    member: int
    taken: int
    place: int


def most_deflated(layout: Layout) -> int:
    """What the archive takes at most, in bytes, when nothing in it gets smaller."""
    return layout.size + (layout.size >> 10) + 64 * layout.count


def encode(marks: Iterable[Mark]) -> bytes:
    return b"".join(_MARK.pack(*mark) for mark in marks)


def decode(encoded: bytes, size: int) -> list[Mark]:
    """The marks of an archive of which `size` bytes are there; one that was written in part is none."""
    whole = len(encoded) - len(encoded) % _MARK.size
    marks = [Mark(*numbers) for numbers in _MARK.iter_unpack(encoded[:whole])]
    return [mark for mark in marks if mark.place <= size]


class Deflating:
    """Takes the bytes of `wanted`, a range of the stored archive without its headers, block by block, each of one
    member; then `directory` is the end.
    """

    def __init__(
        self, layout: Layout, level: int, marks: Iterable[Mark] = (), segment: int = SEGMENT
    ) -> None:
        self._layout = layout
        self._level = level
        self._segment = segment
        self._starts, self._packed = array("Q"), array("Q")
        """Of each member so far: where its header begins, and what it is deflated to."""
        self._taken = 0
        """Bytes of the present member."""
        self.marks: list[Mark] = []
        """New ones since they were taken away last."""
        self.place = 0
        """Up to where the archive is written."""
        self._opening = self._open()
        for mark in marks:
            self._go_to(mark)
        self._deflate = self._begun()

    @property
    def done(self) -> int:
        """How much of the stored archive that is, up to the last mark or the member's begin."""
        if len(self._packed) == self._layout.count:
            return self._layout.directory
        return self._layout.body(len(self._packed)).start + self._taken - self._taken % self._segment

    @property
    def wanted(self) -> ByteRange:
        """What is still to be taken, when nothing has been yet."""
        return ByteRange(self.done, self._layout.directory)

    def opening(self) -> list[Write]:
        """Headers that stand before the first byte that is taken."""
        opening, self._opening = self._opening, []
        return opening

    def take(self, block: bytes) -> list[Write]:
        """The next bytes of the member whose turn it is, or the first of the next one that has some."""
        number, whole = len(self._packed), not self._taken
        member, at = self._layout[number], self.place
        data = self._deflated(block, member.size)
        self.place += len(data)
        if self._taken < member.size:
            return [(at, data)]
        start, header = self._end_member()
        here: list[Write] = [(start, header + data)] if whole else [(at, data), (start, header)]
        return here + self._open()

    def directory(self) -> Iterator[bytes]:
        """What follows the last member: an entry of each, and the end."""
        size = 0
        for number, start in enumerate(self._starts):
            member = self._layout[number]
            entry = central_header(member, start, self._packed[number] if member.size else None)
            size += len(entry)
            yield entry
        yield end_records(len(self._starts), self.place, size)

    def _deflated(self, block: bytes, size: int) -> bytes:
        out = bytearray()
        rest = memoryview(block)
        while rest:
            part = rest[: self._segment - self._taken % self._segment]
            rest = rest[len(part) :]
            out += self._deflate.compress(part)
            self._taken += len(part)
            ends = self._taken == size
            if ends or not self._taken % self._segment:
                # A flush ends on a byte, and with no block marked as the last: another stream can follow (RFC 1951
                # 3.2.3).
                out += self._deflate.flush(zlib.Z_FINISH if ends else zlib.Z_FULL_FLUSH)
                self._deflate = self._begun()
                self.marks.append(Mark(len(self._packed), self._taken, self.place + len(out)))
        return bytes(out)

    def _end_member(self) -> Write:
        number = len(self._packed)
        start = self._starts[number]
        packed = self.place - start - len(local_header(self._layout[number], 0))
        self._packed.append(packed)
        self._taken = 0
        return start, local_header(self._layout[number], packed)

    def _open(self) -> list[Write]:
        """Headers of members without bytes, and room for that of the next one with some."""
        writes: list[Write] = []
        for number in range(len(self._starts), self._layout.count):
            member = self._layout[number]
            self._starts.append(self.place)
            if member.size:
                self.place += len(local_header(member, 0))
                break
            writes.append((self.place, local_header(member)))
            self.place += len(writes[-1][1])
            self._packed.append(0)
        return writes

    def _go_to(self, mark: Mark) -> None:
        """As if all up to the mark had been taken."""
        self.place, self._taken, self._opening = mark.place, mark.taken, []
        if mark.taken == self._layout[mark.member].size:
            self._end_member()
            self._opening = self._open()

    def _begun(self) -> zlib._Compress:
        return zlib.compressobj(self._level, zlib.DEFLATED, -zlib.MAX_WBITS)
