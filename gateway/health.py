"""How the database, the store and the workers are: looked at when somebody asks, by one for all, and not too often.

Anybody may ask, so it reads a row and no more: damage is looked for by upkeep, and told of here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from db import Database
from errors import DatabaseUnavailable
from gateway.background.jobs import Jobs
from storage.base import AccountHealth, ChunkStore

LIFE = 2.0
"""Seconds that a look is good for."""


@dataclass(frozen=True, slots=True)
class Health:
    """`database`, `telegram` and `jobs` are `ok` or a sentence for the operator; the rest is the store's."""

    database: str
    telegram: str
    jobs: str
    mode: str
    counted: Mapping[str, int]
    held: Mapping[str, int]
    accounts: tuple[AccountHealth, ...]

    @property
    def ready(self) -> bool:
        """Whether files can be had, which they can without jobs."""
        return self.database == self.telegram == "ok"


class Watch:
    def __init__(self, database: Database, store: ChunkStore, jobs: Jobs) -> None:
        self._database = database
        self._store = store
        self._jobs = jobs
        self._looking = Lock()  # anybody may ask: one looks, the others hear what was seen last
        self._seen: Health | None = None
        self._look_again_at = 0.0

    def health(self) -> Health:
        """As it is, or was a moment ago."""
        if monotonic() >= self._look_again_at and self._looking.acquire(blocking=self._seen is None):
            try:
                self._seen = self._look()
                self._look_again_at = monotonic() + LIFE
            finally:
                self._looking.release()
        assert self._seen is not None
        return self._seen

    def _look(self) -> Health:
        try:
            self._database.look()
            database = "ok"
        except DatabaseUnavailable as error:
            database = str(error)
        store = self._store.health()
        telegram = "ok" if store.ok else store.detail
        jobs = self._jobs.trouble or "ok"
        return Health(database, telegram, jobs, store.mode, store.counted, store.held, store.accounts)
