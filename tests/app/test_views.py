"""Transfers, the line for downloads, account, admin, the first-run page, and a second browser, in Chromium."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from config import read
from model import MIB
from tests.app.browsing import PASSWORD, PHONE, REFUSED, row, sign_in, window
from tests.whole.running import RunningGateway, running_gateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

SETTINGS = {"ADMIN_PASSWORD": PASSWORD, "MAX_CONCURRENT_DOWNLOADS": "1"}
SIZE = 48 * MIB
"""More than sockets and the gateway take off a reader that has stopped."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("views"), settings=SETTINGS) as gateway:
        yield gateway


@pytest.fixture
def page(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    with window(browser, gateway, forgiven=REFUSED) as page:
        sign_in(page)
        yield page


def put(gateway: RunningGateway, path: str, size: int = 10) -> int:
    with gateway.client() as client:
        answer = client.put(f"/api/v1/content{path}", content=os.urandom(size))
        return int(answer.json()["id"])


@contextmanager
def reader(gateway: RunningGateway, file_id: int) -> Iterator[threading.Event]:
    """A download by another program, that takes a little and then waits until it is told to go on; set at its end."""
    over = threading.Event()
    with gateway.client() as client:
        client.headers["User-Agent"] = "aria2/1.37.0"
        with client.stream("GET", f"/files/{file_id}/download") as answer:
            blocks = answer.iter_raw(MIB)
            next(blocks)
            yield over
            try:
                for _ in blocks:
                    pass
            except httpx.TransportError:
                over.set()


def test_a_download_of_another_program_is_shown_paused_and_cancelled(
    page: Page, gateway: RunningGateway
) -> None:
    film = put(gateway, "/film.mkv", SIZE)
    page.get_by_role("link", name="Transfers").click()
    expect(page.get_by_text("Nothing is moving")).to_be_visible()
    with reader(gateway, film) as cut:
        card = page.get_by_role("listitem").filter(has_text="film.mkv")
        expect(card).to_contain_text("of 48 MiB")
        expect(card).to_contain_text("aria2 1.37.0 · 127.0.0.1 · 1 connection")
        card.get_by_role("button", name="Pause film.mkv").click()
        expect(card).to_contain_text("Paused")
        card.get_by_role("button", name="Continue film.mkv").click()
        expect(card.get_by_role("button", name="Pause film.mkv")).to_be_visible()
        card.get_by_role("button", name="Cancel film.mkv").click()
        expect(card).to_have_count(0)
    assert cut.is_set()


def test_a_download_waits_in_line_and_begins_when_its_turn_comes(page: Page, gateway: RunningGateway) -> None:
    film = put(gateway, "/first.mkv", SIZE)
    for name in ("second.txt", "third.txt"):
        put(gateway, f"/{name}")
    page.reload()
    with reader(gateway, film):
        for place, name in enumerate(("second.txt", "third.txt"), 1):
            row = page.get_by_role("row").filter(has_text=name)
            row.hover()
            row.get_by_role("link", name=f"Download {name}").click()
            expect(page.locator("#toasts")).to_contain_text(f"“{name}” is number {place} in line")
        page.get_by_role("link", name="Transfers").click()
        cards = page.get_by_role("listitem")
        expect(cards.filter(has_text="third.txt")).to_contain_text("Number 2 in line")
        page.get_by_role("button", name="Leave the line with third.txt").click()
        expect(cards.filter(has_text="third.txt")).to_have_count(0)
    with page.expect_download() as download:
        pass  # the first one has ended
    assert download.value.suggested_filename == "second.txt"
    expect(cards.filter(has_text="second.txt")).to_have_count(0)


def test_what_one_browser_stores_another_sees_without_reloading(
    browser: Browser, page: Page, gateway: RunningGateway
) -> None:
    with window(browser, gateway, forgiven=REFUSED) as other:
        sign_in(other)
        second_tab = other.context.new_page()
        second_tab.goto("/")
        put(gateway, "/new here.txt")
        for one in (page, other, second_tab):
            expect(one.get_by_role("link", name="new here.txt", exact=True)).to_be_visible()


def test_sessions_and_tokens_are_made_seen_and_ended(
    browser: Browser, page: Page, gateway: RunningGateway
) -> None:
    with window(browser, gateway, forgiven=REFUSED) as other:
        sign_in(other)
        page.goto("/account")
        expect(page.get_by_text("this browser")).to_have_count(1)
        expect(page.get_by_role("listitem").filter(has_text="Chrome")).not_to_have_count(0)
        page.get_by_role("button", name="Sign out all others").click()
        expect(page.locator("#toasts")).to_contain_text("ended")
        other.reload()
        expect(other.get_by_label("Password")).to_be_visible()
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What it is for").fill("<i>laptop")
    page.get_by_role("button", name="Make token").dblclick()
    expect(page.get_by_role("dialog", name="New token")).to_have_count(0)
    secret = page.get_by_role("dialog").locator("pre").inner_text()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{gateway.url}/api/v1/account", headers=bearer).status_code == 200
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("<i>laptop")).to_have_count(1)
    page.get_by_role("button", name="Revoke <i>laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("<i>laptop")).to_have_count(0)
    assert httpx.get(f"{gateway.url}/api/v1/account", headers=bearer).status_code == 401


def test_an_admin_adds_changes_and_removes_a_user_who_changes_the_password(
    browser: Browser, page: Page, gateway: RunningGateway
) -> None:
    page.goto("/admin?part=users")
    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name", exact=True).fill("anna")
    page.get_by_label("Password").fill("battery staple")
    page.get_by_label("Quota").fill("1.5")
    page.get_by_role("button", name="Add", exact=True).click()
    anna = page.get_by_role("row").filter(has_text="anna")
    expect(anna).to_contain_text("1.5 GiB")
    with window(browser, gateway, forgiven=REFUSED) as hers:
        sign_in(hers, name="anna", password="battery staple")
        expect(hers.get_by_role("link", name="Admin")).to_have_count(0)
        hers.goto("/account")
        expect(hers.locator(".person")).to_contain_text("0 B of 1.5 GiB in 0 files")
        hers.get_by_label("Password now").fill("wrong")
        for label in ("New password", "New password again"):
            hers.get_by_label(label, exact=True).fill("a better one")
        hers.get_by_role("button", name="Change password").click()
        expect(hers.get_by_role("alert")).not_to_be_empty()
        hers.get_by_label("Password now").fill("battery staple")
        with window(browser, gateway, forgiven=REFUSED) as other:
            sign_in(other, name="anna", password="battery staple")
        hers.reload()
        expect(hers.get_by_role("button", name=re.compile("^Sign out "))).not_to_have_count(0)
        hers.get_by_label("Password now").fill("battery staple")
        for label in ("New password", "New password again"):
            hers.get_by_label(label, exact=True).fill("a better one")
        hers.get_by_role("button", name="Change password").click()
        expect(hers.locator("#toasts")).to_contain_text("Password changed")
        expect(hers.get_by_role("button", name=re.compile("^Sign out "))).to_have_count(0)
        hers.goto("/admin")
        expect(hers.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Log").click()
    expect(page.get_by_text("anna signed in from 127.0.0.1").first).to_be_visible()
    page.get_by_role("link", name="Users").click()
    page.get_by_role("button", name="Change anna").click()
    page.get_by_role("button", name="Remove user").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Remove user").click()
    expect(anna).to_have_count(0)


def test_a_view_that_failed_is_shown_when_it_is_asked_for_again(page: Page, gateway: RunningGateway) -> None:
    put(gateway, "/after all.txt")
    page.goto("/?path=/gone")
    page.get_by_role("alert").get_by_role("link", name="Files").click()
    expect(page.get_by_role("link", name="after all.txt", exact=True)).to_be_visible()
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Transfers").click()
    expect(page.get_by_role("heading", name="Transfers")).to_be_visible()
    page.route("**/api/v1/nodes?*", lambda route: route.abort())
    views.get_by_role("link", name="Files").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/api/v1/nodes?*")
    views.get_by_role("link", name="Files").click()
    expect(page.get_by_role("link", name="after all.txt", exact=True)).to_be_visible()


def test_a_part_of_the_page_that_does_not_come_is_told_with_the_way_to_have_it(
    browser: Browser, gateway: RunningGateway
) -> None:
    """As where the server was replaced by another version."""
    put(gateway, "/part.txt")
    with window(browser, gateway, forgiven=(*REFUSED, "did not come")) as page:
        sign_in(page)
        for script in ("bin/view.js", "files/details.js"):
            page.route(f"**/static/app/{script}", lambda route: route.abort())
        row(page, "part.txt").locator(".more").click()
        page.get_by_role("menuitem", name="Details").click()
        note = page.locator(".toast").filter(has_text="This part of the page did not come")
        expect(note.get_by_role("button", name="Load again")).to_be_visible()
        page.get_by_role("link", name="Bin", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("This part of the page did not come")
        page.unroute_all()
        page.get_by_role("alert").get_by_role("button", name="Load again").click()
        expect(page.get_by_role("heading", name="Bin", exact=True)).to_be_visible()


def test_uploads_whose_means_did_not_come_begin_when_they_are_asked_for_again(
    browser: Browser, gateway: RunningGateway, tmp_path: Path
) -> None:
    (tmp_path / "late.txt").write_text("late", encoding="utf-8")
    with window(browser, gateway, forgiven=REFUSED) as page:
        sign_in(page)
        page.route("**/tus.min.js", lambda route: route.abort())
        for told in ("This part of the page did not come", "1 file uploaded"):
            page.get_by_role("button", name="Upload", exact=True).click()
            with page.expect_file_chooser() as chooser:
                page.get_by_role("menuitem", name="Files").click()
            chooser.value.set_files(tmp_path / "late.txt")
            expect(page.locator("#toasts")).to_contain_text(told)
            page.unroute_all()


def test_an_admin_sees_how_the_house_is(page: Page, gateway: RunningGateway) -> None:
    page.clock.install()
    page.get_by_role("link", name="Admin").click()
    expect(page.get_by_role("heading", name="All is well")).to_be_visible()
    for part in ("Storage", "Cache", "Limits", "This process", "Telegram accounts"):
        expect(page.get_by_role("heading", name=part)).to_be_visible()
    page.set_viewport_size(PHONE["viewport"])
    table = page.get_by_role("region", name="Telegram accounts")
    table.focus()
    table.evaluate("table => { table.scrollLeft = 60; table.dataset.before = true; }")
    page.clock.fast_forward(5000)
    expect(page.locator(".scroll[data-before]")).to_have_count(0)  # it was shown anew
    assert table.evaluate("table => table.scrollLeft") == 60
    expect(table).to_be_focused()
    page.get_by_role("link", name="Damaged files").click()
    expect(page.get_by_text("No file is known to be damaged")).to_be_visible()


def test_of_the_admin_s_parts_the_last_one_asked_for_comes_and_its_link_is_in_sight_on_a_phone(
    page: Page,
) -> None:
    page.set_viewport_size(PHONE["viewport"])
    page.goto("/admin")
    parts = page.get_by_role("navigation", name="Parts")
    expect(parts.locator("[aria-current]")).to_have_text("Overview")
    held: list[Route] = []
    page.route("**/api/v1/admin/jobs", lambda route: held.append(route))
    parts.get_by_role("link", name="Work in the background").click()
    while not held:
        page.wait_for_timeout(20)
    expect(parts.locator("[aria-current]")).to_have_text("Overview")  # which is what is shown
    page.evaluate("document.querySelector('[data-part=log]').click()")
    expect(parts.locator("[aria-current]")).to_have_text("Log")
    expect(parts.locator("[aria-current]")).to_be_in_viewport(ratio=0.99)
    with page.expect_response("**/api/v1/admin/jobs"):
        held[0].continue_()
    expect(page.get_by_text("admin signed in from").first).to_be_visible()
    expect(parts.locator("[aria-current]")).to_have_text("Log")


def test_the_first_run_page_writes_settings_that_the_gateway_reads_and_sends_nothing(
    page: Page, gateway: RunningGateway
) -> None:
    page.get_by_role("link", name="Connect Telegram").click()
    page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/events" not in request.url else None)
    page.get_by_label("api_id").fill("1234567")
    page.get_by_label("api_hash").fill("0123456789abcdef" * 2)
    expect(page.get_by_text("Fill in the steps above")).to_be_visible()
    page.get_by_label("Its id, @name, or t.me link").fill("-1001234567890")
    page.get_by_label("Bots").check()
    tokens = ["123456789:" + letter * 35 for letter in "AB"]
    page.get_by_label("Their tokens, one a line").fill("\n".join(tokens))
    expect(page.get_by_text("Fill in the steps above")).to_have_count(0)
    lines = page.locator("pre").first.inner_text()
    environment = dict(re.findall(r"^(\w+)=(.*)$", lines, re.MULTILINE))
    settings = read(environment, gateway.data / "none.env")
    assert settings.telegram is not None and settings.telegram.api_id == 1234567
    assert settings.telegram.bot_tokens == tuple(tokens)
    page.get_by_label("Bots").uncheck()
    page.get_by_label("Let Stowgram make one").check()
    page.get_by_label("Title of the new channel").fill("My files #1")
    expect(page.locator("pre").first).to_contain_text('TELEGRAM_CHANNEL="create:My files #1"')
    expect(page.locator("pre").last).to_contain_text("python run.py login")
    assert sent == []
