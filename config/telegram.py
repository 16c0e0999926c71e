"""The settings that say how to reach Telegram: read and checked together, since some set and some not is a mistake."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from config.variables import Variables

# fmt: off
NAMES = frozenset({
    "TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_CHANNEL", "TELEGRAM_SESSION", "TELEGRAM_BOT_TOKENS",
    "TELEGRAM_PROXY", "TELEGRAM_CONNECTIONS", "TELEGRAM_SERVER", "TELEGRAM_SERVER_KEY",
})
# fmt: on
_CHANNEL = re.compile(r"-100\d+|@\w+|(?:https?://)?(?:t|telegram)\.me/\S+|create:.*\S.*")
_SERVER = re.compile(r"(\d+)@(\[[0-9A-Fa-f:.]+\]|[^\s:@\[\]]+):(\d+)")
_BOT_TOKEN = re.compile(r"\d+:[\w-]+")


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """How to reach Telegram. Secrets stay out of the repr."""

    api_id: int
    api_hash: str = field(repr=False)
    channel: str
    """An id (-100…), an @name, a t.me link, or `create:TITLE`; empty only while signing in."""
    session: str | None = field(repr=False, default=None)
    """A Telethon string session of a user account."""
    bot_tokens: tuple[str, ...] = field(repr=False, default=())
    proxy: str | None = field(repr=False, default=None)
    connections: int = 4
    """Media connections per account."""
    server: tuple[int, str, int] | None = None
    """(data centre, host, port) of another server than Telegram's own."""
    server_key: Path | None = None
    """Its RSA public key, PKCS#1 PEM."""


def _bot_tokens(values: Variables) -> tuple[str, ...]:
    name = "TELEGRAM_BOT_TOKENS"
    tokens = tuple(token.strip() for token in (values.text(name) or "").split(",") if token.strip())
    if not all(_BOT_TOKEN.fullmatch(token) for token in tokens):
        values.note(name, "give tokens as @BotFather shows them, parted by commas", secret=True)
    return tokens


def _server(values: Variables) -> tuple[tuple[int, str, int] | None, Path | None]:
    text, key = values.text("TELEGRAM_SERVER"), values.path("TELEGRAM_SERVER_KEY")
    if (text is None) != (key is None):
        values.faults.append("TELEGRAM_SERVER and TELEGRAM_SERVER_KEY belong together; set both or neither.")
    if key is not None and not key.is_file():
        values.note("TELEGRAM_SERVER_KEY", "give the path of the server's RSA public key (PKCS#1 PEM)")
    if text is None:
        return None, key
    match = _SERVER.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 65536:
        values.note("TELEGRAM_SERVER", "give it as DC@HOST:PORT, such as 2@127.0.0.1:8443")
        return None, key
    return (int(match[1]), match[2].strip("[]"), int(match[3])), key


def _proxy(values: Variables) -> str | None:
    proxy = values.text("TELEGRAM_PROXY")
    if proxy is None:
        return None
    try:
        parts = urlsplit(proxy)
        sound = parts.scheme in {"socks5", "socks4", "http"} and bool(parts.hostname and parts.port)
    except ValueError:  # an address or port that is none
        sound = False
    if not sound:  # told without its value, which may hold a password
        what_to_do = "give it as socks5://[USER:PASSWORD@]HOST:PORT (or socks4, http)"
        values.note("TELEGRAM_PROXY", what_to_do, secret=True)
    return proxy


def _saved_session(values: Variables, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        values.faults.append(
            f"{path} cannot be read ({type(error).__name__}); run `python run.py login` again."
        )
        return ""


def read(values: Variables, session_file: Path, signing_in: bool) -> TelegramSettings | None:
    """None when nothing of Telegram is set, nor kept in `session_file`. Faults are noted in `values`."""
    saved = _saved_session(values, session_file)
    names = values.beginning("TELEGRAM_")
    if not names and not saved and not signing_in:
        return None
    # An empty one is most likely a variable that somebody forgot to fill; it must not mean "none".
    empty = [name for name in names if values.text(name) is None]
    values.faults += [f"{name} is empty; give it a value, or take it out." for name in empty]
    hint = f" (the session of `login` in {session_file} counts as set)" if saved else ""
    values.faults += [
        f"{n} is missing: without it Telegram cannot be used{hint}. Set it, or no TELEGRAM_* for the sandbox."
        for n in ("TELEGRAM_API_ID", "TELEGRAM_API_HASH", *(() if signing_in else ("TELEGRAM_CHANNEL",)))
        if n not in names
    ]
    session, bots = values.text("TELEGRAM_SESSION") or saved or None, _bot_tokens(values)
    if not (session or bots or signing_in):
        values.faults.append("No Telegram account: run `python run.py login`, or set TELEGRAM_BOT_TOKENS.")
    channel = values.text("TELEGRAM_CHANNEL") or ""
    if channel and not _CHANNEL.fullmatch(channel):
        values.note("TELEGRAM_CHANNEL", "give an id (-100…), an @name, a t.me link, or create:TITLE")
    if channel.startswith("create:") and bots and not session:
        values.note("TELEGRAM_CHANNEL", "make the channel yourself and add the bots: a bot cannot create one")
    server, key = _server(values)
    return TelegramSettings(
        api_id=values.number("TELEGRAM_API_ID", 0, 1, 2**31 - 1),
        api_hash=values.text("TELEGRAM_API_HASH") or "",
        channel=channel,
        session=session,
        bot_tokens=bots,
        proxy=_proxy(values),
        connections=values.number("TELEGRAM_CONNECTIONS", 8, 1, 16),
        server=server,
        server_key=key,
    )
