"""The way to the database: pragmas, transactions, migrations, and the one place where its errors become ours.

Nothing outside this module knows which database it is. Write transactions follow one another, here by BEGIN
IMMEDIATE, and every verb in db/ relies on it: what a transaction has read stays true until it commits.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from db.schema import REVISION
from errors import (
    Conflict,
    DatabaseDamaged,
    DatabaseUnavailable,
    Misconfigured,
    NotFound,
    OutOfSpace,
    StowgramError,
)

PATIENCE_SECONDS = 10.0
"""How long a transaction waits for another's lock."""
CHECK_SECONDS = 20.0
"""How long a check may take; a very large database is then checked only in part."""
LOOK_SECONDS = 0.1
"""How soon a check notices that it is to end."""
MAX_CONNECTIONS = 32
"""Open connections at most; a thread holds one only inside a transaction."""
CACHE_KIB = 512
"""KiB of the file's pages in each connection. Few: there are many connections, and the system holds the pages, too."""

_LOCKED = "The database is held by another program. Close whatever else has it open, then try again."
_DAMAGED = "The database is damaged. Stop the server and put a backup in its place; stored files are safe."
_FULL = "The disk with the database is full. Free some space, then try again."
_UNREACHABLE = "The database cannot be opened or written. Check that its folder is there and writable."
_NEWER = "A newer version of Stowgram made the database. Run that version, or use another data folder."


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """One database, used from any thread. `now` gives the time wherever a verb needs it and is not told."""

    def __init__(
        self, url: str, *, now: Callable[[], datetime] = utc_now, patience: float = PATIENCE_SECONDS
    ) -> None:
        """`patience` is in seconds. Opens nothing yet. Raises Misconfigured for a URL that cannot work."""
        self.now = now
        self._patience = patience
        self._damaged = False  # once it was met; who puts a backup in its place starts us again
        self._engine = create_engine(
            _checked_url(url),
            pool_size=8,
            max_overflow=MAX_CONNECTIONS - 8,
            pool_timeout=patience,
            hide_parameters=True,  # digests and hashes of secrets are none of the log's business
        )
        # SQLite's own waiting polls and is not fair; between threads of one process a lock hands over at
        # once.
        self._writer = threading.Lock()
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "begin", _begin)

    def __repr__(self) -> str:
        return f"<Database {self._engine.url.render_as_string()} {self._engine.pool.status()}>"

    def _prepare(self, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None  # the driver begins nothing by itself; _begin does
        try:
            # First the patience: the switch to WAL needs a lock of its own.
            connection.execute(f"PRAGMA busy_timeout = {_milliseconds(self._patience)}")
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(
                "PRAGMA fullfsync = ON"
            )  # macOS: an fsync that reaches the disk; nothing elsewhere
        except sqlite3.Error:
            connection.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment and waits for no writer. Raises DatabaseUnavailable."""
        opening = (f"PRAGMA busy_timeout = {_milliseconds(self._patience)}", "BEGIN")
        with self._translated(), self._engine.connect() as connection:
            connection.execution_options(opening=opening)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, durable: bool = True, patience: float | None = None) -> Iterator[Connection]:
        """A transaction that is alone in writing: all of it is kept, or, when the block raises, none.

        A `durable` one survives a power cut from the moment the block has ended; another may be lost (whole)
        if the power fails within the next seconds (docs/decisions/durability.md). Waits `patience` seconds
        for other writers, then raises DatabaseUnavailable; raises OutOfSpace, and Conflict where something
        unique is there already.
        """
        patience = self._patience if patience is None else patience
        opening = (
            f"PRAGMA busy_timeout = {_milliseconds(patience)}",
            # Before BEGIN: SQLite changes it outside a transaction only
            # (sqlite.org/pragma.html#pragma_synchronous).
            f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}",
            "BEGIN IMMEDIATE",
        )
        if not self._writer.acquire(timeout=patience):
            raise DatabaseUnavailable(_LOCKED)
        try:
            with self._translated(), self._engine.connect() as connection:
                connection.execution_options(opening=opening)
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    def migrate(self) -> None:
        """Bring the tables to this version's shape, in one transaction; does nothing where they have it.

        Raises DatabaseUnavailable when a newer version made them.
        """
        with self.read() as connection:
            if _revision(connection) == REVISION:
                return
        # Nearly every start ends above, and is spared Alembic: its import alone would be a tenth of the time.
        from db.migrations import Unknown, upgrade

        with self.write() as connection:
            try:
                upgrade(connection)
            except Unknown as error:
                raise DatabaseUnavailable(_NEWER) from error

    def look(self) -> None:
        """Read a row, as anybody may ask for at any time. Raises DatabaseUnavailable when that fails, and
        DatabaseDamaged when a check, or anybody's transaction, has met damage since the start.
        """
        with self.read() as connection:
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if self._damaged:
            raise DatabaseDamaged(_DAMAGED)

    def check(self, seconds: float = CHECK_SECONDS, stop: Callable[[], bool] = lambda: False) -> None:
        """Look through it for damage, for at most `seconds`, or until `stop` says so.

        Raises DatabaseDamaged when there is some, else DatabaseUnavailable.
        """
        with self._translated(), closing(self._engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            try:
                with _interrupted(connection, seconds, stop):
                    findings = connection.execute("PRAGMA quick_check(1)").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                    raise
                findings = [("ok",)]  # no damage in the part that time allowed
        if findings != [("ok",)]:
            self._damaged = True
            raise DatabaseDamaged(_DAMAGED)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The border: what the database says becomes what we say, and that it is damaged is remembered."""
        try:
            yield
        except PoolTimeout as error:
            raise DatabaseUnavailable(_LOCKED) from error
        except (DBAPIError, sqlite3.Error) as error:
            ours = _in_our_words(error.orig if isinstance(error, DBAPIError) else error)
            if ours is None:
                raise
            self._damaged |= isinstance(ours, DatabaseDamaged)
            raise ours from error
        except OverflowError as error:  # a number of more than 64 bits, which no row can have
            raise NotFound("There is nothing of that number.") from error

    def close(self) -> None:
        """Close the connections that rest; those in use close when their transaction ends."""
        self._engine.dispose()


def _checked_url(url: str) -> str:
    advice = "Write it as sqlite:///path/to/stowgram.db."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Misconfigured([f"DATABASE_URL is not a database URL. {advice}"]) from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise Misconfigured([f"DATABASE_URL names {parsed.drivername}; this version needs a file. {advice}"])
    return url


def _begin(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    for statement in connection.get_execution_options().get("opening", ("BEGIN",)):
        driver.execute(statement)  # at once: SQLAlchemy would take as long for each as for a query


@contextmanager
def _interrupted(connection: sqlite3.Connection, seconds: float, stop: Callable[[], bool]) -> Iterator[None]:
    """What the connection does meanwhile is broken off after so many seconds, or when `stop` says so.

    From another thread: to SQLite a whole table is one step of a check, and only between steps does it ask a progress
    handler. Again and again: what comes before the statement has begun is lost (sqlite.org/c3ref/interrupt.html).
    """
    deadline, done = time.monotonic() + seconds, threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            if stop() or time.monotonic() >= deadline:
                connection.interrupt()

    watcher = threading.Thread(target=watch, name="database: check", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()  # it must not meet whoever has the connection next


def _revision(connection: Connection) -> str | None:
    """Up to which migration the tables are; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _in_our_words(error: BaseException | None) -> StowgramError | None:
    """Our error for one of SQLite's result codes (sqlite.org/rescode.html); None for a mistake of our own."""
    name = getattr(error, "sqlite_errorname", "")
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return Conflict("That is there already. Choose another name.")
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return Conflict("What this belongs to is no longer there, or something still belongs to it.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseUnavailable(_LOCKED)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseDamaged(_DAMAGED)
    if name == "SQLITE_FULL":
        return OutOfSpace(_FULL)
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return DatabaseUnavailable(_UNREACHABLE)
    return None
