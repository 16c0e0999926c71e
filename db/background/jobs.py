"""Work to be done in the background: who does it now, how far it is, and what became of it.

A lease decides whose a job is. Every change by a worker is made only while it holds the lease (compare and set): one
that was thought dead changes nothing any more. It must never know what a kind of job does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from db.connection import Database
from db.happening import events
from db.schema import jobs
from db.schema.columns import UtcTime
from errors import AtCapacity, Conflict, NotFound
from model import Job, JobStatus

_FIELDS = [field.name for field in fields(Job)]
"""The columns are called as the fields are."""
_UNDER_WAY = jobs.c.status.in_(("queued", "processing"))
_LIVE = jobs.c.status.in_(("queued", "processing", "ready"))
_TOLD = frozenset({"zip"})
"""Kinds that people see: they are listed, and owners hear of each change, as the event `prepared`."""
_DAY = timedelta(days=1)
_LETTER = "letter"
"""The kind that a job with an `email` leads to."""

Ask = Callable[[Job, int], object]
"""Asks for a job, one of so many of its kind within a day. Raises AtCapacity."""
Then = Callable[[Job, Ask], None]
"""Asks for what follows from a job that is made, as it stands at that moment."""


class Jobs:
    """Not durable where it does not say so: what a power cut takes back is done again, and is the same then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, job: Job, most: int, *, daily: bool = False, letters: int | None = None) -> Job:
        """Keep this new one, durably, or join the one that is about the same.

        Raises AtCapacity when its owner has `most` of its kind under way, or asked for within a day if they are counted
        `daily`. So it does when the job is to have a letter, and its owner had `letters` within a day or to come.
        """
        now = self._database.now()
        with self._database.write() as connection:
            if job.email is not None and letters is not None:
                _require_letters_left(connection, job, letters, now - _DAY)
            return _asked(connection, now, job, most, daily=daily)

    def get(self, job_id: str, owner_id: int | None = None) -> Job:
        """Raises NotFound, also for another owner's when one is given."""
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
        if row is None or owner_id not in {None, row.owner_id}:
            raise unknown()
        return _job(row)

    def latest(self, limit: int, owner_id: int | None = None) -> tuple[Job, ...]:
        """The latest of those that people see, of this owner or of all."""
        chosen = (
            select(jobs)
            .where(jobs.c.kind.in_(_TOLD))
            .order_by(jobs.c.created_at.desc(), jobs.c.id)
            .limit(limit)
        )
        return self._all(chosen if owner_id is None else chosen.where(jobs.c.owner_id == owner_id))

    def ready(self, kind: str) -> tuple[Job, ...]:
        """Those whose result can be had, the oldest first."""
        there = jobs.c.status == "ready", jobs.c.ends_at > self._database.now()
        chosen = select(jobs).where(jobs.c.kind == kind, *there)
        return self._all(chosen.order_by(jobs.c.updated_at, jobs.c.id))

    def begun_before(self, job: Job) -> tuple[Job, ...]:
        """Others of its kind that are being done, and were taken up earlier."""
        earlier = tuple_(jobs.c.started_at, jobs.c.id) < tuple_(literal(job.started_at, UtcTime()), job.id)
        running = jobs.c.kind == job.kind, jobs.c.status == "processing"
        return self._all(select(jobs).where(*running, earlier))

    def under_way(self) -> dict[tuple[str, JobStatus], int]:
        """How many of each kind wait (`queued`), and how many run (`processing`)."""
        what = jobs.c.kind, jobs.c.status
        counted = select(*what, func.count()).where(_UNDER_WAY).group_by(*what)
        with self._database.read() as connection:
            return {(kind, status): number for kind, status, number in connection.execute(counted)}

    def live(self, kind: str) -> frozenset[str]:
        """The ids of those whose bytes are still needed."""
        return frozenset(job.id for job in self._all(select(jobs).where(jobs.c.kind == kind, _LIVE)))

    def _all(self, chosen: Any) -> tuple[Job, ...]:
        with self._database.read() as connection:
            return tuple(map(_job, connection.execute(chosen)))

    def claim(self, worker: str, lease: timedelta, kinds: Collection[str]) -> Job | None:
        """Take the one of these kinds that has waited longest, or that another worker has left behind; None when there
        is none.
        """
        now = self._database.now()
        left_behind = and_(jobs.c.status == "processing", jobs.c.lease_until < now)
        waits = and_(jobs.c.status == "queued", jobs.c.not_before <= now)
        due = and_(jobs.c.kind.in_(kinds), or_(waits, left_behind))
        with self._database.read() as connection:  # most looks find nothing, and shut nobody out
            if connection.execute(select(jobs.c.id).where(due).limit(1)).one_or_none() is None:
                return None
        first = select(jobs).where(due).order_by(jobs.c.not_before, jobs.c.id).limit(1)
        with self._database.write(durable=False) as connection:
            row = connection.execute(first).one_or_none()
            if row is None:
                return None
            values = {"status": "processing", "lease_owner": worker, "lease_until": now + lease}
            more = {"started_at": now, "started_from": row.done, "attempts": row.attempts + 1}
            taken = update(jobs).where(jobs.c.id == row.id).values(values | more | {"updated_at": now})
            job = _job(connection.execute(taken.returning(jobs)).one())
            _tell(connection, job, "processing", now)
        return job

    def take_back(self, name: str) -> None:
        """Workers whose names begin so are dead, and hold nothing any more. Their attempts count."""
        theirs = jobs.c.status == "processing", jobs.c.lease_owner.startswith(name, autoescape=True)
        let_go = {"status": "queued", "lease_owner": None, "lease_until": None}
        with self._database.write(durable=False) as connection:
            connection.execute(update(jobs).where(*theirs).values(let_go))

    def renew(self, job: Job, worker: str, done: int, lease: timedelta) -> bool:
        """Hold it for longer and note how far it is; False when it is no longer this worker's.

        Whatever makes progress may fail again: attempts are counted anew.
        """
        now = self._database.now()
        attempts = case((jobs.c.started_from < done, 1), else_=jobs.c.attempts)
        values = {"done": done, "attempts": attempts, "lease_until": now + lease, "updated_at": now}
        with self._database.write(durable=False) as connection:
            return connection.execute(update(jobs).where(_held(job, worker)).values(values)).rowcount == 1

    def finish(
        self, job: Job, worker: str, result: Mapping[str, Any], ends_at: datetime, then: Then | None = None
    ) -> bool:
        """It is made, durably, and what follows is asked for in the same transaction: who joins with an address comes
        before both, or finds it ready. False when it is no longer this worker's, as from the next two.
        """
        values = {"result": result, "ends_at": ends_at, "done": job.total, "error": None}
        return self._end(job, worker, "ready", values, then, durable=True)

    def fail(self, job: Job, worker: str, error: str, ends_at: datetime) -> bool:
        """It cannot be made; until `ends_at` that is remembered."""
        return self._end(job, worker, "failed", {"error": error, "ends_at": ends_at})

    def put_back(self, job: Job, worker: str, not_before: datetime, error: str | None) -> bool:
        """It is to be tried again; without an `error` this attempt does not count."""
        attempts = jobs.c.attempts - (1 if error is None else 0)
        values = {"not_before": not_before, "error": error, "attempts": attempts}
        return self._end(job, worker, "queued", values)

    def _end(
        self,
        job: Job,
        worker: str,
        status: JobStatus,
        values: Mapping[str, Any],
        then: Then | None = None,
        *,
        durable: bool = False,
    ) -> bool:
        now = self._database.now()
        let_go = {"status": status, "lease_owner": None, "lease_until": None, "updated_at": now}
        change = update(jobs).where(_held(job, worker)).values({**values, **let_go})
        with self._database.write(durable=durable) as connection:
            ended = connection.execute(change.returning(jobs)).one_or_none()
            if ended is None:
                return False
            _tell(connection, job, status, now)
            if then is not None:
                then(_job(ended), partial(_asked, connection, now, daily=True))
        return True

    def cancel(self, job: Job, ends_at: datetime) -> None:
        """Nobody wants it any more, durably. Raises Conflict when it has failed, or was cancelled before."""
        with self._database.write() as connection:
            if not _cancel(connection, job, self._database.now(), ends_at):
                raise Conflict("It is over already.")

    def over(self) -> tuple[Job, ...]:
        """Those of which something may be left, and all whose time is over; but none that its worker may still be at,
        since one that has lost its job learns it later.
        """
        now = self._database.now()
        left = and_(jobs.c.status.in_(("failed", "cancelled")), ~jobs.c.cleared)
        let_go = or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < now)
        return self._all(
            select(jobs)
            .where(or_(left, jobs.c.ends_at <= now), let_go)
            .order_by(jobs.c.updated_at, jobs.c.id)
        )

    def cleared(self, job: Job) -> None:
        """Nothing is left of this one, which is over: it is forgotten, at once or when its time is over."""
        this = jobs.c.id == job.id
        with self._database.write(durable=False) as connection:
            connection.execute(update(jobs).where(this).values(cleared=True))
            connection.execute(delete(jobs).where(this, jobs.c.ends_at <= self._database.now()))

    def expire(self, job: Job) -> None:
        """Nobody can have what it made any more, durably; it may be thrown away now."""
        now = self._database.now()
        with self._database.write() as connection:
            _cancel(connection, job, now, now)


