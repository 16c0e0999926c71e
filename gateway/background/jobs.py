"""Work in the background: asked for here, done by whoever claims it. `jobs/` does, and knows when; a kind knows how.

A kind's `perform` is all that another runner would have to call: it goes on where an earlier attempt of the same job
left off, and may be repeated.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Protocol

from db import Database
from db.background.jobs import Jobs as Rows
from db.background.jobs import Then
from errors import DatabaseUnavailable, NotFound, StoreError, Transient
from gateway.background.figures import Ends, Figures
from model import Job, User

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 20
"""Jobs of one kind that wait or run for one owner."""
REMEMBERED = timedelta(days=1)
"""How long one is told of that failed or was cancelled."""
LISTED = 200
"""The latest jobs that a list holds."""
CLEARING = 20.0
"""Seconds for what is outside in one round of clearing up, so that what is here has its turn again soon."""

Progress = Callable[[int], None]
"""Is told how many bytes of the total are done for good."""
Stopped = Callable[[], bool]
"""Whether nobody wants the work from this worker any more; asked at least every few seconds."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a job has made, as JSON has it, how long that is kept, and what follows from it."""

    result: Mapping[str, Any]
    lasts: timedelta
    then: Then | None = None


class Kind(Protocol):
    def perform(self, job: Job, progress: Progress, stopped: Stopped) -> Made:
        """Raises ClientGone when it was stopped, AtCapacity when it has to wait, Transient for what may go well another
        time; any other StowgramError for good.
        """

    def clear(self, job: Job) -> None:
        """Leave nothing of a job that is over on this machine, soon; no error when there is nothing."""

    def clear_outside(self, job: Job) -> None:
        """Nor anywhere else, which may take a minute. Raises StoreError to be asked again."""


