"""The hallway: one short method per verb, composing the rooms. Knows no Flask, no Telethon, no SQL.

access/      who may come in, and how guessing is slowed down    tree/        names, the bin, pictures made small
incoming/    bytes on their way in: uploads                      outgoing/    bytes on their way out: files, ZIPs
moving/      transfers: places, rates, totals                    sharing/     links for others, and who comes by them
background/  jobs: ZIPs made ahead, letters                      happening/   events, and who hears of them
control      what is done with transfers                         upkeep       what is done while nobody asks
"""

from __future__ import annotations

import logging
from pathlib import Path

from db import Database
from errors import StowgramError
from gateway.access.answers import Answers
from gateway.access.passwords import Passwords
from gateway.access.people import People
from gateway.access.sessions import Sessions
from gateway.background.jobs import Jobs
from gateway.background.letters import Letters, Post
from gateway.background.outside import Outside
from gateway.background.prepared import Prepared
from gateway.background.zipping import Zipping
from gateway.background.zips import KIND, Zips
from gateway.control import Control
from gateway.happening.events import Events
from gateway.happening.oversight import Oversight
from gateway.health import Health, Watch
from gateway.incoming.uploads import Uploads
from gateway.limits import Limits
from gateway.moving.admission import Admission
from gateway.moving.queue import Queue
from gateway.moving.totals import Tallies, Totals
from gateway.moving.transfers import Transfers
from gateway.outgoing.archives import Archives
from gateway.outgoing.downloads import Downloads
from gateway.sharing.shares import Shares
from gateway.sharing.visits import Visits
from gateway.tree.bin import Bin
from gateway.tree.files import Files
from gateway.tree.thumbnails import Thumbnails
from gateway.upkeep import Upkeep
from storage.base import ChunkStore
from storage.objects.base import ObjectStore
from streaming.shelf import Shelf
from streaming.staging import Staging

__all__ = ["Gateway", "Health", "Limits", "Post"]

log = logging.getLogger(__name__)


class Gateway:
    """Everything Stowgram does, by noun. Made once by `cli`, shared by all threads; `close()` ends its own threads."""

    def __init__(
        self,
        database: Database,
        store: ChunkStore,
        staging: Staging,
        data_dir: Path,
        limits: Limits,
        *,
        objects: ObjectStore | None = None,
        post: Post | None = None,
    ) -> None:
        """`data_dir` takes what can be made again, `objects` what was prepared, if there are any, `post` letters."""
        passwords, answers = Passwords(), Answers()
        self.people = People(database, passwords, answers)
        self.sessions = Sessions(database)
        self.files = Files(database)
        self.bin = Bin(database, limits.bin_days)
        self.events = Events(database)
        self.oversight = Oversight(database)
        tallies = Tallies()
        self.totals = Totals(database, tallies)
        self._admission = Admission(limits.downloads, limits.downloads_per_user)
        self.transfers = Transfers(self._admission, tallies, limits.connections_per_download)
        self.archives = Archives(database)
        self.downloads = Downloads(database, store, limits, self.transfers)
        self.thumbnails = Thumbnails(database, store, data_dir / "thumbnails", self.downloads.note_damage)
        self.shares = Shares(database, passwords, self.transfers)
        self.visits = Visits(database, passwords, answers, self.archives, self.downloads)
        self.jobs = Jobs(database)
        zips = Zips(database, self.archives, Shelf(data_dir / "prepared"), Outside(objects, database), limits)
        letters = Letters(database, self.jobs, self.people, post)
        self.jobs.know("letter", letters)
        self.jobs.know(KIND, Zipping(store, zips, letters, limits, self.downloads.note_damage))
        self.prepared = Prepared(database, self.archives, self.jobs, zips, letters, limits)
        chunk_size = min(limits.chunk_size, store.max_chunk_size)
        self.uploads = Uploads(database, store, staging, self.transfers, chunk_size=chunk_size)
        self.queue = Queue(self.transfers, self._admission)
        self.control = Control(self.transfers, self.uploads)
        self.upkeep = self._upkeep(database, store)
        self._watch = Watch(database, store, self.jobs)

    def _upkeep(self, database: Database, store: ChunkStore) -> Upkeep:
        return Upkeep(
            database,
            store,
            self.people,
            self.sessions,
            self.bin,
            self.events,
            self.uploads,
            self.archives,
            self.prepared,
            self.thumbnails,
            self.visits,
            self.downloads,
            self.transfers,
            self.totals,
        )

    def health(self) -> Health:
        """How we are, or were a moment ago, within about 4 s."""
        return self._watch.health()

    def wind_down(self) -> None:
        """Begin no more downloads; those that run go on. For signal handlers, too: it takes no lock."""
        self._admission.close()
        self.events.wind_down()

    def close(self) -> None:
        """Stop the threads that carry chunks; what they held stays staged and goes on at the next start."""
        self.uploads.close()
        self.thumbnails.close()
        self.upkeep.keep_uses()
        self.transfers.close()
        try:
            self.totals.keep()
        except StowgramError as error:
            log.warning("the last totals were not written: %s", error)
