"""A bucket in a process of its own: moto's S3 server, behind a door that checks presigned addresses as AWS does.

    with start_bucket() as bucket:
        Bucket(bucket.settings())         # our store on it
        bucket.boto.list_objects_v2(...)  # a look past our store
        bucket.kill()                     # from now on nobody answers

moto lets everybody in. The door checks what it does not: signature and expiry of addresses (Signature Version 4,
docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). The process ends with the `with`, and by itself
if the test process dies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import boto3.session

from config import ObjectSettings
from tests.sandbox_process import OWN_GROUP

NAME, KEY, SECRET, REGION = (
    "films",
    "AKIATESTTESTTESTTEST",
    "a secret of forty characters, or so it be",
    "us-east-1",
)
_session = cache(boto3.session.Session)  # reading what it knows of S3 takes 0.2 s
_ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT = 60.0
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class RunningBucket:
    """An empty bucket, and the process that serves it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bucket"],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            process_group=OWN_GROUP,
        )  # fmt: skip
        assert self._process.stdout is not None
        deadline = threading.Timer(_START_TIMEOUT, self._process.kill)
        deadline.start()
        try:
            self.url: str = json.loads(self._process.stdout.readline())
        finally:
            deadline.cancel()
        self.boto = _session().client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        self.boto.create_bucket(Bucket=NAME)

    def settings(self, **changes: str) -> ObjectSettings:
        return replace(ObjectSettings(NAME, REGION, KEY, SECRET, self.url), **changes)

    @property
    def environ(self) -> dict[str, str]:
        """The same for a gateway of its own process."""
        return {
            "STORAGE_BACKEND": "s3",
            "S3_ENDPOINT_URL": self.url,
            "S3_BUCKET": NAME,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
        }

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.boto.list_objects_v2(Bucket=NAME).get("Contents", ())]

    def unfinished(self) -> int:
        """Uploads in parts that nobody has ended."""
        return len(self.boto.list_multipart_uploads(Bucket=NAME).get("Uploads", ()))

    def clear(self) -> None:
        for key in self.keys():
            self.boto.delete_object(Bucket=NAME, Key=key)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.boto.close()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()


@contextmanager
def start_bucket() -> Iterator[RunningBucket]:
    running = RunningBucket()
    try:
        yield running
    finally:
        running.close()


def _door(behind: Application) -> Application:
    """Refuses what AWS would: a GET that is not signed, or was for another address or time."""

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        signed = "HTTP_AUTHORIZATION" in environ  # a program that holds the key; moto may take its word
        if signed or _holds(environ):
            return behind(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code></Error>"]

    return application


def _holds(environ: Environ) -> bool:
    """Whether the request's address is one that was presigned for it, and is still good."""
    pairs = sorted(
        pair for pair in environ["QUERY_STRING"].split("&") if not pair.startswith("X-Amz-Signature=")
    )
    given = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if given.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" or given["X-Amz-SignedHeaders"] != "host":
        return False
    made = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) > made + timedelta(seconds=int(given["X-Amz-Expires"])):
        return False
    path = environ["REQUEST_URI"].partition("?")[0]
    headers = f"host:{environ['HTTP_HOST']}\n"
    request = "\n".join(
        [environ["REQUEST_METHOD"], path, "&".join(pairs), headers, "host", "UNSIGNED-PAYLOAD"]
    )
    scope = unquote(given["X-Amz-Credential"]).split("/")[1:]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", given["X-Amz-Date"], "/".join(scope), digest])
    key = b"AWS4" + SECRET.encode()
    for step in (*scope, text):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.compare_digest(key.hex(), given["X-Amz-Signature"])


def _serve() -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server(
        "127.0.0.1", 0, _door(DomainDispatcherApplication(create_backend_app)), threaded=True
    )

    def end_with_stdin() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps(f"http://127.0.0.1:{server.server_port}"), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
