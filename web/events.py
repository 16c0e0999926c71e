"""What happened since one looked last: asked for again and again, and answered by 304 when nothing did."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from model import Event, News, User
from web.auth import signed_in
from web.context import gateway
from web.documents import moment
from web.inputs import number

blueprint = Blueprint("events", __name__, url_prefix="/api/v1")


@blueprint.get("/events")
@signed_in
def events(user: User) -> Response:
    """`?since=N`: those after N; without it, only where they stand."""
    since = request.args.get("since")
    news = gateway().events.since(user, None if since is None else number(since, "since"))
    return answer(news, [event(one) for one in news.events])


def answer(news: News, events: list[dict[str, Any]]) -> Response:
    response = jsonify(events=events, last=news.last, reset=news.reset)
    # With the address, which has `since`, these two decide what the answer is.
    response.set_etag(f"{news.last}{'-reset' if news.reset else ''}")
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def event(of: Event) -> dict[str, Any]:
    at = moment(of.at)
    timestamp = {"timestamp": at} if of.type == "file_available" else {}  # what others call it, too
    return {"id": of.id, "type": of.type, "at": at, **of.about, **timestamp}
