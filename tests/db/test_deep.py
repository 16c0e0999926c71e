"""Many nodes at the bottom of the deepest tree that there can be: what each verb does with them has to stay small.

A walk to the top for each of them would be two million steps, within a transaction that keeps all others waiting.
"""

from __future__ import annotations

import pytest
from sqlalchemy import insert

import names
from db import Bin, Database, Moves, Search, Tree
from db.schema import FOLDER, nodes
from model import User

DEPTH, MANY = 2000, 1000


@pytest.fixture
def ids(database: Database, ann: User) -> list[int]:
    """Folders called `x…`, all in one."""
    deep = Tree(database).make_folders(ann.id, "/d" * DEPTH)
    now = database.now()
    row = {
        "owner_id": ann.id, "parent_id": deep.id, "kind": FOLDER, "created_at": now, "modified_at": now
    }  # fmt: skip
    called = [f"x{number:03}" for number in range(MANY)]
    rows = [row | {"name": name, "name_key": names.key(name), "name_bytes": 4} for name in called]
    with database.write() as connection:
        return list(connection.execute(insert(nodes).returning(nodes.c.id), rows).scalars())


@pytest.mark.slow
def test_they_are_found(database: Database, ann: User, ids: list[int]) -> None:
    for path in ("/", "/d" * DEPTH):
        found = Search(database).by_name(ann.id, "x", path, limit=MANY).items
        assert {node.id for node in found} == {*ids}
        assert {names.parent(node.path) for node in found} == {"/d" * DEPTH}


@pytest.mark.slow
def test_they_are_moved(database: Database, ann: User, ids: list[int]) -> None:
    assert {node.path for node in Moves(database).move_all(ann.id, ids, "/d", rename=False)} == {
        f"/d/x{number:03}" for number in range(MANY)
    }


@pytest.mark.slow
def test_they_are_deleted_and_listed_in_the_bin(database: Database, ann: User, ids: list[int]) -> None:
    bin = Bin(database)
    assert bin.put(ann.id, ids) == MANY
    listed = bin.listing(ann.id, None, MANY).items
    assert {entry.node.name for entry in listed} == {f"x{number:03}" for number in range(MANY)}
    assert {names.parent(entry.node.path) for entry in listed} == {"/d" * DEPTH}


@pytest.mark.slow
def test_a_line_of_folders_is_deleted_by_its_topmost(database: Database, ann: User) -> None:
    tree = Tree(database)
    deep = tree.make_folders(ann.id, "/d" * DEPTH)
    beside = tree.make_folder(ann.id, "/", "d!")  # which comes between `d` and what is in it, by bare letters
    line = [tree.folder_at(ann.id, "/d" * depth).id for depth in (1, 2, 3, 500)] + [deep.id]
    bin = Bin(database)
    assert bin.put(ann.id, [*reversed(line), beside.id]) == 2
    assert {entry.node.path for entry in bin.listing(ann.id, None, 9).items} == {"/d", "/d!"}
