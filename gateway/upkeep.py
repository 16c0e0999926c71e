"""What is done while nobody asks: each verb is one small round, safe to repeat and to interrupt. `jobs/` calls them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from db import Database
from db.incoming.uploads import Uploads as Rows
from db.stored.contents import Contents
from db.stored.trash import Trash
from db.tree.damage import Damage
from errors import Busy, ChunkMissing, ClientGone, Damaged, NotFound, Permanent, StoreError
from gateway.access.people import People
from gateway.access.sessions import Sessions
from gateway.background.prepared import Prepared
from gateway.happening.events import Events
from gateway.incoming.uploads import Uploads
from gateway.moving.totals import Totals
from gateway.moving.transfers import Transfers
from gateway.outgoing.archives import Archives
from gateway.outgoing.downloads import Downloads
from gateway.sharing.visits import Visits
from gateway.tree.bin import Bin
from gateway.tree.thumbnails import Thumbnails
from model import PIECE_SIZE, ByteRange, Locator, StoredFile
from storage.base import ChunkStore
from streaming.plan import plan
from streaming.read import DamageReport, VerifiedStream

log = logging.getLogger(__name__)

TRASH_BATCH = 100
"""Messages deleted by one call: the most that channels.deleteMessages takes."""
TOMBSTONES = timedelta(days=30)
"""How long a finished or abandoned upload is remembered, so that its client hears 410 and not 404."""


class Upkeep:
    def __init__(
        self,
        database: Database,
        store: ChunkStore,
        people: People,
        sessions: Sessions,
        bin: Bin,
        events: Events,
        uploads: Uploads,
        archives: Archives,
        prepared: Prepared,
        thumbnails: Thumbnails,
        visits: Visits,
        downloads: Downloads,
        transfers: Transfers,
        totals: Totals,
    ) -> None:
        self._database = database
        self._rows = Rows(database)
        self._contents = Contents(database)
        self._damage = Damage(database)
        self._people = people
        self._sessions = sessions
        self._bin = bin
        self._events = events
        self._trash = Trash(database)
        self._store = store
        self._uploads = uploads
        self._archives = archives
        self._prepared = prepared
        self._thumbnails = thumbnails
        self._visits = visits
        self._downloads = downloads
        self._transfers = transfers
        self._totals = totals

    def watch_transfers(self) -> None:
        """End transfers that nobody came back to, and note how fast the others are; once a second."""
        self._transfers.look()

    def pass_on_events(self) -> None:
        """Tell those who follow what happened; twice a second."""
        self._events.pass_on()

    def keep_totals(self) -> None:
        """Write down what was moved since the last round."""
        self._totals.keep()

    def keep_uses(self) -> None:
        """Write down when tokens, sessions and shares were used last."""
        self._people.keep_uses()
        self._sessions.keep_uses()
        self._visits.keep_uses()

    def note_damage(self) -> None:
        """Write down what downloads found damaged, for the listings."""
        for report in self._downloads.damage():
            self._write_down(report)

    def check_database(self, stop: Callable[[], bool]) -> None:
        """Look for damage in the database, until `stop` says so. Raises DatabaseDamaged, which `health` tells of."""
        self._database.check(stop=stop)

    def go_on_with_uploads(self) -> None:
        """Carry what is staged and finish what has all its bytes. Raises, in the end, what one of them met."""
        failure: StoreError | None = None
        for upload in self._rows.unfinished():
            try:
                self._uploads.go_on(upload.id)
            except Damaged as error:
                log.warning("upload %s: %s", upload.id, error)
            except StoreError as error:  # of this one, perhaps: those behind it have their turn
                failure = error
        if failure is not None:
            raise failure

    def look_outside(self) -> None:
        """See whether object storage works."""
        self._prepared.look_outside()

    def expire(self) -> None:
        """Give up uploads past their time, free what staging holds for none, forget old secrets, events, archives.

        None of it waits for anything outside.
        """
        now = datetime.now(UTC)
        self._people.forget_expired()
        self._sessions.forget_expired()
        self._events.forget_old()
        for upload_id in self._rows.expired(now):
            try:
                self._uploads.give_up(upload_id)
                log.info("upload %s has expired", upload_id)
            except Busy:
                continue
        self._uploads.free_leftovers()
        self._archives.forget_old()
        self._thumbnails.rest()
        self._visits.forget_old()
        self._rows.forget_old(now - TOMBSTONES)

    def tidy_prepared(self) -> None:
        """Throw away prepared ZIPs that are of no use any more, here and in object storage."""
        self._prepared.tidy()

    def make_room(self) -> None:
        """Take back what uploads that rest hold in staging, when others need it."""
        self._uploads.make_room()

    def settle_intents(self) -> None:
        """Find the messages that uploads now over may have left unrecorded, and put them in the trash."""
        for upload_id, label, after in self._rows.orphan_intents(TRASH_BATCH):
            if self._uploads.in_transit(upload_id):
                continue
            locator = self._store.find(label, after)
            if locator is not None:
                self._trash.add([locator])
            self._rows.drop_intent(label)

    def empty_bin(self) -> None:
        """Clear away what was deleted for good, or long enough ago."""
        self._bin.empty()

    def empty_trash(self) -> None:
        """Delete the messages in the trash, a batch at a time. One that cannot be deleted stays, and holds up no other.

        Raises Transient, and in the end a Permanent that one of them met.
        """
        failure: Permanent | None = None
        last = 0
        while batch := self._trash.batch(TRASH_BATCH, after=last):
            last = batch[-1][0]
            try:
                self._delete(batch)
            except Permanent:
                for one in batch:
                    try:
                        self._delete((one,))
                    except Permanent as error:
                        failure = error
        if failure is not None:
            raise failure

    def _delete(self, batch: Sequence[tuple[int, Locator]]) -> None:
        self._store.delete([locator for _, locator in batch])
        self._trash.forget([row for row, _ in batch])

    def complete_digests(self, stop: Callable[[], bool]) -> None:
        """Make the SHA-256 of files whose upload a restart interrupted, by reading them, until `stop` says so.

        What turns out damaged is written down, and not read again. Raises StoreError when the store fails.
        """
        for content_id in self._contents.without_sha256(limit=10):
            try:
                stored = self._contents.stored_file(content_id)
                self._contents.set_sha256(content_id, self._sha256(stored, stop))
            except (Damaged, ChunkMissing, NotFound) as error:
                log.warning("the SHA-256 of contents %d could not be made: %s", content_id, error)
            except ClientGone:
                return

    def _sha256(self, stored: StoredFile, stop: Callable[[], bool]) -> bytes:
        whole = hashlib.sha256()
        stream = VerifiedStream(
            plan(stored, ByteRange(0, stored.size)),
            self._store,
            yield_size=PIECE_SIZE,
            gone=stop,
            report=self._write_down,
        )
        try:
            for block in stream:
                whole.update(block)
        finally:
            stream.close()
        return whole.digest()

    def _write_down(self, report: DamageReport) -> None:
        log.error(
            "file %s is damaged: chunk %d, piece %d: %s",
            report.file,
            report.chunk,
            report.piece,
            report.reason,
        )
        self._damage.mark(report.file, datetime.now(UTC))
