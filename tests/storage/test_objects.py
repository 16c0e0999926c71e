"""Object storage: our store against a real S3 server, and addresses fetched by curl."""

from __future__ import annotations

import hashlib
import logging
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from config import ObjectSettings
from errors import ClientGone, Permanent, Transient
from storage.objects import s3
from storage.objects.base import LONGEST_LINK
from storage.objects.s3 import PART_SIZE, Bucket
from tests.bucket import NAME, SECRET, RunningBucket, start_bucket

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bucket() -> Iterator[RunningBucket]:
    with start_bucket() as running:
        yield running


@pytest.fixture
def store(bucket: RunningBucket) -> Iterator[Bucket]:
    with closing(Bucket(bucket.settings())) as store:
        yield store
    bucket.clear()


def never() -> bool:
    return False


def file_of(folder: Path, size: int) -> Path:
    path = folder / "a.zip"
    path.write_bytes(random.Random(size).randbytes(size))
    return path


def put(store: Bucket, key: str, path: Path) -> int:
    """How many bytes the store told of."""
    told: list[int] = []
    store.put(key, path, progress=told.append, stopped=never)
    return sum(told)


def curl(address: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["curl", "-sS", *options, address], capture_output=True, check=True, timeout=60)


@pytest.mark.needs("curl")
@pytest.mark.parametrize("size", [0, 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE + 77])
def test_what_is_put_is_fetched_from_its_address_byte_for_byte(
    bucket: RunningBucket, store: Bucket, tmp_path: Path, size: int
) -> None:
    path = file_of(tmp_path, size)
    assert put(store, "a.zip", path) == size
    fetched = curl(store.link("a.zip", name="a.zip", seconds=60)).stdout
    assert hashlib.sha256(fetched).digest() == hashlib.sha256(path.read_bytes()).digest()
    head = bucket.boto.head_object(Bucket=NAME, Key="a.zip")
    assert head["ContentType"] == "application/zip"
    assert ("-" in head["ETag"]) == (size > PART_SIZE - 1)  # what went up in parts has their number there
    assert bucket.unfinished() == 0


