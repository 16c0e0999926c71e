"""All that is below a folder, with the chunks that it rests in: one pass in one order, however much it is."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from sqlalchemy import String, bindparam, select, type_coerce

from db.connection import Database
from db.schema import FOLDER, chunks, contents, nodes
from db.stored.contents import to_chunk
from db.tree import nodes as rows
from model import Below

FOLDERS = 500
"""Looked into by one query: there may be as many folders as files."""
_ROWS = 1000
"""Rows that are held at a time."""
_NO_FILE = bytes(16)

_NODE = (
    nodes.c.id,
    nodes.c.parent_id,
    nodes.c.kind,
    nodes.c.name,
    nodes.c.name_key,
    nodes.c.modified_at,
    contents.c.size,
    contents.c.crc32,
    contents.c.tree,
    type_coerce(contents.c.uuid, String),  # its digits: making a UUID of each takes an eighth of the time
)
_CHILDREN = (
    select(*_NODE, *chunks.c)
    .select_from(nodes.outerjoin(contents).outerjoin(chunks, chunks.c.content_id == contents.c.id))
    .where(nodes.c.parent_id.in_(bindparam("folders", expanding=True)))
    .order_by(nodes.c.parent_id, nodes.c.kind, nodes.c.name_key, chunks.c.chunk_index)
    .execution_options(yield_per=_ROWS)
)


class Subtrees:
    def __init__(self, database: Database) -> None:
        self._database = database

    def below(self, owner_id: int, folder_id: int) -> Generator[Below]:
        """What is in the folder, then what is in its folders, and so on down: those of one folder together, folders
        first, by name; a file's chunks in their order. The same tree comes in the same order, at one moment.

        It is read as it is gone through: close it when that is not to the end. Raises NotFound.
        """
        with self._database.read() as connection:
            rows.by_id(connection, owner_id, folder_id, FOLDER)
            level = [folder_id]
            while level:
                # Invariant: all above the folders of this level has been told of, and nothing in them.
                deeper: list[int] = []
                for start in range(0, len(level), FOLDERS):
                    some = {"folders": level[start : start + FOLDERS]}
                    for row in connection.execute(_CHILDREN, some):
                        if row[2] == FOLDER:
                            deeper.append(row[0])
                        yield _below(row)
                level = sorted(deeper)


def _below(row: Sequence[Any]) -> Below:
    """By place and not by name, which takes half the time: there may be 100,000."""
    node_id, parent_id, kind, name, key, modified_at, size, crc32, tree, uuid, *chunk = row
    if kind == FOLDER:
        return Below(node_id, parent_id, True, name, key, modified_at, 0, 0, b"", _NO_FILE, None)
    held = None if chunk[0] is None else to_chunk(chunk)
    return Below(
        node_id, parent_id, False, name, key, modified_at, size, crc32, tree, bytes.fromhex(uuid), held
    )
