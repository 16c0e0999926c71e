"""Prepared ZIPs outside: whatever becomes of a job, its row stays until nothing of it is left there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from model import Folder
from storage.objects.base import ObjectStore
from tests.conftest import House, build_house
from tests.gateway.preparing import prepared


class Objects(ObjectStore):
    """In memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(
        self, key: str, path: Path, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        self.kept[key] = path.read_bytes()

    def link(self, key: str, *, name: str, seconds: int) -> str:
        return f"https://objects.example.org/{key}"

    def remove(self, key: str) -> None:
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
    house.gateway.uploads.put(house.user, "/z/f", BytesIO(b"12345"), 5)
    found = house.gateway.files.at(house.user, "/z")
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
