"""Objects in a bucket that speaks S3's protocol: AWS, Cloudflare R2, MinIO. The home of boto3.

It is imported by those who have a bucket only: boto3 takes a third of a second and 30 MB (docs/decisions/objects.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from s3transfer.exceptions import CancelledError
from s3transfer.futures import TransferFuture
from s3transfer.manager import TransferConfig, TransferManager
from s3transfer.subscribers import BaseSubscriber

from config import ObjectSettings
from disposition import content_disposition
from errors import ClientGone, Permanent, StoreError, Transient
from model import MIB
from storage.objects.base import LONGEST_LINK, ObjectStore

PART_SIZE = 16 * MIB
"""Bytes of a part; more where a file would have over 10,000 of them, which is S3's limit. All but the last are equal,
as R2 wants them."""
PARTS_AT_A_TIME = 4
ATTEMPTS = 4
"""How often one request is made before its failure counts."""
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 60.0
"""Seconds to open a connection, and to wait for a byte. With ATTEMPTS they bound how long a part can stand still."""
QUICK_ATTEMPTS, QUICK_TIMEOUT = 2, 10.0
"""The same for requests that carry no parts: whoever makes them has more to do, and comes again."""
MOST_SKEW = timedelta(minutes=15)
"""How far our clock may be off before signatures are refused
(docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed)."""
LOOK = 0.2
"""Seconds between two looks at whether an upload is to be stopped."""
_session = cache(boto3.session.Session)
"""Once for all buckets: to read what boto3 knows of S3 takes 0.2 s."""


class Bucket(ObjectStore):
    """The bucket of `settings`, and of it only what begins with the prefix there. Made without I/O."""

    def __init__(self, settings: ObjectSettings) -> None:
        self._bucket, self._prefix = settings.bucket, settings.prefix
        with self._translated():
            self._client = _client(settings, ATTEMPTS, READ_TIMEOUT)
            self._quick = _client(settings, QUICK_ATTEMPTS, QUICK_TIMEOUT)

    def __repr__(self) -> str:
        return f"<Bucket {self._bucket}/{self._prefix} at {self._client.meta.endpoint_url}>"

    def put(
        self, key: str, path: Path, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        extra = {"ContentType": "application/zip" if path.suffix == ".zip" else "application/octet-stream"}
        sizes = TransferConfig(
            multipart_threshold=PART_SIZE,
            multipart_chunksize=PART_SIZE,
            max_request_concurrency=PARTS_AT_A_TIME,
            max_request_queue_size=PARTS_AT_A_TIME,
        )
        with self._translated():
            self._clear_unfinished(self._client, key)
            watch = _Watch(progress)
            with TransferManager(self._client, sizes) as manager:
                # By its path: parts are then read from the disk as they are sent, and none is held in memory.
                future = manager.upload(str(path), self._bucket, self._prefix + key, extra, [watch])
                while not watch.ended.wait(LOOK):
                    if stopped():
                        future.cancel()
                try:
                    future.result()
                except CancelledError:
                    raise ClientGone("The upload to object storage was stopped.") from None
                except OSError as error:
                    kind = type(error).__name__
                    raise Transient(f"What was to go to object storage cannot be read ({kind}).") from None

    def link(self, key: str, *, name: str, seconds: int) -> str:
        wanted = {
            "Bucket": self._bucket,
            "Key": self._prefix + key,
            "ResponseContentDisposition": content_disposition(name),
        }
        life = max(1, min(seconds, LONGEST_LINK))
        address: str = self._client.generate_presigned_url("get_object", wanted, life)
        return address

    def remove(self, key: str) -> None:
        with self._translated():
            self._clear_unfinished(self._quick, key)
            self._quick.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def check(self) -> None:
        with self._translated():
            self._quick.head_bucket(Bucket=self._bucket)

    def close(self) -> None:
        self._client.close()
        self._quick.close()

    def _clear_unfinished(self, client: Any, key: str) -> None:
        """Parts of an upload that a crash cut off are nowhere to be seen, and are paid for until somebody ends it."""
        pages = client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + key):
            for upload in page.get("Uploads", ()):
                if upload["Key"] == self._prefix + key:
                    client.abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The border at which boto3's errors become ours. No sentence quotes a request, which may hold a signature."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from None
        except (NoConnection, HTTPClientError) as error:
            kind = type(error).__name__
            raise Transient(f"Object storage does not answer ({kind}). Check S3_ENDPOINT_URL.") from None
        except BotoCoreError as error:
            raise Permanent(f"Object storage cannot be used: {type(error).__name__}.") from None

    def _refusal(self, error: ClientError) -> StoreError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status in {408, 429} or code in {"SlowDown", "RequestTimeout"}:
            return Transient(f"Object storage is in trouble ({code or status}).")
        if code == "NoSuchBucket" or (status == 404 and error.operation_name == "HeadBucket"):
            return Permanent(f"There is no bucket {self._bucket!r}. Make it, or correct S3_BUCKET.")
        if code == "RequestTimeTooSkewed" or (status == 403 and _skewed(error)):
            return Permanent("Object storage has another time than this machine. Set its clock.")
        if status in {401, 403}:
            return Permanent(
                f"The bucket {self._bucket!r} does not let us in ({code}). Check S3_ACCESS_KEY_ID, "
                "S3_SECRET_ACCESS_KEY, S3_REGION, and what the key may do."
            )
        return Permanent(f"Object storage refuses {error.operation_name} ({code or status}).")


def _client(settings: ObjectSettings, attempts: int, read_timeout: float) -> Any:
    """boto3's, which makes a request so many times, and waits so many seconds for each byte."""
    own_server = settings.endpoint_url is not None
    config = Config(
        # Version 2, which some regions' defaults still name, is refused by R2 and by AWS's newer regions.
        signature_version="s3v4",
        # AWS: the host of the bucket's region, since a presigned address does not survive the redirect to it.
        # Others: the bucket in the path, which wants no DNS name for each bucket.
        s3={"addressing_style": "path" if own_server else "virtual"},
        # R2 and most clones know none of the newer checksums; SHA-256 of each part is signed as ever.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        max_pool_connections=PARTS_AT_A_TIME + 2,  # what begins and ends an upload never waits for parts
        ignore_configured_endpoint_urls=True,  # settings are config's, and not AWS_ENDPOINT_URL's
    )
    return _session().client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=config,
    )


def _skewed(error: ClientError) -> bool:
    """Whether our clock is off by more than a signature may be. A refused HEAD has no body that would say so."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):  # none, or none that RFC 9110 knows
        return False
    return abs(datetime.now(UTC) - theirs.astimezone(UTC)) > MOST_SKEW


class _Watch(BaseSubscriber):  # type: ignore[misc]  # s3transfer has no types
    """Tells of an upload's bytes as they go, and of its end."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self.ended = Event()

    def on_progress(self, future: TransferFuture, bytes_transferred: int, **_: object) -> None:
        self._progress(bytes_transferred)

    def on_done(self, future: TransferFuture, **_: object) -> None:
        self.ended.set()
