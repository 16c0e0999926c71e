"""How much each user may store, inside somebody's transaction. What is on its way in counts as if it were here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from db.schema import RECEIVING, uploads, users
from errors import OverQuota


def require_room(connection: Connection, user_id: int, more: int, now: datetime) -> None:
    """Raises OverQuota unless `more` bytes may be stored beside what is there and what is being uploaded."""
    quota, used = connection.execute(select(users.c.quota, users.c.used).where(users.c.id == user_id)).one()
    if quota is None or more <= 0:
        return
    coming = select(func.coalesce(func.sum(uploads.c.length), 0)).where(
        uploads.c.owner_id == user_id, uploads.c.state == RECEIVING, uploads.c.expires_at > now
    )
    left = quota - used - connection.execute(coming).scalar_one()
    if more > left:
        raise OverQuota(more, max(left, 0), quota)
