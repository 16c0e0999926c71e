"""How much each file was fetched and each user moved, for good. Collected in memory, written a batch at a time.

What was not written yet is lost with a crash: at most the few seconds between two rounds of upkeep.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

from db import Database
from db.happening.totals import Totals as Rows
from errors import StowgramError
from gateway.moving.transfer import Subject
from model import Totals as Sums

Batch = tuple[dict[int, Sums], dict[int, Sums]]
"""By file and by user."""


class Tallies:
    """What was moved since the last batch. Streams lead here, so it knows no database. The lock: many threads count."""

    def __init__(self) -> None:
        self._files: defaultdict[int, Sums] = defaultdict(Sums)
        self._users: defaultdict[int, Sums] = defaultdict(Sums)
        self._lock = Lock()

    def add(self, subject: Subject, *, moved: int = 0, ended: int = 0) -> None:
        """So many bytes of it were moved, and so many of its transfers ended."""
        if subject.direction == "upload":
            self.give_back(({}, {subject.user.id: Sums(uploads=ended, bytes_received=moved)}))
        else:  # a folder's files are not counted one by one
            fetched = {} if subject.file_id is None else {subject.file_id: Sums(ended, moved)}
            self.give_back((fetched, {subject.user.id: Sums(ended, moved)}))

    def take(self) -> Batch:
        """All of it, which is then no longer here."""
        with self._lock:
            batch = dict(self._files), dict(self._users)
            self._files.clear()
            self._users.clear()
        return batch

    def give_back(self, batch: Batch) -> None:
        files, users = batch
        with self._lock:
            for file_id, some in files.items():
                self._files[file_id] += some
            for user_id, more in users.items():
                self._users[user_id] += more

    def of_file(self, file_id: int) -> Sums:
        return self._files.get(file_id, Sums())

    def of_user(self, user_id: int) -> Sums:
        return self._users.get(user_id, Sums())


class Totals:
    """Of all time: what is in the database, and what is not yet. While a batch is being written, sums lack it."""

    def __init__(self, database: Database, tallies: Tallies) -> None:
        self._rows = Rows(database)
        self._tallies = tallies

    def of_file(self, file_id: int) -> Sums:
        return self._rows.of_file(file_id) + self._tallies.of_file(file_id)

    def of_user(self, user_id: int) -> Sums:
        return self._rows.of_user(user_id) + self._tallies.of_user(user_id)

    def keep(self) -> None:
        """Write down what was collected. Raises what the database raises; nothing is lost then."""
        batch = self._tallies.take()
        if not batch[1]:
            return
        try:
            self._rows.add(*batch)
        except StowgramError:
            self._tallies.give_back(batch)
            raise
