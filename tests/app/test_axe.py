"""axe-core (https://github.com/dequelabs/axe-core) finds nothing serious in any view: dark, light, and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.axe import faults
from tests.app.browsing import PHONE, Put, row, sign_in, window
from tests.whole.running import RunningGateway
from web.page import VIEWS

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

DARK_DESK: dict[str, Any] = {"color_scheme": "dark"}
LIGHT_PHONE: dict[str, Any] = {"color_scheme": "light"} | PHONE
LOOKS = (
    pytest.param(DARK_DESK, id="dark"),
    pytest.param({"color_scheme": "light"}, id="light"),
    pytest.param(LIGHT_PHONE, id="phone"),
)


@pytest.fixture(params=LOOKS)
def looking(
    browser: Browser, gateway: RunningGateway, put: Put, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A window that is signed in, of one look; there are files, a folder, and something in the bin."""
    for name in ("a.txt", "film.webm"):
        put(f"/seen/{name}")
    put("/seen/below/deep.txt")
    with gateway.client() as client:
        gone = put("/seen/gone.txt")
        client.delete(f"/api/v1/files/{gone['id']}").raise_for_status()
    with window(browser, gateway, **request.param) as page:
        page.emulate_media(reduced_motion="reduce")  # or a colour is judged halfway
        yield page


def test_every_view_can_be_used_by_everybody(looking: Page) -> None:
    looking.goto("/login")
    assert faults(looking) == []
    sign_in(looking)
    for path in VIEWS:
        query = {"/": "?path=/seen", "/search": "?q=txt"}.get(path, "")
        looking.goto(path + query)
        looking.wait_for_load_state("networkidle")
        expect(looking.locator("#view > *").first).to_be_visible()
        assert faults(looking) == [], path


def test_the_parts_of_the_admin_s_view_can_be_used_by_everybody(looking: Page) -> None:
    sign_in(looking)
    for part in ("users", "damaged", "jobs", "log"):
        looking.goto(f"/admin?part={part}")
        looking.wait_for_load_state("networkidle")
        assert faults(looking) == [], part


def test_what_opens_over_a_view_can_be_used_by_everybody(looking: Page) -> None:
    sign_in(looking, "/?path=/seen")
    row(looking, "a.txt").locator(".more").click()
    assert faults(looking) == [], "the menu"
    looking.get_by_role("menuitem", name="Details").click()
    expect(looking.get_by_role("dialog")).to_contain_text("No damage known")
    assert faults(looking) == [], "details"
    looking.keyboard.press("Escape")
    for item, title in (("Rename", "the question"), ("Move", "the choice of a folder")):
        row(looking, "a.txt").locator(".more").click()
        looking.get_by_role("menuitem", name=item).click()
        expect(looking.get_by_role("dialog")).to_be_visible()
        assert faults(looking) == [], title
        looking.keyboard.press("Escape")
    looking.get_by_role("link", name="a.txt", exact=True).click()
    expect(looking.locator("dialog pre")).to_be_visible()
    assert faults(looking) == [], "the preview"
