"""The server's end of one connection as a pure thing: bytes in, events out; answers in, bytes out. No I/O at all."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.protocol import ProtocolError, session
from sandbox.protocol.auth_key import KeyExchange, RsaKey, pack_plain, parse_plain
from sandbox.protocol.crypto import key_id, open_packet, seal_packet
from sandbox.protocol.messages import parse_envelope
from sandbox.protocol.session import Session, Sessions, pack_result, salt_at
from sandbox.protocol.transports import Buffers, Deframer


@dataclass(frozen=True, slots=True)
class KeyMade:
    """A key exchange succeeded: `auth_key` must be at rest before `reply` is sent."""

    auth_key: bytes
    reply: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """A step of a key exchange; `reply` is an unencrypted packet."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class Spoke:
    """An encrypted packet arrived under this key, whatever is in it."""

    key_id: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A request of the API, and what is needed to answer it."""

    key_id: bytes
    session: Session
    msg_id: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Service:
    """A service message to send, sealed already."""

    packet: Buffers


Event = KeyMade | Plain | Spoke | Query | Service


class Wire:
    """One connection. `find_key` gives the auth key of 256 bytes for an id of 8, or None."""

    def __init__(
        self,
        rsa: RsaKey,
        find_key: Callable[[bytes], bytes | None],
        sessions: Sessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deframer = Deframer()
        self._exchange = KeyExchange(rsa)
        self._find_key = find_key
        self._sessions = sessions
        self._clock = clock

    def receive(self, data: bytes | memoryview) -> Iterator[Event]:
        """Take what arrived, in pieces of any size; yield what follows. Raises ProtocolError and nothing else."""
        for packet in self._deframer.feed(data):
            if packet[:8] == bytes(8):
                yield self._exchange_keys(packet)
            elif len(packet) >= 8:
                yield from self._open(packet)
            else:
                raise ProtocolError(f"a packet of {len(packet)} bytes")

    def frame(self, packet: Buffers) -> Buffers:
        """`packet` ready for the socket. Frames are counted: call it in the order of sending, once for each."""
        framing = self._deframer.framing
        if framing is None:
            raise RuntimeError("nothing can be sent before the client has chosen a transport")
        return framing.frame(packet)

    def result(self, query: Query, result: Buffers) -> Buffers:
        """The sealed packet that answers `query` with a TL object in pieces; empty if its key is gone."""
        auth_key = self._find_key(query.key_id)
        if auth_key is None:
            return []
        body = [pack_result(query.msg_id), *result]
        return self._seal(auth_key, query.session, body, is_response=True, is_content=True)

    def _exchange_keys(self, packet: bytes) -> KeyMade | Plain:
        body = self._exchange.receive(parse_plain(packet).body)
        # Unencrypted messages belong to no session; their ids need only look like a server's answer.
        reply = pack_plain(int(self._clock() * (1 << 32)) & ~3 | 1, body)
        made = self._exchange.auth_key
        return Plain(reply) if made is None else KeyMade(made, reply)

    def _open(self, packet: bytes) -> Iterator[Event]:
        name = packet[:8]
        auth_key = self._find_key(name)
        if auth_key is None:
            raise ProtocolError("an unknown auth key", -404)
        envelope = parse_envelope(open_packet(auth_key, packet))
        yield Spoke(name)
        peer = self._sessions.get(name, envelope.session_id)
        for event in peer.receive(envelope, auth_key, self._clock()):
            match event:
                case session.Query(msg_id, body):
                    yield Query(name, peer, msg_id, body)
                case session.Service(body, is_response, is_content):
                    yield Service(
                        self._seal(auth_key, peer, [body], is_response=is_response, is_content=is_content)
                    )

    def _seal(
        self, auth_key: bytes, peer: Session, body: Buffers, *, is_response: bool, is_content: bool
    ) -> Buffers:
        now = self._clock()
        msg_id, seq_no = peer.next_message(now, is_response=is_response, is_content=is_content)
        head = struct.pack(
            "<qqqii", salt_at(auth_key, now), peer.session_id, msg_id, seq_no, sum(map(len, body))
        )
        return seal_packet(auth_key, [head, *body])


__all__ = ["Event", "KeyMade", "Plain", "Query", "Service", "Spoke", "Wire", "key_id"]
