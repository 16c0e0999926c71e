"""Bytes on their way in: staged durably, carried in chunks, read back, and only then visible.

tus has one promise to give: an offset that was acknowledged is safe. A client takes an offset equal to the length to
mean that the file is stored, so the last byte is acknowledged only when that is true: until then an upload that has all
its bytes reports `length - 1`, and a client that repeats the last byte joins the finishing.
"""

from __future__ import annotations

import hashlib
import logging
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import BinaryIO
from uuid import UUID, uuid4

import names
from db import Database
from db.tree import Tree
from db.uploads import Uploads as Rows
from errors import (
    AtCapacity,
    BadInput,
    Busy,
    ChecksumMismatch,
    Conflict,
    Gone,
    NotFound,
    OffsetMismatch,
    PreconditionFailed,
    StowgramError,
)
from gateway.finishing import Finishing
from gateway.transit import Transit, chunk_span
from model import PIECE_SIZE, ByteRange, File, Folder, Upload, User
from storage.base import ChunkStore
from streaming.digests import measure
from streaming.staging import Staging

log = logging.getLogger(__name__)

LIFE = timedelta(days=7)
"""How long an upload may rest between two parts before it expires."""
ROOM_WAIT = 50.0
"""Seconds that a part waits for room in staging: under the minute after which proxies and browsers give up."""
FINISH_WAIT = 50.0
"""Seconds that the last part waits for the store before the client is told to come back."""
MAX_LENGTH = 1 << 50
"""Bytes in one file, 1 PiB: a bound on the arithmetic, not on people."""


class Writer:
    """What this process knows of an upload that is being written: who writes, and the hash of what was measured so far.

    `whole` covers chunks 0 to `measured`; it is lost with the process, and then the digest is made later by upkeep.
    """

    def __init__(self) -> None:
        self.lock = Lock()  # one writer at a time: a second one is refused, never queued
        self.whole = hashlib.sha256()
        self.measured = 0


