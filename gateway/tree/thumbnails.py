"""Pictures made small, for albums: fetched through the gate, shrunk by an expendable process, kept on disk.

Stored bytes are hostile, so nothing here looks into them (imaging/), and what cannot be made small is not tried again
and again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock
from time import monotonic

from db import Contents, Database
from errors import AtCapacity, ClientGone, NotFound
from imaging.cache import Cache
from imaging.worker import Worker
from model import MIB, PIECE_SIZE, ByteRange, File
from storage.base import ChunkStore
from streaming.plan import plan
from streaming.read import DamageReport, VerifiedStream

EDGES = (320, 640, 1600)
"""Pixels of the longer side: tiles of an album, on a plain and on a fine screen, and a whole screen."""
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
MOST_BYTES = 64 * MIB
"""In a picture that is made small."""
CACHE_SIZE = 512 * MIB
"""Bytes of the disk that small pictures may take."""
WORKERS = 2
"""Pictures made at a time."""
LINE = 12
"""Requests for pictures that are not there yet; half of the threads that could begin a download."""
PATIENCE = 20.0
"""Seconds that a request waits in that line, and that a picture's bytes may take to come."""
KEPT_WARM = 60.0
"""Seconds after which a process without work is ended."""
HOPELESS, MOST_HOPELESS = 3600.0, 10_000
"""Seconds for which a picture that could not be made is not tried again, and how many of them are remembered."""


def small_picture(file: File) -> bool:
    """Whether it is worth asking for a small picture of the file."""
    kind = file.media_type.partition(";")[0].strip().lower()
    return kind in PICTURES and 0 < file.size <= MOST_BYTES and file.damaged_at is None


class Thumbnails:
    """One picture is made once for all who ask for it meanwhile."""

    def __init__(
        self, database: Database, store: ChunkStore, folder: Path, report: Callable[[DamageReport], None]
    ) -> None:
        self._contents = Contents(database)
        self._store = store
        self._report = report
        self._cache = Cache(folder, CACHE_SIZE)
        self._workers: LifoQueue[Worker] = LifoQueue()
        for _ in range(WORKERS):
            self._workers.put(Worker())
        self._line = BoundedSemaphore(LINE)
        self._lock = Lock()  # guards the two dicts
        self._making: dict[str, Future[bytes]] = {}
        self._hopeless: OrderedDict[str, float] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Thumbnails: {len(self._making)} being made, {self._cache!r}>"

    def of(self, file: File, edge: int) -> bytes:
        """WebP of at most `edge` pixels a side, one of EDGES.

        Raises NotFound when there can be none; AtCapacity; StoreError or Damaged when the picture cannot be had.
        """
        # By owner, too: whether somebody else keeps the same picture is not to be told by how soon it comes.
        key = f"{file.owner_id}-{file.tree.hex()}-{edge}"
        kept = self._cache.read(key)
        if kept is not None:
            return kept
        if not small_picture(file) or self._is_hopeless(key):
            raise _none()
        if not self._line.acquire(blocking=False):
            raise _busy()
        try:
            found = self._made_once(key, file, edge)
        finally:
            self._line.release()
        if not found:
            raise _none()
        return found

    def _made_once(self, key: str, file: File, edge: int) -> bytes:
        with self._lock:
            making = self._making.get(key)
            mine = making is None
            if making is None:
                making = self._making[key] = Future()
        if not mine:
            try:
                return making.result(2 * PATIENCE)
            except TimeoutError:
                raise _busy() from None
        try:
            found = self._made(file, edge)
            if found:
                self._cache.write(key, found)
            else:
                self._give_up(key)
            making.set_result(found)
            return found
        except BaseException as error:
            making.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]

    def _made(self, file: File, edge: int) -> bytes:
        try:
            worker = self._workers.get(timeout=PATIENCE)
        except Empty:
            raise _busy() from None
        deadline = monotonic() + PATIENCE
        whole = ByteRange(0, file.size)
        try:
            stream = VerifiedStream(
                plan(self._contents.part(file.content_id, whole), whole),
                self._store,
                yield_size=PIECE_SIZE,
                gone=lambda: monotonic() > deadline,
                report=self._report,
            )
            try:
                return worker.shrink(stream, file.size, edge)
            finally:
                stream.close()
        except ClientGone:  # our own deadline
            raise _busy() from None
        except OSError as error:
            raise AtCapacity(f"No process could be started to make pictures small: {error}.") from error
        finally:
            self._workers.put(worker)

    def _is_hopeless(self, key: str) -> bool:
        with self._lock:
            return self._hopeless.get(key, 0.0) > monotonic()

    def _give_up(self, key: str) -> None:
        with self._lock:
            self._hopeless.pop(key, None)
            self._hopeless[key] = monotonic() + HOPELESS
            while len(self._hopeless) > MOST_HOPELESS:
                self._hopeless.popitem(last=False)

    def rest(self) -> None:
        """End processes that have had nothing to do for a while."""
        self._with_those_idle(lambda worker: worker.rest(KEPT_WARM))

    def close(self) -> None:
        """End the processes that are idle; one at work ends with its request, or with us."""
        self._with_those_idle(Worker.close)

    def _with_those_idle(self, act: Callable[[Worker], None]) -> None:
        idle = []
        try:
            while True:
                idle.append(self._workers.get_nowait())
        except Empty:
            pass
        for worker in reversed(idle):
            act(worker)
            self._workers.put(worker)


def _none() -> NotFound:
    return NotFound("There is no small picture of this file.")


def _busy() -> AtCapacity:
    return AtCapacity("Many pictures are being made small. Try again in a moment.", retry_after=2.0)
