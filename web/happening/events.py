"""What happened since one looked last: asked for again and again, or followed as it comes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from model import News, User
from web.access.auth import signed_in
from web.happening.stream import LENGTH, EventStream
from web.wire.context import gateway
from web.wire.documents import event
from web.wire.inputs import number

blueprint = Blueprint("events", __name__, url_prefix="/api/v1")
SSE = "text/event-stream"


@blueprint.get("/events")
@signed_in
def events(user: User) -> Response:
    """`?since=N`: those after N, and by `Accept: text/event-stream` all that come; without it, from now on."""
    since = request.args.get("since")
    if any(kind == SSE for kind, _ in request.accept_mimetypes):
        since = request.headers.get("Last-Event-ID", since)
        response = _follow(user, None if since is None else number(since, "Last-Event-ID"))
    else:
        news = gateway().events.since(user, None if since is None else number(since, "since"))
        response = answer(news, [event(one) for one in news.events])
    response.vary.add("Accept")
    return response


def _follow(user: User, seen: int | None) -> Response:
    if request.method == "HEAD":
        response = Response(mimetype=SSE)
    else:
        stream = EventStream(gateway().events.follow(user, seen))
        response = Response(stream, mimetype=SSE, direct_passthrough=True)
    response.headers["Content-Length"] = str(LENGTH)
    response.headers["X-Accel-Buffering"] = "no"  # nginx would gather events until it has a page of them
    return response


def answer(news: News, events: list[dict[str, Any]]) -> Response:
    response = jsonify(events=events, last=news.last, reset=news.reset)
    # With the address, which has `since`, these two decide what the answer is.
    response.set_etag(f"{news.last}{'-reset' if news.reset else ''}")
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
