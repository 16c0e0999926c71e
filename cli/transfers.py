"""`put`, `get`, `ls`, `rm`: they speak HTTP to a running server, here or elsewhere, by way of client/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import config
import names
from cli.remote import api_of, local_goal, to_a_server, transfer, written
from client import nodes, tree
from client.api import Api
from client.download import Downloader
from client.tree import Move, Report
from client.upload import Uploader
from errors import BadInput, NotFound


@click.command()
@click.argument("local", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("remote")
@to_a_server
def put(local: tuple[Path, ...], remote: str, url: str | None, token: str | None) -> None:
    """Put files and folders on the server.

    A single file or folder becomes REMOTE. With several, or when REMOTE ends with "/", they go into REMOTE under their
    own names; so does a file when REMOTE is a folder. What is there with the same contents is passed over, so
    repeating the command goes on where it was stopped.
    """
    names.split(remote)
    with transfer("sent", url, token) as (api, progress, report):
        uploader = Uploader(api, config.read_client().state_dir / "uploads", progress.moved)
        into = len(local) > 1 or remote.endswith("/")
        tree.run(
            (move for path in local for move in _puts(api, uploader, path, remote, into, report)), report
        )


def _puts(
    api: Api, uploader: Uploader, local: Path, remote: str, into: bool, report: Report
) -> Iterator[Move]:
    inside = f"{remote.rstrip('/')}/{local.resolve().name}"
    if local.is_dir():
        yield from tree.puts(api, uploader, local, inside if into else remote, report)
    elif local.is_file():
        there = nodes.find(api, inside if into else remote)
        if there is not None and there.is_folder and not into:
            yield from _puts(api, uploader, local, remote, True, report)
            return
        report.expect(local.stat().st_size)
        yield local, lambda: uploader.send(local, inside if into else remote, there)
    else:
        report.fail(local, NotFound("there is no such file or folder here."))


@click.command()
@click.argument("remote")
@click.argument("local", required=False, type=str)
@to_a_server
def get(remote: str, local: str | None, url: str | None, token: str | None) -> None:
    """Get a file or a folder from the server, and verify every byte.

    It becomes LOCAL; without LOCAL, or when that ends with "/", it keeps its name. A file goes into LOCAL when that is
    a folder. What is here with the same contents is passed over, so repeating the command goes on where it was
    stopped.
    """
    with transfer("got", url, token) as (api, progress, report):
        node = nodes.at(api, remote)
        downloader = Downloader(api, progress.moved)
        goal = local_goal(node.name, local, into=not node.is_folder)
        if node.is_folder:
            moves = tree.gets(api, downloader, node.path, goal, report)
        else:
            with written(goal):
                goal.parent.mkdir(parents=True, exist_ok=True)
            report.expect(node.size)
            moves = iter([(node.path, lambda: downloader.fetch(node, goal))])
        tree.run(moves, report)


@click.command()
@click.argument("remote", default="/")
@to_a_server
def ls(remote: str, url: str | None, token: str | None) -> None:
    """Show what a folder on the server holds: size in bytes, time of change (UTC), name."""
    with api_of(url, token) as api:
        node = nodes.at(api, remote)
        for entry in nodes.listing(api, remote) if node.is_folder else [node]:
            size, end = ("", "/") if entry.is_folder else (str(entry.size), "")
            click.echo(names.shown(f"{size:>14}  {entry.modified_at[:19]:19}  {entry.name}{end}"))


@click.command()
@click.argument("remote")
@click.option("--forever", is_flag=True, help="Past the bin: it cannot be restored.")
@to_a_server
def rm(remote: str, forever: bool, url: str | None, token: str | None) -> None:
    """Delete a file, or a folder with all that is in it. It goes into the bin, from where the page restores it."""
    with api_of(url, token) as api:
        node = nodes.at(api, remote)
        if node.path == "/":
            raise BadInput("The topmost folder cannot be deleted; name what is in it.")
        nodes.remove(api, node, forever=forever)
