"""The setting that says how to send letters: one address, which holds all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from config.variables import Variables

NAMES = frozenset({"SMTP_URL"})
_PORTS = {"smtp": 587, "smtps": 465}  # RFC 8314: submission, and submission over TLS from the first byte
_SENDER = re.compile(r"[\x21-\x3b\x3d\x3f\x41-\x7e]+@[A-Za-z0-9.-]+")
"""What stands for itself between angle brackets."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A mail server that takes letters from us. Secrets stay out of the repr."""

    host: str
    port: int
    sender: str
    """The address that letters come from."""
    tls: bool = False
    """From the first byte; otherwise as soon as the server offers it."""
    user: str | None = None
    password: str = field(repr=False, default="")


def read(values: Variables) -> MailSettings | None:
    """None when no letters are to be sent. Faults are noted in `values`."""
    text = values.text("SMTP_URL")
    if text is None:
        return None
    settings = _parsed(text)
    if settings is None:
        values.note("SMTP_URL", "give it as smtp[s]://USER:PASSWORD@HOST:PORT?from=ADDRESS", secret=True)
    if values.text("BASE_URL") is None:
        values.faults.append("BASE_URL is missing: SMTP_URL needs it, since letters say where to go.")
    return settings


def _parsed(text: str) -> MailSettings | None:
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # an address or port that is none
        return None
    user, password = unquote(parts.username or "") or None, unquote(parts.password or "")
    sender = _sender(parts) or user or ""
    sound = port and parts.hostname and parts.path in {"", "/"} and _SENDER.fullmatch(sender)
    # smtplib can send no other passwords, and no two servers agree on how they would be written.
    if not sound or (user is None) != (not password) or not f"{user}{password}".isascii():
        return None
    assert parts.hostname is not None and port is not None
    return MailSettings(parts.hostname, port, sender, parts.scheme == "smtps", user, password)


def _sender(parts: SplitResult) -> str:
    # `+` is a sign of addresses here, not a space.
    return parse_qs(parts.query.replace("+", "%2B")).get("from", [""])[0]
