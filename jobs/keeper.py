"""The threads that do the gateway's upkeep in rounds. They know when; the gateway knows what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from errors import StowgramError, Transient
from gateway import Gateway

log = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE = 30.0
"""Seconds that a task rests after it failed, unless the store named a time."""


class Keeper:
    """Does each task again and again, with a rest in between. A thread for each: some take seconds, one takes hours."""

    def __init__(self, gateway: Gateway) -> None:
        self._stop = Event()
        upkeep = gateway.upkeep
        tasks: tuple[tuple[str, float, Callable[[], None]], ...] = (
            ("watch transfers", 1.0, upkeep.watch_transfers),
            ("pass on events", 0.5, upkeep.pass_on_events),
            ("note damage", 1.0, upkeep.note_damage),
            ("keep totals", 10.0, upkeep.keep_totals),
            ("go on with uploads", 3.0, upkeep.go_on_with_uploads),
            ("make room", 5.0, upkeep.make_room),
            ("empty the bin", 5.0, upkeep.empty_bin),
            ("empty the trash", 5.0, upkeep.empty_trash),
            ("settle intents", 10.0, upkeep.settle_intents),
            ("keep uses", 30.0, upkeep.keep_uses),
            ("expire", 60.0, upkeep.expire),
            ("tidy prepared ZIPs", 60.0, upkeep.tidy_prepared),
            ("look outside", 60.0, upkeep.look_outside),
            ("check the database", 3600.0, lambda: upkeep.check_database(self._stop.is_set)),
            ("complete digests", 15.0, lambda: upkeep.complete_digests(self._stop.is_set)),
        )
        self._threads = [
            Thread(target=self._rounds, args=task, name=f"keeper: {task[0]}", daemon=True) for task in tasks
        ]

    def __repr__(self) -> str:
        return f"<Keeper {'stopped' if self._stop.is_set() else 'running'}>"

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """Begin no round any more; wait up to `seconds` in all for those that run. The store's end ends the rest."""
        self._stop.set()
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _rounds(self, name: str, rest: float, task: Callable[[], None]) -> None:
        """`rest` is in seconds."""
        while not self._stop.is_set():
            self._stop.wait(self._do(name, rest, task))

    @staticmethod
    def _do(name: str, rest: float, task: Callable[[], None]) -> float:
        """One round; the seconds to rest after it."""
        try:
            task()
        except Transient as error:
            log.warning("%s: %s", name, error)
            return max(rest, error.retry_after)
        except StowgramError as error:
            log.warning("%s: %s", name, error)
            return PAUSE_AFTER_FAILURE
        except Exception:
            log.exception("%s failed", name)
            return PAUSE_AFTER_FAILURE
        return rest
