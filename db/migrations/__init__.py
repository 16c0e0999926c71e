"""How the tables came to their shape, step by step, by Alembic. Imported only where a step is due."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError as Unknown
from sqlalchemy import Connection

__all__ = ["Unknown", "upgrade"]


def upgrade(connection: Connection, to: str = "head") -> None:
    """Take every step that is due on the way `to` a revision, within the caller's transaction.

    Raises Unknown for tables of a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
