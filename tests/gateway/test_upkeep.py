"""What is done while nobody asks: it ends, it is not done again for nothing, and it tells what it met."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

import errors
from gateway.health import Watch
from model import MIB, ByteRange, File, Label, Locator
from storage.base import Source
from storage.memory import MemoryStore
from tests.conftest import House, build_house, damage, wait_for_transit


def interrupted(folder: Path, store: MemoryStore, data: bytes, path: str = "/file") -> House:
    """A house in which `data` is a file whose SHA-256 a restart has lost."""
    house = build_house(folder, store)
    upload = house.gateway.uploads.create(house.user, folder="/", name=path[1:], length=len(data))
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(data[: 2 * MIB]), 2 * MIB)
    wait_for_transit(house, upload.id)
    house.gateway.close()
    house.database.close()
    house = build_house(folder, store)
    rest = data[2 * MIB :]
    house.gateway.uploads.append(house.user, upload.id, 2 * MIB, io.BytesIO(rest), len(rest))
    return house


def test_damage_of_the_database_is_looked_for_by_upkeep_and_told_to_whoever_asks(
    house: House, tmp_path: Path
) -> None:
    """Anybody may ask, and as often as they like: it must not cost a look through all of it."""
    damage(tmp_path / "stowgram.sqlite", "trash")
    assert Watch(house.database, house.store, house.gateway.jobs).health().ready
    with pytest.raises(errors.DatabaseDamaged):
        house.gateway.upkeep.check_database(lambda: False)
    assert "damaged" in Watch(house.database, house.store, house.gateway.jobs).health().database


def the_file(house: House, path: str = "/file") -> File:
    file = house.gateway.files.at(house.user, path)
    assert isinstance(file, File)
    return file


def test_a_file_found_damaged_while_its_digest_is_made_is_marked_and_not_read_again(tmp_path: Path) -> None:
    store, reads, bad = MemoryStore(), [], False

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        reads.append(locator)
        return bytes(len(true)) if bad else true

    store.on_read = on_read
    house = interrupted(tmp_path, store, os.urandom(3 * MIB))
    bad = True
    house.gateway.upkeep.complete_digests(lambda: False)
    assert the_file(house).damaged_at is not None
    before = len(reads)
    house.gateway.upkeep.complete_digests(lambda: False)
    assert len(reads) == before


def test_a_file_whose_message_is_gone_does_not_keep_others_from_their_digest(tmp_path: Path) -> None:
    store, data = MemoryStore(), os.urandom(3 * MIB)
    house = interrupted(tmp_path, store, os.urandom(3 * MIB), "/gone")
    store.delete(list(store.labels))
    house.database.close()
    house = interrupted(tmp_path, store, data, "/kept")
    house.gateway.upkeep.complete_digests(lambda: False)
    assert the_file(house, "/gone").damaged_at is not None
    assert the_file(house, "/kept").sha256 == hashlib.sha256(data).digest()


def test_an_upload_whose_name_was_taken_is_not_read_back_again_and_again(tmp_path: Path) -> None:
    store, reads = MemoryStore(), []

    def on_read(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        reads.append(locator)
        return true

    store.on_read = on_read
    house = build_house(tmp_path, store)
    upload = house.gateway.uploads.create(house.user, folder="/", name="taken", length=MIB)
    house.gateway.files.make_folder(house.user, "/taken")
    with pytest.raises(errors.Conflict):
        house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(bytes(MIB)), MIB)
    for _ in range(3):
        house.gateway.upkeep.go_on_with_uploads()
    assert len(reads) == 1, "on its way"


def test_bytes_that_are_sent_again_after_a_setback_decide_what_the_digest_is(tmp_path: Path) -> None:
    store = MemoryStore()
    house = build_house(tmp_path, store)
    first, data = os.urandom(5 * MIB), os.urandom(5 * MIB)
    upload = house.gateway.uploads.create(house.user, folder="/", name="file", length=5 * MIB)
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(first[:-1]), 5 * MIB - 1)
    wait_for_transit(house, upload.id)
    house = build_house(tmp_path, store)
    bad = next(place for place, label in store.labels.items() if label.index == 0)
    store.on_read = lambda locator, span, attempt, true: bytes(len(true)) if locator == bad else true
    with pytest.raises(errors.ChunkCorrupt):
        house.gateway.uploads.append(house.user, upload.id, 5 * MIB - 1, io.BytesIO(first[-1:]), 1)
    assert house.gateway.uploads.get(house.user, upload.id).offset == 0
    house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(data[:MIB]), MIB)
    house.gateway.uploads.append(house.user, upload.id, MIB, io.BytesIO(data[MIB:]), 4 * MIB)
    assert the_file(house).sha256 == hashlib.sha256(data).digest()


class Stubborn(MemoryStore):
    """Refuses for good to delete the first message it was given, as Telegram does with some old ones."""

    def delete(self, locators: Sequence[Locator]) -> None:
        if any(locator.message == 1 for locator in locators):
            raise errors.Permanent("MESSAGE_DELETE_FORBIDDEN")
        super().delete(locators)


def test_a_message_that_cannot_be_deleted_holds_up_no_other(tmp_path: Path) -> None:
    house = build_house(tmp_path, Stubborn())
    for path in ("/first", "/second"):
        file, _ = house.gateway.uploads.put(house.user, path, io.BytesIO(b"x"), 1)
        house.gateway.bin.put(house.user, [file.id], forever=True)
    with pytest.raises(errors.Permanent):
        house.gateway.upkeep.empty_trash()
    assert [locator.message for locator in house.store.labels] == [1]


def test_an_upload_that_cannot_be_stored_holds_up_no_other(tmp_path: Path) -> None:
    down, refused = True, set[UUID]()

    def on_put(label: Label, locator: Locator | None) -> None:
        if down or label.file in refused:
            raise errors.Permanent("no")

    house = build_house(tmp_path, MemoryStore(on_put=on_put))
    for name in ("never", "soon"):
        upload = house.gateway.uploads.create(house.user, folder="/", name=name, length=3)
        with pytest.raises(errors.Permanent):
            house.gateway.uploads.append(house.user, upload.id, 0, io.BytesIO(b"abc"), 3)
        refused |= {upload.id} if name == "never" else set()
    down = False
    for _ in range(20):
        with suppress(errors.Permanent):  # the other one's, in the rounds that see it fail
            house.gateway.upkeep.go_on_with_uploads()
        time.sleep(0.05)
    assert the_file(house, "/soon").size == 3


class Told(MemoryStore):
    """Remembers which older message it was told with each put."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Locator | None] = []

    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        self.told.append(after)
        return super().put(label, source, after)


def test_a_restart_does_not_forget_the_newest_message_whose_file_is_gone(tmp_path: Path) -> None:
    store = Told()
    house = build_house(tmp_path, store)
    file, _ = house.gateway.uploads.put(house.user, "/gone", io.BytesIO(b"x"), 1)
    newest = max(store.labels)
    house.gateway.bin.put(house.user, [file.id], forever=True)
    house.gateway.upkeep.empty_bin()
    house.gateway.upkeep.empty_trash()
    assert not store.labels
    house.gateway.close()
    house.database.close()
    house = build_house(tmp_path, store)
    store.told.clear()
    house.gateway.uploads.put(house.user, "/new", io.BytesIO(b"y"), 1)
    assert store.told[0] == newest
