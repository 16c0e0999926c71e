"""The sockets: listens for every data centre, and moves bytes between connections, the protocol and the API.

One event loop, one thread. It must never know what a method means.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.connection import Connection
from sandbox.protocol.auth_key import RsaKey
from sandbox.protocol.session import Sessions
from sandbox.world import DUPLICATED, Address, World

log = logging.getLogger("sandbox")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass
class Statistics:
    """What was served since the start."""

    bytes_served: int = 0
    calls: Counter[str] = field(default_factory=Counter)


class Server:
    """All addresses of one World."""

    def __init__(self, world: World, rsa: RsaKey) -> None:
        self.world = world
        self.rsa = rsa
        self.sessions = Sessions()
        self.statistics = Statistics()
        self.connections: set[Connection] = set()
        self._speakers: dict[bytes, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[socket.socket] = []

    def listen(self, dc: int, media_only: bool, port: int) -> Address:
        """Open one address, at `port` if that is free, else at any."""
        listener = open_listener(self.world.host, port)
        address = Address(dc, media_only, listener.getsockname()[1])
        self._listeners.append(listener)
        self.world.addresses.append(address)
        self.start(self._accept(listener, address))
        return address

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the server closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def spoke(self, connection: Connection, key_id: bytes) -> None:
        """An encrypted packet came over `connection`: outside media addresses, no other may be using that key now.

        https://core.telegram.org/api/errors#406-not-acceptable, AUTH_KEY_DUPLICATED.
        """
        key = self.world.records.key(key_id)
        if connection.address.media_only or key is None or key.account is None:
            return
        other = self._speakers.get(key_id)
        if (
            other is not None
            and other is not connection
            and other in self.connections
            and key.verdict is None
        ):
            log.warning("an auth key spoke over two connections at once: %r and %r", other, connection)
            self.world.kill_key(key, DUPLICATED)
        self._speakers[key_id] = connection

    def forget(self, connection: Connection) -> None:
        """The connection is closed."""
        self.connections.discard(connection)
        for key_id in [key_id for key_id, speaker in self._speakers.items() if speaker is connection]:
            del self._speakers[key_id]

    async def close(self) -> None:
        """Stop listening, cut every connection, and let nothing run on."""
        for listener in self._listeners:
            listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket, address: Address) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(listener)
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, accepted, address)
            self.connections.add(connection)
            self.start(connection.run())


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket on loopback, at `port` if that is free, else at any. Raises ValueError for another host."""
    if host not in LOOPBACK:
        raise ValueError(f"the sandbox listens on loopback only, not on {host}")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if sys.platform != "win32":
        # So that a restart gets its old port; on Windows this option would let two programs share a port instead.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.bind((host, 0))
    listener.listen(128)
    listener.setblocking(False)
    return listener
