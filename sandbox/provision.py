"""What a new sandbox begins with: an RSA key, two bots, a test user, and a channel that all three administer."""

from __future__ import annotations

import secrets
from hashlib import sha1
from pathlib import Path
from typing import Any

import rsa
from telethon.tl import TLObject

from sandbox.api.channels import new_channel
from sandbox.model import Account
from sandbox.protocol.auth_key import RsaKey
from sandbox.protocol.primes import random_prime
from sandbox.records import Records
from sandbox.world import Application

PHONE = "+9996621234"
"""A number of Telegram's own test range: https://core.telegram.org/api/auth#test-accounts."""
CODE = "22222"
PRIVATE_NAME, PUBLIC_NAME = "private_key.pem", "server_key.pem"
_E = 65537


def load_key(folder: Path) -> RsaKey:
    """The server's RSA key, made on first use; the public half is beside it, as PKCS#1 PEM, for clients."""
    path = folder / PRIVATE_NAME
    if not path.exists():
        _keep(path, _new_key().save_pkcs1())
    private = rsa.PrivateKey.load_pkcs1(path.read_bytes())
    public = rsa.PublicKey(private.n, private.e)
    (folder / PUBLIC_NAME).write_bytes(public.save_pkcs1())
    return RsaKey(private.n, private.e, private.d, _fingerprint(private))


def load_secret(folder: Path) -> bytes:
    """The secret behind access hashes and file references."""
    path = folder / "secret"
    if not path.exists():
        _keep(path, secrets.token_hex(32).encode())
    return bytes.fromhex(path.read_text(encoding="ascii"))


def load_application(folder: Path) -> Application:
    """The api_id and api_hash; derived from the secret, so they need no place of their own."""
    secret = load_secret(folder)
    return Application(int.from_bytes(secret[:3], "big") + 1_000_000, sha1(secret).hexdigest()[:32])


def _keep(path: Path, secret: bytes) -> None:
    """Write it whole or, when we are ended meanwhile, not at all; for the owner's eyes only."""
    new = path.with_name(path.name + ".new")
    new.touch(mode=0o600)
    new.write_bytes(secret)
    new.replace(path)


def provision(records: Records) -> None:
    """Make the accounts and the channel, unless they are there; all of them or none."""
    with records.transaction():
        if not records.accounts():
            _provision(records)


def _provision(records: Records) -> None:
    user = Account(9_996_621_234, False, "Test User", "test_user", phone=PHONE, code=CODE)
    bots = [_new_bot(number) for number in (1, 2)]
    for account in (user, *bots):
        records.add_account(account)
    channel = new_channel(user.id, "Stowgram", "Files, in chunks.", is_broadcast=True)
    records.add_channel(channel)
    for bot in bots:
        records.set_member(channel.id, bot.id, is_admin=True)


def describe(records: Records) -> dict[str, Any]:
    """What a client needs to sign in, as the ready line has it."""
    accounts = records.accounts()
    user = next((account for account in accounts if not account.is_bot), None)
    channels = records.channels()
    return {
        "bot_tokens": [account.token for account in accounts if account.is_bot],
        "channel": -1_000_000_000_000 - channels[0].id if channels else None,
        "phone": user.phone if user else None,
        "code": user.code if user else None,
        "password": user.password if user else None,
    }


def _new_bot(number: int) -> Account:
    # Ids grow with the numbers, so that the first token is always that of the first bot.
    identity = secrets.randbelow(10**9) + (4 + number) * 10**9
    token = f"{identity}:AA{secrets.token_urlsafe(25)[:33]}"
    return Account(identity, True, f"Stowgram Bot {number}", f"stowgram_{number}_bot", token=token)


def _new_key() -> Any:
    while True:
        p, q = random_prime(1024), random_prime(1024)
        totient = (p - 1) * (q - 1)
        if p != q and totient % _E:
            return rsa.PrivateKey(p * q, _E, pow(_E, -1, totient), p, q)


def _fingerprint(key: Any) -> int:
    """The lower 64 bits of SHA-1 over n and e as TL strings."""
    n, e = (value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (key.n, key.e))
    packed = TLObject.serialize_bytes(n) + TLObject.serialize_bytes(e)
    return int.from_bytes(sha1(packed).digest()[-8:], "little", signed=True)
