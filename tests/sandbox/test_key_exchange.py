"""The key exchange, against Telethon's half of it and against nonsense."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.errors import SecurityError
from telethon.tl import functions, types

from sandbox.protocol import ProtocolError
from sandbox.protocol.auth_key import KeyExchange, pack_plain
from sandbox.protocol.wire import KeyMade, Plain
from tests.sandbox.client_half import (
    abridged,
    new_wire,
    rsa_key,
    telethon_key,
)


def test_telethon_and_we_agree_on_a_key() -> None:
    for _ in range(5):
        exchange = KeyExchange(rsa_key())
        try:
            theirs = telethon_key(exchange)
        except SecurityError:
            # One key in 256 begins with a zero byte, which Telethon drops; it then tries again.
            assert exchange.auth_key is not None and exchange.auth_key[0] == 0
            continue
        assert exchange.auth_key == theirs
        return
    pytest.fail("five keys in a row began with a zero byte")


def test_a_key_exchange_out_of_turn_is_refused() -> None:
    nonce = int.from_bytes(os.urandom(16), "little", signed=True)
    with pytest.raises(ProtocolError):
        KeyExchange(rsa_key()).receive(bytes(functions.SetClientDHParamsRequest(nonce, nonce, bytes(16))))
    with pytest.raises(ProtocolError):
        KeyExchange(rsa_key()).receive(bytes(functions.PingRequest(1)))


def test_a_wrong_factorisation_is_refused() -> None:
    exchange = KeyExchange(rsa_key())
    nonce = int.from_bytes(os.urandom(16), "little", signed=True)
    reply = exchange.receive(bytes(functions.ReqPqMultiRequest(nonce)))
    server_nonce = int.from_bytes(reply[20:36], "little", signed=True)
    request = functions.ReqDHParamsRequest(
        nonce, server_nonce, b"\x03", b"\x05", rsa_key().fingerprint, bytes(256)
    )
    with pytest.raises(ProtocolError):
        exchange.receive(bytes(request))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            functions.ReqPqMultiRequest.CONSTRUCTOR_ID,
            functions.ReqDHParamsRequest.CONSTRUCTOR_ID,
            functions.SetClientDHParamsRequest.CONSTRUCTOR_ID,
            types.PQInnerData.CONSTRUCTOR_ID,
        ]
    ),
    st.binary(max_size=200),
)
def test_unencrypted_messages_of_any_content_are_answered_or_a_protocol_error(
    constructor: int, content: bytes
) -> None:
    packet = pack_plain(4, constructor.to_bytes(4, "little") + content)
    try:
        events = list(new_wire().receive(b"\xef" + abridged(packet + bytes(-len(packet) % 4))))
    except ProtocolError:
        return
    assert all(isinstance(event, Plain | KeyMade) for event in events)
