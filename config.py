"""Every setting, read once from the environment and `.env`, checked, and frozen. The only reader of os.environ."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """How to reach Telegram. Secrets stay out of the repr."""

    api_id: int
    api_hash: str = field(repr=False)
    channel: str
    """An id (-100…), an @name, a t.me link, or `create:TITLE`."""
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


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. `telegram` is None when no TELEGRAM_* is set: then, and only then, the embedded sandbox serves."""

    host: str
    port: int
    base_url: str | None
    data_dir: Path
    database_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
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
    max_concurrent_downloads_per_user: int
    download_stall_seconds: float
    trusted_proxies: int
    """How many proxies in front of us are trusted to say who the client is."""
    log_level: str
    log_format: str
    cache_size: int = 0
    cache_dir: Path | None = None
    download_rate_limit: int = 0
    """Bytes per second and user; 0 is none."""
