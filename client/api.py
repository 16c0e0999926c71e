"""One Stowgram server, spoken to over HTTP. It knows no route; problems (RFC 9457) become our errors."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from threading import Event
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

import errors
from client.patience import Patience
from errors import AtCapacity, ClientGone, StoreError, StowgramError, Transient

PATIENCE = 120.0
"""Seconds without any progress after which a command gives up: a restart or a short flood wait fits in it."""
FIRST_PATIENCE = 5.0
"""Seconds to go on knocking at a server that has not answered once: most likely it does not run."""
TIMEOUT = httpx.Timeout(connect=10.0, write=60.0, read=120.0, pool=60.0)
CONNECTIONS = 8

_ERRORS: dict[int, type[StowgramError]] = {
    400: errors.BadInput,
    401: errors.NotSignedIn,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    422: errors.BadInput,
    423: errors.Busy,
    460: errors.ChecksumMismatch,
    507: errors.OutOfSpace,
}
"""What a status means to the client; those worth retrying are told apart in `_problem`."""


class Unreachable(Transient):
    """No answer, or one that broke off."""


class Api:
    """A server at `url`, asked as the owner of `token`. Usable from several threads; `stop` ends them all.

    With `elsewhere` it is followed to where it sends us, which is for addresses that need no token.
    """

    def __init__(
        self, url: str, token: str | None, *, patience: float = PATIENCE, elsewhere: bool = False
    ) -> None:
        self.url = url.rstrip("/")
        self.stop = Event()
        self.notice: Callable[[str], None] = lambda sentence: None
        """Gets a sentence when the server keeps us waiting."""
        self._patience = patience
        self._answered = False
        self._http = httpx.Client(
            # Identity: a proxy that compresses would break ranges and lengths.
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=TIMEOUT,
            follow_redirects=elsewhere,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=not _is_loopback(self.url),  # no proxy can reach this host's own loopback
            verify=_trust(self.url, elsewhere),
        )

    def __repr__(self) -> str:
        return f"<Api {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._http.close()

    def patience(self, least: float = 0.0) -> Patience:
        """`least` is in seconds, for what is known to take long."""
        seconds = max(self._patience, least) if self._answered else min(self._patience, FIRST_PATIENCE)
        return Patience(seconds, self.stop, self.notice)

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The whole answer to a request that may be repeated. `request` is httpx's: headers, json, content.

        Raises our errors; those worth retrying only once patience is at its end.
        """
        patience = self.patience()
        while True:
            try:
                return self.ask_once(method, path, **request)
            except Transient as error:
                patience.pause(error)

    def ask_once(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The whole answer to one try."""
        with self.stream(method, path, **request) as response:
            response.read()
            return response

    @contextmanager
    def stream(self, method: str, path: str, **request: Any) -> Iterator[httpx.Response]:
        """One try, whose body the caller reads inside the `with`; a broken line is Unreachable there too."""
        if self.stop.is_set():
            raise ClientGone("stopped")
        try:
            with self._http.stream(method, self.url + path, **request) as response:
                self._answered = True
                if response.is_error:
                    raise _problem(response)
                if response.is_redirect:
                    raise StoreError(
                        f"{self.url} redirects to {response.headers.get('Location')}; use that URL."
                    )
                yield response
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error


def _unreachable(url: str, error: httpx.TransportError) -> Unreachable:
    if isinstance(error, httpx.ConnectError):
        return Unreachable(f"No server answers at {url}. Is it running there?", retry_after=0.0)
    return Unreachable(f"The connection to {url} broke ({type(error).__name__}).", retry_after=0.0)


def _problem(response: httpx.Response) -> StowgramError:
    """The error that an answer of 400 or above stands for."""
    try:
        response.read()
        body = response.json()
    except (httpx.TransportError, ValueError):  # cut off, or a proxy's page
        body = {}
    problem: Mapping[str, object] = body if isinstance(body, dict) else {}
    sentence = str(
        problem.get("detail") or problem.get("title") or f"the server answered {response.status_code}"
    )
    if response.status_code in {408, 429, 503, 504}:
        wait = response.headers.get("Retry-After", "")
        kind = AtCapacity if response.status_code == 429 else Transient
        return kind(sentence, retry_after=min(float(wait), 600.0) if wait.isdecimal() else 1.0)
    if str(problem.get("type")).endswith(":damaged"):  # a 502 like those of a proxy, but with a way to go on
        return errors.Damaged(sentence)
    if response.status_code == 401:
        sentence += " Give a token by --token or STOWGRAM_TOKEN."
    return _ERRORS.get(response.status_code, StoreError)(sentence)


def _trust(url: str, elsewhere: bool) -> SSLContext | bool:
    """Nobody where there is no TLS, which spares a start the 40 ms of reading whom the system trusts."""
    return elsewhere or urlsplit(url).scheme != "http" or SSLContext(PROTOCOL_TLS_CLIENT)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
