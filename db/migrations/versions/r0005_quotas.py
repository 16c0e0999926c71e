"""Quotas, and what each user has stored, which triggers count (docs/decisions/quotas.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNT = """CREATE TRIGGER {name} AFTER {event} ON nodes WHEN {row}.content_id IS NOT NULL BEGIN
    UPDATE users SET files = files {sign} 1,
        used = used {sign} (SELECT size FROM contents WHERE id = {row}.content_id)
    WHERE id = {row}.owner_id;
END"""


def upgrade() -> None:
    op.add_column("users", sa.Column("quota", sa.BigInteger()))
    for name in ("files", "used"):
        op.add_column("users", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute(
        """UPDATE users SET (files, used) =
        (SELECT count(*), coalesce(sum(contents.size), 0)
         FROM nodes JOIN contents ON contents.id = nodes.content_id WHERE nodes.owner_id = users.id)"""
    )
    _count("nodes_counted", "INSERT", "NEW", "+")
    _count("nodes_uncounted", "DELETE", "OLD", "-")
    _count("nodes_recounted_new", "UPDATE OF content_id", "NEW", "+")
    _count("nodes_recounted_old", "UPDATE OF content_id", "OLD", "-")


def _count(name: str, event: str, row: str, sign: str) -> None:
    op.execute(COUNT.format(name=name, event=event, row=row, sign=sign))
