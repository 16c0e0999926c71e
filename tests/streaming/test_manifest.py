"""The document that a file can be found by when the index is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import BadInput
from storage.memory import MemoryStore
from streaming.manifest import Manifest, decode, encode
from tests.streaming.at_rest import stored, text

CREATED = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)


def manifest(*sizes: int) -> Manifest:
    return Manifest(
        stored(MemoryStore(), text(sum(sizes)), sizes), "/a/Zoë.bin", "Zoë.bin", "text/plain", CREATED
    )


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.one_of(st.none(), st.binary(min_size=32, max_size=32)),
)
def test_what_is_written_can_be_read(sizes: list[int], sha256: bytes | None) -> None:
    given_ = manifest(*sizes)
    given_ = replace(given_, file=replace(given_.file, sha256=sha256))
    assert decode(encode(given_)) == given_


def test_a_file_of_no_bytes_has_a_manifest() -> None:
    assert decode(encode(manifest())) == manifest()


def test_times_are_written_in_utc() -> None:
    east = replace(manifest(3), created=CREATED.astimezone(timezone(timedelta(hours=2))))
    assert encode(east) == encode(manifest(3))


def test_version_1_keeps_its_fields() -> None:
    document = json.loads(encode(manifest(9, 3)))
    assert list(document) == [
        *("stowgram", "uuid", "path", "name", "size", "media_type"),
        *("created", "sha256", "tree", "crc32", "piece_size", "chunks"),
    ]
    assert list(document["chunks"][0]) == [
        *("index", "offset", "size", "sha256", "crc32", "pieces", "channel", "message"),
    ]
    assert document["stowgram"] == 1
    assert document["created"] == "2026-11-21T01:02:03.456789+00:00"


WRONG: dict[str, tuple[object, ...]] = {
    "stowgram": (2, "1", None),
    "uuid": ("", 7, "no"),
    "path": ("a", "/other", "/a/../b", 3),
    "name": ("", "other", ".."),
    "size": (-1, 11, True, 1.5, "12", 1 << 80),
    "media_type": (None, 1),
    "created": ("yesterday", "2026-11-21T00:00:00", 5),
    "sha256": ("00", "zz" * 32, 5),
    "tree": ("00" * 32, "", None),
    "crc32": ("00000000", "0", 1),
    "piece_size": (0, -4, 5, 1 << 70, None),
    "chunks": (None, {}, [], [1], [{}], [[]]),
}


@pytest.mark.parametrize(("key", "wrong"), [(key, wrong) for key in WRONG for wrong in WRONG[key]])
def test_a_manifest_with_a_wrong_field_is_refused(key: str, wrong: object) -> None:
    document: dict[str, Any] = json.loads(encode(manifest(9, 3)))
    with pytest.raises(BadInput):
        decode(json.dumps({**document, key: wrong}).encode())
    del document[key]
    with pytest.raises(BadInput):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("index", 1), ("offset", 1), ("size", 0), ("size", 8), ("sha256", ""), ("crc32", "00000000"),
        ("pieces", "AAAA"), ("pieces", "é"), ("pieces", "!"), ("channel", "x"), ("message", None), ("message", True),
    ],
)  # fmt: skip
def test_a_manifest_with_a_wrong_chunk_is_refused(key: str, wrong: object) -> None:
    document: dict[str, Any] = json.loads(encode(manifest(9, 3)))
    document["chunks"][0][key] = wrong
    with pytest.raises(BadInput):
        decode(json.dumps(document).encode())


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(document: bytes) -> None:
    with pytest.raises(BadInput):
        decode(document)


@pytest.mark.parametrize(
    "document", [b"[" * 100_000, b'{"stowgram":' + b"1" * 10_000 + b"}", b"\xff", b"[]", b"null"]
)
def test_documents_made_to_hurt_are_refused(document: bytes) -> None:
    with pytest.raises(BadInput):
        decode(document)
