"""The page of a share in Chromium: an album in the hand and on a desk, behind a password, without scripts, and over."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.axe import faults
from tests.app.browsing import PHONE, REFUSED, Put, press, swipe, window
from tests.app.test_looking import CLIP
from tests.imaging.pictures import picture
from tests.whole.running import RunningGateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

FOLDER = "/Private/Lofoten"
PASSWORD = "the aurora"


@pytest.fixture(scope="module")
def folder(gateway: RunningGateway, put_once: Put) -> int:
    """Three pictures, a film, a text that says it is a picture, and a folder; beside them something private."""
    for number, name in enumerate(("a dawn.jpg", "b huts.jpg", "c ridge.png")):
        kind = "PNG" if name.endswith("png") else "JPEG"
        put_once(f"{FOLDER}/{name}", picture(kind, 900 + 100 * number, 700))
    put_once(f"{FOLDER}/d film.webm", CLIP.read_bytes(), "video/webm")
    put_once(f"{FOLDER}/e none.png", b"no picture at all")
    put_once(f"{FOLDER}/Tracks/<b>day 1.gpx", b"<gpx/>", "application/gpx+xml")
    put_once("/Private/diary.txt", b"nobody's business")
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": "/Private"}).json()["items"]
    return int(next(item["id"] for item in items if item["name"] == "Lofoten"))


def share(gateway: RunningGateway, folder: int, **terms: Any) -> str:
    """The path of a new share's page."""
    with gateway.client() as client:
        made = client.post("/api/v1/shares", json={"folder_id": folder, **terms})
        assert made.status_code == 201, made.text
        return str(httpx.URL(made.json()["url"]).path)


