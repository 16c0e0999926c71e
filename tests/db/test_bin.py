"""The bin: out of sight and out of the way, restored where it was, and cleared away in small parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from db import (
    Bin,
    Clearing,
    Contents,
    Damage,
    Database,
    Events,
    Known,
    Moves,
    People,
    Search,
    Trash,
    Tree,
    Uploads,
)
from db.cursor import encode
from db.schema import binned, nodes
from db.tree import clearing as module
from errors import BadInput, BadName, Conflict, NotFound
from model import File, User
from tests.db.conftest import Clock, an_upload, finish, put, remove

Store = Callable[..., File]


@pytest.fixture
def tree(database: Database) -> Tree:
    return Tree(database)


@pytest.fixture
def bin(database: Database) -> Bin:
    return Bin(database)


@pytest.fixture
def store(database: Database, ann: User, clock: Clock) -> Store:
    """A new file of Ann's at a path, in these messages."""
    return lambda path, *messages: put(database, ann, clock, path, *messages)[0]


def listed(bin: Bin, owner: User) -> list[str]:
    return [entry.node.path for entry in bin.listing(owner.id, None, 1000).items]


def clear(database: Database) -> None:
    while Clearing(database).part():
        pass


def count(database: Database) -> int:
    """Nodes of everybody, but for the top folders."""
    with database.read() as connection:
        return len(connection.execute(select(nodes.c.id).where(nodes.c.parent_id.is_not(None))).all())


def test_what_is_in_the_bin_is_nowhere_else(
    database: Database, bin: Bin, tree: Tree, ann: User, store: Store
) -> None:
    file, alone = store("/a/b/f", 1), store("/g", 2)
    folder = tree.folder_at(ann.id, "/a")
    assert bin.put(ann.id, [folder.id, alone.id]) == 2
    assert tree.listing(ann.id, "/").items == ()
    assert Search(database).by_name(ann.id, "f").items == ()
    moves, root = Moves(database), tree.root(ann.id)
    for gone in (
        lambda: tree.file(ann.id, file.id),
        lambda: tree.folder(ann.id, folder.id),
        lambda: tree.folder(ann.id, file.parent_id),
        lambda: tree.node_at(ann.id, "/a/b/f"),
        lambda: bin.put(ann.id, [alone.id]),
        lambda: bin.put(ann.id, [file.id]),
        lambda: moves.move(ann.id, file.id, name="x"),
        lambda: moves.move_all(ann.id, [file.id], "/", rename=True),
        lambda: moves.copy_all(ann.id, [alone.id], "/", rename=True),
    ):
        with pytest.raises(NotFound):
            gone()
    assert Trash(database).count() == 0
    with pytest.raises(Conflict):
        bin.put(ann.id, [root.id])


def test_the_bin_has_no_path_and_no_other_way_in(database: Database, bin: Bin, tree: Tree, ann: User) -> None:
    with database.read() as connection:
        (top,) = connection.execute(
            select(nodes.c.id).where(nodes.c.owner_id == ann.id, nodes.c.name_key == "bin")
        ).scalars()
    for refused in (
        lambda: tree.folder(ann.id, top),
        lambda: bin.put(ann.id, [top]),
        lambda: Moves(database).move(ann.id, top, name="x"),
        lambda: bin.restore(ann.id, top),
        lambda: bin.remove(ann.id, top),
    ):
        with pytest.raises(NotFound):
            refused()


