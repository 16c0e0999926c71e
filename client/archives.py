"""Folders as ZIPs: as the server streams them, or made there beforehand; resumed, and tested as a whole."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from client.api import Api
from client.nodes import Node
from client.partial import READ_SIZE, Contents, Part, Tally, etag_of, fill, whole_size
from errors import ClientGone, Damaged, StoreError

LOOK = 1.0
"""Seconds between two looks at how far the server is."""


def streamed(api: Api, folder: Node) -> Contents:
    """The ZIP of the folder as it is now."""
    address = f"/folders/{folder.id}/download.zip"
    answer = api.ask("HEAD", address)
    etag = etag_of(answer)
    return Contents(f"{address}?v={etag}", etag, whole_size(answer), folder.path)


def prepared(api: Api, folder: Node, expect: Callable[[int], None], moved: Callable[[int], None]) -> str:
    """Have the server make the ZIP, and wait until it has; the address, good without a token for a while.

    It goes on there when this is stopped; asked for again, it is joined. `expect` is told how many bytes of work it
    is, once, `moved` of those that are done.
    """
    job = api.ask("POST", f"/api/v1/folders/{folder.id}/prepare-download", json={}).json()
    expect(int(job["total"]))
    done = 0
    while True:
        moved(int(job["done"]) - done)
        done = int(job["done"])
        if job["status"] == "ready":
            return str(job["download_url"])
        if job["status"] not in {"queued", "processing"}:
            raise StoreError(_why(job))
        if api.stop.wait(LOOK):
            raise ClientGone("stopped")
        job = api.ask("GET", f"/api/v1/jobs/{job['job_id']}").json()


def _why(job: dict[str, Any]) -> str:
    return f"The ZIP was not made: {job.get('error') or job['status']}"


@contextmanager
def at(url: str, shown: str) -> Iterator[tuple[Api, Contents]]:
    """What a whole address gives, and a client of its server that holds no token: it may be anybody's."""
    parts = urlsplit(url)
    with Api(f"{parts.scheme}://{parts.netloc}", None, elsewhere=True) as api:
        address = f"{parts.path}?{parts.query}"
        # By GET: a presigned address is good for no other method. Of a server without ranges the rest is not read.
        with api.stream("GET", address, headers={"Range": "bytes=0-0"}) as answer:
            contents = Contents(address, etag_of(answer), whole_size(answer), shown)
        yield api, contents


def fetch(api: Api, contents: Contents, local: Path, moved: Callable[[int], None]) -> Part:
    """The part file beside `local`, which holds all of it now."""
    part = Part.of(local)
    with part.open_for(contents, api.url) as file:
        tally = Tally(file.seek(0, 2))
        moved(tally.taken)
        fill(api, contents, file, tally, moved)
    return part


def test(part: Part, shown: str, expect: Callable[[int], None], moved: Callable[[int], None]) -> None:
    """Read every member against its CRC-32. Raises Damaged, and nothing is kept then."""
    try:
        with zipfile.ZipFile(part.data) as archive:
            members = archive.infolist()
            expect(sum(member.file_size for member in members))
            for member in members:
                with archive.open(member) as file:
                    while data := file.read(READ_SIZE):
                        moved(len(data))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        part.discard()
        raise Damaged(f"The ZIP of {shown} did not arrive sound; nothing was kept. Get it again.") from None
