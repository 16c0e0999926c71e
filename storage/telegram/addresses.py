"""Which address of a data centre to use, from the options of help.getConfig. Pure.

Telethon's own choice ignores `media_only` and would open a second connection to the main address, for which Telegram
may kill the key (AUTH_KEY_DUPLICATED, core.telegram.org/api/errors). See core.telegram.org/constructor/dcOption.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.telegram.wire import Address


def media_address(options: Sequence[Any], dc: int) -> Address | None:
    """Where data centre `dc` takes parallel connections, or None where it has no such address."""
    return _best([option for option in _usable(options, dc) if option.media_only], dc, media=True)


def main_address(options: Sequence[Any], dc: int) -> Address | None:
    """Where data centre `dc` takes one connection per key, or None if the options do not name it."""
    return _best([option for option in _usable(options, dc) if not option.media_only], dc, media=False)


def _usable(options: Sequence[Any], dc: int) -> list[Any]:
    """Without CDNs (their own protocol), and addresses that want an obfuscated transport or a secret."""
    return [
        option
        for option in options
        if option.id == dc and not (option.cdn or option.tcpo_only or option.secret)
    ]


def _best(options: list[Any], dc: int, *, media: bool) -> Address | None:
    """IPv4 first: hosts that can reach IPv6 are fewer."""
    options = sorted(options, key=lambda option: bool(option.ipv6))
    return Address(dc, options[0].ip_address, options[0].port, media) if options else None
