"""Names can be searched, contents be found by what they are, and a media type belongs to a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TYPE_OF_CONTENTS = "(SELECT media_type FROM contents WHERE contents.id = nodes.content_id)"


def upgrade() -> None:
    op.drop_index("ix_nodes_owner_id", "nodes")
    op.create_index("ix_nodes_search", "nodes", ["owner_id", "name_key"])
    op.create_index("ix_contents_size_tree", "contents", ["size", "tree"])
    op.add_column("nodes", sa.Column("media_type", sa.Text()))
    op.execute(f"UPDATE nodes SET media_type = {TYPE_OF_CONTENTS} WHERE content_id IS NOT NULL")
    op.drop_column("contents", "media_type")
