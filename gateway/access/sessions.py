"""Browsers that are signed in. How a person proves who they are is none of its business.

A session ends when it was not used for IDLE_LIFE, and in any case after LIFE.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from db import Database
from db.access.sessions import Sessions as Rows
from gateway.access.people import digest
from gateway.access.uses import Uses
from model import Client, Session, User

LIFE = timedelta(days=30)
IDLE_LIFE = timedelta(days=7)


class Sessions:
    def __init__(self, database: Database) -> None:
        self._rows = Rows(database)
        self._uses = Uses(self._rows.used)

    def open(self, user: User, client: Client) -> str:
        """The secret of a new session."""
        secret, now = secrets.token_urlsafe(32), datetime.now(UTC)
        self._rows.add(user.id, digest(secret), client, now, now + IDLE_LIFE)
        return secret

    def by_secret(self, secret: str) -> tuple[User, Session] | None:
        now = datetime.now(UTC)
        found = self._rows.by_digest(digest(secret), now)
        if found is not None:
            session = found[1]
            self._uses.note(session.id, (now, min(now + IDLE_LIFE, session.created_at + LIFE)))
        return found

    def of(self, user: User) -> tuple[Session, ...]:
        """The user's, the one used last first."""
        self.keep_uses()
        return self._rows.of(user.id, datetime.now(UTC))

    def end(self, user: User, session_id: int) -> None:
        """Raises NotFound for one that is not the user's."""
        self._rows.end(user.id, session_id)

    def end_others(self, user: User, keep: int | None) -> int:
        """End all of the user's but the one with the id `keep`; how many."""
        return self._rows.end_others(user.id, keep)

    def sign_out(self, secret: str) -> None:
        self._rows.end_digest(digest(secret))

    def keep_uses(self) -> None:
        """Write down when sessions were used, as far as the database is free."""
        self._uses.keep()

    def forget_expired(self) -> None:
        self._rows.forget_expired(datetime.now(UTC))
