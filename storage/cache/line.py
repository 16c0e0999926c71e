"""One stream's way to the inner store. It must never know what is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from model import Locator
from storage.base import ChunkClient, ChunkStore, Read
from storage.cache.index import Place


class Line:
    """Opens its client for the first fetch, so that a stream that only hits takes no share of the inner store's window.
    Closes it when the stream is done and so is every fetch, some of which another stream may be waiting for."""

    def __init__(self, inner: ChunkStore) -> None:
        self._inner = inner
        self._lock = threading.Lock()  # the last one out closes the client, be it the stream or a fetch
        self._client: ChunkClient | None = None
        self._expected: Iterable[Locator] = ()
        self._fetches = 0
        self._released = False

    def __repr__(self) -> str:
        return f"<Line fetches {self._fetches}{' released' if self._released else ''}>"

    @property
    def window(self) -> int | None:
        """The client's; None while there is none."""
        client = self._client
        return None if client is None else client.window

    def expect(self, locators: Iterable[Locator]) -> None:
        """For the client, when there is one."""
        self._expected = locators

    def read(self, place: Place, attempt: int) -> Read:
        with self._lock:
            self._fetches += 1
            if self._client is None:  # released or not: somebody may have joined who still wants it
                self._client = self._inner.client()
                self._client.expect(self._expected)
            client = self._client
        future = client.read(place.locator, place.span, attempt=attempt)
        future.add_done_callback(self._ended)
        return future

    def release(self) -> None:
        """The stream needs it no more. May be repeated."""
        self._leave(released=True)

    def _ended(self, _: Future[bytes]) -> None:
        with self._lock:
            self._fetches -= 1
        self._leave()

    def _leave(self, *, released: bool = False) -> None:
        with self._lock:
            self._released |= released
            if not self._released or self._fetches:
                return
            client, self._client = self._client, None
        if client is not None:
            client.close()
