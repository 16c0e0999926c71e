"""Tickets: a place in line without a connection, which the file's download takes over."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import AtCapacity, NotFound
from gateway.moving.queue import REMEMBERED, Ticket
from gateway.outgoing.downloads import Download
from model import ByteRange, Client, File, User
from tests.conftest import House, build_house

BROWSER = Client("192.0.2.1", "browser")


class Line:
    """A house with one place, which ada's download of her file holds until `end`."""

    def __init__(self, folder: Path, now: list[float]) -> None:
        self.now = now
        self.house: House = build_house(folder, downloads=1)
        self.queue = self.house.gateway.queue
        self.ada = self.house.user
        self.bob = self.house.gateway.people.add("bob", "battery staple")
        self._running = self.fetch(self.ada, self.file(self.ada))

    def file(self, user: User, path: str = "/f") -> File:
        return self.house.gateway.uploads.put(user, path, io.BytesIO(b"12345"), 5)[0]

    def fetch(self, user: User, file: File) -> Download:
        return self.house.gateway.downloads.open(user, file, ByteRange(0, 5), gone=lambda: False)

    def take(self, file: File) -> Ticket:
        return self.queue.take(self.bob, file, BROWSER)

    def end(self) -> None:
        assert b"".join(self._running) == b"12345"
        self._running.close()

    def pass_time(self, seconds: float) -> None:
        self.now[0] += seconds
        self.house.gateway.upkeep.watch_transfers()


@pytest.fixture
def line(tmp_path: Path, now: list[float]) -> Iterator[Line]:
    line = Line(tmp_path, now)
    yield line
    line.house.gateway.close()
    line.house.database.close()


def test_a_ticket_is_ready_when_its_turn_comes_and_the_download_has_its_place(line: Line) -> None:
    file = line.file(line.bob)
    waiting = line.take(file)
    assert (waiting.state, waiting.place) == ("waiting", 1)
    assert line.take(file).id == waiting.id, "one for each file"
    line.end()
    assert line.queue.look(line.bob, waiting.id).state == "ready"
    download = line.fetch(line.bob, file)
    assert line.queue.look(line.bob, waiting.id).state == "ready"
    assert b"".join(download) == b"12345"
    download.close()
    assert line.queue.look(line.bob, waiting.id).state == "over"


def test_while_there_is_room_a_ticket_is_ready_at_once(line: Line) -> None:
    line.end()
    assert line.take(line.file(line.bob)).state == "ready"


def test_a_ready_ticket_keeps_its_place_for_a_while_only(line: Line) -> None:
    line.end()
    ticket, other = line.take(line.file(line.bob)), line.take(line.file(line.bob, "/g"))
    line.pass_time(25)
    assert line.queue.look(line.bob, ticket.id).state == "ready", "a look does not keep it longer"
    assert line.queue.look(line.bob, other.id).state == "waiting"
    line.pass_time(6)
    assert line.queue.look(line.bob, ticket.id).state == "over"
    assert line.queue.look(line.bob, other.id).state == "ready"


def test_a_ticket_that_nobody_looks_at_is_over(line: Line) -> None:
    looked_at, left = line.take(line.file(line.bob)), line.take(line.file(line.bob, "/g"))
    for _ in range(2):
        line.pass_time(40)
        line.queue.look(line.bob, looked_at.id)
    assert line.queue.look(line.bob, looked_at.id).state == "waiting"
    assert line.queue.look(line.bob, left.id).state == "over"


def test_who_leaves_makes_room_for_the_next(line: Line) -> None:
    first, second = line.take(line.file(line.bob)), line.take(line.file(line.bob, "/g"))
    assert second.place == 2
    line.queue.leave(line.bob, first.id)
    assert line.queue.look(line.bob, second.id).place == 1
    assert line.queue.look(line.bob, first.id).state == "over"


def test_another_user_s_ticket_is_not_there(line: Line) -> None:
    ticket = line.take(line.file(line.bob))
    for verb in (line.queue.look, line.queue.leave):
        with pytest.raises(NotFound):
            verb(line.ada, ticket.id)
    with pytest.raises(NotFound):
        line.queue.look(line.bob, 999)


def test_whoever_takes_and_leaves_without_end_has_nobody_elses_tickets_forgotten(line: Line) -> None:
    mine = line.take(line.file(line.bob))
    theirs = line.file(line.ada, "/g")
    for _ in range(REMEMBERED + 1):
        taken = line.queue.take(line.ada, theirs, BROWSER)
        line.queue.leave(line.ada, taken.id)
    assert line.queue.look(line.bob, mine.id).state == "waiting"
    assert line.queue.look(line.ada, taken.id).state == "over"


def test_a_user_may_have_so_many_that_wait(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.moving.admission.ASKERS_PER_USER", 1)
    line.take(line.file(line.bob))
    with pytest.raises(AtCapacity, match="Too many downloads are waiting"):
        line.take(line.file(line.bob, "/g"))
    assert len(line.house.gateway.transfers.statuses(line.bob)) == 1


def test_requests_that_hold_a_thread_are_not_kept_out_by_tickets(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.moving.admission.LINE_PER_USER", 1)
    monkeypatch.setattr(line.house.gateway._admission, "_patience", 0.0)
    for name in ("f", "g"):
        line.take(line.file(line.bob, f"/{name}"))
    with pytest.raises(AtCapacity, match="All places"):
        line.fetch(line.bob, line.file(line.bob, "/h"))
    assert line.house.gateway.transfers.figures().waiting == 0
