"""Everything but the bytes: accounts, auth keys, channels, messages and documents, in one SQLite file.

Each change is durable when its method returns. It must never know of TL or of connections. Used from one thread.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.model import Account, AuthKey, Channel, Document, Message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY, is_bot INTEGER NOT NULL, name TEXT NOT NULL, username TEXT, phone TEXT UNIQUE,
    token TEXT UNIQUE, code TEXT, password TEXT) STRICT;
CREATE TABLE IF NOT EXISTS auth_keys (
    id BLOB PRIMARY KEY, dc INTEGER NOT NULL, key BLOB NOT NULL, account INTEGER, is_inited INTEGER NOT NULL,
    verdict TEXT) STRICT;
CREATE TABLE IF NOT EXISTS channels (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, about TEXT NOT NULL, is_broadcast INTEGER NOT NULL, username TEXT,
    invite TEXT NOT NULL, creator INTEGER NOT NULL, created INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
    last_message INTEGER NOT NULL, pts INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS members (
    channel INTEGER NOT NULL, account INTEGER NOT NULL, is_admin INTEGER NOT NULL,
    PRIMARY KEY (channel, account)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, size INTEGER NOT NULL, mime_type TEXT NOT NULL, attributes BLOB NOT NULL,
    dc INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    channel INTEGER NOT NULL, id INTEGER NOT NULL, sender INTEGER NOT NULL, sent INTEGER NOT NULL,
    text TEXT NOT NULL, document INTEGER, PRIMARY KEY (channel, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_by_document ON messages (document);
CREATE TABLE IF NOT EXISTS random_ids (
    account INTEGER NOT NULL, random_id INTEGER NOT NULL, PRIMARY KEY (account, random_id)) STRICT, WITHOUT ROWID;
"""


