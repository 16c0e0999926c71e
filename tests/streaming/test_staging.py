"""Bytes on the local disk: durable, bounded, and none kept of a request that failed."""

from __future__ import annotations

import errno
import hashlib
import io
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import AtCapacity, BadInput, ChecksumMismatch, Gone, OutOfSpace, TooLarge
from model import ByteRange, Checksum
from streaming.body import Body
from streaming.staging import Staging
from tests.streaming.at_rest import text

CHUNK = 8
ONE, TWO = UUID(int=1), UUID(int=2)
DATA = text(30)


class Unseekable(io.BytesIO):
    """A body that a server has not spooled."""

    def seekable(self) -> bool:
        return False


class FullDisk(Unseekable):
    """A disk that fills up after the first bytes, seen at the border where the operating system says so."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(5 if size is None or size < 0 else min(5, size))


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path, limit=64)


def receive(
    staging: Staging,
    offset: int,
    body: bytes | BinaryIO,
    length: int | None = None,
    *,
    upload: UUID = ONE,
    checksum: bytes | None = None,
    wait: float = 0,
    on_chunk: Callable[[int], None] = lambda index: None,
) -> None:
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    length = len(body) if isinstance(body, bytes) and length is None else length
    assert length is not None
    staging.receive(
        upload,
        Body(stream, ByteRange(offset, offset + length), Checksum(checksum) if checksum else None),
        total=len(DATA),
        chunk_size=CHUNK,
        wait=wait,
        on_chunk=on_chunk,
    )


def held(staging: Staging, upload: UUID = ONE) -> bytes:
    """All that is staged of an upload."""
    parts = sorted(staging.parts(upload).items())
    assert staging.held == sum(sum(staging.parts(each).values()) for each in staging.uploads())
    return b"".join(staging.source(upload, index)(ByteRange(0, size)) for index, size in parts)


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(1, 29), unique=True, max_size=6), checked=st.booleans())
def test_however_it_is_cut_the_parts_are_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], checked: bool
) -> None:
    staging = Staging(tmp_path_factory.mktemp("staging"), limit=64)
    told: list[int] = []
    borders = [0, *sorted(cuts), len(DATA)]
    for start, stop in pairwise(borders):
        body = DATA[start:stop]
        digest = hashlib.sha256(body).digest() if checked else None
        receive(staging, start, body, checksum=digest, on_chunk=told.append)
    assert staging.parts(ONE) == {0: 8, 1: 8, 2: 8, 3: 6}
    assert held(staging) == DATA
    assert told == [0, 1, 2, 3]


def test_a_restart_finds_what_was_there(staging: Staging, tmp_path: Path) -> None:
    receive(staging, 0, DATA[:13])
    (tmp_path / "not an upload").mkdir()
    again = Staging(tmp_path, limit=64)
    assert again.uploads() == (ONE,)
    assert again.parts(ONE) == {0: 8, 1: 5}
    assert again.held == 13
    receive(again, 13, DATA[13:])
    assert held(again) == DATA


def test_bytes_past_the_acknowledged_offset_are_cut_off(staging: Staging, tmp_path: Path) -> None:
    receive(staging, 0, DATA[:20])
    (tmp_path / str(ONE) / "2.part").write_bytes(b"torn by a crash")
    again = Staging(tmp_path, limit=64)
    receive(again, 11, DATA[11:13])
    assert held(again) == DATA[:13]


@pytest.mark.parametrize("left", [None, b"", b"xy"])
def test_acknowledged_bytes_that_are_gone_cannot_be_continued(
    staging: Staging, tmp_path: Path, left: bytes | None
) -> None:
    receive(staging, 0, DATA[:13])
    part = tmp_path / str(ONE) / "1.part"
    part.unlink()
    if left is not None:
        part.write_bytes(left)
    with pytest.raises(Gone):
        receive(staging, 13, DATA[13:])
    with pytest.raises(Gone):
        staging.source(ONE, 1)(ByteRange(0, 5))


def test_a_stored_chunk_may_be_dropped_and_the_upload_goes_on(staging: Staging) -> None:
    receive(staging, 0, DATA[:13], on_chunk=lambda index: staging.drop(ONE, index))
    assert staging.parts(ONE) == {1: 5}
    receive(staging, 13, DATA[13:])
    assert held(staging) == DATA[8:]
    staging.drop(ONE, 0)
    staging.drop_all(ONE)
    staging.drop_all(ONE)
    assert (staging.uploads(), staging.held) == ((), 0)


@pytest.mark.parametrize("kind", [io.BytesIO, Unseekable])
def test_of_a_body_that_is_too_short_nothing_is_kept(staging: Staging, kind: type[io.BytesIO]) -> None:
    receive(staging, 0, DATA[:3])
    told: list[int] = []
    with pytest.raises(BadInput):
        receive(staging, 3, kind(DATA[3:7]), 5, on_chunk=told.append)
    assert held(staging) == DATA[:3]
    assert told == []


@pytest.mark.parametrize("kind", [io.BytesIO, Unseekable])
def test_of_a_body_with_another_checksum_nothing_is_kept_or_handed_on(
    staging: Staging, kind: type[io.BytesIO]
) -> None:
    receive(staging, 0, DATA[:3])
    told: list[int] = []
    with pytest.raises(ChecksumMismatch):
        receive(staging, 3, kind(DATA[3:]), 27, checksum=bytes(32), on_chunk=told.append)
    with pytest.raises(ChecksumMismatch):
        receive(staging, 3, kind(b""), 0, checksum=bytes(32))
    assert held(staging) == DATA[:3]
    assert told == []
    right = hashlib.sha256(DATA[3:]).digest()
    receive(staging, 3, kind(DATA[3:]), 27, checksum=right, on_chunk=told.append)
    assert told == [0, 1, 2, 3]


def test_a_body_longer_than_announced_is_not_read_to_its_end(staging: Staging) -> None:
    body = io.BytesIO(DATA)
    receive(staging, 0, body, 10)
    assert held(staging) == DATA[:10]
    assert body.tell() == 10


def test_more_than_the_upload_has_is_refused(staging: Staging) -> None:
    with pytest.raises(BadInput):
        receive(staging, 25, DATA[:6])
    assert staging.uploads() == ()


def test_an_error_after_a_chunk_was_handed_on_goes_back_to_its_end(staging: Staging) -> None:
    with pytest.raises(OutOfSpace):
        receive(staging, 0, FullDisk(DATA), 30)
    assert held(staging) == DATA[:8]
    receive(staging, 8, DATA[8:])
    assert held(staging) == DATA


def test_a_failure_to_hand_on_keeps_the_chunk_for_the_next_try(staging: Staging) -> None:
    def fail(index: int) -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        receive(staging, 0, DATA, on_chunk=fail)
    assert held(staging) == DATA[:8]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_FSIZE")
def test_the_operating_systems_own_refusal_to_write_is_out_of_space(tmp_path: Path) -> None:
    script = """
        import io, resource, sys, uuid
        from pathlib import Path
        from errors import OutOfSpace
        from model import ByteRange
        from streaming.body import Body
        from streaming.staging import Staging
        staging, upload = Staging(Path(sys.argv[1]), limit=1 << 20), uuid.UUID(int=1)
        staging.receive(
            upload, Body(io.BytesIO(b"x" * 100), ByteRange(0, 100)), total=60000, chunk_size=60000, wait=0
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))
        try:
            staging.receive(
                upload, Body(io.BytesIO(b"y" * 50000), ByteRange(100, 50100)), total=60000, chunk_size=60000, wait=0
            )
        except OutOfSpace:
            print(staging.parts(upload), staging.held)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.stdout == "{0: 100} 100\n", run.stderr


