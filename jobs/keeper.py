"""One thread that does the gateway's upkeep in rounds. It knows when; the gateway knows what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from errors import StowgramError, Transient
from gateway import Gateway

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at what is due."""
PAUSE_AFTER_FAILURE = 30.0
"""Seconds that a task rests after it failed, unless the store named a time."""


class Keeper:
    """Runs each task when it is due, one at a time. `stop()` waits a few seconds for the one that runs."""

    def __init__(self, gateway: Gateway, *, tick: float = TICK) -> None:
        self._stop = Event()
        self._tick = tick
        upkeep = gateway.upkeep
        self._tasks: dict[str, tuple[float, Callable[[], None]]] = {
            "note damage": (1.0, upkeep.note_damage),
            "go on with uploads": (3.0, upkeep.go_on_with_uploads),
            "empty the trash": (5.0, upkeep.empty_trash),
            "settle intents": (10.0, upkeep.settle_intents),
            "expire": (60.0, upkeep.expire),
            "complete digests": (15.0, lambda: upkeep.complete_digests(self._stop.is_set)),
        }
        self._due = dict.fromkeys(self._tasks, 0.0)
        self._thread = Thread(target=self._run, name="keeper", daemon=True)

    def __repr__(self) -> str:
        return f"<Keeper {'stopped' if self._stop.is_set() else 'running'}>"

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            for name, (every, task) in self._tasks.items():
                if self._stop.is_set():
                    return
                if monotonic() >= self._due[name]:
                    self._due[name] = monotonic() + self._do(name, task, every)
            self._stop.wait(self._tick)

    def _do(self, name: str, task: Callable[[], None], every: float) -> float:
        """Do it; the seconds until it is due again."""
        try:
            task()
        except Transient as error:
            log.warning("%s: %s", name, error)
            return max(every, error.retry_after)
        except StowgramError as error:
            log.warning("%s: %s", name, error)
            return PAUSE_AFTER_FAILURE
        except Exception:
            log.exception("%s failed", name)
            return PAUSE_AFTER_FAILURE
        return every
