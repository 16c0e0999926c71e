"""Visitors beside their share's owner: places, connections, cancelling, totals, and what counts as a download."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from errors import AtCapacity, ChunkMissing, ClientGone, Gone, NotFound
from gateway.outgoing.downloads import Download
from gateway.sharing.shares import TOKEN_LENGTH
from gateway.sharing.visits import ONCE_IN, Visit
from model import MIB, ByteRange, Client, File, Locator, Share, Terms
from tests.conftest import House, build_house

DATA = bytes(range(256)) * (2 * MIB // 256)


class Shared:
    """A file that is shared on some terms, and its visitors."""

    def __init__(self, house: House, terms: Terms = Terms()) -> None:  # noqa: B008 (it is frozen)
        self.house = house
        self.file: File = house.gateway.uploads.put(house.user, "/f", io.BytesIO(DATA), len(DATA))[0]
        made = house.gateway.shares.make(house.user, self.file.id, "file", None, terms)
        self.token = made.token

    @property
    def share(self) -> Share:
        return self.house.gateway.visits.find(self.token, Client("192.0.2.99", ""), None)

    @property
    def downloads(self) -> int:
        return self.house.gateway.shares.listing(self.house.user, None, None, 1).items[0].downloads

    def fetch(self, address: str, start: int = 0, stop: int = len(DATA)) -> Download:
        client = Client(address, "test")
        visit = Visit(self.house.gateway.visits.find(self.token, client, None), client)
        span = ByteRange(start, stop)
        return self.house.gateway.visits.open(visit, self.file, span, lambda: False)


def test_a_visitor_takes_none_of_the_owners_places(tmp_path: Path) -> None:
    house = build_house(tmp_path, downloads_per_user=1, downloads=8)
    shared = Shared(house)
    opened = [shared.fetch("192.0.2.1"), shared.fetch("192.0.2.2")]
    own = house.gateway.downloads.open(house.user, shared.file, ByteRange(0, 5), gone=lambda: False)
    for one in (*opened, own):
        one.close()
    close(house)


def close(house: House) -> None:
    house.gateway.close()
    house.store.close()
    house.database.close()


def test_connections_are_bounded_over_all_visitors_of_a_share_together(house: House) -> None:
    shared = Shared(house, Terms(max_connections=3))
    opened = [shared.fetch("192.0.2.1"), shared.fetch("192.0.2.1", 5), shared.fetch("192.0.2.2")]
    with pytest.raises(AtCapacity, match="over 3 connections"):
        shared.fetch("192.0.2.3")
    opened.pop().close()
    opened.append(shared.fetch("192.0.2.3"))
    own = house.gateway.downloads.open(house.user, shared.file, ByteRange(0, 5), gone=lambda: False)
    for one in (*opened, own):
        one.close()


def test_the_owner_sees_a_visitors_download_and_cancels_it(house: House) -> None:
    shared = Shared(house)
    download = shared.fetch("192.0.2.1")
    (seen,) = house.gateway.transfers.statuses(house.user)
    assert seen.subject.visitor is not None and seen.subject.visitor.share == shared.share.id
    assert seen.client.address == "192.0.2.1"
    house.gateway.control.cancel(house.user, seen.id)
    with pytest.raises(ClientGone):
        next(download)
    download.close()
    with pytest.raises(Gone, match="cancelled"):
        shared.fetch("192.0.2.1", 5)
    shared.fetch("192.0.2.2", 5).close()


def test_what_visitors_fetch_counts_for_the_file(house: House) -> None:
    shared = Shared(house)
    for address in ("192.0.2.1", "192.0.2.2"):
        download = shared.fetch(address)
        assert b"".join(download) == DATA
        download.close()
    totals = house.gateway.totals.of_file(shared.file.id)
    assert (totals.downloads, totals.bytes_sent) == (2, 2 * len(DATA))


def test_what_could_not_be_had_is_no_download(house: House) -> None:
    shared = Shared(house, Terms(max_downloads=1))

    def missing(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        raise ChunkMissing("The message is gone.")

    house.store.on_read = missing
    with pytest.raises(ChunkMissing):
        shared.fetch("192.0.2.1")
    assert shared.downloads == 0
    house.store.on_read = None
    shared.fetch("192.0.2.2").close()
    assert shared.downloads == 1


def test_of_many_who_come_at_once_no_more_get_in_than_may(house: House) -> None:
    shared = Shared(house, Terms(max_downloads=3))

    def come(number: int) -> bool:
        try:
            shared.fetch(f"192.0.2.{number % 8}").close()
        except Gone:
            return False
        return True

    with ThreadPoolExecutor(8) as visitors:
        assert sum(visitors.map(come, range(8))) == 3
    assert shared.downloads == 3
    assert house.downloading == 0


def test_after_twelve_hours_the_same_is_another_download(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, clock = Shared(house, Terms(max_downloads=2)), [datetime.now(UTC)]
    monkeypatch.setattr(house.database, "now", lambda: clock[0])
    shared.fetch("192.0.2.1").close()
    clock[0] += ONCE_IN - timedelta(minutes=1)
    house.gateway.visits.forget_old()
    shared.fetch("192.0.2.1", 5).close()
    assert shared.downloads == 1
    clock[0] += timedelta(minutes=2)
    shared.fetch("192.0.2.1").close()
    assert shared.downloads == 2
    clock[0] += ONCE_IN + timedelta(minutes=1)
    house.gateway.visits.forget_old()
    with pytest.raises(Gone):
        shared.fetch("192.0.2.1", 5)


def test_when_a_share_was_used_last_is_known_soon(house: House) -> None:
    shared = Shared(house)
    visits = house.gateway.visits
    visits.note(Visit(shared.share, Client("192.0.2.1", "")))
    visits.keep_uses()
    assert shared.share.last_used_at is not None


def test_guesses_at_tokens_of_any_length_take_little_memory(house: House) -> None:
    visits = house.gateway.visits
    with pytest.raises(NotFound):
        visits.find("x" * 60_000, Client("192.0.2.1", ""), "a password")
    assert all(len(str(key)) <= TOKEN_LENGTH for key in visits._slowdown._accounts._kept)
