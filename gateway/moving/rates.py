"""How fast bytes may leave: token buckets of users, of shares and of all, shared fairly. No I/O, no waiting here.

A connection has its next block in hand and asks whether it may go. If not, it is told when to ask again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from threading import Lock
from time import monotonic

from gateway.moving.transfer import Party, Visitor

BURST = 1.0
"""Seconds of a rate that may leave at once after a rest; never less than one block."""
BLOCKS_A_SECOND = 8
"""Blocks in which a rate is spent, so that a slow one flows and does not come in gulps."""
LEAST_BLOCK = 4096
"""Bytes of the smallest block that is made for that."""
SHORTEST_WAIT = 0.01
"""Seconds until it is worth asking again."""
MAX_KEPT = 10_000
"""Buckets that are remembered: visitors come from anywhere, and never say that they have gone."""


class FairBucket:
    """A token bucket whose tokens go to flows in turn, and within a flow to its requests in the order they came.

    Never more than `rate * seconds + burst` bytes are granted from the start on. A flow that asks for less than its
    share leaves the rest to others. Pure: `now` is passed in, in seconds of a clock that never goes back.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """`rate` in bytes per second, `burst` in bytes: at least the largest block."""
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._since = now
        # By turn: (request, bytes).
        self._flows: OrderedDict[Hashable, deque[tuple[int, int]]] = OrderedDict()
        self._granted: dict[int, int] = {}  # and not fetched yet: request to bytes

    def ask(self, flow: Hashable, request: int, size: int, now: float) -> float | None:
        """Whether `request` may send `size` bytes: None for yes; else when to ask for the same again."""
        waiting = self._flows.get(flow)
        if request not in self._granted and not (waiting and any(request == one for one, _ in waiting)):
            self._flows.setdefault(flow, deque()).append((request, size))
        self._grant(now)
        if self._granted.pop(request, None) is not None:
            return None
        rounds = next(turn for turn, (one, _) in enumerate(self._flows[flow]) if one == request)
        place = next(turn for turn, other in enumerate(self._flows, 1) if other == flow)
        # A guess, since others come and go: who comes too early is told again.
        ahead = (rounds * len(self._flows) + place) * size
        return now + max(SHORTEST_WAIT, (ahead - self._tokens) / self._rate)

    def forget(self, flow: Hashable, request: int) -> None:
        """The connection is over: what it waited for, or was granted and did not send, is for others."""
        self._tokens += self._granted.pop(request, 0)
        if waiting := self._flows.get(flow):
            self._flows[flow] = deque(one for one in waiting if one[0] != request)
            if not self._flows[flow]:
                del self._flows[flow]

    def _grant(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate)
        self._since = now
        while self._flows:
            flow, waiting = next(iter(self._flows.items()))
            request, size = waiting[0]
            if size > self._tokens:
                return
            self._tokens -= size
            self._granted[request] = size
            waiting.popleft()
            if waiting:
                self._flows.move_to_end(flow)
            else:
                del self._flows[flow]


class Rates:
    """The buckets of a gateway. One outlives its connections, or each new one would begin with a burst."""

    def __init__(self, per_user: int, total: int, block: int) -> None:
        """Bytes per second, 0 for no limit; blocks have at most `block` bytes."""
        self._per_user = per_user
        self._total = total
        self._largest_block = block
        self._kept: OrderedDict[Hashable, _Shared] = OrderedDict()
        """Of each user, each visitor and each share, the one used last at the end."""
        self._all = _Shared(total, self.block_size()) if total else None
        self._lock = Lock()  # guards the dict

    def block_size(self, by: Visitor | None = None) -> int:
        """Bytes in one block of a stream, so that the slowest limit flows."""
        rates = (self._per_user, self._total, by.rate if by is not None else 0)
        slowest = min((rate for rate in rates if rate), default=0)
        block = self._largest_block
        return min(block, max(LEAST_BLOCK, slowest // BLOCKS_A_SECOND)) if slowest else block

    def pace(self, party: Party, connection: int) -> Pace:
        """For one connection, whose number nobody else has."""
        gates: list[tuple[_Shared, Hashable]] = []
        if self._per_user:
            mine = self._bucket(party, self._per_user, self.block_size())
            gates.append((mine, connection))  # in a user's own bucket each connection is a flow
        if isinstance(party, Visitor) and party.rate:
            # A share whose rate was changed has a new bucket; what runs goes on as it began.
            shared = self._bucket((party.share, party.rate), party.rate, self.block_size(party))
            gates.append((shared, party))
        if self._all is not None:
            gates.append((self._all, party))
        visitor = party if isinstance(party, Visitor) else None
        return Pace(connection, gates, self.block_size(visitor) if gates else None)

    def _bucket(self, key: Hashable, rate: int, block: int) -> _Shared:
        with self._lock:
            bucket = self._kept.pop(key, None) or _Shared(rate, block)
            self._kept[key] = bucket
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return bucket


class _Shared:
    """A bucket for many threads."""

    def __init__(self, rate: int, block: int) -> None:
        self.bucket = FairBucket(rate, max(BURST * rate, block), monotonic())
        self.lock = Lock()  # connections of several threads take from one bucket


class Pace:
    """The limits of one connection, one after the other. One thread asks; `close()` may come from any."""

    def __init__(self, connection: int, gates: list[tuple[_Shared, Hashable]], block: int | None) -> None:
        self.block = block
        """Bytes that may be asked for at a time; None for any number. More than a bucket holds is never granted."""
        self._connection = connection
        self._gates = gates
        self._passed = 0
        self._closed = False

    def ask(self, size: int) -> float | None:
        """None when the block of `size` bytes may go now; else when to ask again, in seconds of time.monotonic()."""
        while self._passed < len(self._gates):
            shared, flow = self._gates[self._passed]
            with shared.lock:
                if self._closed:  # nothing of us may stay in line
                    return None
                until = shared.bucket.ask(flow, self._connection, size, monotonic())
            if until is not None:
                return until
            self._passed += 1
        self._passed = 0
        return None

    def close(self) -> None:
        self._closed = True
        for shared, flow in self._gates:
            with shared.lock:
                shared.bucket.forget(flow, self._connection)
