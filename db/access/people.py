"""Users, what they may store, their API tokens, and where they sign in from. It must never see a
secret, but what was made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import EllipsisType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

import names
from db.background.jobs import cancel_all
from db.connection import Database
from db.happening import events
from db.incoming.uploads import give_up
from db.schema import BIN, RECEIVING, TREE, known_networks, nodes, sessions, tokens, uploads, users
from db.tree import nodes as rows
from errors import BadName, Conflict, NotFound
from model import Account, Token, User

MAX_NETWORKS = 64
"""That are remembered of one user."""
_BY_TOKEN = (
    select(users, tokens.c.id.label("token_id"))
    .join(tokens)
    .where(
        tokens.c.digest == bindparam("digest"),
        or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > bindparam("now")),
    )
)
"""Made once: making a statement takes longer than running it, and every request asks this."""


class People:
    """Who may come in. Names are unique by names.key: `Ann` and `ann` are one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, password_hash: str, is_admin: bool = False, quota: int | None = None) -> User:
        """A new user, with an empty top folder. Raises BadName, and Conflict when the name is taken."""
        name = names.checked(name)
        now = self._database.now()
        key = names.key(name)
        row = {
            "name": name,
            "name_key": key,
            "password_hash": password_hash,
            "is_admin": is_admin,
            "quota": quota,
            "created_at": now,
        }
        with self._database.write() as connection:
            if connection.execute(select(users.c.id).where(users.c.name_key == key)).first():
                raise Conflict(f"There is a user called {name!r} already.")
            user = connection.execute(insert(users).returning(users), row).one()
            rows.insert_tops(connection, user.id, now)
            events.note(connection, user.id, "user_added", now, name=name)
            return _user(user)

    def by_name(self, name: str) -> tuple[User, str] | None:
        """The user of this name, in any case, and the password hash; None for one that nobody could have."""
        with suppress(BadName):
            return self._one(users.c.name_key == names.key(names.checked(name)))
        return None

    def by_id(self, user_id: int) -> tuple[User, str] | None:
        """The same, by the user's id."""
        return self._one(users.c.id == user_id)

    def _one(self, condition: ColumnElement[bool]) -> tuple[User, str] | None:
        with self._database.read() as connection:
            row = connection.execute(select(users).where(condition)).one_or_none()
        return None if row is None else (_user(row), row.password_hash)

    def all(self) -> tuple[User, ...]:
        """Everybody, by name."""
        with self._database.read() as connection:
            return tuple(_user(row) for row in connection.execute(select(users).order_by(users.c.name_key)))

    def accounts(self) -> tuple[Account, ...]:
        """Everybody with what they store, by name."""
        with self._database.read() as connection:
            return tuple(map(_account, connection.execute(select(users).order_by(users.c.name_key))))

    def account(self, user_id: int) -> Account:
        """Raises NotFound."""
        with self._database.read() as connection:
            return _account(_row(connection, user_id))

    def set_password(self, user_id: int, password_hash: str, *, keep: int | None = None) -> int:
        """A new password. It ends all sessions but the one with the id `keep`, and leaves API tokens.

        How many sessions it ended. Raises NotFound.
        """
        with self._database.write() as connection:
            _row(connection, user_id)
            return _set_password(connection, user_id, password_hash, keep, self._database.now())

    def change(
        self,
        user_id: int,
        *,
        password_hash: str | None = None,
        is_admin: bool | None = None,
        quota: int | EllipsisType | None = ...,
    ) -> Account:
        """An admin's change of what is given: a password as by `set_password`, the quota also to None.

        Raises NotFound, and Conflict when no admin would be left.
        """
        now = self._database.now()
        with self._database.write() as connection:
            _row(connection, user_id)
            if is_admin is False:
                _require_another_admin(connection, user_id)
            if password_hash is not None:
                _set_password(connection, user_id, password_hash, None, now)
            given: dict[str, Any] = {} if is_admin is None else {"is_admin": is_admin}
            given |= {} if quota is ... else {"quota": quota}
            if given:
                connection.execute(update(users).where(users.c.id == user_id).values(given))
                events.note(connection, user_id, "user_changed", now, **given)
            return _account(_row(connection, user_id))

    def remove(self, user_id: int) -> None:
        """Take out the user with all sessions, tokens and uploads, and with the bin, from which nobody could restore.
        Jobs are cancelled, and stay until what they made is thrown away.

        Raises NotFound; Conflict for the last admin, and while there are files or folders.
        """
        now = self._database.now()
        with self._database.write() as connection:
            user = _row(connection, user_id)
            tree, bin_ = (rows.root(connection, user_id, which).id for which in (TREE, BIN))
            if user.is_admin:
                _require_another_admin(connection, user_id)
            if connection.execute(select(nodes.c.id).where(nodes.c.parent_id == tree).limit(1)).first():
                raise Conflict("The user still has files or folders. They have to be deleted first.")
            under_way = select(uploads.c.id).where(
                uploads.c.owner_id == user_id, uploads.c.state == RECEIVING
            )
            for upload_id in connection.execute(under_way).scalars().all():
                give_up(connection, upload_id, now)
            for top in (tree, bin_):
                rows.remove(connection, top, now)
            cancel_all(connection, user_id, now)
            connection.execute(delete(users).where(users.c.id == user_id))
            events.note(connection, user_id, "user_removed", now, name=user.name)

    def add_token(self, user_id: int, name: str, digest: bytes, expires_at: datetime | None) -> Token:
        """Keep the SHA-256 digest of a new secret; without `expires_at` it lasts until revoked."""
        row = {"user_id": user_id, "name": name, "digest": digest, "expires_at": expires_at}
        with self._database.write() as connection:
            added = connection.execute(
                insert(tokens).returning(tokens), row | {"created_at": self._database.now()}
            )
            return _token(added.one())

    def by_token(self, digest: bytes, now: datetime) -> tuple[User, int] | None:
        """Whose token has this digest, and its id, unless it has expired."""
        with self._database.read() as connection:
            row = connection.execute(_BY_TOKEN, {"digest": digest, "now": now}).one_or_none()
        return None if row is None else (_user(row), row.token_id)

    def tokens_used(self, uses: Mapping[int, datetime]) -> None:
        """Write down when tokens, by id, were used last. Raises DatabaseUnavailable at once while another writes."""
        rows = [{"token": token_id, "at": at} for token_id, at in uses.items()]
        used = update(tokens).where(tokens.c.id == bindparam("token")).values(last_used_at=bindparam("at"))
        with self._database.write(durable=False, patience=0) as connection:
            connection.execute(used, rows)

    def tokens(self, user_id: int) -> tuple[Token, ...]:
        """The user's API tokens, oldest first."""
        mine = select(tokens).where(tokens.c.user_id == user_id).order_by(tokens.c.id)
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

    def seen_from(self, user_id: int, network: str) -> datetime | None:
        """When the user last signed in from this network; None for never, or too long ago to be remembered."""
        there = known_networks.c.user_id == user_id, known_networks.c.network == network
        with self._database.read() as connection:
            return connection.execute(
                select(known_networks.c.last_seen_at).where(*there)
            ).scalar_one_or_none()

    def note_network(self, user_id: int, network: str) -> None:
        """The user has signed in from there. The one that was not used for longest makes room."""
        now = self._database.now()
        row = upsert(known_networks).values(user_id=user_id, network=network, last_seen_at=now)
        row = row.on_conflict_do_update(index_elements=["user_id", "network"], set_={"last_seen_at": now})
        mine = select(known_networks.c.network).where(known_networks.c.user_id == user_id)
        latest = mine.order_by(known_networks.c.last_seen_at.desc()).limit(MAX_NETWORKS)
        with self._database.write() as connection:
            connection.execute(row)
            connection.execute(
                delete(known_networks).where(
                    known_networks.c.user_id == user_id, known_networks.c.network.not_in(latest)
                )
            )

    def forget_expired(self, now: datetime, networks_before: datetime) -> None:
        """Drop tokens that have expired, and networks that nobody signed in from since `networks_before`."""
        with self._database.write(durable=False) as connection:
            connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
            connection.execute(delete(known_networks).where(known_networks.c.last_seen_at < networks_before))


def _row(connection: Connection, user_id: int) -> Row[Any]:
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no user with the number {user_id}.")
    return row


def _require_another_admin(connection: Connection, user_id: int) -> None:
    others = select(users.c.id).where(users.c.is_admin, users.c.id != user_id).limit(1)
    if connection.execute(others).first() is None:
        raise Conflict("This is the last admin. Make another user an admin first.")


def _set_password(
    connection: Connection, user_id: int, password_hash: str, keep: int | None, now: datetime
) -> int:
    connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))
    others = sessions.c.user_id == user_id, sessions.c.id.is_distinct_from(keep)
    ended = connection.execute(delete(sessions).where(*others)).rowcount
    events.note(connection, user_id, "password_changed", now)
    return ended


def _account(row: Row[Any]) -> Account:
    return Account(_user(row), row.quota, row.used, row.files)


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, row.is_admin, row.created_at)


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.name, row.created_at, row.last_used_at, row.expires_at)
