"""One account: its one main connection (control), its media lanes (data), its flood waits, its view of messages.

Nothing here knows chunks; a document is bytes at a place.
"""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import Any

from telethon.tl import TLRequest, functions, types

from errors import Permanent, StoreError, Transient
from model import Locator
from storage.base import AccountHealth
from storage.telegram.channel import ById, Channel, Home, resolve
from storage.telegram.connection import Dialling
from storage.telegram.documents import Document, Documents
from storage.telegram.errors import Flooded, NoAccess, SignedOut, again
from storage.telegram.lane import Lane, OnSent
from storage.telegram.media import MediaLanes
from storage.telegram.sessions import SessionFolder
from storage.telegram.signin import Identity, SignIn
from storage.telegram.traffic import Traffic

RETRY_PAUSE = 0.3
"""Seconds before a control call is repeated after a fault of Telegram's own; doubles."""

_log = logging.getLogger(__name__)


class Account:
    """On the loop thread only, but for `repr`. `prepare` it before anything else."""

    def __init__(
        self,
        identity: Identity,
        dialling: Dialling,
        folder: SessionFolder,
        home: Home,
        connections: int,
    ) -> None:
        self.name = identity.name
        self.is_bot = identity.is_bot
        self.fault: Permanent | None = None
        """Why this account is of no use until a person does something."""
        self.home_channel: Channel | None = None
        self.part_limit = 4000
        """Parts of 512 KiB in one document."""
        self.documents = Documents(partial(self.messages, patience=0.0))
        self._dialling = dialling
        self._timing = dialling.timing
        self._home = home
        self._preparing = asyncio.Lock()  # supervisor and readers prepare at once; one does it
        self._channels: dict[int, Channel] = {}
        self._waits: dict[str, float] = {}
        self._flood_waits = 0
        self._sign_in = SignIn(identity, dialling, folder)
        self.main = Lane(self._sign_in.dial, dialling.timing, dialling.statistics)
        self._media = MediaLanes(self.main, self._sign_in, dialling, connections, self.ask)
        self.traffic = Traffic(self._media, self.ask_on, connections)

    def __repr__(self) -> str:
        state = f"fault: {self.fault}" if self.fault else "ready" if self.is_ready else "not ready"
        return f"<Account {self.name} {state}>"

    @property
    def is_ready(self) -> bool:
        return self.fault is None and self.home_channel is not None

    @property
    def lanes(self) -> list[Lane]:
        return [self.main, *self._media.all]

    def usable_at(self, method: type[TLRequest]) -> float:
        """When the account may call `method` again, on the loop's clock: 0 for now, infinity with a fault."""
        return math.inf if self.fault else self._waits.get(_kind(method), 0.0)

    def waits(self, now: float) -> dict[str, float]:
        """The flood waits that are not over: seconds left, by kind of work. From any thread."""
        return {kind: until - now for kind, until in list(self._waits.items()) if until > now}

    def health(self, now: float) -> AccountHealth:
        """From any thread."""
        traffic, wait = self.traffic, max(self.waits(now).values(), default=0.0)
        return AccountHealth(
            self.name,
            traffic.pace.window,
            traffic.in_flight,
            traffic.turns.waiting,
            sum(lane.is_up for lane in self._media.all),
            traffic.pace.state,
            round(wait, 1),
            self._flood_waits,
        )

    async def prepare(self, deadline: float) -> None:
        """Connect, and learn about ourselves and the channel; cheap once done. Raises a StoreError."""
        if self.is_ready:
            return
        async with self._preparing:
            if self.home_channel is not None:  # another task did it meanwhile
                return
            try:
                await self.main.opened(deadline)
                self.part_limit = await self._upload_limit(deadline)
                ask = partial(self.ask, deadline=deadline)
                channel = await resolve(ask, self._home.reference, is_bot=self.is_bot)
                self._home.settle(channel)
            except Permanent as error:
                self.fault = error
                raise
            self._channels[channel.id] = self.home_channel = channel
            self.traffic.tend()

    async def ask(
        self, request: TLRequest, deadline: float, *, once: bool = False, patience: float = math.inf
    ) -> Any:
        """The answer to a control call over the main connection, flood waits obeyed and failures repeated.

        Flood waits of more than `patience` seconds are raised: another account may go on meanwhile. `once` is for what
        must not be repeated blindly: the first failure is raised. Raises a StoreError, by
        `deadline` at the latest, which is on the loop's clock.
        """
        loop = asyncio.get_running_loop()
        pause = RETRY_PAUSE
        while True:
            await self.sit_out(type(request), min(deadline, loop.time() + patience))
            try:
                return await self.ask_on(self.main, functions.InvokeWithoutUpdatesRequest(request), deadline)
            except Flooded:
                if once:
                    raise
            except Transient as error:
                if once or loop.time() + pause > deadline:
                    raise
                _log.info("%s: %s Trying again.", type(request).__name__, error)
                self._dialling.statistics.retries += 1
                await asyncio.sleep(pause)
                pause *= 2

    async def ask_on(
        self, lane: Lane, request: TLRequest, deadline: float, on_sent: OnSent = lambda: None
    ) -> Any:
        """The answer to one attempt over `lane`. Raises a StoreError; flood waits and lost sessions are noted first."""
        session = self._sign_in.session
        try:
            return await lane.ask(request, deadline, on_sent)
        except Flooded as error:
            self._note_flood(request, error)
            raise
        except SignedOut:
            if lane is not self.main and await self._is_signed_in(deadline):
                self._media.distrust(lane)
                raise Transient("A media connection was not accepted; going another way.", 0.0) from None
            error_now = self._sign_in.gone(session)
            await self._out(error_now)
            raise error_now from None

    async def sit_out(self, method: type[TLRequest], deadline: float) -> None:
        """Wait until the account may call `method`; raises Flooded if that is after `deadline`, or its fault."""
        if self.fault is not None:
            raise again(self.fault)
        now = asyncio.get_running_loop().time()
        until = self.usable_at(method)
        if until > deadline:
            raise Flooded(f"Telegram asked us to wait {until - now:.0f} s more.", until - now)
        if until > now:
            await asyncio.sleep(until - now)

    async def messages(self, channel: int, ids: list[int], *, patience: float = math.inf) -> list[Any]:
        """Up to 100 messages by id, as Telegram gives them: empty ones for those that are gone. Raises a StoreError.

        Flood waits of more than `patience` seconds are raised.
        """
        deadline = asyncio.get_running_loop().time() + self._timing.control
        wanted = [types.InputMessageID(number) for number in ids]
        there = await self.channel(channel, deadline)
        request = functions.channels.GetMessagesRequest(there.input, wanted)
        return list((await self.ask_at(there, request, deadline, patience=patience)).messages)

    async def ask_at(
        self,
        there: Channel,
        request: TLRequest,
        deadline: float,
        *,
        once: bool = False,
        patience: float = math.inf,
    ) -> Any:
        """`ask` about a channel. Losing access to the home channel is a fault of the account; another may have it."""
        try:
            return await self.ask(request, deadline, once=once, patience=patience)
        except NoAccess as error:
            if there == self.home_channel:
                self.fault = error
            raise

    def forgive(self) -> None:
        """Give a fault that a person may have mended meanwhile another chance; a lost session stays lost."""
        if self.fault is not None and not isinstance(self.fault, SignedOut):
            self.fault = self.home_channel = None
            self._channels.clear()

    async def channel(self, number: int, deadline: float) -> Channel:
        """Channel `number` (-100…) as this account reaches it. Raises a StoreError."""
        known = self._channels.get(number)
        if known is None:
            ask = partial(self.ask, deadline=deadline)
            known = self._channels[number] = await resolve(ask, ById(number), is_bot=self.is_bot)
        return known

    async def document(self, locator: Locator) -> Document:
        return await self.documents.get(locator)

    async def keep_alive(self) -> None:
        """Open the main connection again if it was lost, and ping what is idle. Raises a StoreError."""
        loop = asyncio.get_running_loop()
        if not self.main.is_up:
            await self.main.opened(loop.time() + self._timing.connect)
        self.traffic.tend()
        await asyncio.gather(*(lane.ping() for lane in self.lanes))

    async def close(self) -> None:
        await asyncio.gather(*(lane.retire() for lane in self.lanes))

    async def _is_signed_in(self, deadline: float) -> bool:
        """Ask over the main connection: a media address that refuses the key says nothing about the account."""
        try:
            await self.main.ask(functions.users.GetUsersRequest([types.InputUserSelf()]), deadline)
        except SignedOut:
            return False
        return True

    async def _out(self, error: StoreError) -> None:
        """The session is gone. Telethon would go on with it and call itself connected; we hang up everywhere."""
        if isinstance(error, SignedOut):
            self.fault = error
        if self._sign_in.session is None or self.fault is not None:
            self.home_channel = None
            await asyncio.gather(self.main.close(), self._media.reset())

    def _note_flood(self, request: TLRequest, error: Flooded) -> None:
        request = getattr(request, "query", request)
        seconds, kind = error.retry_after, _kind(type(request))
        now = asyncio.get_running_loop().time()
        was_waiting = self._waits.get(kind, 0.0) > now
        self._waits[kind] = max(self._waits.get(kind, 0.0), now + seconds)
        self._flood_waits += 1
        self._dialling.statistics.flood_waits += 1
        if was_waiting:
            return  # the others that were in flight get the same answer; one of them slows us down
        self._dialling.statistics.flood_seconds += int(seconds)
        _log.warning("Telegram asks %s to wait %.0f s before it goes on %s.", self.name, seconds, kind)

    async def _upload_limit(self, deadline: float) -> int:
        """Parts per document, from help.getAppConfig (core.telegram.org/api/config, upload_max_fileparts_default)."""
        answer = await self.ask(functions.help.GetAppConfigRequest(hash=0), deadline)
        fields = getattr(getattr(answer, "config", None), "value", None) or ()
        limits = [field.value.value for field in fields if field.key == "upload_max_fileparts_default"]
        return int(limits[0]) if limits else self.part_limit


def _kind(method: type[TLRequest]) -> str:
    """The work that waits when Telegram asks to wait with `method`: parts are of no use without their message."""
    return _KINDS.get(method, f"with {method.__name__}")


_KINDS = {
    functions.upload.GetFileRequest: "reading",
    functions.channels.GetMessagesRequest: "reading",
    functions.upload.SaveFilePartRequest: "writing",
    functions.upload.SaveBigFilePartRequest: "writing",
    functions.messages.SendMediaRequest: "writing",
}
