"""Passwords, which people choose: a slow hash, bounded in parallel. The home of argon2; it never sees a name."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from errors import AtCapacity, BadInput

PARALLEL_HASHES = 2
"""One argon2 hash takes 64 MiB: this bounds what a flood of sign-ins can cost."""
MAX_SIGNING_IN = 6
"""Sign-ins under way, waiting ones too. Fewer than the threads for pages, which a flood of them would all hold."""
HASH_WAIT = 10.0
"""Seconds that a sign-in waits for its turn."""
MIN_PASSWORD = 8
MAX_PASSWORD = 1024
TOKEN_PREFIX = "stw_"
"""What API tokens begin with, and passwords never: so a token, good or bad, is told apart without a hash."""
TOO_MANY = "Too many people are signing in at this moment. Try again in a few seconds."


def _like_a_hash(hasher: PasswordHasher) -> str:
    """What no password hashes to, in argon2's form: as much work to check as any, none to make, at every start."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
        for size in (hasher.salt_len, hasher.hash_len)
    )
    return (
        f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"
    )


def stamp(stored: str) -> str:
    """What changes with the password that `stored` was made of, and tells nothing of it: for what is signed."""
    return hashlib.sha256(stored.encode()).hexdigest()[:16]


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._queue = BoundedSemaphore(MAX_SIGNING_IN)
        self._turns = BoundedSemaphore(PARALLEL_HASHES)
        self.nobodys = _like_a_hash(self._hasher)
        """Checked for unknown names, so that they take as long as known ones."""

    def hash(self, password: str, least: int = MIN_PASSWORD) -> str:
        """Raises BadInput for one that will not do, as one of fewer than `least` characters; AtCapacity."""
        if not least <= len(password) <= MAX_PASSWORD:
            raise BadInput(f"A password has {least} to {MAX_PASSWORD} characters.")
        if password.startswith(TOKEN_PREFIX):
            raise BadInput(f"A password cannot begin with {TOKEN_PREFIX}, as tokens do.")
        with self._turn():
            try:
                return self._hasher.hash(password)
            except UnicodeEncodeError:
                raise BadInput("The password is not valid Unicode.") from None

    def fits(self, stored: str, password: str) -> bool:
        """Whether this is the password that `stored` was made of. Raises AtCapacity when too many ask at once."""
        with self._turn():
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise AtCapacity(TOO_MANY)
        try:
            if not self._turns.acquire(timeout=HASH_WAIT):
                raise AtCapacity(TOO_MANY)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._queue.release()
