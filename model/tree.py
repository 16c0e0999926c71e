"""The tree of names: what stands where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from model.rest import Chunk

Sort = Literal["name", "size", "modified"]
Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    owner_id: int
    parent_id: int | None
    name: str
    path: str
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """A name in the tree and what it stands for. `content_id` names the immutable contents behind it."""

    id: int
    owner_id: int
    parent_id: int
    name: str
    path: str
    created_at: datetime
    modified_at: datetime
    content_id: int
    size: int
    media_type: str
    tree: bytes
    sha256: bytes | None
    damaged_at: datetime | None


Node = File | Folder


class Below(NamedTuple):
    """A node below a folder, and one chunk of its contents; a file has one for each of its chunks, and one where it has
    none. A folder has no contents.
    """

    id: int
    parent_id: int
    is_folder: bool
    name: str
    key: str
    modified_at: datetime
    size: int
    crc32: int
    tree: bytes
    uuid: bytes
    """Of its contents, as 16 bytes."""
    chunk: Chunk | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a folder: folders first, then files; `next` is the cursor of the page after it."""

    folder: Folder
    items: tuple[Node, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Nodes from anywhere in the tree; `next` is the cursor of the page after it."""

    items: tuple[Node, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Binned:
    """What was deleted and can be restored; the node's path is where it was."""

    node: Node
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class BinPage:
    items: tuple[Binned, ...]
    next: str | None
