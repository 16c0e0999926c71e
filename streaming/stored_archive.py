"""A ZIP whose members are at rest, and its bytes on their way out: headers made here, members through the gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from model import PIECE_SIZE, ByteRange, Locator, Slice, Wait
from storage.base import ChunkStore
from streaming.archive import Body, Frame, Layout
from streaming.chunk_table import ChunkTable
from streaming.read import DamageReport, VerifiedStream, ignore, never

FRAME = 64 << 10
"""Bytes of headers that are made at a time."""
ENOUGH = 256 << 10
"""Bytes of small blocks that are worth sending."""


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """What lies where in it, and where its members' bytes rest: member n of one is file n of the other.

    `digest` is of all that its bytes follow from: equal digests are equal bytes.
    """

    layout: Layout
    chunks: ChunkTable
    digest: bytes

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    def memory(self) -> int:
        """Bytes that it takes, about."""
        return self.layout.memory + self.chunks.memory


class Members:
    """A plan (streaming/plan.py): the bytes of members in `wanted`, a range of the archive, without the headers."""

    nearby: tuple[Locator, ...] = ()  # it reads to the end, mostly, and goes on from where it was

    def __init__(self, archive: StoredArchive, wanted: ByteRange) -> None:
        self._archive = archive
        self._wanted = wanted
        self.span = ByteRange(0, archive.layout.carried(wanted))

    @property
    def slices(self) -> Iterator[Slice]:
        for body in self._archive.layout.bodies(self._wanted):
            yield from self._archive.chunks.slices(body.member, body.span)

    def file_at(self, place: int) -> UUID:
        """As of any plan. Looked for, since only damage asks; of none at all there is none."""
        file = UUID(int=0)
        for body in self._archive.layout.bodies(self._wanted):
            file = self._archive.chunks.file(body.member)
            if place < body.span.length:
                break
            place -= body.span.length
        return file


class ArchiveStream:
    """`span` of an archive, pulled as a VerifiedStream is: by `poll` or by iterating.

    One VerifiedStream gives all members' bytes, end to end: it reads ahead from one into the next, so that a small file
    costs no round trip of its own. Headers stand between its blocks, of which each is of one member.
    """

    def __init__(
        self,
        archive: StoredArchive,
        span: ByteRange,
        store: ChunkStore,
        *,
        yield_size: int,
        gone: Callable[[], bool] = never,
        report: Callable[[DamageReport], None] = ignore,
    ) -> None:
        self._layout = archive.layout
        self._span = span
        self._yield_size = yield_size
        self._parts = archive.layout.parts(span)
        self._part: Frame | Body | None = next(self._parts, None)
        self._members = VerifiedStream(
            Members(archive, span), store, yield_size=yield_size, gone=gone, report=report
        )
        self._held: bytes | None = None

    def __repr__(self) -> str:
        return f"<ArchiveStream bytes={self._span.start}..{self._span.stop}, members: {self._members!r}>"

    def start(self) -> None:
        """Have the first verified piece in hand, also where headers go before it. As VerifiedStream.start."""
        self._members.start()

    def __iter__(self) -> ArchiveStream:
        return self

    def __next__(self) -> bytes:
        """The next block, waited for. Raises StoreError, Damaged or ClientGone, and is closed then."""
        if self._part is None:
            self.close()
            raise StopIteration
        if isinstance(self._part, Frame):
            return self._framed(min(FRAME, self._yield_size))
        return self._passed(next(self._members))

    def poll(self, left: int) -> bytes | Wait | None:
        """As VerifiedStream.poll. What is small and there already comes together, in a block of a piece at most."""
        blocks: list[bytes] = []
        size = 0
        while size < ENOUGH:
            found = self._held or self._next(left + size)
            self._held = None
            if not isinstance(found, bytes):
                if not blocks:
                    return found
                break
            if size + len(found) > PIECE_SIZE:
                self._held = found
                break
            blocks.append(found)
            size += len(found)
        return b"".join(blocks)  # of one block, that is the block itself

    def close(self) -> None:
        """For any thread, at any time, more than once."""
        self._members.close()

    def _next(self, left: int) -> bytes | Wait | None:
        if self._part is None:
            self.close()
            return Wait(math.inf) if left else None
        if isinstance(self._part, Frame):
            return self._framed(FRAME)
        found = self._members.poll(left)
        return self._passed(found) if isinstance(found, bytes) else found

    def _framed(self, most: int) -> bytes:
        assert isinstance(self._part, Frame)
        whole = self._part.span
        cut = min(whole.start + most, whole.stop)
        self._part = Frame(ByteRange(cut, whole.stop)) if cut < whole.stop else next(self._parts, None)
        return self._layout.frame(ByteRange(whole.start, cut))

    def _passed(self, block: bytes) -> bytes:
        """The block, which is of the member whose turn it is and no other: no piece reaches from one into the next."""
        assert isinstance(self._part, Body)
        rest = ByteRange(self._part.span.start + len(block), self._part.span.stop)
        self._part = Body(self._part.member, rest) if rest.length else next(self._parts, None)
        return block
