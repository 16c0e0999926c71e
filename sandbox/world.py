"""What all connections share: the records, the bodies, the addresses, and the secret behind hashes and references.

It must never know of sockets or of MTProto.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.bodies import Bodies
from sandbox.faults import Faults
from sandbox.model import Account, AuthKey
from sandbox.records import Records

DUPLICATED = "AUTH_KEY_DUPLICATED"
"""The one verdict that nothing lifts; after another, signing in again makes the key good."""

_MAX_EXPORTED = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """Where a data centre listens. Media addresses are for bytes, over as many connections as a client likes."""

    dc: int
    media_only: bool
    port: int


@dataclass(frozen=True, slots=True)
class Application:
    """The one pair of `api_id` and `api_hash` that may sign in."""

    api_id: int
    api_hash: str


@dataclass
class Login:
    """A sign-in by phone on its way: the code that was sent, or the password that is still due."""

    account: Account
    code_hash: str
    code_accepted: bool = False
    srp: dict[int, int] = field(default_factory=dict)
    """For each challenge (its `srp_id`), our secret exponent."""


class World:
    """One Telegram. `home` is the data centre where all accounts live and where uploads are stored."""

    def __init__(self, folder: Path, secret: bytes, application: Application, home: int = 2) -> None:
        self.records = Records(folder / "records.sqlite3")
        self.bodies = Bodies(folder)
        self.application = application
        self.home = home
        self.host = "127.0.0.1"
        self.addresses: list[Address] = []
        self.faults = Faults()
        self.reference_lifetime = 24 * 3600.0
        self.reference_generation = 0
        self.logins: dict[bytes, Login] = {}
        self.exported: dict[bytes, int] = {}
        self.posting: set[tuple[int, int]] = set()
        """(account, random id) of messages whose bytes are being made durable."""
        self._secret = secret
        self._forget_orphans()

    def close(self) -> None:
        self.bodies.close()
        self.records.close()

    async def housekeeping(self) -> None:
        """Forget parts that nobody used, for ever."""
        while True:
            await asyncio.sleep(60)
            self.bodies.expire_uploads()

    def access_hash(self, kind: str, thing: int, account: int) -> int:
        """The hash by which `account` proves that it was shown this document, channel or user."""
        digest = self._sign(f"{kind} {thing} {account}".encode())
        return int.from_bytes(digest[:8], "little", signed=True)

    def file_reference(self, document: int, account: int) -> bytes:
        """A reference as of now: when and in which generation it was made, signed for one account and document."""
        head = struct.pack("<BII", 1, int(time.time()), self.reference_generation)
        return head + self._sign(head + struct.pack("<qq", document, account))[:16]

    def check_reference(self, reference: bytes, document: int, account: int) -> str | None:
        """The name of the error that this reference earns; None if it is good."""
        if not reference:
            return "FILE_REFERENCE_EMPTY"
        head = reference[:9]
        expected = head + self._sign(head + struct.pack("<qq", document, account))[:16]
        if not hmac.compare_digest(bytes(reference), expected):
            return "FILE_REFERENCE_INVALID"
        _, made, generation = struct.unpack("<BII", head)
        is_old = time.time() - made > self.reference_lifetime
        return "FILE_REFERENCE_EXPIRED" if is_old or generation != self.reference_generation else None

    def kill_key(self, key: AuthKey, verdict: str) -> None:
        """From now on, and over restarts, the key gets this error."""
        key.verdict = verdict
        self.records.save_key(key)

    def export(self, account: int) -> bytes:
        """A token with which another data centre takes the account as signed in, once; old ones are forgotten."""
        token = secrets.token_bytes(64)
        self.exported[token] = account
        if len(self.exported) > _MAX_EXPORTED:
            del self.exported[next(iter(self.exported))]
        return token

    def delete_messages(self, channel: int, ids: list[int]) -> tuple[int, int]:
        """Delete messages, and then the bytes of their documents: how many there were, and the channel's new pts."""
        orphans, count, pts = self.records.delete_messages(channel, ids)
        for orphan in orphans:
            self.bodies.delete(orphan)
        return count, pts

    def _sign(self, data: bytes) -> bytes:
        return hmac.digest(self._secret, data, "sha256")

    def _forget_orphans(self) -> None:
        """A crash between a document's bytes and its message, or in a deletion, leaves bytes without a record."""
        for orphan in self.bodies.stored() - self.records.document_ids():
            self.bodies.delete(orphan)
