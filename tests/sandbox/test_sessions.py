"""Sessions, containers and service messages, whole, byte by byte, and with bytes that mean nothing."""

from __future__ import annotations

import gzip
import os
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked

from sandbox.protocol import ProtocolError
from sandbox.protocol.crypto import key_id, open_packet
from sandbox.protocol.messages import parse_envelope
from sandbox.protocol.session import SALT_PERIOD, salt_at
from sandbox.protocol.wire import Event, Query, Service, Spoke
from tests.sandbox.client_half import (
    AUTH_KEY,
    Client,
    abridged,
    new_wire,
    open_reply,
    seal,
)


def receive(packet: bytes, step: int = 1 << 20) -> list[Event]:
    wire, sent = new_wire(), b"\xef" + abridged(packet)
    return [event for at in range(0, len(sent), step) for event in wire.receive(sent[at : at + step])]


def services(events: list[Event]) -> list[object]:
    return [open_reply(event.packet) for event in events if isinstance(event, Service)]


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_query_comes_out_after_the_session_is_announced(step: int) -> None:
    body = bytes(functions.help.GetConfigRequest())
    spoke, created, query = receive(Client().packet(body), step)
    assert spoke == Spoke(key_id(AUTH_KEY))
    assert isinstance(created, Service) and isinstance(open_reply(created.packet), types.NewSessionCreated)
    assert isinstance(query, Query) and query.body == body


def test_a_result_names_its_query() -> None:
    wire, client = new_wire(), Client()
    events = wire.receive(b"\xef" + abridged(client.packet(bytes(functions.help.GetConfigRequest()))))
    query = next(event for event in events if isinstance(event, Query))
    reply = open_reply(wire.result(query, [bytes(types.NearestDc("XX", 2, 2))]))
    assert reply.req_msg_id == query.msg_id


def test_a_ping_is_answered() -> None:
    _, pong = services(receive(Client().packet(bytes(functions.PingRequest(42)))))
    assert isinstance(pong, types.Pong) and pong.ping_id == 42


def test_future_salts_are_those_that_will_be_valid() -> None:
    _, salts = services(receive(Client().packet(bytes(functions.GetFutureSaltsRequest(3)))))
    assert isinstance(salts, types.FutureSalts)


def test_a_wrong_salt_is_corrected() -> None:
    (reply,) = services(receive(Client().packet(bytes(functions.PingRequest(1)), salt=123)))
    assert isinstance(reply, types.BadServerSalt)
    assert reply.new_server_salt == salt_at(AUTH_KEY, time.time())


def test_the_salt_before_is_still_good() -> None:
    old = salt_at(AUTH_KEY, time.time() - SALT_PERIOD)
    assert isinstance(
        services(receive(Client().packet(bytes(functions.PingRequest(1)), salt=old)))[-1], types.Pong
    )


@pytest.mark.parametrize(
    ("seconds", "extra", "seq_no", "code"), [(-400, 0, 1, 16), (60, 0, 1, 17), (0, 1, 1, 18), (0, 0, 2, 35)]
)
def test_a_bad_message_is_told_why(seconds: int, extra: int, seq_no: int, code: int) -> None:
    msg_id = (int(time.time()) + seconds << 32) + extra
    reply = services(receive(Client().packet(bytes(functions.PingRequest(1)), msg_id=msg_id, seq_no=seq_no)))[
        -1
    ]
    assert isinstance(reply, types.BadMsgNotification)
    assert reply.error_code == code


def test_a_message_that_comes_twice_is_acted_on_once() -> None:
    wire, client = new_wire(), Client()
    packet = client.packet(bytes(functions.help.GetConfigRequest()))
    events = list(wire.receive(b"\xef" + abridged(packet) + abridged(packet)))
    assert sum(isinstance(event, Query) for event in events) == 1
    assert isinstance(services(events)[-1], types.MsgsAck)


def container(client: Client, bodies: list[bytes]) -> bytes:
    packed = b"".join(
        struct.pack("<qii", client.next_id(), 2 * number + 1, len(body)) + body
        for number, body in enumerate(bodies)
    )
    return struct.pack("<Ii", 0x73F1F8DC, len(bodies)) + packed


def test_a_container_with_gzip_inside_is_unpacked() -> None:
    client = Client()
    ping = bytes(GzipPacked(bytes(functions.PingRequest(1))))
    config = bytes(functions.help.GetConfigRequest())
    body = container(client, [ping + bytes(-len(ping) % 4), config])
    events = receive(client.packet(body, seq_no=0))
    assert isinstance(services(events)[-1], types.Pong)
    assert [event.body for event in events if isinstance(event, Query)] == [config]


def test_a_gzip_bomb_is_a_protocol_error() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    body = struct.pack("<I", 0x3072CFA1) + b"\xfe" + len(bomb).to_bytes(3, "little") + bomb
    with pytest.raises(ProtocolError):
        receive(Client().packet(body + bytes(-len(body) % 4)))


def test_an_unknown_key_is_answered_with_404() -> None:
    with pytest.raises(ProtocolError) as caught:
        receive(os.urandom(8 + 16 + 64))
    assert caught.value.code == -404


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\xef", b"\xee" * 4]))
def test_bytes_that_mean_nothing_are_a_protocol_error_or_wait_for_more(data: bytes, tag: bytes) -> None:
    wire = new_wire()
    try:
        for at in range(0, len(data), 7):
            list(wire.receive((tag if at == 0 else b"") + data[at : at + 7]))
    except ProtocolError:
        pass


_SERVICE_IDS = [
    functions.PingRequest.CONSTRUCTOR_ID,
    functions.GetFutureSaltsRequest.CONSTRUCTOR_ID,
    functions.RpcDropAnswerRequest.CONSTRUCTOR_ID,
    types.MsgsAck.CONSTRUCTOR_ID,
    types.MsgsStateReq.CONSTRUCTOR_ID,
    types.MsgResendReq.CONSTRUCTOR_ID,
    0x73F1F8DC,
    0x3072CFA1,
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_SERVICE_IDS), st.binary(max_size=120), st.booleans())
def test_service_messages_of_any_content_are_parsed_or_a_protocol_error(
    constructor: int, content: bytes, is_content: bool
) -> None:
    body = constructor.to_bytes(4, "little") + content
    try:
        receive(Client().packet(body + bytes(-len(body) % 4), seq_no=int(is_content)))
    except ProtocolError:
        pass


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=48, max_size=400))
def test_any_plaintext_is_an_envelope_or_a_protocol_error(plaintext: bytes) -> None:
    sealed = seal(plaintext + bytes(-len(plaintext) % 16))
    try:
        parse_envelope(open_packet(AUTH_KEY, sealed))
    except ProtocolError:
        pass
