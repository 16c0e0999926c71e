"""Links for others: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from client.api import Api
from client.nodes import Node
from errors import BadInput, StoreError


@dataclass(frozen=True, slots=True)
class Share:
    """A link, and what became of it so far. Times are the server's text, in UTC."""

    token: str
    url: str
    path: str
    has_password: bool
    expires_at: str | None
    max_downloads: int | None
    downloads: int
    last_used_at: str | None
    state: str


def make(api: Api, node: Node, terms: dict[str, Any]) -> Share:
    """`terms` as docs/http-api.md has them. Tried once: a repeated one would be another link, which nobody knows."""
    return _share(api.ask_once("POST", "/api/v1/shares", json={f"{node.kind}_id": node.id} | terms).json())


def listing(api: Api, node: Node | None = None) -> Iterator[Share]:
    """All of one's own, or those of one file or folder."""
    query = {f"{node.kind}_id": str(node.id)} if node else {}
    while True:
        page = api.ask("GET", f"/api/v1/shares?{urlencode(query)}").json()
        yield from map(_share, page["items"])
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def revoke(api: Api, link: str) -> None:
    """`link` is the whole address, or its token. Raises NotFound."""
    try:
        token = urlsplit(link).path.rstrip("/").rpartition("/")[2]
    except ValueError:  # of a host in brackets that is none
        token = ""
    if not token:
        raise BadInput(f"{link!r} is no link, and no token of one.")
    api.ask("DELETE", f"/api/v1/shares/{quote(token, safe='')}")


def _share(found: Any) -> Share:
    try:
        return Share(*(found[name] for name in Share.__slots__))
    except (KeyError, TypeError):
        raise StoreError("The server's answer is no link; is it Stowgram's, and new enough?") from None
