"""`serve` with a bucket and a mail server, as its settings have them, and `zip --prepare` against it."""

from __future__ import annotations

import os
import socket
import zipfile
from pathlib import Path

import httpx
import pytest

from model import MIB
from tests.bucket import start_bucket
from tests.cli.conftest import Installation, serving, until
from tests.mailbox import SENDER, start_mailbox


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.slow
def test_a_prepared_zip_comes_out_of_the_bucket_and_a_letter_leads_to_it(tmp_path: Path) -> None:
    with start_bucket() as bucket, start_mailbox() as mailbox:
        port = free_port()
        installation = Installation(tmp_path, **bucket.environ)
        installation.environ |= {
            "PORT": str(port),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}?from={SENDER}",
        }
        with serving(installation) as running:
            (tmp_path / "album").mkdir()
            (tmp_path / "album" / "film").write_bytes(os.urandom(3 * MIB))
            installation.ok("put", "album", "/album")
            installation.ok("zip", "--prepare", "/album")
            with zipfile.ZipFile(tmp_path / "album.zip") as archive:
                assert archive.read("film") == (tmp_path / "album" / "film").read_bytes()
            assert len(bucket.keys()) == 1
            token = (installation.data / "local-token").read_text(encoding="utf-8").strip()
            with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {token}"}) as client:
                folder = client.get("/api/v1/nodes?path=/album").json()["folder"]["id"]
                wanted = {"email": "ada@example.net"}
                assert client.post(f"/api/v1/folders/{folder}/prepare-download", json=wanted).is_success
            until(lambda: len(mailbox.letters) == 1)
            assert f"{running.url}/prepared/" in mailbox.letters[0].get_content()
            code, log = running.stop()
    assert code == 0
    for secret in (bucket.environ["S3_SECRET_ACCESS_KEY"], "X-Amz-Signature"):
        assert secret not in log
