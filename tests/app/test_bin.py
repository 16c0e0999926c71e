"""Deleting in Chromium: the note that takes it back, and the bin."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.app.browsing import press, row

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


def test_what_is_deleted_can_be_had_back_from_the_note_and_from_the_bin(page: Page, letters: str) -> None:
    page.get_by_role("grid").focus()
    press(page, "End", "Delete")
    expect(row(page, "d.txt")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "d.txt")).to_be_visible()
    row(page, "below").locator(".modified").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row(page, "below")).to_have_count(0)
    page.get_by_role("link", name="Bin", exact=True).click()
    expect(row(page, "below")).to_contain_text(letters)
    row(page, "below").locator(".deleted").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(row(page, "below")).to_have_count(0)
    page.go_back()
    page.get_by_role("link", name="below").click()
    expect(row(page, "deep.txt")).to_be_visible()


def test_the_bin_is_emptied_only_after_a_question(page: Page, letters: str) -> None:
    page.get_by_role("grid").focus()
    press(page, "Control+a", "Delete")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    page.get_by_role("link", name="Bin", exact=True).click()
    page.get_by_role("button", name="Empty the bin").click()
    page.get_by_role("button", name="Cancel").click()
    expect(row(page, "a.txt")).to_be_visible()
    page.get_by_role("button", name="Empty the bin").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The bin is empty")).to_be_visible()
    expect(page.get_by_role("button", name="Empty the bin")).to_be_disabled()
