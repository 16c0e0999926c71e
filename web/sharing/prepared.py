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
from web.outgoing import prepared
from web.sharing import signing
from web.sharing.visiting import fetching
from web.wire.context import base_url, gateway
from web.wire.inputs import count, json_object
from web.wire.origin import require_no_other_site

blueprint = Blueprint("share_prepared", __name__, url_prefix="/api/share/<token>")

MOST_UNDER_WAY = 5
"""Jobs of the owner's beyond which visitors wait; the owner may have more."""
_BEGUN = frozenset({200, 206, 302})
"""Answers with which bytes leave, from here or from object storage."""


@blueprint.post("/prepare-download")
@fetching
def prepare(visit: Visit) -> Response:
    """`{"folder_id"?}`: the shared folder, or one below it."""
    require_no_other_site()
    _require_unlimited(visit)
    given = count(json_object("folder_id"), "folder_id")
    seen = gateway().visits.folder(visit, visit.share.node.id if given is None else given)
    gateway().visits.require_left(visit, seen.id)
    owner = visit.share.owner
    # The job is its owner's, and names the folder by its place in their tree.
    folder = gateway().files.folder(owner, seen.id)
    job = gateway().prepared.ask(owner, folder, most=MOST_UNDER_WAY)
    response = prepared.polled(_document(visit, job), 200 if job.status == "ready" else 202)
    response.headers["Location"] = f"/api/share/{visit.share.token}/download-status/{job.id}"
    return response


@blueprint.get("/download-status/<job:job_id>")
@fetching
def status(visit: Visit, job_id: str) -> Response:
    return prepared.polled(_document(visit, _seen(visit, job_id)))


@blueprint.get("/prepared/<job:job_id>/<string:name>")
@fetching
def fetch(visit: Visit, job_id: str, name: str) -> Response:
    """Counted as the folder's download. The `name` in the address decides nothing."""
    _require_unlimited(visit)  # it may have been made before the limit was
    _seen(visit, job_id)
    terms = visit.share.terms
    job, path = gateway().prepared.whole(visit.share.owner, job_id, until=terms.expires_at)
    response = prepared.send(job, path)
    if request.method != "HEAD" and response.status_code in _BEGUN:
        try:
            gateway().visits.count(visit, job.args["folder_id"])
        except BaseException:
            response.close()
            raise
    return response


def _require_unlimited(visit: Visit) -> None:
    terms = visit.share.terms
    if terms.rate_limit_kb or terms.max_connections:
        raise Forbidden("This link is limited, and a prepared file would not be. Fetch the ZIP as a stream.")


def _seen(visit: Visit, job_id: str) -> Job:
    """Raises NotFound for what is of another folder than those that this visit may see."""
    job = gateway().jobs.get(visit.share.owner, job_id)
    if "folder_id" not in job.args:
        raise NotFound("There is no such job.")
    gateway().visits.folder(visit, job.args["folder_id"])
    return job


def _document(visit: Visit, job: Job) -> dict[str, Any]:
    """Nothing of where the folder is in its owner's tree. The address is never a CDN's, which would hand on what it has
    when the share is over, and count nothing.
    """
    told = prepared.progress(job)
    if job.status == "ready":
        folder_id: int = job.args["folder_id"]
        place = f"prepared/{job.id}/{quote(job.args['name'], safe='')}"
        told["download_url"] = base_url() + signing.address(visit, place, folder_id)
    return told