def cancel_all(connection: Connection, owner_id: int, now: datetime) -> None:
    """Their owner is about to be removed, who need not be told: nobody wants them, and their time is over."""
    ended = {"status": "cancelled", "lease_owner": None, "updated_at": now, "ends_at": now}
    connection.execute(update(jobs).where(jobs.c.owner_id == owner_id).values(ended))


def unknown() -> NotFound:
    return NotFound("There is no such job.")


def _asked(connection: Connection, now: datetime, job: Job, most: int, *, daily: bool) -> Job:
    """This one, or the one about the same that is there. Raises AtCapacity, as `Jobs.ask`."""
    same = select(jobs).where(jobs.c.kind == job.kind, jobs.c.key == job.key, _LIVE)
    row = connection.execute(same).one_or_none()
    if row is not None and (row.ends_at is None or row.ends_at > now):
        if job.email is not None:  # a letter goes where it was asked for last
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(email=job.email))
        return replace(_job(row), email=job.email or row.email)
    if row is not None:  # it stays until what it made is thrown away
        _cancel(connection, _job(row), now, now)
    counted = select(func.count()).where(jobs.c.owner_id == job.owner_id, jobs.c.kind == job.kind)
    counts = jobs.c.created_at > now - _DAY if daily else _UNDER_WAY
    if connection.execute(counted.where(counts)).scalar_one() >= most:
        raise AtCapacity("So much is being prepared for you already. Try again when some is done.", 60)
    connection.execute(insert(jobs), {field: getattr(job, field) for field in _FIELDS})
    _tell(connection, job, job.status, now)
    return job


