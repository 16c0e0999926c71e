"""Contents that the server has already, and need not be sent again. A server that knows nothing of this has none."""

from __future__ import annotations

from client.api import Api
from errors import NotFound


def any_of_size(api: Api, size: int) -> bool:
    """Whether the server has any contents of ours of so many bytes: only then are they worth being read for `put`."""
    try:
        answer = api.ask("GET", f"/api/v1/contents?size={size}").json()
    except (NotFound, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("known") is True


def put(api: Api, path: str, size: int, tree: str, media_type: str) -> bool:
    """Let `path` stand for the contents whose tree digest this is, in hex. False when the server has none such."""
    body = {"path": path, "size": size, "tree": tree, "media_type": media_type, "if_exists": "replace"}
    try:
        api.ask("POST", "/api/v1/files", json=body)
    except NotFound:
        return False
    return True
