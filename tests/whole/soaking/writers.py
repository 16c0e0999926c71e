"""Those who bring: whole files and uploads in parts, cut off, taken up again and given up; renaming, deleting.

Each has a folder of its own, so that it is known what must be in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.whole.soaking.content import Content
from tests.whole.soaking.line import Cut, Line
from tests.whole.soaking.reading import Reading, ask_for, fetch
from tests.whole.soaking.shelf import Shelf
from tests.whole.soaking.visitor import Full, Habit, Unavailable, Visitor, Wrong
from tests.whole.tus import TUS, UPLOADS, b64

SIZES = (0, 1, 70_000, (1 << 20) + 3, (4 << 20) + 1, 9 << 20)
"""A chunk is 4 MiB."""
JSON = {"Content-Type": "application/json"}
PART = 2 << 20
TRIES = 60
"""How often somebody who was cut off in an upload takes it up again, half a second later."""


def tidy(visitor: Visitor) -> None:
    """End what was begun and not finished, and take away the folder, as good guests do.

    An upload may turn out to be finished (409), gone, or busy with its last part (423).
    """
    with visitor.line() as line:
        for upload in sorted(visitor.left_behind):
            answer, _ = visitor.ask(line, "DELETE", upload, TUS, expect={204, 404, 409, 410, 423})
            if answer.status != 423:  # else once more, later
                visitor.left_behind.discard(upload)
        for node in visitor.listing(line, "/"):
            if node["path"] == visitor.folder:
                visitor.ask(line, "DELETE", f"/api/v1/folders/{node['id']}?forever=1", expect={204})


def something(visitor: Visitor, sizes: Sequence[int] = SIZES) -> Content:
    """Bytes that were never sent before, by a name of their own."""
    return Content(f"{visitor.name}-{visitor.dice.randrange(10**9)}", visitor.dice.choice(sizes))


def shelve(node: dict[str, Any], content: Content) -> Shelf:
    """The file of this node. Raises Wrong if it cannot have this content."""
    if node["size"] != content.size:
        raise Wrong(f"{content} was stored with {node['size']} bytes")
    return Shelf(node["id"], f'"{node["etag"]}"', content)


def put(visitor: Visitor, line: Line, content: Content, name: str | None = None) -> dict[str, Any]:
    """The node of what was put."""
    target = f"/api/v1/content{visitor.folder}/{name or content.name}"
    _, document = visitor.ask(line, "PUT", target, body=content.read(0, content.size), expect={200, 201})
    node: dict[str, Any] = json.loads(document)
    return node


def put_and_delete(visitor: Visitor) -> None:
    """In, out, another name, out, away."""
    content = something(visitor)
    with visitor.line() as line:
        shelf = shelve(put(visitor, line, content), content)
        fetch(visitor, line, shelf)
        new = json.dumps({"name": f"{content.name} renamed"}).encode()
        visitor.ask(line, "PATCH", f"/api/v1/files/{shelf.id}", JSON, new)
        fetch(visitor, line, shelf)
        visitor.ask(line, "DELETE", f"/api/v1/files/{shelf.id}?forever=1", expect={204})
        visitor.ask(line, "GET", shelf.address, expect={404})


def replace(visitor: Visitor) -> None:
    """Somebody who reads it meanwhile gets the old bytes or is cut, but never both contents in one."""
    old, new = something(visitor), something(visitor)
    with visitor.line() as line, visitor.line() as other:
        shelf = shelve(put(visitor, line, old, "replaced"), old)
        ask_for(other, shelf)
        reading = Reading(visitor, other, shelf)
        reading.go_on(PART)
        fetch(visitor, line, shelve(put(visitor, line, new, "replaced"), new))
        try:
            reading.go_on()
        except Cut:
            pass  # its messages may be deleted by now


def put_and_vanish(visitor: Visitor) -> None:
    """In the middle of the body; it must never be seen."""
    content = something(visitor)
    body = content.read(0, content.size)
    line = visitor.line()
    try:
        target = f"/api/v1/content{visitor.folder}/vanished"
        head = line.head("PUT", target, {"Content-Length": str(len(body) + 1)})
        line.send(head + body[: visitor.dice.randint(0, len(body))])
    finally:
        line.reset()
    with visitor.line() as line:
        if any(node["name"] == "vanished" for node in visitor.listing(line, visitor.folder)):
            raise Wrong("a file is visible whose bytes never all arrived")


def upload_in_parts(visitor: Visitor) -> None:
    """tus, with a part cut off now and then, until all is there; then it must be right."""
    content = something(visitor)
    with visitor.line() as line:
        upload = create(visitor, line, content)
    for left in reversed(range(TRIES)):
        if visitor.world.over.is_set():
            return
        try:
            if _go_on(visitor, upload, content):
                break
        except (Cut, Unavailable, Full):
            if not left or visitor.world.over.wait(0.5):
                raise
    visitor.left_behind.discard(upload)
    with visitor.line() as line:
        nodes = {node["name"]: node for node in visitor.listing(line, visitor.folder)}
        if content.name not in nodes:
            raise Wrong(f"{content} was acknowledged and is not there")
        shelf = shelve(nodes[content.name], content)
        fetch(visitor, line, shelf)
        visitor.ask(line, "DELETE", f"/api/v1/files/{shelf.id}?forever=1", expect={204})


def give_up_an_upload(visitor: Visitor) -> None:
    content = something(visitor, SIZES[1:])  # one of no bytes is finished when it is begun
    with visitor.line() as line:
        upload = create(visitor, line, content)
        body = content.read(0, min(PART, content.size - 1))
        visitor.ask(line, "PATCH", upload, at(0), body, expect={204})
        visitor.ask(line, "DELETE", upload, TUS, expect={204})
        visitor.left_behind.discard(upload)
        visitor.ask(line, "HEAD", upload, TUS, expect={404, 410})


def create(visitor: Visitor, line: Line, content: Content) -> str:
    """The address of a new upload."""
    metadata = f"filename {b64(content.name)},path {b64(visitor.folder)}"
    headers = TUS | {"Upload-Length": str(content.size), "Upload-Metadata": metadata}
    answer, _ = visitor.ask(line, "POST", UPLOADS, headers, expect={201})
    visitor.left_behind.add(answer.headers["location"])
    return answer.headers["location"]


def at(offset: int) -> dict[str, str]:
    return TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}


def _go_on(visitor: Visitor, upload: str, content: Content) -> bool:
    """Ask where it stands and send parts from there, until one is cut off; whether it is complete."""
    line = visitor.line()
    try:
        answer, _ = visitor.ask(line, "HEAD", upload, TUS)
        offset = int(answer.headers["upload-offset"])
        while offset < content.size:
            part = content.read(offset, min(offset + PART, content.size))
            if visitor.dice.random() < 0.2:
                head = line.head("PATCH", upload, {**at(offset), "Content-Length": str(len(part))})
                line.send(head + part[: visitor.dice.randrange(len(part))])
                line.reset()
                return False
            answer, data = visitor.ask(line, "PATCH", upload, at(offset), part, expect={204, 409, 423})
            if answer.status != 204:  # a request that was cut off is still being dealt with
                raise Unavailable(f"{answer.status}: {data[:200]!r}")
            offset = int(answer.headers["upload-offset"])
        return True
    finally:
        line.close()


WRITING: dict[Habit, int] = {
    put_and_delete: 2,
    replace: 2,
    put_and_vanish: 2,
    upload_in_parts: 3,
    give_up_an_upload: 2,
}
