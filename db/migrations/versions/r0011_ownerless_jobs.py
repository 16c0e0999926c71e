"""A job outlives its owner, until nothing is left of what it made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JOB = """id, kind, key, owner_id, args, result, status, done, total, attempts, not_before,
    lease_owner, lease_until, started_at, started_from, error, email, created_at, updated_at, ends_at"""


def upgrade() -> None:
    """SQLite changes no foreign key of a table that is there: a new one."""
    for index in ("ix_jobs_live", "ix_jobs_owner_id", "ix_jobs_status_not_before"):
        op.drop_index(index, "jobs")
    op.rename_table("jobs", "old_jobs")
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("owner_id", BIG_ID, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("started_from", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "status IN ('queued', 'processing', 'ready', 'failed', 'cancelled')", name="status"
        ),
        sa.CheckConstraint("(status = 'processing') = (lease_owner IS NOT NULL)", name="lease"),
        sa.CheckConstraint("owner_id IS NOT NULL OR status = 'cancelled'", name="owner"),
    )
    op.execute(f"INSERT INTO jobs ({JOB}) SELECT {JOB} FROM old_jobs")
    op.drop_table("old_jobs")
    live = sa.text("status IN ('queued', 'processing', 'ready')")
    op.create_index("ix_jobs_live", "jobs", ["kind", "key"], unique=True, sqlite_where=live)
    op.create_index("ix_jobs_owner_id", "jobs", ["owner_id"])
    op.create_index("ix_jobs_status_not_before", "jobs", ["status", "not_before"])
