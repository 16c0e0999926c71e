"""The manifest: one JSON document that says all of a finished file, so that the index can be rebuilt from the channel.

Pure. Version 1 is specified in docs/design.md; a reader refuses what it does not know.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import names
from errors import BadInput
from model import Chunk, Locator, StoredFile, tree_digest
from streaming.digests import file_crc32

VERSION = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file at rest and what it was called when it was finished. `path` is absolute and ends with `name`."""

    file: StoredFile
    path: str
    name: str
    media_type: str
    created: datetime


def encode(manifest: Manifest) -> bytes:
    """The document, in UTF-8. All chunks of one file have one piece size."""
    file = manifest.file
    document = {
        "stowgram": VERSION,
        "uuid": str(file.uuid),
        "path": manifest.path,
        "name": manifest.name,
        "size": file.size,
        "media_type": manifest.media_type,
        "created": manifest.created.astimezone(UTC).isoformat(),
        "sha256": file.sha256.hex() if file.sha256 is not None else None,
        "tree": file.tree.hex(),
        "crc32": f"{file.crc32:08x}",
        "piece_size": _piece_size(file),
        "chunks": [_chunk_fields(chunk) for chunk in file.chunks],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def decode(document: bytes) -> Manifest:
    """The manifest in `document`, checked: chunks complete, digests of the whole equal to those of the parts.

    Raises BadInput, saying what is wrong with it.
    """
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):  # also what is not UTF-8, and an integer of absurd length
        raise BadInput("This manifest is not JSON.") from None
    if not isinstance(fields, dict) or fields.get("stowgram") != VERSION:
        raise BadInput(f"This is not a manifest of version {VERSION}.")
    try:
        return _checked(fields)
    except KeyError as error:
        raise BadInput(f"The manifest lacks {error}.") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput(f"The manifest is malformed: {error}") from None


def _checked(fields: dict[str, Any]) -> Manifest:
    piece_size = _number(fields, "piece_size")
    if piece_size < 1:
        raise ValueError("piece_size is not positive")
    chunks = tuple(_chunk(chunk, piece_size) for chunk in _typed(fields, "chunks", list))
    file = StoredFile(
        uuid=UUID(_text(fields, "uuid")),
        size=_number(fields, "size"),
        tree=_digest(fields, "tree"),
        sha256=None if fields["sha256"] is None else _digest(fields, "sha256"),
        crc32=_crc32(fields),
        chunks=chunks,
    )
    if file.tree != tree_digest(chunks) or file.crc32 != file_crc32(chunks):
        raise ValueError("the digests of the file are not those of its chunks")
    path, name = _text(fields, "path"), _text(fields, "name")
    if names.split(path)[-1:] != (name,):
        raise ValueError(f"the path does not end with {name!r}")
    created = datetime.fromisoformat(_text(fields, "created"))
    if created.tzinfo is None:
        raise ValueError("created has no time zone")
    return Manifest(file, path, name, _text(fields, "media_type"), created.astimezone(UTC))


def _piece_size(file: StoredFile) -> int:
    sizes = {chunk.piece_size for chunk in file.chunks} or {
        1
    }  # an empty file has no pieces; any size is true of it
    if len(sizes) > 1:
        raise ValueError(f"file {file.uuid} has pieces of sizes {sorted(sizes)}")
    return sizes.pop()


def _chunk_fields(chunk: Chunk) -> dict[str, object]:
    return {
        "index": chunk.index,
        "offset": chunk.offset,
        "size": chunk.size,
        "sha256": chunk.sha256.hex(),
        "crc32": f"{chunk.crc32:08x}",
        "pieces": base64.b64encode(chunk.pieces).decode("ascii"),
        "channel": chunk.locator.channel,
        "message": chunk.locator.message,
    }


def _chunk(fields: object, piece_size: int) -> Chunk:
    if not isinstance(fields, dict):
        raise TypeError("a chunk is not an object")
    try:
        pieces = base64.b64decode(_text(fields, "pieces"), validate=True)
    except binascii.Error:
        raise ValueError("pieces is not base64") from None
    return Chunk(
        index=_number(fields, "index"),
        offset=_number(fields, "offset"),
        size=_number(fields, "size"),
        sha256=_digest(fields, "sha256"),
        crc32=_crc32(fields),
        pieces=pieces,
        locator=Locator(_number(fields, "channel"), _number(fields, "message")),
        piece_size=piece_size,
    )


def _typed(fields: dict[str, Any], key: str, kind: type) -> Any:
    value = fields[key]
    if type(value) is not kind:  # exactly: a bool is no number here
        raise TypeError(f"{key} is not a {kind.__name__}")
    return value


def _text(fields: dict[str, Any], key: str) -> str:
    text: str = _typed(fields, key, str)
    return text


def _number(fields: dict[str, Any], key: str) -> int:
    number: int = _typed(fields, key, int)
    return number


def _digest(fields: dict[str, Any], key: str) -> bytes:
    digest = bytes.fromhex(_text(fields, key))
    if len(digest) != 32:
        raise ValueError(f"{key} is not a SHA-256 digest")
    return digest


def _crc32(fields: dict[str, Any]) -> int:
    digest = bytes.fromhex(_text(fields, "crc32"))
    if len(digest) != 4:
        raise ValueError("crc32 is not a CRC-32")
    return int.from_bytes(digest, "big")
