"""Whether a request comes from a page of ours, from one elsewhere, or from no page: told from its headers alone."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

from errors import Forbidden
from web.wire.context import settings

_PORTS = {"http": 80, "https": 443}
_FORWARDED = (
    "X-FORWARDED-",
    "X-REAL-",
    "X-CLIENT-IP",
    "X-CLUSTER-",
    "X-ORIGINAL-",
    "TRUE-CLIENT-IP",
    "CF-",
    "FORWARDED",
    "VIA",
)
"""What the names of headers begin with that proxies add to say for whom they ask."""

Origin = tuple[str, str, int]


def require_no_other_site() -> None:
    """Raises Forbidden when a page of another origin made a browser send this request (RFC 6454, Fetch Metadata).

    A browser that says `same-origin` has compared more than we can see behind a proxy. The others, and all of them over
    plain HTTP, say Origin, or at least Referer. Who sends none of the three is no browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site == "same-origin":
        return
    said = request.headers.get("Origin", request.headers.get("Referer"))
    if site not in {None, "none"} or (said is not None and origin(said) not in _ours()):
        raise Forbidden("This request came from a page of another site. Do it on our own page.")


def origin(url: str) -> Origin | None:
    """Scheme, host and port (RFC 6454 4); None for `null`, and for what is no address of the web."""
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError:  # a host or port that is none
        pass
    return None


def forwarded() -> bool:
    """Whether some proxy says that it stands between the client and us."""
    return any(name.upper().startswith(_FORWARDED) for name, _ in request.headers)


def _ours() -> set[Origin | None]:
    """None is not among them."""
    base = settings().base_url
    return {origin(url) for url in (request.host_url, base) if url} - {None}
