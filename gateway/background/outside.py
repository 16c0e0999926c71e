"""Prepared ZIPs in object storage: taken there once they are made, and fetched from there. Where that fails, they stay.

It must never know what object storage is made of: storage/objects/base.py is all that it sees.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic

from db import Database
from errors import StoreError
from model import Job
from storage.objects.base import ObjectStore

log = logging.getLogger(__name__)

LONGEST_LINK = 12 * 3600
"""Seconds that an address there is good for, at most: each request to us gets a new one, and one that was given
stays good when the link that led to it is revoked."""


@dataclass(frozen=True, slots=True)
class OutsideHealth:
    """`trouble` is a sentence for the operator while object storage fails, and `since` when that was first seen."""

    trouble: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """How far a ZIP is on its way there: bytes, and bytes a second once it has some."""

    done: int
    total: int
    speed: float | None


class _Passing:
    """A ZIP on its way there."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total
        self._began = monotonic()
        self._lock = Lock()  # its parts go by several threads

    def progress(self, more: int) -> None:
        with self._lock:
            self._done += more

    def seen(self) -> Passage:
        done = self._done
        speed = done / max(monotonic() - self._began, 0.1) if done > 0 else None
        return Passage(done, self._total, speed)


class Outside:
    def __init__(self, objects: ObjectStore | None, database: Database) -> None:
        self._objects = objects
        self._database = database
        self._seen = OutsideHealth()
        self._passing: dict[str, _Passing] = {}
        """By job. What another process moves is not known here, and shows as packed."""

    def __repr__(self) -> str:
        return f"<Outside: {self._objects}, {self._seen.trouble or 'ok'}, {len(self._passing)} on their way>"

    def health(self) -> OutsideHealth | None:
        """How object storage was when it was last used or looked at; None when there is none."""
        return self._seen if self._objects is not None else None

    def passage(self, job: Job) -> Passage | None:
        """How far this job's ZIP is on its way there; None while it is not."""
        passing = self._passing.get(job.id)
        return None if passing is None else passing.seen()

    def take(self, job: Job, path: Path, stopped: Callable[[], bool]) -> bool:
        """Whether the job's ZIP rests there now; else it has to be served from here. Raises ClientGone when stopped."""
        if self._objects is None:
            return False
        passing = self._passing[job.id] = _Passing(path.stat().st_size)
        try:
            self._objects.put(_key(job), path, progress=passing.progress, stopped=stopped)
        except StoreError as error:
            self._note(str(error))
            return False
        finally:
            del self._passing[job.id]
        self._note(None)
        return True

    def address(self, job: Job, now: datetime, until: datetime | None) -> str | None:
        """Where a ZIP that is there can be fetched by anybody for a while, no longer than `until`; None when there is
        no object storage.
        """
        if self._objects is None or job.ends_at is None:
            return None
        ends = job.ends_at if until is None else min(job.ends_at, until)
        left = int((ends - now).total_seconds())
        return self._objects.link(_key(job), name=job.args["name"], seconds=min(left, LONGEST_LINK))

    def remove(self, job: Job) -> None:
        """Leave nothing of it there; of an upload that was cut off, too. Raises StoreError: ask again."""
        if self._objects is not None:
            self._objects.remove(_key(job))

    def look(self) -> None:
        """See whether it works, before somebody has to wait for it."""
        if self._objects is not None:
            try:
                self._objects.check()
            except StoreError as error:
                self._note(str(error))
            else:
                self._note(None)

    def _note(self, trouble: str | None) -> None:
        """Said once, when it begins and when it ends."""
        before = self._seen
        if trouble is not None and before.trouble is None:
            log.warning("%s Prepared ZIPs are kept on this machine until it works.", trouble)
        elif trouble is None and before.trouble is not None:
            log.info("object storage works again")
        since = None if trouble is None else before.since or self._database.now()
        self._seen = OutsideHealth(trouble, since)


def _key(job: Job) -> str:
    return f"{job.id}.zip"
