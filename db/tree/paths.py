"""Where nodes lie: what leads up to them, and what is below. It must never begin a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, Connection, Row, Select, func, select

from db.schema import FILE, TREE, nodes


def paths(connection: Connection, node_ids: Collection[int]) -> dict[int, str]:
    """The paths of those of these nodes that are not in the bin."""
    leading = {row.id: row for row in connection.execute(_leading_to(node_ids))}
    spelled: dict[int, str | None] = {}
    for node_id in node_ids:
        # What leads to many of them is spelled once: a thousand files may lie two thousand folders deep.
        line, row = [], leading.get(node_id)
        while row is not None and row.id not in spelled:
            line.append(row)
            row = leading.get(row.parent_id)
        for row in reversed(line):
            spelled[row.id] = _spell(row, spelled)
    return {node_id: path or "/" for node_id in node_ids if (path := spelled.get(node_id)) is not None}


def _spell(row: Row[Any], spelled: Mapping[int, str | None]) -> str | None:
    """The path of the node, where that of its folder is known; the top folder's is empty, and the bin has none."""
    if row.parent_id is None:
        return "" if row.name_key == TREE else None
    above = spelled[row.parent_id]
    return None if above is None else f"{above}/{row.name}"


def topmost(found: Sequence[tuple[Row[Any], str]]) -> list[tuple[Row[Any], str]]:
    """Of nodes with their paths those that lie in none of the others, in their order: the others go where these do."""
    chosen: list[str] = []
    # In this order what lies in a folder comes right after it.
    for path in sorted((path for _, path in found), key=lambda path: path + "/"):
        if not chosen or not path.startswith(chosen[-1] + "/"):
            chosen.append(path)
    kept = frozenset(chosen)
    return [(row, path) for row, path in found if path in kept]


def lineage(connection: Connection, node_id: int) -> list[Row[Any]]:
    """The node and all folders that lead to it, itself first, then one by one up to the tree's top folder; empty for
    what is in the bin.
    """
    leading = {row.id: row for row in connection.execute(_leading_to([node_id]))}
    found, row = [], leading.get(node_id)
    while row is not None:
        found.append(row)
        row = leading.get(row.parent_id)
    return found if found and found[-1].name_key == TREE else []


def above(connection: Connection, node_id: int) -> frozenset[int]:
    """The node's id, and those of all folders that lead to it."""
    return frozenset(connection.execute(_leading_to([node_id])).scalars())


def _leading_to(node_ids: Collection[int]) -> Select[Any]:
    """These nodes and all folders that lead to any of them, each once: `id`, `parent_id`, `name`, `name_key`."""
    columns = (nodes.c.id, nodes.c.parent_id, nodes.c.name, nodes.c.name_key)
    line = select(*columns).where(nodes.c.id.in_(node_ids)).cte("line", recursive=True)
    return select(line.union(select(*columns).where(nodes.c.id == line.c.parent_id)))


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
