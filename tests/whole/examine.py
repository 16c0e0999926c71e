"""Asks REDbot about one address: `python -m tests.whole.examine URL [NAME:VALUE]...` prints its notes as JSON lines.

Its command line sends no header of ours; its library does. It has a process of its own because its event loop is one
for the whole process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from typing import Any

import thor
from redbot.resource import HttpResource


def examine(url: str, headers: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Every note about the answer to `url`, and about the answers to the requests that REDbot makes to check it."""
    parser = ConfigParser()
    parser.read_dict({"redbot": {"enable_local_access": "True"}})
    resource = HttpResource(parser["redbot"])
    resource.set_request(url, headers=headers)
    resource.on("check_done", thor.stop)
    resource.check()
    thor.run()
    yield {"check": "status", "level": "", "note": str(resource.response.status_code), "summary": ""}
    yield from _notes("plain", resource.response.notes)
    for name, check in resource.subreqs.items():
        yield from _notes(name, check.response.notes)


def _notes(check: str, notes: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for note in notes:
        yield {
            "check": check,
            "level": note.level.value,
            "note": type(note).__name__,
            "summary": note.summary,
        }
        yield from _notes(check, note.subnotes)


if __name__ == "__main__":
    pairs = [header.partition(":")[::2] for header in sys.argv[2:]]
    for found in examine(sys.argv[1], [(name, value.strip()) for name, value in pairs]):
        print(json.dumps(found))