@pytest.fixture
def hand(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    """A phone that has not signed in."""
    with window(browser, gateway, forgiven=REFUSED, color_scheme="dark", **PHONE) as page:
        page.emulate_media(reduced_motion="reduce")
        yield page


def ready(page: Page) -> None:
    """Until scripts run: before that a picture is but a link."""
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()


def shown(page: Page, name: str) -> None:
    """Until this is what is looked at, and it is there to be seen."""
    expect(page.locator(".look strong")).to_have_text(name)
    page.wait_for_function("() => document.querySelector('.look figure:not([inert]) img')?.naturalWidth > 0")


def test_an_album_in_the_hand(hand: Page, gateway: RunningGateway, folder: int) -> None:
    hand.goto(share(gateway, folder, expires_at="2099-01-01T00:00:00Z"))
    expect(hand.get_by_role("heading", level=1)).to_have_text("Lofoten")
    expect(hand.locator(".about")).to_contain_text(re.compile(r"^1 folder · 5 files · .* · until .*2099"))
    hand.wait_for_function(
        "() => [...document.querySelectorAll('.album img')].filter((one) => one.naturalWidth > 0).length === 3"
    )
    expect(hand.locator(".album .broken")).to_have_text("e none.png")
    assert "diary" not in hand.content() and "Private" not in hand.content()
    assert hand.evaluate("document.documentElement.scrollWidth") == 390
    assert faults(hand) == []
    ready(hand)
    hand.locator(".album a").first.tap()
    shown(hand, "a dawn.jpg")
    swipe(hand, (300, 400), (200, 400), (60, 405))
    shown(hand, "b huts.jpg")
    swipe(hand, (60, 400), (120, 400), (300, 400))
    shown(hand, "a dawn.jpg")
    swipe(hand, (60, 400), (120, 400), (300, 400))  # there is none before it
    shown(hand, "a dawn.jpg")
    assert faults(hand) == []
    hand.go_back()
    expect(hand.locator(".look")).to_have_count(0)
    # Not a tap: Chromium takes one that follows a made-up swipe for the end of a fling.
    hand.locator(".album a").nth(1).click()
    shown(hand, "b huts.jpg")
    swipe(hand, (200, 300), (200, 380), (205, 520))
    expect(hand.locator(".look")).to_have_count(0)


def test_an_album_by_keyboard_with_a_film_and_page_by_page(
    browser: Browser, gateway: RunningGateway, folder: int
) -> None:
    with window(browser, gateway, forgiven=REFUSED, color_scheme="light") as page:
        page.goto(share(gateway, folder) + "?limit=3")  # the rest comes by itself
        expect(page.locator(".album a")).to_have_count(4)
        expect(page.locator(".files-below li")).to_have_count(1)
        expect(page.locator(".more")).to_have_count(0)
        assert faults(page) == []
        page.locator(".album a").first.focus()
        press(page, "Enter")
        shown(page, "a dawn.jpg")
        press(page, "ArrowRight", "ArrowRight")
        shown(page, "c ridge.png")
        press(page, "Escape")
        expect(page.locator(".look")).to_have_count(0)
        assert page.evaluate("document.activeElement.firstElementChild.alt") == "c ridge.png"
        page.get_by_role("link", name="d film.webm").first.click()
        page.wait_for_function("() => document.querySelector('.look video')?.readyState >= 1")
        assert faults(page) == []
        page.get_by_role("button", name="Close").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download all").click()
        assert download.value.suggested_filename == "Lofoten.zip"
        page.get_by_role("link", name="Tracks").click()
        expect(page.locator(".files-below .title")).to_have_text("<b>day 1.gpx")
        page.get_by_role("navigation").get_by_role("link", name="Lofoten").click()
        expect(page.locator(".album a")).to_have_count(4)


def test_a_password_opens_it_and_addresses_are_for_programs(
    hand: Page, gateway: RunningGateway, folder: int
) -> None:
    place = share(gateway, folder, password=PASSWORD)
    hand.goto(place)
    assert "Lofoten" not in hand.content()
    assert faults(hand) == []
    for given in ("the dawn", PASSWORD):
        hand.get_by_label("Password").fill(given)
        hand.get_by_role("button", name="Open").tap()
        if given != PASSWORD:
            expect(hand.get_by_role("alert")).to_be_visible()
    ready(hand)
    hand.locator(".album a").first.tap()
    shown(hand, "a dawn.jpg")
    address = hand.locator(".look .bar a").get_attribute("href")
    assert address is not None and PASSWORD not in hand.content()
    assert httpx.get(gateway.url + address).content == picture("JPEG", 900, 700)
    assert httpx.get(gateway.url + address.split("?")[0]).status_code == 401


def test_a_copied_address_means_the_folder_as_it_is_now(
    hand: Page, gateway: RunningGateway, folder: int
) -> None:
    """Programs that resume by it get these bytes, or are told that there are others."""
    hand.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.goto(share(gateway, folder, password=PASSWORD) + f"?password={PASSWORD}")
    hand.get_by_role("button", name="Copy link").tap()
    expect(hand.get_by_role("button", name="Copied")).to_be_visible()
    copied = httpx.URL(hand.evaluate("navigator.clipboard.readText()"))
    assert httpx.head(copied).headers["ETag"] == f'"{copied.params["v"]}"'
    assert httpx.head(copied.copy_set_param("v", "0" * 64)).status_code == 412


def test_a_zip_is_prepared_and_fetched(hand: Page, gateway: RunningGateway, folder: int) -> None:
    hand.goto(share(gateway, folder, password=PASSWORD) + f"?password={PASSWORD}")
    hand.get_by_role("button", name="Prepare ZIP").tap()
    expect(hand.get_by_role("status")).to_contain_text("The ZIP is ready")
    assert faults(hand) == []
    with hand.expect_download() as download:
        hand.locator(".preparation").get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None and "d film.webm" in archive.namelist()


def test_without_scripts_everything_can_still_be_had(
    browser: Browser, gateway: RunningGateway, folder: int
) -> None:
    with window(browser, gateway, forgiven=REFUSED, java_script_enabled=False) as page:
        page.goto(share(gateway, folder))
        with page.expect_download() as download:
            page.get_by_role("link", name="Download d film.webm").click()
        assert Path(download.value.path()).read_bytes() == CLIP.read_bytes()
        page.get_by_role("link", name="Tracks").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tracks")
        expect(page.get_by_role("button")).to_have_count(0)


def test_a_link_that_is_over_says_so(hand: Page, gateway: RunningGateway, folder: int) -> None:
    place = share(gateway, folder)
    with gateway.client() as client:
        client.delete(f"/api/v1/shares/{place.rpartition('/')[2]}").raise_for_status()
    for path in (place, "/share/never-was"):
        answer = hand.goto(path)
        assert answer is not None and answer.status == 404
        expect(hand.locator("main")).to_contain_text("Ask whoever sent you the link")
    assert faults(hand) == []
