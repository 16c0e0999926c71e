"""`zip`: a folder as one file, by way of client/."""

from __future__ import annotations

import click

from cli.remote import local_goal, to_a_server, transfer, written
from client import archives, nodes
from client.nodes import Node
from client.partial import Part
from client.progress import Progress
from errors import BadInput


@click.command("zip")
@click.argument("remote")
@click.argument("local", required=False, type=str)
@click.option("--prepare", is_flag=True, help="Have the server make it first, compressed if it does that.")
@to_a_server
def zip_folder(remote: str, local: str | None, prepare: bool, url: str | None, token: str | None) -> None:
    """Get a folder from the server as a ZIP, and test it as a whole.

    It becomes LOCAL, or goes into LOCAL under the folder's name when that is a folder. Repeating the command goes on
    where it was stopped, unless the folder has changed since.
    """
    address = ""
    if prepare:
        with transfer("prepared", url, token) as (api, progress, _):
            folder = _folder(nodes.at(api, remote))
            address = archives.prepared(api, folder, progress.expect, progress.moved)
    with transfer("got", url, token) as (api, progress, _):
        folder = _folder(nodes.at(api, remote))
        goal = local_goal(f"{folder.name or 'stowgram'}.zip", local, into=True)
        with written(goal):
            goal.parent.mkdir(parents=True, exist_ok=True)
            if prepare:
                with archives.at(address, folder.path) as (elsewhere, contents):
                    elsewhere.stop, elsewhere.notice = api.stop, api.notice
                    progress.expect(contents.size)
                    part = archives.fetch(elsewhere, contents, goal, progress.moved)
            else:
                contents = archives.streamed(api, folder)
                progress.expect(contents.size)
                part = archives.fetch(api, contents, goal, progress.moved)
    with written(goal):
        _test(part, folder)
        part.become(goal)


def _folder(node: Node) -> Node:
    if not node.is_folder:
        raise BadInput(f"{node.path} is a file; a ZIP is made of a folder. Use `get`.")
    return node


def _test(part: Part, folder: Node) -> None:
    with Progress("tested") as progress:
        archives.test(part, folder.path, progress.expect, progress.moved)
