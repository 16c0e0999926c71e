"""What happened."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Table, Text

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("user_id", BigId),  # no foreign key: the log remembers who is gone
    Column("type", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("about", JSON, nullable=False),
    Index(None, "user_id", "id"),
    sqlite_autoincrement=True,
)
