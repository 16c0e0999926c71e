"""What moves, and what was moved."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from operator import add
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in. `offset` bytes are durable; it equals `length` only once the file is visible.

    Cut into chunks of `chunk_size` bytes. `file_id` is known once it is visible.
    """

    id: UUID
    owner_id: int
    folder: str
    name: str
    length: int
    media_type: str
    chunk_size: int
    offset: int
    created_at: datetime
    expires_at: datetime
    file_id: int | None
    discarded: int = 0
    """Chunks of it that were stored and came back bad."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a client says of the bytes of one request: their SHA-256; or, `by_piece`, the SHA-256 over the SHA-256s of
    what they bring of each piece of the file, in order, which of whole pieces are the digests that are kept.
    """

    digest: bytes
    by_piece: bool = False


@dataclass(frozen=True, slots=True)
class Stock:
    """What is at rest in all. Contents that several files share are counted in `size` for each, in `stored` once."""

    files: int
    size: int
    stored: int
    binned: int
    """Bytes of `size` that lie in bins."""
    messages: int
    """That are known in the channel; of them `trash` are to be deleted."""
    trash: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What was moved in all: by a user, or of a file, which is only fetched. Counts transfers, and bytes."""

    downloads: int = 0
    bytes_sent: int = 0
    uploads: int = 0
    bytes_received: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*map(add, astuple(self), astuple(other)))
