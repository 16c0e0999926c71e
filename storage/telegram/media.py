"""The media lanes of one account: several connections per data centre to its `media_only` address, with one key each.

Never a second connection to any other address with the same key: Telegram may kill the key for it (AUTH_KEY_DUPLICATED,
core.telegram.org/api/errors). Where a data centre offers no media address, its one connection carries everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telethon.tl import TLRequest, functions

from errors import Transient
from storage.telegram.addresses import main_address, media_address
from storage.telegram.connection import Connection, Dialling
from storage.telegram.errors import ConnectionLost
from storage.telegram.lane import Lane
from storage.telegram.signin import SignIn
from storage.telegram.wire import Address

_log = logging.getLogger(__name__)

Ask = Callable[[TLRequest, float], Awaitable[Any]]


class MediaLanes:
    """Lanes by data centre, as many as may ever be used, though not all of them connected."""

    def __init__(self, main: Lane, sign_in: SignIn, dialling: Dialling, most: int, ask: Ask) -> None:
        self._main = main
        self._sign_in = sign_in
        self._dialling = dialling
        self._most = most
        self._ask = ask
        self.connections = most
        """How many lanes of a data centre are in use."""
        self._lanes: dict[int, list[Lane]] = {}
        self._importing = asyncio.Lock()  # lanes of one data centre start together and share one imported key

    @property
    def home(self) -> int:
        """The account's own data centre. Raises ConnectionLost while it is not signed in."""
        if self._sign_in.session is None:
            raise ConnectionLost("The account is not connected yet.", 1.0)
        return self._sign_in.session.home.dc

    @property
    def all(self) -> list[Lane]:
        return [lane for lanes in list(self._lanes.values()) for lane in lanes if lane is not self._main]

    @property
    def connect(self) -> float:
        """Seconds that opening a connection may take."""
        return self._dialling.timing.connect

    def use(self, connections: int) -> None:
        """Use that many lanes of each data centre from now on. What is under way on others comes to its end."""
        self.connections = connections

    @property
    def open(self) -> int:
        """How many lanes in use are connected, of the data centre that has most."""
        used = (lanes[: self.connections] for lanes in self._lanes.values())
        return max((sum(lane.is_up for lane in lanes) for lanes in used), default=0)

    def wanting(self) -> list[Lane]:
        """Lanes in use that are not connected; of the home data centre too before anyone asks for it."""
        if self._sign_in.session is not None and self._sign_in.config is not None:
            self.of(self.home)
        used = [lane for lanes in self._lanes.values() for lane in lanes[: self.connections]]
        return [lane for lane in used if lane is not self._main and not lane.is_up]

    def spare(self) -> list[Lane]:
        """Connected lanes that are not in use, with nothing under way."""
        spare = [lane for lanes in self._lanes.values() for lane in lanes[self.connections :]]
        return [lane for lane in spare if lane.is_up and not lane.load]

    def of(self, dc: int) -> list[Lane]:
        """The lanes in use to data centre `dc`, one at least. Raises ConnectionLost while the account has none."""
        lanes = self._lanes.get(dc)
        if lanes is None:
            lanes = self._lanes[dc] = self._made(dc)
        return lanes[: self.connections]

    def distrust(self, lane: Lane) -> None:
        """The key of `lane` was refused though the account is signed in: go without, or make the key anew."""
        dc = next((dc for dc, lanes in self._lanes.items() if lane in lanes), None)
        if dc is None:
            return  # of a set that was replaced already
        refused = self._lanes.pop(dc)
        if dc == self.home:
            _log.warning(
                "The media address of data centre %d refuses our key; using the main connection.", dc
            )
            self._lanes[dc] = [self._main]
        elif self._sign_in.session is not None:
            self._sign_in.session.foreign.pop(dc, None)
        closing = asyncio.gather(*(lane.retire() for lane in refused if lane is not self._main))
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def reset(self) -> None:
        """Give up all lanes: they belonged to a session that is gone."""
        lanes = self.all
        self._lanes.clear()
        await asyncio.gather(*(lane.retire() for lane in lanes))

    def _made(self, dc: int) -> list[Lane]:
        if self._sign_in.config is None:
            raise ConnectionLost("The account is not connected yet.", 1.0)
        options = self._sign_in.config.dc_options
        address = media_address(options, dc)
        if address is None and dc == self.home:
            return [self._main]
        count = self._most if address is not None else 1
        address = address or main_address(options, dc)
        if address is None:
            raise Transient(f"Telegram does not say where data centre {dc} is.", 30.0)
        return [self._lane(address) for _ in range(count)]

    def _lane(self, address: Address) -> Lane:
        return Lane(lambda: self._dial(address), self._dialling.timing, self._dialling.statistics)

    async def _dial(self, address: Address) -> Connection:
        session = self._sign_in.session
        if session is None:
            raise ConnectionLost("The account is not connected yet.", 1.0)
        if address.dc == session.home.dc:
            return await self._opened(address, session.key)
        async with self._importing:
            key = session.foreign.get(address.dc)
            if key is None:
                return await self._imported(address)
        return await self._opened(address, key)

    async def _opened(self, address: Address, key: bytes) -> Connection:
        connection = Connection(self._dialling, address, key)
        await connection.open(functions.help.GetConfigRequest())
        return connection

    async def _imported(self, address: Address) -> Connection:
        """A connection with a new key, authorized by our home (core.telegram.org/method/auth.exportAuthorization)."""
        deadline = asyncio.get_running_loop().time() + self._dialling.timing.connect
        exported = await self._ask(functions.auth.ExportAuthorizationRequest(address.dc), deadline)
        connection = Connection(self._dialling, address, None)
        await connection.open(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
        if self._sign_in.session is not None and connection.key is not None:
            self._sign_in.session.foreign[address.dc] = connection.key
            self._sign_in.keep()
        return connection
