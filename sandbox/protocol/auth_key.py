"""The server's half of the key exchange: four messages that leave both sides with an auth key nobody else can know.

https://core.telegram.org/mtproto/auth_key, and /mtproto/description#unencrypted-message for the envelope.
"""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any

import cryptg
from telethon.tl import functions, types

from sandbox.protocol import ProtocolError
from sandbox.protocol.primes import random_prime
from sandbox.protocol.tl import read_object

# The safe prime that Telegram itself uses, with a generator that fits it; clients know it and skip testing it.
DH_PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
DH_GENERATOR = 3
_PERMANENT = (types.PQInnerData, types.PQInnerDataDc)
_TEMPORARY = (types.PQInnerDataTemp, types.PQInnerDataTempDc)
_SAFE = 1 << (2048 - 64)
_PLAIN_HEAD = struct.Struct("<qqi")


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The server's RSA key pair, as numbers, and the fingerprint by which clients find the public half."""

    n: int
    e: int
    d: int
    fingerprint: int

    def decrypt(self, data: bytes) -> bytes:
        return pow(int.from_bytes(data, "big"), self.d, self.n).to_bytes(256, "big")


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """An unencrypted message's body and id."""

    msg_id: int
    body: bytes


def parse_plain(packet: bytes) -> PlainMessage:
    """The message in an unencrypted packet. Raises ProtocolError."""
    if len(packet) < _PLAIN_HEAD.size:
        raise ProtocolError("an unencrypted packet without its head")
    _, msg_id, length = _PLAIN_HEAD.unpack_from(packet)
    if not 4 <= length <= len(packet) - _PLAIN_HEAD.size:
        raise ProtocolError(f"an unencrypted message of {length} bytes in a packet of {len(packet)}")
    return PlainMessage(msg_id, packet[_PLAIN_HEAD.size : _PLAIN_HEAD.size + length])


def pack_plain(msg_id: int, body: bytes) -> bytes:
    return _PLAIN_HEAD.pack(0, msg_id, len(body)) + body


