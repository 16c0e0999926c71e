"""All below a folder in one pass: those of one folder together, each after the folder it is in, with their chunks."""

from __future__ import annotations

from itertools import count, groupby

import pytest

from db import Bin, Database, Subtrees, Tree
from db.tree.subtrees import FOLDERS
from errors import NotFound
from model import User
from tests.db.conftest import Clock, put


def test_each_folder_is_told_of_before_what_is_in_it_and_together(
    database: Database, ann: User, clock: Clock
) -> None:
    paths = {"/a/z": 3, "/a/b/y": 0, "/a/b/c/x": 1, "/a/d/w": 2, "/elsewhere": 1}
    messages = count(1)
    for path, some in paths.items():
        put(database, ann, clock, path, *(next(messages) for _ in range(some)))
    tree = Tree(database)
    below = list(Subtrees(database).below(ann.id, tree.folder_at(ann.id, "/a").id))
    nodes = [next(rows) for _, rows in groupby(below, lambda row: row.id)]
    assert [node.name for node in nodes] == ["b", "d", "z", "c", "y", "w", "x"]
    assert [node.is_folder for node in nodes] == [True, True, False, True, False, False, False]
    for node in nodes:
        chunks = [row.chunk for row in below if row.id == node.id and row.chunk is not None]
        assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
        assert sum(chunk.size for chunk in chunks) == node.size
    assert all(node.parent_id == nodes[0].id for node in nodes if node.name in {"c", "y"})


@pytest.mark.slow
def test_more_folders_than_one_query_looks_into_are_all_told_of(database: Database, ann: User) -> None:
    tree = Tree(database)
    for number in range(FOLDERS + 2):
        tree.make_folders(ann.id, f"/{number}/in it")
    below = Subtrees(database).below(ann.id, tree.root(ann.id).id)
    assert sum(row.name == "in it" for row in below) == FOLDERS + 2


def test_what_is_in_the_bin_is_not_below_anything(database: Database, ann: User, clock: Clock) -> None:
    file, _ = put(database, ann, clock, "/a/b/x", 1)
    Bin(database).put(ann.id, [file.parent_id])
    tree = Tree(database)
    assert list(Subtrees(database).below(ann.id, tree.folder_at(ann.id, "/a").id)) == []


def test_another_owners_folder_is_not_found(database: Database, ann: User, bob: User) -> None:
    folder = Tree(database).make_folders(ann.id, "/a")
    with pytest.raises(NotFound):
        list(Subtrees(database).below(bob.id, folder.id))
