"""Uploads, contents and trash: what is at rest is always named somewhere, and only one place makes a file
visible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from uuid import uuid4

import pytest

from db import Contents, Damage, Database, Messages, Trash, Tree, Uploads
from errors import Conflict, Gone, NotFound, OffsetMismatch
from model import Label, Locator, StoredFile, Upload, User
from tests.db.conftest import Clock, a_chunk, an_upload, finish, label_of, put, remove


@pytest.fixture
def uploads(database: Database) -> Uploads:
    return Uploads(database)


@pytest.fixture
def upload(uploads: Uploads, ann: User, clock: Clock) -> Upload:
    """Ten bytes in chunks of eight, to be /a.bin."""
    upload = an_upload(ann, clock)
    uploads.create(upload, True)
    return upload


FIRST = a_chunk(0, 0, b"01234567", 1)
LAST = a_chunk(1, 8, b"89", 2)


def rest(uploads: Uploads, upload: Upload) -> None:
    for chunk in (FIRST, LAST):
        uploads.stored(upload.id, label_of(upload.id, chunk), chunk)


def in_trash(database: Database) -> list[int]:
    return [locator.message for _, locator in Trash(database).batch(1000)]


def test_an_upload_is_given_back_as_it_was_made(uploads: Uploads, upload: Upload) -> None:
    assert uploads.get(upload.id) == upload
    assert uploads.unfinished() == (upload,)
    with pytest.raises(NotFound):
        uploads.get(uuid4())


def test_another_owners_upload_is_not_found_in_any_state(
    uploads: Uploads, upload: Upload, ann: User, bob: User
) -> None:
    assert uploads.get(upload.id, ann.id) == upload
    with pytest.raises(NotFound):
        uploads.get(upload.id, bob.id)
    uploads.abandon(upload.id)
    with pytest.raises(NotFound):
        uploads.get(upload.id, bob.id)


def test_an_upload_advances_only_from_where_it_stands(uploads: Uploads, upload: Upload) -> None:
    later = upload.expires_at + timedelta(hours=1)
    uploads.advance(upload.id, 0, 7, later)
    with pytest.raises(OffsetMismatch) as refusal:
        uploads.advance(upload.id, 0, 8, later)
    assert refusal.value.expected == 7
    found = uploads.get(upload.id)
    assert (found.offset, found.expires_at) == (7, later)


def test_an_expired_upload_is_gone_and_listed_to_be_given_up(
    uploads: Uploads, upload: Upload, clock: Clock
) -> None:
    assert uploads.expired(clock.time) == ()
    clock.move(days=1)
    assert uploads.expired(clock.time) == (upload.id,)
    with pytest.raises(Gone):
        uploads.get(upload.id)


def test_a_place_that_is_taken_is_refused_before_a_byte_is_sent(
    database: Database, uploads: Uploads, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/a/file", 1)
    for path, replace in (
        ("/a/file", False),
        ("/a", True),
        ("/a/FILE", True),
        ("/a/file/x", True),
        ("/A/x", True),
    ):
        with pytest.raises(Conflict):
            uploads.create(an_upload(ann, clock, path), replace)
    assert uploads.unfinished() == ()


def test_finishing_makes_the_file_and_its_folders_visible_at_once(
    database: Database, uploads: Uploads, ann: User, clock: Clock
) -> None:
    upload = an_upload(ann, clock, "/x/y/a.bin")
    uploads.create(upload, True)
    rest(uploads, upload)
    assert Tree(database).listing(ann.id, "/").items == ()
    file, replaced = finish(database, upload, manifest=3)
    assert (file.path, file.size, file.media_type, replaced) == ("/x/y/a.bin", 10, "text/plain", False)
    found = uploads.get(upload.id)
    assert (found.offset, found.file_id) == (10, file.id)
    stored = Contents(database).stored_file(file.content_id)
    assert (stored.uuid, stored.chunks, stored.tree) == (upload.id, (FIRST, LAST), file.tree)
    assert Contents(database).by_uuid(upload.id) == stored
    assert (uploads.chunks(upload.id), uploads.intents(upload.id), uploads.unfinished()) == ((), (), ())
    again = finish(database, upload, chunks=(FIRST, LAST))
    assert again == (file, False), "repeating it gives the same file"


def test_an_upload_with_a_chunk_missing_never_becomes_visible(
    database: Database, uploads: Uploads, upload: Upload, ann: User
) -> None:
    uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    short = StoredFile(upload.id, 8, bytes(32), None, 0, (FIRST,))
    whole = StoredFile(upload.id, 10, bytes(32), None, 0, (FIRST, LAST))
    for stored in (short, whole):
        with pytest.raises(Conflict):
            uploads.finish(upload.id, stored, Label("manifest", upload.id, 0, 0, 1, bytes(32)), Locator(1, 3))
    assert Tree(database).listing(ann.id, "/").items == ()


def test_an_empty_file_needs_no_chunk(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/empty")
    assert (file.size, Contents(database).stored_file(file.content_id).chunks) == (0, ())


def test_replacing_keeps_the_files_id_and_throws_the_old_messages_away(
    database: Database, ann: User, clock: Clock
) -> None:
    old, _ = put(database, ann, clock, "/a.bin", 1, 2, manifest=3)
    clock.move(hours=1)
    new, replaced = put(database, ann, clock, "/a.bin", 4, manifest=5)
    assert (new.id, replaced, new.created_at, new.modified_at) == (old.id, True, old.created_at, clock.time)
    assert new.content_id != old.content_id
    assert sorted(in_trash(database)) == [1, 2, 3]
    with pytest.raises(NotFound):
        Contents(database).stored_file(old.content_id)


def test_a_name_taken_meanwhile_is_refused_at_the_end_and_nothing_is_lost(
    database: Database, uploads: Uploads, ann: User, clock: Clock
) -> None:
    upload = an_upload(ann, clock, "/new/a.bin")
    uploads.create(upload, False)
    rest(uploads, upload)
    uploads.intend(upload.id, Label("manifest", upload.id, 0, 0, 9, bytes(32)), None)
    put(database, ann, clock, "/new/a.bin", 7)
    with pytest.raises(Conflict):
        finish(database, upload, manifest=3)
    assert uploads.chunks(upload.id) == (FIRST, LAST)
    assert uploads.indexes(upload.id) == {0, 1}
    assert [label.kind for label, _ in uploads.intents(upload.id)] == ["manifest"], "its message may be there"
    assert in_trash(database) == []


def test_giving_up_throws_chunks_away_and_leaves_intents_to_be_looked_for(
    database: Database, uploads: Uploads, upload: Upload
) -> None:
    uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    sent = label_of(upload.id, LAST)
    uploads.intend(upload.id, sent, Locator(1, 1))
    assert uploads.orphan_intents(9) == ()
    uploads.abandon(upload.id)
    uploads.abandon(upload.id)
    assert in_trash(database) == [1]
    assert uploads.orphan_intents(9) == ((upload.id, sent, Locator(1, 1)),)
    with pytest.raises(Gone):
        uploads.get(upload.id)
    uploads.drop_intent(sent)
    assert uploads.orphan_intents(9) == ()


def test_a_chunk_that_arrives_after_the_end_goes_into_the_trash(
    database: Database, uploads: Uploads, upload: Upload, clock: Clock
) -> None:
    uploads.intend(upload.id, label_of(upload.id, FIRST), None)
    uploads.abandon(upload.id)
    with pytest.raises(Gone):
        uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    uploads.forget_old(clock.time + timedelta(seconds=1))
    with pytest.raises(NotFound):
        uploads.stored(upload.id, label_of(upload.id, LAST), LAST)
    assert in_trash(database) == [1, 2]
    assert uploads.orphan_intents(9) == ()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: uploads.intend(upload.id, label_of(upload.id, FIRST), None),
        lambda: uploads.advance(upload.id, 0, 1, clock.time),
        lambda: finish(database, upload, chunks=(FIRST, LAST)),
    )
    for late in attempts:
        with pytest.raises(NotFound):
            late()


def test_an_intent_survives_the_tombstone_of_its_upload(
    uploads: Uploads, upload: Upload, clock: Clock
) -> None:
    uploads.intend(upload.id, label_of(upload.id, FIRST), None)
    uploads.abandon(upload.id)
    uploads.forget_old(clock.time + timedelta(seconds=1))
    assert [(of, after) for of, _, after in uploads.orphan_intents(9)] == [(upload.id, None)]


def test_an_intent_noted_twice_keeps_the_older_hint_and_each_label_its_own(
    uploads: Uploads, upload: Upload
) -> None:
    label, again = label_of(upload.id, FIRST), label_of(upload.id, FIRST, attempt=1)
    uploads.intend(upload.id, label, Locator(1, 5))
    uploads.intend(upload.id, label, Locator(1, 9))
    uploads.intend(upload.id, again, None)
    assert uploads.intents(upload.id) == ((label, Locator(1, 5)), (again, None))
    uploads.stored(upload.id, again, FIRST)
    assert uploads.intents(upload.id) == ((label, Locator(1, 5)),)


def test_storing_a_chunk_again_throws_the_older_message_away_unless_it_is_the_same(
    database: Database, uploads: Uploads, upload: Upload
) -> None:
    label = label_of(upload.id, FIRST)
    uploads.stored(upload.id, label, FIRST)
    uploads.stored(upload.id, label, FIRST)
    assert in_trash(database) == []
    again = a_chunk(0, 0, b"01234567", 9)
    uploads.stored(upload.id, label, again)
    assert (uploads.chunks(upload.id), in_trash(database)) == ((again,), [1])


def test_a_bad_chunk_is_discarded_and_counted(database: Database, uploads: Uploads, upload: Upload) -> None:
    rest(uploads, upload)
    uploads.discard_chunk(upload.id, 1)
    assert (uploads.chunks(upload.id), in_trash(database)) == ((FIRST,), [2])
    assert uploads.get(upload.id).discarded == 1


def test_an_upload_set_back_stands_before_the_bad_chunk(
    database: Database, uploads: Uploads, upload: Upload
) -> None:
    rest(uploads, upload)
    uploads.advance(upload.id, 0, 9, upload.expires_at)
    uploads.rewind(upload.id, 1)
    found = uploads.get(upload.id)
    assert (found.offset, found.discarded, uploads.chunks(upload.id)) == (8, 1, (FIRST,))
    uploads.rewind(upload.id, 0)
    assert (uploads.get(upload.id).offset, sorted(in_trash(database))) == (0, [1, 2])


def test_a_finished_upload_is_not_given_up_and_is_gone_with_its_file(
    database: Database, uploads: Uploads, upload: Upload, ann: User
) -> None:
    rest(uploads, upload)
    file, _ = finish(database, upload)
    with pytest.raises(Conflict):
        uploads.abandon(upload.id)
    remove(database, ann.id, file.id)
    with pytest.raises(Gone):
        uploads.get(upload.id)


def test_removing_a_folder_throws_away_all_messages_below_it_and_no_others(
    database: Database, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/a/one", 1, 2, manifest=3)
    put(database, ann, clock, "/a/b/two", 4, manifest=5)
    put(database, ann, clock, "/ab", 6, manifest=7)
    tree = Tree(database)
    remove(database, ann.id, tree.folder_at(ann.id, "/a").id)
    assert sorted(in_trash(database)) == [1, 2, 3, 4, 5]
    assert [node.name for node in tree.listing(ann.id, "/").items] == ["ab"]


def test_the_trash_gives_out_the_oldest_and_forgets_what_is_deleted(database: Database) -> None:
    trash = Trash(database)
    trash.add([Locator(1, number) for number in (5, 3, 4)])
    trash.add([Locator(1, 3), Locator(2, 3)])
    batch = trash.batch(2)
    assert ([locator.message for _, locator in batch], trash.count()) == ([5, 3], 4)
    trash.forget([row for row, _ in batch])
    assert [locator for _, locator in trash.batch(9)] == [Locator(1, 4), Locator(2, 3)]
    trash.forget([])
    trash.forget(range(10_000))
    assert trash.count() == 0


def test_a_message_that_is_named_never_goes_into_the_trash(
    database: Database, uploads: Uploads, upload: Upload, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/b.bin", 7, manifest=8)
    uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    Trash(database).add([Locator(1, number) for number in (1, 7, 8, 9)])
    assert (in_trash(database), Trash(database).count()) == ([9], 1)


def test_a_message_in_the_trash_that_comes_to_be_named_is_not_given_out(
    database: Database, uploads: Uploads, upload: Upload
) -> None:
    Trash(database).add([FIRST.locator])
    uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    assert in_trash(database) == []
    uploads.abandon(upload.id)
    assert set(in_trash(database)) == {1}


def test_the_newest_message_stays_known_when_it_is_gone(
    database: Database, uploads: Uploads, upload: Upload, ann: User, clock: Clock
) -> None:
    messages, trash = Messages(database), Trash(database)
    assert messages.newest() is None
    file, _ = put(database, ann, clock, "/b.bin", 3, manifest=4)
    assert messages.newest() == Locator(1, 4)
    uploads.stored(upload.id, label_of(upload.id, FIRST), FIRST)
    assert messages.newest() == Locator(1, 4)
    remove(database, ann.id, file.id)
    trash.forget([number for number, _ in trash.batch(9)])
    assert messages.newest() == Locator(1, 4)


def test_the_newest_message_is_one_of_the_channel_that_was_sent_to_last(
    uploads: Uploads, database: Database, upload: Upload
) -> None:
    for number, locator in enumerate((Locator(-1, 90), Locator(-2, 5), Locator(-2, 4))):
        chunk = changed(FIRST, index=number, locator=locator)
        uploads.stored(upload.id, label_of(upload.id, chunk), chunk)
    assert Messages(database).newest() == Locator(-2, 5)


def test_damage_is_noted_once_and_seen_in_listings(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a.bin", 1)
    contents, first = Contents(database), clock.time
    uuid = contents.stored_file(file.content_id).uuid
    for _ in range(2):
        Damage(database).mark(uuid, clock.time)
        clock.move(hours=1)
    Damage(database).mark(uuid4(), clock.time)
    listed = Tree(database).node_at(ann.id, "/a.bin")
    assert getattr(listed, "damaged_at", None) == first


def test_a_digest_that_is_missing_is_asked_for_until_it_is_known(
    database: Database, ann: User, clock: Clock
) -> None:
    contents = Contents(database)
    files = [put(database, ann, clock, f"/{number}", number)[0] for number in (1, 2, 3)]
    Damage(database).mark(contents.stored_file(files[0].content_id).uuid, clock.time)
    assert contents.without_sha256(9) == (files[1].content_id, files[2].content_id)
    contents.set_sha256(files[1].content_id, bytes(32))
    assert contents.without_sha256(9) == (files[2].content_id,)
    assert Tree(database).file(ann.id, files[1].id).sha256 == bytes(32)
