"""A database that an earlier version made, with rows in it, becomes one of this version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from db import Database, Jobs, People, Tree
from db.happening.totals import Totals as Rows
from db.migrations import upgrade
from db.stored.messages import Messages
from model import File, Locator, Totals
from tests.db.conftest import Clock, url_of

_USER = """INSERT INTO users (id, name, name_key, password_hash, is_admin, created_at)
    VALUES (7, 'ann', 'ann', 'hash', 1, '2026-11-20 12:00:00.000000')"""
_TOKEN = """INSERT INTO tokens (user_id, kind, name, digest, created_at)
    VALUES (7, :kind, 'laptop', :digest, '2026-11-20 12:00:00.000000')"""
_CONTENT = """INSERT INTO contents (id, uuid, size, media_type, tree, crc32, created_at)
    VALUES (1, '0', 5, 'text/plain', x'00', 0, '2026-11-20 12:00:00.000000')"""
_FILE = """INSERT INTO nodes (owner_id, parent_id, kind, name, name_key, name_bytes, content_id,
        created_at, modified_at)
    VALUES (7, 1, 1, :name, :name, 1, 1, '2026-11-20 12:00:00.000000', '2026-11-20 12:00:00.000000')"""
_ROOT = """INSERT INTO nodes (id, owner_id, kind, name, name_key, name_bytes, created_at, modified_at)
    VALUES (1, 7, 0, '', '', 0, '2026-11-20 12:00:00.000000', '2026-11-20 12:00:00.000000')"""
_JOB = """INSERT INTO jobs (id, kind, key, owner_id, args, result, status, done, total, attempts, not_before,
        started_from, created_at, updated_at)
    VALUES ('a', 'zip', 'k', 7, '{}', '{}', 'ready', 5, 5, 1, '2026-11-20 12:00:00.000000',
        0, '2026-11-20 12:00:00.000000', '2026-11-20 12:00:00.000000')"""

Insert = tuple[str, dict[str, Any]]
"""A statement and its values."""
_HOME: tuple[Insert, ...] = ((_USER, {}), (_ROOT, {}), (_CONTENT, {}))


def migrated(path: Path, clock: Clock, revision: str, *rows: Insert) -> Database:
    """A database of this version that one of `revision` became, with these rows in it then."""
    database = Database(url_of(path), now=clock, patience=5)
    with database.write() as connection:
        upgrade(connection, revision)
        for statement, values in rows:
            connection.execute(text(statement), values)
    database.migrate()
    return database


def test_the_first_version_s_users_and_tokens_are_kept_and_its_sessions_end(path: Path, clock: Clock) -> None:
    tokens = [(_TOKEN, {"kind": kind, "digest": kind.encode()}) for kind in ("api", "session")]
    database = migrated(path, clock, "0001", (_USER, {}), *tokens)
    people = People(database)
    assert [token.name for token in people.tokens(7)] == ["laptop"]
    found = people.by_token(b"api", clock())
    assert found is not None
    assert found[0].name == "ann"
    assert people.by_token(b"session", clock()) is None
    Rows(database).add({}, {7: Totals(downloads=1, bytes_sent=10)})
    assert Rows(database).of_user(7) == Totals(downloads=1, bytes_sent=10)
    database.close()


def test_files_from_before_quotas_are_counted(path: Path, clock: Clock) -> None:
    database = migrated(path, clock, "0004", *_HOME, (_FILE, {"name": "a"}), (_FILE, {"name": "b"}))
    account = People(database).account(7)
    assert (account.quota, account.files, account.used) == (None, 2, 10)
    database.close()


def test_a_file_s_media_type_goes_from_its_contents_to_its_name(path: Path, clock: Clock) -> None:
    database = migrated(path, clock, "0003", *_HOME, (_FILE, {"name": "a"}))
    file = Tree(database).node_at(7, "/a")
    assert isinstance(file, File) and file.media_type == "text/plain"
    database.close()


def test_jobs_are_kept_where_they_learn_to_outlive_their_owner(path: Path, clock: Clock) -> None:
    database = migrated(path, clock, "0010", (_USER, {}), (_JOB, {}))
    job = Jobs(database).get("a")
    assert (job.owner_id, job.status, job.done) == (7, "ready", 5)
    database.close()


def test_the_newest_message_is_taken_from_wherever_one_is_named(path: Path, clock: Clock) -> None:
    trash = "INSERT INTO trash (channel, message, since) VALUES (-9, :number, '2026-11-20 12:00:00.000000')"
    rows = [(trash, {"number": number}) for number in (3, 8, 5)]
    database = migrated(path, clock, "0012", *rows)
    assert Messages(database).newest() == Locator(-9, 8)
    database.close()
