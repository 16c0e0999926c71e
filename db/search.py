"""Finding nodes by words in their names. It reads an index of the owner's names, never the nodes themselves
(docs/decisions/search.md).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

import names
from db import cursor, paths
from db import nodes as rows
from db.connection import Database
from db.schema import FOLDER, nodes
from errors import BadInput, NotFound
from model import Page

MAX_WORDS = 16
ROUND = 1000
"""Names with all words that are looked at in one go: where each lies is asked for all of them together."""
ROUNDS = 10
"""For one page, at most. A page may hold fewer nodes than were asked for, even none, and have a next one."""


class Search:
    def __init__(self, database: Database) -> None:
        self._database = database

    def by_name(
        self, owner_id: int, text: str, path: str = "/", after: str | None = None, limit: int = 200
    ) -> Page:
        """Nodes below the folder at `path` whose names have every word of `text`, by name; at most `limit`.

        Case and normal form do not count. Raises NotFound; BadInput for no word, for too many, or for a cursor that
        is none of ours.
        """
        words = [names.key(word) for word in text.split()]
        if not 1 <= len(words) <= MAX_WORDS:
            raise BadInput(f"Give 1 to {MAX_WORDS} words to search for.")
        place = None if after is None else tuple(cursor.decode(after, (str, int)))
        with self._database.read() as connection:
            folder = rows.at(connection, owner_id, names.split(path))
            if folder.kind != FOLDER:
                raise NotFound(f"{path} is a file, not a folder.")
            found_at, place = _look(connection, folder, words, place, limit)
            found = rows.several(connection, owner_id, list(found_at))
        items = tuple(rows.to_node(row, found_at[row.id]) for row in found)
        return Page(items, None if place is None else cursor.encode(place))


def _look(
    connection: Connection, folder: Row[Any], words: list[str], place: tuple[Any, ...] | None, limit: int
) -> tuple[dict[int, str], tuple[Any, ...] | None]:
    """The found of what is found behind `place`, by id, and the place to go on from; None at the end."""
    found: dict[int, str] = {}
    for _ in range(ROUNDS):
        looked_at = _with_words(connection, folder.owner_id, words, place)
        lines = paths.lines(connection, [row.id for row in looked_at])
        for row in looked_at:
            if len(found) == limit:
                return found, place
            place = row.name_key, row.id
            *above, _ = lines[row.id]
            path = paths.path_along(lines[row.id])
            if path is not None and any(each.id == folder.id for each in above):
                found[row.id] = path
        if len(looked_at) < ROUND:
            return found, None
    return found, place


def _with_words(
    connection: Connection, owner_id: int, words: list[str], place: tuple[Any, ...] | None
) -> list[Row[Any]]:
    """The next ROUND names, in their order, that have every word."""
    having = (nodes.c.name_key.contains(word, autoescape=True) for word in words)
    found = select(nodes.c.id, nodes.c.name_key).where(nodes.c.owner_id == owner_id, *having)
    if place is not None:
        found = found.where(tuple_(nodes.c.name_key, nodes.c.id) > place)
    return list(connection.execute(found.order_by(nodes.c.name_key, nodes.c.id).limit(ROUND)))
