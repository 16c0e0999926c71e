"""Where the bytes of a message are, as one account may ask for them: access hash, file reference, data centre.

These expire and belong to one account, so they live here and nowhere else (core.telegram.org/api/file_reference).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from telethon.tl import types

from errors import ChunkMissing, StoreError
from model import Locator

MOST_KEPT = 20_000
"""Documents remembered per account: about 300 bytes each."""
BATCH = 100
"""Ids in one channels.getMessages (core.telegram.org/method/channels.getMessages)."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as one account sees it; `size` in bytes."""

    dc: int
    size: int
    id: int
    access_hash: int = field(repr=False)
    file_reference: bytes = field(repr=False)

    @property
    def location(self) -> Any:
        """The InputFileLocation for upload.getFile."""
        return types.InputDocumentFileLocation(self.id, self.access_hash, self.file_reference, thumb_size="")


GetMessages = Callable[[int, list[int]], Awaitable[list[Any]]]
"""`get_messages(channel, ids)` gives Telegram's messages for up to BATCH ids, in order; raises StoreError."""


class Documents:
    """Looks up messages, many in one call, and remembers what it saw; bounded, least recently used go first."""

    def __init__(self, get_messages: GetMessages) -> None:
        self._get_messages = get_messages
        self._known: OrderedDict[Locator, Document] = OrderedDict()
        self._asked: dict[Locator, asyncio.Future[Document]] = {}
        self._queue: list[Locator] = []
        self._fetches: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Documents {len(self._known)} known, {len(self._asked)} asked for>"

    async def get(self, locator: Locator) -> Document:
        """Raises ChunkMissing when the message is gone or holds no document, else a StoreError of the call."""
        known = self._known.get(locator)
        if known is not None:
            self._known.move_to_end(locator)
            return known
        if locator not in self._asked:
            self._promise(locator)
            self._queue.append(locator)
            if len(self._queue) == 1:  # whoever asks in this turn of the loop goes into the same call
                self._begin(self._fetch_queue())
        # One reader that gives up must not take the answer from the others.
        return await asyncio.shield(self._asked[locator])

    def foresee(self, locators: Iterable[Locator]) -> None:
        """Look up what is not known yet, in calls of their own; whoever needs one of them meanwhile waits for it.

        Each once: files of equal contents share their messages, and a folder's ZIP names them for every file.
        """
        wanted = [one for one in dict.fromkeys(locators) if one not in self._known and one not in self._asked]
        for locator in wanted:
            self._promise(locator)
        if wanted:
            self._begin(self._fetch_behind(wanted))

    async def missing(self, locators: Iterable[Locator]) -> frozenset[Locator]:
        """Those whose message is gone or holds no document, looked up anew. Raises a StoreError of the call."""
        wanted = list(dict.fromkeys(locators))
        for locator in wanted:
            self.forget(locator)
        self.foresee(wanted)
        gone = set()
        for locator, answer in zip(
            wanted, await asyncio.gather(*map(self.get, wanted), return_exceptions=True), strict=True
        ):
            if isinstance(answer, ChunkMissing):
                gone.add(locator)
            elif isinstance(answer, BaseException):
                raise answer
        return frozenset(gone)

    def keep(self, locator: Locator, document: Document) -> None:
        self._known[locator] = document
        self._known.move_to_end(locator)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    def forget(self, locator: Locator, stale: Document | None = None) -> None:
        """Look it up again next time; with `stale`, only if that is what is known: another may have refreshed it."""
        if stale is None or self._known.get(locator) == stale:
            self._known.pop(locator, None)

    def move(self, locator: Locator, document: Document, dc: int) -> None:
        """Remember that `document` is in another data centre than it said."""
        self.keep(locator, replace(document, dc=dc))

    def _promise(self, locator: Locator) -> None:
        asked = self._asked[locator] = asyncio.get_running_loop().create_future()
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _begin(self, fetch: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(fetch)
        self._fetches.add(task)  # a loop does not keep its tasks alive
        task.add_done_callback(self._fetches.discard)

    async def _fetch_queue(self) -> None:
        await asyncio.sleep(0)
        queue, self._queue = self._queue, []
        await self._fetch_all(queue)

    async def _fetch_behind(self, locators: list[Locator]) -> None:
        if self._queue:  # whoever reads needs one message now: its call goes first, in this turn of the loop
            await asyncio.sleep(0)
        await self._fetch_all(locators)

    async def _fetch_all(self, locators: list[Locator]) -> None:
        for channel in {locator.channel for locator in locators}:
            wanted = [locator for locator in locators if locator.channel == channel]
            for at in range(0, len(wanted), BATCH):
                await self._fetch(channel, wanted[at : at + BATCH])

    async def _fetch(self, channel: int, wanted: list[Locator]) -> None:
        failure: BaseException | None = None
        found: dict[int, Any] = {}
        try:
            messages = await self._get_messages(channel, [locator.message for locator in wanted])
            found = {message.id: message for message in messages}
        except (StoreError, asyncio.CancelledError) as error:
            failure = error
        for locator in wanted:
            document = document_of(found.get(locator.message))
            if document is not None:
                self.keep(locator, document)
            self._answer(locator, document, failure)
        if isinstance(failure, asyncio.CancelledError):
            raise failure

    def _answer(self, locator: Locator, document: Document | None, failure: BaseException | None) -> None:
        asked = self._asked.pop(locator)
        if asked.done():
            return
        if document is not None:
            asked.set_result(document)
        elif isinstance(failure, StoreError):
            asked.set_exception(failure)
        elif failure is not None:
            asked.cancel()
        else:
            asked.set_exception(ChunkMissing(f"Message {locator.message} is gone from the channel."))


def document_of(message: Any) -> Document | None:
    """The document that a message of Telegram's carries, or None."""
    media = getattr(message, "media", None)
    document = getattr(media, "document", None)
    if not isinstance(document, types.Document):
        return None
    return Document(document.dc_id, document.size, document.id, document.access_hash, document.file_reference)


def name_of(message: Any) -> str:
    """The file name of the document that a message carries; empty without one."""
    document = getattr(getattr(message, "media", None), "document", None)
    attributes = getattr(document, "attributes", None) or ()
    return next((a.file_name for a in attributes if isinstance(a, types.DocumentAttributeFilename)), "")
