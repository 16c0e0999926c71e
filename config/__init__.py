"""Every setting, read once from the environment and `.env`, checked, frozen. The only reader of os.environ.

It reports every fault at once, tells no secret, and makes nothing on disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config import mail, objects, prepared, telegram
from config.mail import MailSettings as MailSettings
from config.objects import ObjectSettings as ObjectSettings
from config.prepared import PreparedSettings as PreparedSettings
from config.telegram import TelegramSettings as TelegramSettings
from config.variables import Variables
from errors import Misconfigured
from model import MIB

ROOT = Path(__file__).resolve().parent.parent
DOTENV = ROOT / ".env"
SESSION_FILE = "telegram/session"
"""Where `login` keeps a user's session, below DATA_DIR."""
LOCAL_TOKEN_FILE = "local-token"
"""Where `serve` keeps the admin's token for commands on the server's own host, below DATA_DIR."""

# fmt: off
_NAMES = telegram.NAMES | objects.NAMES | mail.NAMES | prepared.NAMES | {
    "HOST", "PORT", "BASE_URL", "DATA_DIR", "DATABASE_URL", "SECRET_KEY", "ADMIN_USERNAME", "ADMIN_PASSWORD",
    "CHUNK_SIZE_MIB", "STAGING_SIZE_MIB", "CACHE_SIZE_MIB", "CACHE_DIR", "STREAMING_CHUNK_SIZE",
    "ENABLE_RANGE_REQUESTS", "MAX_CONCURRENT_DOWNLOADS", "MAX_CONCURRENT_DOWNLOADS_PER_USER",
    "MAX_CONNECTIONS_PER_DOWNLOAD", "DOWNLOAD_RATE_LIMIT_KB", "TOTAL_RATE_LIMIT_KB", "DOWNLOAD_STALL_SECONDS",
    "SHUTDOWN_SECONDS", "TRUSTED_PROXIES", "BIN_DAYS", "LOG_LEVEL", "LOG_FORMAT",
    "STOWGRAM_URL", "STOWGRAM_TOKEN",
    # Spoken for by features to come: known, so that they are no typing errors.
    "REDIS_URL",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. `telegram` is None when no TELEGRAM_* is set; then, and only then, the sandbox serves."""

    host: str
    port: int
    base_url: str | None
    data_dir: Path
    database_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
    """Signs cookies and links; empty when not given: DATA_DIR keeps one then (cli/datadir.py)."""
    admin_username: str
    admin_password: str | None = field(repr=False)
    telegram: TelegramSettings | None
    chunk_size: int
    """Bytes per chunk; a multiple of the piece size."""
    staging_size: int
    """Bytes that uploads may hold on disk before the client has to wait for Telegram."""
    streaming_chunk_size: int
    """Bytes per yield of a download."""
    enable_range_requests: bool
    max_concurrent_downloads: int
    """A download is one file for one user, over however many connections."""
    max_concurrent_downloads_per_user: int
    max_connections_per_download: int
    download_stall_seconds: float
    trusted_proxies: int
    """How many proxies in front of us are trusted to say who the client is."""
    log_level: str
    log_format: str
    cache_size: int = 0
    cache_dir: Path | None = None
    download_rate_limit: int = 0
    """Bytes per second and user; 0 is none."""
    total_rate_limit: int = 0
    """Bytes per second over all downloads; 0 is none."""
    bin_days: int = 30
    """How long what was deleted can be restored; 0: there is no bin."""
    shutdown_seconds: float = 10.0
    """What running requests get when the server is asked to stop."""
    objects: ObjectSettings | None = None
    """None: prepared downloads stay on this machine."""
    mail: MailSettings | None = None
    """None: no letters are sent."""
    prepared: PreparedSettings = field(default_factory=PreparedSettings)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a command that speaks HTTP to a running server needs."""

    url: str
    token: str | None = field(repr=False)
    local_token: Path
    """Where the server's own host keeps a token; to be sent to `host` and loopback only."""
    host: str
    state_dir: Path
    """Where interrupted uploads are remembered; the user's own folder for such things."""


def _admin_password(values: Variables) -> str | None:
    password = values.text("ADMIN_PASSWORD")
    if password is not None and not 8 <= len(password) <= 1024:
        values.note("ADMIN_PASSWORD", "give 8 to 1024 characters, or none: one is made then", secret=True)
    return password


def _limits(values: Variables) -> dict[str, int]:
    """The settings that are plain numbers of something, in the units of `Settings`."""
    # A bot's document may have 2000 MB, which is 1907 MiB.
    chunk = values.number("CHUNK_SIZE_MIB", 64, 1, 1900)
    staging = values.number("STAGING_SIZE_MIB", 512, 1, 1 << 24)
    if staging < 2 * chunk:
        what_to_do = f"give at least {2 * chunk}, two chunks: one arrives while another goes to Telegram"
        values.note("STAGING_SIZE_MIB", what_to_do)
    return {
        "chunk_size": chunk * MIB,
        "staging_size": staging * MIB,
        "streaming_chunk_size": values.number("STREAMING_CHUNK_SIZE", 256 << 10, 4096, 16 * MIB),
        "max_concurrent_downloads": values.number("MAX_CONCURRENT_DOWNLOADS", 200, 1, 1000),
        "max_concurrent_downloads_per_user": values.number("MAX_CONCURRENT_DOWNLOADS_PER_USER", 16, 1, 1000),
        "max_connections_per_download": values.number("MAX_CONNECTIONS_PER_DOWNLOAD", 32, 1, 1000),
        "download_stall_seconds": values.number("DOWNLOAD_STALL_SECONDS", 60, 1, 86400),
        "trusted_proxies": values.number("TRUSTED_PROXIES", 0, 0, 10),
        "cache_size": values.number("CACHE_SIZE_MIB", 0, 0, 1 << 24) * MIB,
        "download_rate_limit": values.number("DOWNLOAD_RATE_LIMIT_KB", 0, 0, 1 << 30) * 1000,
        "total_rate_limit": values.number("TOTAL_RATE_LIMIT_KB", 0, 0, 1 << 30) * 1000,
        "bin_days": values.number("BIN_DAYS", 30, 0, 3650),
        "shutdown_seconds": values.number("SHUTDOWN_SECONDS", 10, 0, 3600),
    }


def _data_dir(values: Variables) -> Path:
    return values.path("DATA_DIR") or ROOT / "data"


def _secret_key(values: Variables) -> bytes:
    text = values.text("SECRET_KEY") or ""
    if 0 < len(text) < 16:
        values.note("SECRET_KEY", "give 16 characters or more, or none: one is made then", secret=True)
    return text.encode()


def read(
    environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV, *, signing_in: bool = False
) -> Settings:
    """The settings of `environ` (by default the process's own) over those of the file `dotenv`, if it exists.

    `signing_in` is for `login`, which runs before there is a session. Raises Misconfigured with every fault.
    """
    values = Variables(os.environ if environ is None else environ, dotenv)
    values.check_spelling(_NAMES, "TELEGRAM_")
    data_dir = _data_dir(values)
    if "?" in str(data_dir):
        values.note("DATA_DIR", "choose a folder without '?', which ends the path in a database address")
    switch = {"true": "y", "yes": "y", "on": "y", "1": "y", "false": "", "no": "", "off": "", "0": ""}
    settings = Settings(
        host=values.text("HOST") or "127.0.0.1",
        port=values.number("PORT", 5000, 0, 65535),
        base_url=values.web_url("BASE_URL"),
        data_dir=data_dir,
        database_url=values.text("DATABASE_URL") or f"sqlite:///{(data_dir / 'stowgram.sqlite3').as_posix()}",
        secret_key=_secret_key(values),
        admin_username=values.text("ADMIN_USERNAME") or "admin",
        admin_password=_admin_password(values),
        telegram=telegram.read(values, data_dir / SESSION_FILE, signing_in),
        enable_range_requests=bool(values.choice("ENABLE_RANGE_REQUESTS", switch, "y")),
        log_level=values.choice("LOG_LEVEL", {n: n for n in ("debug", "info", "warning", "error")}, "info"),
        log_format=values.choice("LOG_FORMAT", {"text": "text", "json": "json"}, "text"),
        cache_dir=values.path("CACHE_DIR"),
        objects=objects.read(values),
        mail=mail.read(values),
        prepared=prepared.read(values),
        **_limits(values),
    )
    if values.faults:
        raise Misconfigured(values.faults)
    return settings


def read_client(environ: Mapping[str, str] | None = None, dotenv: Path = DOTENV) -> ClientSettings:
    """Where the server is and what to say to it. Faults of the server's own settings are not reported."""
    values = Variables(os.environ if environ is None else environ, dotenv)
    host = values.text("HOST") or "127.0.0.1"
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = values.web_url("STOWGRAM_URL") or f"http://{here}:{values.number('PORT', 5000, 0, 65535)}"
    faults = [fault for fault in values.faults if fault.startswith(("STOWGRAM_URL", "PORT"))]
    if faults:
        raise Misconfigured(faults)
    state = values.path("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME")
    return ClientSettings(
        url=url,
        token=values.text("STOWGRAM_TOKEN"),
        local_token=_data_dir(values) / LOCAL_TOKEN_FILE,
        host=here.strip("[]"),
        state_dir=(state or Path.home() / ".local" / "state") / "stowgram",
    )
