"""The bytes of one address, appended to a part file until all are there. It must never know what they mean.

A killed one leaves the part and a note of what it is part of; the next one goes on behind its last byte.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx

from client import notes
from client.api import Api, Unreachable
from errors import AtCapacity, Conflict, Damaged, Transient
from model import MIB

READ_SIZE = MIB
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
PART_ENDINGS = (".stowgram.part", ".stowgram.part.json")
"""What an unfinished file and its note are called behind the file's name; no file that is fetched ends so here."""
_LONGEST_STEM = 200
"""Bytes of a name beyond which the part's name, which is longer, would not fit into 255."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What `address` on a server gives for as long as its ETag is this one. `shown` is what people call it."""

    address: str
    etag: str
    size: int
    shown: str


class Taker(Protocol):
    """Sees the bytes in order as they are written; `taken` is how many it has seen."""

    taken: int

    def restart(self) -> None: ...

    def update(self, data: bytes) -> None: ...


class Tally:
    """A Taker that counts, and no more."""

    def __init__(self, taken: int) -> None:
        self.taken = taken

    def restart(self) -> None:
        self.taken = 0

    def update(self, data: bytes) -> None:
        self.taken += len(data)


@dataclass(frozen=True, slots=True)
class Part:
    """The unfinished copy of a file, and the note that says of what."""

    data: Path
    note: Path

    @classmethod
    def of(cls, local: Path) -> Part:
        stem = local.name
        if len(stem.encode("utf-8", "surrogateescape")) > _LONGEST_STEM:
            stem = hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()
        part, note = PART_ENDINGS
        return cls(local.with_name(stem + part), local.with_name(stem + note))

    def open_for(self, contents: Contents, url: str) -> BinaryIO:
        """The part, open behind its last byte; a new one unless it is part of exactly these contents."""
        wanted: notes.Note = {"url": url, "etag": contents.etag, "size": contents.size}
        there = self.data.is_file() and self.data.stat().st_size <= contents.size
        if notes.load(self.note) != wanted or not there:
            self.data.unlink(missing_ok=True)
            notes.save(self.note, wanted)
        return self.data.open("a+b")

    def become(self, local: Path) -> None:
        self.data.replace(local)
        self.discard()

    def discard(self) -> None:
        self.data.unlink(missing_ok=True)
        notes.forget(self.note)


def fill(
    api: Api, contents: Contents, file: BinaryIO, taker: Taker, moved: Callable[[int], None]
) -> bytes | None:
    """Append what `taker` has not seen, in as many requests as it takes, and see it to the disk.

    The SHA-256 that the server promises, where it knows one. `moved` is told of bytes; less than 0 takes some back.
    """
    patience, promised = api.patience(), None
    while taker.taken < contents.size:
        before = taker.taken
        try:
            promised = _append(api, contents, file, taker, moved) or promised
        except (Transient, AtCapacity) as error:
            if taker.taken > before:
                patience.renew()
            patience.pause(error)
    file.flush()
    os.fsync(file.fileno())
    return promised


def _append(
    api: Api, contents: Contents, file: BinaryIO, taker: Taker, moved: Callable[[int], None]
) -> bytes | None:
    """One request for all that is missing."""
    headers = {}
    if taker.taken:
        headers = {"Range": f"bytes={taker.taken}-", "If-Range": f'"{contents.etag}"'}
    with api.stream("GET", contents.address, headers=headers) as answer:
        if etag_of(answer) != contents.etag:
            raise Conflict(f"{contents.shown} was replaced while it was being fetched. Get it again.")
        if not _continues(
            answer, taker.taken, contents.size
        ):  # a server without ranges: all of it comes again
            moved(-taker.taken)
            file.truncate(0)
            taker.restart()
        for data in answer.iter_raw(READ_SIZE):
            if api.stop.is_set() or taker.taken > contents.size:  # too much is as wrong as too little
                break
            file.write(data)
            taker.update(data)
            moved(len(data))
        promised = _promised(answer)
    if taker.taken < contents.size:
        where = f"at byte {taker.taken} of {contents.size}"
        raise Unreachable(f"{contents.shown} broke off {where}.", retry_after=0.0)
    return promised


def etag_of(answer: httpx.Response) -> str:
    """The ETag without its quotes; empty when there is none."""
    return str(answer.headers.get("ETag", "")).strip('"')


def whole_size(answer: httpx.Response) -> int:
    """How many bytes the whole has of which this is an answer. Raises Damaged when it does not say."""
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    size = match[3] if match else answer.headers.get("Content-Length", "")
    if not size.isdecimal():
        raise Damaged("The server does not say how long this is.")
    return int(size)


def _continues(answer: httpx.Response, taken: int, size: int) -> bool:
    """Whether the body begins at byte `taken`."""
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        return taken == 0
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None or (int(match[1]), int(match[3])) != (taken, size):
        raise Damaged("The server sent another range than was asked for.")
    return True


def _promised(answer: httpx.Response) -> bytes | None:
    """The SHA-256 of the whole file (RFC 9530, Repr-Digest), where the server knows it."""
    match = re.search(r"sha-256=:([A-Za-z0-9+/]{43}=):", answer.headers.get("Repr-Digest", ""))
    return b64decode(match[1]) if match else None
