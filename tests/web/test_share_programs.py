"""Download programs at a share with a password, killed and begun again, at a real server; and what its log says."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from flask.testing import FlaskClient

from errors import Permanent
from model import MIB, ByteRange, Locator
from tests.conftest import House
from tests.serving.conftest import Running, until
from tests.web.conftest import Api, basic

PASSWORD = "open sesame"
DATA = os.urandom(8 * MIB)

Program = Callable[[str, Path], list[str]]
PROGRAMS: dict[str, Program] = {
    "wget": lambda url, to: [
        "wget", "-q", "-c", "--waitretry=1", "--retry-on-http-error=410", "--tries=20",
        "--user", "anybody", "--password", PASSWORD, "-O", str(to), url,
    ],
    "aria2c": lambda url, to: [
        "aria2c", "-q", "--no-conf", "-c", "-x16", "-s16", "-k1M", "--file-allocation=none", "--retry-wait=1",
        "-d", str(to.parent), "-o", to.name, f"{url}?password={quote(PASSWORD)}",
    ],
}  # fmt: skip


def share(ada: Api, **terms: object) -> tuple[str, str]:
    """The token of a share of a file, and the file's address by it."""
    node = ada.put("/f.bin", DATA)["id"]
    made = ada("POST", "/api/v1/shares", json={"file_id": node, "password": PASSWORD} | terms)
    token = made.get_json()["token"]
    return token, f"/api/share/{token}/download/{node}"


@pytest.mark.slow
@pytest.mark.parametrize("program", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS])
def test_they_have_every_byte_though_they_were_killed_in_between_and_it_is_one_download(
    house: House, ada: Api, running: Running, tmp_path: Path, program: str
) -> None:
    _, path = share(ada, max_downloads=1, rate_limit_kb=4000)
    url, to = f"http://{running.address[0]}:{running.address[1]}{path}", tmp_path / "out.bin"
    command = PROGRAMS[program](url, to)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as first:

        def well_under_way() -> bool:
            return any(status.moved > 2 * MIB for status in house.gateway.transfers.statuses(house.user))

        assert until(well_under_way, 30)
        first.kill()
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    assert to.read_bytes() == DATA
    (listed,) = ada("GET", "/api/v1/shares").get_json()["items"]
    assert (listed["downloads"], listed["state"]) == (1, "used_up")


@pytest.mark.slow
def test_neither_tokens_nor_passwords_nor_signatures_are_in_the_log(
    house: House, ada: Api, nobody: FlaskClient, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token, path = share(ada)
    base = f"http://{running.address[0]}:{running.address[1]}"
    with httpx.Client(base_url=base) as client:
        page = client.post(f"/share/{token}", data={"password": PASSWORD}, follow_redirects=True).text
        signed = page.partition("?token=")[2].partition('"')[0].partition("&")[0]
        cookie = client.cookies.get("stowgram-share", path=f"/share/{token}") or ""
        assert signed and cookie
        for query in (
            "",
            f"?token={signed}",
            f"?token={signed}x",
            "?password=wr0ng",
            f"?password={PASSWORD}",
        ):
            httpx.get(base + path + query)
        httpx.get(base + path, headers=basic("x", PASSWORD))
        httpx.get(f"{base}/share/{token}x?password=wr0ng")

        def broken(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
            raise Permanent("Telegram says no.")

        house.store.on_read = broken
        assert client.get(path).status_code == 502
    ours = [record for record in caplog.records if not record.name.startswith("http")]  # those of the client
    said = "\n".join(map(logging.Formatter().format, ours))
    assert "/api/share/…/download" in said and "visitor of share" in said
    for secret in (token, PASSWORD, quote(PASSWORD), "wr0ng", signed[:20], cookie[:20]):
        assert secret not in said


@pytest.mark.slow
@pytest.mark.parametrize("rate", [300, 1000])
def test_a_rate_below_a_piece_a_second_flows(ada: Api, running: Running, rate: int) -> None:
    _, path = share(ada, rate_limit_kb=rate)
    url, got = f"http://{running.address[0]}:{running.address[1]}{path}", 0
    with httpx.stream("GET", url, auth=("x", PASSWORD), timeout=20) as answer:
        for block in answer.iter_raw():
            assert block == DATA[got : got + len(block)]
            got += len(block)
            if got > 2 * 1000 * rate:  # what may leave at once is behind it
                break
    assert got > 2 * 1000 * rate


def test_revoking_cuts_what_its_visitors_have_under_way_and_nothing_else(
    house: House, ada: Api, running: Running
) -> None:
    revoked, path = share(ada, rate_limit_kb=1000)
    kept, other = share(ada, rate_limit_kb=1000)
    base = f"http://{running.address[0]}:{running.address[1]}"
    with (
        httpx.stream("GET", base + path, auth=("x", PASSWORD), timeout=20) as cut,
        httpx.stream("GET", base + other, auth=("x", PASSWORD), timeout=20) as whole,
    ):
        goes_on = whole.iter_raw()
        next(goes_on)
        assert ada("DELETE", f"/api/v1/shares/{revoked}").status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in cut.iter_raw():
                pass
        assert len(next(goes_on)) > 0
        assert ada("DELETE", f"/api/v1/shares/{kept}").status_code == 204
