"""Sharing in the application, in Chromium: the dialog, the link, the view of all of them, and prepared ZIPs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.app.axe import faults
from tests.app.browsing import PASSWORD, PHONE, REFUSED, Put, row, sign_in, window
from tests.mailbox import Mailbox, start_mailbox
from tests.whole.running import RunningGateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with start_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[RunningGateway]:
    """One that sends letters."""
    gateway = RunningGateway(tmp_path_factory.mktemp("app") / "data", None, {"ADMIN_PASSWORD": PASSWORD})
    smtp = f"smtp://127.0.0.1:{mailbox.port}?from=stowgram@example.org"
    gateway.environment |= {"SMTP_URL": smtp, "BASE_URL": gateway.url}
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture
def given(browser: Browser, gateway: RunningGateway, put: Put) -> Iterator[Page]:
    """A folder with two files, on a page that may use the clipboard."""
    for name in ("one.txt", "two.txt"):
        put(f"/Given/{name}", name.encode())
    put("/Kept/secret.txt", b"secret")
    with window(
        browser,
        gateway,
        forgiven=REFUSED,
        color_scheme="light",
        permissions=["clipboard-read", "clipboard-write"],
    ) as page:
        page.emulate_media(reduced_motion="reduce")
        sign_in(page)
        yield page


def act(page: Page, name: str, item: str) -> None:
    row(page, name).locator(".more").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def test_a_folder_is_shared_changed_and_taken_back(given: Page, gateway: RunningGateway) -> None:
    page = given
    act(page, "Given", "Share")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make one").click()
    password = dialog.get_by_label("Password").input_value()
    assert len(password) == 12
    dialog.get_by_text("Limits").click()
    counted = dialog.get_by_text("counts as a download")
    expect(counted).to_be_hidden()
    dialog.get_by_label("Downloads").fill("3")
    expect(counted).to_be_visible()
    assert faults(page) == []
    dialog.get_by_role("button", name="Make link").click()
    expect(page.get_by_role("heading", name="The link is ready")).to_be_visible()
    dialog.get_by_text("For IDM, curl").click()
    assert faults(page) == []
    (line,) = (code for code in dialog.locator("code").all_text_contents() if code.startswith("curl"))
    assert "download-all?password=" in line and "Given.zip" in line
    dialog.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("The link is on the clipboard")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    dialog.get_by_role("button", name="Done").click()
    expect(row(page, "Given").get_by_role("img", name="Shared")).to_be_visible()
    expect(row(page, "Kept").get_by_role("img", name="Shared")).to_be_hidden()
    assert httpx.get(link, params={"password": "no"}).status_code == 401
    assert "one.txt" in httpx.get(link, params={"password": password}, follow_redirects=True).text

    page.get_by_role("link", name="Shares").click()
    card = page.locator(".card.share")
    expect(card).to_contain_text("0 of 3 downloads")
    expect(card).to_contain_text("with a password")
    assert faults(page) == []
    card.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Change link").click()
    expect(dialog.get_by_label("Downloads")).to_have_value("3")
    dialog.get_by_label("Downloads").fill("")
    dialog.get_by_label("Take the password away").check()
    dialog.get_by_label("Ends").select_option("never")
    dialog.get_by_role("button", name="Save").click()
    expect(card).not_to_contain_text("with a password")
    expect(card).to_contain_text(re.compile(r"^Given\s*0 downloads · .*used"))
    assert httpx.get(link).status_code == 200
    card.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Nothing is shared")).to_be_visible()
    assert httpx.get(link).status_code == 404


def test_a_zip_is_prepared_told_of_and_found_among_the_transfers(given: Page) -> None:
    act(given, "Given", "Prepare ZIP")
    dialog = given.get_by_role("dialog")
    expect(dialog.locator(".preparation")).to_contain_text("The ZIP is ready")
    assert faults(given) == []
    with given.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "Given.zip"
    given.keyboard.press("Escape")
    given.get_by_role("link", name="Transfers").click()
    expect(given.locator(".zip")).to_contain_text("Given.zip")
    assert faults(given) == []
    given.goto("/admin?part=jobs")
    expect(given.get_by_role("row").last).to_contain_text("/Given")
    assert faults(given) == []


PREPARATION = """async () => {
    const { Preparation } = await import("/static/app/preparation.js");
    const never = () => new Promise(() => {});
    const zip = new Preparation({ t: (key) => key, look: never, cancel: never });
    window.show = (done, more) => zip.show({ job_id: "a", status: "processing", done, total: 9, ...more });
    document.body.append(zip.element);
    show(1);
}"""


def test_buttons_and_what_is_read_aloud_of_a_zip_change_with_its_status_only(page: Page) -> None:
    page.goto("/login")
    page.evaluate(PREPARATION)
    cancel, spoken = page.get_by_role("button", name="prepare.cancel"), page.get_by_role("status")
    cancel.focus()
    words = spoken.evaluate_handle("status => status.firstChild")
    page.evaluate("() => show(2, { speed: 512 })")
    expect(page.locator(".preparation")).to_contain_text("prepare.of · 512 B/s")
    expect(cancel).to_be_focused()
    assert spoken.evaluate("(status, words) => status.firstChild === words", words)
    page.evaluate("() => show(9, { status: 'ready', download_url: '/x' })")
    expect(spoken).to_have_text("prepare.ready")
    expect(page.get_by_role("link", name="download")).to_be_focused()


def test_a_letter_can_be_asked_for_while_a_zip_is_made(
    given: Page, mailbox: Mailbox, gateway: RunningGateway
) -> None:
    slow = re.compile(r"/(prepare-download|api/v1/jobs/\w+)$")

    waiting = {"job_id": "0" * 32, "status": "queued", "progress": 0, "done": 0, "total": 1}

    def under_way(route: Route) -> None:
        """The ZIP waits as long as the form is looked at; the server hears of it with the address."""
        with_address = "zoe" in (route.request.post_data or "")
        told = route.fetch().json() if with_address else {}
        route.fulfill(status=202, json=told | waiting)

    given.route(slow, under_way)
    act(given, "Kept", "Prepare ZIP")
    dialog = given.get_by_role("dialog")
    dialog.get_by_label("e-mail address").fill("zoe@nowhere@example.net")
    dialog.get_by_role("button", name="Write to me").click()
    assert dialog.get_by_label("e-mail address").evaluate("input => !input.validity.valid")
    dialog.get_by_label("e-mail address").fill("zoe@example.net")
    dialog.get_by_role("button", name="Write to me").click()
    expect(dialog).to_contain_text("A letter with the link goes to zoe@example.net")
    assert faults(given) == []
    given.unroute_all(behavior="wait")
    given.keyboard.press("Escape")
    act(given, "Kept", "Prepare ZIP")
    expect(dialog.get_by_role("link", name="Download")).to_be_visible()
    expect(dialog.get_by_label("e-mail address")).to_be_hidden()
    assert "zoe" not in given.evaluate("JSON.stringify([localStorage, sessionStorage])")
    deadline = time.monotonic() + 20
    while not mailbox.letters and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [letter["To"] for letter in mailbox.letters] == ["zoe@example.net"]


def test_a_refusal_keeps_the_form_and_says_why(given: Page) -> None:
    act(given, "Given", "Share")
    dialog = given.get_by_role("dialog")
    dialog.get_by_label("Password").fill("x")
    dialog.get_by_role("button", name="Make link").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("Password").fill("")
    dialog.get_by_role("button", name="Make link").click()
    expect(given.get_by_role("heading", name="The link is ready")).to_be_visible()
    given.keyboard.press("Escape")
    act(given, "Given", "Share")
    expect(dialog).to_contain_text("1 link leads here")
    assert faults(given) == []
    given.keyboard.press("Escape")
    act(given, "Given", "Details")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(given.get_by_role("heading", name="Share “Given”")).to_be_visible()
    expect(dialog).to_have_count(1)


def test_the_view_of_shares_follows_what_changes_them_and_keeps_the_focus(
    given: Page, gateway: RunningGateway, put: Put
) -> None:
    page, asked = given, list[str]()

    def two_a_page(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_(url=route.request.url.replace("limit=200", "limit=2"))

    with gateway.client() as client:

        def share(name: str) -> None:
            made = client.post("/api/v1/shares", json={"file_id": put(f"/{name}")["id"]})
            assert made.status_code == 201, made.text

        for name in ("1.txt", "2.txt", "3.txt"):
            share(name)
        page.route("**/api/v1/shares?*", two_a_page)
        page.get_by_role("link", name="Shares").click()
        page.get_by_role("button", name="Show more").click()
        cards = page.locator(".card.share")
        expect(cards.filter(has_text="1.txt")).to_be_visible()
        copy = cards.filter(has_text="2.txt").get_by_role("button", name="Copy the link")
        copy.focus()
        asked.clear()
        for number in range(5):
            put(f"/not shared {number}.txt")
        share("4.txt")
        expect(cards.filter(has_text="4.txt")).to_be_visible()
        expect(copy).to_be_focused()
        expect(cards.filter(has_text="2.txt")).to_be_visible()
        assert len([url for url in asked if "cursor" not in url]) <= 2  # not once for each event


def test_the_view_of_shares_fits_a_phone(browser: Browser, gateway: RunningGateway, put: Put) -> None:
    name = "A film with a name that is much longer than any telephone is wide, in two parts.mkv"
    with gateway.client() as client:
        made = client.post("/api/v1/shares", json={"file_id": put(f"/{name}")["id"], "password": "aurora"})
        assert made.status_code == 201, made.text
    with window(browser, gateway, color_scheme="dark", **PHONE) as page:
        sign_in(page, "/shares")
        expect(page.locator(".card.share").first).to_contain_text(name)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert faults(page) == []
