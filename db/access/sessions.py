"""Browsers that are signed in. It must never see a session's secret, but its digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from db.connection import Database
from db.happening import events
from db.schema import sessions, users
from errors import NotFound
from model import Client, Session, User

MAX_SESSIONS = 100
"""Of one user; the one that was not used for longest makes room."""
_BY_DIGEST = (
    select(sessions, users.c.name, users.c.is_admin, users.c.created_at.label("since"))
    .join(users)
    .where(sessions.c.digest == bindparam("digest"), sessions.c.expires_at > bindparam("now"))
)
"""Made once: making a statement takes longer than running it, and every request asks this."""


class Sessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user_id: int, digest: bytes, client: Client, now: datetime, expires_at: datetime) -> None:
        """Keep the SHA-256 digest of a new secret."""
        row = {"user_id": user_id, "digest": digest, "address": client.address, "agent": client.agent}
        times = {"created_at": now, "last_used_at": now, "expires_at": expires_at}
        mine = select(sessions.c.id).where(sessions.c.user_id == user_id)
        latest = mine.order_by(sessions.c.last_used_at.desc(), sessions.c.id.desc()).limit(MAX_SESSIONS)
        with self._database.write() as connection:
            connection.execute(insert(sessions), row | times)
            connection.execute(
                delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id.not_in(latest))
            )
            events.note(connection, user_id, "signed_in", now, address=client.address, agent=client.agent)

    def by_digest(self, digest: bytes, now: datetime) -> tuple[User, Session] | None:
        """The session whose secret has this digest, and whose it is, unless it has expired."""
        with self._database.read() as connection:
            row = connection.execute(_BY_DIGEST, {"digest": digest, "now": now}).one_or_none()
        if row is None:
            return None
        return User(row.user_id, row.name, row.is_admin, row.since), _session(row)

    def used(self, uses: Mapping[int, tuple[datetime, datetime]]) -> None:
        """Write down when sessions, by id, were used last, and when they expire now.

        Raises DatabaseUnavailable at once while another writes.
        """
        rows = [{"session": number, "at": at, "until": until} for number, (at, until) in uses.items()]
        used = update(sessions).where(sessions.c.id == bindparam("session"))
        used = used.values(last_used_at=bindparam("at"), expires_at=bindparam("until"))
        with self._database.write(durable=False, patience=0) as connection:
            connection.execute(used, rows)

    def of(self, user_id: int, now: datetime) -> tuple[Session, ...]:
        """The user's, the one used last first."""
        mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at > now)
        with self._database.read() as connection:
            found = connection.execute(mine.order_by(sessions.c.last_used_at.desc(), sessions.c.id.desc()))
            return tuple(_session(row) for row in found)

    def end(self, user_id: int, session_id: int) -> None:
        """Raises NotFound, also for another user's."""
        mine = sessions.c.id == session_id, sessions.c.user_id == user_id
        with self._database.write() as connection:
            if not connection.execute(delete(sessions).where(*mine)).rowcount:
                raise NotFound(f"There is no session with the number {session_id}.")

    def end_digest(self, digest: bytes) -> None:
        """End the session whose secret has this digest, if there is one."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def end_others(self, user_id: int, keep: int | None) -> int:
        """End all of the user's but the one with the id `keep`; how many."""
        others = sessions.c.user_id == user_id, sessions.c.id.is_distinct_from(keep)
        with self._database.write() as connection:
            return connection.execute(delete(sessions).where(*others)).rowcount

    def forget_expired(self, now: datetime) -> None:
        with self._database.write(durable=False) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))


def _session(row: Row[Any]) -> Session:
    client = Client(row.address, row.agent)
    return Session(row.id, client, row.created_at, row.last_used_at, row.expires_at)
