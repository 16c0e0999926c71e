"""Many nodes moved or copied at once: all or none, names that are taken, and contents that are shared."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

import names
from db import Database, Moves, Trash, Tree
from db.schema import contents
from db.tree import copies
from errors import BadInput, Conflict, NotFound, TooLarge
from model import File, Folder, Node, User
from tests.db.conftest import Clock, put, remove


@pytest.fixture
def tree(database: Database) -> Tree:
    return Tree(database)


@pytest.fixture
def moves(database: Database) -> Moves:
    return Moves(database)


@pytest.fixture
def store(database: Database, ann: User, clock: Clock) -> Callable[..., File]:
    """A new file of Ann's at a path, in these messages."""
    return lambda path, *messages: put(database, ann, clock, path, *messages)[0]


Store = Callable[..., File]


def paths(tree: Tree, owner: User, folder: str) -> list[str]:
    return [node.path for node in tree.listing(owner.id, folder).items]


def test_several_move_together_and_keep_their_ids_and_times(
    tree: Tree, moves: Moves, ann: User, store: Store, clock: Clock
) -> None:
    first, second = store("/a/f", 1), store("/b/c/g", 2)
    folder, into = tree.folder_at(ann.id, "/b/c"), tree.make_folders(ann.id, "/into")
    clock.move(hours=1)
    moved = moves.move_all(ann.id, [folder.id, first.id], "/into", rename=False)
    assert [(node.id, node.path) for node in moved] == [(folder.id, "/into/c"), (first.id, "/into/f")]
    assert moved[1].modified_at == first.modified_at
    assert tree.file(ann.id, second.id).path == "/into/c/g"
    assert tree.folder(ann.id, into.id).path == "/into"


def test_one_that_cannot_move_keeps_all_where_they_are(
    tree: Tree, moves: Moves, ann: User, store: Store
) -> None:
    free, taken = store("/a/free", 1), store("/a/taken", 2)
    store("/b/TAKEN", 3)
    for ids in ([free.id, taken.id], [free.id, 10**6]):
        with pytest.raises((Conflict, NotFound)):
            moves.move_all(ann.id, ids, "/b", rename=False)
        with pytest.raises((Conflict, NotFound)):
            moves.copy_all(ann.id, ids, "/b", rename=False)
    assert paths(tree, ann, "/a") == ["/a/free", "/a/taken"]
    assert paths(tree, ann, "/b") == ["/b/TAKEN"]


def test_a_name_that_is_taken_gets_the_first_number_that_is_free(
    tree: Tree, moves: Moves, ann: User, store: Store
) -> None:
    file = store("/a.tar.gz", 1)
    store("/b/A.TAR.GZ", 2)
    store("/b/a.tar (2).gz", 3)
    (moved,) = moves.move_all(ann.id, [file.id], "/b", rename=True)
    assert moved.path == "/b/a.tar (3).gz"
    dotted = tree.make_folders(ann.id, "/v1.2")
    copied = moves.copy_all(ann.id, [dotted.id], "/", rename=True)
    assert [node.path for node in copied] == ["/v1.2 (2)"], "what a folder ends with is no ending"


@pytest.mark.slow
def test_a_hundred_of_one_name_find_room_beside_each_other(
    tree: Tree, moves: Moves, ann: User, store: Store
) -> None:
    name = "é" * 125 + ".b"
    files = [store(f"/{number}/{name}", number + 1) for number in range(100)]
    tree.make_folders(ann.id, "/all")
    moved = moves.move_all(ann.id, [file.id for file in files], "/all", rename=True)
    assert len({node.name for node in moved}) == 100
    assert all(len(node.name.encode()) <= 255 and node.name.endswith(".b") for node in moved)


def test_numbers_go_on_where_others_stand_and_long_names_share_theirs(
    tree: Tree, moves: Moves, ann: User
) -> None:
    long = "x" * (names.MAX_NAME_BYTES - 1)
    for place in ("/to/f", "/to/f (2)", "/to/f (4)", "/1/f", "/2/f", "/3/f", f"/to/{long}a", f"/to/{long}b"):
        tree.make_folders(ann.id, place)
    ids = [tree.folder_at(ann.id, f"/{number}/f").id for number in (1, 2, 3)]
    put_there = moves.move_all(ann.id, ids, "/to", rename=True)
    assert [node.name for node in put_there] == ["f (3)", "f (5)", "f (6)"]
    ids = [tree.folder_at(ann.id, f"/to/{long}{letter}").id for letter in "ab"]
    copied = moves.copy_all(ann.id, ids, "/to", rename=True)
    assert [node.name[-6:] for node in copied] == ["xx (2)", "xx (3)"]


