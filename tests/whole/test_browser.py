"""Chromium, as a person drives it: sign in, put a file in through the page, see it, get it back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from model import MIB
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.sums import digest

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
SIZE = 9 * MIB + 1
"""Two parts of the page's uploader."""
NAME = "Größe & Maß 100%.bin"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(
        tmp_path_factory.mktemp("browser"), settings={"ADMIN_PASSWORD": PASSWORD}
    ) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    """A window of somebody who has not signed in; nothing may go wrong on the page behind their back."""
    context = browser.new_context(base_url=gateway.url, viewport={"width": 1100, "height": 700})
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [message for message in wrong if "401" not in message] == []  # a refused sign-in is noted as such


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    go_by(page, page.get_by_role("button", name="Sign in"))


def go_by(page: Page, button: Locator) -> None:
    """Press what leads to another page, or to this one anew, and wait until its script is there to be clicked at."""
    with page.expect_navigation():
        button.click()


def test_a_wrong_password_is_told_on_the_form(page: Page) -> None:
    sign_in(page, "not this")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("admin")


def test_a_file_goes_in_through_the_page_is_listed_and_comes_back(page: Page, tmp_path: Path) -> None:
    local = tmp_path / NAME
    local.write_bytes(os.urandom(SIZE))
    sign_in(page)
    page.screenshot(path=tmp_path / "empty.png")
    page.locator("#chooser").set_input_files(local)
    link = page.get_by_role("link", name=NAME)
    expect(link).to_be_visible()
    expect(page.get_by_role("row").filter(has=link)).to_contain_text("9 MiB")
    page.screenshot(path=tmp_path / "listed.png")
    with page.expect_download() as started:
        link.click()
    assert started.value.suggested_filename == NAME
    started.value.save_as(tmp_path / "back")
    assert digest(tmp_path / "back") == digest(local)


def test_a_folder_is_made_renamed_entered_and_deleted(page: Page, tmp_path: Path) -> None:
    sign_in(page)
    page.get_by_role("button", name="New folder").click()
    page.get_by_label("Name", exact=True).fill("<b>films")
    go_by(page, page.get_by_role("button", name="Create"))
    expect(page.get_by_role("link", name="<b>films")).to_be_visible()
    page.get_by_role("button", name="Rename <b>films").click()
    page.get_by_label("Name", exact=True).fill("films #1?")
    go_by(page, page.locator("#yes"))
    go_by(page, page.get_by_role("link", name="films #1?"))
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    go_by(page, page.get_by_role("link", name="Files", exact=True))
    page.get_by_role("button", name="Delete films #1?").click()
    page.screenshot(path=tmp_path / "asked.png")
    go_by(page, page.locator("#yes"))
    expect(page.get_by_role("link", name="films #1?")).to_have_count(0)


def test_who_signed_out_sees_nothing_any_more(page: Page) -> None:
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login*")
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()
