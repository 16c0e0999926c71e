"""What the database of a gateway at rest knows of messages, and what the channel holds: they must be the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.sandbox_process import RunningSandbox


def known_messages(data: Path) -> set[int]:
    """Message ids that a file, an upload or the trash of this data folder knows."""
    statements = (
        "select message from chunks",
        "select message from upload_chunks",
        "select message from trash",
        "select manifest_message from contents where manifest_message is not null",
    )
    with closing(sqlite3.connect(data / "stowgram.sqlite3")) as database:
        return {row[0] for statement in statements for row in database.execute(statement)}


def orphans(data: Path, sandbox: RunningSandbox) -> set[int]:
    """Messages in the channel that neither a file, an upload nor the trash knows."""
    return {message.id for message in sandbox.control.list_messages(sandbox.channel)} - known_messages(data)


def chunk_messages(data: Path) -> list[int]:
    """The messages of all chunks of all files, oldest first."""
    with closing(sqlite3.connect(data / "stowgram.sqlite3")) as database:
        return [row[0] for row in database.execute("select message from chunks order by message")]
