"""Who may run: places for transfers, and a short line for those that find none. It must never know what they move.

A place belongs to a transfer, however many connections it has. A request that waits holds a thread (of those for
downloads, never a page's), so such waits are few and short. Whoever asks and comes back later may wait for long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic

from errors import AtCapacity, ClientGone
from gateway.moving.transfer import Party, Visitor

LINE = 16
"""Requests that may wait at a time: fewer than there are threads for downloads (serving/lanes.py)."""
LINE_PER_USER = 4
"""Of one user: a download manager with many connections leaves room for others."""
ASKERS = 1000
"""Transfers that may wait without a request, each some bytes and a step when a place is given."""
ASKERS_PER_USER = 20
PATIENCE = 5.0
"""Seconds that a request waits for a place."""
STEP = 0.5
"""The longest wait, in seconds, without asking whether anyone still wants the bytes."""
KEPT_FOR_USERS = 0.25
"""The part of all places that visitors leave free, so that a link which goes round the world keeps no user out."""
COME_BACK = 5.0
"""Seconds after which a request that was refused may try again."""

_FULL = "All places for downloads are taken. Try again in a few seconds."
_TOO_MANY_ASK = "Too many downloads are waiting. Try again when one of them has begun."
_STOPPING = "The server is about to stop. Try again in a moment."


@dataclass(eq=False, slots=True)
class _Waiter:
    party: Party
    transfer: int
    stays: bool
    """It holds a thread until it is admitted, or has waited long enough."""
    admitted: Event = field(default_factory=Event)


class Admission:
    """Transfers are numbers here. The lock: places are counted and given in one step."""

    def __init__(self, most: int, most_per_user: int, *, patience: float = PATIENCE) -> None:
        self._most = most
        self._most_per_user = most_per_user
        self._most_of_visitors = most - int(most * KEPT_FOR_USERS)
        self._patience = patience
        self._places: dict[int, Party] = {}  # transfer to party
        self._line: list[_Waiter] = []  # by arrival
        self._closed = False
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Admission {len(self._places)} of {self._most} places taken, {self.waiting} requests wait>"

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return sum(waiter.stays for waiter in self._line)

    def has_place(self, transfer: int) -> bool:
        return transfer in self._places

    def place_in_line(self, transfer: int) -> int | None:
        """1 for the transfer that came first of those that wait; None when this one does not."""
        with self._lock:
            waiting = list(dict.fromkeys(waiter.transfer for waiter in self._line))
        return waiting.index(transfer) + 1 if transfer in waiting else None

    def enter(self, party: Party, transfer: int, gone: Callable[[], bool]) -> None:
        """Return when `transfer` has a place, which its later connections share at once.

        `gone` is asked twice a second whether anyone still waits. Raises AtCapacity, and ClientGone.
        """
        waiter = _Waiter(party, transfer, stays=True)
        with self._lock:
            if not self._joins(waiter, LINE, LINE_PER_USER):
                raise self._refusal(party)
            if waiter.admitted.is_set():
                return
        self._wait(waiter, gone)

    def ask(self, party: Party, transfer: int) -> None:
        """Have `transfer` wait for a place, or take one, without waiting here. Asking again changes nothing.

        Raises AtCapacity when the user has too many that wait so, or all have.
        """
        with self._lock:
            there = any(waiter.transfer == transfer and not waiter.stays for waiter in self._line)
            if transfer in self._places or there:
                return
            if not self._joins(_Waiter(party, transfer, stays=False), ASKERS, ASKERS_PER_USER):
                raise AtCapacity(_TOO_MANY_ASK, COME_BACK)

    def leave(self, transfer: int) -> None:
        """Give its place up, if it has one, to the next in line, or stop asking for one."""
        with self._lock:
            self._places.pop(transfer, None)
            self._line = [one for one in self._line if one.stays or one.transfer != transfer]
            self._admit()

    def close(self) -> None:
        """Let nobody in any more. Takes no lock: a signal handler may have interrupted its holder."""
        self._closed = True

    def _joins(self, waiter: _Waiter, most: int, most_per_user: int) -> bool:
        """Put it in line, where it may have a place at once; False when too many of its kind wait. Under the lock."""
        self._assert_open()
        self._line.append(waiter)
        self._admit()
        alike = [other.party for other in self._line if other.stays == waiter.stays]
        if waiter.admitted.is_set() or (len(alike) <= most and alike.count(waiter.party) <= most_per_user):
            return True
        self._line.remove(waiter)
        return False

    def _wait(self, waiter: _Waiter, gone: Callable[[], bool]) -> None:
        deadline = monotonic() + self._patience
        while not waiter.admitted.wait(max(0.0, min(STEP, deadline - monotonic()))):
            left = gone()
            if not left and not self._closed and monotonic() < deadline:
                continue
            with self._lock:
                if waiter.admitted.is_set():  # at the last moment
                    return
                self._line.remove(waiter)
                if left:
                    raise ClientGone("The client went away while it waited in line.")
                self._assert_open()
                raise self._refusal(waiter.party)

    def _admit(self) -> None:
        """Give away what places there are. Called with the lock held, whenever one may have become free."""
        while waiter := self._next():
            self._line.remove(waiter)
            self._places[waiter.transfer] = waiter.party
            waiter.admitted.set()

    def _next(self) -> _Waiter | None:
        """Of those in line who may run, who has least; among equals, who came first. Users at their own limit are
        passed over, so that they hold up nobody else."""
        if not self._line:
            return None
        running = Counter(self._places.values())
        able = [
            waiter
            for waiter in self._line
            if waiter.transfer in self._places or self._may_run(waiter.party, running)
        ]
        return min(able, key=lambda one: (one.transfer not in self._places, running[one.party]), default=None)

    def _may_run(self, party: Party, running: Counter[Party]) -> bool:
        """One more transfer, as far as places go."""
        if len(self._places) >= self._most or running[party] >= self._most_per_user:
            return False
        visitors = sum(count for each, count in running.items() if isinstance(each, Visitor))
        return not isinstance(party, Visitor) or visitors < self._most_of_visitors

    def _refusal(self, party: Party) -> AtCapacity:
        if sum(owner == party for owner in self._places.values()) < self._most_per_user:
            return AtCapacity(_FULL, COME_BACK)
        most = self._most_per_user
        return AtCapacity(
            f"You have {most} downloads running, which is the most. Wait for one to end.", COME_BACK
        )

    def _assert_open(self) -> None:
        if self._closed:
            raise AtCapacity(_STOPPING, COME_BACK)
