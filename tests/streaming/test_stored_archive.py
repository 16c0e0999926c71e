"""ZIPs of members at rest: every range through the gate, read ahead from one member to the next, and damage told of."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ChunkCorrupt
from model import PIECE_SIZE, ByteRange, Locator, Wait
from storage.memory import MemoryStore
from streaming.archive import Layout
from streaming.chunk_table import ChunkTable
from streaming.read import DamageReport
from streaming.stored_archive import ArchiveStream, StoredArchive
from streaming.zip_records import Member
from tests.streaming.at_rest import WatchedStore, stored, text

FILES = st.lists(st.lists(st.integers(1, 20), max_size=4), max_size=6)
"""The sizes of each file's chunks."""


def shelved(store: MemoryStore, files: Sequence[Sequence[int]], piece: int = 4) -> StoredArchive:
    """Files called by their numbers, each with other bytes."""
    table, members = ChunkTable(), []
    for number, sizes in enumerate(files):
        file = stored(store, text(sum(sizes), seed=number), sizes, piece)
        table.begin(UUID(int=number).bytes, file.size)
        for chunk in file.chunks:
            table.add(chunk)
        members.append(Member(b"%d" % number, file.size, file.crc32, 0))
    table.end()
    return StoredArchive(Layout(members), table, b"")


def polled(stream: ArchiveStream) -> bytes:
    got, left = bytearray(), 0
    while (found := stream.poll(left)) is not None:
        if isinstance(found, bytes):
            assert 0 < len(found) <= PIECE_SIZE
            got += found
            left += len(found)
        else:
            left //= 2
    return bytes(got)


@pytest.mark.slow
@given(FILES, st.integers(1, 9), st.integers(1, 50), st.data())
def test_every_range_is_the_slice_of_a_whole_that_python_finds_good(
    files: list[list[int]], piece: int, block: int, data: st.DataObject
) -> None:
    store = MemoryStore()
    archive = shelved(store, files, piece)
    whole = polled(ArchiveStream(archive, ByteRange(0, archive.size), store, yield_size=block))
    with zipfile.ZipFile(BytesIO(whole)) as opened:
        for number, sizes in enumerate(files):
            assert opened.read(str(number)) == text(sum(sizes), seed=number)  # it compares the CRC-32, too
    start = data.draw(st.integers(0, archive.size))
    span = ByteRange(start, data.draw(st.integers(start, archive.size)))
    by_poll, by_turns = (ArchiveStream(archive, span, store, yield_size=block) for _ in range(2))
    by_poll.start()
    assert polled(by_poll) == b"".join(by_turns) == whole[span.start : span.stop]


def test_small_files_are_read_ahead_of_and_do_not_wait_for_each_other() -> None:
    store = MemoryStore()
    archive = shelved(store, [[3]] * 40)
    watched = WatchedStore(store, window=8)
    stream = ArchiveStream(archive, ByteRange(0, archive.size), watched, yield_size=100)
    heading = stream.poll(0)
    assert isinstance(heading, bytes) and heading.startswith(b"PK")
    assert isinstance(stream.poll(0), Wait)
    assert len(watched.reads) >= 2, "the next file is on its way while the first one is"
    for future in tuple(watched.reads):
        future.set_result(b"bad")
    while isinstance(stream.poll(0), bytes):
        pass
    assert len(watched.clients) == 1
    stream.close()
    assert all(future.done() for future in watched.reads)


def test_the_first_piece_is_in_hand_before_a_header_leaves() -> None:
    store = MemoryStore()
    archive = shelved(store, [[3], [3]])
    store.delete([Locator(each.channel, each.message) for each in store.labels])
    stream = ArchiveStream(archive, ByteRange(0, archive.size), store, yield_size=100)
    with pytest.raises(Exception, match="gone"):
        stream.start()


def test_damage_is_told_of_the_file_that_has_it() -> None:
    store = MemoryStore()
    archive = shelved(store, [[8], [], [4, 8, 3], [5]])
    bad = archive.chunks._messages[2]
    store.on_read = lambda at, span, attempt, body: bytes(len(body)) if at.message == bad else body
    met: list[DamageReport] = []
    stream = ArchiveStream(archive, ByteRange(35, archive.size), store, yield_size=9, report=met.append)
    with pytest.raises(ChunkCorrupt):
        b"".join(stream)
    assert [(report.file, report.chunk, report.piece) for report in met] == [(UUID(int=2), 1, 0)]
    store.close()


def test_a_file_with_a_chunk_missing_is_no_file() -> None:
    table = ChunkTable()
    first, second = stored(MemoryStore(), text(20), [10, 10]).chunks
    table.begin(UUID(int=1).bytes, 20)
    with pytest.raises(ValueError, match="out of place"):
        table.add(second)
    table.add(first)
    with pytest.raises(ValueError, match="10 bytes are in no chunk"):
        table.begin(UUID(int=2).bytes, 0)


def test_a_hundred_thousand_small_files_take_a_hundred_and_some_bytes_each() -> None:
    store = MemoryStore()
    (chunk,) = stored(store, text(4), [4]).chunks
    table = ChunkTable()
    for number in range(100_000):
        table.begin(UUID(int=number).bytes, 4)
        table.add(chunk)
    assert table.memory / 100_000 < 160
    assert next(table.slices(77_777, ByteRange(1, 3))).chunk == chunk
