"""One MTProto session: message ids, sequence numbers, salts and the service messages, as the server keeps them.

It must never know of encryption, connections or the API. https://core.telegram.org/mtproto/service_messages and
/mtproto/service_messages_about_messages. Nothing that was sent is kept for sending again: a client that lost its
connection asks again, as Telethon does (docs/sandbox.md).
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from telethon.tl import functions, types

from sandbox.protocol import ProtocolError
from sandbox.protocol.messages import Envelope, Message
from sandbox.protocol.tl import read_object

SALT_PERIOD = 3600
"""Seconds between two salts; the one before stays valid, as Telegram keeps an old one for half an hour."""
_TOO_OLD, _TOO_NEW = 300, 30
"""Seconds by which a message id may be behind or ahead of the server's clock."""
_REMEMBERED = 1000
_MAX_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Query:
    """A request of the API: `body` is its TL object, to be answered by `rpc_result` for `msg_id`."""

    msg_id: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Service:
    """A service message to the client. `is_response`: sent because of a message of the client's."""

    body: bytes
    is_response: bool = True
    is_content: bool = False


Event = Query | Service

# Constructors of what a client sends without expecting an acknowledgement.
_UNACKNOWLEDGED = {
    types.MsgsAck.CONSTRUCTOR_ID,
    types.MsgsStateInfo.CONSTRUCTOR_ID,
    types.MsgsAllInfo.CONSTRUCTOR_ID,
    types.HttpWait.CONSTRUCTOR_ID,
}
_SERVICE = _UNACKNOWLEDGED | {
    functions.PingRequest.CONSTRUCTOR_ID,
    functions.PingDelayDisconnectRequest.CONSTRUCTOR_ID,
    functions.GetFutureSaltsRequest.CONSTRUCTOR_ID,
    functions.DestroySessionRequest.CONSTRUCTOR_ID,
    functions.DestroyAuthKeyRequest.CONSTRUCTOR_ID,
    functions.RpcDropAnswerRequest.CONSTRUCTOR_ID,
    types.MsgsStateReq.CONSTRUCTOR_ID,
    types.MsgResendReq.CONSTRUCTOR_ID,
}


def salt_at(auth_key: bytes, now: float) -> int:
    """The salt of an auth key at that time. Derived, not stored, so that it outlives a restart."""
    period = int(now) // SALT_PERIOD
    return int.from_bytes(sha256(auth_key + period.to_bytes(8, "little")).digest()[:8], "little", signed=True)


