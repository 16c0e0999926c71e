"""Where nodes lie: what leads up to them, and what is below. It must never begin a transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CTE, Connection, Row, func, literal, select

import names
from db.schema import FILE, TREE, nodes


def lines(connection: Connection, node_ids: Collection[int]) -> dict[int, tuple[Row[Any], ...]]:
    """What leads to each of these nodes: a top folder first, itself last. Rows of `id`, `name` and `name_key`."""
    columns = (nodes.c.id, nodes.c.parent_id, nodes.c.name, nodes.c.name_key)
    own = select(nodes.c.id.label("to"), *columns, literal(0).label("height"))
    line = own.where(nodes.c.id.in_(node_ids)).cte("line", recursive=True)
    above = select(line.c.to, *columns, line.c.height + 1).where(nodes.c.id == line.c.parent_id)
    line = line.union_all(above)
    found: dict[int, list[Row[Any]]] = {node_id: [] for node_id in node_ids}
    for row in connection.execute(select(line).order_by(line.c.height.desc())):
        found[row.to].append(row)
    return {node_id: tuple(rows) for node_id, rows in found.items()}


def path_along(line: Sequence[Row[Any]]) -> str | None:
    """The path that a line of `lines` spells; None for what is in the bin, where nothing has a path."""
    return names.join(*(row.name for row in line[1:])) if line[0].name_key == TREE else None


def paths(connection: Connection, node_ids: Collection[int]) -> dict[int, str]:
    """The paths of those of these nodes that are not in the bin."""
    spelled = {node_id: path_along(line) for node_id, line in lines(connection, node_ids).items()}
    return {node_id: path for node_id, path in spelled.items() if path is not None}


def subtree(node_id: int) -> CTE:
    """The node and all below it: `id`, `content_id`, and `reach`: bytes of the path below its parent."""
    top = select(nodes.c.id, nodes.c.content_id, (nodes.c.name_bytes + 1).label("reach")).where(
        nodes.c.id == node_id
    )
    tree = top.cte("subtree", recursive=True)
    below = select(nodes.c.id, nodes.c.content_id, tree.c.reach + nodes.c.name_bytes + 1)
    return tree.union_all(below.where(nodes.c.parent_id == tree.c.id))


def reach(connection: Connection, row: Row[Any]) -> int:
    """Bytes of the longest path below the node; 0 where nothing is below it."""
    if row.kind == FILE:
        return 0
    tree = subtree(row.id)
    longest: int = connection.execute(select(func.max(tree.c.reach))).scalar_one()
    name: int = row.name_bytes + 1
    return longest - name
