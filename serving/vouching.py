"""Whether a request's credentials are good, asked of the app before a large body of it is taken in.

The app is asked as anybody could ask it, by a request for the caller's own account with the same headers and no body;
of a file that is sent whole also whether there is room for it.
What credentials look like is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from http import HTTPStatus
from typing import Any

from waitress.task import WSGITask
from waitress.utilities import BadRequest

from serving.reception import Request
from serving.routes import ACCOUNT, incoming

_ABOUT_THE_BODY = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE", "CONTENT_ENCODING", "EXPECT", "RANGE"})


class Declined(BadRequest):  # type: ignore[misc]  # waitress has no types
    """The app's own answer to who asks, when it is no."""

    def __init__(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, self.reason = status.partition(" ")
        self.code = int(code)
        self.headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        self.content = content
        super().__init__(self.reason)


class Question:
    """A task for a thread: `told` is called once, from there, with None where the app knows who asks."""

    def __init__(self, channel: Any, request: Request, told: Callable[[Declined | None], None]) -> None:
        asking = copy(request)
        asking.body_rcv = None
        asking.command, asking.path = "GET", ACCOUNT
        asking.query = incoming(request.command, request.path, request.content_length)
        asking.headers = {
            name: value for name, value in request.headers.items() if name not in _ABOUT_THE_BODY
        }
        self._app = channel.server.application
        self._environ: dict[str, Any] = WSGITask(channel, asking).get_environment()
        self._told = told

    def service(self) -> None:
        verdict: Declined | None = Declined("503 Service Unavailable", [("Retry-After", "5")], b"")
        try:
            status, headers, content = self._ask()
            good = status.startswith(str(HTTPStatus.OK.value))
            verdict = None if good else Declined(status, headers, content)
        finally:
            self._told(verdict)

    def cancel(self) -> None:
        """We are stopping: the connection is cut, and nobody waits for an answer."""

    def _ask(self) -> tuple[str, list[tuple[str, str]], bytes]:
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            answered[:] = [(status, headers)]

        body = self._app(self._environ, start_response)
        try:
            content = b"".join(body)
        finally:
            getattr(body, "close", _nothing)()  # PEP 3333: not every body has one
        return *answered[0], content


def _nothing() -> None:
    pass