@pytest.mark.needs("curl")
@pytest.mark.parametrize("name", ["Ferien 2026.zip", 'Übermut & "Co"; x=y.zip', "写真.zip"])
def test_an_address_saves_under_its_name_and_gives_ranges(store: Bucket, tmp_path: Path, name: str) -> None:
    path = file_of(tmp_path, 1000)
    put(store, "k.zip", path)
    address = store.link("k.zip", name=name, seconds=60)
    answer = curl(address, "-i", "-r", "10-19").stdout
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 206")
    assert body == path.read_bytes()[10:20]
    (said,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
    assert b"attachment; filename=" in said
    if not name.isascii():
        curl(address, "-JO", "--output-dir", str(tmp_path))  # whatever it makes of the name, it makes a file
        assert b"filename*=UTF-8''" in said


@pytest.mark.needs("curl")
def test_an_address_ends_and_is_good_for_one_object_under_one_name(store: Bucket, tmp_path: Path) -> None:
    put(store, "one.zip", file_of(tmp_path, 10))
    put(store, "two.zip", file_of(tmp_path, 10))
    address = store.link("one.zip", name="a.zip", seconds=1)
    for changed in (
        address.replace("one.zip", "two.zip"),
        address.replace("a.zip", "b.zip"),
        address.replace("Expires=1&", "Expires=9&"),
        address.partition("?")[0],
    ):
        assert changed != address
        assert b"AccessDenied" in curl(changed).stdout
    deadline = time.monotonic() + 30
    while b"AccessDenied" not in curl(address).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_longer_life_than_signatures_have_is_cut_to_it(store: Bucket) -> None:
    query = parse_qs(urlsplit(store.link("k", name="k.zip", seconds=30 * 86400)).query)
    assert query["X-Amz-Expires"] == [str(LONGEST_LINK)]


def test_stopping_an_upload_leaves_nothing(bucket: RunningBucket, store: Bucket, tmp_path: Path) -> None:
    asked = Event()

    def wait(_: int) -> None:
        asked.wait(30)

    def stopped() -> bool:
        asked.set()
        return True

    with pytest.raises(ClientGone):
        store.put("a.zip", file_of(tmp_path, 5 * PART_SIZE), progress=wait, stopped=stopped)
    assert (bucket.keys(), bucket.unfinished()) == ([], 0)


def test_what_a_crash_left_is_cleared_away(bucket: RunningBucket, store: Bucket, tmp_path: Path) -> None:
    for key in ("a.zip", "a.zip.of-somebody-else"):
        bucket.boto.create_multipart_upload(Bucket=NAME, Key=key)
    put(store, "a.zip", file_of(tmp_path, 10))
    assert bucket.unfinished() == 1
    store.remove("a.zip.of-somebody-else")
    assert (bucket.keys(), bucket.unfinished()) == (["a.zip"], 0)


def test_removing_may_be_repeated(bucket: RunningBucket, store: Bucket, tmp_path: Path) -> None:
    put(store, "a.zip", file_of(tmp_path, 10))
    for _ in range(2):
        store.remove("a.zip")
    assert bucket.keys() == []


def test_a_prefix_keeps_to_its_part_of_the_bucket(bucket: RunningBucket, tmp_path: Path) -> None:
    with closing(Bucket(bucket.settings(prefix="our/corner/"))) as store:
        put(store, "a.zip", file_of(tmp_path, 10))
        assert bucket.keys() == ["our/corner/a.zip"]
        store.remove("a.zip")
        assert bucket.keys() == []


def test_a_bucket_that_is_not_there_is_told_of(bucket: RunningBucket, tmp_path: Path) -> None:
    with closing(Bucket(bucket.settings(bucket="elsewhere"))) as store:
        for failing in (
            store.check,
            lambda: put(store, "a", file_of(tmp_path, 1)),
            lambda: store.remove("a"),
        ):
            with pytest.raises(Permanent, match="no bucket 'elsewhere'"):
                failing()


def test_a_file_that_cannot_be_read_is_told_as_our_own_error(
    bucket: RunningBucket, store: Bucket, tmp_path: Path
) -> None:
    with pytest.raises(Transient, match="cannot be read"):
        put(store, "a.zip", tmp_path / "nowhere.zip")
    assert (bucket.keys(), bucket.unfinished()) == ([], 0)


class _AnotherTime(BaseHTTPRequestHandler):
    """Refuses as AWS does where the clocks differ: in words, but for HEAD, whose answer has none."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() - 3600, usegmt=True)

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_DELETE(self) -> None:
        body = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_DELETE

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_clock_that_is_off_is_not_told_as_wrong_keys(bucket: RunningBucket) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _AnotherTime) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings = bucket.settings(endpoint_url=f"http://127.0.0.1:{server.server_port}")
        with closing(Bucket(settings)) as store:
            for refused in (store.check, lambda: store.remove("a.zip")):
                with pytest.raises(Permanent, match="clock"):
                    refused()
        server.shutdown()


def test_a_bucket_that_does_not_answer_is_worth_another_try_and_no_secret_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    caplog.set_level(logging.INFO)
    path = file_of(tmp_path, 3 * PART_SIZE)
    with start_bucket() as mortal, closing(Bucket(mortal.settings())) as store:
        store.check()

        def kill(_: int) -> None:
            mortal.kill()

        with pytest.raises(Transient) as failure:
            store.put("a.zip", path, progress=kill, stopped=never)
        with pytest.raises(Transient):
            store.check()
    assert SECRET not in f"{failure.value} {store!r} {caplog.text}"


def test_who_only_looks_or_removes_soon_gives_up_on_a_bucket_that_accepts_and_never_answers(
    bucket: RunningBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "QUICK_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = bucket.settings(endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with closing(Bucket(settings)) as store:
            for asks in (store.check, lambda: store.remove("a.zip")):
                with pytest.raises(Transient, match="does not answer"):
                    asks()
        assert accepted(silent) == 2 * s3.QUICK_ATTEMPTS


def accepted(listener: socket.socket) -> int:
    """How many connections wait there."""
    listener.setblocking(False)
    number = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            number += 1
    return number


def test_at_aws_an_address_names_the_region() -> None:
    settings = ObjectSettings(NAME, "eu-central-1", "key", "secret")
    with closing(Bucket(settings)) as store:
        assert store.link("k", name="k", seconds=9).startswith(
            "https://films.s3.eu-central-1.amazonaws.com/k?"
        )