def test_the_bin_lists_the_topmost_with_their_paths_latest_first(
    bin: Bin, tree: Tree, ann: User, bob: User, store: Store, clock: Clock
) -> None:
    file, other = store("/a/b/f", 1), store("/a/c", 2)
    bin.put(ann.id, [file.id])
    clock.move(hours=1)
    bin.put(ann.id, [other.id, file.parent_id])
    clock.move(hours=1)
    bin.put(ann.id, [tree.folder_at(ann.id, "/a").id])
    whole = bin.listing(ann.id, None, 9)
    assert [entry.node.path for entry in whole.items] == ["/a", "/a/c", "/a/b", "/a/b/f"]
    assert whole.items[0].deleted_at == clock.time and whole.next is None
    first = bin.listing(ann.id, None, 2)
    second = bin.listing(ann.id, first.next, 2)
    assert first.items + second.items == whole.items and second.next is None
    assert bin.listing(bob.id, None, 9).items == ()
    early = encode(["0001-01-01T00:00:00+23:59", 1])  # before the first day of UTC's calendar
    for cursor in ("", "x", "WzFd", "WyJ4IiwxXQ", early):
        with pytest.raises(BadInput, match="cursor"):
            bin.listing(ann.id, cursor, 9)


def test_what_lies_in_another_that_goes_is_no_entry_of_its_own(
    bin: Bin, tree: Tree, ann: User, store: Store
) -> None:
    file = store("/a/b/f", 1)
    assert bin.put(ann.id, [file.id, tree.folder_at(ann.id, "/a").id, file.parent_id]) == 1
    assert listed(bin, ann) == ["/a"]


def test_a_restored_folder_is_where_it_was_with_all_below_it(
    bin: Bin, tree: Tree, ann: User, store: Store, clock: Clock
) -> None:
    file = store("/a/b/f", 1)
    before = tree.folder(ann.id, file.parent_id)
    bin.put(ann.id, [file.parent_id])
    clock.move(hours=1)
    assert bin.restore(ann.id, file.parent_id) == before
    assert tree.file(ann.id, file.id) == file
    assert listed(bin, ann) == []
    with pytest.raises(NotFound):
        bin.restore(ann.id, file.parent_id)


def test_folders_that_are_gone_are_made_again(bin: Bin, tree: Tree, ann: User, store: Store) -> None:
    file = store("/a/b/f", 1)
    bin.put(ann.id, [file.id])
    bin.put(ann.id, [tree.folder_at(ann.id, "/a").id])
    assert bin.restore(ann.id, file.id).path == "/a/b/f"
    assert listed(bin, ann) == ["/a"]
    folder = next(entry.node.id for entry in bin.listing(ann.id, None, 9).items)
    with pytest.raises(Conflict, match="called 'a'"):
        bin.restore(ann.id, folder)
    assert bin.restore(ann.id, folder, "/x/a (2)").path == "/x/a (2)"
    assert [node.path for node in tree.listing(ann.id, "/x/a (2)").items] == ["/x/a (2)/b"]


def test_a_name_that_was_taken_meanwhile_is_refused_until_another_is_given(
    bin: Bin, tree: Tree, ann: User, store: Store
) -> None:
    old = store("/f", 1)
    bin.put(ann.id, [old.id])
    new = store("/F", 2)
    for path in (None, "/f", "/F", "/F/below", "/"):
        with pytest.raises(Conflict):
            bin.restore(ann.id, old.id, path)
    with pytest.raises(BadName):
        bin.restore(ann.id, old.id, "no path")
    assert bin.restore(ann.id, old.id, "/other/g").path == "/other/g"
    assert tree.file(ann.id, new.id).name == "F"


def test_one_name_may_be_deleted_again_and_again(bin: Bin, ann: User, store: Store) -> None:
    ids = []
    for number in range(3):
        ids.append(store("/f", number + 1).id)
        bin.put(ann.id, ids[-1:])
    assert listed(bin, ann) == ["/f"] * 3
    assert bin.restore(ann.id, ids[1]).path == "/f"


def test_a_path_that_would_be_too_long_is_refused(bin: Bin, tree: Tree, ann: User) -> None:
    long = "/".join(["x" * 250] * 9)
    deep = tree.make_folders(ann.id, f"/a/{long}")
    folder = tree.folder_at(ann.id, "/a")
    bin.put(ann.id, [folder.id])
    with pytest.raises(BadInput, match="4096"):
        bin.restore(ann.id, folder.id, f"/{long}/a")
    assert bin.restore(ann.id, folder.id).id == folder.id
    assert tree.folder(ann.id, deep.id) == deep


