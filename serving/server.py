"""The server: binds, runs on the thread that asks it to, and stops from any other; what runs has its time to end."""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments

from config import Settings
from serving import hold
from serving.channel import Channel, Listener
from serving.hold import Hold
from serving.lanes import Lanes
from serving.outbox import handed_over
from serving.pump import Pump
from serving.routes import LARGE_BODY
from serving.sockets import connection_limit, listen_on
from serving.spool import SPOOL_SIZE, Spool
from serving.watchdog import Watchdog

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

THREADS_END = 2.0
"""Seconds that threads get after that to notice."""
TURN = 1.0
"""Seconds between two looks of the watchdog when nothing else happens."""
LOOK = 0.25
"""Seconds between two of them at least."""


class Server:
    """`bind`, then `run`; `stop` may be called at any time, from any thread or signal handler."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._map: dict[int, Any] = {}
        self._listeners: list[Listener] = []
        self._lanes: Lanes | None = None
        self._pump: Pump | None = None
        self._hold: Hold | None = None
        self._errands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._watchdog = Watchdog(settings.download_stall_seconds)
        self._stopping = False
        self._at_once = False

    def __repr__(self) -> str:
        state = "stopping" if self._stopping else "serving" if self._lanes else "not bound"
        return f"<Server {state} on {self.addresses}: {len(self._channels())} connections>"

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """(host, port) of each listening socket."""
        return tuple((listener.effective_host, int(listener.effective_port)) for listener in self._listeners)

    def bind(self) -> None:
        """Take the port; connections wait until `run`. Raises Misconfigured."""
        sockets = listen_on(self._settings.host, self._settings.port)
        folder = self._settings.data_dir / "spool"  # staging's disk: what fits here fits there
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hold = Hold(folder, hold.HOLD)
        self._pump = Pump()
        self._lanes = Lanes()
        app = handed_over(self._app, self._hold, self._pump)
        spool = Spool(SPOOL_SIZE, folder)
        for sock in sockets:
            adjustments = Adjustments(sockets=[sock], **self._adjustments())
            info = (sock.family, sock.type, sock.proto, sock.getsockname())
            self._listeners.append(
                Listener(
                    app,
                    map=self._map,
                    _sock=sock,
                    dispatcher=self._lanes,
                    adj=adjustments,
                    sockinfo=info,
                    bind_socket=False,
                    spool=spool,
                    on_loop=self._on_loop,
                )
            )

    @staticmethod
    def _adjustments() -> dict[str, Any]:
        return {
            "ident": None,
            "recv_bytes": 256 << 10,  # a large upload is 4 times as fast as with the default of 8 KiB
            "inbuf_overflow": 64
            << 10,  # bytes of an arriving body in memory, on each of up to 1000 connections
            "max_request_header_size": 64 << 10,
            "outbuf_high_watermark": 512 << 10,  # bytes that a slow reader may make the app produce ahead
            "channel_request_lookahead": 1,  # goes on reading: a client that left is noticed
            "connection_limit": connection_limit(),
            "max_request_body_size": LARGE_BODY + 1,  # waitress refuses at the number itself
            "clear_untrusted_proxy_headers": False,  # the app trusts them by TRUSTED_PROXIES, or not at all
            "log_socket_errors": False,  # readers leave; that is no error
        }

    def run(self) -> None:
        """Serve until `stop`; then give what is running its time to end, and close everything."""
        if self._lanes is None:
            self.bind()
        try:
            looked = 0.0
            while not self._stopping:
                self._turn(TURN)
                if (
                    now := time.monotonic()
                ) >= looked + LOOK:  # there are many turns in a second when much moves
                    self._watchdog.look(self._channels(), now)
                    looked = now
            self._wind_down()
        finally:
            self._close()

    def stop(self) -> None:
        """Begin to stop, and return at once. `run` returns when nothing runs any more, when `shutdown_seconds` have
        passed, or when this is called a second time, and at most two seconds after that. Clients resume what is cut.
        """
        self._at_once = self._stopping
        self._stopping = True
        # Without a thunk, pull_trigger takes no lock: a signal handler may have interrupted its holder.
        for listener in tuple(self._listeners):
            with suppress(OSError):  # `run` ended at this moment, and closed it
                listener.pull_trigger()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, use_poll=hasattr(select, "poll"), map=self._map, count=1)
        self._run_errands()

    def _on_loop(self, errand: Callable[[], None]) -> None:
        self._errands.put(errand)
        for listener in self._listeners[:1]:  # they share one loop
            listener.pull_trigger()

    def _run_errands(self) -> None:
        while True:
            try:
                errand = self._errands.get_nowait()
            except Empty:
                return
            errand()

    def _channels(self) -> list[Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, Channel)]

    def _wind_down(self) -> None:
        for listener in self._listeners:
            listener.stop_listening()
        deadline = time.monotonic() + self._settings.shutdown_seconds
        while running := self._close_those(lambda channel: channel.idle):
            if self._at_once or time.monotonic() >= deadline:
                break
            self._turn(0.05)
            self._watchdog.look(self._channels(), time.monotonic())
        if running:
            log.info("stopping: cut %d connections that were still busy", len(running))

    def _close_those(self, chosen: Callable[[Channel], bool]) -> list[Channel]:
        """Close the connections that are chosen; what is left."""
        for channel in filter(chosen, self._channels()):
            channel.handle_close()
        return self._channels()

    def _close(self) -> None:
        listeners, self._listeners = self._listeners, []  # from here on `stop` writes to no trigger
        for channel in self._channels():
            channel.reset()
        self._run_errands()
        if self._lanes is not None:
            self._lanes.shutdown(THREADS_END)
        if self._pump is not None:
            self._pump.close(THREADS_END)
        if self._hold is not None:
            self._hold.close()
        for listener in listeners:
            listener.close()
        wasyncore.close_all(self._map)
