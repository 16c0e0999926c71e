"""Users, their sessions and API tokens. It must never see a password or a secret, but what was made of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, or_, select, update

import names
from db import nodes as rows
from db.connection import Database
from db.schema import RECEIVING, nodes, tokens, uploads, users
from db.uploads import give_up
from errors import BadName, Conflict, DatabaseUnavailable, NotFound, OutOfSpace
from model import Token, User

TokenKind = Literal["session", "api"]
TOUCH_EVERY = timedelta(minutes=1)
"""How old `last_used_at` may be before a use is written down again."""


class People:
    """Who may come in. Names are unique by names.key: `Ann` and `ann` are one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, password_hash: str, is_admin: bool = False) -> User:
        """A new user, with an empty top folder. Raises BadName, and Conflict when the name is taken."""
        name = names.checked(name)
        now = self._database.now()
        key = names.key(name)
        row = {
            "name": name,
            "name_key": key,
            "password_hash": password_hash,
            "is_admin": is_admin,
            "created_at": now,
        }
        with self._database.write() as connection:
            if connection.execute(select(users.c.id).where(users.c.name_key == key)).first():
                raise Conflict(f"There is a user called {name!r} already.")
            user = connection.execute(insert(users).returning(users), row).one()
            rows.insert_root(connection, user.id, now)
            return _user(user)

    def by_name(self, name: str) -> tuple[User, str] | None:
        """The user of this name, in any case, and the password hash; None for one that nobody could have."""
        with suppress(BadName):
            return self._by_key(names.key(names.checked(name)))
        return None

    def _by_key(self, key: str) -> tuple[User, str] | None:
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.name_key == key)).one_or_none()
        return None if row is None else (_user(row), row.password_hash)

    def all(self) -> tuple[User, ...]:
        """Everybody, by name."""
        with self._database.read() as connection:
            return tuple(_user(row) for row in connection.execute(select(users).order_by(users.c.name_key)))

    def set_password(self, user_id: int, password_hash: str) -> None:
        """A new password; it ends all sessions and leaves API tokens. Raises NotFound."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(users).where(users.c.id == user_id).values(password_hash=password_hash)
            )
            if not changed.rowcount:
                raise NotFound("There is no such user.")
            connection.execute(delete(tokens).where(tokens.c.user_id == user_id, tokens.c.kind == "session"))

    def remove(self, user_id: int, *, with_files: bool = False) -> None:
        """Take out the user with all sessions, tokens and uploads.

        Raises NotFound, and Conflict while there are files or folders, unless told that they go too.
        """
        now = self._database.now()
        with self._database.write() as connection:
            root = rows.root(connection, user_id)
            in_it = select(nodes.c.id).where(nodes.c.parent_id == root.id).limit(1)
            if not with_files and connection.execute(in_it).first():
                raise Conflict("The user still has files. Remove them first, or say that they are to go too.")
            under_way = select(uploads.c.id).where(
                uploads.c.owner_id == user_id, uploads.c.state == RECEIVING
            )
            for upload_id in connection.execute(under_way).scalars().all():
                give_up(connection, upload_id, now)
            rows.remove(connection, root.id, now)
            connection.execute(delete(users).where(users.c.id == user_id))

    def add_token(
        self, user_id: int, kind: TokenKind, name: str, digest: bytes, expires_at: datetime | None
    ) -> Token:
        """Keep the SHA-256 digest of a new secret; without `expires_at` it lasts until revoked."""
        row = {"user_id": user_id, "kind": kind, "name": name, "digest": digest, "expires_at": expires_at}
        with self._database.write() as connection:
            added = connection.execute(
                insert(tokens).returning(tokens), row | {"created_at": self._database.now()}
            )
            return _token(added.one())

    def by_digest(self, kind: TokenKind, digest: bytes, now: datetime) -> User | None:
        """Whose secret has this digest, unless it has expired. Its use is noted, once in TOUCH_EVERY."""
        mine = tokens.c.kind == kind, tokens.c.digest == digest
        lasting = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
        whose = select(users, tokens.c.id.label("token_id"), tokens.c.last_used_at)
        with self._database.read() as connection:
            row = connection.execute(whose.join(tokens).where(*mine, lasting)).one_or_none()
        if row is None:
            return None
        if row.last_used_at is None or now - row.last_used_at >= TOUCH_EVERY:
            self._touch(row.token_id, now)
        return _user(row)

    def _touch(self, token_id: int, now: datetime) -> None:
        # Nobody is kept out, nor waiting, because a note of the time could not be written.
        with (
            suppress(DatabaseUnavailable, OutOfSpace),
            self._database.write(durable=False, patience=0) as connection,
        ):
            connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=now))

    def tokens(self, user_id: int) -> tuple[Token, ...]:
        """The user's API tokens, oldest first; not the sessions."""
        mine = select(tokens).where(tokens.c.user_id == user_id, tokens.c.kind == "api").order_by(tokens.c.id)
        with self._database.read() as connection:
            return tuple(_token(row) for row in connection.execute(mine))

    def revoke(self, user_id: int, token_id: int) -> None:
        """End the user's token. Raises NotFound, also for another user's."""
        with self._database.write() as connection:
            ended = connection.execute(
                delete(tokens).where(tokens.c.id == token_id, tokens.c.user_id == user_id)
            )
            if not ended.rowcount:
                raise NotFound(f"There is no token with the number {token_id}.")

    def revoke_digest(self, kind: TokenKind, digest: bytes) -> None:
        """End the token or session whose secret has this digest, if there is one."""
        with self._database.write() as connection:
            connection.execute(delete(tokens).where(tokens.c.kind == kind, tokens.c.digest == digest))

    def forget_expired(self, now: datetime) -> None:
        """Drop tokens and sessions that have expired."""
        with self._database.write(durable=False) as connection:
            connection.execute(delete(tokens).where(tokens.c.expires_at <= now))


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, row.is_admin, row.created_at)


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.name, row.created_at, row.last_used_at, row.expires_at)
