"""Names and folders: listing, metadata, making, moving, deleting."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

import names
from errors import BadInput
from gateway.files import MAX_PAGE, Kind
from model import User
from web.auth import signed_in
from web.context import gateway
from web.documents import node
from web.inputs import json_object, number, required, text

PAGE = 200
"""Entries in one page of a listing when the client does not say."""

blueprint = Blueprint("nodes", __name__, url_prefix="/api/v1")


@blueprint.get("/nodes")
@signed_in
def listing(user: User) -> Response:
    limit = number(request.args.get("limit", str(PAGE)), "limit")
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"limit is 1 to {MAX_PAGE}.")
    found = gateway().files.listing(user, request.args.get("path", "/"), request.args.get("cursor"), limit)
    return jsonify(path=found.folder.path, items=[node(item) for item in found.items], next=found.next)


@blueprint.post("/folders")
@signed_in
def make_folder(user: User) -> tuple[Response, int]:
    """`{"path"}`, or `{"name", "parent"}` with the top folder for a parent that is not given."""
    body = json_object("path", "name", "parent")
    path = text(body, "path")
    if path is None:
        name = names.checked(required(text(body, "name"), "name"))
        path = names.join(*names.split(text(body, "parent") or "/"), name)
    elif len(body) > 1:
        raise BadInput("Give either `path`, or `name` and `parent`.")
    made = gateway().files.make_folder(user, path)
    response = jsonify(node(made))
    response.headers["Location"] = f"/api/v1/folders/{made.id}"
    return response, 201


@blueprint.get("/files/<id:node_id>")
@signed_in
def file(user: User, node_id: int) -> Response:
    found = gateway().files.file(user, node_id)
    totals = gateway().totals.of_file(found.id)
    return jsonify(**node(found), totals={"downloads": totals.downloads, "bytes_sent": totals.bytes_sent})


@blueprint.get("/folders/<id:node_id>")
@signed_in
def folder(user: User, node_id: int) -> Response:
    return jsonify(node(gateway().files.folder(user, node_id)))


@blueprint.patch("/files/<id:node_id>", defaults={"kind": "file"})
@blueprint.patch("/folders/<id:node_id>", defaults={"kind": "folder"})
@signed_in
def move(user: User, node_id: int, kind: Kind) -> Response:
    body = json_object("name", "parent", "path")
    moved = gateway().files.move(
        user,
        node_id,
        kind=kind,
        parent=text(body, "parent"),
        name=text(body, "name"),
        path=text(body, "path"),
    )
    return jsonify(node(moved))


@blueprint.delete("/files/<id:node_id>", defaults={"kind": "file"})
@blueprint.delete("/folders/<id:node_id>", defaults={"kind": "folder"})
@signed_in
def remove(user: User, node_id: int, kind: Kind) -> tuple[str, int]:
    gateway().files.remove(user, node_id, kind=kind)
    return "", 204
