"""The Flask app: its rooms, its error table, and what holds for every request. It composes `web`, nothing more."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

import web
from config import Settings
from gateway import Gateway
from gateway.access.sessions import LIFE
from web import openapi, page
from web.access import account, auth, session, tokens, users
from web.happening import events
from web.incoming import content, known, uploads
from web.monitoring import admin, health, metrics
from web.moving import queue, transfers
from web.outgoing import archive, download, jobs, links, prepared, thumbnails
from web.sharing import download as share_download
from web.sharing import page as share_page
from web.sharing import prepared as share_prepared
from web.sharing import shares
from web.tree import bin, nodes
from web.wire import context, errors, inputs

ROOMS = (
    account,
    bin,
    admin,
    archive,
    content,
    download,
    events,
    health,
    jobs,
    known,
    links,
    metrics,
    nodes,
    openapi,
    page,
    prepared,
    queue,
    session,
    thumbnails,
    share_download,
    share_page,
    share_prepared,
    shares,
    tokens,
    transfers,
    uploads,
    users,
)
"""Each has a blueprint."""
MAX_BODY = 1 << 20
"""Bytes of a form or a JSON document; the routes that take files lift it for themselves."""
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser says `Origin: null`, even to us
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class SessionCookie(SecureCookieSessionInterface):
    """Secure wherever the browser came by TLS, though the last leg from a proxy may be plain."""

    def get_cookie_name(self, app: Flask) -> str:
        """With a prefix that keeps neighbours of our domain from setting it (RFC 6265bis 4.1.3.2)."""
        return "__Host-stowgram" if self.get_cookie_secure(app) else "stowgram"

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or (context.settings().base_url or "").startswith("https:")


class Route(Rule):
    """A rule that compiles what builds addresses from it only when one is built, and none is here: that would be most
    of what an app costs to make.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: Rule, **values: object) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


class Application(Flask):
    url_rule_class = Route


def create_app(gateway: Gateway, settings: Settings) -> Flask:
    """The WSGI app over this gateway. Raises TypeError for a view that does not say who may call it."""
    if not settings.secret_key:
        raise ValueError("settings.secret_key is empty: cookies could be forged")
    app = Application("stowgram", root_path=str(Path(web.__file__).parent))
    _configure(app, settings)
    context.install(app, gateway, settings)
    errors.install(app)
    app.extensions["tally"] = metrics.Tally()
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.view_functions["static"] = auth.public(app.view_functions["static"])
    auth.refuse_undeclared(app)
    app.before_request(_begin)
    app.after_request(_end)
    app.after_request(app.extensions["tally"].count)
    app.wsgi_app = uploads.MethodOverride(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count, count)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # the session ends by the database's clock, not the cookie's
        PERMANENT_SESSION_LIFETIME=LIFE,
        WTF_CSRF_TIME_LIMIT=None,  # a page left open over night still works; the token ends with its session
    )
    app.session_interface = SessionCookie()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.globals["csrf_token"] = auth.csrf_token
    app.url_map.converters |= {
        "id": inputs.IdConverter,
        "job": inputs.JobConverter,
        "everything": inputs.PathConverter,
    }
    # `//` in a path is a bad name with a sentence, not a redirect to another path.
    app.url_map.merge_slashes = False


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    inputs.require_utf8()


def _end(response: Response) -> Response:
    if response.status_code in {204, 304}:  # no body to have a type
        response.headers.pop("Content-Type", None)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # Somebody's own, and old in a moment. Files and static parts have validators, and say so themselves.
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = context.request_id()
    return response
