"""Finding a message by its label, and taking messages away. Users read the history; bots may only fetch by number."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from telethon.tl import functions, types

from errors import Permanent
from model import Label, Locator
from storage.telegram import captions
from storage.telegram.account import Account
from storage.telegram.documents import BATCH, name_of
from storage.telegram.pool import Pool

EMPTY_BATCHES = 5
"""Batches of deleted or never used numbers in a row before a bot looks far ahead instead."""
FAR_AHEAD = 14
"""Doublings of that look: up to 800,000 numbers ahead."""


class Finder:
    """On the loop thread only."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, label: Label, channel: int, after: int) -> Locator | None:
        """The message in `channel` with a number above `after` that carries `label`. Raises a StoreError."""
        deadline = self._deadline()
        account = await self._pool.choose(functions.channels.GetMessagesRequest, deadline)
        users = [a for a in self._pool.accounts if not a.is_bot and a.is_ready]
        if users:
            message = await self._in_history(users[0], label, channel, after)
        else:
            message = await self._by_number(account, label, channel, after)
        return None if message is None else Locator(channel, message)

    async def delete(self, locators: Sequence[Locator]) -> None:
        """Delete the messages, 100 a call; Telegram counts those that are gone already as none. Raises a StoreError."""
        by_channel: defaultdict[int, list[int]] = defaultdict(list)
        for locator in locators:
            by_channel[locator.channel].append(locator.message)
        for channel, numbers in by_channel.items():
            for at in range(0, len(numbers), BATCH):
                await self._delete(channel, numbers[at : at + BATCH])
        for account in self._pool.accounts:
            for locator in locators:
                account.documents.forget(locator)

    async def _delete(self, channel: int, numbers: list[int]) -> None:
        method = functions.channels.DeleteMessagesRequest
        account = await self._pool.choose(method, self._deadline())
        refused: Permanent | None = None
        for candidate in [account, *(a for a in self._pool.accounts if a is not account and a.is_ready)]:
            try:
                there = await candidate.channel(channel, self._deadline())
                await candidate.ask(method(there.input, numbers), self._deadline())
            except Permanent as error:  # only the one who posted, or an administrator, may delete
                refused = refused or error
            else:
                return
        assert refused is not None
        raise refused

    async def _in_history(self, account: Account, label: Label, channel: int, after: int) -> int | None:
        """Newest first, since what is looked for was put lately; search would be quicker, but its index lags."""
        there = await account.channel(channel, self._deadline())
        below = 0
        while True:
            request = functions.messages.GetHistoryRequest(
                peer=there.peer,
                offset_id=below,
                offset_date=None,
                add_offset=0,
                limit=BATCH,
                max_id=0,
                min_id=after,
                hash=0,
            )
            messages = (await account.ask(request, self._deadline())).messages
            if (found := _carrier(messages, label)) is not None:
                return found
            if not messages:
                return None
            below = min(message.id for message in messages)
            if below <= after + 1:
                return None

    async def _by_number(self, account: Account, label: Label, channel: int, after: int) -> int | None:
        at, empty = after + 1, 0
        while True:
            messages = await account.messages(channel, list(range(at, at + BATCH)))
            if (found := _carrier(messages, label)) is not None:
                return found
            empty = 0 if _any_alive(messages) else empty + 1
            at += BATCH
            if empty >= EMPTY_BATCHES and not await self._anything_ahead(account, channel, at):
                return None

    async def _anything_ahead(self, account: Account, channel: int, at: int) -> bool:
        """A look at ever greater distances: after many deletions the newest messages may be far above the last ones."""
        starts = [at + (BATCH << doubling) for doubling in range(FAR_AHEAD)]
        looks = (account.messages(channel, list(range(start, start + BATCH))) for start in starts)
        return any(_any_alive(messages) for messages in await asyncio.gather(*looks))

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._pool.timing.control


def _carrier(messages: Iterable[Any], label: Label) -> int | None:
    """The lowest number among the messages that carry exactly `label`."""
    numbers = [
        int(message.id)
        for message in messages
        if isinstance(message, types.Message) and captions.decode(message.message, name_of(message)) == label
    ]
    return min(numbers, default=None)


def _any_alive(messages: Iterable[Any]) -> bool:
    return any(not isinstance(message, types.MessageEmpty) for message in messages)
