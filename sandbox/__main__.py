"""`python -m sandbox --data DIR`: run the sandbox until a signal comes, or stdin ends. See docs/sandbox.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from sandbox.control import serve_control
from sandbox.provision import PUBLIC_NAME, describe, load_application, load_key, load_secret, provision
from sandbox.server import LOOPBACK, Server, open_listener
from sandbox.world import World

_CENTRES = (2, 4)


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    logging.basicConfig(
        level=options.log_level, format="sandbox: %(levelname)s %(message)s", stream=sys.stderr
    )
    if options.host not in LOOPBACK:
        sys.stderr.write(f"sandbox: {options.host} is not loopback; only 127.0.0.1 and ::1 are possible\n")
        return 2
    options.data.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_serve(options))
    except sqlite3.Error as error:
        sys.stderr.write(
            f"sandbox: {options.data} cannot be used ({error}); is another sandbox running on it?\n"
        )
        return 1
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="An MTProto server for Stowgram; loopback only."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder where everything is kept")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=0, help="of the main address of DC 2; 0: as last time, or any"
    )
    parser.add_argument("--control", action="store_true", help="open a port on which faults can be injected")
    parser.add_argument(
        "--provision", action="store_true", help="make accounts and a channel (done on first start)"
    )
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    parser.add_argument("--log-level", default="WARNING")
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace) -> None:
    folder: Path = options.data
    stop = asyncio.Event()
    _stop_on_signals(stop)
    if options.exit_with_stdin:
        _stop_with_stdin(stop)
    application = load_application(folder)
    world = World(folder, load_secret(folder), application)
    world.host = options.host
    provision(world.records)
    server = Server(world, load_key(folder))
    try:
        main_port = _open_addresses(server, options.port)
        server.start(world.housekeeping())
        control = None
        if options.control:
            listener = open_listener(options.host, int(world.records.setting("control") or 0))
            control = listener.getsockname()[1]
            world.records.set_setting("control", str(control))
            server.start(serve_control(server, listener))
        ready = {
            "ready": True,
            "dc": world.home,
            "host": options.host,
            "port": main_port,
            "key": str((folder / PUBLIC_NAME).resolve()),
            "control": control,
            "api_id": application.api_id,
            "api_hash": application.api_hash,
            **describe(world.records),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await server.close()
        world.close()


def _open_addresses(server: Server, main_port: int) -> int:
    """Listen at every address, at the ports of the last time where they are free; returns the home's main port."""
    records = server.world.records
    for dc in _CENTRES:
        for media_only in (False, True):
            name = f"port {dc} {'media' if media_only else 'main'}"
            wanted = int(records.setting(name) or 0)
            if dc == server.world.home and not media_only and main_port:
                wanted = main_port
            opened = server.listen(dc, media_only, wanted)
            records.set_setting(name, str(opened.port))
    return next(a.port for a in server.world.addresses if a.dc == server.world.home and not a.media_only)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    names = ["SIGINT", "SIGTERM", "SIGBREAK"]
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _stop_with_stdin(stop: asyncio.Event) -> None:
    """A parent that dies closes our stdin, whatever killed it. Only a thread can wait for that on every system."""
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        # Not sys.stdin: its lock, held here for ever, would break the interpreter's end.
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
