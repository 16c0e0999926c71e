"""How many bytes of an upload needed no room when it was let in (docs/decisions/quotas.md)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "uploads", sa.Column("spared", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
