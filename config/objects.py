"""The settings of object storage, where prepared downloads can rest; read together, as Telegram's are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from config.variables import Variables

NAMES = frozenset(
    {
        "STORAGE_BACKEND", "S3_BUCKET", "S3_ENDPOINT_URL", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY",
        "S3_PREFIX",
    }
)  # fmt: skip
# docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What no signature and no proxy has to escape.
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/?")


@dataclass(frozen=True, slots=True)
class ObjectSettings:
    """A bucket, and how to reach it. Secrets stay out of the repr."""

    bucket: str
    region: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    endpoint_url: str | None = None
    """Of another service than AWS."""
    prefix: str = ""
    """What all of our keys begin with: empty, or it ends with a slash."""


def read(values: Variables) -> ObjectSettings | None:
    """None while files stay on this machine. Faults are noted in `values`."""
    backend = values.choice("STORAGE_BACKEND", {"local": "local", "s3": "s3", "r2": "r2"}, "local")
    if backend == "local":
        if values.text("STORAGE_BACKEND") is None and (names := values.beginning("S3_")):
            values.faults.append(
                f"{names[0]} is set, but STORAGE_BACKEND is not; set it to s3, r2, or local to leave the bucket alone."
            )
        return None
    needed = ["S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]
    if backend == "r2":
        needed.append("S3_ENDPOINT_URL")
    endpoint = values.web_url("S3_ENDPOINT_URL")
    if backend == "s3" and endpoint is None:
        needed.append("S3_REGION")  # a wrong guess is answered by a redirect that no signature survives
    values.faults += [
        f"{name} is missing: STORAGE_BACKEND={backend} needs it."
        for name in needed
        if values.text(name) is None
    ]
    return ObjectSettings(
        bucket=_matching(values, "S3_BUCKET", _BUCKET, "give the bucket's bare name"),
        region=values.text("S3_REGION") or ("auto" if backend == "r2" else "us-east-1"),
        access_key_id=values.text("S3_ACCESS_KEY_ID") or "",
        secret_access_key=values.text("S3_SECRET_ACCESS_KEY") or "",
        endpoint_url=endpoint,
        prefix=_with_slash(
            _matching(values, "S3_PREFIX", _PREFIX, "give a folder such as stowgram/prepared")
        ),
    )


def _matching(values: Variables, name: str, form: re.Pattern[str], what_to_do: str) -> str:
    text = values.text(name) or ""
    if text and not form.fullmatch(text):
        values.note(name, what_to_do)
    return text


def _with_slash(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/" if prefix else ""
