"""How much each user may store, inside somebody's transaction. What is on its way in counts as if it were here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from db.schema import RECEIVING, uploads, users
from errors import OverQuota


def require_room(connection: Connection, user_id: int, more: int, now: datetime) -> None:
    """Raises OverQuota unless `more` bytes may be stored beside what is there and what is being uploaded."""
    quota, used = connection.execute(select(users.c.quota, users.c.used).where(users.c.id == user_id)).one()
    if quota is None or more <= 0:
        return
    coming = select(func.coalesce(func.sum(uploads.c.length - uploads.c.spared), 0)).where(
        uploads.c.owner_id == user_id, uploads.c.state == RECEIVING, uploads.c.expires_at > now
    )
    left = quota - used - connection.execute(coming).scalar_one()
    if more > left:
        raise OverQuota(more, max(left, 0), quota)


def weigh(connection: Connection, user_id: int, found: Row[Any] | None, length: int, now: datetime) -> int:
    """How many bytes of an upload need no room, as it takes the place of the file `found`. Raises OverQuota."""
    spared = _smaller(found, length)
    require_room(connection, user_id, length - spared, now)
    return spared


def weigh_again(connection: Connection, upload: Row[Any], found: Row[Any] | None, now: datetime) -> None:
    """What `weigh` let in stays in, but where the file that spared it room has gone from its place, `found` has to
    spare as much, or there must be room for both. Raises OverQuota.
    """
    require_room(connection, upload.owner_id, upload.spared - _smaller(found, upload.length), now)


def _smaller(found: Row[Any] | None, length: int) -> int:
    return 0 if found is None else min(found.size or 0, length)
