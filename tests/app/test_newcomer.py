"""Somebody without a mouse: in, a file up, renamed, deleted, had back; and a server that goes away meanwhile, which the
page outlives.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.browsing import PASSWORD, PATIENCE, Put, press, row, sign_in, window
from tests.whole.running import RunningGateway

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(40):
        if page.locator(":focus").and_(page.get_by_label(name, exact=True)).count():
            return
        if page.locator(":focus").filter(has_text=name).count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name!r}")


def test_a_file_comes_and_goes_by_keyboard(page: Page, put: Put, tmp_path: Path) -> None:
    put("/keys/place/other.txt")
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    page.goto("/?path=/keys")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(row(page, "place")).to_be_visible()
    tab_to(page, "Upload")
    with page.expect_file_chooser() as chooser:
        press(page, "Enter", "Enter")
    chooser.value.set_files(tmp_path / "mine.txt")
    expect(row(page, "mine.txt")).to_be_visible()
    page.get_by_role("grid").focus()
    press(page, "End", "F2")
    page.keyboard.type("yours")
    page.keyboard.press("Enter")
    expect(row(page, "yours.txt")).to_be_visible()
    press(page, "Delete")
    expect(row(page, "yours.txt")).to_have_count(0)
    tab_to(page, "Undo")
    page.keyboard.press("Enter")
    expect(row(page, "yours.txt")).to_be_visible()


NOTE_OVER_TWO_DIALOGS = """async () => {
    const { ask, show, toast } = await import("/static/app/dialog.js");
    const { h } = await import("/static/app/dom.js");
    document.body.append(h("div", { id: "toasts", role: "status" }));
    show("Below", () => []);
    ask({ title: "Above", label: "Name", yes: "Yes" });
    toast("Gone", { action: "Undo", act: () => toast("Undone") });
}"""


def test_a_note_is_in_the_dialog_that_is_open_and_stays_while_it_has_the_focus(page: Page) -> None:
    page.clock.install()
    page.goto("/login")
    page.evaluate(NOTE_OVER_TWO_DIALOGS)
    note = page.get_by_role("status").filter(has_text="Gone")
    expect(page.get_by_role("dialog", name="Above").and_(page.locator(":has(.toast)"))).to_be_visible()
    tab_to(page, "Undo")
    page.clock.fast_forward("01:00")
    expect(note).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog", name="Below").and_(page.locator(":has(.toast)"))).to_be_visible()
    press(page, "Escape")
    expect(page.locator("body > #toasts")).to_contain_text("Gone")
    tab_to(page, "Undo")
    press(page, "Enter")
    expect(page.locator("#toasts")).to_have_text("Undone")
    page.clock.fast_forward("01:00")
    expect(page.locator(".toast")).to_have_count(0)


def test_a_page_outlives_a_restart_and_hears_what_happens_after_it(
    browser: Browser, put: Put, gateway: RunningGateway
) -> None:
    put("/restart/before.txt")
    with window(browser, gateway, forgiven=("net::ERR",)) as page:
        sign_in(page, "/?path=/restart")
        expect(row(page, "before.txt")).to_be_visible()
        gateway.kill()
        page.get_by_role("button", name="New folder").click()
        page.keyboard.type("while away")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .refusal")).not_to_be_empty()
        gateway.start()
        page.keyboard.press("Enter")  # the same again, from the dialog that stays
        expect(row(page, "while away")).to_be_visible()
        put("/restart/after.txt")
        expect(row(page, "after.txt")).to_be_visible(timeout=2 * PATIENCE)
