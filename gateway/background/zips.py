"""The prepared ZIPs that there are, here and outside: which are over or out of date, and who makes room."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from db import Database, People, Tree
from db.background.jobs import Jobs as Rows
from errors import AtCapacity, NotFound, TooLarge
from gateway.background.outside import Outside
from gateway.limits import Limits
from gateway.outgoing.archives import Archives
from model import Job
from streaming.shelf import Shelf
from streaming.stored_archive import StoredArchive

KIND = "zip"


class Zips:
    def __init__(
        self, database: Database, archives: Archives, shelf: Shelf, outside: Outside, limits: Limits
    ) -> None:
        self._rows = Rows(database)
        self._people = People(database)
        self._tree = Tree(database)
        self._archives = archives
        self.shelf = shelf
        self.outside = outside
        self._database = database
        self._limit = limits.zip_cache
        self._seen: dict[str, int] = {}
        """By job: its owner's last change of anything when its folder was last found unchanged."""

    def __repr__(self) -> str:
        return f"<Zips: {sum(self.shelf.sizes().values())} of {self._limit} bytes>"

    def archive(self, job: Job) -> StoredArchive | None:
        """What its folder would be packed into now; None when that is another archive, or the folder is gone."""
        owner = None if job.owner_id is None else self._people.by_id(job.owner_id)
        if owner is None:
            return None
        try:
            archive = self._archives.of(owner[0], self._tree.folder(owner[0].id, job.args["folder_id"]))
        except (NotFound, TooLarge):
            return None
        return archive if archive.digest.hex() == job.args["digest"] else None

    def check_size(self, most: int) -> None:
        """Raises TooLarge when so many bytes never have room."""
        if most > self._limit:
            raise TooLarge(
                f"ZIPs of up to {self._limit} bytes are prepared here. "
                "Fetch this one as a stream, which can be resumed, too."
            )

    def make_room(self, job: Job, most: int) -> None:
        """For one of at most so many bytes; the oldest go. Raises TooLarge, and AtCapacity while others are made."""
        self.check_size(most)
        self.sweep()
        others = self.shelf.sizes()
        # Those that were begun before this one have room for all that they will take; who comes last waits.
        others.update({other.id: other.total - others[other.id] for other in self._rows.begun_before(job)})
        del others[job.id]
        ready = [other for other in self._rows.ready(KIND) if other.id in others]
        too_much = sum(others.values()) + most - self._limit
        if sum(others[oldest.id] for oldest in ready) < too_much:  # nothing is thrown away for nothing
            raise AtCapacity("Other ZIPs are being made, and take the room that there is.", 30)
        for oldest in ready:
            if too_much <= 0:
                return
            too_much -= others[oldest.id]
            self.throw_away(oldest)

    def where(self, job: Job, until: datetime | None = None) -> Path | str | None:
        """Where one that is ready can be had: a file, or an address outside, good for a while and no longer than
        `until`; None if it is gone.
        """
        if job.result.get("outside"):
            return self.outside.address(job, self._database.now(), until)
        path = self.shelf.path(job.id)
        return path if path.exists() else None

    def throw_away(self, job: Job) -> None:
        """Out of sight first, then off the shelf. What is outside goes with the other jobs that are over."""
        self._rows.expire(job)
        self.clear(job)

    def clear(self, job: Job) -> None:
        """Leave no bytes of it here."""
        self.shelf.remove(job.id)
        self._seen.pop(job.id, None)

    def drop_changed(self) -> None:
        """Throw away those of folders that have changed since."""
        for job in self._rows.ready(KIND):
            assert job.owner_id is not None  # else it would be cancelled
            version = self._archives.version(job.owner_id)
            if self._seen.get(job.id) == version:
                continue
            if self.archive(job) is None:
                self.throw_away(job)
            else:
                self._seen[job.id] = version

    def sweep(self) -> None:
        """Take off the shelf what no job needs there: what was being made when its job ended, what could not be
        removed, and what rests outside by now.
        """
        there = self.shelf.sizes()
        outside = {job.id for job in self._rows.ready(KIND) if job.result.get("outside")}
        for name in there.keys() - (self._rows.live(KIND) - outside):
            self.shelf.remove(name)
