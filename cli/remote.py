"""How a command speaks to a running server, here or elsewhere: which one, as whom, and what is seen meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click

import config
from client import tree
from client.api import Api
from client.progress import Progress
from client.tree import Report
from errors import BadInput, Refused

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells count it."""


def to_a_server(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that speaks to a server."""
    command = click.option("--token", help="An API token; by default STOWGRAM_TOKEN, or this host's own.")(
        command
    )
    return click.option("--url", help="The server; by default STOWGRAM_URL, or the one on this host.")(
        command
    )


def api_of(url: str | None, token: str | None) -> Api:
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
def transfer(what: str, url: str | None, token: str | None) -> Iterator[tuple[Api, Progress, Report]]:
    """A transfer with its bar and its report; at the end, what came of it."""
    with api_of(url, token) as api:
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


@contextmanager
def written(goal: Path) -> Iterator[None]:
    """What the disk of this machine refuses while `goal` is made, as one of our errors: a line, and no traceback."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{error.filename or goal} cannot be written: {error.strerror}.") from None


def local_goal(name: str, local: str | None, *, into: bool) -> Path:
    """Where what is called `name` there goes on this machine; with `into` it goes into `local` if that is a folder."""
    (name,) = tree.local_names([name], sys.platform == "win32")
    if local is None:
        return Path(name)
    folder = Path(local)
    inside = local.endswith(("/", os.sep)) or (into and folder.is_dir())
    return folder / name if inside else folder
