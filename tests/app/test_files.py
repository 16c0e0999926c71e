"""The Files view in Chromium, as a person works with it: by keyboard, by mouse, by touch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.app.browsing import LETTERS, PHONE, Put, chosen, names, press, row, sign_in, swipe, window
from tests.whole.running import RunningGateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


def test_a_wrong_password_is_told_on_the_form(page: Page) -> None:
    sign_in(page, password="not this")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("admin")


def test_keys_choose_rows_and_open_them(page: Page, letters: str) -> None:
    assert names(page) == ["below", *LETTERS]
    page.get_by_role("grid").focus()
    press(page, "ArrowDown", "ArrowDown", "Space", "ArrowDown", "ArrowDown", "Space")
    assert chosen(page) == ["a.txt", "c.txt"]
    press(page, "Shift+ArrowDown")
    assert chosen(page) == ["a.txt", "c.txt", "d.txt"]
    expect(page.get_by_role("status").filter(has_text="3 of 5 items selected")).to_be_visible()
    press(page, "Escape")
    assert chosen(page) == []
    press(page, "Control+a")
    assert len(chosen(page)) == 5
    press(page, "Escape", "Home", "Enter")
    expect(page.get_by_text("deep.txt", exact=True)).to_be_visible()
    expect(page).to_have_title("below · Stowgram")
    press(page, "Backspace")
    expect(page.get_by_text("5 items", exact=True)).to_be_visible()
    page.keyboard.type("c.")
    press(page, "Space")
    assert chosen(page) == ["c.txt"]
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    press(page, "Escape", "/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_active_row_is_told_to_screen_readers(page: Page, letters: str) -> None:
    grid = page.get_by_role("grid", name="Files and folders")
    expect(grid).to_have_attribute("aria-rowcount", "6")
    grid.focus()
    press(page, "End")
    active = grid.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-rowindex") == "6"
    assert page.locator(f"#{active} .title").text_content() == "d.txt"


def test_a_mouse_chooses_one_more_or_a_run(page: Page, letters: str) -> None:
    row(page, "a.txt").locator(".size").click()
    row(page, "c.txt").locator(".size").click(modifiers=["Shift"])
    assert chosen(page) == ["a.txt", "b.txt", "c.txt"]
    row(page, "b.txt").locator(".size").click(modifiers=["Control"])
    assert chosen(page) == ["a.txt", "c.txt"]
    page.get_by_role("checkbox", name="Select d.txt").click()
    assert chosen(page) == ["a.txt", "c.txt", "d.txt"]
    every = page.get_by_role("checkbox", name="Select all")
    assert every.evaluate("box => box.indeterminate")
    every.check()
    assert len(chosen(page)) == 5
    every.uncheck()
    assert chosen(page) == []
    row(page, "below").locator(".modified").click(button="right")
    assert chosen(page) == ["below"]
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("above")
    page.get_by_role("button", name="Rename").click()
    expect(row(page, "above")).to_be_visible()


TEXT_BOX = """element => {
    const words = document.createRange();
    words.selectNodeContents(element);
    const { left, right } = words.getBoundingClientRect();
    return { left, right };
}"""
"""Where the words are, which may run out of the element."""


def test_a_finger_opens_by_a_tap_turns_by_a_swipe_and_chooses_by_resting(
    browser: Browser, gateway: RunningGateway, put: Put
) -> None:
    for name in LETTERS:
        put(f"/touched/{name}")
    with window(browser, gateway, **PHONE) as page:
        sign_in(page)
        page.get_by_role("link", name="touched").tap()
        size = page.get_by_role("columnheader", name="Size")
        size.get_by_role("button").tap()
        expect(size).to_have_attribute("aria-sort", "ascending")
        target = row(page, "b.txt").locator(".name")
        box = target.bounding_box()
        assert box
        touch = page.context.new_cdp_session(page)
        points = [{"x": box["x"] + 150, "y": box["y"] + box["height"] / 2}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
        expect(row(page, "b.txt")).to_have_attribute("aria-selected", "true")
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        row(page, "d.txt").locator(".name").tap(position={"x": 200, "y": 20})
        assert chosen(page) == ["b.txt", "d.txt"]
        count = page.get_by_text("2 selected", exact=True)
        words = count.evaluate(TEXT_BOX)
        buttons = page.get_by_role("toolbar").get_by_role("button")
        boxes = [button.bounding_box() for button in buttons.all() if button.is_visible()]
        assert all(
            box["x"] >= words["right"] or box["x"] + box["width"] <= words["left"] for box in boxes if box
        )
        page.get_by_role("button", name="Select nothing").tap()
        row(page, "b.txt").locator(".name").tap(position={"x": 200, "y": 20})
        looked_at = page.get_by_role("dialog").locator(".title")
        expect(looked_at).to_have_text("b.txt")
        swipe(page, (300, 400), (200, 400), (60, 405))
        expect(looked_at).to_have_text("c.txt")
        swipe(page, (60, 400), (120, 400), (300, 400))
        expect(looked_at).to_have_text("b.txt")


def test_a_folder_is_made_and_a_file_is_renamed_without_losing_its_ending(page: Page, letters: str) -> None:
    page.get_by_role("button", name="New folder").click()
    page.get_by_label("Name", exact=True).fill("<b>films #1?")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="<b>films #1?").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.go_back()
    page.get_by_role("grid").focus()
    press(page, "End", "F2")
    page.keyboard.type("CON")  # over what is selected: all but the ending
    expect(page.get_by_label("Name", exact=True)).to_have_value("CON.txt")
    press(page, "Enter")
    expect(page.get_by_role("alert").filter(has_text="device")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("e.txt")
    press(page, "Enter")
    expect(row(page, "e.txt")).to_be_visible()
    expect(row(page, "d.txt")).to_have_count(0)


def test_a_folder_is_downloaded_as_a_zip(page: Page, letters: str, tmp_path: Path) -> None:
    row(page, "below").locator(".modified").click(button="right")
    with page.expect_download() as coming:
        page.get_by_role("menuitem", name="Download").click()
    assert coming.value.suggested_filename == "below.zip"
    coming.value.save_as(tmp_path / "below.zip")
    with ZipFile(tmp_path / "below.zip") as archive:
        assert archive.testzip() is None
        assert [name for name in archive.namelist() if name.endswith(".txt")] == ["deep.txt"]


def test_what_is_chosen_is_moved_and_copied(page: Page, letters: str) -> None:
    row(page, "a.txt").locator(".size").click()
    row(page, "b.txt").locator(".size").click(modifiers=["Control"])
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="below").click()
    page.get_by_role("button", name="Move here").click()
    expect(page.get_by_text(f"2 items are now in {letters}/below")).to_be_visible()
    expect(page.get_by_text("3 items", exact=True)).to_be_visible()
    row(page, "c.txt").locator(".size").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copy here").click()
    page.get_by_role("button", name="Keep both").click()
    expect(row(page, "c (2).txt")).to_be_visible()


def test_only_a_folder_that_is_shown_is_chosen(page: Page, letters: str, put: Put) -> None:
    put(f"{letters}/late/one.txt")
    row(page, "a.txt").locator(".size").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    here = page.get_by_role("button", name="Copy here")
    expect(here).to_be_enabled()
    held: list[Route] = []
    page.route(re.compile(r"path=[^&]*late"), lambda route: held.append(route))
    page.get_by_role("button", name="late", exact=True).click()
    expect(here).to_be_disabled()
    while not held:
        page.wait_for_timeout(20)
    # Whoever goes elsewhere meanwhile is not taken back by the late answer.
    page.get_by_role("button", name="below", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text(f"{letters}/below", exact=True)).to_be_visible()
    with page.expect_response(re.compile(r"path=[^&]*late")):
        held[0].continue_()
    here.click()
    expect(page.get_by_text(f"“a.txt” was copied to {letters}/below", exact=True)).to_be_visible()


def test_more_than_a_request_may_name_is_copied_from_where_a_name_was_taken(
    page: Page, put: Put, gateway: RunningGateway
) -> None:
    put("/many/a.txt")
    with gateway.client() as client:

        def found(path: str, cursor: str = "") -> list[dict[str, Any]]:
            query = {"path": path, "limit": "1000"} | ({"cursor": cursor} if cursor else {})
            answer = client.get("/api/v1/nodes", params=query).json()
            items: list[dict[str, Any]] = answer["items"]
            return items + found(path, answer["next"]) if answer["next"] else items

        for _ in range(10):
            twice = {"ids": [node["id"] for node in found("/many")], "parent": "/many", "if_exists": "rename"}
            assert client.post("/api/v1/nodes/copy", json=twice).is_success
        put("/many/a !txt/z a.txt")  # the first and the last by name
        last = found("/many")[-1]["name"]
        for folder in ("here", "there"):
            put(f"/{folder}/{last}")
        sign_in(page, "/?path=/many")
        expect(page.get_by_text("1,025 items", exact=True)).to_be_visible()
        page.get_by_role("grid").focus()
        press(page, "Control+a")
        for folder, answer in (("here", "Cancel"), ("there", "Keep both")):
            page.get_by_role("button", name="Copy", exact=True).click()
            page.get_by_role("button", name="Folder above").click()
            page.get_by_role("button", name=folder, exact=True).click()
            page.get_by_role("button", name="Copy here").click()
            page.get_by_role("dialog", name="A name is taken there").get_by_role(
                "button", name=answer
            ).click()
            told = "1,000 of 1,025 items were copied" if answer == "Cancel" else "1,025 items were copied"
            expect(page.get_by_text(f"{told} to /{folder}", exact=True)).to_be_visible()
        assert (len(found("/here")), len(found("/there"))) == (1001, 1026)
        page.goto("/search?q=a txt")
        expect(page.locator(".status")).to_have_text(re.compile(r"^[\d,]+ items$"))
        page.get_by_role("grid").focus()
        press(page, "Control+a", "Delete")
        expect(page.get_by_text("Nothing found")).to_be_visible()


def test_search_finds_words_anywhere_and_shows_where_they_are(page: Page, letters: str, put: Put) -> None:
    put(f"{letters}/below/Winter Größe 2026.md")
    put(f"{letters}/Größe im Winter.md", b"more")
    page.get_by_role("searchbox").fill("GRÖSSE winter")
    press(page, "Enter")
    expect(row(page, "Winter Größe 2026.md")).to_contain_text(f"{letters}/below")
    titles = page.locator(".body .title")
    expect(titles).to_have_text(["Größe im Winter.md", "Winter Größe 2026.md"])
    size = page.get_by_role("columnheader", name="Size")
    for order in ("ascending", "descending"):
        size.get_by_role("button").click()
        expect(size).to_have_attribute("aria-sort", order)
    expect(titles).to_have_text(["Größe im Winter.md", "Winter Größe 2026.md"])
    size.get_by_role("button").click()
    expect(titles).to_have_text(["Winter Größe 2026.md", "Größe im Winter.md"])
    row(page, "Winter Größe 2026.md").locator(".size").click(button="right")
    page.get_by_role("menuitem", name="Show in its folder").click()
    expect(row(page, "deep.txt")).to_be_visible()
    page.get_by_role("searchbox").fill(letters[1:])
    press(page, "Enter")
    expect(page.locator(".body .location")).to_have_text(["Files"])
    page.get_by_role("searchbox").fill("no such thing anywhere")
    press(page, "Enter")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    press(page, "Enter")
    expect(page.get_by_text("Write what to look for")).to_be_visible()


CHANGES_WITHOUT_END = """async folder => {
    const fetching = window.fetch;
    window.most = 0;
    let now = 0;
    window.fetch = async (url, ...more) => {
        if (!url.startsWith("/api/v1/nodes?")) return fetching(url, ...more);
        window.most = Math.max(window.most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 600));
        return fetching(url, ...more).finally(() => { now -= 1; });
    };
    const { tell } = await import("/static/app/changes.js");
    setInterval(() => tell([folder]), 50);
}"""
"""One upon the other, while a listing takes longer to come than changes need to become one look."""


def test_what_changes_without_end_appears_by_one_listing_at_a_time_and_the_place_is_kept(
    page: Page, letters: str, put: Put
) -> None:
    page.get_by_role("grid").focus()
    press(page, "End", "Space")
    page.evaluate(CHANGES_WITHOUT_END, letters)
    put(f"{letters}/new.txt")
    expect(row(page, "new.txt")).to_be_visible()
    assert page.evaluate("window.most") == 1
    assert chosen(page) == ["d.txt"]


def test_who_signed_out_sees_nothing_any_more(page: Page) -> None:
    sign_in(page)
    page.locator("#who").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/login*")
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_rows_are_carried_onto_a_folder_and_up_the_way(page: Page, letters: str) -> None:
    row(page, "a.txt").locator(".size").click()
    row(page, "b.txt").locator(".size").click(modifiers=["Control"])
    row(page, "b.txt").locator(".modified").drag_to(row(page, "below").locator(".modified"))
    expect(page.get_by_text("3 items", exact=True)).to_be_visible()
    page.get_by_role("link", name="below").click()
    expect(row(page, "a.txt")).to_be_visible()
    way_up = page.get_by_role("navigation", name="Folders above").get_by_role("link", name=letters[1:])
    row(page, "a.txt").locator(".modified").drag_to(way_up)
    expect(page.get_by_text(f"“a.txt” is now in {letters}")).to_be_visible()
    expect(row(page, "a.txt")).to_have_count(0)
