"""DATA_DIR: one server at a time, and the secrets that live in it. It must never know what they open."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from config import Settings
from errors import Misconfigured


def prepare(settings: Settings) -> Settings:
    """Make DATA_DIR and, unless SECRET_KEY gave one, the key kept in it; the settings with that key.

    From here on this process makes files that only their owner can read, wherever the system knows such a thing.

    Raises Misconfigured when the folder cannot be used.
    """
    path = settings.data_dir / "secret-key"
    # The folder may have been there before, open to all: what we put in it is still the owner's only.
    os.umask(0o077)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.secret_key:
            return settings
        if not path.is_file():
            keep_secret(path, secrets.token_hex(32))
        return replace(settings, secret_key=path.read_bytes().strip())
    except OSError as error:
        raise _unusable(settings.data_dir, error) from error


@contextmanager
def owned(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR for one server. Raises Misconfigured when another has it."""
    lock = FileLock(data_dir / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        fault = f"Another Stowgram is already running on {data_dir}. Stop it, or give this one a DATA_DIR of its own."
        raise Misconfigured([fault]) from None
    except OSError as error:
        raise _unusable(data_dir, error) from error
    try:
        yield
    finally:
        lock.release()


def claim(data_dir: Path, store: str) -> None:
    """Note that what DATA_DIR remembers rests in `store`: `sandbox` or `telegram`, and stays so for good.

    Messages are known by number, so another store would serve, and delete, somebody else's. Raises Misconfigured.
    """
    path = data_dir / "store"
    try:
        if not path.exists():
            keep_secret(path, store)
        kept = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _unusable(data_dir, error) from error
    if kept != store:
        fault = f"The files of DATA_DIR {data_dir} rest in {_STORES[kept]}, but the settings mean {_STORES[store]}."
        raise Misconfigured([f"{fault} Put the settings right, or give another DATA_DIR."])


_STORES = {"sandbox": "the sandbox (no TELEGRAM_* set)", "telegram": "Telegram (TELEGRAM_* set)"}


def keep_secret(path: Path, text: str) -> None:
    """Write `text` to `path` at once or not at all, readable by the owner only. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _unusable(data_dir: Path, error: OSError) -> Misconfigured:
    reason = error.strerror or type(error).__name__
    return Misconfigured(
        [f"DATA_DIR {data_dir} cannot be used ({reason}); give a folder that may be written."]
    )
