"""Finding nodes by words in their names, sorted. By name it reads an index of the owner's names, never the nodes
themselves (docs/decisions/search.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, tuple_

import names
from db import cursor
from db.connection import Database
from db.schema import FOLDER, contents, nodes
from db.tree import nodes as rows
from db.tree.paths import paths
from errors import BadInput, NotFound
from model import Order, Page, Sort

MAX_WORDS = 16
MAX_TEXT = 1000
"""Characters to search for: more than any name has, and fewer than SQLite's LIKE takes (sqlite.org/limits.html)."""
ROUND = 1000
"""Names with all words that are looked at in one go: where each lies is asked for all of them together."""
ROUNDS = 10
"""For one page, at most. A page may hold fewer nodes than were asked for, even none, and have a next one."""

_NAME = (nodes.c.name_key, nodes.c.id)
_KEYS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "name": _NAME,
    "size": (func.coalesce(contents.c.size, -1).label("size"), *_NAME),
    "modified": (nodes.c.modified_at, *_NAME),
}
"""What nodes are compared by. A folder has no size, which is less than any."""
_SHAPES: dict[Sort, tuple[type[cursor.Value], ...]] = {
    "name": (str, str, str, int),
    "size": (str, str, int, str, int),
    "modified": (str, str, str, str, int),
}
"""What a cursor holds: sort, order, and the values of `_KEYS`."""


class Search:
    def __init__(self, database: Database) -> None:
        self._database = database

    def by_name(
        self,
        owner_id: int,
        text: str,
        path: str = "/",
        after: str | None = None,
        limit: int = 200,
        *,
        sort: Sort = "name",
        order: Order = "asc",
    ) -> Page:
        """Nodes below the folder at `path` whose names have every word of `text`; at most `limit`.

        Case and normal form do not count. Raises NotFound; BadInput for no word, for too many or too long
        ones, or for a cursor that is none of ours, or of another sort.
        """
        if len(text) > MAX_TEXT:
            raise BadInput(f"Search for at most {MAX_TEXT} characters.")
        words = [names.key(word) for word in text.split()]
        if not 1 <= len(words) <= MAX_WORDS:
            raise BadInput(f"Give 1 to {MAX_WORDS} words to search for.")
        query = _behind(_with_words(owner_id, words, sort, order), after, sort, order)
        with self._database.read() as connection:
            parts = names.split(path)
            folder = rows.at(connection, owner_id, parts)
            if folder.kind != FOLDER:
                raise NotFound(f"{path} is a file, not a folder.")
            found_at, last = _look(connection, query, names.join(*parts), limit)
            found = rows.several(connection, owner_id, list(found_at))
        items = tuple(rows.to_node(row, found_at[row.id]) for row in found)
        return Page(items, None if last is None else _cursor(last, sort, order))


def _look(
    connection: Connection, query: Select[Any], folder: str, limit: int
) -> tuple[dict[int, str], Row[Any] | None]:
    """The paths of what is found, by id, and the row to go on from; None at the end. Names are read when needed."""
    below = folder.removesuffix("/") + "/"
    found: dict[int, str] = {}
    seen, last = 0, None
    with connection.execute(query.limit(ROUND * ROUNDS)) as result:
        for looked_at in result.partitions(ROUND):
            where = paths(connection, [row.id for row in looked_at])
            for row in looked_at:
                if len(found) == limit:
                    return found, last
                seen, last = seen + 1, row
                path = where.get(row.id, "")  # none in the bin
                if path.startswith(below) and path != below:
                    found[row.id] = path
    return found, last if seen == ROUND * ROUNDS else None


def _with_words(owner_id: int, words: list[str], sort: Sort, order: Order) -> Select[Any]:
    """The keys of all nodes whose names have every word, in their order."""
    having = (nodes.c.name_key.contains(word, autoescape=True) for word in words)
    keys = _KEYS[sort]
    table = nodes.outerjoin(contents) if sort == "size" else nodes
    found = select(*keys).select_from(table).where(nodes.c.owner_id == owner_id, *having)
    return found.order_by(*(key if order == "asc" else key.desc() for key in keys))


def _behind(query: Select[Any], after: str | None, sort: Sort, order: Order) -> Select[Any]:
    """What comes after the place that a cursor tells. Raises BadInput."""
    if after is None:
        return query
    given_sort, given_order, *values = cursor.decode(after, _SHAPES[sort])
    if (given_sort, given_order) != (sort, order):
        raise cursor.strange()
    keys = _KEYS[sort]
    place: list[Any] = [cursor.moment(str(values[0])), *values[1:]] if sort == "modified" else values
    here = tuple_(*(literal(value, key.type) for key, value in zip(keys, place, strict=True)))
    return query.where(tuple_(*keys) > here if order == "asc" else tuple_(*keys) < here)


def _cursor(last: Row[Any], sort: Sort, order: Order) -> str:
    return cursor.encode(
        [sort, order, *(value.isoformat() if isinstance(value, datetime) else value for value in last)]
    )
