"""A walk through every route: for each method and path what a caller sends who may, about what.

In braces stand things of the owner's, made for the step alone; so whoever else names them must find nothing.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

from gateway.moving.transfer import UNKNOWN
from model import ByteRange, File, Folder, Terms, User
from tests.conftest import House
from tests.gateway.preparing import prepared
from tests.web.conftest import PASSWORD

TUS = {"Tus-Resumable": "1.0.0"}
_IDS = {"ids": ["{file}", "{folder}"]}
_PART = {
    "headers": {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
    "data": b"12345",
}
_NEW = {"headers": {"Upload-Length": "5", "Upload-Metadata": "filename dQ=="}}
PICTURE = b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")
"""A GIF of one pixel."""
KNOWN = b"known"
"""Bytes of a file that each caller has."""
_TREE = sha256(sha256(KNOWN).digest()).hexdigest()


@dataclass(frozen=True)
class Step:
    method: str
    path: str
    sent: dict[str, Any] = field(default_factory=dict)

    @property
    def things(self) -> set[str]:
        """Which of the owner's it is about."""
        return set(re.findall(r"\{(\w+)\}", self.path + str(self.sent.get("json", ""))))

    @property
    def for_visitors(self) -> bool:
        """It is about a share's link, by which anybody may come in: no session has a part in it."""
        return self.path.startswith(("/share/", "/api/share/"))

    def about(self, things: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Path, and what is sent, with the numbers of these things."""
        sent = {**self.sent, "headers": TUS | self.sent.get("headers", {})}
        path, body = self.path, json.dumps(sent.pop("json", None))
        for name, number in things.items():
            path, body = path.replace(f"{{{name}}}", str(number)), body.replace(f'"{{{name}}}"', str(number))
        return path, sent if body == "null" else {**sent, "json": json.loads(body)}


def _gets(*paths: str) -> list[Step]:
    return [Step(method, path) for path in paths for method in ("GET", "HEAD")]


STEPS = [
    *_gets(
        "/",
        "/account",
        "/admin",
        "/bin",
        "/search",
        "/shares",
        "/transfers",
        "/welcome",
        "/login",
        "/static/app.css",
    ),
    *_gets("/healthz", "/readyz", "/metrics", "/api/openapi.json"),
    *_gets(
        "/api/v1/account", "/api/v1/admin", "/api/v1/admin/damaged", "/api/v1/admin/events", "/api/v1/bin"
    ),
    *_gets("/api/v1/contents?size=5", "/api/v1/events", "/api/v1/nodes", "/api/v1/search?q=f"),
    *_gets("/api/v1/nodes/at?path=/"),
    *_gets("/api/v1/sessions", "/api/v1/tokens", "/api/v1/transfers", "/api/v1/users"),
    *_gets("/api/v1/files/{file}", "/api/v1/files/{file}/details", "/api/v1/folders/{folder}"),
    *_gets(
        "/api/v1/queue/{ticket}",
        "/files/{file}/download",
        "/folders/{folder}/download.zip",
        "/files/{picture}/thumbnail",
    ),
    *_gets("/api/v1/shares", "/share/{share}", "/api/share/{share}/download-all"),
    *_gets("/api/share/{share}/download/{inside}", "/api/share/{share}/thumbnail/{inside}"),
    Step("POST", "/share/{share}"),
    Step("POST", "/api/share/{share}/prepare-download", {"json": {}}),
    *_gets("/api/share/{share}/download-status/{packed}", "/api/share/{share}/prepared/{packed}/f.zip"),
    Step("POST", "/api/v1/shares", {"json": {"file_id": "{file}"}}),
    Step("PATCH", "/api/v1/shares/{share}", {"json": {"max_downloads": 5}}),
    Step("DELETE", "/api/v1/shares/{share}"),
    Step("POST", "/login", {"data": {"username": "ada", "password": PASSWORD}}),
    Step("POST", "/logout"),
    Step("PUT", "/api/v1/account/password", {"json": {"old": PASSWORD, "new": "another one"}}),
    Step("DELETE", "/api/v1/bin/{binned}"),
    Step("POST", "/api/v1/bin/{binned}/restore"),
    Step("DELETE", "/api/v1/bin"),
    Step("PUT", "/api/v1/content/new", {"data": b"12345"}),
    Step("POST", "/api/v1/files/{file}/link", {"json": {}}),
    Step("PATCH", "/api/v1/files/{file}", {"json": {"name": "renamed"}}),
    Step("DELETE", "/api/v1/files/{file}"),
    Step("POST", "/api/v1/files", {"json": {"path": "/twin", "size": len(KNOWN), "tree": _TREE}}),
    Step("POST", "/api/v1/folders", {"json": {"path": "/made"}}),
    Step("PATCH", "/api/v1/folders/{folder}", {"json": {"name": "renamed, too"}}),
    Step("DELETE", "/api/v1/folders/{folder}"),
    Step("POST", "/api/v1/nodes/copy", {"json": {**_IDS, "parent": "/"}}),
    Step("POST", "/api/v1/nodes/move", {"json": {**_IDS, "parent": "/"}}),
    Step("POST", "/api/v1/nodes/delete", {"json": _IDS}),
    Step("POST", "/api/v1/queue", {"json": {"file_id": "{file}"}}),
    Step("DELETE", "/api/v1/queue/{ticket}"),
    *_gets("/api/v1/jobs", "/api/v1/jobs/{job}", "/api/v1/admin/jobs", "/prepared/{job}/f.zip"),
    Step("DELETE", "/api/v1/jobs/{job}"),
    Step("POST", "/api/v1/folders/{folder}/prepare-download", {"json": {}}),
    Step("DELETE", "/api/v1/sessions/{session}"),
    Step("DELETE", "/api/v1/sessions"),
    Step("POST", "/api/v1/tokens", {"json": {"name": "another"}}),
    Step("DELETE", "/api/v1/tokens/{token}"),
    Step("POST", "/api/v1/transfers/{transfer}/pause"),
    Step("POST", "/api/v1/transfers/{transfer}/resume"),
    Step("DELETE", "/api/v1/transfers/{transfer}"),
    Step("OPTIONS", "/api/v1/uploads"),
    Step("OPTIONS", "/api/v1/uploads/{upload}"),
    Step("POST", "/api/v1/uploads", _NEW),
    Step("HEAD", "/api/v1/uploads/{upload}"),
    Step("PATCH", "/api/v1/uploads/{upload}", _PART),
    Step("DELETE", "/api/v1/uploads/{upload}"),
    Step("POST", "/api/v1/users", {"json": {"name": "cleo", "password": PASSWORD}}),
    Step("PATCH", "/api/v1/users/{user}", {"json": {"quota": 5}}),
    Step("DELETE", "/api/v1/users/{user}"),
]


def nothing(names: set[str]) -> dict[str, Any]:
    """Numbers of nothing, by name."""
    others = {"upload": uuid4(), "job": "0" * 32, "packed": "0" * 32}
    return {name: others.get(name, 987_654_321) for name in names}


class Things:
    """Makes what steps are about. It must be left: a download runs until then."""

    def __init__(self, house: House, owner: User) -> None:
        self._gateway = house.gateway
        self._owner = owner
        self._numbers = count()
        self._open = ExitStack()

    def __enter__(self) -> Things:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def make(self, names: set[str]) -> dict[str, Any]:
        """Their numbers, by name. A ZIP comes last: it ends with the next change of its folder."""
        in_order = sorted(names, key="packed".__eq__)
        makers: dict[str, Callable[[], Any]] = {name: getattr(self, f"_{name}") for name in in_order}
        return {name: make() for name, make in makers.items()}

    def _stored(self) -> File:
        path = f"/things/{next(self._numbers)}"
        return self._gateway.uploads.put(self._owner, path, io.BytesIO(b"12345"), 5)[0]

    def _file(self) -> int:
        return self._stored().id

    def _picture(self) -> int:
        path = f"/things/{next(self._numbers)}.gif"
        return self._gateway.uploads.put(self._owner, path, io.BytesIO(PICTURE), len(PICTURE))[0].id

    def _folder(self) -> int:
        return self._gateway.files.make_folder(self._owner, f"/things/{next(self._numbers)}").id

    def _inside(self) -> int:
        """A picture in the folder that shares are of."""
        place = self._owner, "/shared/picture.gif"
        return self._gateway.uploads.put(*place, io.BytesIO(PICTURE), len(PICTURE))[0].id

    def _share(self) -> str:
        self._inside()
        folder = self._gateway.files.at(self._owner, "/shared")
        return self._gateway.shares.make(self._owner, folder.id, "folder", None, Terms()).token

    def _packed(self) -> str:
        """The ZIP of the folder that shares are of."""
        self._inside()
        folder = self._gateway.files.at(self._owner, "/shared")
        assert isinstance(folder, Folder)
        return prepared(self._gateway, self._owner, folder).id

    def _job(self) -> str:
        """A ZIP that is ready."""
        folder = self._gateway.files.make_folder(self._owner, f"/things/{next(self._numbers)}")
        return prepared(self._gateway, self._owner, folder).id

    def _binned(self) -> int:
        file = self._stored()
        self._gateway.bin.put(self._owner, [file.id])
        return file.id

    def _upload(self) -> Any:
        name = f"u{next(self._numbers)}"
        return self._gateway.uploads.create(self._owner, folder="/", name=name, length=5).id

    def _token(self) -> int:
        return self._gateway.people.make_token(self._owner, "t")[0].id

    def _session(self) -> int:
        found = self._gateway.sessions.by_secret(self._gateway.sessions.open(self._owner, UNKNOWN))
        assert found is not None
        return found[1].id

    def _transfer(self) -> int:
        span = ByteRange(0, 5)
        download = self._gateway.downloads.open(self._owner, self._stored(), span, gone=lambda: False)
        self._open.callback(download.close)
        return max(status.id for status in self._gateway.transfers.statuses(self._owner))

    def _ticket(self) -> int:
        return self._gateway.queue.take(self._owner, self._stored(), UNKNOWN).id

    def _user(self) -> int:
        return self._gateway.people.add(f"goer{next(self._numbers)}", PASSWORD).id
