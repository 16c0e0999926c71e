"""The page in a real browser: what a person does, and nothing that the browser complains about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.serving.conftest import Running
from tests.web.conftest import PASSWORD
from web.page import size

DATA = bytes(range(256)) * 40_000
"""Two parts of an upload."""

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.slow]


@pytest.fixture
def page(running: Running) -> Iterator[Page]:
    """A browser at the sign-in form. It fails the test if the page's policy blocked anything of its own."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None
        )
        page.goto(f"http://{running.address[0]}:{running.address[1]}/")
        yield page
        browser.close()
    assert not complaints


def sign_in(page: Page) -> None:
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#drop")


def test_a_person_signs_in_uploads_renames_downloads_and_deletes(page: Page, tmp_path: Path) -> None:
    source = tmp_path / "größe.bin"
    source.write_bytes(DATA)
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "wrong")
    page.click("main button")
    page.wait_for_selector("text=do not fit together")
    sign_in(page)
    page.click("#new-folder")
    page.fill("[name=answer]", "a & b")
    page.click("#yes")
    page.click("text=a & b")
    page.set_input_files("#chooser", source)
    page.click("tr[data-name='größe.bin'] [data-action=rename]")
    page.fill("[name=answer]", "CON")
    page.click("#yes")
    page.wait_for_selector("dialog >> text=name of a device")
    page.fill("[name=answer]", "kept.bin")
    page.click("#yes")
    with page.expect_download() as download:
        page.click("tr[data-name='kept.bin'] a")
    assert download.value.suggested_filename == "kept.bin"
    assert Path(download.value.path()).read_bytes() == DATA
    page.click("tr[data-name='kept.bin'] [data-action=delete]")
    page.click("#yes")
    page.wait_for_selector("text=Nothing here yet")
    page.click("text=Sign out")
    page.wait_for_selector("text=Password")


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1_572_864, "1.5 MiB"),
        (1023 << 20, "0.999 GiB"),
        (1 << 50, "1 PiB"),
    ],
)
def test_sizes_are_for_people(count: int, shown: str) -> None:
    assert size(count) == shown
