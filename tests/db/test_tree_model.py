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
from db import Bin, Clearing, Moves, People, Trash, Tree
from errors import Conflict, NotFound
from model import File, Folder, Listing
from tests.db.conftest import Clock, open_new, put, remove

NAMES = st.sampled_from(["a", "A", "b", "é", "É", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
SEVERAL = st.lists(PATHS, min_size=1, max_size=3, unique=True)
Parts = tuple[str, ...]


class TreeMachine(RuleBasedStateMachine):
    """`model` maps the parts of each path to the message of a file, or to None for a folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.database = open_new(Path(self.folder.name) / "s.db", self.clock)
        self.owner = People(self.database).add("ann", "hash")
        self.tree = Tree(self.database)
        self.model: dict[Parts, int | None] = {(): None}
        self.messages = count(1)
        self.thrown: set[int] = set()
        self.binned: dict[int, tuple[Parts, dict[Parts, int | None]]] = {}

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

    def below(self, parts: Parts) -> list[Parts]:
        """It and all below it."""
        return [other for other in self.model if other[: len(parts)] == parts]

    def relocate(self, source: Parts, place: Parts) -> None:
        self.model |= {place + old[len(source) :]: self.model.pop(old) for old in self.below(source)}

    def throw(self, *messages: int | None) -> None:
        """Nothing but copies may still need them."""
        self.thrown |= {message for message in messages if message is not None} - self.held()

    def held(self) -> set[int | None]:
        """Messages of what is in the tree, and in the bin."""
        in_bin = (message for _, below in self.binned.values() for message in below.values())
        return {*self.model.values(), *in_bin}

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
            old = self.model.get(parts)
            self.add_folders(parts[:-1])
            self.model[parts] = message
            self.throw(old)

    @rule(parts=PATHS)
    def remove(self, parts: Parts) -> None:
        try:
            node = self.tree.node_at(self.owner.id, names.join(*parts))
        except NotFound:
            assert parts not in self.model
            return
        remove(self.database, self.owner.id, node.id)
        self.throw(*map(self.model.pop, self.below(parts)))

    @rule(parts=PATHS)
    def put_into_the_bin(self, parts: Parts) -> None:
        if parts not in self.model:
            return
        node = self.tree.node_at(self.owner.id, names.join(*parts))
        self.clock.move(seconds=1)
        Bin(self.database).put(self.owner.id, [node.id])
        below = {old[len(parts) :]: self.model.pop(old) for old in self.below(parts)}
        self.binned[node.id] = parts, below

    @rule(which=st.integers(0, 9), place=st.none() | PATHS)
    def restore(self, which: int, place: Parts | None) -> None:
        if which >= len(self.binned):
            return
        node_id = list(self.binned)[which]
        parts, below = self.binned[node_id]
        goal = place or parts
        try:
            path = None if place is None else names.join(*place)
            restored = Bin(self.database).restore(self.owner.id, node_id, path)
        except Conflict:
            assert self.clash(goal[:-1]) or self.similar(goal) is not None
        else:
            assert not self.clash(goal[:-1]) and self.similar(goal) is None
            assert (restored.id, names.split(restored.path)) == (node_id, goal)
            del self.binned[node_id]
            self.add_folders(goal[:-1])
            self.model |= {goal + rest: message for rest, message in below.items()}

    @rule(which=st.integers(0, 9))
    def remove_from_the_bin(self, which: int) -> None:
        if which < len(self.binned):
            node_id = list(self.binned)[which]
            Bin(self.database).remove(self.owner.id, node_id)
            _, below = self.binned.pop(node_id)
            self.throw(*below.values())
            while Clearing(self.database).part():
                pass

    @invariant()
    def the_bin_lists_what_is_in_it_the_latest_first(self) -> None:
        found = Bin(self.database).listing(self.owner.id, None, 100).items
        told = [(entry.node.id, names.split(entry.node.path)) for entry in found]
        assert told == [(node_id, parts) for node_id, (parts, _) in reversed(self.binned.items())]

    @rule(source=PATHS, place=PATHS)
    def move(self, source: Parts, place: Parts) -> None:
        if source not in self.model or self.model.get(place[:-1], 0) is not None:
            return
        node = self.tree.node_at(self.owner.id, names.join(*source))
        folder = names.join(*place[:-1])
        into_itself = place[:-1][: len(source)] == source
        taken = self.similar(place) not in {None, source}
        try:
            Moves(self.database).move(self.owner.id, node.id, folder=folder, name=place[-1])
        except Conflict:
            assert into_itself or taken
        else:
            assert not into_itself and not taken
            self.relocate(source, place)

    @rule(sources=SEVERAL, into=PATHS, rename=st.booleans(), copy=st.booleans())
    def put_into_a_folder(self, sources: list[Parts], into: Parts, rename: bool, copy: bool) -> None:
        """The model does one after the other; what cannot be done with one is done with none."""
        there = all(source in self.model for source in sources) and len(self.model) < 50
        if not there or self.model.get(into, 0) is not None:
            return
        ids = [self.tree.node_at(self.owner.id, names.join(*source)).id for source in sources]
        before, possible = dict(self.model), True
        while sources and possible:
            source, *sources = sources
            place = self.place_in(into, source, rename, copy)
            possible = place is not None and into[: len(source)] != source
            if possible and place is not None and copy:
                self.model |= {place + old[len(source) :]: self.model[old] for old in self.below(source)}
            elif possible and place is not None:
                self.relocate(source, place)
                # What was chosen together with its folder has moved along.
                sources = [
                    place + other[len(source) :] if other[: len(source)] == source else other
                    for other in sources
                ]
        verbs = Moves(self.database)
        verb = verbs.copy_all if copy else verbs.move_all
        try:
            done = verb(self.owner.id, ids, names.join(*into), rename=rename)
        except Conflict:
            assert not possible
            self.model = before
        else:
            assert possible and all(names.split(node.path) in self.model for node in done)

    def place_in(self, into: Parts, source: Parts, rename: bool, copy: bool) -> Parts | None:
        """Where it would come to lie, if anywhere."""
        place = (*into, source[-1])
        if self.similar(place) in ({None} if copy else {None, source}):
            return place
        stem, ending = names.parted(source[-1]) if self.model[source] is not None else (source[-1], "")
        numbered = ((*into, names.numbered(stem, number, ending)) for number in count(2))
        return next(free for free in numbered if self.similar(free) is None) if rename else None

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
