"""What a view may reach of the app it runs in. Not for streams: they outlive the context."""

from __future__ import annotations

import re
from typing import cast

from flask import Flask, current_app, g, request

from config import Settings
from gateway import Gateway
from model import Client

MAX_AGENT = 160
"""Characters that are kept of what a program calls itself."""
_TOKEN = re.compile(r"^((?:/api(?:/v1)?)?/shares?/)[^/]+")

_OF_A_SHARE = re.compile(r"/api/share/([\w-]+)/")


def install(app: Flask, gateway: Gateway, settings: Settings) -> None:
    app.extensions["gateway"] = gateway
    app.extensions["settings"] = settings


def gateway() -> Gateway:
    return cast(Gateway, current_app.extensions["gateway"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def request_id() -> str:
    """What ties a response to the lines of the log about it; empty outside a request."""
    return cast(str, g.get("request_id", ""))


def base_url() -> str:
    """What our addresses begin with, for people elsewhere."""
    return settings().base_url or request.host_url.rstrip("/")


def path_to_log() -> str:
    """The path of this request without a share's token, by which whoever reads the log could come in."""
    return _TOKEN.sub(r"\1…", request.path)


def share_page() -> str | None:
    """The page of the share by which this request asks for bytes; None for all other requests."""
    found = _OF_A_SHARE.match(request.path)
    return found and f"/share/{found[1]}"


def client() -> Client:
    """Who sends this request."""
    agent = "".join(filter(str.isprintable, request.user_agent.string))
    return Client(request.remote_addr or "", agent[:MAX_AGENT])
