"""A request that waits here for its upload lets go when the next one comes: its client has long lost the line."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

import errors
from gateway.incoming.arrivals import WRITER_WAIT
from model import MIB, Label, Locator, Upload
from storage.memory import MemoryStore
from tests.conftest import House, build_house
from tests.gateway.test_uploads import begin, fetch, known_messages, settle

CHUNK = 2 * MIB
SOON = 10.0
"""Seconds: far less than a request would wait for the store or for room, far more than letting go takes."""


class Line:
    """The way to Telegram: nothing passes while it is `down`."""

    def __init__(self) -> None:
        self.up = threading.Event()
        self.tried = threading.Event()

    def __call__(self, label: Label, locator: Locator | None) -> None:
        self.tried.set()
        assert self.up.wait(60)


@contextmanager
def held_up(folder: Path, room: int) -> Iterator[tuple[House, Line, ThreadPoolExecutor]]:
    """A gateway whose store takes nothing until it may, and threads for those who wait for it."""
    line = Line()
    house = build_house(folder, MemoryStore(on_put=line), chunk_size=CHUNK, room=room)
    with ThreadPoolExecutor() as clients:
        try:
            yield house, line, clients
        finally:
            line.up.set()
    house.gateway.close()
    house.database.close()


def append(house: House, upload: Upload, offset: int, data: bytes) -> Upload:
    return house.gateway.uploads.append(house.user, upload.id, offset, io.BytesIO(data), len(data))


def wait_until_it_waits(house: House, client: Future[Upload], upload: Upload, at: int) -> None:
    """Until the request has staged what it could and stands at `at`."""
    deadline = monotonic() + SOON
    while house.gateway.uploads.get(house.user, upload.id).offset < at:
        assert monotonic() < deadline and not client.done()


def test_one_that_waits_for_the_store_lets_go_and_the_next_one_hears_that_the_file_is_stored(
    tmp_path: Path,
) -> None:
    data = os.urandom(CHUNK + MIB)
    with held_up(tmp_path, room=64 * MIB) as (house, line, clients):
        upload = begin(house, len(data))
        dead = clients.submit(append, house, upload, 0, data)
        wait_until_it_waits(house, dead, upload, len(data) - 1)
        began = monotonic()
        stands = house.gateway.uploads.resume(house.user, upload.id)
        assert stands.offset == len(data) - 1
        assert isinstance(dead.exception(SOON), errors.Busy)
        resumed = clients.submit(append, house, upload, stands.offset, data[-1:])
        assert monotonic() - began < SOON
        line.up.set()
        assert resumed.result(30).file_id is not None
        assert fetch(house, "/a/file.bin") == data
        settle(house)
        assert set(house.store.labels) == known_messages(house)


def test_one_that_waits_for_room_lets_go_and_keeps_the_chunks_that_were_whole(tmp_path: Path) -> None:
    data = os.urandom(4 * CHUNK)
    with held_up(tmp_path, room=2 * CHUNK) as (house, line, clients):
        upload = begin(house, len(data))
        dead = clients.submit(append, house, upload, 0, data)
        wait_until_it_waits(house, dead, upload, CHUNK)
        stands = house.gateway.uploads.resume(house.user, upload.id)
        assert isinstance(dead.exception(SOON), errors.Busy)
        assert stands.offset and stands.offset % CHUNK == 0
        line.up.set()
        assert append(house, upload, stands.offset, data[stands.offset :]).file_id is not None
        assert fetch(house, "/a/file.bin") == data


def test_a_part_that_comes_at_once_takes_over_without_asking_first(tmp_path: Path) -> None:
    data = os.urandom(CHUNK)
    with held_up(tmp_path, room=64 * MIB) as (house, line, clients):
        upload = begin(house, len(data))
        dead = clients.submit(append, house, upload, 0, data)
        wait_until_it_waits(house, dead, upload, len(data) - 1)
        takes_over = clients.submit(append, house, upload, len(data) - 1, data[-1:])
        assert isinstance(dead.exception(SOON), errors.Busy)
        line.up.set()
        assert takes_over.result(30).file_id is not None


def test_giving_an_upload_up_does_not_wait_for_what_it_waits_for(tmp_path: Path) -> None:
    with held_up(tmp_path, room=64 * MIB) as (house, _, clients):
        upload = begin(house, CHUNK)
        dead = clients.submit(append, house, upload, 0, bytes(CHUNK))
        wait_until_it_waits(house, dead, upload, CHUNK - 1)
        house.gateway.uploads.abort(house.user, upload.id)
        assert isinstance(dead.exception(SOON), errors.Busy)
        with pytest.raises(errors.Gone):
            house.gateway.uploads.get(house.user, upload.id)


def test_one_that_lives_and_was_let_go_comes_again_and_has_lost_nothing(tmp_path: Path) -> None:
    """Two tabs with one upload: whoever asks last waits, and both hear that it is stored."""
    data = os.urandom(CHUNK)
    with held_up(tmp_path, room=64 * MIB) as (house, line, clients):
        upload = begin(house, len(data))

        def until_stored(offset: int) -> Upload:
            while True:
                try:
                    return append(house, upload, offset, data[offset:])
                except (errors.Busy, errors.OffsetMismatch):
                    offset = house.gateway.uploads.resume(house.user, upload.id).offset

        first = clients.submit(until_stored, 0)
        assert line.tried.wait(SOON)
        second = clients.submit(until_stored, len(data) - 1)
        line.up.set()
        assert first.result(30).file_id == second.result(30).file_id is not None
        assert fetch(house, "/a/file.bin") == data


@pytest.mark.slow
def test_one_that_lives_and_has_bytes_in_hand_stages_them_first(house: House) -> None:
    upload = begin(house, MIB)
    begun, may_end = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            begun.set()
            assert may_end.wait(SOON)
            return super().read(size)

    with ThreadPoolExecutor() as clients:
        body = Slow(bytes(MIB))
        alive = clients.submit(house.gateway.uploads.append, house.user, upload.id, 0, body, MIB)
        assert begun.wait(SOON)
        began = monotonic()
        assert house.gateway.uploads.resume(house.user, upload.id).offset == 0
        assert monotonic() - began >= WRITER_WAIT
        may_end.set()
        assert alive.result(SOON).file_id is not None


def test_nobody_else_can_have_it_let_go(tmp_path: Path) -> None:
    with held_up(tmp_path, room=64 * MIB) as (house, line, clients):
        upload = begin(house, CHUNK)
        alive = clients.submit(append, house, upload, 0, bytes(CHUNK))
        wait_until_it_waits(house, alive, upload, CHUNK - 1)
        stranger = house.gateway.people.add("bob", "battery staple")
        with pytest.raises(errors.NotFound):
            house.gateway.uploads.resume(stranger, upload.id)
        line.up.set()
        assert alive.result(30).file_id is not None
