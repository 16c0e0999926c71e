"""Users, the digests of their secrets, and where they sign in from."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from db import Bin, Contents, Database, People, Sessions, Trash, Tree, Uploads
from db.access.people import MAX_NETWORKS
from errors import BadName, Conflict, DatabaseUnavailable, NotFound
from model import Client, Locator, User
from tests.db.conftest import Clock, a_chunk, an_upload, label_of, put

SECRET = bytes(32)
BROWSER = Client("192.0.2.1", "Firefox")


def test_a_user_is_found_by_name_in_any_case(database: Database) -> None:
    people = People(database)
    ann = people.add("Änn", "hash", is_admin=True)
    assert people.by_name("äNN") == (ann, "hash")
    assert people.by_name("A\u0308nn") == (ann, "hash")
    assert people.by_name("bob") is None
    assert people.by_name("\ud800") is people.by_name("") is None, "names that nobody could have"
    assert people.all() == (ann,)


def test_an_error_of_the_database_does_not_tell_the_secrets_it_met(database: Database) -> None:
    with pytest.raises(Exception, match="password_hash") as told:
        People(database).add("ann", ["a hash that is none"])  # type: ignore[arg-type]
    assert "a hash that is none" not in str(told.value)


def test_two_names_that_differ_only_in_case_are_one_user(database: Database, ann: User) -> None:
    with pytest.raises(Conflict, match="ANN"):
        People(database).add("ANN", "hash")
    with pytest.raises(BadName):
        People(database).add("a/b", "hash")


def test_a_time_comes_back_aware_and_in_utc(ann: User, clock: Clock) -> None:
    assert ann.created_at == clock.time
    assert ann.created_at.utcoffset() == timedelta(0)


def test_a_token_lets_in_until_it_expires(database: Database, ann: User, clock: Clock) -> None:
    people = People(database)
    token = people.add_token(ann.id, "backup", SECRET, clock.time + timedelta(hours=1))
    assert people.by_token(SECRET, clock.time) == (ann, token.id)
    clock.move(hours=1)
    assert people.by_token(SECRET, clock.time) is None
    people.forget_expired(clock.time, clock.time)
    people.add_token(ann.id, "backup", SECRET, None)


def test_the_last_uses_are_written_down_together(
    database: Database, ann: User, bob: User, clock: Clock
) -> None:
    people = People(database)
    tokens = [people.add_token(user.id, "t", bytes([user.id]) * 32, None) for user in (ann, bob)]
    people.tokens_used({token.id: clock.time for token in tokens} | {999: clock.time})
    assert [people.tokens(user.id)[0].last_used_at for user in (ann, bob)] == [clock.time] * 2


def test_who_holds_the_database_is_not_waited_for(
    database: Database, ann: User, clock: Clock, path: Path
) -> None:
    people = People(database)
    token = people.add_token(ann.id, "backup", SECRET, None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert people.by_token(SECRET, clock.time) == (ann, token.id)
        with pytest.raises(DatabaseUnavailable):
            people.tokens_used({token.id: clock.time})
        other.execute("ROLLBACK")


def test_a_new_password_ends_sessions_and_leaves_tokens(database: Database, ann: User, clock: Clock) -> None:
    people, sessions = People(database), Sessions(database)
    for number in range(3):
        sessions.add(ann.id, bytes([number]) * 32, BROWSER, clock.time, clock.time + timedelta(days=1))
    token = people.add_token(ann.id, "backup", b"1" * 32, None)
    keep = sessions.of(ann.id, clock.time)[1].id
    assert people.set_password(ann.id, "new", keep=keep) == 2
    assert [session.id for session in sessions.of(ann.id, clock.time)] == [keep]
    assert people.set_password(ann.id, "newer") == 1
    assert people.by_name("ann") == (ann, "newer")
    assert people.tokens(ann.id) == (token,)
    with pytest.raises(NotFound):
        people.set_password(999, "new")


def test_a_network_is_known_until_it_is_long_ago_or_others_push_it_out(
    database: Database, ann: User, bob: User, clock: Clock
) -> None:
    people = People(database)
    people.note_network(ann.id, "192.0.2.1")
    assert people.seen_from(ann.id, "192.0.2.1") == clock.time
    assert people.seen_from(bob.id, "192.0.2.1") is people.seen_from(ann.id, "192.0.2.2") is None
    first = clock.time
    for number in range(MAX_NETWORKS):
        clock.move(seconds=1)
        people.note_network(ann.id, f"198.51.100.{number}")
    assert people.seen_from(ann.id, "192.0.2.1") is None
    people.note_network(ann.id, "198.51.100.0")
    assert people.seen_from(ann.id, "198.51.100.0") == clock.time
    people.forget_expired(clock.time, first + timedelta(seconds=3))
    assert people.seen_from(ann.id, "198.51.100.1") is None
    people.remove(ann.id)


def test_a_token_is_revoked_by_its_owner_only(database: Database, ann: User, bob: User, clock: Clock) -> None:
    people = People(database)
    token = people.add_token(ann.id, "backup", SECRET, None)
    with pytest.raises(NotFound):
        people.revoke(bob.id, token.id)
    assert people.by_token(SECRET, clock.time) == (ann, token.id)
    people.revoke(ann.id, token.id)
    assert people.by_token(SECRET, clock.time) is None


def test_a_user_goes_once_all_is_deleted_and_leaves_nothing_behind(
    database: Database, ann: User, bob: User, clock: Clock
) -> None:
    people, trash = People(database), Trash(database)
    file, _ = put(database, ann, clock, "/a/b.bin", 11, manifest=12)
    put(database, bob, clock, "/b.bin", 21)
    uploads, upload = Uploads(database), an_upload(ann, clock, "/c.bin", 9)
    uploads.create(upload, True)
    chunk = a_chunk(0, 0, b"12345678", 13)
    uploads.stored(upload.id, label_of(upload.id, chunk), chunk)
    with pytest.raises(Conflict):
        people.remove(ann.id)
    Bin(database).put(ann.id, [file.parent_id])
    people.remove(ann.id)
    assert people.all() == (bob,)
    assert {locator for _, locator in trash.batch(9)} == {Locator(1, 11), Locator(1, 12), Locator(1, 13)}
    with pytest.raises(NotFound):
        Contents(database).stored_file(file.content_id)
    assert len(Tree(database).listing(bob.id, "/").items) == 1
    with pytest.raises(NotFound):
        people.remove(ann.id)
    assert people.add("ann", "hash").id not in {ann.id, bob.id}, "an id is never given twice"
