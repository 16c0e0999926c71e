"""One transfer: one file and one user, in one direction, over however many connections. Arithmetic; it knows no lock.

Each connection counts its own bytes on the thread that moves them; sums are made when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Literal
from uuid import UUID

from errors import Gone
from model import ByteRange, Client, File, Folder, User

Direction = Literal["download", "upload"]
SAMPLES = 5
"""Looks, one a second, over which speed is taken."""
MAX_SPANS = 512
"""Separate ranges that are remembered of what was moved; who fetches a file in more is never called complete."""


PAUSE = 600.0
"""Seconds that a pause lasts at most: its connections and its place are others', too."""


UNKNOWN = Client("", "")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever comes by a share from one network: limited as a user of their own is.

    All its visitors together may have `connections` at a time, and `rate` bytes per second; 0 for no limit.
    """

    share: int
    network: str
    rate: int = field(default=0, compare=False)
    connections: int = field(default=0, compare=False)


Party = int | Visitor
"""Who has places and rates of their own: a user, by id, or a visitor."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is moved. `content` names it for good: contents, upload, archive's digest; equal ones are one transfer."""

    direction: Direction
    user: User
    content: int | UUID | bytes
    file_id: int | None
    name: str
    size: int
    folder_id: int | None = None
    visitor: Visitor | None = None
    """Who fetches it, where that is not the user, whose it is."""

    @classmethod
    def download(cls, user: User, file: File, visitor: Visitor | None = None) -> Subject:
        return cls("download", user, file.content_id, file.id, file.name, file.size, visitor=visitor)

    @classmethod
    def archive(
        cls, user: User, folder: Folder, digest: bytes, size: int, visitor: Visitor | None = None
    ) -> Subject:
        """A folder as it is now; one that has changed is another subject."""
        return cls("download", user, digest, None, archive_name(folder), size, folder.id, visitor)

    @property
    def party(self) -> Party:
        return self.user.id if self.visitor is None else self.visitor

    @property
    def mover(self) -> str:
        """Who moves it, for the log."""
        by = repr(self.user.name)
        return by if self.visitor is None else f"a visitor of share {self.visitor.share} of {by}"

    @property
    def thing(self) -> str:
        """What it is, for the log."""
        if self.direction == "upload":
            return f"upload {self.content!s}"
        return f"folder {self.folder_id}" if self.file_id is None else f"file {self.file_id}"


def archive_name(folder: Folder) -> str:
    """What the ZIP of the folder is called; the top folder has no name."""
    return f"{folder.name or 'stowgram'}.zip"


@dataclass(frozen=True, slots=True)
class Status:
    """A transfer at one moment. `speed` in bytes per second; `eta` and `expected_wait` in seconds, None when nobody can
    know; `place` is that in line, None for one that runs.
    """

    id: int
    subject: Subject
    client: Client
    started_at: datetime
    moved: int
    connections: int
    speed: float
    eta: float | None
    paused: bool
    place: int | None
    expected_wait: float | None


class Connection:
    """One request's share of a transfer: bytes from `span.start` on. Only the thread that moves them writes `moved`."""

    def __init__(self, number: int, transfer: Transfer, span: ByteRange) -> None:
        self.number = number
        self.transfer = transfer
        self.span = span
        self.moved = 0
        self.completes = False
        """The file is known to be whole with it: for uploads, where a span that arrived is not stored yet."""
        self.began = monotonic()
        self.wake: Callable[[], None] = _nobody_waits
        """Have whoever moves its bytes look at the transfer's state soon."""

    def has_moved(self, moved: int) -> None:
        """So many bytes in all, by now."""
        self.moved = moved

    @property
    def done(self) -> ByteRange:
        return ByteRange(self.span.start, self.span.start + self.moved)

    @property
    def left(self) -> ByteRange:
        return ByteRange(self.done.stop, max(self.done.stop, self.span.stop))


class Transfer:
    def __init__(self, number: int, subject: Subject, client: Client) -> None:
        self.id = number
        self.subject = subject
        self.client = client
        self.connections: set[Connection] = set()
        self.opened = 0
        """Connections so far, those that ended included."""
        self.started_at = datetime.now(UTC)
        self.began = self.left_at = monotonic()
        self.first_byte: float | None = None
        """Seconds from the first request until its first byte was in hand."""
        self.admitted = subject.direction == "upload"
        """It has a place, or needs none."""
        self.whole = False
        """Every byte of the file has been moved."""
        self.over = self.cancelled = False
        self.paused_until = 0.0
        self.held_until = 0.0
        """It stays until then, on the monotonic clock, though it has no connection."""
        self.told = 0
        """Bytes that the totals know of."""
        self._ending = ""
        self._ended = 0
        self._done: list[ByteRange] = []
        self._samples: deque[tuple[float, int]] = deque([(self.began, 0)], SAMPLES)

    def __repr__(self) -> str:
        return f"<Transfer {self.id}: {self.subject.direction} of {self.subject.name!r}, {self.moved} bytes>"

    @property
    def moved(self) -> int:
        return self._ended + sum(connection.moved for connection in self.connections)

    @property
    def paused(self) -> bool:
        return monotonic() < self.paused_until

    def pause(self) -> None:
        """The bytes stop, for PAUSE seconds at most; connections and place stay."""
        self.paused_until = monotonic() + PAUSE

    def resume(self) -> None:
        self.paused_until = 0.0

    def require_wanted(self) -> None:
        """Raises Gone when it was cancelled."""
        if self.cancelled:
            raise Gone("This download was cancelled. To have the file after all, begin it again.")

    @property
    def outcome(self) -> str:
        """How it ended, when it has; the last connection to end decides where not all was moved."""
        return "complete" if self.whole else "cancelled" if self.cancelled else self._ending

    def drop(self, connection: Connection, ending: str) -> None:
        """This connection is over. `ending` is `partial` where it brought all that it was asked for."""
        self.connections.discard(connection)
        self._ended += connection.moved
        self._done = union([*self._done, connection.done])[:MAX_SPANS]
        fetched = self._done == union([ByteRange(0, self.subject.size)])
        self.whole = self.whole or connection.completes or (self.subject.direction == "download" and fetched)
        self._ending = ending
        self.left_at = monotonic()

    def sample(self, now: float) -> None:
        self._samples.append((now, self.moved))

    def speed(self, now: float) -> float:
        since, before = self._samples[0]
        return (self.moved - before) / max(now - since, 0.001)

    def eta(self, now: float) -> float | None:
        """Seconds until all that its connections were asked for has been moved."""
        left = sum(span.length for span in union(connection.left for connection in self.connections))
        speed = self.speed(now)
        return left / speed if speed > 0 and not self.paused else None


def _nobody_waits() -> None:
    pass


def union(spans: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes as ranges in order, none of them empty, that neither meet nor overlap."""
    merged: list[ByteRange] = []
    for span in sorted(span for span in spans if span.length):
        if merged and span.start <= merged[-1].stop:
            merged[-1] = ByteRange(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    return merged
