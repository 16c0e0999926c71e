"""The settings of work in the background, and of the ZIPs that it makes."""

from __future__ import annotations

from dataclasses import dataclass

from config.variables import Variables
from model import MIB

NAMES = frozenset(
    {
        "JOB_WORKERS", "ZIPSTREAM_COMPRESSION_LEVEL", "ZIP_CACHE_SIZE_MIB", "ZIP_CACHE_HOURS", "X_ACCEL_REDIRECT",
        "CDN_BASE_URL",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreparedSettings:
    workers: int = 1
    """Jobs that are done at the same time."""
    level: int = 0
    """How much ZIPs are deflated, 1 to 9; 0: stored."""
    cache_size: int = 10240 * MIB
    """Bytes."""
    cache_hours: int = 24
    accel: str | None = None
    """The internal address under which a proxy in front of us serves the folder of prepared ZIPs, without a slash at
    its end.
    """
    cdn: str | None = None
    """What stands in the place of our own address in links to prepared ZIPs."""


def read(values: Variables) -> PreparedSettings:
    """Faults are noted in `values`."""
    accel = values.text("X_ACCEL_REDIRECT")
    if accel is not None and (not accel.startswith("/") or "?" in accel or not accel.isascii()):
        values.note("X_ACCEL_REDIRECT", "give the path of an internal location, such as /internal/prepared")
    return PreparedSettings(
        workers=values.number("JOB_WORKERS", 1, 1, 16),
        level=values.number("ZIPSTREAM_COMPRESSION_LEVEL", 0, 0, 9),
        cache_size=values.number("ZIP_CACHE_SIZE_MIB", 10240, 1, 1 << 24) * MIB,
        cache_hours=values.number("ZIP_CACHE_HOURS", 24, 1, 168),
        accel=accel and accel.rstrip("/"),
        cdn=values.web_url("CDN_BASE_URL"),
    )
