"""Names, contents, the chunks that they rest in, and what was deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.schema.base import metadata
from db.schema.columns import BigId, UtcTime

contents = Table(
    "contents",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("uuid", Uuid, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary),
    Column("tree", LargeBinary, nullable=False),
    Column("crc32", BigInteger, nullable=False),
    Column("manifest_channel", BigInteger),
    Column("manifest_message", BigInteger),
    Column("created_at", UtcTime, nullable=False),
    Column("damaged_at", UtcTime),
    Index(None, "manifest_channel", "manifest_message"),
    Index(None, "size", "tree"),  # who stores these bytes already
    sqlite_autoincrement=True,
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("owner_id", BigId, ForeignKey("users.id"), nullable=False),
    Column("parent_id", BigId, ForeignKey("nodes.id")),
    Column("kind", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("name_bytes", Integer, nullable=False),  # what the name adds to a path, in bytes of UTF-8
    Column("content_id", BigId, ForeignKey("contents.id"), index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("modified_at", UtcTime, nullable=False),
    Column(
        "media_type", Text
    ),  # the name's and not the contents': the same bytes are .txt here and .html there
    UniqueConstraint("parent_id", "name_key"),
    CheckConstraint(
        "(kind = 0 AND content_id IS NULL) OR (kind = 1 AND content_id IS NOT NULL)", name="kind"
    ),
    CheckConstraint("parent_id IS NOT NULL OR (kind = 0 AND name = '')", name="root"),
    Index("ix_nodes_listing", "parent_id", "kind", "name_key"),
    Index("ix_nodes_search", "owner_id", "name_key"),
    Index(
        "ix_nodes_tops",
        "owner_id",
        "name_key",
        unique=True,
        sqlite_where=text("parent_id IS NULL"),
    ),
    sqlite_autoincrement=True,
)


binned = Table(
    "binned",
    metadata,
    Column(
        "node_id", BigId, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("owner_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("folder", Text, nullable=False),  # where it was
    Column("deleted_at", UtcTime),  # NULL: nobody can restore it, it only has to be cleared away
    Index(None, "owner_id", "deleted_at", "node_id"),
    Index(None, "deleted_at"),
)


def chunk_columns() -> list[Column[Any]]:
    """What `chunks` and `upload_chunks` share: model.Chunk, column by column."""
    return [
        Column("chunk_index", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("crc32", BigInteger, nullable=False),
        Column("pieces", LargeBinary, nullable=False),
        Column("piece_size", Integer, nullable=False),
        Column("channel", BigInteger, nullable=False),
        Column("message", BigInteger, nullable=False),
    ]


chunks = Table(
    "chunks",
    metadata,
    Column("content_id", BigId, ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True),
    *chunk_columns(),
    UniqueConstraint("channel", "message"),
)

file_totals = Table(
    "file_totals",
    metadata,
    Column(
        "file_id", BigId, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("downloads", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
)
