"""The accounts together: which one does the next thing, and one task that keeps them connected."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager

from telethon.tl import TLRequest

from errors import Permanent, StoreError, Transient
from storage.telegram.account import Account
from storage.telegram.errors import Flooded, again
from storage.telegram.statistics import Statistics
from storage.telegram.timing import Timing
from storage.telegram.turns import Turns

BYTES_IN_FLIGHT = 64 << 20
"""The most bytes of documents under way at once in this process, whatever the number of streams: bounds memory."""
WATCH_EVERY = 1.0
FORGIVE_EVERY = 30.0

_log = logging.getLogger(__name__)


class Pool:
    """On the loop thread only, but for `health`."""

    def __init__(self, accounts: Sequence[Account], timing: Timing, statistics: Statistics) -> None:
        self.accounts = tuple(accounts)
        self.timing = timing
        self.statistics = statistics
        self.room = Turns(BYTES_IN_FLIGHT)
        self._failure: StoreError | None = None

    async def choose(self, method: type[TLRequest], deadline: float, first: int | None = None) -> Account:
        """An account that is connected and may call `method` now: the one with least to do, or with `first` the first
        able one counted from there.

        Waits for a flood wait or a reconnect that ends before `deadline` (the loop's clock). Raises Transient when none
        does, and Permanent when no account will be of use until a person acts.
        """
        loop = asyncio.get_running_loop()
        while True:
            if account := await self._able(method, deadline, first):
                return account
            soonest = min(account.usable_at(method) for account in self.accounts)
            if soonest == math.inf:
                raise again(next(account.fault for account in self.accounts if account.fault))
            now = loop.time()
            if soonest > deadline:
                raise Flooded(f"Telegram asks to wait {soonest - now:.0f} s.", soonest - now)
            if now + 0.2 > deadline:
                raise again(self._failure or Transient("Telegram cannot be reached."))
            await asyncio.sleep(max(0.2, soonest - now))

    @asynccontextmanager
    async def turn(
        self, account: Account, stream: Hashable, size: int, order: int = 0
    ) -> AsyncIterator[None]:
        """Wait for, and hold, the right to have one request of `size` bytes under way with `account`.

        Shared fairly among streams (`turns.py`); within one, the lowest `order` goes first. Raises Flooded when the
        account is asked to wait meanwhile.
        """
        async with account.traffic.turns.hold(stream, 1, order), self.room.hold(stream, size, order):
            yield

    async def prepare(self, deadline: float) -> None:
        """Make all accounts ready that can be; raises the first failure if none can."""
        failures: list[StoreError] = []
        for account in self.accounts:  # one by one: what the user account finds, the bots use
            try:
                await account.prepare(deadline)
            except StoreError as error:
                _log.warning("%s: %s", account.name, error)
                failures.append(error)
        if len(failures) == len(self.accounts):
            raise next((f for f in failures if isinstance(f, Permanent)), failures[0])

    async def watch(self) -> None:
        """Until cancelled: connect what is not connected, ping what is idle, look again at faults."""
        forgive_at = asyncio.get_running_loop().time() + FORGIVE_EVERY
        while True:
            await asyncio.sleep(WATCH_EVERY)
            now = asyncio.get_running_loop().time()
            if now >= forgive_at:
                forgive_at = now + FORGIVE_EVERY
                for account in self.accounts:
                    account.forgive()
            await asyncio.gather(*(self._keep(account) for account in self.accounts if account.fault is None))

    def health(self) -> tuple[bool, str]:
        """Whether an account can work now, and a sentence for the operator. From any thread; no I/O."""
        up = [account for account in self.accounts if account.is_ready and account.main.is_up]
        faults = [f"{account.name}: {account.fault}" for account in self.accounts if account.fault]
        if not up:
            return False, " ".join(faults) or str(self._failure or "Not connected to Telegram yet.")
        lanes = sum(lane.is_up for account in up for lane in account.lanes)
        title = next((account.home_channel.title for account in up if account.home_channel), "")
        names = ", ".join(account.name for account in up)
        return True, " ".join(
            [f"Channel {title!r} by {names}, {lanes} connection(s).", *self._waits(), *faults]
        )

    def _waits(self) -> list[str]:
        now = time.monotonic()  # which is the clock of every asyncio loop
        return [
            f"{account.name} has to wait {seconds:.0f} s before it goes on {kind}."
            for account in self.accounts
            for kind, seconds in account.waits(now).items()
        ]

    async def close(self) -> None:
        await asyncio.gather(*(account.close() for account in self.accounts))

    async def _able(self, method: type[TLRequest], deadline: float, first: int | None) -> Account | None:
        now = asyncio.get_running_loop().time()
        turned = self.accounts[first:] + self.accounts[: first or 0]
        able = [account for account in turned if account.usable_at(method) <= now]
        if first is None:
            able.sort(key=lambda account: account.traffic.load)
        for account in sorted(able, key=lambda account: not account.is_ready):
            try:
                await account.prepare(deadline)
            except StoreError as error:
                self._failure = error
            else:
                return account
        return None

    async def _keep(self, account: Account) -> None:
        now = asyncio.get_running_loop().time()
        try:
            if account.is_ready:
                await account.keep_alive()
            else:
                await account.prepare(now + self.timing.connect)
        except StoreError as error:
            self._failure = error
