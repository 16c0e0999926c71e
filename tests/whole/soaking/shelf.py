"""A file that is there for all, and never changes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.whole.soaking.content import Content


@dataclass(frozen=True)
class Shelf:
    id: int
    etag: str
    """As the header says it."""
    content: Content

    @property
    def address(self) -> str:
        return f"/files/{self.id}/download"

    @property
    def size(self) -> int:
        return self.content.size
