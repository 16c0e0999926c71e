"""The last step of an upload: read back, write the manifest, make visible. In this order: what is visible is true."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from time import monotonic

import names
from db import Database
from db.incoming.uploads import Uploads as Rows
from errors import AtCapacity, ChunkCorrupt, ClientGone
from gateway.incoming.transit import TRIES, Transit
from model import Chunk, File, Label, StoredFile, Upload, tree_digest
from storage.base import ChunkStore
from streaming import manifest
from streaming.digests import file_crc32
from streaming.room import superseded
from streaming.staging import Staging
from streaming.write import read_back, sampled

log = logging.getLogger(__name__)


class Finishing:
    def __init__(self, database: Database, store: ChunkStore, staging: Staging, transit: Transit) -> None:
        self._rows = Rows(database)
        self._store = store
        self._staging = staging
        self._transit = transit

    def finish(
        self, upload: Upload, sha256: bytes | None, until: float, wanted: Callable[[], bool]
    ) -> tuple[File, bool]:
        """Make the upload a file, which replaced another or did not; every chunk must be stored. May be repeated.

        `sha256` is the whole file's, or None when a restart lost it; `until` is on the monotonic clock. Raises
        AtCapacity when reading back is not done by then, Busy soon after the upload is `wanted` by another request,
        StoreError, Conflict when the name was taken meanwhile, and ChunkCorrupt when what came back differs: the upload
        then stands before the bad chunk.
        """
        # First of all: upkeep tries again and again, which must not read all back each time.
        self._rows.check_place(upload.id)
        chunks = self._read_back(upload, until, wanted)
        stored = StoredFile(upload.id, upload.length, tree_digest(chunks), sha256, file_crc32(chunks), chunks)
        path = names.join(*names.split(upload.folder), upload.name)
        document = manifest.encode(
            manifest.Manifest(stored, path, upload.name, upload.media_type, upload.created_at)
        )
        digest = hashlib.sha256(document).digest()
        label = Label("manifest", upload.id, 0, 0, len(document), digest)
        locator = self._transit.deliver(upload.id, label, lambda span: document[span.start : span.stop])
        file, replaced = self._rows.finish(upload.id, stored, label, locator)
        self._staging.drop_all(upload.id)
        log.info(
            "stored file %d: %d bytes in %d chunks%s",
            file.id,
            file.size,
            len(chunks),
            ", replaced" if replaced else "",
        )
        return file, replaced

    def _read_back(self, upload: Upload, until: float, wanted: Callable[[], bool]) -> tuple[Chunk, ...]:
        """The chunks, once all of their messages are there, and a sample of those that were not read back on their way
        came back as it was stored.
        """
        for _ in range(TRIES):
            chunks = self._rows.chunks(upload.id)
            bad = self._bad(upload, chunks, until, wanted)
            if not bad:
                return chunks
            log.warning("upload %s: chunks %s came back other than they were stored", upload.id, bad)
            if bad[0] < len(chunks) - 1:  # its staged bytes are gone: only the client has them still
                self._rows.rewind(upload.id, bad[0])
                self._transit.forget(upload.id)
                break
            self._rows.discard_chunk(upload.id, bad[0])
            self._transit.forget(upload.id)
            self._transit.send(upload, bad[0])
            if not self._transit.wait(upload.id, until - monotonic(), wanted):
                raise AtCapacity(
                    "A part of the file is being stored again. Send the last byte again to wait.", 1
                )
        raise ChunkCorrupt(
            "Telegram gave back other bytes than it was given. Ask for the offset and send the rest again."
        )

    def _bad(
        self, upload: Upload, chunks: Sequence[Chunk], until: float, wanted: Callable[[], bool]
    ) -> list[int]:
        """Which of these are gone, or did not come back."""
        missing = self._store.missing([chunk.locator for chunk in chunks])  # since they were read back
        gone = {chunk.index for chunk in chunks if chunk.locator in missing}
        unseen = [chunk for chunk in self._transit.unseen(upload.id, chunks) if chunk.index not in gone]
        try:
            bad = read_back(self._store, sampled(unseen), gone=lambda: wanted() or monotonic() >= until)
            return sorted(gone.union(bad))
        except ClientGone:
            if wanted():
                raise superseded() from None
            raise AtCapacity(
                "All bytes are stored; Telegram is slow to give them back for the check. "
                "Send the last byte again to wait.",
                1,
            ) from None
