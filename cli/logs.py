"""What the server says while it runs, to stderr: as text for people or as JSON for machines. It tells no secret."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

# The rooms keep secrets out of what they log; this is for what a library may quote from a request.
_SECRETS = re.compile(r"\b\d{5,}:[\w-]{30,}|\bstw_[\w-]{8,}|(?<=password=)[^&\s\"']+")
_CHATTY = (
    "telethon",
    "sqlalchemy",
    "alembic",
    "waitress",
    "asyncio",
    "filelock",
    "urllib3",
    "boto3",
    "botocore",
    "s3transfer",
    "httpx",
    "httpcore",
)
"""Libraries that tell at `info` what only their own authors want to know."""


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("…", super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return _SECRETS.sub("…", json.dumps(entry, ensure_ascii=False))


def set_up(level: str, style: str) -> None:
    """Log from `level` (debug, info, warning, error) on; `style` is text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json() if style == "json" else _Text("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
