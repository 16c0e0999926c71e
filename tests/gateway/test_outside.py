"""Prepared ZIPs outside: whatever becomes of a job, its row stays until nothing of it is left there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from errors import Transient
from gateway.background.jobs import CLEARING
from model import Folder
from storage.objects.base import ObjectStore
from tests.conftest import House, build_house
from tests.gateway.preparing import claimed, ignore, never, prepared


class Objects(ObjectStore):
    """In memory. A `silent` one lets go of nothing, as a bucket that does not answer."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.silent = False
        self.stuck: str | None = None
        """A key about which it does not answer."""
        self.asked = 0
        """How often to remove something."""

    def put(
        self, key: str, path: Path, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        self.kept[key] = path.read_bytes()

    def link(self, key: str, *, name: str, seconds: int) -> str:
        return f"https://objects.example.org/{key}"

    def remove(self, key: str) -> None:
        self.asked += 1
        if self.silent or key == self.stuck:
            raise Transient("Object storage does not answer.")
        self.kept.pop(key, None)

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
def house(tmp_path: Path, objects: Objects) -> Iterator[House]:
    built = build_house(tmp_path, objects=objects)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


@pytest.fixture
def folder(house: House) -> Folder:
    return filled(house, "z")


def filled(house: House, name: str) -> Folder:
    house.gateway.uploads.put(house.user, f"/{name}/f", BytesIO(b"12345"), 5)
    found = house.gateway.files.at(house.user, f"/{name}")
    assert isinstance(found, Folder)
    return found


def later(house: House, **time: float) -> None:
    now = house.database.now
    house.database.now = lambda: now() + timedelta(**time)


def test_one_asked_for_anew_when_its_time_is_over_is_removed_all_the_same(
    house: House, folder: Folder, objects: Objects
) -> None:
    first = prepared(house.gateway, house.user, folder)
    assert list(objects.kept) == [f"{first.id}.zip"]
    later(house, days=1, seconds=1)
    second = prepared(house.gateway, house.user, folder)
    house.gateway.prepared.tidy()
    assert list(objects.kept) == [f"{second.id}.zip"]
    assert [job.id for job in house.gateway.jobs.of(house.user)] == [second.id]


def test_those_of_a_removed_user_are_removed(house: House, folder: Folder, objects: Objects) -> None:
    prepared(house.gateway, house.user, folder)
    house.gateway.people.add("heir", "battery staple", is_admin=True)
    house.gateway.bin.put(house.user, [folder.id])
    house.gateway.people.remove(house.user.id)
    assert objects.kept
    house.gateway.prepared.tidy()
    assert (objects.kept, house.gateway.jobs.all()) == ({}, ())


def test_nobody_who_cancels_waits_for_what_is_outside(
    house: House, folder: Folder, objects: Objects, tmp_path: Path
) -> None:
    job = prepared(house.gateway, house.user, folder)
    house.gateway.jobs.cancel(house.user, job.id)
    assert (objects.asked, list((tmp_path / "prepared").iterdir())) == (0, [])
    for _ in range(2):
        house.gateway.prepared.tidy()
    assert (objects.asked, objects.kept) == (1, {})
    assert house.gateway.jobs.get(house.user, job.id).status == "cancelled", "which is remembered for a day"


def test_what_was_never_begun_is_not_looked_for_outside(
    house: House, folder: Folder, objects: Objects
) -> None:
    house.gateway.jobs.cancel(house.user, house.gateway.prepared.ask(house.user, folder).id)
    later(house, days=2)
    house.gateway.prepared.tidy()
    assert (objects.asked, house.gateway.jobs.of(house.user)) == (0, ())


def test_a_round_asks_a_silent_place_once_and_the_next_removes_what_is_left(
    house: House, objects: Objects
) -> None:
    made = [prepared(house.gateway, house.user, filled(house, name)) for name in "abc"]
    for job in made[:2]:
        house.gateway.jobs.cancel(house.user, job.id)
    house.gateway.uploads.put(house.user, "/c/changed", BytesIO(b"6"), 1)
    objects.silent = True
    house.gateway.prepared.tidy()
    assert (objects.asked, len(objects.kept)) == (1, 3)
    objects.silent = False
    house.gateway.prepared.tidy()
    assert objects.kept == {}


def test_a_round_that_a_slow_place_makes_long_ends_and_the_next_goes_on_behind_it(
    house: House, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [prepared(house.gateway, house.user, filled(house, name)) for name in "abcd"]
    for job in made:
        house.gateway.jobs.cancel(house.user, job.id)
    monkeypatch.setattr("gateway.background.jobs.monotonic", lambda: CLEARING * objects.asked / 2)
    house.gateway.prepared.tidy()
    assert [f"{job.id}.zip" in objects.kept for job in made] == [False, False, True, True]
    objects.silent = True
    for _ in range(2):
        house.gateway.prepared.tidy()
    objects.silent, objects.asked = False, 0
    monkeypatch.setattr("gateway.background.jobs.monotonic", lambda: CLEARING * objects.asked)
    house.gateway.prepared.tidy()
    assert [f"{job.id}.zip" in objects.kept for job in made] == [False, False, False, True]
    house.gateway.prepared.tidy()
    assert objects.kept == {}


def test_nothing_else_that_expires_waits_for_what_is_outside(
    house: House, folder: Folder, objects: Objects
) -> None:
    job = prepared(house.gateway, house.user, folder)
    house.gateway.jobs.cancel(house.user, job.id)
    house.gateway.upkeep.expire()
    assert objects.asked == 0
    house.gateway.upkeep.tidy_prepared()
    assert (objects.asked, objects.kept) == (1, {})


def test_what_a_place_never_answers_about_holds_up_nothing_else(house: House, objects: Objects) -> None:
    first, second = [prepared(house.gateway, house.user, filled(house, name)) for name in "ab"]
    for job in (first, second):
        house.gateway.jobs.cancel(house.user, job.id)
    objects.stuck = f"{first.id}.zip"
    for _ in range(2):
        house.gateway.prepared.tidy()
    assert list(objects.kept) == [objects.stuck]
    objects.stuck = None
    house.gateway.prepared.tidy()
    assert objects.kept == {}


def test_nothing_is_removed_outside_while_its_worker_may_still_take_it_there(
    house: House, folder: Folder, objects: Objects
) -> None:
    asked = house.gateway.prepared.ask(house.user, folder)
    job = claimed(house.gateway, timedelta(minutes=1))
    house.gateway.jobs.cancel(house.user, asked.id)
    house.gateway.prepared.tidy()
    house.gateway.jobs.perform(job, ignore, never)  # it has not heard of it yet, and is killed then
    house.gateway.prepared.tidy()
    assert objects.kept
    later(house, minutes=2)
    house.gateway.prepared.tidy()
    assert objects.kept == {}
