"""Quotas: what users store is counted whatever changes it, and uploads that begin together share what is left."""

from __future__ import annotations

import pytest

from db import Database, Moves, People, Tree, Uploads
from errors import Conflict, OverQuota
from model import User
from tests.db.conftest import Clock, a_chunk, an_upload, finish, label_of, put, remove


def used(database: Database, user: User) -> tuple[int, int]:
    account = People(database).account(user.id)
    return account.files, account.used


def test_every_change_is_counted(database: Database, ann: User, bob: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a/f", 1)
    put(database, ann, clock, "/a/g", 2, 3)
    assert used(database, ann) == (2, 24)
    put(database, ann, clock, "/a/f", 4, 5)
    assert used(database, ann) == (2, 32)
    Moves(database).move(ann.id, file.id, name="h")
    assert used(database, ann) == (2, 32)
    folder = Tree(database).folder_at(ann.id, "/a")
    (twin,) = Moves(database).copy_all(ann.id, [folder.id], "/", rename=True)
    assert used(database, ann) == (4, 64)
    remove(database, ann.id, twin.id)
    assert used(database, ann) == (2, 32)
    remove(database, ann.id, Tree(database).folder_at(ann.id, "/a").id)
    assert used(database, ann) == (0, 0)
    assert used(database, bob) == (0, 0)


def test_an_upload_holds_its_room_until_it_is_given_up_or_expires(
    database: Database, ann: User, clock: Clock
) -> None:
    People(database).change(ann.id, quota=25)
    uploads, first, second = Uploads(database), an_upload(ann, clock, "/a"), an_upload(ann, clock, "/b")
    uploads.create(first, True)
    uploads.create(second, True)
    with pytest.raises(OverQuota, match="of the 25 that you may store, 5 are left"):
        uploads.create(an_upload(ann, clock, "/c"), True)
    uploads.abandon(first.id)
    uploads.create(an_upload(ann, clock, "/c"), True)
    clock.move(days=2)
    uploads.create(an_upload(ann, clock, "/d"), True)


def test_a_copy_past_the_quota_is_refused(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a/f", 1)
    People(database).change(ann.id, quota=20)
    Moves(database).copy_all(ann.id, [file.id], "/", rename=False)
    with pytest.raises(OverQuota):
        Moves(database).copy_all(ann.id, [file.parent_id], "/", rename=True)


def test_nothing_fits_in_a_quota_that_was_made_smaller_but_nothing(
    database: Database, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/f", 1)
    assert People(database).change(ann.id, quota=1).quota == 1
    with pytest.raises(OverQuota, match="0 are left"):
        Uploads(database).create(an_upload(ann, clock, "/g"), True)
    Uploads(database).create(an_upload(ann, clock, "/g", length=0), True)
    Uploads(database).create(an_upload(ann, clock, "/f", length=8), True)


def test_who_was_let_in_for_another_files_place_needs_that_place_at_the_end(
    database: Database, ann: User, clock: Clock
) -> None:
    """Else a rename before each end would store as much as one likes."""
    file, _ = put(database, ann, clock, "/f", 1)
    People(database).change(ann.id, quota=8)
    uploads, first, second = Uploads(database), *(an_upload(ann, clock, "/f", length=8) for _ in range(2))
    for number, upload in enumerate((first, second), 2):
        uploads.create(upload, True)
        chunk = a_chunk(0, 0, bytes(8), number)
        uploads.stored(upload.id, label_of(upload.id, chunk), chunk)
    Moves(database).move(ann.id, file.id, name="g")
    with pytest.raises(OverQuota):
        uploads.check_place(first.id)
    with pytest.raises(OverQuota):
        finish(database, first)
    Moves(database).move(ann.id, file.id, name="f")
    assert finish(database, first)[1], "in the file's place"
    People(database).change(ann.id, quota=1)
    assert finish(database, second, 9_001)[1], "what was let in is kept"
    assert used(database, ann) == (1, 8)


def test_the_last_admin_stays(database: Database, bob: User) -> None:
    people = People(database)
    admin = people.add("root", "hash", is_admin=True)
    for attempt in (lambda: people.remove(admin.id), lambda: people.change(admin.id, is_admin=False)):
        with pytest.raises(Conflict, match="last admin"):
            attempt()
    people.change(bob.id, is_admin=True)
    people.remove(admin.id)
    assert [user.name for user in people.all()] == ["bob"]
