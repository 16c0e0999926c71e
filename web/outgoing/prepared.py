"""Prepared ZIPs: asked for by their folder, and fetched from the disk by a link that needs no cookie.

The finished file never passes through a thread of ours: the server sends it by itself, or the proxy in front of it.
"""

from __future__ import annotations

import time
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, redirect, request
from itsdangerous import BadSignature, URLSafeSerializer

from config import Settings
from disposition import content_disposition
from errors import Gone, NotFound
from model import ByteRange, Job, User
from web.access.auth import View, declared, signed_in
from web.outgoing.download import without_bytes
from web.wire import context
from web.wire.documents import moment
from web.wire.inputs import json_object, text
from web.wire.ranges import decide

blueprint = Blueprint("prepared", __name__)

BLOCK = 256 << 10
"""Bytes that are read from the disk at a time."""


@blueprint.post("/api/v1/folders/<id:folder_id>/prepare-download")
@signed_in
def prepare(user: User, folder_id: int) -> tuple[Response, int]:
    """`{"email"?}`: the ZIP of what is in the folder now: 202 and where to ask how far it is, 200 when it is there."""
    email = text(json_object("email"), "email")
    gateway = context.gateway()
    job = gateway.prepared.ask(user, gateway.files.folder(user, folder_id), email=email)
    response = jsonify(document(job, user))
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return response, 200 if job.status == "ready" else 202


def linked_or_own(view: View) -> View:
    """A declaration as those in web/access/auth.py, for views of one job that change nothing: for who has a link, in
    the name of its owner, and for users.
    """
    for_users = signed_in(view)

    @wraps(view)
    def guarded(job_id: str, **values: Any) -> Any:
        token = request.args.get("token")
        if token is None:
            return for_users(job_id=job_id, **values)
        return view(_owner(token, job_id), job_id=job_id, **values)

    return declared(guarded, "a link")


@blueprint.get("/prepared/<job:job_id>/<string:name>")
@linked_or_own
def fetch(user: User, job_id: str, name: str) -> Response:
    """The `name` in the address is for those who save by it, and decides nothing."""
    return send(*context.gateway().prepared.whole(user, job_id), for_all="token" in request.args)


def send(job: Job, path: Path | str, *, for_all: bool = False) -> Response:
    """What the request is owed of the ZIP that this job has made. `for_all`: the address alone opens it, so a CDN may
    keep it for whoever comes with the same.
    """
    settings = context.settings()
    if isinstance(path, str):
        return _elsewhere(job, path)
    if settings.prepared.accel is not None:
        # The proxy has a tag of its own for the file, and decides about ranges and conditions by itself.
        handed = {"X-Accel-Redirect": f"{settings.prepared.accel}/{path.name}"}
        return _described(Response(status=200, headers=handed), job, for_all)
    answer = decide(
        request.method,
        dict(request.headers),
        etag=etag(job),
        modified=None,
        size=job.result["size"],
        ranges=settings.enable_range_requests,
    )
    if answer.span is None:
        response = without_bytes(answer)
    else:
        response = _described(_bytes(path, answer.span, answer.status), job, for_all)
    response.headers.update(answer.headers)
    return response


def _elsewhere(job: Job, address: str) -> Response:
    """The way to object storage. HEAD is answered here: what is signed there is for GET alone."""
    if request.method == "HEAD":
        response = _described(Response(), job, for_all=False)
        response.headers["Content-Length"] = str(job.result["size"])
        response.headers["Accept-Ranges"] = "bytes"
        return response
    response = cast(Response, redirect(address))
    response.headers["Cache-Control"] = "no-store"  # the address ends sooner than the ZIP, and is a key to it
    return response


def _described(response: Response, job: Job, for_all: bool) -> Response:
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = content_disposition(job.args["name"])
    response.headers["Cache-Control"] = _lifetime(job, for_all)
    return response


