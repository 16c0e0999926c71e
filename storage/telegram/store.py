"""The store on Telegram, as the rest of the house sees it: the contract of `storage.base`, callable from any thread.

It puts the rooms of this folder together and crosses from threads to the loop; it decides nothing itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from telethon.tl.functions.channels import GetMessagesRequest

from config import TelegramSettings
from errors import Permanent, Transient
from model import Label, Locator
from storage.base import ChunkClient, ChunkStore, Source, StoreHealth
from storage.telegram.account import Account
from storage.telegram.channel import Home, parse
from storage.telegram.connection import Dialling
from storage.telegram.finder import Finder, number_in
from storage.telegram.loop import LoopThread
from storage.telegram.pool import Pool
from storage.telegram.reader import Reader, Share, TelegramChunkClient
from storage.telegram.sessions import SessionFolder
from storage.telegram.signin import FIRST_CONTACT, Identity
from storage.telegram.statistics import Statistics
from storage.telegram.timing import Timing
from storage.telegram.trust import trust
from storage.telegram.wire import Address
from storage.telegram.writer import PART_SIZE, Writer

CLOSE_DEADLINE = 4.5
"""Seconds; the contract gives `close` five."""

T = TypeVar("T")


class TelegramStore(ChunkStore):
    """Chunks as messages of a channel. Constructing does no network; `start` does, or the first call."""

    def __init__(
        self, settings: TelegramSettings, sessions: Path, mode: str, timing: Timing | None = None
    ) -> None:
        """`sessions` is a private folder for sign-ins; `mode` (`sandbox` or `telegram`) is what `health` says.

        Raises Permanent where the settings cannot work.
        """
        self._settings = settings
        self._mode = mode
        self._timing = timing or Timing()
        self._statistics = Statistics()
        self._pool = Pool(self._accounts(sessions), self._timing, self._statistics)
        self._finder = Finder(self._pool)
        self._writer = Writer(self._pool, self._finder)
        self._reader = Reader(self._pool)
        self._loop = LoopThread("telegram")
        # The first calls come from several threads; one of them starts the watch.
        self._starting = threading.Lock()
        self._watch: Future[None] | None = None
        self._closed = False
        self._share = Share()

    def __repr__(self) -> str:
        return f"<TelegramStore {self._mode}: {self.health().detail}>"

    def start(self, deadline: float) -> None:
        """Connect and find the channel, within `deadline` seconds.

        Raises Permanent when a person has to act, Transient when Telegram cannot be reached now. After either the store
        may be kept: it goes on trying by itself.
        """
        self._run(self._prepare(deadline), deadline + 1.0)

    def put(self, label: Label, source: Source, after: Locator | None = None) -> Locator:
        return self._run(self._writer.put(label, source, after))

    def find(self, label: Label, after: Locator | None) -> Locator | None:
        return self._run(self._find(label, after))

    def missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        return self._run(self._missing(locators))

    def delete(self, locators: Sequence[Locator]) -> None:
        self._run(self._delete(locators))

    def client(self) -> ChunkClient:
        self._keep_watch()
        return TelegramChunkClient(self._loop, self._reader, self._share)

    def health(self) -> StoreHealth:
        if self._closed:
            return StoreHealth(self._mode, False, "The store is closed.")
        ok, detail = self._pool.health()
        accounts = tuple(account.health(time.monotonic()) for account in self._pool.accounts)
        return StoreHealth(self._mode, ok, detail, asdict(self._statistics.copy()), accounts)

    def statistics(self) -> Statistics:
        """What was counted since start; a copy."""
        return self._statistics.copy()

    @property
    def max_chunk_size(self) -> int:
        return PART_SIZE * min(account.part_limit for account in self._pool.accounts)

    def close(self) -> None:
        self._closed = True
        self._loop.close(self._pool.close(), deadline=CLOSE_DEADLINE)
        self._writer.close()

    def _accounts(self, sessions: Path) -> list[Account]:
        settings, folder = self._settings, SessionFolder(sessions)
        if settings.server_key is not None:
            trust(settings.server_key)
        dialling = Dialling(settings.api_id, self._timing, self._statistics, settings.proxy)
        home = Home(parse(settings.channel), folder)
        return [
            Account(identity, dialling, folder, home, max(1, settings.connections))
            for identity in identities(settings)
        ]

    async def _prepare(self, deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline):
                await self._pool.prepare(asyncio.get_running_loop().time() + deadline)
        except TimeoutError:
            raise Transient(f"Telegram could not be reached within {deadline:g} s.") from None

    async def _find(self, label: Label, after: Locator | None) -> Locator | None:
        deadline = asyncio.get_running_loop().time() + self._timing.control
        account = await self._pool.choose(GetMessagesRequest, deadline)
        assert account.home_channel is not None  # chosen, hence prepared
        channel = account.home_channel.id
        return await self._finder.find(label, channel, number_in(channel, after))

    async def _missing(self, locators: Sequence[Locator]) -> frozenset[Locator]:
        deadline = asyncio.get_running_loop().time() + self._timing.control
        account = await self._pool.choose(GetMessagesRequest, deadline)
        return await account.documents.missing(locators)

    async def _delete(self, locators: Sequence[Locator]) -> None:
        await self._finder.delete(locators)
        self._writer.forget(frozenset(locators))

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        self._keep_watch()
        return self._loop.run(work, timeout)

    def _keep_watch(self) -> None:
        with self._starting:
            if self._watch is None and not self._closed:
                self._watch = self._loop.submit(self._pool.watch())


def identities(settings: TelegramSettings) -> list[Identity]:
    """The accounts that the settings name, the user first. Raises Permanent if there is none."""
    server = FIRST_CONTACT if settings.server is None else Address(*settings.server)
    found = []
    if settings.session:
        name = f"user-{hashlib.sha256(settings.session.encode()).hexdigest()[:8]}"
        found.append(Identity(name, False, settings.api_hash, settings.session, server))
    for token in settings.bot_tokens:
        number = token.partition(":")[0]
        if not number.isdigit():
            raise Permanent(
                "A token in TELEGRAM_BOT_TOKENS is not one: it begins with the bot's number and a colon."
            )
        found.append(Identity(f"bot-{number}", True, settings.api_hash, token, server))
    if not found:
        raise Permanent("No Telegram account is set: give TELEGRAM_SESSION or TELEGRAM_BOT_TOKENS.")
    return found
