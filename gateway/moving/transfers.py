"""What is moving: every download and upload that runs or waits, who may join, and what is said of it at its end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from time import monotonic
from uuid import UUID

from errors import AtCapacity, Gone, NotFound
from gateway.moving.admission import COME_BACK, Admission
from gateway.moving.figures import FIRST_BYTE_BOUNDS, Figures, Histogram
from gateway.moving.totals import Tallies
from gateway.moving.transfer import Connection, Direction, Status, Subject, Transfer, Visitor
from model import ByteRange, Client, User

log = logging.getLogger(__name__)

REFUSED_FOR = 60.0
"""Seconds in which a cancelled download is not gone on with: its program would begin where it was cut."""
READY = 30.0
"""Seconds that a transfer which waited without a connection keeps its place for one."""
LINGER = 3.0
"""Seconds that a download keeps its place without a connection: a download manager opens the next range by then."""
REST = 60.0
"""Seconds that an upload is shown without a connection: a slow client makes the next part ready, or is offline."""


class Transfers:
    """The lock: requests join and leave from many threads. Those of admission and tallies are taken under it, never the
    other way round.
    """

    def __init__(self, admission: Admission, tallies: Tallies, most_connections: int) -> None:
        self._admission = admission
        self._tallies = tallies
        self._most_connections = most_connections
        self._live: dict[Subject, Transfer] = {}
        self._cancelled: dict[Subject, float] = {}
        self._numbers = count(1)
        self._moved: Counter[Direction] = Counter()  # by transfers that are over
        self._ended: Counter[tuple[Direction, str]] = Counter()
        self._first_byte = Histogram(FIRST_BYTE_BOUNDS)
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Transfers: {len(self._live)}, {self._admission!r}>"

    def join(self, subject: Subject, client: Client, span: ByteRange) -> Connection:
        """One more request for `span` of the subject.

        Raises AtCapacity when it, or the share that it comes by, has too many connections; Gone when it was cancelled,
        and this is no new beginning.
        """
        with self._lock:
            if span.start and monotonic() < self._cancelled.get(subject, 0.0):
                raise Gone("This download was cancelled. To have the file after all, begin it again.")
            transfer = self._found(subject, client)
            if len(transfer.connections) >= self._most_connections:
                raise AtCapacity(
                    f"This file is being fetched over {self._most_connections} connections, which is the most.",
                    COME_BACK,
                )
            self._require_room(subject.visitor)
            connection = Connection(next(self._numbers), transfer, span)
            transfer.connections.add(connection)
            transfer.opened += 1
            return connection

    def hold(self, subject: Subject, client: Client, seconds: float) -> Transfer:
        """The transfer of the subject, which may wait so long without a connection; with a place, READY seconds."""
        with self._lock:
            transfer = self._found(subject, client)
            if not transfer.connections:
                transfer.held_until = monotonic() + (READY if transfer.admitted else seconds)
            return transfer

    def _require_room(self, visitor: Visitor | None) -> None:
        """For one more connection by the visitor's share. Raises AtCapacity."""
        if visitor is None or not visitor.connections:
            return
        by_share = (
            len(transfer.connections)
            for transfer in self._live.values()
            if transfer.subject.visitor is not None and transfer.subject.visitor.share == visitor.share
        )
        if sum(by_share) >= visitor.connections:
            most = visitor.connections
            raise AtCapacity(f"This link is in use over {most} connections, which is the most.", COME_BACK)

    def _found(self, subject: Subject, client: Client) -> Transfer:
        transfer = self._live.get(subject)
        if transfer is None:
            transfer = self._live[subject] = Transfer(next(self._numbers), subject, client)
        return transfer

    def find(self, user: User, number: int) -> Transfer:
        """The user's transfer of this number, or anybody's for an admin. Raises NotFound."""
        with self._lock:
            for transfer in self._live.values():
                if transfer.id == number and (user.is_admin or transfer.subject.user.id == user.id):
                    return transfer
        raise NotFound(f"There is no transfer with the number {number}. It may be over.")

    def cancel(self, transfer: Transfer) -> None:
        """End it: its connections are cut, and for a while no part of it is given out."""
        with self._lock:
            transfer.cancelled = True
            self._cancelled[transfer.subject] = monotonic() + REFUSED_FOR
            if not transfer.over:
                self._end(transfer)
        self.wake(transfer)

    def cancel_share(self, share_id: int) -> None:
        """End all that its visitors have under way."""
        with self._lock:
            live = tuple(self._live.values())
        for transfer in live:
            if transfer.subject.visitor is not None and transfer.subject.visitor.share == share_id:
                self.cancel(transfer)

    def close_upload(self, upload_id: UUID, *, stored: bool) -> None:
        """It became a file without a request that waits for that, or it was given up: no part of it will come."""
        with self._lock:
            for transfer in tuple(self._live.values()):
                if transfer.subject.content == upload_id and not transfer.connections:
                    transfer.whole, transfer.cancelled = stored, not stored
                    self._end(transfer)

    def wake(self, transfer: Transfer) -> None:
        """Have its connections look at its state soon."""
        with self._lock:
            connections = tuple(transfer.connections)
        for connection in connections:
            connection.wake()

    def admit(self, connection: Connection, gone: Callable[[], bool]) -> None:
        """Wait in line where need be. Raises AtCapacity, ClientGone, and Gone when it was cancelled meanwhile."""
        transfer = connection.transfer
        self._admission.enter(transfer.subject.party, transfer.id, gone)
        with self._lock:
            if transfer.over:  # it was ended while this connection waited
                self._admission.leave(transfer.id)
            else:
                transfer.admitted = True
        transfer.require_wanted()

    def begun(self, connection: Connection) -> None:
        """Its first byte is in hand."""
        seconds = monotonic() - connection.began
        self._first_byte.note(seconds)
        if connection.transfer.first_byte is None:
            connection.transfer.first_byte = seconds
        connection.transfer.held_until = 0.0

    def leave(self, connection: Connection, ending: str) -> None:
        """It is over, and how: `Transfer.drop`."""
        transfer = connection.transfer
        with self._lock:
            transfer.drop(connection, ending)
            held = not transfer.whole and (transfer.moved or monotonic() < transfer.held_until)
            if not transfer.connections and not held and not transfer.over:
                self._end(transfer)

    @contextmanager
    def moving(self, subject: Subject, client: Client, span: ByteRange) -> Iterator[Connection]:
        """Joined for as long as the block runs. What the block raises is how it ended."""
        connection = self.join(subject, client, span)
        try:
            yield connection
        except BaseException as error:
            self.leave(connection, f"failed: {error}")
            raise
        self.leave(connection, "partial")

    def look(self) -> None:
        """Once a second: end those that nobody came back to, note speeds, and pass bytes on to the totals."""
        now = monotonic()
        with self._lock:
            self._cancelled = {subject: until for subject, until in self._cancelled.items() if now < until}
            for transfer in tuple(self._live.values()):
                self._note_place(transfer, now)
                stays = LINGER if transfer.subject.direction == "download" else REST
                if not transfer.connections and now >= max(transfer.left_at + stays, transfer.held_until):
                    self._end(transfer)
                else:
                    transfer.sample(now)
                    self._tell(transfer)

    def status(self, transfer: Transfer) -> Status | None:
        """None when it is over."""
        now = monotonic()
        with self._lock:
            self._note_place(transfer, now)
            return None if transfer.over else self._status(transfer, self._etas(now), now)

    def release(self, transfer: Transfer) -> None:
        """Hold it no longer for its own sake; with a connection it goes on."""
        with self._lock:
            transfer.held_until = 0.0
            if not transfer.connections and not transfer.over:
                self._end(transfer)

    def statuses(self, user: User | None = None) -> list[Status]:
        """Those of `user`, or all, oldest first."""
        now = monotonic()
        with self._lock:
            etas = self._etas(now)
            shown = [one for one in self._live.values() if user is None or one.subject.user.id == user.id]
            return [self._status(transfer, etas, now) for transfer in shown]

    def figures(self) -> Figures:
        with self._lock:
            live = tuple(self._live.values())
            moved, running, connections = self._moved.copy(), Counter[Direction](), Counter[Direction]()
            for transfer in live:
                direction = transfer.subject.direction
                moved[direction] += transfer.moved
                running[direction] += bool(transfer.connections) and transfer.admitted
                connections[direction] += len(transfer.connections)
            ended = dict(self._ended)
        first_byte, waiting = self._first_byte.distribution(), self._admission.waiting
        return Figures(moved, ended, first_byte, running, connections, waiting)

    def close(self) -> None:
        """End all, and tell the totals."""
        with self._lock:
            for transfer in tuple(self._live.values()):
                self._end(transfer)

    def _note_place(self, transfer: Transfer, now: float) -> None:
        """One that waits without a connection may have come to a place, which it keeps a while for one."""
        if not transfer.admitted and not transfer.connections and self._admission.has_place(transfer.id):
            transfer.admitted, transfer.held_until = True, now + READY

    def _etas(self, now: float) -> list[float]:
        """Seconds until each transfer that runs is at its end, as far as that is known, the first first."""
        running = (transfer for transfer in self._live.values() if transfer.admitted)
        return sorted(eta for transfer in running if (eta := transfer.eta(now)) is not None)

    def _status(self, transfer: Transfer, etas: list[float], now: float) -> Status:
        place = self._admission.place_in_line(transfer.id)
        return Status(
            id=transfer.id,
            subject=transfer.subject,
            client=transfer.client,
            started_at=transfer.started_at,
            moved=transfer.moved,
            connections=len(transfer.connections),
            speed=transfer.speed(now),
            eta=None if place else transfer.eta(now),
            paused=transfer.paused,
            place=place,
            # The first in line gets the place of the one that ends first.
            expected_wait=etas[place - 1] if place and place <= len(etas) else None,
        )

    def _end(self, transfer: Transfer) -> None:
        """All that is due: its place, its totals, its line in the log."""
        subject = transfer.subject
        del self._live[subject]
        transfer.over = True
        self._admission.leave(transfer.id)
        self._tell(transfer)
        self._moved[subject.direction] += transfer.moved
        self._ended[subject.direction, transfer.outcome.partition(":")[0]] += 1
        if transfer.moved or transfer.whole:
            self._tallies.add(subject, ended=1)
            log.info("%s", _sentence(transfer))

    def _tell(self, transfer: Transfer) -> None:
        """Pass on what was moved since it was told last."""
        moved = transfer.moved
        if moved > transfer.told:
            self._tallies.add(transfer.subject, moved=moved - transfer.told)
            transfer.told = moved


def _sentence(transfer: Transfer) -> str:
    subject, moved = transfer.subject, transfer.moved
    seconds = max((monotonic() if transfer.connections else transfer.left_at) - transfer.began, 0.001)
    first = "" if transfer.first_byte is None else f", first byte after {transfer.first_byte:.3f} s"
    return (
        f"{subject.direction} {transfer.id} of {subject.thing} by {subject.mover} at {transfer.client.address}: "
        f"{moved} bytes in {seconds:.2f} s ({moved / seconds / 1e6:.1f} MB/s){first}, "
        f"{transfer.opened} connections, {transfer.outcome}"
    )
