"""The command line, and the only place where the rooms are composed. It must never do a room's own work.

Commands are imported when they are asked for, so that `ls` does not wait for what `serve` is made of.
"""

from __future__ import annotations

import gc
import importlib
from typing import Any

import click

import names
from errors import Misconfigured, StowgramError

_COMMANDS = {
    "serve": "cli.serve:serve",
    "login": "cli.login:login",
    "user": "cli.people:user",
    "token": "cli.people:token",
    "put": "cli.transfers:put",
    "get": "cli.transfers:get",
    "ls": "cli.transfers:ls",
    "rm": "cli.transfers:rm",
    "zip": "cli.archives:zip_folder",
    "share": "cli.shares:share",
    "unshare": "cli.shares:unshare",
    "sandbox": "cli.develop:sandbox",
    "test": "cli.develop:test",
}
_UNUSABLE = 2
"""The exit code for settings that cannot work, as for wrong usage; everything else that fails exits with 1."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        gc.disable()  # nothing that is imported is garbage, and to look for some is a tenth of a start
        command: click.Command = getattr(importlib.import_module(module), name)
        gc.freeze()
        gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Our errors end here, each as one line."""
        try:
            return super().invoke(ctx)
        except Misconfigured as error:
            for fault in error.faults:
                click.echo(f"stowgram: {fault}", err=True)
            ctx.exit(_UNUSABLE)
        except StowgramError as error:
            click.echo(f"stowgram: {names.shown(str(error))}", err=True)  # a server may have worded it
            ctx.exit(1)


@click.group(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Keep your files in Telegram and stream them back, verified.

    Without a command it serves. Remote paths begin with "/".
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(ctx.command.get_command(ctx, "serve"))  # type: ignore[attr-defined]
