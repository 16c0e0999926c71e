"""tus 1.0 by hand: the requests, with every header in sight, and what became of them."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import httpx

TUS = {"Tus-Resumable": "1.0.0"}
UPLOADS = "/api/v1/uploads"


def b64(data: str | bytes) -> str:
    return b64encode(data.encode() if isinstance(data, str) else data).decode()


def create(client: httpx.Client, length: int, name: str, folder: str = "/tus") -> httpx.Response:
    metadata = f"filename {b64(name)},path {b64(folder)}"
    return client.post(UPLOADS, headers=TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata})


def created(client: httpx.Client, length: int, name: str) -> str:
    response = create(client, length, name)
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def append(
    client: httpx.Client, url: str, offset: int, data: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    standard = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return client.patch(url, headers=TUS | standard | (headers or {}), content=data)


def checksum(data: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"sha256 {b64(hashlib.sha256(data).digest())}"}


def stands(client: httpx.Client, url: str) -> int:
    return int(client.head(url, headers=TUS).headers["Upload-Offset"])


def content(client: httpx.Client, name: str, folder: str = "/tus") -> bytes:
    """The file's bytes; they are checked against the digest that the listing tells."""
    items = client.get("/api/v1/nodes", params={"path": folder}).json()["items"]
    node = next(item for item in items if item["name"] == name)
    data = client.get(f"/files/{node['id']}/download").content
    assert node["sha256"] in {None, hashlib.sha256(data).hexdigest()}
    return data
