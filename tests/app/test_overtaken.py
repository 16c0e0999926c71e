"""What is acted on is what is shown: not what the page has left, nor what is still to come, nor another row by now."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.app.browsing import REFUSED, Put, chosen, names, press, row, window
from tests.whole.running import RunningGateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.fixture
def page(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    with window(browser, gateway, forgiven=REFUSED) as page:
        yield page


def test_a_press_under_which_the_rows_move_does_nothing_and_the_bar_keeps_the_focus(
    page: Page, letters: str, put: Put
) -> None:
    box = row(page, "b.txt").locator(".title").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    put(f"{letters}/a0.txt")
    expect(row(page, "a0.txt")).to_be_visible()
    page.mouse.up()
    row(page, "b.txt").locator(".size").click()
    assert chosen(page) == ["b.txt"]
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Copy", exact=True).focus()
    put(f"{letters}/a1.txt")
    expect(row(page, "a1.txt")).to_be_visible()
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    page.get_by_role("button", name="Select nothing").focus()
    press(page, "Enter")
    expect(page.get_by_role("grid")).to_be_focused()


def test_a_question_does_not_outlast_the_place_that_it_is_of(page: Page, letters: str) -> None:
    page.get_by_role("link", name="below").click()
    expect(row(page, "deep.txt")).to_be_visible()
    page.get_by_role("button", name="New folder").click()
    page.get_by_label("Name", exact=True).fill("where?")
    page.go_back()
    expect(row(page, "a.txt")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    row(page, "a.txt").locator(".more").click()
    page.go_forward()
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_folder_that_is_deleted_while_it_is_shown_says_so_until_it_is_back(
    page: Page, letters: str, gateway: RunningGateway
) -> None:
    page.get_by_role("link", name="below").click()
    expect(row(page, "deep.txt")).to_be_visible()
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": letters}).json()["items"]
        below = next(item["id"] for item in items if item["name"] == "below")
        client.delete(f"/api/v1/folders/{below}").raise_for_status()
        expect(page.get_by_role("heading", name=f"There is nothing at {letters}/below.")).to_be_visible()
        assert names(page) == []
        client.post(f"/api/v1/bin/{below}/restore", json={}).raise_for_status()
    expect(row(page, "deep.txt")).to_be_visible()


def test_nothing_goes_into_a_folder_that_never_came(page: Page, letters: str) -> None:
    row(page, "a.txt").locator(".size").click()
    page.route(re.compile(r"nodes\?.*limit=1000$"), lambda route: route.fulfill(status=400, json={}))
    page.get_by_role("button", name="Copy", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("400")
    for button in ("Copy here", "New folder"):
        expect(dialog.get_by_role("button", name=button)).to_be_disabled()
    page.unroute_all()
    dialog.get_by_role("button", name="Folder above").click()
    for button in ("Copy here", "New folder"):
        expect(dialog.get_by_role("button", name=button)).to_be_enabled()


def test_who_has_left_the_search_is_not_taken_back_to_it(page: Page, letters: str) -> None:
    page.clock.install()
    page.goto("/search?q=a.txt")
    expect(row(page, "a.txt").first).to_be_visible()
    page.get_by_role("searchbox").press_sequentially(" and more")
    page.get_by_role("link", name="Bin", exact=True).click()
    page.clock.run_for(1000)
    expect(page).to_have_url(re.compile("/bin$"))
    expect(page.get_by_role("heading", name="Bin", exact=True)).to_be_visible()


MOST_CARDS = """() => new MutationObserver(() => {
    window.most = Math.max(window.most ?? 0, document.querySelectorAll("li.share").length);
}).observe(document.querySelector(".cards"), { childList: true })"""


def test_an_answer_that_another_has_overtaken_is_let_go(
    page: Page, letters: str, gateway: RunningGateway
) -> None:
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": letters}).json()["items"]
        for item in items[-2:]:
            client.post("/api/v1/shares", json={"file_id": item["id"]}).raise_for_status()
        page.goto("/shares")
        card = page.get_by_role("listitem").filter(has_text="d.txt")
        expect(card).to_be_visible()
        late: list[tuple[Route, APIResponse]] = []
        page.route("**/api/v1/shares?*", lambda route: late.append((route, route.fetch())), times=1)
        client.post("/api/v1/shares", json={"file_id": items[-3]["id"]}).raise_for_status()
        while not late:
            page.wait_for_timeout(20)
        card.get_by_role("button", name="Actions for d.txt").click()
        page.get_by_role("menuitem", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(card).to_have_count(0)
        page.evaluate(MOST_CARDS)
        ((route, answer),) = late
        with page.expect_response("**/api/v1/shares?*"):
            route.fulfill(response=answer)
        expect(page.get_by_role("listitem").filter(has_text="b.txt")).to_be_visible()
        assert page.evaluate("window.most ?? 2") == 2, "the one that was revoked came back"


def test_lines_are_of_the_life_that_was_chosen_last(page: Page, letters: str) -> None:
    row(page, "a.txt").locator(".more").click()
    page.get_by_role("menuitem", name="For IDM").click()
    line = page.locator(".copyline code").first
    expect(line).to_contain_text("token=")
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/link", lambda route: late.append((route, route.fetch())), times=1)
    life = page.get_by_label("Good for")
    life.select_option("1 hour")
    while not late:
        page.wait_for_timeout(20)
    before = line.inner_text()
    life.select_option("168 hours")
    expect(line).not_to_have_text(before)
    last = line.inner_text()
    ((route, answer),) = late
    with page.expect_response("**/link"):
        route.fulfill(response=answer)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(line).to_have_text(last)
