"""A person at Chromium, in front of the running gateway: windows that fail a test when something breaks in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.whole.running import RunningGateway

CHROMIUM = Path("/usr/bin/chromium")
PAGES_ALONE = Path(shutil.which("chromium-headless-shell") or CHROMIUM)
"""Chromium without what a person has around the page: the same engine, and a third of the work for each window."""
PASSWORD = "correct horse battery"
PATIENCE = 20_000
"""Milliseconds that anything on a page may take to come about."""
LETTERS = ["a.txt", "b.txt", "c.txt", "d.txt"]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
REFUSED = ("Failed to load resource",)
"""What Chromium's console says of refusals and lost lines, of which the page tells people in its own words."""

expect.set_options(timeout=PATIENCE)


@contextmanager
def chromium(program: Path = CHROMIUM) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def window(
    browser: Browser, gateway: RunningGateway, *, forgiven: tuple[str, ...] = (), **options: Any
) -> Iterator[Page]:
    """A window of somebody who has not signed in. Its console has no errors but those with a `forgiven` in them."""
    context = browser.new_context(
        base_url=gateway.url,
        **{"viewport": {"width": 1280, "height": 800}, **options},
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    unforgiven = [said for said in wrong if not any(word in said for word in forgiven)]
    assert not unforgiven, unforgiven


def sign_in(page: Page, at: str = "/", name: str = "admin", password: str = PASSWORD) -> None:
    """Returns when the application hears clicks, or when the form is there again."""
    page.goto(at)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#nav a, form [role=alert]").first.wait_for()  # the application makes the links itself


def row(page: Page, name: str) -> Locator:
    """The row of the file or folder of that name."""
    return page.locator(".body .row", has=page.locator(".title", has_text=name).first)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def names(page: Page) -> list[str]:
    """What the list shows, from above."""
    return page.locator(".body .title").all_text_contents()


def chosen(page: Page) -> list[str]:
    return page.locator(".body .row[aria-selected=true] .title").all_text_contents()


def drop(page: Page, target: Locator, paths: Sequence[Path]) -> None:
    """Drop files and folders of this machine there, by the same way as the system's drag and drop."""
    box = target.bounding_box()
    assert box is not None
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path.resolve()) for path in paths], "dragOperationsMask": 1}
    system = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        system.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def swipe(page: Page, *steps: tuple[int, int]) -> None:
    """A finger that goes down at the first place and up at the last."""
    touch = page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(steps):
        kind = "touchMove" if number else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


Put = Callable[..., dict[str, Any]]


def putting(gateway: RunningGateway) -> Put:
    """`put(path, data, media_type)`, which gives the node."""

    def put(path: str, data: bytes = b"x", media_type: str | None = None) -> dict[str, Any]:
        headers = {"Content-Type": media_type} if media_type else {}
        with gateway.client() as client:
            answer = client.put(f"/api/v1/content{quote(path)}", content=data, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        node: dict[str, Any] = answer.json()
        return node

    return put