class Jobs:
    """For owners: `ask`, `get`, `cancel`. For workers, by the name that each gives itself: the rest."""

    def __init__(self, database: Database) -> None:
        self._rows = Rows(database)
        self._database = database
        self._kinds: dict[str, Kind] = {}
        self._troubles: dict[str, str] = {}
        """By worker."""
        self._ends = Ends()
        self._tried = (datetime.min.replace(tzinfo=UTC), "")
        """The place of the job whose things outside were cleared away, or not, last."""

    def know(self, name: str, kind: Kind) -> None:
        """From now on there are jobs of this kind."""
        self._kinds[name] = kind

    def ask(
        self,
        owner_id: int,
        kind: str,
        key: str,
        args: Mapping[str, Any],
        total: int,
        *,
        email: str | None = None,
        most: int = MOST_UNDER_WAY,
        letters: int | None = None,
    ) -> Job:
        """Have it done, or join the one that is about the same. Raises AtCapacity past `most` of its kind under way,
        and when `email` is one too many for so many `letters`.
        """
        return self._rows.ask(self.new(owner_id, kind, key, args, total, email), most, letters=letters)

    def new(
        self,
        owner_id: int,
        kind: str,
        key: str,
        args: Mapping[str, Any],
        total: int,
        email: str | None = None,
    ) -> Job:
        """One that nobody knows of yet."""
        now = self._database.now()
        return Job(
            id=secrets.token_hex(16),  # a name for files, too, on systems that know no case
            kind=kind,
            key=key,
            owner_id=owner_id,
            args=args,
            result={},
            status="queued",
            done=0,
            total=total,
            attempts=0,
            not_before=now,
            started_at=None,
            started_from=0,
            error=None,
            email=email,
            created_at=now,
            updated_at=now,
            ends_at=None,
        )

    def get(self, user: User, job_id: str) -> Job:
        """Raises NotFound, also for another user's."""
        return self._rows.get(job_id, user.id)

    def of(self, user: User) -> tuple[Job, ...]:
        """The user's, the latest first."""
        return self._rows.latest(LISTED, user.id)

    def all(self) -> tuple[Job, ...]:
        """Everybody's, the latest first."""
        return self._rows.latest(LISTED)

    def cancel(self, user: User, job_id: str) -> None:
        """Nobody wants it, or what it made; who is at it notices. Raises NotFound, and Conflict when it is over."""
        job = self._rows.get(job_id, user.id)
        self._rows.cancel(job, self._database.now() + REMEMBERED)
        if job.status != "processing":  # else its worker would make anew what is cleared here
            self._kinds[job.kind].clear(job)

    def take_back(self, name: str) -> None:
        """Whoever had a name that begins so is dead: what they held waits for its next attempt."""
        self._rows.take_back(name)

    def claim(self, worker: str, lease: timedelta, kinds: Collection[str]) -> Job | None:
        """The next one of these kinds to do; None when there is none."""
        return self._rows.claim(worker, lease, kinds)

    def renew(self, job: Job, worker: str, done: int, lease: timedelta) -> bool:
        """Hold it, and tell how far it is. False when it was cancelled or is another worker's: stop then."""
        return self._rows.renew(job, worker, done, lease)

    def perform(self, job: Job, progress: Progress, stopped: Stopped) -> Made:
        """As Kind.perform. Whoever calls it holds the job."""
        return self._kinds[job.kind].perform(job, progress, stopped)

    def finish(self, job: Job, worker: str, made: Made) -> None:
        now = self._database.now()
        if self._rows.finish(job, worker, made.result, now + made.lasts, made.then):
            self._ends.made(job.kind, now)
        else:
            self.clear(job)

    def fail(self, job: Job, worker: str, error: str) -> None:
        """It cannot be done; `error` is a sentence for its owner."""
        if self._rows.fail(job, worker, error, self._database.now() + REMEMBERED):
            self._ends.failed(job.kind)
        self.clear(job)

    def put_back(self, job: Job, worker: str, delay: timedelta, error: str | None) -> None:
        """Another attempt, once the `delay` is over; without an `error` this one does not count."""
        self._rows.put_back(job, worker, self._database.now() + delay, error)

    def note(self, worker: str, trouble: str | None) -> None:
        """What keeps this worker from its work, a sentence for the operator; None once nothing does."""
        if trouble is None:
            self._troubles.pop(worker, None)
        else:
            self._troubles[worker] = trouble

    @property
    def trouble(self) -> str | None:
        """What keeps a worker of this process from its work."""
        return next(iter(tuple(self._troubles.values())), None)

    def figures(self) -> list[Figures]:
        """Of every kind that there is."""
        try:
            there = self._rows.under_way()
        except DatabaseUnavailable:
            return [self._ends.figures(kind, None, None) for kind in self._kinds]
        return [
            self._ends.figures(kind, there.get((kind, "queued"), 0), there.get((kind, "processing"), 0))
            for kind in self._kinds
        ]

    def clear(self, job: Job) -> None:
        """Leave nothing of it here, if it is over; another worker may have it, too."""
        try:
            over = self._rows.get(job.id).status in {"failed", "cancelled"}
        except NotFound:
            over = True
        if over:
            self._kinds[job.kind].clear(job)

    def clear_over(self) -> None:
        """Leave nothing of those that are over, here and outside, and forget those whose time is over.

        Outside that ends after CLEARING seconds, and for a kind with the first that its place does not answer about:
        the next round begins behind those that were tried in this one.
        """
        over = self._rows.over()
        for job in over:
            self._kinds[job.kind].clear(job)
        deadline, silent = monotonic() + CLEARING, set[str]()
        for job in sorted(over, key=lambda job: _place(job) <= self._tried):
            if monotonic() >= deadline:
                return
            if job.kind not in silent:
                self._tried = _place(job)
                if not self._cleared_outside(job):
                    silent.add(job.kind)

    def _cleared_outside(self, job: Job) -> bool:
        """Whether its place outside answers, be it by a refusal. The job is forgotten when nothing is left of it."""
        try:
            self._kinds[job.kind].clear_outside(job)
        except StoreError as error:
            log.warning("job %s could not be cleared: %s", job.id, error)
            return not isinstance(error, Transient)
        self._rows.cleared(job)
        return True


def _place(job: Job) -> tuple[datetime, str]:
    """Where it stands among those that are over."""
    return job.updated_at, job.id
