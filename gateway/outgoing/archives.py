"""Folders as ZIPs: what is in a folder becomes an archive, once for all who fetch it (docs/decisions/zip.md).

What is made here outlives the request. It holds plain numbers and bytes, nothing that leads to the database.
"""

from __future__ import annotations

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from threading import Lock
from time import monotonic

import names
from db import Database, Subtrees
from db.happening.events import Events
from errors import AtCapacity, TooLarge
from model import Below, Folder, User
from streaming.archive import Layout
from streaming.chunk_table import ChunkTable
from streaming.stored_archive import StoredArchive
from streaming.zip_records import Member

Archive = StoredArchive
"""What callers hand on from `Archives.of` to `Downloads.open_archive`."""

MOST_MEMORY = 192 << 20
"""Bytes that one archive may take, and all that are kept: about a million small files, or 5 TB in large ones."""
MEMBER_MEMORY = 160
"""Bytes of it for each member and chunk beside its name and digests."""
KEPT = 600.0
"""Seconds that an archive is kept since somebody asked for it."""
PATIENCE = 30.0
"""Seconds that a request waits while others' archives are made."""
_FORMAT = b"stowgram zip 1"
"""Is in every digest, and changes with whatever else changes an archive's bytes."""


@dataclass(slots=True)
class _Kept:
    archive: StoredArchive
    version: int
    """The owner's last change when it was made: each has an event, written with it."""
    used_at: float


class Archives:
    """The lock: archives are made one at a time, and who comes for one meanwhile has it then, too. A download manager
    comes with sixteen requests at once.
    """

    def __init__(self, database: Database) -> None:
        self._subtrees = Subtrees(database)
        self._events = Events(database)
        self._kept: OrderedDict[int, _Kept] = OrderedDict()  # by folder, the one used last at the end
        self._making = Lock()

    def __repr__(self) -> str:
        return f"<Archives: {len(self._kept)} kept>"

    def of(self, user: User, folder: Folder) -> StoredArchive:
        """The archive of all that is in the folder now. Raises NotFound, TooLarge, and AtCapacity."""
        if not self._making.acquire(timeout=PATIENCE):
            raise AtCapacity("Other folders are being looked through. Try again in a moment.")
        try:
            version = self.version(user.id)
            kept = self._kept.pop(folder.id, None)
            if kept is None or kept.version != version:
                kept = _Kept(self._made(user, folder), version, 0.0)
            kept.used_at = monotonic()
            self._kept[folder.id] = kept
            self._drop()
            return kept.archive
        finally:
            self._making.release()

    def version(self, user_id: int) -> int:
        """Changes with whatever the user's files and folders do."""
        return self._events.last_change(user_id)

    def forget_old(self) -> None:
        """Drop what nobody has asked for lately; downloads that run hold what they need."""
        if self._making.acquire(blocking=False):  # else whoever is making one drops it
            try:
                self._drop()
            finally:
                self._making.release()

    def _drop(self) -> None:
        """The oldest, until the rest is young and takes no more than MOST_MEMORY; a last one that is young stays."""
        held = sum(each.archive.memory for each in self._kept.values())
        for folder_id, each in tuple(self._kept.items()):
            old = monotonic() - each.used_at > KEPT
            if not old and (held <= MOST_MEMORY or len(self._kept) == 1):
                break
            held -= each.archive.memory
            del self._kept[folder_id]

    def _made(self, user: User, folder: Folder) -> StoredArchive:
        with closing(self._subtrees.below(user.id, folder.id)) as below:
            return packed(folder.id, below)


def packed(folder_id: int, below: Iterable[Below]) -> StoredArchive:
    """The archive of what is below a folder, in the order of db/tree/subtrees.py. Raises TooLarge."""
    packing = _Packing(folder_id)
    layout = Layout(packing.members(below))
    packing.chunks.end()
    return StoredArchive(layout, packing.chunks, packing.digest.digest())


class _Packing:
    """Makes members of nodes: gives them paths, notes their chunks, and digests all that the bytes follow from."""

    def __init__(self, folder_id: int) -> None:
        self.chunks = ChunkTable()
        self.digest = hashlib.sha256(_FORMAT)
        self._room = MOST_MEMORY
        self._paths = {folder_id: b""}

    def members(self, below: Iterable[Below]) -> Iterator[Member]:
        for _, siblings in groupby(below, attrgetter("parent_id")):
            beside = names.SideBySide()
            others: list[Below] = []
            last, kept = 0, False
            for row in siblings:
                if row.id != last:
                    last, kept = row.id, beside.keep(row.name, row.key)
                    if kept:
                        yield self._member(row, row.name)
                if kept:
                    self._note_chunk(row)
                else:
                    others.append(row)
            # Those that need another name come when all that need none have theirs.
            for _, again in groupby(others, attrgetter("id")):
                for first, row in enumerate(again):
                    if not first:
                        yield self._member(row, beside.make(row.name, folder=row.is_folder))
                    self._note_chunk(row)

    def _member(self, row: Below, name: str) -> Member:
        path = self._paths[row.parent_id] + name.encode()
        if row.is_folder:
            path += b"/"
            self._paths[row.id] = path
        self._take_room(len(path))
        self.chunks.begin(row.uuid, row.size)
        modified = int(row.modified_at.timestamp())
        self.digest.update(struct.pack("<QqII", row.size, modified, row.crc32, len(path)) + path + row.tree)
        return Member(path, row.size, row.crc32, modified)

    def _note_chunk(self, row: Below) -> None:
        if row.chunk is not None:
            self._take_room(len(row.chunk.pieces))
            self.chunks.add(row.chunk)

    def _take_room(self, size: int) -> None:
        self._room -= MEMBER_MEMORY + size
        if self._room < 0:
            raise TooLarge("The folder holds too much for one ZIP. Fetch the folders in it one by one.")
