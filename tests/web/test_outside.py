"""Prepared ZIPs in a real bucket, and letters by a real mail server, from the route that asks to curl that fetches."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import ObjectSettings
from errors import ClientGone, Transient
from gateway import Post
from gateway.background.letters import MOST_A_DAY
from mail.smtp import Postman
from model import Folder
from storage.objects.s3 import Bucket
from tests.bucket import RunningBucket, start_bucket
from tests.conftest import House, build_house
from tests.gateway.preparing import KINDS, WORKER, claimed, ignore, never, prepared, worked
from tests.mailbox import Mailbox, start_mailbox
from tests.serving.conftest import settings_for_tests
from tests.web.conftest import PASSWORD, Api
from web.outgoing.prepared import address

pytestmark = pytest.mark.slow

PHOTO = os.urandom(100_000)
HOME = "https://files.example.org"
MAIL = "zoe@example.net"


@pytest.fixture(scope="module")
def bucket() -> Iterator[RunningBucket]:
    with start_bucket() as running:
        yield running


@contextmanager
def house_with(folder: Path, **rooms: Any) -> Iterator[House]:
    built = build_house(folder, **rooms)
    yield built
    built.gateway.close()
    built.store.close()
    built.database.close()


@pytest.fixture
def objects(bucket: RunningBucket) -> Iterator[Bucket]:
    with closing(Bucket(bucket.settings())) as objects:
        yield objects
    bucket.clear()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with start_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def house(tmp_path: Path, objects: Bucket, mailbox: Mailbox) -> Iterator[House]:
    post = Post(Postman(mailbox.settings()), partial(address, settings_for_tests(tmp_path), HOME), HOME)
    with house_with(tmp_path, objects=objects, post=post) as house:
        yield house


@pytest.fixture
def folder(house: House) -> Folder:
    return filled(house)


def filled(house: House) -> Folder:
    house.gateway.uploads.put(house.user, "/größe/photo.jpg", BytesIO(PHOTO), len(PHOTO))
    found = house.gateway.files.at(house.user, "/größe")
    assert isinstance(found, Folder)
    return found


def ask(api: Api, folder: Folder, **body: str) -> dict[str, Any]:
    response = api("POST", f"/api/v1/folders/{folder.id}/prepare-download", json=body)
    assert response.status_code in {200, 202}, response.text
    job: dict[str, Any] = response.get_json()
    return job


def here(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def a_day_later(house: House) -> None:
    now = house.database.now
    house.database.now = lambda: now() + timedelta(hours=25)


def signed_in(house: House, tmp_path: Path) -> Api:
    client = create_app(house.gateway, settings_for_tests(tmp_path)).test_client()
    return Api(client, house.gateway.people.make_token(house.user, "test")[1])


def files(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "prepared").iterdir()]


@pytest.mark.needs("curl")
def test_a_zip_rests_in_the_bucket_and_is_fetched_from_there(
    house: House, ada: Api, nobody: FlaskClient, folder: Folder, bucket: RunningBucket, tmp_path: Path
) -> None:
    asked = ask(ada, folder)
    worked(house.gateway)
    house.gateway.prepared.tidy()
    assert bucket.keys() == [f"{asked['job_id']}.zip"]
    assert files(tmp_path) == []
    url = here(ask(ada, folder)["download_url"])
    answer = nobody.get(url)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    target = answer.headers["Location"]
    fetched = subprocess.run(["curl", "-sSf", "-D", "-", target], capture_output=True, check=True, timeout=60)
    head, _, body = fetched.stdout.partition(b"\r\n\r\n")
    assert b"filename*=UTF-8''gr%C3%B6%C3%9Fe.zip" in head
    assert zipfile.ZipFile(BytesIO(body)).read("photo.jpg") == PHOTO
    streamed = ada("GET", f"/folders/{folder.id}/download.zip").data
    assert hashlib.sha256(body).digest() == hashlib.sha256(streamed).digest()
    told = nobody.head(url)
    assert (told.status_code, told.headers["Content-Length"]) == (200, str(len(body)))


def test_it_is_removed_when_its_time_is_over_its_folder_changes_or_nobody_wants_it(
    house: House, ada: Api, folder: Folder, bucket: RunningBucket
) -> None:
    gateway = house.gateway
    prepared(gateway, house.user, folder)
    ada.put("/größe/another", b"x")
    gateway.prepared.tidy()
    assert bucket.keys() == []
    job = prepared(gateway, house.user, folder)
    assert ada("DELETE", f"/api/v1/jobs/{job.id}").status_code == 204
    gateway.prepared.tidy()
    assert bucket.keys() == []
    prepared(gateway, house.user, folder)
    a_day_later(house)
    gateway.prepared.tidy()
    assert bucket.keys() == []


def test_stopped_or_killed_on_its_way_it_is_taken_there_by_the_next(
    house: House, ada: Api, folder: Folder, bucket: RunningBucket, tmp_path: Path
) -> None:
    asked = ask(ada, folder)
    job = claimed(house.gateway, timedelta())
    with pytest.raises(ClientGone):
        house.gateway.jobs.perform(job, ignore, lambda: True)
    house.gateway.jobs.perform(job, ignore, never)  # and killed before it could say so
    assert files(tmp_path) == [f"{job.id}.zip"]
    worked(house.gateway)
    assert house.gateway.jobs.get(house.user, asked["job_id"]).result["outside"]
    assert bucket.keys() == [f"{job.id}.zip"]


class Watched(Bucket):
    """A bucket that has somebody look whenever some bytes have gone there."""

    def __init__(self, settings: ObjectSettings) -> None:
        super().__init__(settings)
        self.look: Callable[[], object] = never

    def put(
        self, key: str, path: Path, *, progress: Callable[[int], None], stopped: Callable[[], bool]
    ) -> None:
        def told(more: int) -> None:
            progress(more)
            self.look()

        super().put(key, path, progress=told, stopped=stopped)


def test_on_its_way_to_the_bucket_it_says_so_and_how_far_it_is(bucket: RunningBucket, tmp_path: Path) -> None:
    with closing(Watched(bucket.settings())) as objects, house_with(tmp_path, objects=objects) as house:
        ada = signed_in(house, tmp_path)
        job_id = ask(ada, filled(house))["job_id"]
        seen: list[dict[str, Any]] = []

        def look() -> bool:
            seen.append(ada("GET", f"/api/v1/jobs/{job_id}").get_json())
            return False

        objects.look = look
        worked(house.gateway, stopped=look)
        look()
    packing, *_, moving, over = seen
    assert (packing["step"], moving["step"], over["status"]) == ("packing", "moving", "ready")
    assert moving["done"] == moving["total"] == over["size"] and "step" not in over
    bucket.clear()


def test_a_visitors_address_ends_with_the_share(
    house: House, ada: Api, nobody: FlaskClient, folder: Folder
) -> None:
    job = prepared(house.gateway, house.user, folder)
    ends = house.database.now() + timedelta(minutes=5)
    for term, longest in (({}, 12 * 3600), ({"expires_at": ends.isoformat()}, 300)):
        share = ada("POST", "/api/v1/shares", json={"folder_id": folder.id, **term}).get_json()
        found = nobody.get(f"/api/share/{share['token']}/prepared/{job.id}/x.zip")
        assert found.status_code == 302
        (seconds,) = parse_qs(urlsplit(found.headers["Location"]).query)["X-Amz-Expires"]
        assert longest - 120 < int(seconds) <= longest


def test_a_failing_bucket_leaves_it_here_and_says_so_once(
    bucket: RunningBucket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    missing = bucket.settings(bucket="not-yet")
    with closing(Bucket(missing)) as objects, house_with(tmp_path, objects=objects) as house:
        ada = signed_in(house, tmp_path)
        house.gateway.upkeep.look_outside()
        folder = filled(house)
        job = prepared(house.gateway, house.user, folder)
        assert job.result == {"size": job.result["size"]}
        assert ada("GET", here(ask(ada, folder)["download_url"])).status_code == 200
        assert b"stowgram_object_storage_ready 0" in ada("GET", "/metrics").data
        told = ada("GET", "/api/v1/admin").get_json()["object_storage"]
        assert not told["ready"] and "no bucket 'not-yet'" in told["trouble"]
        house.gateway.upkeep.look_outside()
        assert ada("GET", "/api/v1/admin").get_json()["object_storage"] == told, "since it began"
        assert len(re.findall("no bucket 'not-yet'.*kept on this machine", caplog.text)) == 1
        bucket.boto.create_bucket(Bucket="not-yet")
        house.gateway.upkeep.look_outside()
        assert b"stowgram_object_storage_ready 1" in ada("GET", "/metrics").data
        well = {"ready": True, "trouble": None, "since": None}
        assert ada("GET", "/api/v1/admin").get_json()["object_storage"] == well
        ada.put("/größe/more", b"x")
        assert prepared(house.gateway, house.user, folder).result["outside"]


def test_what_a_bucket_does_not_let_go_of_is_asked_for_again(tmp_path: Path) -> None:
    with (
        start_bucket() as mortal,
        closing(Bucket(mortal.settings())) as objects,
        house_with(tmp_path, objects=objects) as house,
    ):
        job = prepared(house.gateway, house.user, filled(house))
        mortal.kill()
        house.gateway.jobs.cancel(house.user, job.id)
        a_day_later(house)
        house.gateway.prepared.tidy()
        assert house.gateway.jobs.get(house.user, job.id).status == "cancelled", (
            "the word of it is still there"
        )


def test_a_letter_says_when_it_is_ready_and_leads_to_it_without_a_cookie(
    house: House, ada: Api, nobody: FlaskClient, folder: Folder, mailbox: Mailbox
) -> None:
    ask(ada, folder, email=MAIL)
    worked(house.gateway)
    worked(house.gateway)
    (letter,) = mailbox.letters
    assert (letter["To"], letter["Subject"]) == (MAIL, "Ready: größe.zip")
    text = letter.get_content()
    assert "The ZIP of /größe " in text
    (link,) = [word for word in text.split() if word.startswith(f"{HOME}/prepared/")]
    assert nobody.get(here(link)).status_code == 302
    ask(ada, folder, email=MAIL)
    assert house.gateway.jobs.claim(WORKER, timedelta(minutes=1), KINDS) is None, "it is not sent twice"
    ask(ada, folder, email="other@example.net")
    worked(house.gateway)
    assert mailbox.letters[-1]["To"] == "other@example.net"
    kinds = {job["kind"] for job in ada("GET", "/api/v1/jobs").get_json()["items"]}
    assert kinds == {"zip"}, "letters are nothing to look at"


def test_a_letter_waits_for_the_mail_server(house: House, ada: Api, folder: Folder, mailbox: Mailbox) -> None:
    ask(ada, folder, email=MAIL)
    worked(house.gateway)
    letter = claimed(house.gateway)
    mailbox.answer = "450 come back"
    with pytest.raises(Transient, match="450"):
        house.gateway.jobs.perform(letter, ignore, never)
    mailbox.answer = None
    house.gateway.jobs.perform(letter, ignore, never)
    house.gateway.jobs.perform(letter, ignore, never)
    first, again = mailbox.letters
    assert first["Message-ID"] == again["Message-ID"], "a mail program shows a repeated one once"


def test_a_name_with_a_line_separator_of_unicodes_keeps_no_letter_back(
    house: House, ada: Api, mailbox: Mailbox
) -> None:
    ada.put("/two\u2028lines/f", b"x")
    folder = house.gateway.files.at(house.user, "/two\u2028lines")
    assert isinstance(folder, Folder)
    ask(ada, folder, email=MAIL)
    worked(house.gateway)
    worked(house.gateway)
    assert [letter["Subject"] for letter in mailbox.letters] == ["Ready: two lines.zip"]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "ada",
        "a b@example.net",
        "ada@example.net\r\nBcc: eve@example.net",
        "a@b," + MAIL,
        "x" * 250 + "@b.c",
    ],
)
def test_what_is_no_address_is_refused(
    house: House, ada: Api, folder: Folder, mailbox: Mailbox, bad: str
) -> None:
    response = ada("POST", f"/api/v1/folders/{folder.id}/prepare-download", json={"email": bad})
    assert (response.status_code, mailbox.letters) == (400, [])


def test_nobody_is_flooded_and_letters_keep_no_zip_out(house: House, ada: Api, folder: Folder) -> None:
    ada.put("/more/f", b"x")
    more = house.gateway.files.at(house.user, "/more")
    assert isinstance(more, Folder)
    prepared(house.gateway, house.user, folder)
    for number in range(MOST_A_DAY):
        ask(ada, folder, email=f"{number}@example.net")
    for each in (folder, more):
        response = ada("POST", f"/api/v1/folders/{each.id}/prepare-download", json={"email": MAIL})
        assert (response.status_code, "letters a day" in response.text) == (503, True)
    assert ask(ada, more)["status"] == "queued"


def test_no_more_letters_are_sent_than_a_day_has_however_they_were_asked_for(
    house: House, ada: Api, folder: Folder, mailbox: Mailbox
) -> None:
    ask(ada, folder, email=MAIL)
    zipped = claimed(house.gateway)
    for number in range(MOST_A_DAY):  # as if all were asked for in one moment
        house.gateway.jobs.ask(house.user.id, "letter", f"{number}", {"about": "none", "to": MAIL}, 0)
    house.gateway.jobs.finish(zipped, WORKER, house.gateway.jobs.perform(zipped, ignore, never))
    assert house.gateway.jobs.get(house.user, zipped.id).status == "ready"
    for _ in range(MOST_A_DAY):
        worked(house.gateway)
    assert house.gateway.jobs.claim(WORKER, timedelta(minutes=1), KINDS) is None
    assert mailbox.letters == []


def test_without_a_mail_server_no_letter_is_promised(tmp_path: Path) -> None:
    with house_with(tmp_path) as house:
        client = create_app(house.gateway, settings_for_tests(tmp_path)).test_client()
        ada = Api(client, house.gateway.people.make_token(house.user, "test")[1])
        folder = filled(house)
        response = ada("POST", f"/api/v1/folders/{folder.id}/prepare-download", json={"email": MAIL})
        assert response.status_code == 400
        assert "sends no letters" in response.text
        client.post("/login", data={"username": "ada", "password": PASSWORD})
        assert 'data-letters="false"' in client.get("/").text, "nor asked for"
