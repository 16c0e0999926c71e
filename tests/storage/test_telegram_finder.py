"""Where a bot finds a message, which may read no history: over holes of any size, and in a bounded number of calls."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from telethon.tl import types

from model import Label
from storage.telegram import captions
from storage.telegram.finder import Finder
from storage.telegram.pool import Pool

CHANNEL = -1000000000001
LABEL = Label("chunk", UUID(int=5), 0, 0, 10, bytes(32))


class Bot:
    """The only account of a pool. In its channel the numbers `alive` are messages, and the one at `place` is ours."""

    is_bot, is_ready = True, True
    timing = SimpleNamespace(control=5.0)

    def __init__(self, alive: list[range], place: int | None) -> None:
        self._alive = alive
        self._place = place
        self.calls = 0
        self.accounts = (self,)

    async def choose(self, method: object, deadline: float) -> Bot:
        return self

    async def messages(self, channel: int, ids: list[int]) -> list[Any]:
        assert len(ids) <= 100
        self.calls += 1
        return [self._message(number) for number in ids]

    def _message(self, number: int) -> Any:
        if number != self._place and not any(number in stretch for stretch in self._alive):
            return types.MessageEmpty(number, None)
        caption = captions.encode(LABEL) if number == self._place else "{}"
        return types.Message(number, types.PeerChannel(1), None, caption)

    def find(self, after: int, *, nearby: bool = False) -> int | None:
        found = asyncio.run(Finder(cast(Pool, self)).find(LABEL, CHANNEL, after, nearby=nearby))
        return None if found is None else found.message


@pytest.mark.slow
@pytest.mark.parametrize(("hole", "then"), [(400, 5), (2000, 5), (5000, 100), (5000, 3000), (300_000, 1000)])
def test_a_message_is_found_behind_deleted_ones_and_behind_others_that_follow_them(
    hole: int, then: int
) -> None:
    first, last = 50 + hole + 1, 50 + hole + then
    for place in (first, last):
        assert Bot([range(1, 51), range(first, last + 1)], place).find(0) == place


def test_a_message_that_was_just_sent_costs_a_few_calls_whether_it_is_there_or_not() -> None:
    for place in (1003, None):
        bot = Bot([range(1, 1003)], place)
        assert bot.find(1000, nearby=True) == place
        assert bot.calls <= 5


@pytest.mark.slow
@pytest.mark.parametrize("place", [300, 999_999, None])
def test_a_channel_of_a_million_messages_is_not_read_from_end_to_end(place: int | None) -> None:
    bot = Bot([range(1, 1_000_000)], place)
    assert bot.find(0) == place
    assert bot.calls < 1000