def _require_letters_left(connection: Connection, job: Job, letters: int, since: datetime) -> None:
    """Raises AtCapacity. What is under way and will have its letter counts; the one that is about the same does not."""
    to_come = and_(jobs.c.email.is_not(None), _UNDER_WAY, jobs.c.key != job.key)
    asked_for = and_(jobs.c.kind == _LETTER, jobs.c.created_at > since)
    counted = select(func.count()).where(jobs.c.owner_id == job.owner_id, or_(asked_for, to_come))
    if connection.execute(counted).scalar_one() >= letters:
        raise AtCapacity(f"There are {letters} letters a day for each user.", 3600)


def _cancel(connection: Connection, job: Job, now: datetime, ends_at: datetime) -> bool:
    """Whether it was not over yet. Until its lease ends its worker may still be at it."""
    ended = {"status": "cancelled", "lease_owner": None, "updated_at": now, "ends_at": ends_at}
    if not connection.execute(update(jobs).where(jobs.c.id == job.id, _LIVE).values(ended)).rowcount:
        return False
    _tell(connection, job, "cancelled", now)
    return True


def _held(job: Job, worker: str) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, jobs.c.status == "processing", jobs.c.lease_owner == worker)


def _tell(connection: Connection, job: Job, status: JobStatus, at: datetime) -> None:
    if job.kind in _TOLD:
        about = {"job_id": job.id, "folder": job.args.get("folder"), "status": status}
        events.note(connection, job.owner_id, "prepared", at, **about)


def _job(row: Row[Any]) -> Job:
    return Job(*(row._mapping[field] for field in _FIELDS))
