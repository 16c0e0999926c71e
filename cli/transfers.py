"""`put`, `get`, `ls`, `rm`: they speak HTTP to a running server, here or elsewhere, by way of client/."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click

import config
import names
from client import nodes, tree
from client.api import Api
from client.download import Downloader
from client.progress import Progress
from client.tree import Move, Report
from client.upload import Uploader
from errors import BadInput, NotFound

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells count it."""


def _to_a_server(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that speaks to a server."""
    command = click.option("--token", help="An API token; by default STOWGRAM_TOKEN, or this host's own.")(
        command
    )
    return click.option("--url", help="The server; by default STOWGRAM_URL, or the one on this host.")(
        command
    )


def _api(url: str | None, token: str | None) -> Api:
    settings = config.read_client()
    url = url or settings.url
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(f"{url!r} is no address of a server; it begins with http:// or https://")
    token = token or settings.token
    # This host's token is for this host: no other server may see it.
    if token is None and parts.hostname in {settings.host, "127.0.0.1", "::1", "localhost"}:
        try:
            token = settings.local_token.read_text(encoding="utf-8").strip()
        except OSError:  # another user's server, or none yet: it will say that a token is needed
            token = None
    return Api(url, token)


@contextmanager
def _transfer(what: str, url: str | None, token: str | None) -> Iterator[tuple[Api, Progress, Report]]:
    """A transfer with its bar and its report; at the end, what came of it."""
    with _api(url, token) as api:
        try:
            with Progress(what) as progress:
                api.notice = progress.say
                report = Report(say=progress.say, expect=progress.expect)
                yield api, progress, report
        except KeyboardInterrupt:
            api.stop.set()
            click.echo("stowgram: Stopped. The same command goes on where this one was.", err=True)
            sys.stderr.flush()
            os._exit(INTERRUPTED)  # transfers under way have written down all that they need
    if report.moved + report.there + report.failed > 1:
        click.echo(f"{report.moved} {what}, {report.there} there already, {report.failed} failed")
    if report.failed:
        sys.exit(1)


@click.command()
@click.argument("local", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("remote")
@_to_a_server
def put(local: tuple[Path, ...], remote: str, url: str | None, token: str | None) -> None:
    """Put files and folders on the server.

    A single file or folder becomes REMOTE. With several, or when REMOTE ends with "/", they go into REMOTE under their
    own names; so does a file when REMOTE is a folder. What is there with the same contents is passed over, so
    repeating the command goes on where it was stopped.
    """
    names.split(remote)
    with _transfer("sent", url, token) as (api, progress, report):
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
@_to_a_server
def get(remote: str, local: str | None, url: str | None, token: str | None) -> None:
    """Get a file or a folder from the server, and verify every byte.

    It becomes LOCAL; without LOCAL, or when that ends with "/", it keeps its name. A file goes into LOCAL when that is
    a folder. What is here with the same contents is passed over, so repeating the command goes on where it was
    stopped.
    """
    with _transfer("got", url, token) as (api, progress, report):
        node = nodes.at(api, remote)
        downloader = Downloader(api, progress.moved)
        goal = _goal(node, local)
        if node.is_folder:
            moves = tree.gets(api, downloader, node.path, goal, report)
        else:
            goal.parent.mkdir(parents=True, exist_ok=True)
            report.expect(node.size)
            moves = iter([(node.path, lambda: downloader.fetch(node, goal))])
        tree.run(moves, report)


def _goal(node: nodes.Node, local: str | None) -> Path:
    """Where `node` goes on this machine."""
    (name,) = tree.local_names([node.name], sys.platform == "win32")
    if local is None:
        return Path(name)
    folder = Path(local)
    inside = local.endswith(("/", os.sep)) or (folder.is_dir() and not node.is_folder)
    return folder / name if inside else folder


@click.command()
@click.argument("remote", default="/")
@_to_a_server
def ls(remote: str, url: str | None, token: str | None) -> None:
    """Show what a folder on the server holds: size in bytes, time of change (UTC), name."""
    with _api(url, token) as api:
        node = nodes.at(api, remote)
        for entry in nodes.listing(api, remote) if node.is_folder else [node]:
            size, end = ("", "/") if entry.is_folder else (str(entry.size), "")
            click.echo(names.shown(f"{size:>14}  {entry.modified_at[:19]:19}  {entry.name}{end}"))


@click.command()
@click.argument("remote")
@click.option("--forever", is_flag=True, help="Past the bin: it cannot be restored.")
@_to_a_server
def rm(remote: str, forever: bool, url: str | None, token: str | None) -> None:
    """Delete a file, or a folder with all that is in it. It goes into the bin, from where the page restores it."""
    with _api(url, token) as api:
        node = nodes.at(api, remote)
        if node == nodes.ROOT:
            raise BadInput("The topmost folder cannot be deleted; name what is in it.")
        nodes.remove(api, node, forever=forever)
