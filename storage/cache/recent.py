"""Pieces in memory: the last ones that were used, within a bound of bytes. Not for two threads at a time."""

from __future__ import annotations

from collections import OrderedDict

from storage.cache.index import Place


class RecentPieces:
    """At most `limit` bytes of pieces, the least recently used going first. A piece above the limit is not kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        """Bytes."""
        self._kept: OrderedDict[Place, bytes] = OrderedDict()

    def __repr__(self) -> str:
        return f"<RecentPieces {self.held} of {self.limit} bytes>"

    def __contains__(self, place: Place) -> bool:
        return place in self._kept

    def get(self, place: Place) -> bytes | None:
        data = self._kept.get(place)
        if data is not None:
            self._kept.move_to_end(place)
        return data

    def keep(self, place: Place, data: bytes) -> None:
        self.drop(place)
        if len(data) > self.limit:
            return
        self._kept[place] = data
        self.held += len(data)
        while self.held > self.limit:
            self.held -= len(self._kept.popitem(last=False)[1])

    def drop(self, place: Place) -> None:
        self.held -= len(self._kept.pop(place, b""))

    def places(self) -> tuple[Place, ...]:
        return tuple(self._kept)
