"""Names and folders: listing, searching, metadata, making, moving, copying, deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, jsonify, request

import names
from errors import BadInput
from gateway.tree.files import Kind
from model import Node, Order, Sort, User
from web.access.auth import signed_in
from web.wire import documents
from web.wire.context import gateway
from web.wire.documents import node
from web.wire.inputs import MAX_PAGE, ids, json_object, number, one_of, page_size, required, text

blueprint = Blueprint("nodes", __name__, url_prefix="/api/v1")


@blueprint.get("/nodes")
@signed_in
def listing(user: User) -> Response:
    query = request.args
    found = gateway().files.listing(
        user,
        query.get("path", "/"),
        query.get("cursor"),
        page_size(),
        sort=_sort(),
        order=_order(),
    )
    return jsonify(
        path=found.folder.path,
        folder=node(found.folder),
        items=[node(item) for item in found.items],
        next=found.next,
    )


@blueprint.get("/nodes/at")
@signed_in
def at(user: User) -> Response:
    """`?path=`: the one file or folder there, whatever its folder holds."""
    return jsonify(node(gateway().files.at(user, required(request.args.get("path"), "path"))))


@blueprint.get("/search")
@signed_in
def search(user: User) -> Response:
    query = request.args
    found = gateway().files.search(
        user,
        query.get("q", ""),
        query.get("path", "/"),
        query.get("cursor"),
        page_size(),
        sort=_sort(),
        order=_order(),
    )
    return jsonify(items=[node(item) for item in found.items], next=found.next)


def _sort() -> Sort:
    return cast(Sort, one_of(request.args.get("sort", "name"), "sort", "name", "size", "modified"))


def _order() -> Order:
    return cast(Order, one_of(request.args.get("order", "asc"), "order", "asc", "desc"))


@blueprint.post("/nodes/move")
@signed_in
def move_all(user: User) -> Response:
    return _put_there(user, gateway().files.move_all)


@blueprint.post("/nodes/copy")
@signed_in
def copy_all(user: User) -> Response:
    return _put_there(user, gateway().files.copy_all)


def _put_there(user: User, verb: Callable[..., tuple[Node, ...]]) -> Response:
    """`{"ids", "parent", "if_exists"?}`: all of them are put there, or none."""
    body = json_object("ids", "parent", "if_exists")
    if_exists = one_of(text(body, "if_exists") or "refuse", "`if_exists`", "refuse", "rename")
    parent = required(text(body, "parent"), "parent")
    found = verb(user, ids(body, "ids"), parent, rename=if_exists == "rename")
    return jsonify(items=[node(item) for item in found])


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
    return jsonify(node(found) | _totals(node_id))


@blueprint.get("/files/<id:node_id>/details")
@signed_in
def details(user: User, node_id: int) -> Response:
    """The chunks by pages, too: a large file has more than anybody wants at once."""
    found = gateway().files.file(user, node_id)
    first = number(request.args.get("cursor", "0"), "cursor")
    known = gateway().files.details(found, first, page_size(MAX_PAGE))
    return jsonify(node(found) | _totals(node_id) | documents.details(found, known))


def _totals(file_id: int) -> dict[str, Any]:
    totals = gateway().totals.of_file(file_id)
    return {"totals": {"downloads": totals.downloads, "bytes_sent": totals.bytes_sent}}


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
    """Into the bin, or with `?forever=1` past it."""
    forever = one_of(request.args.get("forever", "0"), "forever", "0", "1") == "1"
    found = gateway().files.node(user, node_id, kind)
    gateway().bin.put(user, [found.id], forever=forever)
    return "", 204
