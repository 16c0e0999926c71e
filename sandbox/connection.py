"""One TCP connection: reads packets, lines the requests up, and answers them in turn.

Reading stops while too much waits in line, and answering waits for the client to read, so memory is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sqlite3
import sys
from collections import deque
from collections.abc import Awaitable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.api.call import Call, Raw, RpcError
from sandbox.api.dispatch import admit, name_of, parse_request
from sandbox.api.views import pack_vector
from sandbox.model import AuthKey
from sandbox.protocol import ProtocolError
from sandbox.protocol.transports import Buffers
from sandbox.protocol.wire import Event, KeyMade, Plain, Query, Service, Spoke, Wire, key_id
from sandbox.world import DUPLICATED, Address

if TYPE_CHECKING:
    from sandbox.server import Server

log = logging.getLogger("sandbox")

_READ_SIZE = 256 << 10
_MAX_LINE = 32 << 20
"""Bytes of packets that may wait in line; more stay with the client."""
_LATE = 0.02
"""Seconds that a busy machine may wake us late and that a capped line makes up for: it would not have paused."""
_MAX_SLOW = 32
"""Slow answers (they wait for the disk) that one connection may have under way."""


class Connection:
    """Serves one accepted socket until either side ends it."""

    def __init__(self, server: Server, sock: socket.socket, address: Address) -> None:
        self._server = server
        self._world = server.world
        self._socket = sock
        self.address = address
        self._wire = Wire(server.rsa, self._find_key, server.sessions)
        self._line: deque[tuple[float, int, Event]] = deque()
        self._line_size = 0
        self._line_changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._slow = asyncio.Semaphore(_MAX_SLOW)
        self._ending = asyncio.Event()
        self._free_at = 0.0

    def __repr__(self) -> str:
        kind = "media" if self.address.media_only else "main"
        return f"<Connection to DC {self.address.dc} {kind}, {len(self._line)} requests in line>"

    def cut(self) -> None:
        """End it now, whatever is under way."""
        self._ending.set()

    async def run(self) -> None:
        """Read and answer until the end. Never raises: what goes wrong here ends this connection only."""
        answering = asyncio.create_task(self._answer_in_turn())
        reading = asyncio.create_task(self._read())
        ending = asyncio.create_task(self._ending.wait())
        tasks = (reading, answering, ending)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._server.forget(self)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            self._socket.close()
            for end in ends:
                if isinstance(end, Exception) and not isinstance(end, OSError):
                    log.error("%r broke", self, exc_info=end)

    def _find_key(self, wanted: bytes) -> bytes | None:
        key = self._world.records.key(wanted)
        return key.key if key is not None and key.dc == self.address.dc else None

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        buffer = bytearray(_READ_SIZE)
        view = memoryview(buffer)
        while size := await loop.sock_recv_into(self._socket, buffer):
            try:
                for event in self._wire.receive(view[:size]):
                    if isinstance(event, Spoke):
                        self._server.spoke(self, event.key_id)
                    else:
                        self._line_up(event)
            except ProtocolError as error:
                log.info("%r closed: %s", self, error)
                if error.code is not None:
                    await self._send([error.code.to_bytes(4, "little", signed=True)])
                return
            while self._line_size > _MAX_LINE:
                self._line_changed.clear()
                await self._line_changed.wait()

    def _line_up(self, event: Event) -> None:
        size = len(event.body) if isinstance(event, Query) else 64
        due = asyncio.get_running_loop().time() + self._world.faults.latency
        self._line.append((due, size, event))
        self._line_size += size
        self._line_changed.set()

    async def _answer_in_turn(self) -> None:
        """Requests are delayed in line, not one after another, so that latency does not hinder pipelining."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._line:
                self._line_changed.clear()
                await self._line_changed.wait()
            due, size, event = self._line.popleft()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._line_size -= size
            self._line_changed.set()
            await self._occupy(size)
            if not await self._answer(event):
                return

    async def _answer(self, event: Event) -> bool:
        """Act on one event; False if the connection is to be cut."""
        match event:
            case Query():
                return await self._answer_query(event)
            case KeyMade(auth_key, reply):
                self._world.records.save_key(AuthKey(key_id(auth_key), self.address.dc, auth_key))
                await self._send([reply])
            case Plain(reply):
                await self._send([reply])
            case Service(packet):
                await self._send(packet)
        return True

    async def _answer_query(self, query: Query) -> bool:
        key = self._world.records.key(query.key_id)
        if key is None:
            return False
        try:
            request, opens, api_id = parse_request(query.body)
            name = name_of(request)
            self._server.statistics.calls[name] += 1
            rule = self._world.faults.on_call(name)
            if rule is not None and rule.kind in ("drop", "silence"):
                return rule.kind == "silence"
            if rule is not None and rule.kind == "duplicate_key":
                self._world.kill_key(key, DUPLICATED)
            if rule is not None and rule.kind == "error":
                raise RpcError(rule.code, rule.message)
            account = None if key.account is None else self._world.records.account(key.account)
            call = Call(self._world, key, self.address.dc, account)
            answer = admit(call, request, opens, api_id).handler(call, request)
        except RpcError as error:
            answer = types.RpcError(error.code, error.message)
        except (OSError, sqlite3.Error) as error:
            answer = _internal_error(error)
        if isawaitable(answer):
            await self._slow.acquire()
            self._server.start(self._answer_later(query, answer)).add_done_callback(self._end_if_broken)
        else:
            await self._send(self._wire.result(query, _pack(answer)))
        return True

    async def _answer_later(self, query: Query, answer: Awaitable[Any]) -> None:
        try:
            result = await answer
        except RpcError as error:
            result = types.RpcError(error.code, error.message)
        except (OSError, sqlite3.Error) as error:
            result = _internal_error(error)
        finally:
            self._slow.release()
        if self in self._server.connections:
            await self._send(self._wire.result(query, _pack(result)))

    def _end_if_broken(self, answering: asyncio.Task[None]) -> None:
        """A client must not wait for an answer that cannot come."""
        if not answering.cancelled() and (error := answering.exception()) is not None:
            if not isinstance(error, OSError):
                log.error("%r broke", self, exc_info=error)
            self.cut()

    async def _send(self, packet: Buffers) -> None:
        if not packet:
            return
        # Frames are numbered, and one must not be sent in the middle of another.
        async with self._sending:
            pieces = self._wire.frame(packet)
            if self._world.faults.bandwidth:
                await self._trickle(pieces)
            else:
                await _send_all(self._socket, pieces)
        self._server.statistics.bytes_served += sum(map(len, pieces))

    async def _trickle(self, pieces: Buffers) -> None:
        """Send as a slow line does: steadily, and not all at the end."""
        for piece in pieces:
            await self._occupy(len(piece))
            await asyncio.get_running_loop().sock_sendall(self._socket, piece)

    async def _occupy(self, size: int) -> None:
        """Take as long as `size` bytes take at the bandwidth that is set now."""
        if rate := self._world.faults.bandwidth:
            now = asyncio.get_running_loop().time()
            self._free_at = max(self._free_at, now - _LATE) + size / rate
            await asyncio.sleep(max(0.0, self._free_at - now))


async def _send_all(sock: socket.socket, pieces: Buffers) -> None:
    """All pieces; where the system can gather them, without copying them together first."""
    loop = asyncio.get_running_loop()
    sent = 0
    if sys.platform == "win32":
        pieces = [b"".join(pieces)]
    else:
        with contextlib.suppress(BlockingIOError):
            sent = sock.sendmsg(pieces)
    for piece in pieces:
        if sent < len(piece):
            await loop.sock_sendall(sock, memoryview(piece)[sent:])
        sent = max(sent - len(piece), 0)


def _pack(result: Any) -> Buffers:
    match result:
        case Raw(pieces):
            return pieces
        case bool():
            return [(0x997275B5 if result else 0xBC799737).to_bytes(4, "little")]
        case list():
            return [pack_vector(result)]
    return [bytes(result)]


def _internal_error(error: Exception) -> Any:
    log.error("a request failed: %s", error)
    return types.RpcError(500, "INTERNAL_SERVER_ERROR")
