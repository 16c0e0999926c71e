"""Bytes on their way in: staged durably, carried in chunks, read back, and only then visible.

tus has one promise to give: an offset that was acknowledged is safe. A client takes an offset equal to the length to
mean that the file is stored, so the last byte is acknowledged only when that is true: until then an upload that has all
its bytes reports `length - 1`, and a client that repeats the last byte joins the finishing.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import BinaryIO
from uuid import UUID, uuid4

import names
from db import Database
from db.incoming.uploads import Uploads as Rows
from db.tree.browsing import Tree
from errors import (
    AtCapacity,
    BadInput,
    Busy,
    Conflict,
    Gone,
    NotFound,
    OffsetMismatch,
    OverQuota,
    PreconditionFailed,
)
from gateway.incoming.arrivals import LIFE, PUT_LIFE, Arrivals
from gateway.moving.transfer import UNKNOWN, Subject
from gateway.moving.transfers import Transfers
from gateway.tree import media
from model import PIECE_SIZE, ByteRange, Checksum, Client, File, Upload, User
from storage.base import ChunkStore
from streaming.body import Body
from streaming.staging import Staging

FINISH_WAIT = 50.0
"""Seconds that the last part waits for the store before the client is told to come back."""
UPKEEP_WAIT = 600.0
"""Seconds that upkeep gives the same: on a line too slow for the client's patience the file is finished here."""
MAX_LENGTH = 1 << 50
"""Bytes in one file, 1 PiB: a bound on the arithmetic, not on people."""


