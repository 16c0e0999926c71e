"""The tus 1.0 protocol (tus.io/protocols/resumable-upload), request by request."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from client.api import Api
from errors import StoreError

_VERSION = {"Tus-Resumable": "1.0.0"}


def create(api: Api, folder: str, name: str, length: int, media_type: str) -> str:
    """Announce a file of `length` bytes; the id of its upload."""
    metadata = {"filename": name, "path": folder, "filetype": media_type}
    headers = {
        "Upload-Length": str(length),
        "Upload-Metadata": ",".join(
            f"{key} {b64encode(text.encode()).decode()}" for key, text in metadata.items()
        ),
    }
    answer = api.ask("POST", "/api/v1/uploads", headers=_VERSION | headers)
    # Only the id counts: behind a proxy the server may not know the address that we reach it by.
    return urlsplit(str(answer.headers.get("Location", ""))).path.rstrip("/").rpartition("/")[2]


def offset(api: Api, upload: str) -> int:
    """How many bytes are safe on the server. Raises NotFound or Gone when it has forgotten it."""
    return _offset(_state(api, upload).headers.get("Upload-Offset", ""))


def file(api: Api, upload: str) -> int:
    """The number of the file that a finished upload has become. Raises NotFound or Gone when it is removed again."""
    number = _state(api, upload).headers.get("Content-Location", "").rpartition("/")[2]
    if not number.isdecimal():
        raise StoreError(
            "The server does not say what became of the upload; is it Stowgram's, and new enough?"
        )
    return int(number)


def append(api: Api, upload: str, at: int, body: Iterable[bytes], length: int, checksum: str) -> int:
    """Send the `length` bytes from `at` on, in one try; the offset after them. When in doubt, ask `offset`.

    `checksum` is what the server shall find them to have, as `checksum()` gives it. What `body` raises passes through.

    Raises Conflict when the upload stands elsewhere, ChecksumMismatch when the bytes arrived damaged.
    """
    headers = {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(at),
        "Content-Length": str(length),
        "Upload-Checksum": checksum,
    }
    answer = api.ask_once("PATCH", f"/api/v1/uploads/{upload}", headers=_VERSION | headers, content=body)
    return _offset(answer.headers.get("Upload-Offset", ""))


def checksum(algorithm: str, digest: bytes) -> str:
    """As the header has it. Our server knows `sha256`, and `tree`: that of the pieces' digests (docs/http-api.md)."""
    return f"{algorithm} {b64encode(digest).decode()}"


def abort(api: Api, upload: str) -> None:
    """Give the upload up; what it brought is deleted."""
    api.ask("DELETE", f"/api/v1/uploads/{upload}", headers=_VERSION)


def _state(api: Api, upload: str) -> httpx.Response:
    return api.ask("HEAD", f"/api/v1/uploads/{upload}", headers=_VERSION)


def _offset(text: str) -> int:
    if not text.isdecimal():
        raise StoreError("The server does not say how far the upload came; is it a Stowgram server?")
    return int(text)