class Records:
    """The database. Auth keys, which every packet needs, are also kept in memory.

    Opening raises sqlite3.Error for a file that is damaged or that another process holds.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=2, isolation_level=None)
        # Exclusive, because a second sandbox would take this one's uploads for the remains of a crash.
        pragmas = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        self._db.executescript(pragmas + _SCHEMA)
        rows = self._db.execute("SELECT id, dc, key, account, is_inited, verdict FROM auth_keys")
        self._keys = {row[0]: _key_of(row) for row in rows}

    def close(self) -> None:
        self._db.close()

    # Settings --------------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    # Accounts --------------------------------------------------------------------------------------------------------

    def add_account(self, account: Account) -> None:
        row = (account.id, account.is_bot, account.name, account.username, account.phone)
        secrets = (account.token, account.code, account.password)
        self._db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row + secrets)

    def set_password(self, account: int, password: str | None) -> None:
        self._db.execute("UPDATE accounts SET password = ? WHERE id = ?", (password, account))

    def accounts(self) -> list[Account]:
        return [Account(row[0], bool(row[1]), *row[2:]) for row in self._db.execute("SELECT * FROM accounts")]

    def account(self, account: int) -> Account | None:
        return next((known for known in self.accounts() if known.id == account), None)

    # Auth keys -------------------------------------------------------------------------------------------------------

    def key(self, key_id: bytes) -> AuthKey | None:
        return self._keys.get(key_id)

    def keys_of(self, account: int) -> list[AuthKey]:
        return [key for key in self._keys.values() if key.account == account]

    def save_key(self, key: AuthKey) -> None:
        """Keep a new key, or what has changed of a known one."""
        row = (key.id, key.dc, key.key, key.account, key.is_inited, key.verdict)
        self._db.execute("INSERT OR REPLACE INTO auth_keys VALUES (?, ?, ?, ?, ?, ?)", row)
        self._keys[key.id] = key

    # Channels --------------------------------------------------------------------------------------------------------

    def add_channel(self, channel: Channel) -> None:
        """A new channel; its creator is its first administrator, and message 1 says that it was made."""
        with self.transaction():
            row = (
                channel.id,
                channel.title,
                channel.about,
                channel.is_broadcast,
                channel.username,
                channel.invite,
            )
            rest = (channel.creator, channel.created, False, 1, 1)
            self._db.execute("INSERT INTO channels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row + rest)
            self._db.execute("INSERT INTO members VALUES (?, ?, TRUE)", (channel.id, channel.creator))
            first = (channel.id, channel.creator, channel.created)
            self._db.execute("INSERT INTO messages VALUES (?, 1, ?, ?, '', NULL)", first)

    def channels(self) -> list[Channel]:
        rows = self._db.execute("SELECT * FROM channels ORDER BY id")
        return [_channel_of(row) for row in rows]

    def channel(self, channel: int) -> Channel | None:
        return next((known for known in self.channels() if known.id == channel), None)

    def delete_channel(self, channel: int) -> None:
        self._db.execute("UPDATE channels SET is_deleted = TRUE WHERE id = ?", (channel,))

    def set_member(self, channel: int, account: int, is_admin: bool) -> None:
        self._db.execute("INSERT OR REPLACE INTO members VALUES (?, ?, ?)", (channel, account, is_admin))

    def remove_member(self, channel: int, account: int) -> None:
        self._db.execute("DELETE FROM members WHERE channel = ? AND account = ?", (channel, account))

    def members(self, channel: int) -> dict[int, bool]:
        """The accounts in a channel; True for those that administer it."""
        rows = self._db.execute("SELECT account, is_admin FROM members WHERE channel = ?", (channel,))
        return {account: bool(is_admin) for account, is_admin in rows}

    # Messages and documents ------------------------------------------------------------------------------------------

    def add_message(
        self, channel: int, sender: int, text: str, document: Document | None, random_id: int
    ) -> tuple[Message, int] | None:
        """Post to a channel: the message and the channel's new pts; None if this random id was used before."""
        now = int(time.time())
        with self.transaction():
            used = self._db.execute("INSERT OR IGNORE INTO random_ids VALUES (?, ?)", (sender, random_id))
            if not used.rowcount:
                return None
            next_id, pts = self._db.execute(
                "UPDATE channels SET last_message = last_message + 1, pts = pts + 1 WHERE id = ?"
                " RETURNING last_message, pts",
                (channel,),
            ).fetchone()
            if document is not None:
                row = (document.id, document.size, document.mime_type, document.attributes)
                self._db.execute(
                    "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", (*row, document.dc, document.created)
                )
            message = Message(channel, next_id, sender, now, text, document)
            self._db.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
                (channel, next_id, sender, now, text, document.id if document else None),
            )
        return message, pts

    def was_used(self, account: int, random_id: int) -> bool:
        where = (account, random_id)
        row = self._db.execute("SELECT 1 FROM random_ids WHERE account = ? AND random_id = ?", where)
        return row.fetchone() is not None

    def messages(self, channel: int, ids: Iterable[int]) -> dict[int, Message]:
        """Those of the messages that exist."""
        wanted = list(ids)
        marks = ",".join("?" * len(wanted))
        return {message.id: message for message in self._select(f"AND m.id IN ({marks})", channel, *wanted)}

    def history(self, channel: int, below: int, above: int, limit: int) -> list[Message]:
        """The newest messages with ids below `below` and above `above`, newest first."""
        return self._select(
            "AND m.id < ? AND m.id > ? ORDER BY m.id DESC LIMIT ?", channel, below, above, limit
        )

    def count_messages(self, channel: int) -> int:
        row = self._db.execute("SELECT count(*) FROM messages WHERE channel = ?", (channel,)).fetchone()
        return int(row[0])

    def delete_messages(self, channel: int, ids: Iterable[int]) -> tuple[list[int], int, int]:
        """Forget messages: the documents that nothing refers to any more, how many there were, and the new pts."""
        with self.transaction():
            found = self.messages(channel, ids)
            for message in found.values():
                self._db.execute("DELETE FROM messages WHERE channel = ? AND id = ?", (channel, message.id))
            orphans = [message.document.id for message in found.values() if message.document]
            self._db.executemany("DELETE FROM documents WHERE id = ?", [(orphan,) for orphan in orphans])
            (pts,) = self._db.execute(
                "UPDATE channels SET pts = pts + ? WHERE id = ? RETURNING pts", (len(found), channel)
            ).fetchone()
        return orphans, len(found), int(pts)

    def document(self, document: int) -> Document | None:
        row = self._db.execute("SELECT * FROM documents WHERE id = ?", (document,)).fetchone()
        return None if row is None else Document(*row)

    def document_ids(self) -> set[int]:
        return {row[0] for row in self._db.execute("SELECT id FROM documents")}

    def move_documents(self, dc: int) -> None:
        self._db.execute("UPDATE documents SET dc = ?", (dc,))

    def _select(self, condition: str, *values: int) -> list[Message]:
        rows = self._db.execute(
            "SELECT m.channel, m.id, m.sender, m.sent, m.text,"
            " d.id, d.size, d.mime_type, d.attributes, d.dc, d.created"
            " FROM messages m LEFT JOIN documents d ON d.id = m.document WHERE m.channel = ? " + condition,
            values,
        )
        return [_message_of(row) for row in rows]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block is kept or nothing. Inside another one it is a part of that."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _key_of(row: tuple[Any, ...]) -> AuthKey:
    key_id, dc, key, account, is_inited, verdict = row
    return AuthKey(key_id, dc, key, account, bool(is_inited), verdict)


def _channel_of(row: tuple[Any, ...]) -> Channel:
    channel = Channel(*row)
    return replace(channel, is_broadcast=bool(channel.is_broadcast), is_deleted=bool(channel.is_deleted))


def _message_of(row: tuple[Any, ...]) -> Message:
    channel, number, sender, sent, text, *document = row
    return Message(
        channel, number, sender, sent, text, Document(*document) if document[0] is not None else None
    )
