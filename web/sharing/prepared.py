"""Prepared ZIPs for visitors: asked for and fetched by a share, as long as it is open. A visitor cancels nothing and
leaves no e-mail address: whoever has a link could have letters sent to strangers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from errors import Forbidden, NotFound
from gateway.sharing.visits import Visit
from model import Job
from web import prepared
from web.context import base_url, gateway, settings
from web.inputs import count, json_object
from web.origin import require_no_other_site
from web.sharing import signing
from web.sharing.visiting import visiting

blueprint = Blueprint("share_prepared", __name__, url_prefix="/api/share/<token>")

MOST_UNDER_WAY = 5
"""Jobs of the owner's beyond which visitors wait; the owner may have more."""


@blueprint.post("/prepare-download")
@visiting
def prepare(visit: Visit) -> Response:
    """`{"folder_id"?}`: the shared folder, or one below it."""
    require_no_other_site()
    terms = visit.share.terms
    if terms.rate_limit_kb or terms.max_connections:
        raise Forbidden("This link is limited, and a prepared file would not be. Fetch the ZIP as a stream.")
    given = count(json_object("folder_id"), "folder_id")
    folder = gateway().visits.folder(visit, visit.share.node.id if given is None else given)
    gateway().visits.require_left(visit, folder.id)
    job = gateway().prepared.ask(visit.share.owner, folder, most=MOST_UNDER_WAY)
    response = prepared.polled(_document(visit, job), 200 if job.status == "ready" else 202)
    response.headers["Location"] = f"/api/share/{visit.share.token}/download-status/{job.id}"
    return response


@blueprint.get("/download-status/<job:job_id>")
@visiting
def status(visit: Visit, job_id: str) -> Response:
    return prepared.polled(_document(visit, _seen(visit, job_id)))


@blueprint.get("/prepared/<job:job_id>/<string:name>")
@visiting
def fetch(visit: Visit, job_id: str, name: str) -> Response:
    """Counted as the folder's download. The `name` in the address decides nothing."""
    _seen(visit, job_id)
    job, path = gateway().prepared.whole(visit.share.owner, job_id)
    if request.method != "HEAD":
        gateway().visits.count(visit, job.args["folder_id"])
    return prepared.send(job, path)


def _seen(visit: Visit, job_id: str) -> Job:
    """Raises NotFound for what is of another folder than those that this visit may see."""
    job = gateway().jobs.get(visit.share.owner, job_id)
    if "folder_id" not in job.args:
        raise NotFound("There is no such job.")
    gateway().visits.folder(visit, job.args["folder_id"])
    return job


def _document(visit: Visit, job: Job) -> dict[str, Any]:
    """Nothing of where the folder is in its owner's tree."""
    told = prepared.progress(job)
    if job.status == "ready":
        folder_id: int = job.args["folder_id"]
        place = f"prepared/{job.id}/{quote(job.args['name'], safe='')}"
        here = signing.address(visit.share, place, folder_id)
        told["download_url"] = (settings().prepared.cdn or base_url()) + here
    return told