class Uploads:
    def __init__(
        self,
        database: Database,
        store: ChunkStore,
        staging: Staging,
        transfers: Transfers,
        *,
        chunk_size: int,
    ) -> None:
        self._rows = Rows(database)
        self._tree = Tree(database)
        self._arrivals = Arrivals(database, store, staging)
        self._transfers = transfers
        self._chunk_size = chunk_size - chunk_size % PIECE_SIZE or PIECE_SIZE

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
        upload = self._begun(user, folder, name, length, media_type, replace, LIFE)
        if length:
            return upload
        with self._arrivals.writing(upload.id) as writer:
            self._arrivals.finish(upload, writer, FINISH_WAIT)
        return self.get(user, upload.id)

    def _begun(
        self,
        user: User,
        folder: str,
        name: str,
        length: int,
        media_type: str | None,
        replace: bool,
        life: timedelta,
    ) -> Upload:
        if not 0 <= length <= MAX_LENGTH:
            raise BadInput(f"A file has 0 to {MAX_LENGTH} bytes, not {length}.")
        name = names.checked(name)
        now = datetime.now(UTC)
        upload = Upload(
            id=uuid4(),
            owner_id=user.id,
            folder=names.join(*names.split(folder)),
            name=name,
            length=length,
            media_type=media.media_type(media_type, name),
            chunk_size=self._chunk_size,
            offset=0,
            created_at=now,
            expires_at=now + life,
            file_id=None,
        )
        self._rows.create(upload, replace)
        return upload

    def check_room(self, user: User, path: str, length: int) -> None:
        """Whether a file of `length` bytes may be put at this path, asked before they are sent.

        Raises OverQuota; BadName and Conflict where it could not stand there at all.
        """
        if names.split(path):
            self._rows.check_room(user.id, path, length)

    def get(self, user: User, upload_id: UUID) -> Upload:
        """The upload as the client may count on it. Raises NotFound (also for another user's) and Gone."""
        return _acknowledged(self._rows.get(upload_id, user.id))

    def resume(self, user: User, upload_id: UUID) -> Upload:
        """Where a client that has lost its place goes on. Its earlier request, if one still waits here for room or for
        the store, is let go: nobody is there to hear its answer. Raises what `get` raises.
        """
        self._rows.get(upload_id, user.id)
        self._arrivals.recall(upload_id)
        return self.get(user, upload_id)

    def append(
        self,
        user: User,
        upload_id: UUID,
        offset: int,
        body: BinaryIO,
        length: int,
        *,
        checksum: Checksum | None = None,
        client: Client = UNKNOWN,
    ) -> Upload:
        """Take the next `length` bytes; return when they are durable, and for the last ones when the file is visible.

        Raises OffsetMismatch, Busy (another request writes, or came while this one waited), ChecksumMismatch (nothing
        kept), BadInput (past the end), AtCapacity (the store is slower than the client: come back), OutOfSpace,
        StoreError, Damaged, and what `get` raises.
        """
        until = monotonic() + FINISH_WAIT  # for room and finishing together: its client waits a minute
        self._rows.get(upload_id, user.id)
        with self._arrivals.writing(upload_id) as writer:
            upload = self._rows.get(upload_id, user.id)
            expected = _acknowledged(upload).offset
            if offset != expected:
                raise OffsetMismatch(expected, offset)
            if offset + length > upload.length:
                raise BadInput(f"The upload has {upload.length} bytes; {offset + length} would be too many.")
            if upload.file_id is not None or length == 0:
                return _acknowledged(upload)
            span = ByteRange(offset, offset + length)
            with self._transfers.moving(_subject(user, upload), client, span) as connection:
                arriving = Body(body, span, checksum)
                if upload.offset == upload.length:
                    self._arrivals.take_again(upload, arriving)
                else:
                    self._arrivals.take(upload, writer, arriving, connection.has_moved)
                if span.stop == upload.length:
                    self._arrivals.finish(upload, writer, until - monotonic())
                    connection.completes = True
        return self.get(user, upload_id)

    def abort(self, user: User, upload_id: UUID) -> None:
        """Give it up; its chunks go to the trash. Raises Busy while a part is written, Conflict when it is finished."""
        if self._rows.get(upload_id, user.id).file_id is not None:
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
        client: Client = UNKNOWN,
    ) -> tuple[File, bool]:
        """The whole of `body` as the file at `path`; also whether it is new. Nothing is kept when it fails.

        Raises PreconditionFailed when `only_new` and something is there, and what `create` and `append` raise.
        """
        parts = names.split(path)
        if not parts:
            raise BadInput("The path needs the name of a file.")
        folder, name = names.join(*parts[:-1]), parts[-1]
        if only_new and self._tree.standing_at(user.id, folder, name) is not None:
            raise PreconditionFailed(f"There is something at {path!r} already.")
        upload = self._begun(user, folder, name, length, media_type, not only_new, PUT_LIFE)
        whole = ByteRange(0, length)
        try:
            with (
                self._arrivals.writing(upload.id) as writer,
                self._transfers.moving(_subject(user, upload), client, whole) as connection,
            ):
                moved = connection.has_moved
                self._arrivals.take(upload, writer, Body(body, whole), moved, acknowledged=False)
                file, replaced = self._arrivals.finish(upload, writer, FINISH_WAIT)
                connection.completes = True
        except BaseException:  # nobody could go on with it
            self.give_up(upload.id)
            raise
        return file, not replaced

    def go_on(self, upload_id: UUID) -> None:
        """Carry what is staged but not stored, and finish what has all its bytes; not while it is being written to.

        Raises StoreError, Damaged.
        """
        try:
            with self._arrivals.writing(upload_id, wait=0) as writer:
                upload = self._rows.get(upload_id)
                if upload.file_id is not None:
                    return
                self._arrivals.send_complete(upload)
                if upload.offset == upload.length and not self.in_transit(upload_id):
                    self._arrivals.finish(upload, writer, UPKEEP_WAIT)
                    self._transfers.close_upload(upload_id, stored=True)
        except (Busy, NotFound, Gone, Conflict, OverQuota, AtCapacity):
            return  # its client is there, or it has ended, or it needs time or room: the next round looks again

    def give_up(self, upload_id: UUID) -> None:
        """Abandon whoever's upload it is. Raises Busy while a part is arriving."""
        self._arrivals.give_up(upload_id)
        self._transfers.close_upload(upload_id, stored=False)

    def in_transit(self, upload_id: UUID) -> bool:
        """Whether a message of this upload may be about to appear in the store."""
        return self._arrivals.in_transit(upload_id)

    def free_leftovers(self) -> None:
        """Free what staging holds for uploads that are over or unknown: a crash came between the two."""
        self._arrivals.free_leftovers()

    def make_room(self) -> None:
        """Take back what uploads that rest hold in staging, when it is more than half full."""
        self._arrivals.make_room()

    def close(self) -> None:
        self._arrivals.close()


def _subject(user: User, upload: Upload) -> Subject:
    return Subject("upload", user, upload.id, None, upload.name, upload.length)


def _acknowledged(upload: Upload) -> Upload:
    if upload.file_id is None and upload.offset == upload.length > 0:
        return changed(upload, offset=upload.length - 1)
    return upload
