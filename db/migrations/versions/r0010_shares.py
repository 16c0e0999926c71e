"""Files and folders are given to others by a link."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("token", sa.Text(), nullable=False, unique=True),
        _belongs_to("owner_id", "users.id", index=True),
        _belongs_to("node_id", "nodes.id", index=True),
        sa.Column("password_hash", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("max_downloads", sa.BigInteger()),
        sa.Column("rate_limit_kb", sa.BigInteger()),
        sa.Column("max_connections", sa.BigInteger()),
        sa.Column("downloads", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("last_used_at", TIME),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "share_downloads",
        _belongs_to("share_id", "shares.id", primary_key=True),
        sa.Column("network", sa.Text(), primary_key=True),
        sa.Column("node_id", BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False, index=True),
    )


def _belongs_to(name: str, key: str, *, index: bool = False, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        name,
        BIG_ID,
        sa.ForeignKey(key, ondelete="CASCADE"),
        nullable=False,
        index=index,
        primary_key=primary_key,
        autoincrement=False,
    )
