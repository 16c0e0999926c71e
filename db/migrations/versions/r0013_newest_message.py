"""The newest message that was ever known is kept by itself, and not found among those that are still named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_KNOWN = """SELECT channel, message FROM upload_chunks
    UNION SELECT channel, message FROM chunks
    UNION SELECT manifest_channel, manifest_message FROM contents
    UNION SELECT channel, message FROM trash"""


def upgrade() -> None:
    op.create_table(
        "newest_message",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_newest_message_single"),
    )
    op.execute(
        f"INSERT INTO newest_message (id, channel, message) SELECT 1, channel, message FROM ({_KNOWN})"
        " WHERE message IS NOT NULL ORDER BY channel DESC, message DESC LIMIT 1"
    )
