"""The RSA keys by which a server proves itself before there is a session with it."""

from __future__ import annotations

from pathlib import Path

from telethon.crypto import rsa

from errors import Permanent


def trust(key: Path) -> None:
    """Accept a server that holds this RSA key (PKCS#1 PEM). Raises Permanent if the file is no such key."""
    try:
        rsa.add_key(key.read_bytes(), old=False)
    except (OSError, ValueError) as error:
        raise Permanent(f"TELEGRAM_SERVER_KEY ({key}) is not a readable key: {error}") from None
