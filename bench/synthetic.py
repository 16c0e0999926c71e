"""Files of any size in no time and little room, at rest in a sandbox and known to a gateway.

Each chunk is a message of its own, with its own document, reference and digests; but the bodies of all these documents
are hard links to three real ones of 64 MiB. The gateway cannot tell the difference. What is made up: the file's SHA-256
(nobody has read 100 GiB to know it), and there are no manifests.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

from db import Database
from db.access.people import People
from db.stored.contents import keep
from db.tree import nodes as tree
from model import MIB, Chunk, Locator, StoredFile, tree_digest
from sandbox.api.views import pack_vector
from sandbox.model import Document
from sandbox.records import Records
from streaming.digests import ChunkDigests, file_crc32, measure
from tests.sandbox_process import RunningSandbox

CHUNK = 64 * MIB
BODIES = 3


@dataclass(frozen=True)
class SyntheticFile:
    """`messages` hold its chunks, in order; `node` is the id in its address, once a gateway knows it."""

    name: str
    size: int
    messages: tuple[int, ...]
    bodies: tuple[str, ...]
    """Paths of the real files whose bytes its chunks repeat, in turn."""
    node: int = 0

    def read(self, start: int, length: int) -> bytes:
        """What the file holds there; at most up to the end of a chunk."""
        index, offset = divmod(start, CHUNK)
        return _mapped(self.bodies[index % BODIES])[offset : offset + length]

    def write(self, path: Path) -> Path:
        """The file as a real one."""
        with path.open("wb") as file:
            for start in range(0, self.size, CHUNK):
                file.write(self.read(start, min(CHUNK, self.size - start)))
        return path


def random_body(path: Path) -> Path:
    path.write_bytes(os.urandom(CHUNK))
    return path


@cache
def _mapped(path: str) -> mmap.mmap:
    with Path(path).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class Warehouse:
    """Lays files into a sandbox that does not run, and then tells a gateway's database of them."""

    def __init__(self, sandbox: RunningSandbox, folder: Path) -> None:
        self._folder = folder
        self._channel, self._dc = sandbox.channel, sandbox.dc
        self._bodies = tuple(str(random_body(folder / f"body-{number}")) for number in range(BODIES))
        self._linked: dict[tuple[int, int], tuple[Path, ChunkDigests]] = {}
        self._files: list[tuple[SyntheticFile, tuple[Chunk, ...]]] = []

    def lay(self, sizes: Mapping[str, int]) -> None:
        """Files of these names and sizes in bytes, as messages of the sandbox's channel."""
        with closing(Records(self._folder / "records.sqlite3")) as records:
            records._db.execute(
                "PRAGMA synchronous = OFF"
            )  # thousands of messages, none worth a wait for the disk
            sender = next(account.id for account in records.accounts() if account.is_bot)
            for name, size in sizes.items():
                chunks = [self._post(records, sender, start, size) for start in range(0, size, CHUNK)]
                messages = tuple(chunk.locator.message for chunk in chunks)
                self._files.append((SyntheticFile(name, size, messages, self._bodies), tuple(chunks)))

    def _post(self, records: Records, sender: int, start: int, whole: int) -> Chunk:
        index, size = start // CHUNK, min(CHUNK, whole - start)
        body, seen = self._body(index % BODIES, size)
        identity = int.from_bytes(os.urandom(7), "little")
        os.link(body, self._folder / "documents" / f"{identity:016x}")
        document = Document(identity, size, "application/octet-stream", pack_vector([]), self._dc, 1)
        bare = -self._channel - 1_000_000_000_000
        posted = records.add_message(bare, sender, "", document, identity)
        assert posted is not None
        locator = Locator(self._channel, posted[0].id)
        return Chunk(index, start, size, seen.sha256, seen.crc32, seen.pieces, locator)

    def _body(self, number: int, size: int) -> tuple[Path, ChunkDigests]:
        """A real file with the first `size` bytes of a body, and their digests."""
        if (number, size) not in self._linked:
            data = _mapped(self._bodies[number])[:size]
            path = Path(self._bodies[number])
            if size < CHUNK:
                path = self._folder / f"body-{number}-{size}"
                path.write_bytes(data)
            seen = measure(lambda span: data[span.start : span.stop], size)
            self._linked[number, size] = path, seen
        return self._linked[number, size]

    def tell(self, data: Path) -> dict[str, SyntheticFile]:
        """Make them files in the admin's top folder, in the database of a gateway that has been started once."""
        now, known = datetime.now(UTC), {}
        with closing(Database(f"sqlite:///{data / 'stowgram.sqlite3'}")) as database:
            (admin,) = People(database).all()
            for file, chunks in self._files:
                made_up = hashlib.sha256(file.name.encode()).digest()
                stored = StoredFile(
                    uuid4(), file.size, tree_digest(chunks), made_up, file_crc32(chunks), chunks
                )
                with database.write(durable=False) as connection:
                    held = tree.Stored(keep(connection, stored, None, now), "application/octet-stream")
                    root = tree.root(connection, admin.id)
                    node, _ = tree.put_file(connection, root, file.name, held, False, now)
                known[file.name] = SyntheticFile(file.name, file.size, file.messages, file.bodies, node)
        return known
