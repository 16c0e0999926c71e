"""A place in line for a download, for people: a ticket to look at until its turn comes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from errors import BadInput
from gateway.moving.queue import Ticket
from model import User
from web.access.auth import signed_in
from web.wire.context import client, gateway
from web.wire.inputs import count, json_object

blueprint = Blueprint("queue", __name__, url_prefix="/api/v1/queue")


@blueprint.post("")
@signed_in
def take(user: User) -> tuple[Response, int]:
    """`{"file_id"}`: a ticket, ready at once while there is room."""
    file_id = count(json_object("file_id"), "file_id")
    if file_id is None:
        raise BadInput("`file_id` is missing.")
    taken = gateway().queue.take(user, gateway().files.file(user, file_id), client())
    response = jsonify(ticket(taken))
    response.headers["Location"] = f"/api/v1/queue/{taken.id}"
    return response, 201


@blueprint.get("/<id:ticket_id>")
@signed_in
def look(user: User, ticket_id: int) -> Response:
    return jsonify(ticket(gateway().queue.look(user, ticket_id)))


@blueprint.delete("/<id:ticket_id>")
@signed_in
def leave(user: User, ticket_id: int) -> tuple[str, int]:
    gateway().queue.leave(user, ticket_id)
    return "", 204


def ticket(of: Ticket) -> dict[str, Any]:
    """`url` is the file's own: its place is the user's for this file, whichever program comes for it."""
    return {
        "ticket": of.id,
        "state": of.state,
        "place": of.place,
        "expected_wait": None if of.expected_wait is None else round(of.expected_wait, 1),
        "file_id": of.file_id,
        "url": f"/files/{of.file_id}/download",
    }
