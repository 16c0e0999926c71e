"""Work in the background."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
)

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime

_LIVE = text("status IN ('queued', 'processing', 'ready')")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),  # what it is about; nobody has the same made twice
    # A row is all that is known of what its job left outside: it stays without its owner until that is cleared away.
    Column("owner_id", BigId, ForeignKey("users.id", ondelete="SET NULL"), index=True),
    Column("args", JSON, nullable=False),
    Column("result", JSON, nullable=False),
    Column("status", String(10), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    # This attempt began then, and went on from there: its speed follows.
    Column("started_at", UtcTime),
    Column("started_from", BigInteger, nullable=False),
    Column("error", Text),
    Column("email", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime),
    Column("cleared", Boolean, nullable=False, server_default=false()),  # nothing is left of what it made
    CheckConstraint("status IN ('queued', 'processing', 'ready', 'failed', 'cancelled')", name="status"),
    CheckConstraint("(status = 'processing') = (lease_owner IS NOT NULL)", name="lease"),
    CheckConstraint("owner_id IS NOT NULL OR status = 'cancelled'", name="owner"),
    Index("ix_jobs_live", "kind", "key", unique=True, sqlite_where=_LIVE),
    Index(None, "status", "not_before"),
)
