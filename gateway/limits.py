"""What the gateway allows, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, rates in bytes per second with 0 for none. A download is one file for one user."""

    chunk_size: int
    yield_size: int
    downloads: int
    downloads_per_user: int
    connections_per_download: int
    user_rate: int = 0
    total_rate: int = 0
    bin_days: int = 30
    """How long what was deleted can be restored; 0: not at all."""
    zip_cache: int = 10 << 30
    """Bytes of prepared ZIPs that are kept, half-made ones included."""
    zip_cache_hours: int = 24
    zip_level: int = 0
    """How much prepared ZIPs are deflated, 1 to 9; 0: stored."""
