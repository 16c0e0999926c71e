"""Of a job that is over it is known whether anything is left of what it made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cleared", sa.Boolean(), nullable=False, server_default=sa.false()))
