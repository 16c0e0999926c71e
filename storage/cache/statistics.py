"""What the cache counted since it was opened, and how it is now: a frozen moment, for whoever shows figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    memory_hits: int
    disk_hits: int
    misses: int
    """Pieces that had to be fetched, the refetched ones included."""
    shared: int
    """Reads that joined a fetch which another stream had begun."""
    refetched: int
    """Pieces that were bad as they were kept or fetched, and were fetched again."""
    bytes_hit: int
    bytes_fetched: int
    evictions: int
    """Pieces that left the disk for others."""
    not_written: int
    """Pieces that came faster than the disk takes them, or while it was left alone after a fault."""
    errors: int
    """Disk operations that failed. No read failed with them."""
    fault: str | None
    """Why the disk is bypassed now, as a sentence for the operator; None while all is well."""
    pieces_on_disk: int
    bytes_in_memory: int
    """The pieces that wait to be written included."""

    def totals(self) -> dict[str, int]:
        """What only grows, by names that tell it from what the inner store counts."""
        now = ("fault", "pieces_on_disk", "bytes_in_memory")
        return {f"cache_{name}": value for name, value in asdict(self).items() if name not in now}

    def held(self) -> dict[str, int]:
        """What comes and goes, by names of the same kind."""
        return {
            "cache_pieces_on_disk": self.pieces_on_disk,
            "cache_bytes_in_memory": self.bytes_in_memory,
        }
