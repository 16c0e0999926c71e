"""What an operation is, and the words that operations are written in: JSON Schema (draft 2020-12), kept short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
Content = Schema | str | None
"""Of a body: JSON of this schema, bytes of this media type, or nothing."""

MAX = (1 << 63) - 1
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MAX}
REAL: Schema = {"type": "number", "minimum": 0}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
CRC: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
PATH: Schema = {"type": "string", "pattern": "^/"}
CURSOR: Schema = {"type": "string"}
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 1000}
HTML = "text/html"
ZIP = "application/zip"
RANGE: Mapping[str, Schema] = {"Range": TEXT, "If-Range": TEXT, "If-Match": TEXT, "If-None-Match": TEXT}
"""Headers of requests for bytes."""
CONSTANT_TUS: Schema = {"type": "string", "const": "1.0.0"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route. Who may call it, its path, and its errors are known from the route itself."""

    summary: str
    answers: Mapping[int, Content]
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    """Those of the query and the headers that may not be left out."""
    body: Content = None
    body_needed: bool = True


def file_bytes(summary: str) -> Operation:
    return Operation(
        summary,
        ranged("*/*"),
        query={"inline": choice("0", "1")},
        headers={**RANGE, "If-Modified-Since": TEXT, "If-Unmodified-Since": TEXT},
    )


def thumbnail(summary: str) -> Operation:
    return Operation(
        summary,
        {200: "image/webp", 304: None},
        query={"edge": {"enum": [320, 640, 1600]}, "v": DIGEST},
        headers={"If-None-Match": TEXT},
    )


def ranged(media_type: str) -> Mapping[int, Content]:
    """The answers to a request for bytes (RFC 9110): all of them, a range, or that they are the same still."""
    return {200: media_type, 206: media_type, 304: None}


def ref(name: str) -> Schema:
    """A schema of web/openapi/nouns.py."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(*optional: str, **members: Schema) -> Schema:
    """An object that has these members, but perhaps for the `optional` ones; in an answer there may be more."""
    needed = [name for name in members if name not in optional]
    return {"type": "object", "properties": members, **({"required": needed} if needed else {})}


def only(*optional: str, **members: Schema) -> Schema:
    """The same with no other members, as for what we are sent."""
    return {**record(*optional, **members), "additionalProperties": False}


def any_of(**members: Schema) -> Schema:
    """An object with some of these members and no other."""
    return only(*members, **members)


def items(schema: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    return record(items={"type": "array", "items": schema}, **more)


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}
