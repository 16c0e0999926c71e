"""The first tables. Frozen: later shapes are later migrations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _people()
    _contents()
    _tree()
    _uploads()
    _messages()


def _column(name: str, kind: sa.types.TypeEngine[Any], *rest: sa.ForeignKey) -> sa.Column[Any]:
    return sa.Column(name, kind, *rest, nullable=False)


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", BIG_ID, primary_key=True),
        _column("name", sa.Text()),
        sa.Column("name_key", sa.Text(), nullable=False, unique=True),
        _column("password_hash", sa.Text()),
        _column("is_admin", sa.Boolean()),
        _column("created_at", TIME),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column(
            "user_id", BIG_ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        _column("kind", sa.String(7)),
        _column("name", sa.Text()),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        _column("created_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("expires_at", TIME),
        sa.CheckConstraint("kind IN ('session', 'api')", name="kind"),
        sqlite_autoincrement=True,
    )


def _chunk_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("chunk_index", sa.Integer(), primary_key=True, autoincrement=False),
        _column("offset", sa.BigInteger()),
        _column("size", sa.BigInteger()),
        _column("sha256", sa.LargeBinary()),
        _column("crc32", sa.BigInteger()),
        _column("pieces", sa.LargeBinary()),
        _column("piece_size", sa.Integer()),
        _column("channel", sa.BigInteger()),
        _column("message", sa.BigInteger()),
    ]


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        _column("size", sa.BigInteger()),
        _column("media_type", sa.Text()),
        sa.Column("sha256", sa.LargeBinary()),
        _column("tree", sa.LargeBinary()),
        _column("crc32", sa.BigInteger()),
        sa.Column("manifest_channel", sa.BigInteger()),
        sa.Column("manifest_message", sa.BigInteger()),
        _column("created_at", TIME),
        sa.Column("damaged_at", TIME),
        sa.Index(None, "manifest_channel", "manifest_message"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chunks",
        sa.Column("content_id", BIG_ID, sa.ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True),
        *_chunk_columns(),
        sa.UniqueConstraint("channel", "message"),
    )


def _tree() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("owner_id", BIG_ID, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("parent_id", BIG_ID, sa.ForeignKey("nodes.id")),
        _column("kind", sa.SmallInteger()),
        _column("name", sa.Text()),
        _column("name_key", sa.Text()),
        _column("name_bytes", sa.Integer()),
        sa.Column("content_id", BIG_ID, sa.ForeignKey("contents.id"), index=True),
        _column("created_at", TIME),
        _column("modified_at", TIME),
        sa.UniqueConstraint("parent_id", "name_key"),
        sa.CheckConstraint(
            "(kind = 0 AND content_id IS NULL) OR (kind = 1 AND content_id IS NOT NULL)", name="kind"
        ),
        sa.CheckConstraint("parent_id IS NOT NULL OR (kind = 0 AND name = '')", name="root"),
        sa.Index("ix_nodes_listing", "parent_id", "kind", "name_key"),
        sa.Index(
            "ix_nodes_one_root",
            "owner_id",
            unique=True,
            sqlite_where=sa.text("parent_id IS NULL"),
            postgresql_where=sa.text("parent_id IS NULL"),
        ),
        sqlite_autoincrement=True,
    )


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "owner_id", BIG_ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        _column("folder", sa.Text()),
        _column("name", sa.Text()),
        _column("length", sa.BigInteger()),
        _column("media_type", sa.Text()),
        _column("chunk_size", sa.BigInteger()),
        _column("offset", sa.BigInteger()),
        _column("discarded", sa.Integer()),
        _column("replace", sa.Boolean()),
        _column("state", sa.String(9)),
        sa.Column("file_id", BIG_ID, sa.ForeignKey("nodes.id", ondelete="SET NULL"), index=True),
        _column("created_at", TIME),
        _column("expires_at", TIME),
        sa.Column("ended_at", TIME),
        sa.CheckConstraint('"offset" BETWEEN 0 AND length', name="offset"),
        sa.CheckConstraint("state IN ('receiving', 'finished', 'abandoned')", name="state"),
        sa.Index(None, "state", "expires_at"),
    )
    op.create_table(
        "upload_chunks",
        sa.Column("upload_id", sa.Uuid(), sa.ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
        *_chunk_columns(),
        sa.UniqueConstraint("channel", "message"),
    )


def _messages() -> None:
    op.create_table(
        "intents",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("upload_id", sa.Uuid(), nullable=False, index=True),
        _column("kind", sa.String(8)),
        _column("file", sa.Uuid()),
        _column("chunk_index", sa.Integer()),
        _column("offset", sa.BigInteger()),
        _column("size", sa.BigInteger()),
        _column("sha256", sa.LargeBinary()),
        _column("attempt", sa.Integer()),
        sa.Column("after_channel", sa.BigInteger()),
        sa.Column("after_message", sa.BigInteger()),
        sa.UniqueConstraint("file", "kind", "chunk_index", "attempt", "offset", "size", "sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "trash",
        sa.Column("id", BIG_ID, primary_key=True),
        _column("channel", sa.BigInteger()),
        _column("message", sa.BigInteger()),
        _column("since", TIME),
        sa.Index(None, "channel", "message"),
        sqlite_autoincrement=True,
    )
