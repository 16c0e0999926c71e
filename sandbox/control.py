"""The control port: JSON lines over loopback TCP, by which tests look into a sandbox and make it misbehave.

A request is `{"do": NAME, ...arguments}`, its answer `{"ok": true, "result": ...}` or `{"ok": false, "error": ...}`.
`Control` is the client, `serve_control` the server; the methods of one are the commands of the other.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.faults import Rule, Spoiling, bounded
from sandbox.model import AuthKey, Message

if TYPE_CHECKING:
    from sandbox.server import Server

_TIMEOUT = 30.0


class ControlError(Exception):
    """The sandbox refused a command."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the sandbox holds it; `size` is None if it has no document."""

    id: int
    caption: str
    size: int | None


class Control:
    """A client of the control port; may be used from one thread at a time. Close it, or use it in `with`."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=_TIMEOUT)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def latency(self, ms: float) -> None:
        """Answer every request `ms` milliseconds late; requests in flight together wait together."""
        self._do("latency", ms=ms)

    def bandwidth(self, bytes_per_second: float) -> None:
        """Cap every connection, both directions together; 0 lifts the cap."""
        self._do("bandwidth", rate=bytes_per_second)

    def rpc_error(self, method: str, code: int, message: str, times: int | None = 1, after: int = 0) -> None:
        """Answer the next `times` (None: all) calls of `method` (`upload.getFile`, or `*`) with an error."""
        self._do("rule", kind="error", method=method, code=code, message=message, times=times, after=after)

    def drop(self, method: str, times: int | None = 1, after: int = 0) -> None:
        """Cut the connection on which the call comes."""
        self._do("rule", kind="drop", method=method, times=times, after=after)

    def silence(self, method: str, times: int | None = 1, after: int = 0) -> None:
        """Never answer the call."""
        self._do("rule", kind="silence", method=method, times=times, after=after)

    def duplicate_key(self, method: str = "*", after: int = 0) -> None:
        """Answer the next call with AUTH_KEY_DUPLICATED; the key that it came under is dead for good."""
        self._do("rule", kind="duplicate_key", method=method, after=after)

    def flip(self, times: int | None = 1, channel: int | None = None, message: int | None = None) -> None:
        """Change one byte in each of the next `times` (None: all) getFile replies, of one message if it is given."""
        self._do("flip", times=times, channel=channel, message=message)

    def cut(self, times: int | None = 1, channel: int | None = None, message: int | None = None) -> None:
        """Cut the tail off the next `times` (None: all) getFile replies, of one message if it is given."""
        self._do("cut", times=times, channel=channel, message=message)

    def expire_references(self) -> None:
        """Every file reference given out so far is FILE_REFERENCE_EXPIRED."""
        self._do("expire_references")

    def reference_lifetime(self, seconds: float) -> None:
        """How long a file reference lasts from now on."""
        self._do("reference_lifetime", seconds=seconds)

    def move_documents(self, dc: int) -> None:
        """All documents live in this data centre now; elsewhere, getFile answers FILE_MIGRATE."""
        self._do("move_documents", dc=dc)

    def delete_message(self, channel: int, message: int) -> None:
        """As if somebody had deleted it in an app."""
        self._do("delete_message", channel=channel, message=message)

    def delete_channel(self, channel: int) -> None:
        """The channel is CHANNEL_PRIVATE to everybody from now on."""
        self._do("delete_channel", channel=channel)

    def remove_member(self, channel: int, account: int) -> None:
        """The account is thrown out of the channel."""
        self._do("remove_member", channel=channel, account=account)

    def revoke_session(self, account: int | None = None, error: str = "SESSION_REVOKED") -> int:
        """Every auth key of the account (None: of all) gets this 401 until somebody signs in with it; how many did."""
        return int(self._do("revoke_session", account=account, error=error))

    def kill_key(self, account: int | None = None) -> int:
        """Every auth key of the account (None: of all) is signed out: AUTH_KEY_UNREGISTERED; how many were."""
        return int(self._do("kill_key", account=account))

    def set_password(self, account: int, password: str | None) -> None:
        """The two-step password of a user account."""
        self._do("set_password", account=account, password=password)

    def drop_connections(self) -> int:
        """Cut every connection now; how many there were."""
        return int(self._do("drop_connections"))

    def stats(self) -> dict[str, Any]:
        """`bytes_served`, `calls` by method, `connections` by address (`"2 media"`), and `messages` alive."""
        return dict(self._do("stats"))

    def list_messages(self, channel: int) -> list[StoredMessage]:
        """Every message of a channel but the service message it begins with, oldest first."""
        return [StoredMessage(*row) for row in self._do("list_messages", channel=channel)]

    def clear(self) -> None:
        """Behave again: no latency, cap or rule. What was deleted, moved or revoked stays so."""
        self._do("clear")

    def _do(self, command: str, **arguments: Any) -> Any:
        self._socket.sendall(json.dumps({"do": command, **arguments}).encode() + b"\n")
        answer = json.loads(self._lines.readline() or b'{"ok": false, "error": "the sandbox is gone"}')
        if not answer["ok"]:
            raise ControlError(answer["error"])
        return answer["result"]


async def serve_control(server: Server, listener: socket.socket) -> None:
    """Serve the control port until cancelled."""
    commands = _Commands(server)
    writers: set[asyncio.StreamWriter] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(commands.run(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # A client that is gone, or a line beyond the reader's limit.
        finally:
            writers.discard(writer)
            writer.close()

    listening = await asyncio.start_server(serve_one, sock=listener)
    try:
        await listening.serve_forever()
    finally:
        # Not `async with`: since Python 3.12 that waits for clients that have no reason to leave.
        listening.close()
        for writer in writers:
            writer.close()


class _Commands:
    """The server's end: one method for each command. Channel ids are marked (-100...) or bare."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def run(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command: Callable[..., Any] = getattr(self, f"do_{request.pop('do')}")
            return {"ok": True, "result": command(**request)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def do_latency(self, ms: float) -> None:
        self._world.faults.latency = ms / 1000

    def do_bandwidth(self, rate: float) -> None:
        self._world.faults.bandwidth = rate

    def do_rule(self, times: int | None = 1, **fields: Any) -> None:
        self._world.faults.rules.append(Rule(times=bounded(times), **fields))

    def do_flip(self, times: int | None, channel: int | None, message: int | None) -> None:
        self._world.faults.flips.append(Spoiling(bounded(times), self._document(channel, message)))

    def do_cut(self, times: int | None, channel: int | None, message: int | None) -> None:
        self._world.faults.cuts.append(Spoiling(bounded(times), self._document(channel, message)))

    def do_expire_references(self) -> None:
        self._world.reference_generation += 1

    def do_reference_lifetime(self, seconds: float) -> None:
        self._world.reference_lifetime = seconds

    def do_move_documents(self, dc: int) -> None:
        self._world.records.move_documents(dc)

    def do_delete_message(self, channel: int, message: int) -> None:
        self._world.delete_messages(_bare(channel), [message])

    def do_delete_channel(self, channel: int) -> None:
        self._world.records.delete_channel(_bare(channel))

    def do_remove_member(self, channel: int, account: int) -> None:
        self._world.records.remove_member(_bare(channel), account)

    def do_revoke_session(self, account: int | None, error: str) -> int:
        keys = self._keys(account)
        for key in keys:
            self._world.kill_key(key, error)
        return len(keys)

    def do_kill_key(self, account: int | None) -> int:
        keys = self._keys(account)
        for key in keys:
            key.account = None
            self._world.records.save_key(key)
        return len(keys)

    def do_set_password(self, account: int, password: str | None) -> None:
        self._world.records.set_password(account, password)

    def do_drop_connections(self) -> int:
        connections = list(self._server.connections)
        for connection in connections:
            connection.cut()
        return len(connections)

    def do_stats(self) -> dict[str, Any]:
        kinds = Counter(
            f"{connection.address.dc} {'media' if connection.address.media_only else 'main'}"
            for connection in self._server.connections
        )
        channels = self._world.records.channels()
        return {
            "bytes_served": self._server.statistics.bytes_served,
            "calls": dict(self._server.statistics.calls),
            "connections": dict(kinds),
            "messages": sum(len(self.do_list_messages(channel.id)) for channel in channels),
        }

    def do_list_messages(self, channel: int) -> list[tuple[int, str, int | None]]:
        newest_first = self._world.records.history(_bare(channel), 1 << 31, 1, -1)
        return [(m.id, m.text, m.document.size if m.document else None) for m in reversed(newest_first)]

    def do_clear(self) -> None:
        self._world.faults.clear()

    def _keys(self, account: int | None) -> list[AuthKey]:
        records = self._world.records
        wanted = [account] if account is not None else [known.id for known in records.accounts()]
        return [key for one in wanted for key in records.keys_of(one)]

    def _document(self, channel: int | None, message: int | None) -> int | None:
        if channel is None or message is None:
            return None
        found: Message = self._world.records.messages(_bare(channel), [message])[message]
        if found.document is None:
            raise ValueError(f"message {message} has no document")
        return found.document.id


def _bare(channel: int) -> int:
    return -channel - 1_000_000_000_000 if channel < 0 else channel
