"""ZIPs that are made before they are fetched: asked for, joined, found, and thrown away when they are of no use."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from db import Database
from errors import Gone
from gateway.background.jobs import MOST_UNDER_WAY, Jobs
from gateway.background.letters import MOST_A_DAY, Letters
from gateway.background.outside import OutsideHealth, Passage
from gateway.background.zips import KIND, Zips
from gateway.limits import Limits
from gateway.moving.transfer import archive_name
from gateway.outgoing.archives import Archives
from model import Folder, Job, User
from streaming.packing import most as most_bytes

_GONE = "This ZIP is no longer there, or its folder has changed. Ask for it again."


class Prepared:
    def __init__(
        self,
        database: Database,
        archives: Archives,
        jobs: Jobs,
        zips: Zips,
        letters: Letters,
        limits: Limits,
    ) -> None:
        self._database = database
        self._archives = archives
        self._jobs = jobs
        self._zips = zips
        self._letters = letters
        self._level = limits.zip_level

    @property
    def sends_letters(self) -> bool:
        """Whether `ask` takes an `email`."""
        return self._letters.possible

    def ask(self, user: User, folder: Folder, *, email: str | None = None, most: int = MOST_UNDER_WAY) -> Job:
        """Have the ZIP of all that is in the user's folder now, or join those who have asked for the same. There are
        `most` jobs of the user's under way at a time. A letter goes to `email` when it is ready.

        Raises NotFound, TooLarge, BadInput, and AtCapacity.
        """
        if email is not None:
            email = self._letters.checked(email)
        archive = self._archives.of(user, folder)
        self._zips.check_size(most_bytes(archive, self._level))
        digest = archive.digest.hex()
        args = {
            "folder_id": folder.id,
            "folder": folder.path,
            "name": archive_name(folder),
            "digest": digest,
            "level": self._level,
        }

        def asked() -> Job:
            key = f"{folder.id} {digest} {self._level}"
            return self._jobs.ask(
                user.id, KIND, key, args, archive.size, email=email, most=most, letters=MOST_A_DAY
            )

        job = asked()
        if job.status == "ready" and self._zips.where(job) is None:  # somebody removed the file
            self._zips.throw_away(job)
            job = asked()
        if job.status == "ready" and email is not None:
            self._letters.about(job)
        return job

    def whole(self, user: User, job_id: str, *, until: datetime | None = None) -> tuple[Job, Path | str]:
        """A ZIP that is ready, and where it is: a file, or an address outside that anybody can fetch, `until` at most.

        Raises NotFound, also for another user's, and Gone when it is not ready any more, or its folder has changed.
        """
        job = self._jobs.get(user, job_id)
        there = job.status == "ready" and job.ends_at is not None and job.ends_at > self._database.now()
        where = self._zips.where(job, until) if there else None
        if where is None or self._zips.archive(job) is None:
            raise Gone(_GONE)
        return job, where

    def outside(self) -> OutsideHealth | None:
        """How object storage is; None when there is none."""
        return self._zips.outside.health()

    def passage(self, job: Job) -> Passage | None:
        """How far a job's ZIP is on its way to object storage; None while it is not."""
        return self._zips.outside.passage(job)

    def look_outside(self) -> None:
        """See how object storage is."""
        self._zips.outside.look()

    def tidy(self) -> None:
        """Throw away what is over, what is of folders that have changed, and what nobody asked for."""
        self._zips.drop_changed()
        self._jobs.clear_over()
        self._zips.sweep()
