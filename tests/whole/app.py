"""The application in Chromium: windows of people, who sign in. Nothing may break in a page behind their back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PASSWORD = "correct horse battery"
"""The admin's, where a test gives one."""
PATIENCE = 20_000
"""Milliseconds that a page may take for one step."""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def window(browser: Browser, url: str, **settings: Any) -> Iterator[Page]:
    """A browser of somebody who has not signed in yet; `settings` are Playwright's of a context."""
    shape = {"viewport": {"width": 1100, "height": 700}} | settings
    context = browser.new_context(base_url=url, **shape)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    yield page
    context.close()
    assert wrong == []


def sign_in(page: Page, name: str = "admin", password: str = PASSWORD) -> None:
    page.goto("/login?next=/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".status:not(:empty)")
