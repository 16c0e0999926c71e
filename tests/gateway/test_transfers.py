"""What is moving, as the operator sees it: one transfer for all connections, its line at the end, its totals."""

from __future__ import annotations

import io
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.happening.totals import Totals as Rows
from errors import AtCapacity, ChunkMissing, DatabaseUnavailable
from gateway.moving.transfer import Status, union
from gateway.outgoing.downloads import Download
from model import MIB, ByteRange, Client, File, Locator, Totals, User
from tests.conftest import House, build_house

DATA = bytes(range(256)) * (3 * MIB // 256)
BROWSER = Client("192.0.2.1", "browser")


def a_file(house: House, path: str = "/f") -> File:
    return house.gateway.uploads.put(house.user, path, io.BytesIO(DATA), len(DATA))[0]


def fetch(
    house: House, file: File, start: int = 0, stop: int = len(DATA), user: User | None = None
) -> Download:
    span = ByteRange(start, stop)
    return house.gateway.downloads.open(user or house.user, file, span, client=BROWSER, gone=lambda: False)


def status(house: House) -> Status:
    (only,) = house.gateway.transfers.statuses()
    return only


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of downloads that have ended."""
    said = [record.getMessage() for record in caplog.records if record.name == "gateway.moving.transfers"]
    return [line for line in said if line.startswith("download")]


def test_sixteen_connections_are_one_transfer_and_its_last_byte_ends_it(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file, step = a_file(house), len(DATA) // 16
    opened = [fetch(house, file, start, start + step) for start in range(0, len(DATA), step)]
    assert (status(house).connections, status(house).client) == (16, BROWSER)
    assert b"".join(b"".join(one) for one in opened) == DATA
    for one in opened:
        one.close()
    assert house.gateway.transfers.statuses() == []
    (line,) = lines(caplog)
    assert f"of file {file.id}" in line and f"{len(DATA)} bytes" in line
    assert "16 connections" in line and "first byte after" in line and line.endswith("complete")


def test_a_transfer_keeps_its_place_between_two_ranges_and_not_for_ever(
    tmp_path: Path, now: list[float], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("gateway.moving.admission.LINE", 0)
    house = build_house(tmp_path, downloads=1)
    first, second = a_file(house, "/a"), a_file(house, "/b")
    for start in (0, MIB):
        part = fetch(house, first, start, start + MIB)
        b"".join(part)
        part.close()
        now[0] += 2
        house.gateway.upkeep.watch_transfers()
        with pytest.raises(AtCapacity):
            fetch(house, second)
    now[0] += 2
    house.gateway.upkeep.watch_transfers()
    fetch(house, second).close()
    assert [line.rpartition(", ")[2] for line in lines(caplog)] == ["partial"]
    house.gateway.close()


def test_a_reader_who_leaves_and_a_store_that_fails_are_told_apart(
    house: House, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def gone(locator: Locator, span: ByteRange, attempt: int, data: bytes) -> bytes:
        if house.store.labels[locator].index == 1:
            raise ChunkMissing("The message is gone.")
        return data

    file = a_file(house)
    left = fetch(house, file)
    next(left)
    left.close()
    now[0] += 5
    house.gateway.upkeep.watch_transfers()
    house.store.on_read = gone
    failing = fetch(house, file)
    with pytest.raises(ChunkMissing):
        b"".join(failing)
    failing.close()
    now[0] += 5
    house.gateway.upkeep.watch_transfers()
    first, second = lines(caplog)
    assert first.endswith("client left")
    assert second.endswith("failed: The message is gone.")
    ended = house.gateway.transfers.figures().ended
    assert ended["download", "client left"] == ended["download", "failed"] == 1


def test_a_transfer_may_have_so_many_connections(tmp_path: Path) -> None:
    house = build_house(tmp_path, connections_per_download=2)
    file = a_file(house)
    opened = [fetch(house, file), fetch(house, file)]
    with pytest.raises(AtCapacity, match="2 connections"):
        fetch(house, file)
    opened[0].close()
    fetch(house, file).close()
    opened[1].close()
    assert house.downloading == 0
    house.gateway.close()


def test_speed_is_that_of_the_last_seconds(house: House, now: list[float]) -> None:
    download = fetch(house, a_file(house))
    for _ in range(6):
        next(download)
        now[0] += 1
        house.gateway.upkeep.watch_transfers()
    seen = status(house)
    assert seen.speed == pytest.approx(256 << 10)
    assert seen.moved == 6 * (256 << 10)
    assert seen.eta == pytest.approx(6)
    now[0] += 4
    assert status(house).speed == pytest.approx((256 << 10) / 2)
    download.close()


def test_an_upload_is_a_transfer_while_its_parts_come(house: House, now: list[float]) -> None:
    upload = house.gateway.uploads.create(house.user, folder="/", name="u", length=3)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(b"ab"), 2, client=BROWSER)
    seen = status(house)
    assert (seen.subject.direction, seen.subject.content, seen.moved) == ("upload", upload.id, 2)
    assert seen.connections == 0 and seen.client == BROWSER
    now[0] += 50  # a slow line, between its parts
    house.gateway.upkeep.watch_transfers()
    assert status(house).id == seen.id
    house.gateway.uploads.append(house.user, upload.id, 2, io.BytesIO(b"c"), 1)
    assert house.gateway.transfers.statuses() == []
    assert house.gateway.totals.of_user(house.user.id) == Totals(uploads=1, bytes_received=3)


def test_an_upload_that_rests_for_a_minute_is_shown_no_longer(house: House, now: list[float]) -> None:
    upload = house.gateway.uploads.create(house.user, folder="/", name="u", length=3)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(b"ab"), 2)
    now[0] += 61
    house.gateway.upkeep.watch_transfers()
    assert house.gateway.transfers.statuses() == []


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[tuple[House, File]]:
    """A house in which a file of three MiB was stored, and fetched twice."""
    house = build_house(tmp_path)
    file = a_file(house)
    for _ in range(2):
        download = fetch(house, file)
        b"".join(download)
        download.close()
    yield house, file
    house.gateway.close()
    house.database.close()


def test_totals_survive_a_restart(moved: tuple[House, File], tmp_path: Path) -> None:
    house, file = moved
    of_user = Totals(2, 2 * len(DATA), 1, len(DATA))
    assert house.gateway.totals.of_user(house.user.id) == of_user
    house.gateway.close()
    house.database.close()
    again = build_house(tmp_path, house.store)
    assert again.gateway.totals.of_file(file.id) == Totals(2, 2 * len(DATA))
    assert again.gateway.totals.of_user(house.user.id) == of_user
    again.gateway.close()
    again.database.close()


def test_what_a_long_download_has_moved_so_far_is_kept_too(house: House) -> None:
    file = a_file(house)
    download = fetch(house, file)
    next(download)
    house.gateway.upkeep.watch_transfers()
    house.gateway.upkeep.keep_totals()
    assert house.gateway.totals.of_file(file.id) == Totals(0, 256 << 10)
    download.close()
    house.gateway.transfers.close()
    assert house.gateway.totals.of_file(file.id) == Totals(1, 256 << 10)


def test_totals_that_cannot_be_written_are_written_later(
    moved: tuple[House, File], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, file = moved
    before = house.gateway.totals.of_user(house.user.id)
    with closing(sqlite3.connect(house.database._engine.url.database or "")) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(house.database, "_patience", 0.05)
        with pytest.raises(DatabaseUnavailable):
            house.gateway.upkeep.keep_totals()
    assert house.gateway.totals.of_user(house.user.id) == before
    house.gateway.upkeep.keep_totals()
    assert Rows(house.database).of_file(file.id) == Totals(2, 2 * len(DATA))


def test_a_file_that_was_removed_takes_its_totals_along_and_leaves_its_owners(
    moved: tuple[House, File],
) -> None:
    house, file = moved
    house.gateway.bin.put(house.user, [file.id], forever=True)
    house.gateway.upkeep.keep_totals()
    assert house.gateway.totals.of_file(file.id) == Totals()
    assert house.gateway.totals.of_user(house.user.id).downloads == 2


RANGES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda two: ByteRange(min(two), max(two)))
)


@given(RANGES)
def test_a_union_holds_the_same_bytes_apart_and_in_order(spans: list[ByteRange]) -> None:
    merged = union(spans)
    bytes_of = {byte for span in spans for byte in range(span.start, span.stop)}
    assert {byte for span in merged for byte in range(span.start, span.stop)} == bytes_of
    assert sum(span.length for span in merged) == len(bytes_of)
    assert all(left.stop < right.start for left, right in pairwise(merged))
