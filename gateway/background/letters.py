"""Letters about what is ready, to those who asked for one: what they say, and that each is sent once.

A kind of job (gateway/background/jobs.py): a mail server that is away costs a letter some time, and the ZIP that it is
about none.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Protocol

from db import Database
from db.background.jobs import Ask
from db.background.jobs import Jobs as Rows
from errors import AtCapacity, BadInput, NotFound
from gateway.access.people import People
from gateway.background.jobs import Jobs, Made, Progress, Stopped
from model import Job

log = logging.getLogger(__name__)

KIND = "letter"
MOST_A_DAY = 20
"""Letters for one user: whoever may sign in must not be able to flood others by us."""
REMEMBERED = timedelta(days=1)
# html.spec.whatwg.org, "valid e-mail address": what browsers take for one, and nothing that has to be quoted.
_ADDRESS = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)
_LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
TEXT = """\
The ZIP of {folder} that you asked for is ready:

{address}

Whoever has this address can fetch the ZIP, without signing in, until {ends} UTC. It goes on where it was
interrupted. After that, or when the folder changes, ask for it again at {home}
"""


class Mailer(Protocol):
    def send(self, to: str, subject: str, text: str, *, number: str) -> None:
        """Raises Transient and Permanent. A repeated letter has the same `number`."""


@dataclass(frozen=True, slots=True)
class Post:
    """Who takes our letters, and what they lead to: of a job that is ready and a stamp of its owner's password
    (gateway/access/people.py), and home.
    """

    mailer: Mailer
    address: Callable[[Job, str], str]
    home: str


class Letters:
    def __init__(self, database: Database, jobs: Jobs, people: People, post: Post | None) -> None:
        self._rows = Rows(database)
        self._database = database
        self._jobs = jobs
        self._people = people
        self._post = post

    @property
    def possible(self) -> bool:
        """Whether somebody takes our letters."""
        return self._post is not None

    def checked(self, address: str) -> str:
        """An address that a letter may be sent to. Raises BadInput."""
        if self._post is None:
            raise BadInput("This server sends no letters. Ask how far it is, instead.")
        if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            raise BadInput("`email` is no address that a letter could be sent to.")
        return address

    def about(self, job: Job) -> None:
        """Have one sent about a job that is ready, if somebody wants it; one to each address. Raises AtCapacity."""
        self._about(job, partial(self._rows.ask, daily=True))

    def follow(self, job: Job, ask: Ask) -> None:
        """`about`, for a job that is made just now."""
        try:
            self._about(job, ask)
        except AtCapacity:  # too many for ZIPs that were there took its place; this one is ready all the same
            log.warning("no letter about job %s: its owner has had all letters of a day", job.id)

    def _about(self, job: Job, ask: Ask) -> None:
        if self._post is not None and job.email is not None and job.owner_id is not None:
            args = {"about": job.id, "to": job.email}
            ask(self._jobs.new(job.owner_id, KIND, f"{job.id} {job.email}", args, 0), MOST_A_DAY)

    def perform(self, job: Job, progress: Progress, stopped: Stopped) -> Made:
        """As Kind.perform. What is not there any more is not told of."""
        try:
            about = self._rows.get(job.args["about"])
        except NotFound:
            return Made({}, REMEMBERED)
        if about.status == "ready" and self._post is not None:
            assert about.owner_id is not None and about.ends_at is not None  # since it is ready
            owner = self._people.account(about.owner_id).user
            text = TEXT.format(
                folder=about.args["folder"],
                address=self._post.address(about, self._people.stamp(owner)),
                ends=about.ends_at.astimezone(UTC).strftime("%d %B %Y, %H:%M"),
                home=self._post.home,
            )
            # A name may hold the line separators of Unicode (U+2028), which no header may.
            subject = " ".join(f"Ready: {about.args['name']}".splitlines())
            self._post.mailer.send(job.args["to"], subject, text, number=job.id)
            # As long as the ZIP is there, it is known who had a letter about it.
            return Made({}, max(about.ends_at - self._database.now(), REMEMBERED))
        return Made({}, REMEMBERED)

    def clear(self, job: Job) -> None:
        """There is nothing."""

    def clear_outside(self, job: Job) -> None:
        """What is in the post stays there."""