def test_another_owners_bin_is_not_found(bin: Bin, ann: User, bob: User, store: Store) -> None:
    file = store("/f", 1)
    with pytest.raises(NotFound):
        bin.put(bob.id, [file.id])
    bin.put(ann.id, [file.id])
    for refused in (lambda: bin.restore(bob.id, file.id), lambda: bin.remove(bob.id, file.id)):
        with pytest.raises(NotFound):
            refused()
    assert bin.remove_all(bob.id) == 0
    assert listed(bin, ann) == ["/f"]


def test_an_upload_into_a_folder_that_was_deleted_meanwhile_makes_a_new_one(
    database: Database, bin: Bin, tree: Tree, ann: User, store: Store, clock: Clock
) -> None:
    store("/a/old", 1)
    upload = an_upload(ann, clock, "/a/new", 0)
    Uploads(database).create(upload, True)
    folder = tree.folder_at(ann.id, "/a")
    bin.put(ann.id, [folder.id])
    file, _ = finish(database, upload)
    assert [node.path for node in tree.listing(ann.id, "/a").items] == ["/a/new"]
    assert file.parent_id != folder.id
    with pytest.raises(Conflict):
        bin.restore(ann.id, folder.id)
    assert bin.restore(ann.id, folder.id, "/a (2)").path == "/a (2)"


def test_a_finished_upload_whose_file_is_in_the_bin_cannot_finish_again(
    database: Database, bin: Bin, ann: User, clock: Clock
) -> None:
    upload = an_upload(ann, clock, "/f", 0)
    Uploads(database).create(upload, True)
    file, _ = finish(database, upload)
    bin.put(ann.id, [file.id])
    with pytest.raises(NotFound):
        finish(database, upload)


def test_the_bin_counts_for_the_quota(
    database: Database, bin: Bin, ann: User, bob: User, clock: Clock
) -> None:
    people = People(database)
    file, _ = put(database, bob, clock, "/f", 1, 2)
    bin.put(bob.id, [file.id])
    assert people.account(bob.id).used == 16
    bin.remove_all(bob.id)
    clear(database)
    assert people.account(bob.id).used == 0
    assert count(database) == 0


def test_a_user_goes_with_the_bin_but_not_with_files(
    database: Database, bin: Bin, ann: User, bob: User, clock: Clock
) -> None:
    file, _ = put(database, bob, clock, "/a/f", 1)
    with pytest.raises(Conflict, match="still has files"):
        People(database).remove(bob.id)
    bin.put(bob.id, [file.parent_id])
    People(database).remove(bob.id)
    with database.read() as connection:
        assert connection.execute(select(binned)).all() == []
    assert Trash(database).count() == 2


def test_contents_in_the_bin_can_be_had_again_and_damage_in_it_is_noted(
    database: Database, bin: Bin, ann: User, store: Store, clock: Clock
) -> None:
    file = store("/f", 1)
    bin.put(ann.id, [file.id])
    assert Known(database).has_size(ann.id, 8)
    twin, _ = Known(database).put(ann.id, ["g"], 8, file.tree, "text/plain", False)
    Damage(database).mark(Contents(database).stored_file(file.content_id).uuid, clock.time)
    told = [entry.about["fid"] for entry in Events(database).since(0).events if entry.type == "damaged"]
    assert told == [twin.id], "nobody sees the one in the bin"
    assert [file.id for file, _ in Damage(database).files(9)] == [twin.id]


def test_what_is_over_cannot_be_restored_and_is_cleared_away(
    database: Database, bin: Bin, ann: User, store: Store, clock: Clock
) -> None:
    old, young = store("/old", 1), store("/young", 2)
    bin.put(ann.id, [old.id])
    clock.move(days=2)
    bin.put(ann.id, [young.id])
    assert not Clearing(database).part()
    assert bin.expire(clock.time - timedelta(days=1)) == 1
    assert listed(bin, ann) == ["/young"]
    with pytest.raises(NotFound):
        bin.restore(ann.id, old.id)
    clear(database)
    assert Trash(database).count() == 2 and count(database) == 1


