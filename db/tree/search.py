"""Finding nodes by words in their names. It reads an index of the owner's names, never the nodes themselves
(docs/decisions/search.md).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

import names
from db import cursor
from db.connection import Database
from db.schema import FOLDER, nodes
from db.tree import nodes as rows
from db.tree.paths import paths
from errors import BadInput, NotFound
from model import Page

MAX_WORDS = 16
MAX_TEXT = 1000
"""Characters to search for: more than any name has, and fewer than SQLite's LIKE takes (sqlite.org/limits.html)."""
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

        Case and normal form do not count. Raises NotFound; BadInput for no word, for too many or too long
        ones, or for a cursor that is none of ours.
        """
        if len(text) > MAX_TEXT:
            raise BadInput(f"Search for at most {MAX_TEXT} characters.")
        words = [names.key(word) for word in text.split()]
        if not 1 <= len(words) <= MAX_WORDS:
            raise BadInput(f"Give 1 to {MAX_WORDS} words to search for.")
        place = None if after is None else tuple(cursor.decode(after, (str, int)))
        with self._database.read() as connection:
            parts = names.split(path)
            folder = rows.at(connection, owner_id, parts)
            if folder.kind != FOLDER:
                raise NotFound(f"{path} is a file, not a folder.")
            found_at, place = _look(connection, owner_id, names.join(*parts), words, place, limit)
            found = rows.several(connection, owner_id, list(found_at))
        items = tuple(rows.to_node(row, found_at[row.id]) for row in found)
        return Page(items, None if place is None else cursor.encode(place))


def _look(
    connection: Connection,
    owner_id: int,
    folder: str,
    words: list[str],
    place: tuple[Any, ...] | None,
    limit: int,
) -> tuple[dict[int, str], tuple[Any, ...] | None]:
    """The paths of what is found behind `place`, by id, and the place to go on from; None at the end."""
    below = folder.removesuffix("/") + "/"
    found: dict[int, str] = {}
    for _ in range(ROUNDS):
        looked_at = _with_words(connection, owner_id, words, place)
        where = paths(connection, [row.id for row in looked_at])
        for row in looked_at:
            if len(found) == limit:
                return found, place
            place = row.name_key, row.id
            path = where.get(row.id, "")  # none in the bin
            if path.startswith(below) and path != below:
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
