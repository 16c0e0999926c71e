"""Who may come in: users and their API tokens.

A secret is shown once and kept only as a digest: a slow one for passwords, which people choose; SHA-256 for tokens,
which are 256 random bits, so that checking one waits for nobody's password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import EllipsisType

import names
from db import Database
from db.access.people import People as Rows
from db.happening.events import Events
from errors import BadName, DatabaseUnavailable, Forbidden, NotFound, OutOfSpace
from gateway.access.answers import Answers
from gateway.access.failures import Failures
from gateway.access.passwords import MAX_PASSWORD, TOKEN_PREFIX, Passwords, stamp
from gateway.access.slowdown import Slowdown, network
from gateway.access.uses import Uses
from model import Account, Client, Token, User

KNOWN_FOR = timedelta(days=90)
"""How long a network counts as one that the user signs in from."""
NOTED_EVERY = timedelta(days=1)
"""How old the note of that may be before it is written again."""


def digest(secret: str) -> bytes:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class People:
    def __init__(self, database: Database, passwords: Passwords, answers: Answers) -> None:
        self._rows = Rows(database)
        self._passwords = passwords
        self._answers = answers
        self._slowdown = Slowdown()
        self._uses = Uses(self._rows.tokens_used)
        self._failures = Failures(Events(database))

    def by_password(self, username: str, secret: str, client: Client) -> User | None:
        """The user of this name and password, in whose place a token may stand; None when they do not fit together.

        Raises TooManyGuesses, and AtCapacity when too many sign in at once; neither where a token is given.
        """
        if not secret.startswith(TOKEN_PREFIX):
            return self._by_password(username, secret, client)
        user = self.by_token(secret)
        return user if user is not None and names.key(user.name) == names.key(username) else None

    def _by_password(self, username: str, password: str, client: Client) -> User | None:
        if len(password) > MAX_PASSWORD:
            return None
        known, place = self._rows.by_name(username), network(client.address)
        user, stored = known if known is not None else (None, self._passwords.nobodys)

        def ask() -> bool:
            right = self._guess(username, user, stored, password, place)
            if not right:
                self._failures.note(user, client)
            return right

        # With the stored hash in the question, an answer ends when the password changes or the user goes. With the
        # place, who guesses does not hear, past all slowing down, what somebody elsewhere got right a moment ago.
        return user if self._answers.to(username, stored, password, place, ask=ask) else None

    def _guess(self, username: str, user: User | None, stored: str, password: str, place: str) -> bool:
        now = datetime.now(UTC)
        seen = self._rows.seen_from(user.id, place) if user is not None else None
        known = seen is not None and now - seen < KNOWN_FOR
        right = self._slowdown.guess(
            _account(username), place, known, lambda: self._passwords.fits(stored, password)
        )
        if right and user is not None and (seen is None or now - seen >= NOTED_EVERY):
            with suppress(DatabaseUnavailable, OutOfSpace):  # nobody is kept out because of a note
                self._rows.note_network(user.id, place)
        return right

    def add(self, name: str, password: str, is_admin: bool = False, quota: int | None = None) -> User:
        """Raises BadName or BadInput for a name or password that will not do, Conflict for a name that is taken.

        `quota` is in bytes; None is no bound.
        """
        return self._rows.add(names.checked(name), self._passwords.hash(password), is_admin, quota)

    def account(self, user_id: int) -> Account:
        """Raises NotFound."""
        return self._rows.account(user_id)

    def accounts(self) -> tuple[Account, ...]:
        """Everybody with what they store, by name."""
        return self._rows.accounts()

    def change(
        self,
        user_id: int,
        *,
        password: str | None = None,
        is_admin: bool | None = None,
        quota: int | EllipsisType | None = ...,
    ) -> Account:
        """An admin's change of what is given; a new password ends the user's sessions.

        Raises NotFound; BadInput for a password that will not do; Conflict when no admin would be left.
        """
        stored = None if password is None else self._passwords.hash(password)
        return self._rows.change(user_id, password_hash=stored, is_admin=is_admin, quota=quota)

    def all(self) -> tuple[User, ...]:
        return self._rows.all()

    def named(self, name: str) -> User:
        """Raises NotFound."""
        known = self._rows.by_name(name)
        if known is None:
            raise NotFound(f"There is no user {name!r}.")
        return known[0]

    def set_password(self, name: str, password: str) -> int:
        """Also ends the user's sessions; how many. Raises NotFound, BadInput."""
        return self._rows.set_password(self.named(name).id, self._passwords.hash(password))

    def change_password(self, user: User, old: str, new: str, client: Client, session: int | None) -> int:
        """The user's own change. Ends all sessions but the one it is made in; how many.

        Raises Forbidden for a wrong old password, which counts as a guess; BadInput for a new one that will not do.
        """
        if self._by_password(user.name, old, client) is None:
            raise Forbidden("The old password is wrong.")
        return self._rows.set_password(user.id, self._passwords.hash(new), keep=session)

    def remove(self, user_id: int) -> None:
        """Raises NotFound; Conflict for the last admin, and while the user still has files; the bin goes too."""
        self._rows.remove(user_id)

    def make_token(self, user: User, name: str, expires_at: datetime | None = None) -> tuple[Token, str]:
        """A new API token and its secret, which is not kept and cannot be shown again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        return self._rows.add_token(user.id, names.checked(name), digest(secret), expires_at), secret

    def by_token(self, secret: str) -> User | None:
        now = datetime.now(UTC)
        found = self._rows.by_token(digest(secret), now)
        if found is None:
            return None
        user, token_id = found
        self._uses.note(token_id, now)
        return user

    def stamp(self, user: User) -> str:
        """What changes with the user's password, and tells nothing of it."""
        known = self._rows.by_id(user.id)
        if known is None:
            raise NotFound("There is no such user.")
        return stamp(known[1])

    def stamped(self, user_id: int, given: str) -> User | None:
        """The user of this id, if the password is still the one of this stamp."""
        known = self._rows.by_id(user_id)
        return known[0] if known is not None and hmac.compare_digest(stamp(known[1]), given) else None

    def tokens(self, user: User) -> tuple[Token, ...]:
        self.keep_uses()
        return self._rows.tokens(user.id)

    def revoke(self, user: User, token_id: int) -> None:
        """Raises NotFound for a token that is not the user's."""
        self._rows.revoke(user.id, token_id)

    def keep_uses(self) -> None:
        """Write down when tokens were used, as far as the database is free."""
        self._uses.keep()

    def forget_expired(self) -> None:
        """Tokens that are over, and networks that nobody signed in from for long."""
        now = datetime.now(UTC)
        self._rows.forget_expired(now, now - KNOWN_FOR)


def _account(username: str) -> str:
    """One for all spellings of a name, and one for all names that nobody could have."""
    try:
        return names.key(names.checked(username))
    except BadName:
        return ""
