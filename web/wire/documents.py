"""Our nouns as JSON. Digests are hex, times ISO 8601 UTC; secrets are never in here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from disposition import shown_inline
from model import Account, ChunkSummary, Details, Event, File, Node, Session, Share, Token


def moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def node(of: Node) -> dict[str, Any]:
    """`etag` is the opaque part of the download's ETag. What a folder does not have is null."""
    file = of if isinstance(of, File) else None
    return {
        "id": of.id,
        "kind": "folder" if file is None else "file",
        "name": of.name,
        "path": of.path,
        "size": file and file.size,
        "sha256": file.sha256.hex() if file and file.sha256 else None,
        "etag": file and file.tree.hex(),
        "media_type": file and file.media_type,
        "inline": file is not None and shown_inline(file.media_type),
        "damaged": file is not None and file.damaged_at is not None,
        "created_at": moment(of.created_at),
        "modified_at": moment(of.modified_at),
    }


def details(file: File, of: Details) -> dict[str, Any]:
    """What a node does not say of a file. CRC-32s are hex, as `crc32` of most systems prints them."""
    return {
        "crc32": f"{of.crc32:08x}",
        "tree": file.tree.hex(),
        "piece_size": of.piece_size,
        "stored_at": moment(of.stored_at),
        "damaged_at": file.damaged_at and moment(file.damaged_at),
        "chunks": [_chunk(one) for one in of.chunks],
        "next": of.next and str(of.next),
    }


def _chunk(of: ChunkSummary) -> dict[str, Any]:
    return {
        "index": of.index,
        "offset": of.offset,
        "size": of.size,
        "sha256": of.sha256.hex(),
        "crc32": f"{of.crc32:08x}",
        "channel": of.locator.channel,
        "message": of.locator.message,
    }


def token(of: Token) -> dict[str, Any]:
    return {
        "id": of.id,
        "name": of.name,
        "created_at": moment(of.created_at),
        "last_used_at": of.last_used_at and moment(of.last_used_at),
        "expires_at": of.expires_at and moment(of.expires_at),
    }


def account(of: Account) -> dict[str, Any]:
    """`quota` and `used` in bytes."""
    return {
        "id": of.user.id,
        "name": of.user.name,
        "is_admin": of.user.is_admin,
        "created_at": moment(of.user.created_at),
        "quota": of.quota,
        "used": of.used,
        "files": of.files,
    }


def session(of: Session, current: int | None) -> dict[str, Any]:
    """`current` is the id of the one that asks."""
    return {
        "id": of.id,
        "current": of.id == current,
        "address": of.client.address,
        "agent": of.client.agent,
        "created_at": moment(of.created_at),
        "last_used_at": moment(of.last_used_at),
        "expires_at": moment(of.expires_at),
    }


def share(of: Share, base: str) -> dict[str, Any]:
    """`base` is what its address begins with; `path` is null while it is in the bin."""
    kind, terms = "file" if isinstance(of.node, File) else "folder", of.terms
    return {
        "id": of.id,
        "token": of.token,
        "url": f"{base}/share/{of.token}",
        "kind": kind,
        f"{kind}_id": of.node.id,
        "name": of.node.name,
        "path": of.node.path or None,
        "has_password": of.password_hash is not None,
        "created_at": moment(of.created_at),
        "expires_at": terms.expires_at and moment(terms.expires_at),
        "max_downloads": terms.max_downloads,
        "downloads": of.downloads,
        "rate_limit_kb": terms.rate_limit_kb,
        "max_connections": terms.max_connections,
        "last_used_at": of.last_used_at and moment(of.last_used_at),
        "state": of.state(datetime.now(UTC)),
    }


def event(of: Event) -> dict[str, Any]:
    at = moment(of.at)
    timestamp = {"timestamp": at} if of.type == "file_available" else {}  # what others call it, too
    return {"id": of.id, "type": of.type, "at": at, **of.about, **timestamp}
