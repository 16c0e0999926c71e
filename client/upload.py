"""One file in: a small one by PUT, any other by tus in parts with checksums.

A killed upload leaves a note of its id; the next `send` of the same unchanged file goes on from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import names
from client import known, nodes, notes, tus
from client.api import Api
from client.digest import Digest, tree_of
from client.parts import Parts, Source
from client.patience import Patience
from client.sending import Sending
from errors import (
    AtCapacity,
    Busy,
    ChecksumMismatch,
    Conflict,
    Damaged,
    Gone,
    NotFound,
    StowgramError,
    Transient,
)
from model import MIB

WORTH_ASKING = MIB
"""Bytes from which on it is asked first whether the server has the contents; below, sending them takes no longer."""
SMALL = 8 * MIB
"""Bytes up to which a file goes in one request."""
STORING = 1800.0
"""Seconds that a server which has every byte gets to store them: its staging may hold much, and Telegram be slow."""
TRIES_PER_PART = 4
"""How often a part may arrive damaged before the line is given up."""
SETBACKS = 4
"""How often Telegram may give back other bytes than it was given before a file is given up."""
DAYS_TO_KEEP_NOTES = 30.0


class Uploader:
    """Sends files to `api`, keeps its notes in `folder`, and tells `moved` of bytes that are safe there."""

    def __init__(self, api: Api, folder: Path, moved: Callable[[int], None]) -> None:
        self._api = api
        self._folder = folder
        self._moved = moved
        notes.forget_old(folder, DAYS_TO_KEEP_NOTES)

    def send(self, local: Path, remote: str, there: nodes.Node | None = None) -> bool:
        """Make `local` the file at `remote`; False if `there`, what is there now, soundly holds the same.

        Raises OSError of the local file and our errors; Damaged when the server ended up with other bytes.
        """
        remote = names.join(*names.split(remote))
        with local.open("rb") as file:
            source = Source.of(local, file)
            if there is not None and self._holds(there, source):
                self._moved(source.size)
                return False
            if source.size >= WORTH_ASKING and self._has_contents(source, remote):
                self._moved(source.size)
                return True
            sent, stored = (
                self._put(source, remote) if source.size <= SMALL else self._resumable(source, remote)
            )
        if sent != stored:
            raise Damaged(f"{remote} is not what {local} holds: the server has other bytes. Put it again.")
        return True

    @staticmethod
    def _holds(there: nodes.Node, source: Source) -> bool:
        """A damaged file has the digests of what it should hold, so sending it again is what mends it."""
        return not there.damaged and there.size == source.size and there.etag == tree_of(source.path)

    def _has_contents(self, source: Source, remote: str) -> bool:
        """Whether the server could make the file of contents that it has; it is done then."""
        if not known.any_of_size(self._api, source.size):
            return False
        tree = tree_of(source.path)
        source.check_unchanged()
        return known.put(self._api, remote, source.size, tree, source.media_type)

    def _put(self, source: Source, remote: str) -> tuple[str, str]:
        """The tree digests of what was sent and of what is there now."""
        data = source.read(0, SMALL + 1)
        source.check_unchanged()
        digest = Digest()
        digest.update(data)
        headers = {"Content-Type": source.media_type}
        answer = self._api.ask("PUT", "/api/v1/content" + quote(remote), content=data, headers=headers)
        self._moved(len(data))
        return digest.tree(), nodes.node_in(answer).etag

    def _resumable(self, source: Source, remote: str) -> tuple[str, str]:
        """The same, by tus. An upload that the server has forgotten in the meantime is begun anew, once."""
        note = self._folder / f"{self._key(source, remote)}.json"
        upload = str(notes.load(note).get("upload", ""))
        try:
            offset = tus.offset(self._api, upload) if upload else 0
        except (NotFound, Gone):
            upload, offset = "", 0
        if not upload:
            *folder, name = names.split(remote)
            upload = tus.create(self._api, names.join(*folder), name, source.size, source.media_type)
            with suppress(OSError):  # without a note the upload works, and only cannot be resumed
                notes.save(note, {"upload": upload, "local": str(source.path), "remote": remote})
        self._moved(offset)
        try:
            sent = self._parts(source, upload, offset)
        except (Conflict, NotFound, Gone):  # going on with it would meet the same again
            notes.forget(note)
            with suppress(StowgramError):
                tus.abort(self._api, upload)
            raise
        notes.forget(note)
        return sent, nodes.file(self._api, tus.file(self._api, upload)).etag

    def _parts(self, source: Source, upload: str, offset: int) -> str:
        """Send what lies behind `offset`; the tree digest of the whole file."""
        patience, damaged, setbacks = self._patience(source, offset), 0, 0
        with Parts(source) as parts, Sending(self._api, upload, parts) as sending:
            while offset < source.size:
                # Invariant: `offset` bytes are safe on the server, and none of them is sent again, but for a setback.
                before = offset
                try:
                    offset = sending.send(offset)
                except ChecksumMismatch:
                    damaged += 1
                    if damaged == TRIES_PER_PART:
                        raise
                except Conflict:
                    offset = tus.offset(self._api, upload)
                    if offset == before:  # then it is not about the offset
                        raise
                except Damaged:  # the server has set the upload back to what it can vouch for
                    setbacks += 1
                    offset = tus.offset(self._api, upload)
                    if offset == source.size - 1 or setbacks == SETBACKS:
                        raise
                except (Transient, AtCapacity, Busy) as error:
                    patience.pause(error)
                    offset = tus.offset(self._api, upload)
                if offset > before:
                    patience, damaged = self._patience(source, offset), 0
                self._moved(offset - before)
            return parts.tree()

    def _patience(self, source: Source, offset: int) -> Patience:
        """From `offset` on. The last byte is acknowledged once the file is stored, whatever that takes."""
        return self._api.patience(STORING if offset == source.size - 1 else 0.0)

    def _key(self, source: Source, remote: str) -> str:
        identity = [
            self._api.url,
            remote,
            str(source.path.resolve()),
            str(source.size),
            str(source.changed_ns),
        ]
        return hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:32]
