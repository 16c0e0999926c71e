"""One file out: to a part file beside its goal, verified as a whole, and only then given its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from client.api import Api
from client.digest import Digest, tree_of
from client.nodes import Node
from client.partial import Contents, Part, fill
from errors import Damaged


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
        contents = Contents(f"/files/{node.id}/download", node.etag, node.size, node.path)
        part = Part.of(local)
        with part.open_for(contents, self._api.url) as file:
            digest = Digest(whole=True)
            digest.read(file, node.size)
            self._moved(digest.taken)
            promised = fill(self._api, contents, file, digest, self._moved)
        if digest.tree() != node.etag or (promised is not None and digest.sha256() != promised):
            part.discard()
            raise Damaged(
                f"{node.path} did not arrive as the server keeps it; nothing was kept. Get it again."
            )
        part.become(local)
        return True