def test_each_change_of_the_bin_tells_which_listing_changed(
    database: Database, bin: Bin, tree: Tree, ann: User, store: Store
) -> None:
    files = [store(path, number + 1) for number, path in enumerate(["/a/f", "/b/g", "/a/h"])]
    seen = Events(database).last()
    bin.put(ann.id, [file.id for file in files])
    bin.restore(ann.id, files[1].id)
    bin.remove(ann.id, files[0].id)
    clear(database)
    told = [
        (each.type, each.about["ids"], each.about["folders"]) for each in Events(database).since(seen).events
    ]
    assert told == [
        ("removed", [files[0].id, files[2].id], ["/a"]),
        ("removed", [files[1].id], ["/b"]),
        ("restored", [files[1].id], ["/b"]),
    ]


def test_a_large_tree_is_cleared_away_in_parts_and_after_each_all_is_whole(
    database: Database, bin: Bin, tree: Tree, ann: User, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 3)
    monkeypatch.setattr(module, "_ENTRIES", module._ENTRIES.limit(None).limit(3))
    for number in range(12):
        store(f"/a/{'d/' * (number % 4)}f{number}", number + 1)
    kept = store("/kept", 100)
    Moves(database).copy_all(ann.id, [tree.file(ann.id, kept.id).id], "/a", rename=False)
    bin.put(ann.id, [tree.folder_at(ann.id, "/a").id], forever=True)
    left, parts = count(database), 0
    while Clearing(database).part():
        parts += 1
        fewer = count(database)
        assert left - fewer <= 3 + 1
        left = fewer
        database.check()
        with database.read() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert tree.file(ann.id, kept.id) and listed(bin, ann) == []
    assert parts > 4 and left == 1
    assert Trash(database).count() == 24, "chunks and manifests of twelve, and nothing of what is kept"
    assert Contents(database).stored_file(kept.content_id).chunks


def test_a_part_is_as_small_where_folders_are_many_and_files_few(
    database: Database, bin: Bin, tree: Tree, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 5)
    for number in range(48):
        tree.make_folders(ann.id, f"/a/{number % 4}/{number % 16}/{number}")
    bin.put(ann.id, [tree.folder_at(ann.id, "/a").id], forever=True)

    def standing() -> tuple[int, int]:
        with database.read() as connection:
            gone = connection.execute(select(binned.c.node_id)).all()
        return count(database), len(gone)

    (left, entries), parts = standing(), 0
    while Clearing(database).part():
        fewer, more = standing()
        removed = left - fewer
        begun = more - entries + removed  # folders only: each that went was an entry
        assert removed + begun <= 5 + 1
        (left, entries), parts = (fewer, more), parts + 1
    assert parts > 10 and left == 0


def test_what_was_deleted_for_good_goes_at_once(database: Database, ann: User, store: Store) -> None:
    remove(database, ann.id, store("/a/f", 1).parent_id)
    assert count(database) == 0 and Trash(database).count() == 2


def test_no_question_about_the_bin_reads_a_whole_table(
    database: Database, bin: Bin, ann: User, store: Store, clock: Clock
) -> None:
    file = store("/a/f", 1)
    asked: list[tuple[str, object]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> None:
        asked.append((statement, parameters))

    event.listen(database._engine, "before_cursor_execute", note)
    bin.put(ann.id, [file.id])
    page = bin.listing(ann.id, None, 1)
    bin.listing(ann.id, page.next, 1)
    bin.restore(ann.id, file.id)
    bin.put(ann.id, [file.parent_id], forever=True)
    bin.expire(clock.time)
    clear(database)
    event.remove(database._engine, "before_cursor_execute", note)
    with database.read() as connection:
        for statement, parameters in asked:
            if isinstance(parameters, list) or "trash" in statement:
                continue
            plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()  # type: ignore[arg-type]
            scans = [step.detail for step in plan if step.detail.startswith("SCAN")]
            assert all(" line" in scan or " subtree" in scan or "CONSTANT" in scan for scan in scans), (
                statement,
                scans,
            )
