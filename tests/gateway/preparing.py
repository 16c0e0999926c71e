"""Prepared ZIPs for tests, by a worker's steps without a worker."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from errors import Conflict, StowgramError
from gateway import Gateway
from gateway.background import letters, zips
from gateway.background.jobs import Progress, Stopped
from model import Folder, Job, User
from tests.conftest import House

WORKER = "test"
KINDS = (zips.KIND, letters.KIND)


def never() -> bool:
    return False


def ignore(done: int) -> None:
    pass


def claimed(gateway: Gateway, lease: timedelta = timedelta(minutes=1)) -> Job:
    """The next job."""
    job = gateway.jobs.claim(WORKER, lease, KINDS)
    assert job is not None
    return job


def worked(
    gateway: Gateway,
    progress: Progress = ignore,
    stopped: Stopped = never,
    *,
    lease: timedelta = timedelta(minutes=1),
) -> Job:
    """The next job, done."""
    job = claimed(gateway, lease)
    try:
        gateway.jobs.finish(job, WORKER, gateway.jobs.perform(job, progress, stopped))
    except StowgramError as error:
        gateway.jobs.fail(job, WORKER, str(error))
        raise
    return job


def prepared(gateway: Gateway, user: User, folder: Folder) -> Job:
    """A ZIP that is ready."""
    job = gateway.prepared.ask(user, folder)
    while job.status != "ready":
        with suppress(Conflict):  # of another, that was asked for before
            worked(gateway)
        job = gateway.jobs.get(user, job.id)
    return job


def here(house: House, job: Job) -> Path:
    """The file of a ZIP that is ready and rests on the local disk."""
    path = house.gateway.prepared.whole(house.user, job.id)[1]
    assert isinstance(path, Path)
    return path
