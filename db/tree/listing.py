"""One page of a folder, sorted. Folders come first whatever the order, so each kind is read by itself.

It must never begin a transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, literal, tuple_

from db import cursor
from db.schema import FILE, FOLDER, contents, nodes
from db.tree.nodes import NODES
from model import Order, Sort

_SHAPES = ((str, str, int, str), (str, str, int, int, str), (str, str, int, str, str))
"""Sort, order, kind, and the values of `_keys`."""


def page(
    connection: Connection, folder_id: int, sort: Sort, order: Order, after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """Up to `limit` rows of NODES behind the cursor `after`, and the cursor of the page that follows, if one does.

    Raises BadInput for a cursor that was given for another sort, or by nobody.
    """
    kind, place = _place(after, sort, order) if after is not None else (FOLDER, None)
    found: list[Row[Any]] = []
    for each in range(kind, FILE + 1):
        keys = _keys(each, sort)
        rows = NODES.where(nodes.c.parent_id == folder_id, nodes.c.kind == each)
        if place is not None and each == kind:
            here = tuple_(*(literal(value, key.type) for key, value in zip(keys, place, strict=True)))
            rows = rows.where(tuple_(*keys) > here if order == "asc" else tuple_(*keys) < here)
        rows = rows.order_by(*(key if order == "asc" else key.desc() for key in keys))
        found += connection.execute(rows.limit(limit + 1 - len(found)))
        if len(found) > limit:
            return found[:limit], _cursor(found[limit - 1], sort, order)
    return found, None


def _keys(kind: int, sort: Sort) -> tuple[ColumnElement[Any], ...]:
    """What nodes of this kind are compared by: the name decides in the end, which one folder has once."""
    if sort == "size" and kind == FILE:
        return contents.c.size, nodes.c.name_key
    if sort == "modified":
        return nodes.c.modified_at, nodes.c.name_key
    return (nodes.c.name_key,)  # a folder has no size


def _cursor(last: Row[Any], sort: Sort, order: Order) -> str:
    values = [last._mapping[key] for key in _keys(last.kind, sort)]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return cursor.encode([sort, order, last.kind, *plain])


def _place(after: str, sort: Sort, order: Order) -> tuple[int, list[Any]]:
    """The kind of node that the page before ended with, and the values of its keys."""
    given_sort, given_order, kind, *values = cursor.decode(after, *_SHAPES)
    if (given_sort, given_order) != (sort, order) or kind not in {FOLDER, FILE}:
        raise cursor.strange()
    keys = _keys(int(kind), sort)
    first = int if keys[0] is contents.c.size else str
    if len(values) != len(keys) or type(values[0]) is not first:
        raise cursor.strange()
    if sort == "modified":
        return int(kind), [cursor.moment(str(values[0])), *values[1:]]
    return int(kind), values
