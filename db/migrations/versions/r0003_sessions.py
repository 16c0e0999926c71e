"""Sessions and the addresses people sign in from have tables of their own. Everybody signs in once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TOKEN = "id, user_id, name, digest, created_at, last_used_at, expires_at"


def upgrade() -> None:
    _tokens()
    op.create_table(
        "sessions",
        sa.Column("id", BIG_ID, primary_key=True),
        _owner(index=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "known_networks",
        _owner(primary_key=True),
        sa.Column("network", sa.Text(), primary_key=True),
        sa.Column("last_seen_at", TIME, nullable=False),
    )


def _tokens() -> None:
    """Without the kind that told sessions apart. SQLite cannot drop a column that a CHECK names: a new table."""
    op.drop_index("ix_tokens_user_id", "tokens")
    op.rename_table("tokens", "old_tokens")
    op.create_table(
        "tokens",
        sa.Column("id", BIG_ID, primary_key=True),
        _owner(index=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME),
        sa.Column("expires_at", TIME),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO tokens ({TOKEN}) SELECT {TOKEN} FROM old_tokens WHERE kind = 'api'")
    op.drop_table("old_tokens")


def _owner(*, index: bool = False, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "user_id",
        BIG_ID,
        sa.ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        index=index,
        primary_key=primary_key,
    )