def test_without_room_the_wait_has_an_end(tmp_path: Path) -> None:
    staging = Staging(tmp_path, limit=2 * CHUNK)
    receive(staging, 0, DATA[:16])
    began = time.monotonic()
    with pytest.raises(AtCapacity) as caught:
        receive(staging, 0, DATA[:1], upload=TWO, wait=0.2)
    assert 0.2 <= time.monotonic() - began < 2
    assert caught.value.retry_after > 0
    assert held(staging) == DATA[:16]
    assert staging.uploads() == (ONE,)


def test_a_body_larger_than_the_staging_passes_through(tmp_path: Path) -> None:
    staging = Staging(tmp_path, limit=2 * CHUNK)
    stored: dict[int, bytes] = {}
    most = 0

    def store(index: int) -> None:
        nonlocal most
        most = max(most, staging.held)
        threading.Timer(0.02, carry, [index]).start()

    def carry(index: int) -> None:
        stored[index] = staging.source(ONE, index)(ByteRange(0, staging.parts(ONE)[index]))
        staging.drop(ONE, index)

    receive(staging, 0, DATA, wait=5, checksum=hashlib.sha256(DATA).digest(), on_chunk=store)
    deadline = time.monotonic() + 5
    while len(stored) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert b"".join(stored[index] for index in sorted(stored)) == DATA
    assert most <= 2 * CHUNK


def test_a_checked_body_that_cannot_be_looked_through_must_fit(tmp_path: Path) -> None:
    staging = Staging(tmp_path, limit=3 * CHUNK)
    with pytest.raises(TooLarge):
        receive(staging, 0, Unseekable(DATA), 30, checksum=hashlib.sha256(DATA).digest())
    with pytest.raises(TooLarge):
        Staging(tmp_path, limit=CHUNK - 1).receive(
            ONE, Body(io.BytesIO(DATA), ByteRange(0, 30)), total=30, chunk_size=CHUNK, wait=0
        )


def test_many_begun_chunks_in_a_full_staging_all_come_to_their_end(tmp_path: Path) -> None:
    staging = Staging(tmp_path, limit=3 * CHUNK)
    uploads = [UUID(int=number) for number in range(1, 7)]
    most = 0

    def send(upload: UUID) -> None:
        nonlocal most
        offset = 0
        for _ in range(2000):
            try:
                receive(
                    staging,
                    offset,
                    DATA[offset : offset + 5],
                    upload=upload,
                    wait=0.01,
                    on_chunk=lambda index: staging.drop(upload, index),
                )
            except AtCapacity:
                continue
            most = max(most, staging.held)
            offset += len(DATA[offset : offset + 5])
            if offset == len(DATA):
                ended.append(upload)
                return

    ended: list[UUID] = []
    senders = [threading.Thread(target=send, args=[upload]) for upload in uploads]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert sorted(ended) == uploads
    assert most <= 3 * CHUNK
    assert staging.held == 0
