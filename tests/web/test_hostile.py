"""Names and contents that would like to be markup, at every page and answer in a real browser: nothing of them runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Dialog, Error, Page, sync_playwright

from tests.conftest import House
from tests.serving.conftest import Running
from tests.web.conftest import PASSWORD, Api

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.slow]

SCRIPT = "alert(1);fetch('http://evil.example/');document.title='taken'"
NAMES = (
    "<script>alert(1)<",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u2028alert(1)\u2029&lt;b&gt;%3Cb%3E",
)
CONTENTS = {
    "page.html": ("text/html", f"<!doctype html><script>{SCRIPT}</script><img src=x onerror=alert(1)>"),
    "page.xhtml": (
        "application/xhtml+xml",
        f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{SCRIPT}</script></html>',
    ),
    "picture.svg": (
        "image/svg+xml",
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>{SCRIPT}</script></svg>',
    ),
    "script.js": ("text/javascript", SCRIPT),
    "lies.png": ("image/png", f"<html><script>{SCRIPT}</script>"),
    "lies.txt": ("text/plain", f"<html><script>{SCRIPT}</script>"),
    "split.bin": ("text/html; charset=utf-7", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
}


class Witness:
    """What a browser's pages did that they should not have done."""

    def __init__(self, context: BrowserContext, ours: str) -> None:
        self.seen: list[str] = []
        self._ours = ours
        context.on("page", self._watch)
        context.on("request", lambda request: self._asked(request.url))

    def _watch(self, page: Page) -> None:
        page.on("dialog", self._spoke)
        page.on("pageerror", lambda error: self.seen.append(f"error {error}"))

    def _spoke(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith((self._ours, "data:", "blob:")):
            self.seen.append(f"request of {url}")


@pytest.fixture
def paths(ada: Api, house: House) -> list[str]:
    """Every page and answer that shows something of what was stored."""
    found = [
        "/",
        "/login?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/api/v1/nodes",
        "/nowhere<script>alert(1)",
    ]
    found += ["/api/v1/tokens", "/api/v1/sessions", "/api/v1/transfers", "/api/v1/account", "/metrics"]
    for name in NAMES:
        made = ada("POST", "/api/v1/folders", json={"name": name, "parent": "/"})
        assert made.status_code == 201, made.text
        node = ada.put(f"/{quote(name)}/{quote(name)}", b"x")
        ada("POST", "/api/v1/tokens", json={"name": name})
        found += [
            f"/?path=/{quote(name)}",
            f"/api/v1/nodes?path=/{quote(name)}",
            f"/?path=/{quote(name)}/none",
        ]
        found += [f"/api/v1/files/{node['id']}", f"/files/{node['id']}/download?inline=1"]
    for name, (media_type, text) in CONTENTS.items():
        put = ada("PUT", f"/api/v1/content/{name}", {"Content-Type": media_type}, data=text.encode())
        assert put.status_code == 201, put.text
        number = put.get_json()["id"]
        found += [f"/files/{number}/download", f"/files/{number}/download?inline=1"]
    return found


@pytest.fixture
def context(running: Running) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://{running.address[0]}:{running.address[1]}")
        context.set_default_timeout(20_000)
        yield context
        browser.close()


def sign_in(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector(".status:not(:empty)")
    return page


def test_stored_names_and_contents_never_become_markup(
    context: BrowserContext, running: Running, paths: list[str]
) -> None:
    witness = Witness(context, f"http://{running.address[0]}:{running.address[1]}/")
    page = sign_in(context)
    for path in paths:
        try:
            page.goto(path)
        except Error as error:  # saved instead of shown
            assert "Download is starting" in str(error), error
    page.goto("/")
    assert witness.seen == []
    page.get_by_text("14 items", exact=True).wait_for()
    assert page.title() == "Files · Stowgram"
    assert {link.text_content() for link in page.query_selector_all(".title")} == {*NAMES, *CONTENTS}


def test_embedding_what_is_stored_runs_nothing_either(
    context: BrowserContext, running: Running, paths: list[str]
) -> None:
    """As a page of ours would, were somebody to get an element into it: the policy is the last wall."""
    witness = Witness(context, f"http://{running.address[0]}:{running.address[1]}/")
    page = sign_in(context)
    downloads = [path for path in paths if path.startswith("/files/")]
    page.evaluate(
        """async paths => {
            for (const path of paths)
                for (const tag of ["img", "iframe"]) {
                    const element = document.createElement(tag);
                    element.src = path;
                    document.body.append(element);
                }
            await new Promise(done => setTimeout(done, 0));
        }""",
        downloads,
    )
    page.wait_for_load_state("networkidle")
    assert witness.seen == []


def test_markup_from_a_string_is_refused_by_the_policy(context: BrowserContext, running: Running) -> None:
    page = sign_in(context)
    refused = page.evaluate(
        """() => ["innerHTML", "outerHTML"].map(name => {
            try { document.body.firstElementChild[name] = "<b>x</b>"; return "" } catch (error) { return error.name }
        })"""
    )
    assert refused == ["TypeError", "TypeError"], json.dumps(refused)