class Uploads:
    def __init__(self, database: Database, store: ChunkStore, staging: Staging, *, chunk_size: int) -> None:
        self._rows = Rows(database)
        self._tree = Tree(database)
        self._staging = staging
        self._transit = Transit(database, store, staging)
        self._finishing = Finishing(database, store, staging, self._transit)
        self._chunk_size = chunk_size - chunk_size % PIECE_SIZE or PIECE_SIZE
        self._writers: dict[UUID, Writer] = {}
        self._lock = Lock()  # guards the dict of writers only

    # Verbs of the people who upload ----------------------------------------------------------------------------------

    def create(
        self,
        user: User,
        *,
        folder: str,
        name: str,
        length: int,
        media_type: str | None = None,
        replace: bool = True,
    ) -> Upload:
        """A new upload of `length` bytes to be called `name` in `folder`; one of no bytes is finished at once.

        Raises BadName, BadInput, and Conflict when the name cannot be had there.
        """
        if not 0 <= length <= MAX_LENGTH:
            raise BadInput(f"A file has 0 to {MAX_LENGTH} bytes, not {length}.")
        name = names.checked(name)
        folder = names.join(*names.split(folder))
        self._refuse_clash(user, folder, name, replace)
        now = datetime.now(UTC)
        upload = Upload(
            id=uuid4(),
            owner_id=user.id,
            folder=folder,
            name=name,
            length=length,
            media_type=_media_type(media_type, name),
            chunk_size=self._chunk_size,
            offset=0,
            created_at=now,
            expires_at=now + LIFE,
            file_id=None,
        )
        self._rows.create(upload, replace)
        if length == 0:
            self._finish(upload)
        return self._reported(self._rows.get(upload.id))

    def get(self, user: User, upload_id: UUID) -> Upload:
        """The upload as the client may count on it. Raises NotFound (also for another user's) and Gone."""
        return self._reported(self._owned(user, upload_id))

    def append(
        self,
        user: User,
        upload_id: UUID,
        offset: int,
        body: BinaryIO,
        length: int,
        *,
        checksum: bytes | None = None,
    ) -> Upload:
        """Take the next `length` bytes; return when they are durable, and for the last ones when the file is visible.

        Raises OffsetMismatch, Busy, ChecksumMismatch (nothing kept), BadInput (past the end), AtCapacity (the store is
        slower than the client: come back), OutOfSpace, StoreError, Damaged, and what `get` raises.
        """
        self._owned(user, upload_id)
        with self._writing(upload_id) as writer:
            upload = self._owned(user, upload_id)
            expected = self._reported(upload).offset
            if offset != expected:
                raise OffsetMismatch(expected, offset)
            if offset + length > upload.length:
                raise BadInput(f"The upload has {upload.length} bytes; {offset + length} would be too many.")
            if upload.file_id is not None:
                return upload
            if upload.offset == upload.length:
                self._compare_last_byte(upload, body, length, checksum)
                self._send_complete(upload)
            else:
                self._receive(upload, writer, body, length, checksum)
            if offset + length == upload.length and length:
                self._finish(upload)
            return self._reported(self._rows.get(upload_id))

    def abort(self, user: User, upload_id: UUID) -> None:
        """Give it up; its chunks go to the trash. Raises Busy while a part arrives, Conflict when it is finished."""
        upload = self._owned(user, upload_id)
        if upload.file_id is not None:
            raise Conflict("The upload is finished: delete the file instead.")
        self.give_up(upload_id)

    def put(
        self,
        user: User,
        path: str,
        body: BinaryIO,
        length: int,
        *,
        media_type: str | None = None,
        only_new: bool = False,
    ) -> tuple[File, bool]:
        """The whole of `body` as the file at `path`; also whether it is new. Nothing is kept when it fails.

        Raises PreconditionFailed when `only_new` and something is there, and what `create` and `append` raise.
        """
        parts = names.split(path)
        if not parts:
            raise BadInput("The path needs the name of a file.")
        folder, name = names.join(*parts[:-1]), parts[-1]
        before = self._at(user, folder, name)
        if only_new and before is not None:
            raise PreconditionFailed(f"There is a file or folder at {path!r} already.")
        upload = self.create(
            user, folder=folder, name=name, length=length, media_type=media_type, replace=not only_new
        )
        try:
            if length:
                upload = self.append(user, upload.id, 0, body, length)
        except StowgramError:
            self.give_up(upload.id)
            raise
        if upload.file_id is None:
            self.give_up(upload.id)
            raise AtCapacity("The store is slower than the line at this moment. Try again in a minute.", 60)
        return self._tree.file(user.id, upload.file_id), before is None

    # Verbs of upkeep --------------------------------------------------------------------------------------------------

    def give_up(self, upload_id: UUID) -> None:
        """Abandon whoever's upload it is. Raises Busy while a part is arriving."""
        with self._writing(upload_id):
            self._rows.abandon(upload_id)
            self._staging.drop_all(upload_id)
        self._forget(upload_id)

    def go_on(self, upload_id: UUID) -> None:
        """Carry what is staged but not stored, and finish what has all its bytes; not while it is being written to."""
        try:
            with self._writing(upload_id):
                upload = self._rows.get(upload_id)
                if upload.file_id is not None:
                    return
                self._send_complete(upload)
                if upload.offset == upload.length:
                    self._finish(upload)
        except (Busy, NotFound, Gone):
            return

    def in_transit(self, upload_id: UUID) -> bool:
        return self._transit.busy(upload_id)

    def free_leftovers(self) -> None:
        """Free what staging holds for uploads that are over or unknown: a crash came between the two."""
        staged = self._staging.uploads()  # before the rows: an upload begun meanwhile is then in neither list
        live = {upload.id for upload in self._rows.unfinished()}
        for upload_id in staged:
            if upload_id not in live and not self._transit.busy(upload_id):
                self._staging.drop_all(upload_id)

    def close(self) -> None:
        self._transit.close()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _receive(
        self, upload: Upload, writer: Writer, body: BinaryIO, length: int, checksum: bytes | None
    ) -> None:
        upload_id, stop = upload.id, upload.offset + length
        expires = datetime.now(UTC) + LIFE
        durable = upload.offset

        def chunk_complete(index: int) -> None:
            nonlocal durable
            span = chunk_span(upload, index)
            self._rows.advance(upload_id, durable, span.stop, expires)
            durable = span.stop
            in_order = writer.measured == span.start
            source = self._staging.source(upload_id, index)
            digests = measure(source, span.length, PIECE_SIZE, whole=writer.whole if in_order else None)
            writer.measured = span.stop if in_order else writer.measured
            self._transit.send(upload, index, digests)

        self._send_complete(upload)
        self._staging.receive(
            upload_id,
            upload.offset,
            body,
            length,
            total=upload.length,
            chunk_size=upload.chunk_size,
            wait=ROOM_WAIT,
            checksum=checksum,
            on_chunk=chunk_complete,
        )
        if durable < stop:
            self._rows.advance(upload_id, durable, stop, expires)

    def _send_complete(self, upload: Upload) -> None:
        """Send every complete chunk that has no row: after a restart, or when an earlier try failed."""
        there = {chunk.index for chunk in self._rows.chunks(upload.id)}
        complete = upload.offset // upload.chunk_size
        if upload.offset == upload.length and upload.length % upload.chunk_size:
            complete += 1
        for index in range(complete):
            if index not in there:
                self._transit.send(upload, index)

    def _finish(self, upload: Upload) -> None:
        if not self._transit.wait(upload.id, FINISH_WAIT):
            raise AtCapacity(
                "All bytes are here; Telegram is still taking them. Send the last byte again to wait.", 1
            )
        writer = self._writers.get(upload.id)
        whole = writer.whole.digest() if writer is not None and writer.measured == upload.length else None
        if upload.length == 0:
            whole = hashlib.sha256().digest()
        self._finishing.finish(upload, whole)
        self._forget(upload.id)

    def _compare_last_byte(self, upload: Upload, body: BinaryIO, length: int, checksum: bytes | None) -> None:
        """The byte that comes again must be the byte that is staged."""
        if not length:
            return
        again = body.read(1)
        span = chunk_span(upload, (upload.length - 1) // upload.chunk_size)
        source = self._staging.source(upload.id, (upload.length - 1) // upload.chunk_size)
        if again != source(ByteRange(span.length - 1, span.length)):
            raise ChecksumMismatch(
                "The last byte is not the one that was sent before. Begin the upload again."
            )
        if checksum is not None and hashlib.sha256(again).digest() != checksum:
            raise ChecksumMismatch("The bytes that arrived do not have the checksum that was sent with them.")

    def _refuse_clash(self, user: User, folder: str, name: str, replace: bool) -> None:
        """Refuse early what `finish` would refuse in the end, before anybody has sent gigabytes."""
        there = self._at(user, folder, name)
        if isinstance(there, Folder):
            raise Conflict(f"{there.path!r} is a folder. Choose another name.")
        if there is not None and not replace:
            raise Conflict(f"{there.path!r} is there already.")

    def _at(self, user: User, folder: str, name: str) -> File | Folder | None:
        """What stands there. Raises Conflict where the name differs only in case or form from one that is there."""
        return self._tree.standing_at(user.id, folder, name)

    def _owned(self, user: User, upload_id: UUID) -> Upload:
        upload = self._rows.get(upload_id)
        if upload.owner_id != user.id:
            raise NotFound("There is no such upload.")
        if upload.file_id is None and upload.expires_at <= datetime.now(UTC):
            raise Gone("The upload has expired. Begin again.")
        return upload

    @staticmethod
    def _reported(upload: Upload) -> Upload:
        if upload.file_id is None and upload.offset == upload.length > 0:
            return replace(upload, offset=upload.length - 1)
        return upload

    @contextmanager
    def _writing(self, upload_id: UUID) -> Iterator[Writer]:
        with self._lock:
            writer = self._writers.setdefault(upload_id, Writer())
        if not writer.lock.acquire(blocking=False):
            raise Busy("Another request is writing to this upload.")
        try:
            yield writer
        finally:
            writer.lock.release()

    def _forget(self, upload_id: UUID) -> None:
        self._transit.forget(upload_id)
        with self._lock:
            self._writers.pop(upload_id, None)


def _media_type(given: str | None, name: str) -> str:
    """What the client says, if it is well formed; otherwise a guess from the name."""
    if given and len(given) <= 100 and given.isascii() and given.isprintable() and given.count("/") == 1:
        return given
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
