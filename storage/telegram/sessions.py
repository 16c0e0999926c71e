"""Sign-ins kept between starts: a folder of small private files. Sign-ins are flood-limited, so none is made twice."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telethon.sessions import StringSession

from errors import Permanent
from storage.telegram.wire import Address


@dataclass(slots=True)
class Session:
    """One authorization: its home address, the key there, and the keys made from it for other data centres."""

    home: Address
    key: bytes = field(repr=False)
    foreign: dict[int, bytes] = field(repr=False, default_factory=dict)

    @classmethod
    def from_string(cls, text: str) -> Session:
        """A Telethon string session; raises Permanent if it is none."""
        try:
            parsed = StringSession(text.strip())
        except (ValueError, struct.error):
            raise Permanent(f"TELEGRAM_SESSION cannot be read: {_MAKE_ONE}") from None
        if parsed.auth_key is None:
            raise Permanent(f"TELEGRAM_SESSION is not a session: {_MAKE_ONE}")
        return cls(Address(parsed.dc_id, parsed.server_address, parsed.port), parsed.auth_key.key)


_MAKE_ONE = "make one with `python run.py login`."


class SessionFolder:
    """Reads and writes the files; every write is atomic and readable by the owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str, secret: str) -> Session | None:
        """What was kept under `name` for the same `secret` (a token or a string session), or None."""
        kept = self.read(name)
        if kept.get("secret") != _fingerprint(secret):
            return None
        try:
            home = Address(int(kept["dc"]), str(kept["host"]), int(kept["port"]))
            foreign = {int(dc): base64.b64decode(key) for dc, key in kept["foreign"].items()}
            return Session(home, base64.b64decode(kept["key"]), foreign)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def save(self, name: str, secret: str, session: Session) -> None:
        """Raises OSError."""
        foreign = {str(dc): base64.b64encode(key).decode() for dc, key in session.foreign.items()}
        kept = {
            "secret": _fingerprint(secret),
            "dc": session.home.dc,
            "host": session.home.host,
            "port": session.home.port,
            "key": base64.b64encode(session.key).decode(),
            "foreign": foreign,
        }
        self.write(name, kept)

    def forget(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object kept under `name`; empty where there is none or it cannot be read."""
        try:
            kept = json.loads(self._path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def write(self, name: str, kept: dict[str, Any]) -> None:
        """Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if sys.platform != "win32":
            self._folder.chmod(0o700)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=f".{name}-")  # made with mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path(name))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _fingerprint(secret: str) -> str:
    """Tells whether a file belongs to a secret without telling the secret."""
    return hashlib.sha256(b"stowgram session\0" + secret.encode("utf-8")).hexdigest()
