"""Telethon's sender and transport, with the parts replaced that would harm us. Knows nothing of accounts or channels.

Replaced: gzip of every upload part (a fifth of the CPU for nothing: chunks do not compress), six copies of every byte
that comes (`packets.py`, `envelope.py`), a queue of updates that nobody reads, and a transport that tells of its end
only when somebody asks. Written against Telethon 1.45.0.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telethon.crypto import AuthKey
from telethon.network import ConnectionTcpAbridged, MTProtoSender

from storage.telegram import proxy
from storage.telegram.envelope import Envelopes, FileAnswer
from storage.telegram.packets import Packet, Packets

KEY_EXCHANGES = 3
"""Attempts at one, on one connection."""

_log = logging.getLogger("storage.telegram.telethon")
_log.setLevel(logging.ERROR)  # below, Telethon prints what it received, and warns of each drop that we handle
_log.addFilter(lambda record: not str(record.msg).startswith("Automatic reconnection failed"))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a data centre listens. `media` says that parallel connections with one key are allowed there."""

    dc: int
    host: str
    port: int
    media: bool = False

    def __str__(self) -> str:
        return f"data centre {self.dc} at {self.host}:{self.port}"


class _Loggers(dict[str, logging.Logger]):
    """What Telethon takes for its loggers: one for every name."""

    def __missing__(self, name: str) -> logging.Logger:
        return _log


class _NoUpdates:
    """The queue for updates: requests ask for none, and those that come all the same are dropped."""

    def put_nowait(self, update: object) -> None:
        pass


class Transport(ConnectionTcpAbridged):  # type: ignore[misc]
    """Abridged TCP (core.telegram.org/mtproto/mtproto-transports): one byte of header, no checksum to compute."""

    def __init__(self, address: Address, proxy_url: str | None, on_end: Callable[[], None]) -> None:
        super().__init__(address.host, address.port, address.dc, loggers=_Loggers())
        self._address = address
        self._proxy_url = proxy_url
        self._on_end = on_end
        self._sent_at = 0.0
        self._packets = Packets()
        self._handshake: asyncio.StreamWriter | None = None
        """With a proxy; kept, since a stream's writer closes its connection when it goes."""

    @property
    def moved_at(self) -> float:
        """When bytes last went either way, on the clock of time.monotonic, which every asyncio loop shares."""
        return max(self._sent_at, self._packets.moved_at)

    async def _connect(self, timeout: float | None = None, ssl: Any = None) -> None:  # noqa: ASYNC109  as in Telethon
        if self._proxy_url is None:
            await asyncio.get_running_loop().create_connection(lambda: self._packets, self._ip, self._port)
        else:
            streams = await proxy.open_through(self._proxy_url, self._ip, self._port, asyncio.open_connection)
            self._handshake = streams[1]
            self._handshake.transport.set_protocol(self._packets)  # before the server has anything to say
            self._packets.connection_made(self._handshake.transport)
        self._writer = self._packets
        self._codec = self.packet_codec(self)
        self._init_conn()
        await self._writer.drain()

    async def _recv(self) -> Packet:
        return await self._packets.take()

    def _send(self, data: bytes) -> None:
        # The sender waits for the socket between two of these, so they are progress.
        self._sent_at = time.monotonic()
        super()._send(data)

    async def disconnect(self) -> None:
        self._on_end()
        if self._writer is not None and not self._writer.is_closing():
            self._writer.transport.abort()  # nothing unsent matters, and a close that waits may wait for ever
        await super().disconnect()


class Sender(MTProtoSender):  # type: ignore[misc]
    """One attempt to connect, no reconnecting of its own, no gzip, no updates.

    A key exchange is tried again on the same connection: Telethon drops the zeros that one key in 256 begins with, and
    then takes the server's proof for wrong.
    """

    def __init__(self, key: bytes | None) -> None:
        super().__init__(
            AuthKey(key),
            loggers=_Loggers(),
            retries=KEY_EXCHANGES - 1,
            delay=0,
            auto_reconnect=False,
            updates_queue=_NoUpdates(),
        )
        self._state = Envelopes(self.auth_key, loggers=self._loggers)
        self._send_queue._state = self._state

    async def _try_connect(self, attempt: int) -> bool:
        if attempt > 1:
            raise ConnectionResetError
        await self._connection.connect()
        return True

    async def _handle_rpc_result(self, message: Any) -> None:
        if not isinstance(message.obj, FileAnswer):
            await super()._handle_rpc_result(message)
            return
        answer = message.obj
        message.obj = None  # Telethon's loop holds on to the message until the next one comes
        asked = self._pending_state.pop(answer.request, None)
        if asked is not None and not asked.future.done():
            asked.future.set_result(answer.file)

    @property
    def key(self) -> bytes | None:
        """The authorization key, 256 bytes; None before there is one."""
        key: bytes | None = self.auth_key.key
        return key
