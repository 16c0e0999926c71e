"""The shell in a real browser: what a person meets first, and nothing that the browser complains about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from playwright.sync_api import Page

from tests.app.browsing import PAGES_ALONE, chromium
from tests.serving.conftest import Running
from tests.web.conftest import PASSWORD, Api
from web.page import VIEWS

FIRST_PAGE = 150_000
"""Bytes of the document and of all that is loaded with it."""


@pytest.fixture
def page(running: Running) -> Iterator[Page]:
    """A browser at the sign-in form. It fails the test if anything was blocked or broke."""
    complaints: list[str] = []
    with chromium(PAGES_ALONE) as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None
        )
        page.goto(f"http://{running.address[0]}:{running.address[1]}/")
        yield page
    assert not complaints


def sign_in(page: Page) -> None:
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector(".status:not(:empty)")


def test_every_view_begins_with_one_document(browser: FlaskClient) -> None:
    for path in VIEWS:
        response = browser.get(path)
        assert response.status_code == 200 and '<main id="view"' in response.text, path


def test_a_page_asked_for_with_a_token_begins_no_session(ada: Api) -> None:
    response = ada("GET", "/")
    assert response.status_code == 200 and 'name="csrf-token" content=""' in response.text
    assert "Set-Cookie" not in response.headers


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_a_person_signs_in_finds_a_file_in_a_folder_and_signs_out(page: Page, ada: Api) -> None:
    ada.put("/a & b/größe.bin", b"x" * 1536)
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "wrong")
    page.click("main button")
    page.wait_for_selector("text=do not fit together")
    sign_in(page)
    page.get_by_role("link", name="a & b").click()
    row = page.get_by_role("row", name="größe.bin")
    row.get_by_text("1.5 KiB").first.wait_for(state="attached")
    with page.expect_download() as download:
        row.locator("a.fetch").click(force=True)
    assert download.value.suggested_filename == "größe.bin"
    assert Path(download.value.path()).read_bytes() == b"x" * 1536
    page.go_back()
    page.get_by_role("link", name="a & b").wait_for()
    page.locator("#who").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_selector("text=Password")


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_the_first_page_is_small(page: Page) -> None:
    loaded: dict[str, int] = {}
    page.on("response", lambda answer: loaded.update({answer.url: len(answer.body())}) if answer.ok else None)
    sign_in(page)
    page.wait_for_load_state("networkidle")
    ours = {urlsplit(url).path: size for url, size in loaded.items()}
    assert sum(ours.values()) < FIRST_PAGE, sorted(ours.items(), key=lambda item: -item[1])


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_sizes_are_for_people(page: Page) -> None:
    counts = [0, 1023, 1024, 1_572_864, 1023 << 20, 1 << 50]
    shown = page.evaluate(
        "async counts => { const { size } = await import('/static/app/format.js'); return counts.map(size); }",
        counts,
    )
    assert shown == ["0 B", "1023 B", "1 KiB", "1.5 MiB", "0.999 GiB", "1 PiB"]


def test_an_address_is_built_when_somebody_asks_for_one(flask_app: Flask) -> None:
    """Though nothing is made ready for that (app.Route)."""
    with flask_app.test_request_context():
        assert url_for("static", filename="größe.js") == "/static/gr%C3%B6%C3%9Fe.js"
        assert url_for("static", filename="a.js", v="1") == "/static/a.js?v=1"
