"""What is moving now, what has been moved in all, and what is done with it: one's own, or everybody's for an admin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from gateway.moving.transfer import Status
from model import User
from web.access.auth import signed_in
from web.wire.context import gateway
from web.wire.documents import moment

blueprint = Blueprint("transfers", __name__)


@blueprint.get("/api/v1/transfers")
@signed_in
def transfers(user: User) -> Response:
    found = gateway().transfers.statuses(None if user.is_admin else user)
    totals = asdict(gateway().totals.of_user(user.id))
    return jsonify(items=[transfer(one) for one in found], totals=totals)


@blueprint.delete("/api/v1/transfers/<id:transfer_id>")
@signed_in
def cancel(user: User, transfer_id: int) -> tuple[str, int]:
    gateway().control.cancel(user, transfer_id)
    return "", 204


@blueprint.post("/api/v1/transfers/<id:transfer_id>/pause")
@signed_in
def pause(user: User, transfer_id: int) -> tuple[str, int]:
    gateway().control.pause(user, transfer_id)
    return "", 204


@blueprint.post("/api/v1/transfers/<id:transfer_id>/resume")
@signed_in
def resume(user: User, transfer_id: int) -> tuple[str, int]:
    gateway().control.resume(user, transfer_id)
    return "", 204


def transfer(of: Status) -> dict[str, Any]:
    subject = of.subject
    return {
        "id": of.id,
        "direction": subject.direction,
        "state": "waiting" if of.place else "paused" if of.paused else "running",
        "user": subject.user.name,
        "file_id": subject.file_id,
        "folder_id": subject.folder_id,
        "share_id": subject.visitor and subject.visitor.share,
        "upload_id": None if subject.direction == "download" else str(subject.content),
        "name": subject.name,
        "size": subject.size,
        "bytes": of.moved,
        "speed": round(of.speed),
        "eta": None if of.eta is None else round(of.eta, 1),
        "connections": of.connections,
        "place": of.place,
        "expected_wait": None if of.expected_wait is None else round(of.expected_wait, 1),
        "client": asdict(of.client),
        "started_at": moment(of.started_at),
    }
