"""A database that an earlier version made, with rows in it, becomes one of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from db import Database, People
from db.migrations import upgrade
from db.totals import Totals as Rows
from model import Totals
from tests.db.conftest import Clock, url_of

_USER = "INSERT INTO users VALUES (7, 'ann', 'ann', 'hash', 1, '2026-11-20 12:00:00.000000')"
_TOKEN = """INSERT INTO tokens (user_id, kind, name, digest, created_at)
    VALUES (7, :kind, 'laptop', :digest, '2026-11-20 12:00:00.000000')"""


def test_the_first_version_s_users_and_tokens_are_kept_and_its_sessions_end(path: Path, clock: Clock) -> None:
    database = Database(url_of(path), now=clock, patience=5)
    with database.write() as connection:
        upgrade(connection, "0001")
        connection.execute(text(_USER))
        connection.execute(text(_TOKEN), {"kind": "api", "digest": b"api"})
        connection.execute(text(_TOKEN), {"kind": "session", "digest": b"session"})
    database.migrate()
    people = People(database)
    assert [token.name for token in people.tokens(7)] == ["laptop"]
    found = people.by_token(b"api", clock())
    assert found is not None
    assert found[0].name == "ann"
    assert people.by_token(b"session", clock()) is None
    Rows(database).add({}, {7: Totals(downloads=1, bytes_sent=10)})
    assert Rows(database).of_user(7) == Totals(downloads=1, bytes_sent=10)
    database.close()
