"""The tree of names: paths, listings, moves, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import insert, text

from db import Database, Moves, Tree
from db.schema import nodes
from db.tree.nodes import name_columns
from errors import BadInput, BadName, Conflict, NotFound
from model import File, Folder, User
from tests.db.conftest import Clock, put, remove

Verbs = tuple[Callable[[], object], ...]


@pytest.fixture
def tree(database: Database) -> Tree:
    return Tree(database)


@pytest.fixture
def moves(database: Database) -> Moves:
    return Moves(database)


def test_a_new_user_has_an_empty_top_folder(tree: Tree, ann: User) -> None:
    root = tree.root(ann.id)
    assert (root.name, root.path, root.parent_id) == ("", "/", None)
    page = tree.listing(ann.id, "/")
    assert (page.folder, page.items, page.next) == (root, (), None)


def test_a_node_knows_its_path_however_it_is_found(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/a/b/c.bin", 1)
    assert file.path == "/a/b/c.bin"
    assert tree.node_at(ann.id, "/a/b/c.bin") == tree.file(ann.id, file.id) == file
    folder = tree.folder(ann.id, file.parent_id)
    assert folder.path == "/a/b"
    assert tree.folder_at(ann.id, "/a/b/") == folder
    assert tree.listing(ann.id, "/a/b").items == (file,)


def test_a_file_is_no_folder_and_a_folder_no_file(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/a/b.bin", 1)
    refused: Verbs = (
        lambda: tree.folder(ann.id, file.id),
        lambda: tree.file(ann.id, file.parent_id),
        lambda: tree.folder_at(ann.id, "/a/b.bin"),
        lambda: tree.listing(ann.id, "/a/b.bin"),
        lambda: tree.node_at(ann.id, "/a/b.bin/c"),
    )
    for wrong in refused:
        with pytest.raises(NotFound):
            wrong()


def test_another_owners_nodes_are_not_found(
    tree: Tree, moves: Moves, database: Database, ann: User, bob: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/a/b.bin", 1)
    mine = tree.make_folders(bob.id, "/mine")
    refused: Verbs = (
        lambda: tree.file(bob.id, file.id),
        lambda: tree.folder(bob.id, file.parent_id),
        lambda: tree.node_at(bob.id, "/a/b.bin"),
        lambda: remove(database, bob.id, file.id),
        lambda: moves.move(bob.id, file.id, name="stolen"),
        lambda: moves.move(bob.id, mine.id, folder="/a"),
    )
    for wrong in refused:
        with pytest.raises(NotFound):
            wrong()


def test_an_absurd_number_is_not_found(tree: Tree, database: Database, ann: User) -> None:
    for number in (0, -1, 1 << 63, 10**40):
        with pytest.raises(NotFound):
            tree.file(ann.id, number)
        with pytest.raises(NotFound):
            remove(database, ann.id, number)


def test_a_listing_has_folders_first_and_pages_without_loss(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    for number, name in enumerate(["b.bin", "A.bin", "ä.bin", "Zebra.bin"]):
        put(database, ann, clock, f"/{name}", number + 1)
    for name in ["zoo", "Bar", "ant"]:
        tree.make_folder(ann.id, "/", name)
    found, cursor = [], None
    while True:
        page = tree.listing(ann.id, "/", cursor, limit=2)
        assert len(page.items) <= 2
        found += [node.name for node in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == ["ant", "Bar", "zoo", "A.bin", "b.bin", "Zebra.bin", "ä.bin"]


def test_what_stays_is_listed_once_while_others_come_and_go(
    tree: Tree, database: Database, ann: User
) -> None:
    kept = [tree.make_folder(ann.id, "/", f"k{number}").name for number in range(6)]
    first = tree.listing(ann.id, "/", limit=3)
    remove(database, ann.id, first.items[2].id)
    tree.make_folder(ann.id, "/", "a-new-one")
    second = tree.listing(ann.id, "/", first.next, limit=9)
    assert [node.name for node in (*first.items, *second.items)] == kept


@pytest.mark.parametrize("cursor", ["", "!", "a", "Mg", "ÿ", "MQ==", "MA\x00", "//8", "\ud800"])
def test_a_cursor_that_no_listing_gave_is_bad_input_or_a_place(tree: Tree, ann: User, cursor: str) -> None:
    try:
        tree.listing(ann.id, "/", cursor)
    except BadInput as refusal:
        assert "cursor" in str(refusal)


def test_a_folder_of_ten_thousand_lists_at_once_and_by_index(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    root = tree.root(ann.id)
    common = {
        "owner_id": ann.id,
        "parent_id": root.id,
        "kind": 0,
        "created_at": clock.time,
        "modified_at": clock.time,
    }
    with database.write(durable=False) as connection:
        connection.execute(
            insert(nodes), [common | name_columns(f"folder {number:05}") for number in range(10_000)]
        )
        plan = connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT * FROM nodes LEFT JOIN contents ON contents.id = content_id "
                "WHERE parent_id = 1 AND (kind, name_key) > (0, 'x') ORDER BY kind, name_key LIMIT 200"
            )
        ).all()
    assert "ix_nodes_listing" in plan[0].detail and not any("B-TREE" in step.detail for step in plan)
    names, cursor = [], None
    began = time.monotonic()
    for _ in range(50):
        page = tree.listing(ann.id, "/", cursor, limit=200)
        names += [node.name for node in page.items]
        cursor = page.next
    assert time.monotonic() - began < 5, "50 pages, on a busy machine too"
    assert (cursor, len(set(names))) == (None, 10_000)


def test_only_the_very_name_opens(tree: Tree, ann: User) -> None:
    tree.make_folders(ann.id, "/README/é")
    assert tree.folder_at(ann.id, "/README/e\u0301").name == "é", (
        "normal forms are folded when a name is checked"
    )
    for similar in ("/readme", "/README/É"):
        with pytest.raises(NotFound):
            tree.node_at(ann.id, similar)
        with pytest.raises(Conflict, match="differs"):
            tree.make_folders(ann.id, similar)


def test_a_name_that_differs_only_in_case_is_refused_and_named(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/Read.me", 1)
    with pytest.raises(Conflict, match=r"'Read\.me' is there already and differs from 'read\.ME'"):
        tree.make_folder(ann.id, "/", "read.ME")
    with pytest.raises(Conflict, match="differs"):
        put(database, ann, clock, "/READ.ME", 2)
    with pytest.raises(Conflict, match="differs"):
        tree.standing_at(ann.id, "/", "READ.ME")


def test_standing_at_tells_file_folder_and_room(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    put(database, ann, clock, "/a/b.bin", 1)
    assert isinstance(tree.standing_at(ann.id, "/a", "b.bin"), File)
    assert isinstance(tree.standing_at(ann.id, "/", "a"), Folder)
    assert tree.standing_at(ann.id, "/a", "c.bin") is None
    assert tree.standing_at(ann.id, "/not/there", "c.bin") is None
    with pytest.raises(Conflict):
        tree.standing_at(ann.id, "/a/b.bin", "c.bin")


def test_make_folder_needs_its_parent_and_make_folders_makes_it(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    with pytest.raises(NotFound):
        tree.make_folder(ann.id, "/a", "b")
    made = tree.make_folders(ann.id, "/a/b")
    assert tree.make_folders(ann.id, "/a/b") == made
    with pytest.raises(Conflict):
        tree.make_folder(ann.id, "/a", "b")
    put(database, ann, clock, "/a/file", 1)
    refused: Verbs = (
        lambda: tree.make_folders(ann.id, "/a/file"),
        lambda: tree.make_folders(ann.id, "/a/file/c"),
        lambda: tree.make_folder(ann.id, "/a/file", "c"),
    )
    for in_the_way in refused:
        with pytest.raises(Conflict):
            in_the_way()


def test_a_refused_path_makes_none_of_its_folders(
    tree: Tree, database: Database, ann: User, clock: Clock
) -> None:
    tree.make_folders(ann.id, "/a/B")
    with pytest.raises(Conflict):
        tree.make_folders(ann.id, "/a/b/c")
    with pytest.raises(BadName):
        tree.make_folders(ann.id, "/new/..")
    assert [node.name for node in tree.listing(ann.id, "/").items] == ["a"]


def test_a_folder_moves_with_all_below_it(
    tree: Tree, moves: Moves, database: Database, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/a/b/c.bin", 1)
    a = tree.folder_at(ann.id, "/a")
    tree.make_folders(ann.id, "/x/y")
    moved = moves.move(ann.id, a.id, folder="/x/y", name="z")
    assert (moved.id, moved.path) == (a.id, "/x/y/z")
    assert tree.file(ann.id, file.id).path == "/x/y/z/b/c.bin"
    with pytest.raises(NotFound):
        tree.node_at(ann.id, "/a")


def test_a_rename_may_change_only_the_case_and_keeps_a_files_time(
    tree: Tree, moves: Moves, database: Database, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/read.me", 1)
    clock.move(hours=1)
    renamed = moves.move(ann.id, file.id, name="README")
    assert (renamed.name, renamed.modified_at) == ("README", file.modified_at)
    assert tree.node_at(ann.id, "/README") == renamed


def test_moves_that_cannot_be_are_refused(
    tree: Tree, moves: Moves, database: Database, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/a/b/c.bin", 1)
    tree.make_folders(ann.id, "/a/d")
    root, a, b = tree.root(ann.id), tree.folder_at(ann.id, "/a"), tree.folder_at(ann.id, "/a/b")
    refused: Verbs = (
        lambda: moves.move(ann.id, root.id, name="x"),
        lambda: moves.move(ann.id, a.id, folder="/a"),
        lambda: moves.move(ann.id, a.id, folder="/a/b"),
        lambda: moves.move(ann.id, b.id, name="D"),
        lambda: remove(database, ann.id, root.id),
    )
    for cannot in refused:
        with pytest.raises(Conflict):
            cannot()
    with pytest.raises(NotFound):
        moves.move(ann.id, a.id, folder=file.path)
    with pytest.raises(BadName):
        moves.move(ann.id, a.id, name="a/b")


def test_a_move_never_makes_a_path_that_cannot_be_asked_for(tree: Tree, moves: Moves, ann: User) -> None:
    long = "/".join(["x" * 250] * 8)
    first, second = tree.make_folders(ann.id, f"/a/{long}"), tree.make_folders(ann.id, f"/b/{long}")
    moves.move(ann.id, tree.folder_at(ann.id, "/b").id, folder=first.path)
    assert len(tree.folder(ann.id, second.id).path) == 2 * (2 + 8 * 251)
    tree.make_folders(ann.id, "/c/" + "/".join(["y" * 250] * 8))
    tree.make_folders(ann.id, "/d/" + "z" * 250)
    end = tree.folder(ann.id, second.id)
    with pytest.raises(BadInput, match="4096"):
        moves.move(ann.id, tree.folder_at(ann.id, "/d").id, folder=end.path)
    assert tree.folder_at(ann.id, end.path) == end


@pytest.mark.slow
def test_a_tree_as_deep_as_a_path_can_be_is_listed_and_removed(
    tree: Tree, database: Database, ann: User
) -> None:
    deep = tree.make_folders(ann.id, "/d" * 2000)
    assert tree.folder(ann.id, deep.id).path == "/d" * 2000
    remove(database, ann.id, tree.folder_at(ann.id, "/d").id)
    assert tree.listing(ann.id, "/").items == ()
