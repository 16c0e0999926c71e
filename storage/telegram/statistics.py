"""What the store counts. Written on the loop thread only, read from anywhere as a frozen copy."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(slots=True)
class Statistics:
    """Totals since start; `bytes_*` are bytes of documents, not of the wire."""

    requests: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    flood_waits: int = 0
    flood_seconds: int = 0
    connections: int = 0
    """Opened, the first ones included."""
    connections_lost: int = 0
    refetches: int = 0
    """File references that had to be fetched again."""
    retries: int = 0
    sign_ins: int = 0

    def copy(self) -> Statistics:
        return replace(self)