class KeyExchange:
    """One exchange, step by step. `auth_key` is None until the last step has succeeded; then 256 bytes."""

    def __init__(self, rsa: RsaKey) -> None:
        self._rsa = rsa
        self.auth_key: bytes | None = None
        self._nonce = self._server_nonce = self._new_nonce = b""
        self._pq = 0
        self._secret = 0

    def receive(self, body: bytes) -> bytes:
        """Answer the client's next message. Raises ProtocolError for one that is malformed, false or out of turn."""
        request = read_object(body)
        match request:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest():
                return self._challenge(request)
            case functions.ReqDHParamsRequest():
                return self._offer(request)
            case functions.SetClientDHParamsRequest():
                return self._finish(request)
        raise ProtocolError("an unencrypted message that is no part of the key exchange")

    def _challenge(self, request: Any) -> bytes:
        self.auth_key = None
        self._new_nonce = b""
        self._nonce, self._server_nonce = _int_bytes(request.nonce, 16), os.urandom(16)
        # As long as Telegram's, with factors as uneven as can be: nobody is to be kept busy here, which two of 31
        # bits do for a tenth of a second and more, in every client that signs in.
        self._pq = random_prime(16) * random_prime(47)
        return bytes(
            types.ResPQ(
                request.nonce, _signed(self._server_nonce), _shortest(self._pq), [self._rsa.fingerprint]
            )
        )

    def _offer(self, request: Any) -> bytes:
        self._check_nonces(request)
        p, q = int.from_bytes(request.p, "big"), int.from_bytes(request.q, "big")
        if not 1 < p < q or p * q != self._pq or request.public_key_fingerprint != self._rsa.fingerprint:
            raise ProtocolError("a wrong factorisation, or an RSA key that is not ours", -404)
        inner = self._decrypt_inner(request.encrypted_data)
        if isinstance(inner, _TEMPORARY):
            raise ProtocolError("temporary auth keys are not supported", -404)
        self._check_nonces(inner)
        self._new_nonce = _int_bytes(inner.new_nonce, 32)
        self._secret = int.from_bytes(os.urandom(256), "big")
        answer = bytes(
            types.ServerDHInnerData(
                nonce=_signed(self._nonce),
                server_nonce=_signed(self._server_nonce),
                g=DH_GENERATOR,
                dh_prime=_shortest(DH_PRIME),
                g_a=_shortest(pow(DH_GENERATOR, self._secret, DH_PRIME)),
                server_time=int(time.time()),
            )
        )
        hashed = sha1(answer).digest() + answer
        encrypted = cryptg.encrypt_ige(hashed + os.urandom(-len(hashed) % 16), *self._temporary_aes())
        return bytes(types.ServerDHParamsOk(_signed(self._nonce), _signed(self._server_nonce), encrypted))

    def _finish(self, request: Any) -> bytes:
        self._check_nonces(request)
        if not self._new_nonce or not request.encrypted_data or len(request.encrypted_data) % 16:
            raise ProtocolError("the last step of a key exchange before the one in the middle")
        plaintext = cryptg.decrypt_ige(request.encrypted_data, *self._temporary_aes())
        inner = _hashed_object(plaintext, (types.ClientDHInnerData,))
        self._check_nonces(inner)
        g_b = int.from_bytes(inner.g_b, "big")
        if not _SAFE <= g_b <= DH_PRIME - _SAFE:
            raise ProtocolError("a weak g_b")
        self.auth_key = pow(g_b, self._secret, DH_PRIME).to_bytes(256, "big")
        aux_hash = sha1(self.auth_key).digest()[:8]
        nonce_hash = sha1(self._new_nonce + b"\x01" + aux_hash).digest()[4:]
        self._new_nonce = b""
        return bytes(types.DhGenOk(_signed(self._nonce), _signed(self._server_nonce), _signed(nonce_hash)))

    def _check_nonces(self, message: Any) -> None:
        if (_int_bytes(message.nonce, 16), _int_bytes(message.server_nonce, 16)) != (
            self._nonce,
            self._server_nonce,
        ):
            raise ProtocolError("nonces of another key exchange")

    def _decrypt_inner(self, encrypted: bytes) -> Any:
        if len(encrypted) != 256 or int.from_bytes(encrypted, "big") >= self._rsa.n:
            raise ProtocolError("not encrypted with our RSA key")
        decrypted = self._rsa.decrypt(encrypted)
        padded = _unpad(decrypted)
        if padded is None:
            # Clients older than RSA_PAD send SHA-1, data and padding in 255 bytes.
            return _hashed_object(decrypted[1:], _PERMANENT + _TEMPORARY)
        inner = read_object(padded)
        if not isinstance(inner, _PERMANENT + _TEMPORARY):
            raise ProtocolError("not the inner data of a key exchange")
        return inner

    def _temporary_aes(self) -> tuple[bytes, bytes]:
        a = sha1(self._new_nonce + self._server_nonce).digest()
        b = sha1(self._server_nonce + self._new_nonce).digest()
        c = sha1(self._new_nonce + self._new_nonce).digest()
        return a + b[:12], b[12:] + c + self._new_nonce[:4]


def _unpad(decrypted: bytes) -> bytes | None:
    """The data inside RSA_PAD (/mtproto/auth_key#41-rsa-paddata-server-public-key), or None if this is no RSA_PAD."""
    masked_key, encrypted = decrypted[:32], decrypted[32:]
    key = bytes(a ^ b for a, b in zip(masked_key, sha256(encrypted).digest(), strict=True))
    opened: bytes = cryptg.decrypt_ige(encrypted, key, bytes(32))
    data = opened[:192][::-1]
    return data if sha256(key + data).digest() == opened[192:] else None


def _hashed_object(data: bytes, expected: tuple[Any, ...]) -> Any:
    """The object in SHA-1, object, padding; the object itself tells where it ends."""
    value = read_object(data[20:])
    if not isinstance(value, expected) or sha1(bytes(value)).digest() != data[:20]:
        raise ProtocolError("another object than expected, or a hash that does not match it")
    return value


def _int_bytes(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=True)


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=True)


def _shortest(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
