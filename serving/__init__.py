"""waitress, with what a server of long downloads needs; its only home. It must never know what it serves.

server      bind, run, stop             lanes       pages, downloads and uploads never wait for one another
sockets     one owner per port          reception   which bodies are taken in, before any is
channel     one connection              watchdog    cuts readers that have stopped reading
outbox      a body that no thread runs  pump        the few threads that drive all of those
hold        what waits, within a bound
"""

from __future__ import annotations

from serving.server import Server

__all__ = ["Server"]
