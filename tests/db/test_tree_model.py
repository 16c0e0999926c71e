"""The tree against a dict: whatever is done in whatever order, both tell the same, and no message is lost."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import names
from db import Database, People, Trash, Tree
from errors import Conflict, NotFound
from model import File, Folder, Listing
from tests.db.conftest import Clock, put, url_of

NAMES = st.sampled_from(["a", "A", "b", "é", "É", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
Parts = tuple[str, ...]


class TreeMachine(RuleBasedStateMachine):
    """`model` maps the parts of each path to the message of a file, or to None for a folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.database = Database(url_of(Path(self.folder.name) / "s.db"), now=self.clock)
        self.database.migrate()
        self.owner = People(self.database).add("ann", "hash")
        self.tree = Tree(self.database)
        self.model: dict[Parts, int | None] = {(): None}
        self.messages = count(1)
        self.thrown: set[int] = set()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def clash(self, parts: Parts) -> bool:
        """Is a file, or a name that differs only in case, in the way of a folder at this path?"""
        for depth in range(1, len(parts) + 1):
            similar = self.similar(parts[:depth])
            if similar is not None and (similar != parts[:depth] or self.model[similar] is not None):
                return True
        return False

    def similar(self, parts: Parts) -> Parts | None:
        mine = [other for other in self.model if other[:-1] == parts[:-1] and len(other) == len(parts)]
        return next((other for other in mine if names.key(other[-1]) == names.key(parts[-1])), None)

    def add_folders(self, parts: Parts) -> None:
        for depth in range(1, len(parts) + 1):
            self.model[parts[:depth]] = None

    @rule(parts=PATHS)
    def make_folders(self, parts: Parts) -> None:
        try:
            self.tree.make_folders(self.owner.id, names.join(*parts))
        except Conflict:
            assert self.clash(parts)
        else:
            assert not self.clash(parts)
            self.add_folders(parts)

    @rule(parts=PATHS, replace=st.booleans())
    def put_file(self, parts: Parts, replace: bool) -> None:
        similar = None if self.clash(parts[:-1]) else self.similar(parts)
        free = similar is None or (replace and similar == parts and self.model[parts] is not None)
        message = next(self.messages)
        try:
            put(self.database, self.owner, self.clock, names.join(*parts), message, replace=replace)
        except Conflict:
            assert self.clash(parts[:-1]) or not free
        else:
            assert free and not self.clash(parts[:-1])
            self.thrown |= {old for old in [self.model.get(parts)] if old is not None}
            self.add_folders(parts[:-1])
            self.model[parts] = message

    @rule(parts=PATHS)
    def remove(self, parts: Parts) -> None:
        try:
            node = self.tree.node_at(self.owner.id, names.join(*parts))
        except NotFound:
            assert parts not in self.model
            return
        self.tree.remove(self.owner.id, node.id)
        below = [other for other in self.model if other[: len(parts)] == parts]
        self.thrown |= {old for old in map(self.model.pop, below) if old is not None}

    @rule(source=PATHS, place=PATHS)
    def move(self, source: Parts, place: Parts) -> None:
        if source not in self.model or self.model.get(place[:-1], 0) is not None:
            return
        node = self.tree.node_at(self.owner.id, names.join(*source))
        parent = self.tree.folder_at(self.owner.id, names.join(*place[:-1]))
        into_itself = place[:-1][: len(source)] == source
        taken = self.similar(place) not in {None, source}
        try:
            self.tree.move(self.owner.id, node.id, parent_id=parent.id, name=place[-1])
        except Conflict:
            assert into_itself or taken
        else:
            assert not into_itself and not taken
            below = [other for other in self.model if other[: len(source)] == source]
            moved = {place + other[len(source) :]: self.model.pop(other) for other in below}
            self.model |= moved

    @invariant()
    def both_tell_the_same(self) -> None:
        found: dict[Parts, int | None] = {(): None}
        waiting: list[Parts] = [()]
        while waiting:
            parts = waiting.pop()
            page: Listing = self.tree.listing(self.owner.id, names.join(*parts))
            for node in page.items:
                path = names.split(node.path)
                assert path == (*parts, node.name)
                found[path] = self.model.get(path) if isinstance(node, File) else None
                if isinstance(node, Folder):
                    waiting.append(path)
                else:
                    assert self.model.get(path) is not None
        assert found == self.model

    @invariant()
    def the_trash_holds_what_was_thrown_away(self) -> None:
        found = {locator.message for _, locator in Trash(self.database).batch(1000)}
        assert {message for message in found if message < 10_000} == self.thrown


TestTree = pytest.mark.slow(TreeMachine.TestCase)
TestTree.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
