"""The tables. What no code path may break is a constraint here, not a habit elsewhere. It holds no verb.

Migrations repeat these definitions, frozen in time; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.columns import BigId, UtcTime

REVISION = "0008"
"""The last migration, which leaves the tables as they are here."""
FOLDER, FILE = 0, 1
"""Kinds of node; their order is the order of a listing."""
TREE, BIN = "", "bin"
"""Name keys of the two top folders that each user has. All paths begin at the first; the other has none."""
RECEIVING, FINISHED, ABANDONED = "receiving", "finished", "abandoned"
"""States of an upload. Only the first can change; the others are tombstones, kept for a while to give clear
answers.
"""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
        postgresql_where=text("parent_id IS NULL"),
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


def _chunk_columns() -> list[Column[Any]]:
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
    *_chunk_columns(),
    UniqueConstraint("channel", "message"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("spared", BigInteger, nullable=False, server_default=text("0")),  # of the length: see db/quotas.py
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
    *_chunk_columns(),
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

file_totals = Table(
    "file_totals",
    metadata,
    Column(
        "file_id", BigId, ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("downloads", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
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