def progress(job: Job) -> dict[str, Any]:
    """How far a job is: `progress` in percent, `speed` in bytes and `seconds_left` in seconds. While it is under way
    they are those of its `step`: `packing`, and where there is object storage `moving` after that.
    """
    ready, under_way = job.status == "ready", job.status == "processing"
    passage = context.gateway().prepared.passage(job) if under_way else None
    at = passage or job
    told: dict[str, Any] = {
        "job_id": job.id,
        "status": job.status,
        "progress": 100 if ready else at.done * 100 // max(at.total, 1),
        "done": at.done,
        "total": at.total,
    }
    if under_way:
        told["step"] = "packing" if passage is None else "moving"
    if at.speed is not None:
        told |= {"speed": round(at.speed), "seconds_left": round((at.total - at.done) / at.speed, 1)}
    if ready and job.ends_at is not None:
        told |= {"size": job.result["size"], "expires_at": moment(job.ends_at)}
    if job.error is not None:
        told["error"] = job.error
    return told


def document(job: Job, user: User) -> dict[str, Any]:
    """A job as its owner sees it."""
    told = progress(job) | {
        "kind": job.kind,
        "folder_id": job.args.get("folder_id"),
        "folder": job.args.get("folder"),
        "created_at": moment(job.created_at),
    }
    if job.status == "ready":
        stamp = context.gateway().people.stamp(user)
        told["download_url"] = address(context.settings(), context.base_url(), job, stamp)
    return told


def polled(body: dict[str, Any], status: int = 200) -> Response:
    """An answer that is asked for again and again, and mostly has not changed."""
    response = jsonify(body)
    response.status_code = status
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def etag(job: Job) -> str:
    """Of a stored one that of the folder's streamed ZIP, whose bytes are the same; a deflated one is like no other."""
    digest: str = job.args["digest"]
    return f"{digest}-{job.id}" if job.args["level"] else digest


def address(settings: Settings, base: str, job: Job, stamp: str) -> str:
    """Where anybody can fetch this ZIP while it is there. `base` is our own address, `stamp` that of its owner's
    password (gateway/access/people.py); no request is needed.
    """
    assert job.ends_at is not None
    token = _signed(settings).dumps([job.id, job.owner_id, int(job.ends_at.timestamp()), stamp])
    path = f"/prepared/{job.id}/{quote(job.args['name'], safe='')}"
    return f"{settings.prepared.cdn or base}{path}?token={token}"


def _owner(token: str, job_id: str) -> User:
    """Whose link to this job it is. Raises NotFound for none of ours, Gone for one that is over."""
    try:
        linked, user_id, ends, stamp = _signed(context.settings()).loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is incomplete, or none of ours.") from None
    if linked != job_id:
        raise NotFound("This link is for another ZIP.")
    user = context.gateway().people.stamped(user_id, stamp)
    if user is None or time.time() >= ends:
        raise Gone("This link is over. Ask for another one.")
    return user


def _signed(settings: Settings) -> Any:
    return URLSafeSerializer(settings.secret_key, salt="prepared")


def _lifetime(job: Job, for_all: bool) -> str:
    """The address means these bytes as long as they are there."""
    assert job.ends_at is not None
    seconds = max(0, int(job.ends_at.timestamp() - time.time()))
    who = "public" if for_all and context.settings().prepared.cdn else "private"
    return f"{who}, max-age={seconds}, immutable"


def _bytes(path: Path, span: ByteRange, status: int) -> Response:
    if request.method == "HEAD":
        return Response(status=status)
    try:
        file = path.open("rb")
    except FileNotFoundError:  # it was thrown away at this moment
        raise Gone("This ZIP is no longer there. Ask for it again.") from None
    file.seek(span.start)
    # PEP 3333: a server that can send a file by itself says so. Ours then sends Content-Length bytes and closes it.
    wrapper = request.environ.get("wsgi.file_wrapper")
    body = FileSpan(file, span.length) if wrapper is None else wrapper(file, BLOCK)
    return Response(body, status, direct_passthrough=True)


class FileSpan:
    """So many bytes of an open file, for servers that cannot send files by themselves."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> FileSpan:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(min(BLOCK, self._left))
        if not block:
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()
