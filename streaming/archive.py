"""Where everything lies in a ZIP of many members: any range of it is told without making what stands before. Pure.

It keeps numbers in arrays and makes headers when they are asked for: 100,000 members take about 10 MB. It must never
know where the members' bytes come from.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model import ByteRange
from streaming.zip_records import (
    Member,
    central_header,
    central_size,
    end_records,
    local_header,
    local_size,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes of headers, by their place in the archive: `Layout.frame` makes them."""

    span: ByteRange


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of a member, by its number and their place in it; never empty."""

    member: int
    span: ByteRange


class Layout:
    """An archive of these members: local headers, each with its member's bytes behind it, then the directory of all."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._names, self._name_ends = bytearray(), array("Q", [0])
        self._sizes, self._crc32s, self._times = array("Q"), array("I"), array("q")
        self._locals, self._centrals = array("Q", [0]), array("Q")
        """Where each header begins; the last is where they end."""
        offset = directory = 0
        for name, size, crc32, modified in members:
            self._names += name
            self._name_ends.append(len(self._names))
            self._sizes.append(size)
            self._crc32s.append(crc32)
            self._times.append(modified)
            self._centrals.append(directory)
            directory += central_size(len(name), size, modified, offset)
            offset += local_size(len(name), size, modified) + size
            self._locals.append(offset)
        self._centrals.append(directory)
        self._end = end_records(self.count, offset, directory)

    def __repr__(self) -> str:
        return f"<Layout {self.count} members, {self.size} bytes>"

    @property
    def count(self) -> int:
        return len(self._sizes)

    @property
    def size(self) -> int:
        """Bytes of the whole archive."""
        return self.directory + self._centrals[-1] + len(self._end)

    @property
    def memory(self) -> int:
        """Bytes that this takes, about."""
        numbers = (self._name_ends, self._sizes, self._crc32s, self._times, self._locals, self._centrals)
        return len(self._names) + sum(len(each) * each.itemsize for each in numbers)

    def __getitem__(self, number: int) -> Member:
        name = bytes(self._names[self._name_ends[number] : self._name_ends[number + 1]])
        return Member(name, self._sizes[number], self._crc32s[number], self._times[number])

    def parts(self, span: ByteRange) -> Iterator[Frame | Body]:
        """What `span` is made of, in order, one at a time. Raises ValueError when it reaches past the end."""
        if span.stop > self.size:
            raise ValueError(f"{span} reaches past the {self.size} bytes of the archive")
        at = span.start
        for member in range(self._at(at), self.count):
            if at >= span.stop:
                return
            if not self._sizes[member] or self.body(member).stop <= at:
                continue
            # Invariant: all bytes of the span before `at` are told of.
            body = self.body(member)
            if at < body.start:
                yield Frame(ByteRange(at, min(body.start, span.stop)))
            wanted = span.within(body)
            if wanted.length:
                yield Body(member, ByteRange(wanted.start - body.start, wanted.stop - body.start))
            at = body.stop
        if at < span.stop:
            yield Frame(ByteRange(at, span.stop))

    def bodies(self, span: ByteRange) -> Iterator[Body]:
        """Those of the parts of `span` that are members' bytes."""
        return (part for part in self.parts(span) if isinstance(part, Body))

    def carried(self, span: ByteRange) -> int:
        """How many bytes of `span` are members'."""
        return self._carried_before(span.stop) - self._carried_before(span.start)

    def frame(self, span: ByteRange) -> bytes:
        """The bytes of a `Frame`, or of a part of one."""
        made = bytearray()
        for start, record in self._records(span.start):
            if start >= span.stop:
                break
            made += record[max(0, span.start - start) : span.stop - start]
        return bytes(made)

    def _at(self, place: int) -> int:
        """The number of the member whose header or bytes are at `place`; behind them all, how many there are."""
        return bisect_right(self._locals, place) - 1

    def _carried_before(self, place: int) -> int:
        member = min(self._at(place), self.count)
        reached = max(0, place - self.body(member).start) if member < self.count else 0
        return sum(self._sizes[:member]) + reached

    def body(self, member: int) -> ByteRange:
        """Where the bytes of this member are."""
        stop = self._locals[member + 1]
        return ByteRange(stop - self._sizes[member], stop)

    @property
    def directory(self) -> int:
        """Where the central directory begins."""
        return self._locals[-1]

    def _records(self, place: int) -> Iterator[tuple[int, bytes]]:
        """The headers from `place` on, each with where it begins; the first one is at `place` or reaches over it."""
        for member in range(self._at(place), self.count):
            yield self._locals[member], local_header(self[member])
        first = bisect_right(self._centrals, max(0, place - self.directory)) - 1
        for member in range(first, self.count):
            yield (
                self.directory + self._centrals[member],
                central_header(self[member], self._locals[member]),
            )
        yield self.directory + self._centrals[-1], self._end
