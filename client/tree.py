"""Whole folders, both ways: a few files at a time, and one that fails never stops the others.

Repeating a run is how it is resumed: what is there already, with the same contents, is passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

import names
from client import nodes
from client.api import Api, Unreachable
from client.download import Downloader
from client.nodes import Node
from client.partial import PART_ENDINGS
from client.upload import Uploader
from errors import BadName, ClientGone, Conflict, NotSignedIn, StowgramError

AT_A_TIME = 4
"""Files in transfer at once: enough to hide the round trips of small ones."""
_QUEUE = 4 * AT_A_TIME
"""Files waiting for their turn, so that a tree of any size needs little memory."""
_HOPELESS = (NotSignedIn, Unreachable, ClientGone)
"""After these the other files would fare no better."""

Move = tuple[Path | str, Callable[[], bool]]
"""What is moved, and how; False when it was at its goal already."""


@dataclass(slots=True)
class Report:
    """How a run went. `say` gets a line for all that went wrong, `expect` the size of each file found."""

    say: Callable[[str], None]
    expect: Callable[[int], None]
    moved: int = 0
    there: int = 0
    failed: int = 0

    def pass_over(self, what: Path | str, why: str) -> None:
        """It is of no kind that we keep; that is no failure."""
        self.say(f"passed over: {what}: {why}")

    def fail(self, what: Path | str, why: StowgramError | OSError) -> None:
        self.failed += 1
        self.say(f"failed: {what}: {(isinstance(why, OSError) and why.strerror) or why}")


def run(moves: Iterable[Move], report: Report) -> None:
    """Make all `moves`. Only a server that is out of reach or refuses the token ends the run, with that error."""
    pool = ThreadPoolExecutor(AT_A_TIME, "transfer")
    pending: dict[Future[bool], Path | str] = {}
    try:
        for what, move in moves:
            pending[pool.submit(move)] = what
            if len(pending) >= _QUEUE:
                _settle(pending, report)
        while pending:
            _settle(pending, report)
    finally:
        # Nothing is waited for: after an error or Ctrl-C what is under way is worth its notes only.
        pool.shutdown(wait=False, cancel_futures=True)


def _settle(pending: dict[Future[bool], Path | str], report: Report) -> None:
    """Wait for at least one to end, and take down how. Every move has deadlines of its own."""
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        what = pending.pop(future)
        try:
            if future.result():
                report.moved += 1
            else:
                report.there += 1
        except _HOPELESS:
            raise
        except (StowgramError, OSError) as error:
            report.fail(what, error)


def puts(api: Api, uploader: Uploader, local: Path, remote: str, report: Report) -> Iterator[Move]:
    """The moves that put the folder `local` and all below it at `remote`; folders are made on the way."""
    made = remote != "/" and nodes.make_folder(api, remote)
    there = {} if made else {node.name: node for node in nodes.listing(api, remote)}
    for name, entry in _named(local, report):
        goal = f"{remote.rstrip('/')}/{name}"
        try:
            status = entry.lstat()
            if S_ISDIR(status.st_mode):
                yield from puts(api, uploader, entry, goal, report)
            elif S_ISREG(status.st_mode):
                report.expect(status.st_size)
                yield entry, partial(uploader.send, entry, goal, there.get(name))
            else:
                report.pass_over(
                    entry, "a symbolic link" if S_ISLNK(status.st_mode) else "no file and no folder"
                )
        except _HOPELESS:
            raise
        except (StowgramError, OSError) as error:
            report.fail(entry, error)


def _named(folder: Path, report: Report) -> Iterator[tuple[str, Path]]:
    """What is in a local folder, each with the name it will have on the server."""
    seen: set[str] = set()
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        report.fail(folder, error)
        return
    for entry in entries:
        try:
            name = names.checked(entry.name)
        except BadName as error:
            report.fail(ascii(str(entry)), error)
            continue
        if name in seen:  # the server would take the second for a new version of the first
            report.fail(entry, Conflict("this name is here twice, in two Unicode forms. Rename one."))
            continue
        seen.add(name)
        yield name, entry


def gets(api: Api, downloader: Downloader, remote: str, local: Path, report: Report) -> Iterator[Move]:
    """The moves that get all below the folder `remote` into the folder `local`, which is made."""
    local.mkdir(parents=True, exist_ok=True)
    found = list(nodes.listing(api, remote))
    for node, name in zip(
        found, local_names([node.name for node in found], sys.platform == "win32"), strict=True
    ):
        try:
            goal = local / names.checked(name)
            yield from _get(api, downloader, node, goal, report)
        except _HOPELESS:
            raise
        except (StowgramError, OSError) as error:
            report.fail(node.path, error)


def _get(api: Api, downloader: Downloader, node: Node, goal: Path, report: Report) -> Iterator[Move]:
    if node.is_folder:
        yield from gets(api, downloader, node.path, goal, report)
    else:
        report.expect(node.size)
        yield node.path, partial(downloader.fetch, node, goal)


def local_names(remote: list[str], windows: bool) -> list[str]:
    """What the files of one folder are called here. Two that would be one file here are told apart by `_1`."""
    wanted = [_local_name(name, windows) for name in remote]
    key = names.key if windows else str
    # A name that needs no change keeps it, whatever its neighbours would like to be called.
    taken = {key(name) for name, here in zip(remote, wanted, strict=True) if name == here}
    result = []
    for name, here in zip(remote, wanted, strict=True):
        if here != name:
            stem, dot, ending = here.rpartition(".")
            number = 0
            while key(here) in taken:
                number += 1
                here = f"{stem}_{number}{dot}{ending}" if stem else f"{ending}_{number}"
            taken.add(key(here))
        result.append(here)
    return result


def _local_name(name: str, windows: bool) -> str:
    """What it may be called here, neighbours aside: part files and their notes are ours, and no file of a folder."""
    if name.casefold().endswith(PART_ENDINGS):
        name += "_"
    return names.for_windows(name) if windows else name
