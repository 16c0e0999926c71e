"""The tree of names on the server: what is where, folders made, nodes removed. It moves no contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

import names
from client.api import Api
from errors import Conflict, NotFound, StoreError

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder on the server. Of a file, `size` is in bytes and `etag` the tree digest in hex."""

    id: int
    kind: str
    name: str
    path: str
    size: int
    etag: str
    modified_at: str
    damaged: bool = False
    """Some of its stored bytes are gone or no longer match: it is no reason to pass a file over."""

    @property
    def is_folder(self) -> bool:
        return self.kind == "folder"


_STRANGE = "The server's answer is none of Stowgram's; is that its address?"


def node_of(found: Any) -> Node:
    """A node as the server's JSON has it. Raises StoreError when it is none."""
    try:
        return _node(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StoreError(_STRANGE) from None


def node_in(answer: httpx.Response) -> Node:
    """The node that an answer's JSON is. Raises StoreError."""
    try:
        return node_of(answer.json())
    except ValueError:
        raise StoreError(_STRANGE) from None


def _node(found: dict[str, Any]) -> Node:
    return Node(
        id=int(found["id"]),
        kind=str(found["kind"]),
        name=str(found["name"]),
        path=str(found["path"]),
        size=int(found.get("size") or 0),
        etag=str(found.get("etag") or "").strip('"'),
        modified_at=str(found.get("modified_at") or ""),
        damaged=bool(found.get("damaged")),
    )


def listing(api: Api, path: str) -> Iterator[Node]:
    """What the folder at `path` holds, page by page. Raises NotFound, and StoreError for an answer of another kind."""
    query = {"path": path, "limit": str(PAGE)}
    while True:
        items, following = _page(api.ask("GET", f"/api/v1/nodes?{urlencode(query)}"))
        yield from map(node_of, items)
        if following is None:
            return
        if following == query.get("cursor"):
            raise StoreError(_STRANGE)
        query["cursor"] = following


def _page(answer: httpx.Response) -> tuple[list[Any], str | None]:
    """The items of one page, and the cursor of the next."""
    try:
        page = answer.json()
        items, following = page["items"], page["next"]
    except (KeyError, TypeError, ValueError):  # a sign-in page of the network, say
        raise StoreError(_STRANGE) from None
    if not isinstance(items, list) or not isinstance(following, str | None):
        raise StoreError(_STRANGE)
    return items, following


def file(api: Api, number: int) -> Node:
    """The file of this number. Raises NotFound."""
    return node_in(api.ask("GET", f"/api/v1/files/{number}"))


def at(api: Api, path: str) -> Node:
    """The node at `path`. Raises NotFound, and BadName for what can be no path."""
    query = urlencode({"path": names.join(*names.split(path))})
    return node_in(api.ask("GET", f"/api/v1/nodes/at?{query}"))


def find(api: Api, path: str) -> Node | None:
    """The node at `path`, or None."""
    try:
        return at(api, path)
    except NotFound:
        return None


def make_folder(api: Api, path: str) -> bool:
    """Make the folder and its parents; False if something of that name is there."""
    try:
        api.ask("POST", "/api/v1/folders", json={"path": path})
    except Conflict:
        return False
    return True


def remove(api: Api, node: Node, *, forever: bool = False) -> None:
    """Delete a file, or a folder with all that is in it: into the bin, or `forever`."""
    try:
        api.ask("DELETE", f"/api/v1/{node.kind}s/{node.id}?forever={int(forever)}")
    except NotFound:
        pass  # a repeated request finds its own work done
