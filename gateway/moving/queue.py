"""Downloads that wait for a place without a connection: a person gets a ticket, and comes back to look at it.

A ticket is a transfer that has nothing to move yet. The request for its file, when it comes, is that transfer's first
connection, and has its place.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from errors import NotFound
from gateway.moving.admission import Admission
from gateway.moving.transfer import Subject, Transfer
from gateway.moving.transfers import Transfers
from model import Client, File, User

LOOKED_AT_WITHIN = 60.0
"""Seconds without a look after which a ticket is over: whoever took it has gone."""
REMEMBERED = 100
"""Tickets of one user that are remembered, those that are over included: more than may wait and run at a time."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`place` in line and `expected_wait` in seconds are None where there is none, or nobody can know."""

    id: int
    file_id: int
    state: Literal["waiting", "ready", "over"]
    place: int | None = None
    expected_wait: float | None = None


class Queue:
    """The lock: tickets are taken and looked at on many threads. Those of transfers are taken under it."""

    def __init__(self, transfers: Transfers, admission: Admission) -> None:
        self._transfers = transfers
        self._admission = admission
        self._given: defaultdict[int, OrderedDict[int, Transfer]] = defaultdict(OrderedDict)  # by user
        self._lock = Lock()

    def take(self, user: User, file: File, client: Client) -> Ticket:
        """A ticket for the file, the same one while it is good. Raises AtCapacity when too many wait."""
        transfer = self._transfers.hold(Subject.download(user, file), client, LOOKED_AT_WITHIN)
        try:
            self._admission.ask(user.id, transfer.id)
        except BaseException:
            self._transfers.release(transfer)
            raise
        with self._lock:
            given = self._given[user.id]
            given[transfer.id] = transfer
            while len(given) > REMEMBERED:
                given.popitem(last=False)
        return self._ticket(transfer)

    def look(self, user: User, number: int) -> Ticket:
        """How the ticket stands. It waits on because of this look. Raises NotFound, also for another user's."""
        transfer = self._own(user, number)
        if not transfer.admitted and not transfer.over:
            self._transfers.hold(transfer.subject, transfer.client, LOOKED_AT_WITHIN)
        return self._ticket(transfer)

    def leave(self, user: User, number: int) -> None:
        """Wait no longer; what is being downloaded goes on. Raises NotFound, also for another user's."""
        self._transfers.release(self._own(user, number))

    def _own(self, user: User, number: int) -> Transfer:
        with self._lock:
            transfer = self._given[user.id].get(number)
        if transfer is None:
            raise NotFound(f"There is no ticket with the number {number}.")
        return transfer

    def _ticket(self, transfer: Transfer) -> Ticket:
        status, file_id = self._transfers.status(transfer), transfer.subject.file_id
        assert file_id is not None
        if status is None:
            return Ticket(transfer.id, file_id, "over")
        state: Literal["waiting", "ready"] = "ready" if transfer.admitted else "waiting"
        return Ticket(transfer.id, file_id, state, status.place, status.expected_wait)
