"""The bytes of documents, and of uploads that are not documents yet, as files. It must never know of messages or TL.

A document's file is whole and durable before anything refers to it. Parts rest in slots of 512 KiB, in whatever order
they come; with parts of that size, which is the usual one, the file is then complete as it stands.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

SLOT = 512 << 10
"""Bytes of the largest part; https://core.telegram.org/api/files#uploading-files."""
SMALL_FILE = 10 << 20
"""Bytes up to which saveFilePart serves; larger files go by saveBigFilePart."""
PART_LIFETIME = 6 * 3600.0
"""Seconds that parts live after the last one came; Telegram keeps them for minutes to hours."""
_OPEN_FILES = 64


class UploadRefused(Exception):
    """A part, or a set of parts, that Telegram would refuse; the message is its error's name."""


@dataclass
class Upload:
    """The parts that have come of one file, by number."""

    path: Path
    is_big: bool
    total: int | None
    file: BinaryIO
    sizes: dict[int, int] = field(default_factory=dict)
    touched: float = field(default_factory=time.monotonic)

    def __repr__(self) -> str:
        return f"<Upload {self.path.name}: {len(self.sizes)} of {self.total or '?'} parts>"

    def save(self, part: int, data: bytes) -> None:
        """Keep one part; the same one may come again. Raises UploadRefused."""
        if self.total is not None and part < self.total - 1:
            _check_part_size(len(data))
            known = next((size for number, size in self.sizes.items() if number < self.total - 1), len(data))
            if known != len(data):
                raise UploadRefused("FILE_PART_SIZE_CHANGED")
        _write_at(self.file, part * SLOT, data)
        self.sizes[part] = len(data)
        self.touched = time.monotonic()

    def checked_size(self, parts: int) -> int:
        """Bytes of the whole file, if exactly `parts` parts make one. Raises UploadRefused."""
        if parts < 1 or self.total not in (None, parts) or len(self.sizes) > parts:
            raise UploadRefused("FILE_PARTS_INVALID")
        for number in range(parts):
            if number not in self.sizes:
                raise UploadRefused(f"FILE_PART_{number}_MISSING")
        first = self.sizes[0]
        if parts > 1:
            _check_part_size(first)
        if any(self.sizes[number] != first for number in range(parts - 1)) or self.sizes[parts - 1] > first:
            raise UploadRefused("FILE_PART_SIZE_CHANGED")
        size = sum(self.sizes.values())
        if self.is_big != (size > SMALL_FILE):
            raise UploadRefused("FILE_PARTS_INVALID")
        return size


