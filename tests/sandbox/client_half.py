"""The client's half of MTProto in a few lines, for conversations with the pure wire."""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
import time
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

import cryptg
import rsa
from telethon.crypto import rsa as telethon_rsa
from telethon.extensions import BinaryReader
from telethon.network import authenticator

from sandbox.protocol.auth_key import KeyExchange, RsaKey
from sandbox.protocol.crypto import key_id
from sandbox.protocol.primes import random_prime
from sandbox.protocol.session import Sessions, salt_at
from sandbox.protocol.wire import Wire

AUTH_KEY = bytes(range(256))


@cache
def rsa_key() -> RsaKey:
    """An RSA key that Telethon has been told of."""
    p, q = random_prime(1024), random_prime(1024)
    public = rsa.PublicKey(p * q, 65537)
    telethon_rsa.add_key(public.save_pkcs1().decode(), old=False)
    return RsaKey(p * q, 65537, pow(65537, -1, (p - 1) * (q - 1)), telethon_rsa._compute_fingerprint(public))


def new_wire() -> Wire:
    """A wire that knows AUTH_KEY and no other."""
    return Wire(rsa_key(), {key_id(AUTH_KEY): AUTH_KEY}.get, Sessions())


class Client:
    """Seals messages under AUTH_KEY; every field can be set wrong."""

    def __init__(self) -> None:
        self.session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._ids = itertools.count(int(time.time()) << 32, 4)
        self._numbers = itertools.count(1, 2)

    def next_id(self) -> int:
        return next(self._ids)

    def packet(
        self, body: bytes, *, salt: int | None = None, msg_id: int | None = None, seq_no: int | None = None
    ) -> bytes:
        salt = salt_at(AUTH_KEY, time.time()) if salt is None else salt
        msg_id = self.next_id() if msg_id is None else msg_id
        seq_no = next(self._numbers) if seq_no is None else seq_no
        plaintext = struct.pack("<qqqii", salt, self.session_id, msg_id, seq_no, len(body)) + body
        return seal(plaintext + bytes(-(len(plaintext) + 12) % 16 + 12))


def seal(plaintext: bytes) -> bytes:
    """A client's encrypted packet."""
    msg_key = sha256(AUTH_KEY[88:120] + plaintext).digest()[8:24]
    encrypted: bytes = cryptg.encrypt_ige(plaintext, *_derive(msg_key, 0))
    return key_id(AUTH_KEY) + msg_key + encrypted


def open_reply(packet: Iterable[bytes | memoryview]) -> Any:
    """The object in a server's packet."""
    joined = b"".join(packet)
    plaintext = cryptg.decrypt_ige(joined[24:], *_derive(joined[8:24], 8))
    assert sha256(AUTH_KEY[96:128] + plaintext).digest()[8:24] == joined[8:24]
    return BinaryReader(plaintext[32:]).tgread_object()


def abridged(packet: bytes) -> bytes:
    words = len(packet) >> 2
    return (bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + packet


class PlainSender:
    """What Telethon's key exchange talks to: our half of it, without a line between."""

    def __init__(self, exchange: KeyExchange) -> None:
        self.exchange = exchange

    async def send(self, request: Any) -> Any:
        return BinaryReader(self.exchange.receive(bytes(request))).tgread_object()


def telethon_key(exchange: KeyExchange) -> bytes:
    """The auth key that Telethon arrives at."""
    made, _ = asyncio.run(authenticator.do_authentication(PlainSender(exchange)))
    key: bytes = made.key
    return key


def _derive(msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + AUTH_KEY[x : x + 36]).digest()
    b = sha256(AUTH_KEY[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]
