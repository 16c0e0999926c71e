"""One file out: to a part file beside its goal, verified as a whole, and only then given its name.

A killed download leaves the part and a note of what it is part of; the next `fetch` goes on behind its last
byte.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from client import notes
from client.api import Api, Unreachable
from client.digest import Digest, tree_of
from client.nodes import Node
from errors import AtCapacity, Conflict, Damaged, Transient
from model import MIB

READ_SIZE = MIB
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
PART_ENDINGS = (".stowgram.part", ".stowgram.part.json")
"""What an unfinished file and its note are called behind the file's name; no file that is fetched ends so here."""
_LONGEST_STEM = 200
"""Bytes of a name beyond which the part's name, which is longer, would not fit into 255."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The unfinished copy of a file, and the note that says of what."""

    data: Path
    note: Path

    @classmethod
    def of(cls, local: Path) -> _Part:
        stem = local.name
        if len(stem.encode("utf-8", "surrogateescape")) > _LONGEST_STEM:
            stem = hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()
        part, note = PART_ENDINGS
        return cls(local.with_name(stem + part), local.with_name(stem + note))

    def open_for(self, node: Node, url: str) -> BinaryIO:
        """The part, open behind its last byte; a new one unless it is part of exactly these contents."""
        wanted: notes.Note = {"url": url, "etag": node.etag, "size": node.size}
        if notes.load(self.note) != wanted or not self.data.is_file() or self.data.stat().st_size > node.size:
            self.data.unlink(missing_ok=True)
            notes.save(self.note, wanted)
        return self.data.open("a+b")

    def discard(self) -> None:
        self.data.unlink(missing_ok=True)
        notes.forget(self.note)


class Downloader:
    """Fetches files from `api`. `moved` is told of bytes that are here; less than 0 takes some back."""

    def __init__(self, api: Api, moved: Callable[[int], None]) -> None:
        self._api = api
        self._moved = moved

    def fetch(self, node: Node, local: Path) -> bool:
        """Make the contents of `node` the file `local`; False if it holds them already.

        Raises OSError of the local disk and our errors; Damaged when something else came than was promised;
        then nothing of it is kept.
        """
        if local.is_file() and local.stat().st_size == node.size and tree_of(local) == node.etag:
            self._moved(node.size)
            return False
        part = _Part.of(local)
        with part.open_for(node, self._api.url) as file:
            digest = Digest(whole=True)
            digest.read(file, node.size)
            self._moved(digest.taken)
            promised = self._fill(node, file, digest)
            file.flush()
            os.fsync(file.fileno())
        if digest.tree() != node.etag or (promised is not None and digest.sha256() != promised):
            part.discard()
            raise Damaged(
                f"{node.path} did not arrive as the server keeps it; nothing was kept. Get it again."
            )
        part.data.replace(local)
        part.discard()
        return True

    def _fill(self, node: Node, file: BinaryIO, digest: Digest) -> bytes | None:
        """Append what is missing, in as many requests as it takes; the SHA-256 that the server promises."""
        patience, promised = self._api.patience(), None
        while digest.taken < node.size:
            before = digest.taken
            try:
                promised = self._append(node, file, digest) or promised
            except (Transient, AtCapacity) as error:
                if digest.taken > before:
                    patience.renew()
                patience.pause(error)
        return promised

    def _append(self, node: Node, file: BinaryIO, digest: Digest) -> bytes | None:
        """One request for all that is missing."""
        headers = {}
        if digest.taken:
            headers = {"Range": f"bytes={digest.taken}-", "If-Range": f'"{node.etag}"'}
        with self._api.stream("GET", f"/files/{node.id}/download", headers=headers) as answer:
            if answer.headers.get("ETag", "").strip('"') != node.etag:
                raise Conflict(f"{node.path} was replaced while it was being fetched. Get it again.")
            if not _continues(
                answer, digest.taken, node.size
            ):  # a server without ranges: all of it comes again
                self._moved(-digest.taken)
                file.truncate(0)
                digest.restart()
            for data in answer.iter_raw(READ_SIZE):
                if self._api.stop.is_set() or digest.taken > node.size:  # too much is as wrong as too little
                    break
                file.write(data)
                digest.update(data)
                self._moved(len(data))
            promised = _promised(answer)
        if digest.taken < node.size:
            raise Unreachable(
                f"{node.path} broke off at byte {digest.taken} of {node.size}.", retry_after=0.0
            )
        return promised


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
