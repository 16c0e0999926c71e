"""Putting a chunk: its parts in parallel, then one message that carries its label, posted exactly once."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from telethon.tl import functions, types

from errors import ChunkMissing, Permanent, StoreError, Transient
from model import ByteRange, Label, Locator
from storage.base import Source
from storage.telegram import captions
from storage.telegram.account import Account
from storage.telegram.documents import document_of
from storage.telegram.errors import AlreadyPosted, ConnectionLost, Flooded, NoAccess, PartsLost, SignedOut
from storage.telegram.finder import Finder, number_in
from storage.telegram.lane import Lane
from storage.telegram.pool import Pool

PART_SIZE = 512 << 10
"""The largest part there is, and one that every file may use (core.telegram.org/api/files#uploading-files)."""
BIG_FILE = 10 << 20
"""Above this many bytes parts go by saveBigFilePart."""
PARTS_IN_FLIGHT = 16
TRIES = 6
PAUSE = 0.1
"""Seconds before a failed part or message is sent again."""
GENERATIONS = 8
"""Deleted messages that one label may have had."""
LABELS_KEPT = 4096
"""Labels whose outcome is remembered, for repeats within the life of the process."""
SOURCE_THREADS = 4

_log = logging.getLogger(__name__)


class Writer:
    """On the loop thread only. Sources are read on threads of its own: they block on disks."""

    def __init__(self, pool: Pool, finder: Finder) -> None:
        self._pool = pool
        self._finder = finder
        self._threads = ThreadPoolExecutor(SOURCE_THREADS, "telegram-source")
        self._outcomes: OrderedDict[Label, Locator | int] = OrderedDict()
        """A number: the label was sent without an answer, when that was the newest message of ours."""
        self._turns: WeakValueDictionary[Label, asyncio.Lock] = WeakValueDictionary()
        """Equal labels take turns: the second finds what the first has posted."""
        self._newest = 0

    async def put(self, label: Label, source: Source, after: Locator | None) -> Locator:
        """The message with `label`, new or found behind `after`. Raises a StoreError, or what `source` raises."""
        turn = self._turns.setdefault(label, asyncio.Lock())
        async with turn:
            return await self._put(label, source, after)

    async def _put(self, label: Label, source: Source, after: Locator | None) -> Locator:
        for attempt in range(1, TRIES + 1):
            known = await self._known(label)
            if known is not None:
                return known
            account = await self._chosen(label)
            try:
                media = await self._upload(account, label, source)
                return await self._post(account, label, media, after)
            except (PartsLost, ConnectionLost, Flooded, SignedOut, NoAccess) as error:
                if attempt == TRIES:
                    raise
                _log.info("Putting chunk %d of %s again: %s", label.index, label.file, error)
                self._pool.statistics.retries += 1
        raise AssertionError("the last attempt either returns or raises")

    def forget(self, locators: frozenset[Locator]) -> None:
        """Deleted messages must not be taken for outcomes."""
        for label in [label for label, outcome in self._outcomes.items() if outcome in locators]:
            del self._outcomes[label]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _known(self, label: Label) -> Locator | None:
        """The message of an earlier put of this process, looked for if its answer was lost; None to post (again)."""
        outcome = self._outcomes.get(label)
        if outcome is None:
            return None
        account = await self._pool.choose(functions.channels.GetMessagesRequest, self._deadline())
        if isinstance(outcome, int):
            assert account.home_channel is not None
            found = await self._finder.find(label, account.home_channel.id, outcome)
            return None if found is None else self._remember(label, found)
        account.documents.forget(outcome)
        try:
            await account.document(outcome)
        except ChunkMissing:
            del self._outcomes[label]
            return None
        return outcome

    async def _chosen(self, label: Label) -> Account:
        """The account a label belongs to, while it is able: Telegram knows a used random_id per account."""
        first = captions.random_id(label) % len(self._pool.accounts)
        return await self._pool.choose(functions.messages.SendMediaRequest, self._deadline(), first)

    async def _post(self, account: Account, label: Label, media: Any, after: Locator | None) -> Locator:
        """Post the message once. Raises a StoreError; if it may have been posted all the same, that is remembered."""
        channel, generation, deadline = account.home_channel, 0, self._deadline()
        if channel is None:  # the session was lost while the parts travelled
            raise ConnectionLost("The account has to sign in again.", 1.0)
        is_first = label not in self._outcomes
        self._newest = max(self._newest, older := number_in(channel.id, after))
        while True:
            random_id = captions.random_id(label, generation)
            request = functions.messages.SendMediaRequest(
                peer=channel.peer, media=media, message=captions.encode(label), random_id=random_id
            )
            sent_after = self._outcomes.setdefault(label, self._newest)
            assert isinstance(sent_after, int)
            try:
                answer = await account.ask_at(channel, request, deadline, once=True)
                if (locator := self._posted(account, answer, random_id)) is not None:
                    return self._remember(label, locator)
                found = await self._finder.find(label, channel.id, sent_after, nearby=True)
            except AlreadyPosted:  # perhaps by an earlier process
                found = await self._finder.find(label, channel.id, older)
                generation += 1  # if nothing was found: that message was deleted, and its id is used up
                if generation > GENERATIONS:
                    raise
            except (PartsLost, Flooded, Permanent) as error:
                if is_first:
                    del self._outcomes[label]  # refused, so it is not there
                if not isinstance(error, Flooded):
                    raise
                await account.sit_out(functions.messages.SendMediaRequest, deadline)
                found = None
            except Transient as error:
                _log.info("The answer to a message was lost; looking for the message. %s", error)
                is_first = False
                await asyncio.sleep(PAUSE)
                found = await self._finder.find(label, channel.id, sent_after, nearby=True)
                if found is None:
                    self._refuse_after(deadline, error)
            if found is not None:
                return self._remember(label, found)

    def _posted(self, account: Account, answer: Any, random_id: int) -> Locator | None:
        """The locator in the updates that answer sendMedia; the document in them is remembered for the first reads."""
        updates = getattr(answer, "updates", None) or ()
        numbers = [u.id for u in updates if isinstance(u, types.UpdateMessageID) and u.random_id == random_id]
        if not numbers or account.home_channel is None:
            return None
        locator = Locator(account.home_channel.id, numbers[0])
        for update in updates:
            message = getattr(update, "message", None)
            if getattr(message, "id", None) == locator.message:
                document = document_of(message)
                if document is not None:
                    account.documents.keep(locator, document)
        return locator

    async def _upload(self, account: Account, label: Label, source: Source) -> Any:
        """Send all parts; gives the InputMedia to post. Raises a StoreError, or what `source` raises."""
        parts = -(-label.size // PART_SIZE)
        file_id, name = secrets.randbits(63), captions.file_name(label)
        numbers = iter(range(parts))
        workers = [
            asyncio.ensure_future(self._send_parts(account, label.size, source, file_id, numbers))
            for _ in range(min(parts, PARTS_IN_FLIGHT))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        if label.size > BIG_FILE:
            file = types.InputFileBig(file_id, parts, name)
        else:
            file = types.InputFile(file_id, parts, name, md5_checksum="")
        return types.InputMediaUploadedDocument(
            file=file,
            mime_type="application/octet-stream",
            attributes=[types.DocumentAttributeFilename(name)],
            force_file=True,
        )

    async def _send_parts(
        self, account: Account, size: int, source: Source, file_id: int, numbers: Iterator[int]
    ) -> None:
        """Send parts until `numbers`, which the workers of one upload share, are used up."""
        total = -(-size // PART_SIZE)
        for number in numbers:
            span = ByteRange(number * PART_SIZE, min((number + 1) * PART_SIZE, size))

            def request(body: bytes, number: int = number) -> Any:
                if size > BIG_FILE:
                    return functions.upload.SaveBigFilePartRequest(file_id, number, total, body)
                return functions.upload.SaveFilePartRequest(file_id, number, body)

            await self._send_part(account, file_id, span, source, request)
            self._pool.statistics.bytes_written += span.length

    async def _send_part(
        self, account: Account, stream: int, span: ByteRange, source: Source, request: Callable[[bytes], Any]
    ) -> None:
        """Send one part of the put called `stream`, over other lanes and after short waits where need be.

        A part may be sent twice.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pool.timing.read
        avoid: Lane | None = None
        pause = PAUSE
        while True:
            await account.sit_out(functions.upload.SaveBigFilePartRequest, deadline)
            lane = account.traffic.home_lane(avoid)
            try:
                # Held only while under way: a flood wait for writers must not take the room of readers.
                async with self._pool.turn(account, stream, span.length):
                    body = await loop.run_in_executor(self._threads, source, span)
                    if len(body) != span.length:
                        raise ValueError(f"the source gave {len(body)} of {span.length} bytes")
                    if await account.traffic.ask(lane, request(body), span.length, deadline):
                        return
                raise PartsLost("Telegram did not take a part.", 1.0)
            except Flooded:
                pass
            except PartsLost:
                raise
            except Transient as error:
                self._refuse_after(deadline - pause, error)
                self._pool.statistics.retries += 1
                avoid = lane
                await asyncio.sleep(pause)
                pause *= 2

    def _remember(self, label: Label, locator: Locator) -> Locator:
        self._newest = max(self._newest, locator.message)
        self._outcomes[label] = locator
        self._outcomes.move_to_end(label)
        while len(self._outcomes) > LABELS_KEPT:
            self._outcomes.popitem(last=False)
        return locator

    def _refuse_after(self, deadline: float, error: StoreError) -> None:
        if asyncio.get_running_loop().time() >= deadline:
            raise error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._pool.timing.control
