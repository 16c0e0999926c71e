"""Work in the background, for those who asked for it and for admins."""

from __future__ import annotations

from flask import Blueprint, Response

from model import User
from web.access.auth import admin_only, signed_in
from web.outgoing.prepared import document, polled
from web.wire.context import gateway

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1")


@blueprint.get("/jobs")
@signed_in
def jobs(user: User) -> Response:
    """The latest first."""
    return polled({"items": [document(job, user) for job in gateway().jobs.of(user)]})


@blueprint.get("/jobs/<job:job_id>")
@signed_in
def job(user: User, job_id: str) -> Response:
    return polled(document(gateway().jobs.get(user, job_id), user))


@blueprint.delete("/jobs/<job:job_id>")
@signed_in
def cancel(user: User, job_id: str) -> tuple[str, int]:
    """Stop it, or throw away what it made."""
    gateway().jobs.cancel(user, job_id)
    return "", 204


@blueprint.get("/admin/jobs")
@admin_only
def all_jobs(_: User) -> Response:
    """Everybody's, without their links."""
    users = {account.user.id: account.user for account in gateway().people.accounts()}
    items = []
    for job in gateway().jobs.all():
        owner = job.owner_id is not None and users.get(job.owner_id)
        if owner:  # else they were removed, and soon their jobs are, too
            told = document(job, owner) | {"user": owner.name, "attempts": job.attempts}
            items.append({name: value for name, value in told.items() if name != "download_url"})
    return polled({"items": items})