class Bodies:
    """Documents under `documents/`, uploads under `uploads/`; whatever was left of uploads by an earlier run goes."""

    def __init__(self, folder: Path) -> None:
        self._documents = folder / "documents"
        self._uploads_folder = folder / "uploads"
        self._documents.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._uploads_folder, ignore_errors=True)
        self._uploads_folder.mkdir()
        self._uploads: dict[tuple[int, int], Upload] = {}
        self._open: OrderedDict[int, BinaryIO] = OrderedDict()

    def save_part(self, account: int, file_id: int, part: int, total: int | None, data: bytes) -> None:
        """Keep part `part` of the account's file `file_id`; `total` parts for a big file, else None.

        Raises UploadRefused.
        """
        upload = self._uploads.get((account, file_id))
        if upload is not None and (upload.is_big, upload.total) != (total is not None, total):
            raise UploadRefused("FILE_PARTS_INVALID")
        if upload is None:
            path = self._uploads_folder / f"{account}_{file_id & 0xFFFFFFFFFFFFFFFF:016x}"
            upload = Upload(path, total is not None, total, path.open("w+b", buffering=0))
            self._uploads[account, file_id] = upload
        upload.save(part, data)

    def take(self, account: int, file_id: int, parts: int, is_big: bool) -> tuple[Upload, int]:
        """Take an upload out, with its size, to be kept; its parts cannot be used again. Raises UploadRefused."""
        upload = self._uploads.get((account, file_id))
        if upload is None:
            raise UploadRefused("FILE_PART_0_MISSING")
        if upload.is_big != is_big:
            raise UploadRefused("FILE_PARTS_INVALID")
        size = upload.checked_size(parts)
        del self._uploads[account, file_id]
        return upload, size

    def keep(self, document: int, upload: Upload, size: int, md5: str = "") -> None:
        """Make `upload` the body of `document`, durably. Slow: it waits for the disk. May run in any thread.

        `md5` in hex is compared if it is given. Raises UploadRefused, OSError.
        """
        try:
            with upload.file as file:
                _close_gaps(file, upload.sizes, size)
                if md5 and _md5_of(file) != md5.lower():
                    raise UploadRefused("MD5_CHECKSUM_INVALID")
                os.fsync(file.fileno())
            upload.path.replace(self._path(document))
            _sync_folder(self._documents)
        finally:
            upload.path.unlink(missing_ok=True)

    def read(self, document: int, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes from `offset`. Raises FileNotFoundError when there is no such document."""
        file = self._open.get(document)
        if file is None:
            file = self._path(document).open("rb", buffering=0)
            self._open[document] = file
            if len(self._open) > _OPEN_FILES:
                self._open.popitem(last=False)[1].close()
        else:
            self._open.move_to_end(document)
        file.seek(offset)
        return file.read(limit)

    def delete(self, document: int) -> None:
        """Forget a document's bytes, if there are any."""
        if file := self._open.pop(document, None):
            file.close()
        self._path(document).unlink(missing_ok=True)

    def stored(self) -> set[int]:
        """The ids of all documents whose bytes are here."""
        return {int(path.name, 16) for path in self._documents.iterdir()}

    def expire_uploads(self, lifetime: float = PART_LIFETIME) -> None:
        """Forget the parts of uploads to which nothing was added for `lifetime` seconds."""
        oldest = time.monotonic() - lifetime
        for name in [name for name, upload in self._uploads.items() if upload.touched < oldest]:
            upload = self._uploads.pop(name)
            upload.file.close()
            upload.path.unlink(missing_ok=True)

    def close(self) -> None:
        for file in self._open.values():
            file.close()
        for upload in self._uploads.values():
            upload.file.close()
        self._open.clear()
        self._uploads.clear()

    def _path(self, document: int) -> Path:
        return self._documents / f"{document:016x}"


def check_part(part: int, total: int | None, size: int, max_parts: int) -> None:
    """Refuse a part by its number and size alone. Raises UploadRefused."""
    if total is not None and not 0 < total <= max_parts:
        raise UploadRefused("FILE_PARTS_INVALID")
    if not 0 <= part < (max_parts if total is None else total):
        raise UploadRefused("FILE_PART_INVALID")
    if size == 0:
        raise UploadRefused("FILE_PART_EMPTY")
    if size > SLOT:
        raise UploadRefused("FILE_PART_TOO_BIG")


def _check_part_size(size: int) -> None:
    """ "part_size % 1024 = 0" and "524288 % part_size = 0", for every part but the last."""
    if size % 1024 or SLOT % size:
        raise UploadRefused("FILE_PART_SIZE_INVALID")


def _close_gaps(file: BinaryIO, sizes: dict[int, int], size: int) -> None:
    """Move parts smaller than their slots together, and cut the file to `size`."""
    if sizes[0] != SLOT:
        for part in range(1, len(sizes)):
            file.seek(part * SLOT)
            _write_at(file, part * sizes[0], file.read(sizes[part]))
    file.truncate(size)


def _md5_of(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while data := file.read(SLOT):
        digest.update(data)
    return digest.hexdigest()


def _write_at(file: BinaryIO, offset: int, data: bytes) -> None:
    """All of `data`; an unbuffered file may take less when the disk is nearly full, which then fails as full."""
    file.seek(offset)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable; Windows has no such call, and needs none."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
