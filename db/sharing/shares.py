"""Shares: what is open to whoever has a token, on which terms, and how often it was fetched.

It must never see a share's password, but its hash. Who may see what lies below a share is told in db/sharing/shared.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from db import cursor
from db.connection import Database
from db.happening import events
from db.schema import FILE, FOLDER, nodes, share_downloads, shares, users
from db.tree import nodes as rows
from db.tree.paths import paths
from errors import NotFound
from model import Share, SharePage, Terms, User

_SHARES: Select[Any] = select(
    shares, users.c.name.label("owner"), users.c.is_admin, users.c.created_at.label("since")
).join(users, users.c.id == shares.c.owner_id)


class Shares:
    def __init__(self, database: Database) -> None:
        self._database = database

    # For owners: another owner's are NotFound. ---------------------------------------------------------------

    def add(
        self,
        owner_id: int,
        node_id: int,
        *,
        folder: bool,
        token: str,
        password_hash: str | None,
        terms: Terms,
    ) -> Share:
        """Share the owner's file or folder. Raises NotFound, also for what is in the bin."""
        now = self._database.now()
        row = {"token": token, "owner_id": owner_id, "node_id": node_id, "password_hash": password_hash}
        with self._database.write() as connection:
            node = rows.by_id(connection, owner_id, node_id, FOLDER if folder else FILE)
            rows.path_of(connection, node)
            connection.execute(insert(shares), row | asdict(terms) | {"created_at": now})
            events.note(connection, owner_id, "shared", now, ids=[node_id], name=node.name)
            return _own(connection, owner_id, token)

    def listing(self, owner_id: int, node_id: int | None, after: str | None, limit: int) -> SharePage:
        """The owner's, or those of one node, the latest first: up to `limit` behind the cursor `after`.

        Raises BadInput for a cursor that is not ours.
        """
        mine = _SHARES.where(shares.c.owner_id == owner_id)
        if node_id is not None:
            mine = mine.where(shares.c.node_id == node_id)
        if after is not None:
            mine = mine.where(shares.c.id < cursor.decode(after, (int,))[0])
        with self._database.read() as connection:
            found = connection.execute(mine.order_by(shares.c.id.desc()).limit(limit + 1)).all()
            items = _told(connection, found[:limit])
        return SharePage(items, cursor.encode([items[-1].id]) if len(found) > limit else None)

    def change(self, owner_id: int, token: str, values: Mapping[str, Any]) -> Share:
        """Set these columns: members of Terms, `password_hash`. Raises NotFound."""
        with self._database.write() as connection:
            share = _own(connection, owner_id, token)
            if values:
                connection.execute(update(shares).where(shares.c.id == share.id).values(values))
                about = {"ids": [share.node.id], "name": share.node.name}
                events.note(connection, owner_id, "share_changed", self._database.now(), **about)
            return _own(connection, owner_id, token)

    def remove(self, owner_id: int, token: str) -> int:
        """The id that it had. Raises NotFound."""
        with self._database.write() as connection:
            share = _own(connection, owner_id, token)
            connection.execute(delete(shares).where(shares.c.id == share.id))
            about = {"ids": [share.node.id], "name": share.node.name}
            events.note(connection, owner_id, "unshared", self._database.now(), **about)
            return share.id

    # For visitors. -------------------------------------------------------------------------------------------

    def by_token(self, token: str) -> Share | None:
        """Whatever its state is."""
        with self._database.read() as connection:
            found = connection.execute(_SHARES.where(shares.c.token == token)).all()
            return next(iter(_told(connection, found)), None)

    def used(self, uses: Mapping[int, datetime]) -> None:
        """Write down when shares, by id, were used last. Raises DatabaseUnavailable at once while another writes."""
        values = [{"share": share_id, "used": at} for share_id, at in uses.items()]
        when = update(shares).where(shares.c.id == bindparam("share")).values(last_used_at=bindparam("used"))
        with self._database.write(durable=False, patience=0) as connection:
            connection.execute(when, values)

    def counted(self, share_id: int, network: str, since: datetime, node_id: int | None = None) -> bool:
        """Whether a download from there, of this node or of any, was counted since then."""
        with self._database.read() as connection:
            return _counted(connection, share_id, network, since, node_id)

    def count(self, share: Share, network: str, since: datetime, node_id: int) -> bool:
        """Count a download of the node, but one from there since then only once. False when there are none left."""
        if self.counted(share.id, network, since, node_id):
            return True
        one_more = update(shares).values(downloads=shares.c.downloads + 1)
        left = or_(shares.c.max_downloads.is_(None), shares.c.downloads < shares.c.max_downloads)
        now = self._database.now()
        noted = upsert(share_downloads).values(share_id=share.id, network=network, node_id=node_id, at=now)
        noted = noted.on_conflict_do_update(
            index_elements=["share_id", "network", "node_id"], set_={"at": now}
        )
        # Where there is no limit it is a figure, for which no visitor waits for the disk.
        with self._database.write(durable=share.terms.max_downloads is not None) as connection:
            # Of requests that came together, another may have been first.
            if _counted(connection, share.id, network, since, node_id):
                return True
            if not connection.execute(one_more.where(shares.c.id == share.id, left)).rowcount:
                return False
            connection.execute(noted)
            return True

    def forget_counted(self, before: datetime) -> None:
        """Who fetched what before then."""
        with self._database.write(durable=False) as connection:
            connection.execute(delete(share_downloads).where(share_downloads.c.at < before))


def _own(connection: Connection, owner_id: int, token: str) -> Share:
    mine = _SHARES.where(shares.c.token == token, shares.c.owner_id == owner_id)
    found = _told(connection, connection.execute(mine).all())
    if not found:
        raise NotFound("There is no such share.")
    return found[0]


def _told(connection: Connection, found: Sequence[Row[Any]]) -> tuple[Share, ...]:
    """These rows as shares, each with its node."""
    node_ids = [row.node_id for row in found]
    stand_for = {row.id: row for row in connection.execute(rows.NODES.where(nodes.c.id.in_(node_ids)))}
    where = paths(connection, node_ids)
    return tuple(
        Share(
            id=row.id,
            token=row.token,
            owner=User(row.owner_id, row.owner, row.is_admin, row.since),
            node=rows.to_node(stand_for[row.node_id], where.get(row.node_id, "")),
            password_hash=row.password_hash,
            terms=Terms(row.expires_at, row.max_downloads, row.rate_limit_kb, row.max_connections),
            created_at=row.created_at,
            downloads=row.downloads,
            last_used_at=row.last_used_at,
        )
        for row in found
    )


def _counted(
    connection: Connection, share_id: int, network: str, since: datetime, node_id: int | None
) -> bool:
    there = [share_downloads.c.share_id == share_id, share_downloads.c.network == network]
    if node_id is not None:
        there.append(share_downloads.c.node_id == node_id)
    one = select(share_downloads.c.at).where(*there, share_downloads.c.at > since).limit(1)
    return connection.execute(one).first() is not None
