"""Totals per file and user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _totals("file_totals", "file_id", "nodes.id", ("downloads", "bytes_sent"))
    _totals("user_totals", "user_id", "users.id", ("downloads", "bytes_sent", "uploads", "bytes_received"))


def _totals(table: str, key: str, owner: str, sums: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column(
            key, BIG_ID, sa.ForeignKey(owner, ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
    )