@pytest.mark.parametrize("verb", ["move_all", "copy_all"])
def test_what_lies_in_another_that_is_put_somewhere_goes_with_it(
    tree: Tree, moves: Moves, ann: User, store: Store, verb: str
) -> None:
    file, beside = store("/a/b/f", 1), store("/a-b", 2)
    tree.make_folders(ann.id, "/to")
    folders = [tree.folder_at(ann.id, path).id for path in ("/a/b", "/a")]
    put_there = getattr(moves, verb)(ann.id, [file.id, beside.id, *folders], "/to", rename=False)
    assert [node.path for node in put_there] == ["/to/a-b", "/to/a"]
    assert [node.path for node in everything(tree, ann, "/to")] == [
        "/to/a",
        "/to/a/b",
        "/to/a/b/f",
        "/to/a-b",
    ]


def test_what_stays_in_its_folder_is_not_in_its_own_way(moves: Moves, ann: User, store: Store) -> None:
    file = store("/a", 1)
    assert [node.path for node in moves.move_all(ann.id, [file.id, file.id], "/", rename=True)] == ["/a"]


@pytest.mark.parametrize("verb", ["move_all", "copy_all"])
def test_no_folder_is_put_into_itself_and_the_top_folder_nowhere(
    tree: Tree, moves: Moves, ann: User, verb: str
) -> None:
    tree.make_folders(ann.id, "/a/b")
    a, root = tree.folder_at(ann.id, "/a"), tree.root(ann.id)
    put_there = getattr(moves, verb)
    for node, into in ((a, "/a"), (a, "/a/b"), (root, "/a")):
        with pytest.raises(Conflict):
            put_there(ann.id, [node.id], into, rename=True)


@pytest.mark.parametrize("verb", ["move_all", "copy_all"])
def test_another_owners_nodes_and_folders_are_not_found(
    database: Database, tree: Tree, moves: Moves, ann: User, bob: User, store: Store, clock: Clock, verb: str
) -> None:
    file = store("/a/f", 1)
    mine, _ = put(database, bob, clock, "/mine", 2)
    put_there = getattr(moves, verb)
    for ids, into in (([file.id], "/"), ([mine.id, file.id], "/"), ([mine.id], "/a")):
        with pytest.raises(NotFound):
            put_there(bob.id, ids, into, rename=True)
    assert paths(tree, ann, "/a") == ["/a/f"] and paths(tree, bob, "/") == ["/mine"]


def everything(tree: Tree, owner: User, folder: str) -> list[Node]:
    found: list[Node] = []
    for node in tree.listing(owner.id, folder).items:
        found += [node, *(everything(tree, owner, node.path) if isinstance(node, Folder) else ())]
    return found


def test_a_copy_has_all_that_is_below_and_shares_its_contents(
    tree: Tree, moves: Moves, ann: User, store: Store, clock: Clock, database: Database
) -> None:
    for path, message in (("/a/f", 1), ("/a/b/g", 2), ("/a/b/c/h", 3)):
        store(path, message)
    tree.make_folders(ann.id, "/a/empty")
    clock.move(hours=1)
    (copied,) = moves.copy_all(ann.id, [tree.folder_at(ann.id, "/a").id], "/", rename=True)
    assert copied.path == "/a (2)"
    originals, twins = everything(tree, ann, "/a"), everything(tree, ann, "/a (2)")
    assert [node.path.replace("/a", "/a (2)", 1) for node in originals] == [node.path for node in twins]
    for original, twin in zip(originals, twins, strict=True):
        assert original.id != twin.id and twin.created_at == clock.time
        if isinstance(original, File):
            assert isinstance(twin, File)
            assert (twin.content_id, twin.modified_at) == (original.content_id, original.modified_at)
    with database.read() as connection:
        assert len(connection.execute(select(contents.c.id)).all()) == 3


def test_contents_go_with_the_last_that_shows_them(
    tree: Tree, moves: Moves, ann: User, store: Store, database: Database
) -> None:
    file = store("/a", 1)
    (twin,) = moves.copy_all(ann.id, [file.id], "/", rename=True)
    remove(database, ann.id, file.id)
    assert Trash(database).count() == 0
    assert tree.file(ann.id, twin.id).path == "/a (2)"
    remove(database, ann.id, twin.id)
    assert Trash(database).count() == 2, "its chunk and its manifest"


def test_a_copy_of_too_much_is_refused_and_makes_nothing(
    tree: Tree, moves: Moves, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MAX_NODES", 5)
    for number in range(5):
        tree.make_folders(ann.id, f"/a/{number}")
    with pytest.raises(TooLarge):
        moves.copy_all(ann.id, [tree.folder_at(ann.id, "/a").id], "/", rename=True)
    assert paths(tree, ann, "/") == ["/a"]


def test_a_copy_never_makes_a_path_that_cannot_be_asked_for(tree: Tree, moves: Moves, ann: User) -> None:
    deep = tree.make_folders(ann.id, "/" + "/".join(["x" * 250] * 15))
    tree.make_folders(ann.id, "/a/" + "y" * 250 + "/" + "z" * 250)
    with pytest.raises(BadInput, match="4096"):
        moves.copy_all(ann.id, [tree.folder_at(ann.id, "/a").id], deep.path, rename=False)
