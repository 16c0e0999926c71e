"""Tables of what is open to whoever has a link."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, text

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime

shares = Table(
    "shares",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    Column("owner_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("node_id", BigId, ForeignKey("nodes.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("password_hash", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("max_downloads", BigInteger),
    Column("rate_limit_kb", BigInteger),
    Column("max_connections", BigInteger),
    Column("downloads", BigInteger, nullable=False, server_default=text("0")),
    Column("last_used_at", UtcTime),
    sqlite_autoincrement=True,  # an id is never given twice: what was signed for one must not open another
)

share_downloads = Table(
    "share_downloads",
    metadata,
    Column(
        "share_id", BigId, ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("network", Text, primary_key=True),
    Column("node_id", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False, index=True),
)
