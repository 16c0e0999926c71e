"""The server's half of the two-step password check, SRP-6a as https://core.telegram.org/api/srp has it. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from typing import Any

from telethon.tl import types

from sandbox.protocol.auth_key import DH_GENERATOR, DH_PRIME

_SALT1, _SALT2 = b"stowgram sandbox password one", b"stowgram sandbox password two"
_SIZE = 256
_ROUNDS = 100_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """One try: our secret exponent and what the client gets to see of it."""

    secret: int
    public: bytes


def algorithm() -> Any:
    """The parameters that clients need to hash a password."""
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=_SALT1, salt2=_SALT2, g=DH_GENERATOR, p=_padded(DH_PRIME)
    )


def challenge(password: str, secret: int | None = None) -> Challenge:
    """A new challenge for this password; or, given its secret, the same one again."""
    secret = secrets.randbits(2048) if secret is None else secret
    public = (_multiplier() * _verifier(password) + pow(DH_GENERATOR, secret, DH_PRIME)) % DH_PRIME
    return Challenge(secret, _padded(public))


def is_correct(password: str, asked: Challenge, a: bytes, proof: bytes) -> bool:
    """Whether the client's `a` and `proof` (A and M1) show that it knows the password."""
    public_a = int.from_bytes(a, "big")
    if not 1 < public_a < DH_PRIME - 1:
        return False
    a, b = _padded(public_a), asked.public
    u = int.from_bytes(_hash(a, b), "big")
    shared = pow(public_a * pow(_verifier(password), u, DH_PRIME), asked.secret, DH_PRIME)
    p, g = _hash(_padded(DH_PRIME)), _hash(_padded(DH_GENERATOR))
    mixed = bytes(x ^ y for x, y in zip(p, g, strict=True))
    expected = _hash(mixed, _hash(_SALT1), _hash(_SALT2), a, b, _hash(_padded(shared)))
    return secrets.compare_digest(expected, proof)


def _verifier(password: str) -> int:
    first = _hash(_SALT2, _hash(_SALT1, password.encode(), _SALT1), _SALT2)
    x = _hash(_SALT2, pbkdf2_hmac("sha512", first, _SALT1, _ROUNDS), _SALT2)
    return pow(DH_GENERATOR, int.from_bytes(x, "big"), DH_PRIME)


def _multiplier() -> int:
    return int.from_bytes(_hash(_padded(DH_PRIME), _padded(DH_GENERATOR)), "big")


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _padded(value: int) -> bytes:
    return value.to_bytes(_SIZE, "big")
