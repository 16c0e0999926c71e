"""What happened: a row for each change, written in the transaction that makes it, and kept for a while.

Ids grow in the order of the commits, since one transaction writes at a time: who has seen N has missed nothing before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, true

import names
from db.connection import Database
from db.schema import events, users
from model import Event, File, Happening, News

KEPT = 10_000
"""Events kept at most, of all users together."""
MAX_NEWS = 500
"""Events in one answer; who is further behind loads anew, which costs less than so many changes one by one."""

_NO_CHANGE = (
    "prepared",
    "shared",
    "share_changed",
    "unshared",
    "signed_in",
    "sign_in_failed",
    "password_changed",
)
"""Types that tell of no file and no folder. A new type is a change as long as it is not named here."""

_EVENTS = select(events, users.c.name.label("user")).select_from(
    events.outerjoin(users, users.c.id == events.c.user_id)
)


class Events:
    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, user_id: int | None, type: Happening, **about: Any) -> None:
        """Something that changed nothing else, as a wrong password; it may be lost when the power fails."""
        with self._database.write(durable=False) as connection:
            note(connection, user_id, type, self._database.now(), **about)

    def last(self, user_id: int | None = None) -> int:
        """Where the line of this user's events stands, or of everybody's: to ask from."""
        with self._database.read() as connection:
            return _ends(connection, _whose(user_id))[1]

    def last_change(self, user_id: int) -> int:
        """The last one that tells of a change to the user's files and folders, or one that may."""
        changes = _whose(user_id) & events.c.type.not_in(_NO_CHANGE)
        with self._database.read() as connection:
            return _ends(connection, changes)[1]

    def since(self, seen: int, user_id: int | None = None) -> News:
        """What came after the event `seen` of this user's, or everybody's. Past MAX_NEWS, or past what is kept, it is
        the latest events, and a reset.
        """
        whose = _whose(user_id)
        with self._database.read() as connection:
            first, last = _ends(connection, whose)
            latest = _EVENTS.where(whose, events.c.id > seen).order_by(events.c.id.desc()).limit(MAX_NEWS + 1)
            found = connection.execute(latest).all()[::-1]
        # An id from beyond the end is from before a backup was put back.
        reset = not first <= seen <= last or len(found) > MAX_NEWS
        return News(tuple(map(_event, found[-MAX_NEWS:])), last, reset)

    def latest(self) -> News:
        """The latest of everybody's."""
        return self.since(0)

    def prune(self, before: datetime) -> None:
        """Forget what is older, and the oldest past KEPT. The last one stays: it tells where the line stands."""
        newest = select(func.max(events.c.id)).scalar_subquery()
        beyond = select(events.c.id).order_by(events.c.id.desc()).offset(KEPT).limit(1).scalar_subquery()
        old = (events.c.at < before) | (events.c.id <= beyond)
        with self._database.write(durable=False) as connection:
            connection.execute(delete(events).where(old, events.c.id < newest))


def note(connection: Connection, user_id: int | None, type: Happening, at: datetime, **about: Any) -> None:
    """Write it down inside somebody's transaction. `about` has what the type tells, `folders` among it where listings
    change: their paths.
    """
    connection.execute(insert(events), {"user_id": user_id, "type": type, "at": at, "about": about})


def file_available(connection: Connection, file: File, at: datetime) -> None:
    """A file is there, new or in the place of another."""
    uploader = connection.execute(select(users.c.name).where(users.c.id == file.owner_id)).scalar()
    about = {"fid": file.id, "filename": file.name, "size": file.size, "uploader": uploader}
    folder = names.parent(file.path)
    note(
        connection,
        file.owner_id,
        "file_available",
        at,
        **about,
        path=file.path,
        folder=folder,
        folders=[folder],
    )


def folder_made(connection: Connection, owner_id: int, folder_id: int, path: str, at: datetime) -> None:
    note(connection, owner_id, "folder_made", at, ids=[folder_id], path=path, folders=[names.parent(path)])


def moved(
    connection: Connection, owner_id: int, ids: Sequence[int], source: str, target: str, at: datetime
) -> None:
    """These nodes went from one folder to another, or were renamed in one."""
    about = {"ids": list(ids), "from": source, "to": target, "folders": sorted({source, target})}
    note(connection, owner_id, "moved", at, **about)


def copied(connection: Connection, owner_id: int, ids: Sequence[int], folder: str, at: datetime) -> None:
    """These nodes are new in the folder: copies, with all below them."""
    note(connection, owner_id, "copied", at, ids=list(ids), folder=folder, folders=[folder])


def removed(connection: Connection, owner_id: int, ids: Sequence[int], folder: str, at: datetime) -> None:
    """These nodes, and all below them, are no longer in the folder."""
    note(connection, owner_id, "removed", at, ids=list(ids), folder=folder, folders=[folder])


def restored(connection: Connection, owner_id: int, ids: Sequence[int], folder: str, at: datetime) -> None:
    """These nodes, and all below them, are in the folder again."""
    note(connection, owner_id, "restored", at, ids=list(ids), folder=folder, folders=[folder])


def damaged(connection: Connection, owner_id: int, file_id: int, folder: str, at: datetime) -> None:
    """Some of the file's stored bytes do not match their digests any more."""
    note(connection, owner_id, "damaged", at, fid=file_id, folders=[folder])


def _whose(user_id: int | None) -> ColumnElement[bool]:
    return true() if user_id is None else events.c.user_id == user_id


def _ends(connection: Connection, whose: ColumnElement[bool]) -> tuple[int, int]:
    """Where the line begins, before the oldest event that is kept of anybody's, and where it ends for this one."""
    oldest: int = connection.execute(select(func.coalesce(func.min(events.c.id), 1))).scalar_one()
    last: int | None = connection.execute(select(func.max(events.c.id)).where(whose)).scalar()
    return oldest - 1, oldest - 1 if last is None else last


def _event(row: Row[Any]) -> Event:
    return Event(row.id, row.type, row.at, row.user_id, row.user, row.about)
