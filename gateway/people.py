"""Who may come in: users, their sessions and their API tokens. The home of argon2.

A secret is shown once and kept only as a digest: argon2id for passwords, which people choose; SHA-256 for sessions and
tokens, which are 256 random bits and need no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

import names
from db import Database
from db.people import People as Rows
from errors import AtCapacity, BadInput, NotFound, NotSignedIn
from model import Token, User

SESSION_LIFE = timedelta(days=30)
TOKEN_PREFIX = "stw_"
PARALLEL_HASHES = 2
"""One argon2 hash takes 64 MiB: this bounds what a flood of sign-ins can cost."""
MAX_SIGNING_IN = 6
"""Sign-ins under way, waiting ones too. Fewer than the threads for pages, which a flood of them would all hold."""
HASH_WAIT = 10.0
"""Seconds that a sign-in waits for its turn."""
_TOO_MANY = "Too many people are signing in at this moment. Try again in a few seconds."
MIN_PASSWORD = 8
MAX_PASSWORD = 1024


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _like_a_hash(hasher: PasswordHasher) -> str:
    """What no password hashes to, in argon2's form: as much work to check as any, none to make, at every start."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
        for size in (hasher.salt_len, hasher.hash_len)
    )
    return (
        f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"
    )


class People:
    def __init__(self, database: Database) -> None:
        self._rows = Rows(database)
        self._hasher = PasswordHasher()
        self._queue = BoundedSemaphore(MAX_SIGNING_IN)
        self._turns = BoundedSemaphore(PARALLEL_HASHES)
        self._nobody = _like_a_hash(self._hasher)
        """Checked for unknown names, so that they take as long as known ones."""

    def sign_in(self, username: str, password: str) -> tuple[User, str]:
        """The user and the secret of a new session. Raises NotSignedIn, or AtCapacity when too many sign in at once."""
        user = self._by_password(username, password)
        if user is None:
            raise NotSignedIn("That name and password do not fit together.")
        secret = secrets.token_urlsafe(32)
        self._rows.add_token(user.id, "session", "browser", _digest(secret), datetime.now(UTC) + SESSION_LIFE)
        return user, secret

    def sign_out(self, secret: str) -> None:
        self._rows.revoke_digest("session", _digest(secret))

    def by_session(self, secret: str) -> User | None:
        return self._rows.by_digest("session", _digest(secret), datetime.now(UTC))

    def by_token(self, secret: str) -> User | None:
        return self._rows.by_digest("api", _digest(secret), datetime.now(UTC))

    def by_password(self, username: str, secret: str) -> User | None:
        """The user of HTTP Basic, where a token may stand in the password's place."""
        if secret.startswith(TOKEN_PREFIX):
            user = self.by_token(secret)
            if user is not None and names.key(user.name) == names.key(username):
                return user
        return self._by_password(username, secret)

    def _by_password(self, username: str, password: str) -> User | None:
        if len(password) > MAX_PASSWORD:
            return None
        known = self._rows.by_name(username)
        user, stored = known if known is not None else (None, self._nobody)
        return user if self._fits(stored, password) else None

    def _fits(self, stored: str, password: str) -> bool:
        if not self._queue.acquire(blocking=False):
            raise AtCapacity(_TOO_MANY)
        try:
            if not self._turns.acquire(timeout=HASH_WAIT):
                raise AtCapacity(_TOO_MANY)
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False
            finally:
                self._turns.release()
        finally:
            self._queue.release()

    def add(self, name: str, password: str, is_admin: bool = False) -> User:
        """Raises BadName or BadInput for a name or password that will not do, Conflict for a name that is taken."""
        return self._rows.add(names.checked(name), self._hash(password), is_admin)

    def all(self) -> tuple[User, ...]:
        return self._rows.all()

    def named(self, name: str) -> User:
        """Raises NotFound."""
        known = self._rows.by_name(name)
        if known is None:
            raise NotFound(f"There is no user {name!r}.")
        return known[0]

    def set_password(self, name: str, password: str) -> None:
        """Also ends the user's sessions. Raises NotFound, BadInput."""
        self._rows.set_password(self.named(name).id, self._hash(password))

    def remove(self, name: str) -> None:
        """Raises NotFound; Conflict while the user still has files."""
        self._rows.remove(self.named(name).id)

    def _hash(self, password: str) -> str:
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise BadInput(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
        try:
            return self._hasher.hash(password)
        except UnicodeEncodeError:
            raise BadInput("The password is not valid Unicode.") from None

    def make_token(self, user: User, name: str, expires_at: datetime | None = None) -> tuple[Token, str]:
        """A new API token and its secret, which is not kept and cannot be shown again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        return self._rows.add_token(user.id, "api", names.checked(name), _digest(secret), expires_at), secret

    def tokens(self, user: User) -> tuple[Token, ...]:
        return self._rows.tokens(user.id)

    def revoke(self, user: User, token_id: int) -> None:
        """Raises NotFound for a token that is not the user's."""
        self._rows.revoke(user.id, token_id)
