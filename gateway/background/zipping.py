"""The kind of job that makes a folder's ZIP on the local disk, and takes it outside (docs/decisions/prepared.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from errors import Conflict
from gateway.background.jobs import Made, Progress, Stopped
from gateway.background.letters import Letters
from gateway.background.zips import Zips
from gateway.limits import Limits
from model import Job
from storage.base import ChunkStore
from streaming.packing import most, pack_deflated, pack_stored
from streaming.read import DamageReport
from streaming.shelf import HalfMade
from streaming.stored_archive import StoredArchive


class Zipping:
    """A `Kind` (gateway/background/jobs.py). A job's `args` name the folder and the digest of what was in it."""

    def __init__(
        self,
        store: ChunkStore,
        zips: Zips,
        letters: Letters,
        limits: Limits,
        report: Callable[[DamageReport], None],
    ) -> None:
        self._store = store
        self._zips = zips
        self._shelf = zips.shelf
        self._letters = letters
        self._lasts = timedelta(hours=limits.zip_cache_hours)
        self._report = report

    def perform(self, job: Job, progress: Progress, stopped: Stopped) -> Made:
        """As Kind.perform. Raises Conflict when the folder is no longer what it was, before or while it was packed."""
        archive = self._unchanged(job)
        whole = self._shelf.path(job.id)
        if not whole.exists():  # else it was made, and whoever made it was killed before telling
            self._zips.make_room(job, most(archive, job.args["level"]))
            with self._shelf.make(job.id) as half:
                self._pack(archive, job, half, progress, stopped)
                half.finish()
        size = whole.stat().st_size
        # The file here stays until the row says where else it is: whoever goes on after a kill need not make it again.
        outside = self._zips.outside.take(job, whole, stopped)
        self._unchanged(job)
        result = {"size": size} | ({"outside": True} if outside else {})
        return Made(result, self._lasts, self._letters.follow)

    def _pack(
        self, archive: StoredArchive, job: Job, half: HalfMade, progress: Progress, stopped: Stopped
    ) -> None:
        level, store, report = job.args["level"], self._store, self._report
        if level:
            pack_deflated(archive, level, half, store, progress=progress, stopped=stopped, report=report)
        else:
            pack_stored(archive, half, job.done, store, progress=progress, stopped=stopped, report=report)

    def clear(self, job: Job) -> None:
        self._zips.clear(job)

    def clear_outside(self, job: Job) -> None:
        if job.started_at is not None:  # else it never got there
            self._zips.outside.remove(job)

    def _unchanged(self, job: Job) -> StoredArchive:
        archive = self._zips.archive(job)
        if archive is None:
            raise Conflict("The folder has changed since this was asked for. Ask for it again.")
        return archive
