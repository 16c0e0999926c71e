"""What happened, for those who watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Happening = Literal[
    "file_available",
    "folder_made",
    "moved",
    "copied",
    "removed",
    "restored",
    "damaged",
    "prepared",
    "shared",
    "share_changed",
    "unshared",
    "signed_in",
    "sign_in_failed",
    "password_changed",
    "user_added",
    "user_changed",
    "user_removed",
]
"""The types of event; docs/http-api.md says what each tells."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change that is done. Ids grow in the order of the changes; `about` is what its type tells, as JSON would."""

    id: int
    type: Happening
    at: datetime
    user_id: int | None
    """Whose it is: who may see it, besides admins. None for nobody's, as a sign-in by a name that no user has."""
    user: str | None
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """The events after a place in their line, oldest first. Go on from `last`.

    With `reset` they are not all that happened since: what was built from earlier ones is to be loaded anew.
    """

    events: tuple[Event, ...]
    last: int
    reset: bool
