"""Finding a message by its label, and taking messages away. Users read the history; bots may only fetch by number."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from telethon.tl import functions, types

from errors import Permanent
from model import Label, Locator
from storage.telegram import captions
from storage.telegram.account import Account
from storage.telegram.documents import BATCH, name_of
from storage.telegram.pool import Pool

NEAR = 500
"""Numbers behind a known message that are read in any case."""
AT_ONCE = 8
"""Calls under way at a time."""
MOST_READ = 20_000
"""Numbers that are read at each end of a longer stretch, 400 calls in all."""
LOOKS = 10
"""Looks ahead at most; in a channel of a million messages three do."""


def _ahead(furthest: int, fineness: int) -> Iterator[int]:
    """1, 2, 3 and so on, then ever further apart: by a `fineness`th of the way so far."""
    distance = 0
    while distance < furthest:
        distance += max(1, distance // fineness)
        yield distance


AHEAD = tuple(_ahead(1_000_000, 500))
"""How far ahead a look goes: 4500 numbers, so that it meets any thousand messages behind half a million deleted."""


class Finder:
    """On the loop thread only."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, label: Label, channel: int, after: int, *, nearby: bool = False) -> Locator | None:
        """The message in `channel` with a number above `after` that carries `label`. Raises a StoreError.

        `nearby` is for one that was sent a moment ago: bots then read only the numbers that follow `after`.
        """
        deadline = self._deadline()
        account = await self._pool.choose(functions.channels.GetMessagesRequest, deadline)
        users = [a for a in self._pool.accounts if not a.is_bot and a.is_ready]
        if users:
            message = await self._in_history(users[0], label, channel, after)
        else:
            message = await self._by_number(account, label, channel, after, nearby=nearby)
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

    async def _by_number(
        self, account: Account, label: Label, channel: int, after: int, *, nearby: bool
    ) -> int | None:
        """What is looked for mostly follows `after` closely. Else it is below the newest message, wherever that is."""
        near = after + NEAR
        found = await self._among(account, label, channel, range(after + 1, near + 1))
        if found is not None or nearby:
            return found
        newest = await self._newest(account, channel, near)
        for numbers in _ends(range(near + 1, newest + 1)):
            if (found := await self._among(account, label, channel, numbers)) is not None:
                return found
        return None

    async def _among(self, account: Account, label: Label, channel: int, numbers: range) -> int | None:
        step = BATCH * AT_ONCE
        for at in range(0, len(numbers), step):
            found = _carrier(await self._alive(account, channel, numbers[at : at + step]), label)
            if found is not None:
                return found
        return None

    async def _newest(self, account: Account, channel: int, above: int) -> int:
        """The highest living number of all, as looks ahead tell, each from where the last one met something."""
        for _ in range(LOOKS):
            seen = [
                message.id
                for at in range(0, len(AHEAD), BATCH * AT_ONCE)
                for message in await self._alive(
                    account, channel, [above + ahead for ahead in AHEAD[at : at + BATCH * AT_ONCE]]
                )
            ]
            if not seen:
                break
            above = max(seen)
        return above

    async def _alive(self, account: Account, channel: int, numbers: Sequence[int]) -> list[Any]:
        batches = [list(numbers[at : at + BATCH]) for at in range(0, len(numbers), BATCH)]
        answers = await asyncio.gather(*(account.messages(channel, batch) for batch in batches))
        return [each for answer in answers for each in answer if not isinstance(each, types.MessageEmpty)]

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._pool.timing.control


def number_in(channel: int, message: Locator | None) -> int:
    """The number of a known message, if it is one of this channel; else 0, which all are above."""
    return message.message if message is not None and message.channel == channel else 0


def _carrier(messages: Iterable[Any], label: Label) -> int | None:
    """The lowest number among the messages that carry exactly `label`."""
    numbers = [
        int(message.id)
        for message in messages
        if isinstance(message, types.Message) and captions.decode(message.message, name_of(message)) == label
    ]
    return min(numbers, default=None)


def _ends(numbers: range) -> tuple[range, ...]:
    """Both ends of a stretch too long to be read: what was sent soon after its beginning, and what was sent lately."""
    return (numbers,) if len(numbers) <= 2 * MOST_READ else (numbers[:MOST_READ], numbers[-MOST_READ:])
