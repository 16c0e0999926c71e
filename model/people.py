"""Who may come in, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    is_admin: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user, and what they store: `used` bytes in `files`, of at most `quota`; None is no bound."""

    user: User
    quota: int | None
    used: int
    files: int


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret, which is shown once and kept only as a digest."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end of a request: an address, and what the program calls itself, shortened."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in, without its secret. `client` is who opened it."""

    id: int
    client: Client
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