class Session:
    """What the server remembers between two packets of one session."""

    def __init__(self, session_id: int) -> None:
        self.session_id = session_id
        self._unique_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._announced = False
        self._last_sent = 0
        self._content_sent = 0

    def __repr__(self) -> str:
        return f"<Session {self.session_id:x}, {len(self._seen)} messages seen>"

    def receive(self, envelope: Envelope, auth_key: bytes, now: float) -> Iterator[Event]:
        """What follows from a packet. Raises ProtocolError for a service message that is malformed."""
        salt = salt_at(auth_key, now)
        if code := _fault(envelope, now):
            yield _bad_message(envelope.msg_id, envelope.seq_no, code)
            return
        if envelope.salt not in (salt, salt_at(auth_key, now - SALT_PERIOD)):
            yield Service(bytes(types.BadServerSalt(envelope.msg_id, envelope.seq_no, 48, salt)))
            return
        if not self._announced:
            self._announced = True
            first = min((message.msg_id for message in envelope.messages), default=envelope.msg_id)
            created = types.NewSessionCreated(first, self._unique_id, salt)
            yield Service(bytes(created), is_response=False, is_content=True)
        for message in envelope.messages:
            yield from self._receive_one(message, auth_key, now)

    def next_message(self, now: float, *, is_response: bool, is_content: bool) -> tuple[int, int]:
        """The id and sequence number of the next message from the server; ids only grow."""
        self._last_sent = max(int(now * (1 << 32)) & ~3, (self._last_sent & ~3) + 4) | (
            1 if is_response else 3
        )
        seq_no = 2 * self._content_sent + is_content
        self._content_sent += is_content
        return self._last_sent, seq_no

    def _receive_one(self, message: Message, auth_key: bytes, now: float) -> Iterator[Event]:
        if message.seq_no % 2 != (message.constructor not in _UNACKNOWLEDGED):
            yield _bad_message(message.msg_id, message.seq_no, 34 if message.seq_no % 2 else 35)
        elif message.msg_id in self._seen:
            yield Service(bytes(types.MsgsAck([message.msg_id])))
        else:
            self._remember(message.msg_id)
            if message.constructor in _SERVICE:
                yield from self._serve(message, auth_key, now)
            else:
                yield Query(message.msg_id, message.body)

    def _remember(self, msg_id: int) -> None:
        self._seen[msg_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _serve(self, message: Message, auth_key: bytes, now: float) -> Iterator[Event]:
        request = read_object(message.body)
        match request:
            case functions.PingRequest() | functions.PingDelayDisconnectRequest():
                yield Service(bytes(types.Pong(message.msg_id, request.ping_id)))
            case functions.GetFutureSaltsRequest():
                yield Service(_future_salts(message.msg_id, request.num, auth_key, now))
            case functions.DestroySessionRequest():
                # Other sessions are forgotten by themselves; a session cannot destroy itself.
                yield Service(bytes(types.DestroySessionNone(request.session_id)))
            case functions.DestroyAuthKeyRequest():
                yield Service(bytes(types.DestroyAuthKeyFail()))
            case functions.RpcDropAnswerRequest():
                yield Service(pack_result(message.msg_id) + bytes(types.RpcAnswerUnknown()))
            case types.MsgsStateReq() | types.MsgResendReq():
                yield Service(bytes(types.MsgsStateInfo(message.msg_id, self._states(request.msg_ids))))

    def _states(self, msg_ids: list[Any]) -> bytes:
        """For each message: 4 if received, 2 if not (1 would be: too old to say)."""
        return bytes(4 if msg_id in self._seen else 2 for msg_id in msg_ids)


class Sessions:
    """All sessions of all auth keys; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[bytes, int], Session] = OrderedDict()

    def get(self, key_id: bytes, session_id: int) -> Session:
        """The session, made if it is new."""
        session = self._sessions.setdefault((key_id, session_id), Session(session_id))
        self._sessions.move_to_end((key_id, session_id))
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session


def pack_result(msg_id: int) -> bytes:
    """The head of an `rpc_result` for the query `msg_id`; the result follows."""
    return struct.pack("<Iq", 0xF35C6D01, msg_id)


def _fault(envelope: Envelope, now: float) -> int:
    """The error code of a packet's outer message, 0 if there is none."""
    sent = envelope.msg_id / (1 << 32)
    if sent < now - _TOO_OLD:
        return 16
    if sent > now + _TOO_NEW:
        return 17
    if envelope.msg_id % 4:
        return 18
    if not envelope.is_container:
        return 0
    if envelope.seq_no % 2:
        return 34
    return 64 if any(message.msg_id >= envelope.msg_id for message in envelope.messages) else 0


def _bad_message(msg_id: int, seq_no: int, code: int) -> Service:
    return Service(bytes(types.BadMsgNotification(msg_id, seq_no, code)))


def _future_salts(msg_id: int, count: int, auth_key: bytes, now: float) -> bytes:
    if not 1 <= count <= 64:
        raise ProtocolError(f"{count} future salts asked for")
    first = int(now) // SALT_PERIOD
    # By hand: this vector is a bare one, without its constructor.
    packed = struct.pack("<Iqii", 0xAE500895, msg_id, int(now), count)
    for period in range(first, first + count):
        begin = period * SALT_PERIOD
        packed += struct.pack("<iiq", begin, begin + 2 * SALT_PERIOD, salt_at(auth_key, begin))
    return packed
