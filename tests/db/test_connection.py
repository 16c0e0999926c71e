"""The way to the database: shape, locks, damage, and what survives."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, text

from db import Database, People
from db.schema import REVISION, metadata
from errors import DatabaseDamaged, DatabaseUnavailable, Misconfigured, OutOfSpace
from tests.conftest import damage
from tests.db.conftest import Clock, url_of


def test_migrations_make_the_tables_that_the_schema_tells_of(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION
        checks = connection.execute(text("SELECT group_concat(sql) FROM sqlite_master")).scalar_one()
    for table in metadata.tables.values():
        for constraint in table.constraints:
            # compare_metadata looks at everything but these.
            assert not isinstance(constraint, CheckConstraint) or str(constraint.sqltext) in checks


def test_migrating_again_changes_nothing(database: Database) -> None:
    People(database).add("ann", "hash")
    database.migrate()
    assert len(People(database).all()) == 1


def test_a_path_with_a_percent_sign_and_umlauts_migrates(tmp_path: Path) -> None:
    folder = tmp_path / "100 % grün"
    folder.mkdir()
    with closing(Database(url_of(folder / "s.db"))) as database:
        database.migrate()
        database.check()


def test_tables_of_a_newer_version_are_refused_with_a_sentence(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer version"):
        database.migrate()


@pytest.mark.parametrize("url", ["nonsense", "postgresql://u:geheim@h/d", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_work_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Database(url)
    assert "geheim" not in str(refusal.value)


def test_a_writer_waits_no_longer_than_its_patience_for_another_program(path: Path, clock: Clock) -> None:
    with (
        closing(Database(url_of(path), now=clock, patience=0.3)) as database,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        database.migrate()
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="another program"):
            People(database).add("ann", "hash")
        assert time.monotonic() - began < 2
        assert not People(database).all(), "a reader does not wait"
        other.execute("ROLLBACK")
        People(database).add("ann", "hash")


def test_a_writer_waits_no_longer_than_its_patience_for_another_thread(database: Database) -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write():
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(5)
        with pytest.raises(DatabaseUnavailable), database.write(patience=0.1):
            pass
    finally:
        release.set()
        holder.join(5)
    with database.write(patience=1):
        pass


def test_a_durable_write_is_synchronous_and_another_is_not(database: Database) -> None:
    for durable, level in ((True, 2), (False, 1), (True, 2)):
        with database.write(durable=durable) as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar_one() == level


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError), database.write() as connection:
        connection.execute(text("INSERT INTO trash (channel, message, since) VALUES (1, 1, '2026-01-01')"))
        raise KeyError
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM trash")).scalar_one() == 0


def test_a_file_that_is_no_database_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"This is a letter to my aunt, and not a database at all. " * 100)
    with closing(Database(url_of(path))) as database:
        for verb in (database.check, database.migrate, People(database).all):
            with pytest.raises(DatabaseUnavailable, match="damaged"):
                verb()


def test_damage_inside_is_detected(path: Path, database: Database) -> None:
    for number in range(200):
        People(database).add(f"user-{number}", "hash" * 100)
    database.close()
    whole = path.read_bytes()
    assert not path.with_name(path.name + "-wal").exists(), "closing the last connection empties the log"
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    with pytest.raises(DatabaseUnavailable, match="damaged"):
        database.check()


def test_damage_that_anybody_met_is_told_by_every_look_from_then_on(path: Path, database: Database) -> None:
    damage(path, "users")
    for meets_it in ("check", "use"):
        with closing(Database(url_of(path))) as opened:
            opened.look()
            with pytest.raises(DatabaseDamaged):
                opened.check() if meets_it == "check" else People(opened).add("ann", "hash")
            with pytest.raises(DatabaseDamaged):
                opened.look()


@pytest.fixture
def long_table(path: Path, database: Database) -> Path:
    """The database with 40 MB in one table, whose first row, which a check comes to last, is damaged."""
    with database.write(durable=False) as connection:
        connection.execute(text("CREATE TABLE long (row)"))
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
                "INSERT INTO long SELECT zeroblob(800) FROM n"
            )
        )
    damage(path, "long", after=1)
    return path


@pytest.mark.parametrize(
    "bounds", [{"seconds": 0.0}, {"stop": lambda: True}], ids=["out of time", "told to stop"]
)
def test_a_check_ends_inside_a_table(
    long_table: Path, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, Any]
) -> None:
    monkeypatch.setattr("db.connection.LOOK_SECONDS", 0.001)

    def ends_before_the_damage() -> bool:
        with closing(Database(url_of(long_table))) as database:
            try:
                database.check(**bounds)
            except DatabaseDamaged:
                return False
        return True

    with closing(Database(url_of(long_table))) as database, pytest.raises(DatabaseDamaged):
        database.check()
    # A check of it takes a hundredth of a second, in which a busy machine may not come to the watcher.
    assert any(ends_before_the_damage() for _ in range(50))


def test_a_folder_that_is_not_there_gives_a_sentence(tmp_path: Path) -> None:
    with (
        closing(Database(url_of(tmp_path / "missing" / "s.db"))) as database,
        pytest.raises(DatabaseUnavailable, match="cannot be opened"),
    ):
        database.migrate()


def test_a_full_disk_is_out_of_space_and_keeps_what_was_there(database: Database) -> None:
    people = People(database)
    people.add("ann", "hash")
    with pytest.raises(OutOfSpace), database.write() as connection:
        # SQLite gives the very same code when a database may not grow as when its disk is full.
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.execute(text("UPDATE users SET password_hash = hex(zeroblob(1000000))"))
    database.close()
    found = people.by_name("ann")
    assert found is not None and found[1] == "hash"
