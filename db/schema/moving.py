"""Uploads on their way in, messages that may be there, and messages to be deleted."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime
from db.schema.tree import chunk_columns

uploads = Table(
    "uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("spared", BigInteger, nullable=False, server_default=text("0")),  # of length: db/stored/quotas.py
    Column("media_type", Text, nullable=False),
    Column("chunk_size", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("discarded", Integer, nullable=False),
    Column("replace", Boolean, nullable=False),
    Column("state", String(9), nullable=False),
    Column("file_id", BigId, ForeignKey("nodes.id", ondelete="SET NULL"), index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    CheckConstraint('"offset" BETWEEN 0 AND length', name="offset"),
    CheckConstraint("state IN ('receiving', 'finished', 'abandoned')", name="state"),
    Index(None, "state", "expires_at"),
)

upload_chunks = Table(
    "upload_chunks",
    metadata,
    Column("upload_id", Uuid, ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    *chunk_columns(),
    UniqueConstraint("channel", "message"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", BigId, primary_key=True),
    # No foreign key: a message that may be there is remembered longer than the upload that wanted it.
    Column("upload_id", Uuid, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("file", Uuid, nullable=False),
    Column("chunk_index", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("after_channel", BigInteger),
    Column("after_message", BigInteger),
    UniqueConstraint("file", "kind", "chunk_index", "attempt", "offset", "size", "sha256"),
    sqlite_autoincrement=True,
)

trash = Table(
    "trash",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("channel", BigInteger, nullable=False),
    Column("message", BigInteger, nullable=False),
    Column("since", UtcTime, nullable=False),
    Index(None, "channel", "message"),
    sqlite_autoincrement=True,
)

newest_message = Table(
    "newest_message",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("channel", BigInteger, nullable=False),
    Column("message", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
