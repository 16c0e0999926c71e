"""`test` and `sandbox`: programs of this checkout that run in the same .venv, as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from config import ROOT

_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings=_PASS_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Run the sandbox, an MTProto server for trying things out, alone (-h shows its own options)."""
    _become("sandbox", *arguments)


@click.command(context_settings=_PASS_ON, add_help_option=False)
@click.option(
    "--fast",
    is_flag=True,
    help="Leave out what starts servers or takes seconds: about a minute.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(fast: bool, arguments: tuple[str, ...]) -> None:
    """Run every test; whatever else is given goes to pytest."""
    # Two more than there are cores, since tests wait as much as they work; at most four, since many start servers.
    # Neighbours stay together (worksteal), so that what a module shares is seldom made twice.
    workers = min(4, (os.cpu_count() or 1) + 2)
    chosen = ("-m", "not slow") if fast else ()
    _become("pytest", "-n", str(workers), "--dist", "worksteal", *chosen, *arguments)


def _become(module: str, *arguments: str) -> None:
    """Run the module in the checkout, and end as it ends. On POSIX it takes this process over, so that a signal reaches
    it; on Windows it is waited for, and Ctrl-C reaches it by itself.
    """
    command = [sys.executable, "-X", "utf8", "-m", module, *arguments]
    if sys.platform == "win32":
        process = subprocess.Popen(command, cwd=ROOT)
        while True:
            try:
                sys.exit(process.wait())
            except KeyboardInterrupt:
                continue
    else:
        os.chdir(ROOT)
        os.execv(command[0], command)
