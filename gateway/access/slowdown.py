"""How long the next guess at a password has to wait. Arithmetic and a lock; it never sees a password.

Guesses are counted by account and by network, and where an account has signed in from a network before, by the two
together and nothing else: strangers slow each other down, not the owner (docs/decisions/sign-in-slow-down.md).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from threading import Lock

from errors import TooManyGuesses

FREE_BY_ACCOUNT = 5
"""Wrong passwords that cost no wait."""
FREE_BY_NETWORK = 10
"""The same for a network, which may be a whole office."""
FIRST_WAIT = 1.0
"""Seconds after the first wrong one that is not free; doubled by each after it."""
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0
"""Seconds without a wrong password after which it is as if there had been none."""
MAX_KEPT = 10_000
"""Accounts, networks and pairs of the two that are remembered, of each; those not tried for longest are forgotten."""
_MAX_DOUBLINGS = 20


def network(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one, since every home has that many."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)


@dataclass(slots=True)
class Guesses:
    """At one account, from one network, or both."""

    free: int
    wrong: int = 0
    running: int = 0
    last_wrong: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more may be made; 0 for at once."""
        if now - self.last_wrong >= FORGOTTEN_AFTER:
            self.wrong = 0
        if self.wrong + self.running < self.free:
            return 0.0
        # What is being checked may turn out wrong: past the free ones there is one at a time.
        busy = FIRST_WAIT if self.running else 0.0
        if self.wrong < self.free:
            return busy
        doubled = FIRST_WAIT * (1 << min(self.wrong - self.free, _MAX_DOUBLINGS))
        return max(busy, self.last_wrong + min(doubled, LONGEST_WAIT) - now)


class Ledger:
    """Guesses by key. Not for threads."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._kept: OrderedDict[Hashable, Guesses] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, key: Hashable) -> Guesses:
        guesses = self._kept.setdefault(key, Guesses(self._free))
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return guesses


class Slowdown:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._accounts = Ledger(FREE_BY_ACCOUNT)
        self._networks = Ledger(FREE_BY_NETWORK)
        self._known = Ledger(FREE_BY_ACCOUNT)
        self._lock = Lock()  # guards the three, and what is in them

    def __repr__(self) -> str:
        return f"<Slowdown of {len(self._accounts)} accounts, {len(self._networks)} networks>"

    def guess(self, account: str, network: str, known: bool, right: Callable[[], bool]) -> bool:
        """What `right` says, counted when that is no. `known`: the account has signed in from the network before.

        Raises TooManyGuesses without asking; what `right` raises counts as no guess.
        """
        with self._lock:
            counts = self._counts(account, network, known)
            wait = max(count.wait(self._clock()) for count in counts)
            if wait > 0:
                raise TooManyGuesses(
                    "There were too many wrong passwords. Wait a little, then try again.", wait
                )
            for count in counts:
                count.running += 1
        was_right = True
        try:
            was_right = right()
        finally:
            self._end(counts, was_right)
        return was_right

    def _end(self, counts: Sequence[Guesses], was_right: bool) -> None:
        with self._lock:
            for count in counts:
                count.running -= 1
                if not was_right:
                    # A right one takes nothing back: else one's own account would buy guesses at another's.
                    count.wrong += 1
                    count.last_wrong = self._clock()

    def _counts(self, account: str, network: str, known: bool) -> tuple[Guesses, ...]:
        if known:
            return (self._known.of((account, network)),)
        return self._accounts.of(account), self._networks.of(network)
