"""Users, and the digests of their secrets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from db import Contents, Database, People, Trash, Tree, Uploads
from errors import BadName, Conflict, NotFound
from model import Locator, User
from tests.db.conftest import Clock, a_chunk, an_upload, label_of, put

SECRET = bytes(32)


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


def test_a_session_lets_in_until_it_expires(database: Database, ann: User, clock: Clock) -> None:
    people = People(database)
    people.add_token(ann.id, "session", "", SECRET, clock.time + timedelta(hours=1))
    assert people.by_digest("session", SECRET, clock.time) == ann
    assert people.by_digest("api", SECRET, clock.time) is None, "a session's secret is no API token"
    clock.move(hours=1)
    assert people.by_digest("session", SECRET, clock.time) is None
    people.forget_expired(clock.time)
    people.add_token(ann.id, "session", "", SECRET, None)


def test_the_last_use_is_written_down_once_a_minute(database: Database, ann: User, clock: Clock) -> None:
    people = People(database)
    people.add_token(ann.id, "api", "backup", SECRET, None)
    first = clock.time
    seen = []
    for _ in range(3):
        people.by_digest("api", SECRET, clock.time)
        seen.append(people.tokens(ann.id)[0].last_used_at)
        clock.move(seconds=40)
    assert seen == [first, first, first + timedelta(seconds=80)]


def test_a_locked_database_keeps_nobody_out(database: Database, ann: User, clock: Clock, path: Path) -> None:
    people = People(database)
    people.add_token(ann.id, "api", "backup", SECRET, None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert people.by_digest("api", SECRET, clock.time) == ann
        other.execute("ROLLBACK")
    assert people.tokens(ann.id)[0].last_used_at is None


def test_a_new_password_ends_sessions_and_leaves_tokens(database: Database, ann: User, clock: Clock) -> None:
    people = People(database)
    people.add_token(ann.id, "session", "", SECRET, None)
    token = people.add_token(ann.id, "api", "backup", b"1" * 32, None)
    people.set_password(ann.id, "new")
    assert people.by_name("ann") == (ann, "new")
    assert people.by_digest("session", SECRET, clock.time) is None
    assert people.tokens(ann.id) == (token,)
    with pytest.raises(NotFound):
        people.set_password(999, "new")


def test_a_token_is_revoked_by_its_owner_only(database: Database, ann: User, bob: User, clock: Clock) -> None:
    people = People(database)
    token = people.add_token(ann.id, "api", "backup", SECRET, None)
    with pytest.raises(NotFound):
        people.revoke(bob.id, token.id)
    assert people.by_digest("api", SECRET, clock.time) == ann
    people.revoke(ann.id, token.id)
    assert people.by_digest("api", SECRET, clock.time) is None
    people.revoke_digest("api", SECRET)


def test_a_user_with_files_goes_only_when_told_and_leaves_nothing_behind(
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
    people.remove(ann.id, with_files=True)
    assert people.all() == (bob,)
    assert {locator for _, locator in trash.batch(9)} == {Locator(1, 11), Locator(1, 12), Locator(1, 13)}
    with pytest.raises(NotFound):
        Contents(database).stored_file(file.content_id)
    assert len(Tree(database).listing(bob.id, "/").items) == 1
    with pytest.raises(NotFound):
        people.remove(ann.id)
    assert people.add("ann", "hash").id not in {ann.id, bob.id}, "an id is never given twice"
