"""Prepared ZIPs in object storage: taken there once they are made, and fetched from there. Where that fails, they stay.

It must never know what object storage is made of: storage/objects/base.py is all that it sees.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from errors import StoreError
from model import Job
from storage.objects.base import ObjectStore

log = logging.getLogger(__name__)

LONGEST_LINK = 12 * 3600
"""Seconds that an address there is good for, at most: each request to us gets a new one, and one that was given
stays good when the link that led to it is revoked."""


class Outside:
    """`trouble` is a sentence for the operator while object storage fails, None while it works or there is none."""

    def __init__(self, objects: ObjectStore | None) -> None:
        self._objects = objects
        self.trouble: str | None = None

    def __repr__(self) -> str:
        return f"<Outside: {self._objects}, {self.trouble or 'ok'}>"

    @property
    def used(self) -> bool:
        """Whether there is object storage at all."""
        return self._objects is not None

    def take(self, job: Job, path: Path, stopped: Callable[[], bool]) -> bool:
        """Whether the job's ZIP rests there now; else it has to be served from here. Raises ClientGone when stopped."""
        if self._objects is None:
            return False
        try:
            self._objects.put(_key(job), path, progress=lambda more: None, stopped=stopped)
        except StoreError as error:
            self._note(str(error))
            return False
        self._note(None)
        return True

    def address(self, job: Job, now: datetime) -> str | None:
        """Where a ZIP that is there can be fetched by anybody for a while; None when there is no object storage."""
        if self._objects is None or job.ends_at is None:
            return None
        left = int((job.ends_at - now).total_seconds())
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
        if trouble is not None and self.trouble is None:
            log.warning("%s Prepared ZIPs are kept on this machine until it works.", trouble)
        elif trouble is None and self.trouble is not None:
            log.info("object storage works again")
        self.trouble = trouble


def _key(job: Job) -> str:
    return f"{job.id}.zip"
