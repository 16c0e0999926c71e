"""What people give others by a link, and who comes by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from model.people import User
from model.tree import Folder, Node

ShareState = Literal["active", "expired", "used_up", "in_bin"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a share allows all its visitors together. None is no bound; `rate_limit_kb` in 1000 bytes per second."""

    expires_at: datetime | None = None
    max_downloads: int | None = None
    rate_limit_kb: int | None = None
    max_connections: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A file or folder that is open to whoever has the token. `node` is the owner's, with an empty path when it is in
    the bin.
    """

    id: int
    token: str = field(repr=False)
    owner: User
    node: Node
    password_hash: str | None = field(repr=False)
    terms: Terms
    created_at: datetime
    downloads: int
    last_used_at: datetime | None

    @property
    def used_up(self) -> bool:
        return self.terms.max_downloads is not None and self.downloads >= self.terms.max_downloads

    def state(self, now: datetime) -> ShareState:
        if not self.node.path:
            return "in_bin"
        if self.terms.expires_at is not None and now >= self.terms.expires_at:
            return "expired"
        return "used_up" if self.used_up else "active"


@dataclass(frozen=True, slots=True)
class SharePage:
    """Some of an owner's shares, the latest first; `next` is the cursor of the page after it."""

    items: tuple[Share, ...]
    next: str | None


Trail = tuple[tuple[int, str], ...]
"""Id and name of each node on the way from the shared one to another, both included."""


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """One page of a folder that is shared, or lies in one that is. Paths begin at the shared folder.

    `files`, `folders` and `size` (bytes) are of what lies in the folder itself, on all its pages.
    """

    folder: Folder
    trail: Trail
    items: tuple[Node, ...]
    next: str | None
    files: int
    folders: int
    size: int
