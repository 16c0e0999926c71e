"""upload.*: bytes in and out, with every limit of https://core.telegram.org/api/files."""

from __future__ import annotations

import struct
import time
from typing import Any

from telethon.tl import functions, types

from sandbox.api.call import Call, Raw, RpcError, method
from sandbox.api.service import MAX_PARTS
from sandbox.bodies import UploadRefused, check_part
from sandbox.model import Document
from sandbox.protocol.tl import pack_bytes_head

_BLOCK = 1 << 20
"""Bytes of the aligned blocks that one request stays within."""


@method(functions.upload.SaveFilePartRequest)
def save_file_part(call: Call, request: Any) -> Any:
    return _save_part(call, request, None)


@method(functions.upload.SaveBigFilePartRequest)
def save_big_file_part(call: Call, request: Any) -> Any:
    return _save_part(call, request, request.file_total_parts)


@method(functions.upload.GetFileRequest)
def get_file(call: Call, request: Any) -> Any:
    check_window(request.offset, request.limit, bool(request.precise))
    document = _find_document(call, request.location)
    try:
        data = call.world.bodies.read(document.id, request.offset, request.limit)
    except FileNotFoundError:
        raise RpcError(400, "FILE_REFERENCE_EXPIRED") from None
    data = call.world.faults.spoil(document.id, data)
    head, padding = pack_bytes_head(len(data))
    kind = types.storage.FileUnknown.CONSTRUCTOR_ID
    # By hand, because Telethon's serialisation copies the bytes four times.
    start = struct.pack("<IIi", types.upload.File.CONSTRUCTOR_ID, kind, document.created)
    return Raw([start + head, data, padding])


def check_window(offset: int, limit: int, is_precise: bool) -> None:
    """Refuse what upload.getFile refuses of an offset and a limit, in bytes. Raises RpcError."""
    unit = 1024 if is_precise else 4096
    if offset < 0 or offset % unit:
        raise RpcError(400, "OFFSET_INVALID")
    if not 0 < limit <= _BLOCK or limit % unit or (not is_precise and _BLOCK % limit):
        raise RpcError(400, "LIMIT_INVALID")
    if offset // _BLOCK != (offset + limit - 1) // _BLOCK:
        raise RpcError(400, "LIMIT_INVALID")


def _save_part(call: Call, request: Any, total: int | None) -> bool:
    try:
        check_part(request.file_part, total, len(request.bytes), MAX_PARTS)
        call.world.bodies.save_part(call.account.id, request.file_id, request.file_part, total, request.bytes)
    except UploadRefused as error:
        raise RpcError(400, str(error)) from error
    return True


def _find_document(call: Call, location: Any) -> Document:
    """The document at an InputDocumentFileLocation, if the caller may have it here. Raises RpcError."""
    if not isinstance(location, types.InputDocumentFileLocation):
        raise RpcError(400, "LOCATION_INVALID")
    world, account = call.world, call.account.id
    if location.access_hash != world.access_hash("document", location.id, account):
        raise RpcError(400, "FILE_ID_INVALID")
    if error := world.check_reference(location.file_reference, location.id, account):
        raise RpcError(400, error)
    document = world.records.document(location.id)
    if document is None:
        # Its message was deleted: Telegram, too, then asks for a newer reference, which nobody can get.
        raise RpcError(400, "FILE_REFERENCE_EXPIRED")
    if document.dc != call.dc:
        raise RpcError(303, f"FILE_MIGRATE_{document.dc}")
    return document


def new_document(call: Call, document: int, size: int, mime_type: str, attributes: bytes) -> Document:
    """A document as uploaded now; it rests in the home data centre."""
    return Document(document, size, mime_type, attributes, call.world.home, int(time.time()))
