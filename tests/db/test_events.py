"""Events: written with the change or not at all, in its order, and kept for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import Contents, Damage, Database, Events, Moves, Tree
from db.happening import events as rows
from errors import Conflict
from model import User
from tests.db.conftest import Clock, put, remove


@pytest.fixture
def events(database: Database) -> Events:
    return Events(database)


def test_every_change_of_the_tree_tells_which_listings_changed(
    database: Database, events: Events, ann: User, clock: Clock
) -> None:
    tree, start = Tree(database), events.last()
    file, _ = put(database, ann, clock, "/a/b/f.bin", 1)
    tree.make_folder(ann.id, "/", "c")
    Moves(database).move(ann.id, file.id, folder="/c", name="g.bin")
    Damage(database).mark(Contents(database).stored_file(file.content_id).uuid, clock.time)
    remove(database, ann.id, file.id)
    told = [(event.type, event.about["folders"]) for event in events.since(start, ann.id).events]
    assert told == [
        ("folder_made", ["/"]),
        ("folder_made", ["/a"]),
        ("file_available", ["/a/b"]),
        ("folder_made", ["/"]),
        ("moved", ["/a/b", "/c"]),
        ("damaged", ["/c"]),
        ("removed", ["/c"]),
    ]


def test_a_file_that_is_there_tells_all_that_a_listing_shows_of_it(
    database: Database, events: Events, ann: User, clock: Clock
) -> None:
    file, _ = put(database, ann, clock, "/f.bin", 1)
    event = events.since(0, ann.id).events[-1]
    assert (event.at, event.user_id, event.user) == (clock.time, ann.id, "ann")
    assert event.about == {
        "fid": file.id,
        "filename": "f.bin",
        "size": 8,
        "uploader": "ann",
        "path": "/f.bin",
        "folder": "/",
        "folders": ["/"],
    }


def test_a_change_that_fails_tells_nothing(database: Database, events: Events, ann: User) -> None:
    tree = Tree(database)
    tree.make_folder(ann.id, "/", "a")
    last = events.last()
    with pytest.raises(Conflict):
        tree.make_folder(ann.id, "/", "a")
    assert events.last() == last


def test_nobody_hears_of_another_s_but_who_asks_for_everybody_s(
    database: Database, events: Events, ann: User, bob: User
) -> None:
    tree, start = Tree(database), events.last()
    tree.make_folder(ann.id, "/", "a")
    tree.make_folder(bob.id, "/", "b")
    assert [event.about["path"] for event in events.since(start, bob.id).events] == ["/b"]
    assert [event.user for event in events.latest().events[-2:]] == ["ann", "bob"]
    assert events.last(ann.id) == events.last() - 1


def test_one_goes_on_from_the_last_and_hears_each_event_once(
    database: Database, events: Events, ann: User
) -> None:
    tree, heard, last = Tree(database), [], events.last(ann.id)
    for name in ("a", "b", "c"):
        tree.make_folder(ann.id, "/", name)
        news = events.since(last, ann.id)
        heard += [event.about["path"] for event in news.events]
        last = news.last
        assert not news.reset
    assert heard == ["/a", "/b", "/c"]
    assert events.since(last, ann.id).events == ()


def test_what_is_old_goes_and_who_has_not_seen_it_loads_anew(
    database: Database, events: Events, ann: User, clock: Clock
) -> None:
    tree = Tree(database)
    for name in ("a", "b"):
        tree.make_folder(ann.id, "/", name)
        clock.move(days=5)
    seen = events.last(ann.id)
    events.prune(clock.time - timedelta(days=7))
    assert not events.since(seen, ann.id).reset
    assert not events.since(seen - 1, ann.id).reset  # it has seen all that went
    assert events.since(seen - 2, ann.id).reset
    clock.move(days=30)
    events.prune(clock.time - timedelta(days=7))
    assert events.last(ann.id) == seen  # the last stays, and tells where the line stands
    assert not events.since(seen, ann.id).reset


def test_no_more_are_kept_than_a_bound(
    database: Database, events: Events, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "KEPT", 3)
    tree = Tree(database)
    for name in "abcde":
        tree.make_folder(ann.id, "/", name)
    events.prune(database.now() - timedelta(days=7))
    assert [event.about["path"] for event in events.since(3, ann.id).events] == ["/c", "/d", "/e"]


def test_who_is_far_behind_loads_anew_and_gets_the_latest(
    database: Database, events: Events, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_NEWS", 2)
    tree = Tree(database)
    for name in "abc":
        tree.make_folder(ann.id, "/", name)
    news = events.since(0, ann.id)
    assert news.reset
    assert [event.about["path"] for event in news.events] == ["/b", "/c"]
    assert not events.since(2, ann.id).reset


def test_who_has_seen_more_than_there_is_loads_anew(events: Events, ann: User) -> None:
    """A backup was put back."""
    assert events.since(events.last(ann.id) + 1, ann.id).reset
