"""Who may come in, what shows who they are, and what they moved."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, Table, Text, text

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime

users = Table(
    "users",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("quota", BigInteger),
    # What the user's nodes add up to. Triggers on nodes keep these two (migration 0005): no verb can forget it.
    Column("files", BigInteger, nullable=False, server_default=text("0")),
    Column("used", BigInteger, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,  # an id is never given twice: an old link must not come to mean something else
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("expires_at", UtcTime),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

known_networks = Table(
    "known_networks",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("network", Text, primary_key=True),
    Column("last_seen_at", UtcTime, nullable=False),
)

user_totals = Table(
    "user_totals",
    metadata,
    Column(
        "user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("downloads", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("uploads", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
)
