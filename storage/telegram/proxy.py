"""Connections through a SOCKS5 or HTTP proxy: two small handshakes, so that no further package is needed."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, unquote, urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

Dial = Callable[[str, int], Awaitable[Streams]]

FORMS = "socks5://[user:password@]host:port or http://[user:password@]host:port"


class ProxyRefused(OSError):
    """The sentence says why, without a password."""


async def open_through(url: str, host: str, port: int, dial: Dial) -> Streams:
    """A connection to `host` and `port` through the proxy at `url`, which `dial` reaches.

    Raises ProxyRefused, or another OSError when the proxy cannot be reached.
    """
    parts = urlsplit(url)
    if parts.hostname is None or parts.scheme not in ("socks5", "socks5h", "http"):
        raise ProxyRefused(f"TELEGRAM_PROXY has to be {FORMS}")
    handshake = _connect_http if parts.scheme == "http" else _connect_socks5
    default = 8080 if parts.scheme == "http" else 1080
    reader, writer = await dial(parts.hostname, parts.port or default)
    try:
        await handshake(parts, reader, writer, host, port)
    except BaseException as error:
        writer.close()
        if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError):
            raise ProxyRefused("the proxy hung up") from None
        raise
    return reader, writer


async def _connect_socks5(
    parts: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    """RFC 1928, with RFC 1929 when the URL names a user. The proxy resolves the name."""
    user, password = unquote(parts.username or "").encode(), unquote(parts.password or "").encode()
    writer.write(b"\x05\x01\x02" if user else b"\x05\x01\x00")
    _, method = await reader.readexactly(2)
    if method == 0x02 and user:
        writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        if (await reader.readexactly(2))[1] != 0:
            raise ProxyRefused("the proxy refuses the user or password")
    elif method != 0x00:
        raise ProxyRefused("the proxy wants another way of signing in")
    name = host.encode("idna")
    writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    _, reply, _, kind = await reader.readexactly(4)
    if reply != 0:
        raise ProxyRefused(f"the proxy cannot connect (SOCKS reply {reply})")
    address_length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
    await reader.readexactly(address_length + 2)


async def _connect_http(
    parts: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    """CONNECT, RFC 9110 section 9.3.6."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if parts.username:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(credentials.encode()).decode()}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = head.split(" ", 2)[1] if head.count(" ") else ""
    if not status.startswith("2"):
        raise ProxyRefused(f"the proxy refuses to connect (status {status or 'unreadable'})")
