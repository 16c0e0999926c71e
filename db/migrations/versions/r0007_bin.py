"""Each user has a second top folder, the bin, and what lies in it can be restored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TOP = sa.text("parent_id IS NULL")


def upgrade() -> None:
    op.drop_index("ix_nodes_one_root", "nodes")
    op.create_index(
        "ix_nodes_tops",
        "nodes",
        ["owner_id", "name_key"],
        unique=True,
        sqlite_where=TOP,
        postgresql_where=TOP,
    )
    op.execute(
        """INSERT INTO nodes (owner_id, kind, name, name_key, name_bytes, created_at, modified_at)
        SELECT owner_id, 0, '', 'bin', 0, created_at, created_at FROM nodes WHERE parent_id IS NULL"""
    )
    op.create_table(
        "binned",
        sa.Column(
            "node_id",
            BIG_ID,
            sa.ForeignKey("nodes.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("owner_id", BIG_ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Index(None, "owner_id", "deleted_at", "node_id"),
        sa.Index(None, "deleted_at"),
    )
