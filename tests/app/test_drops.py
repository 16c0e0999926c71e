"""Files and folders that are dropped on the window as a file manager does it: real entries, real folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browsing import drop, row, sign_in
from tests.whole.running import RunningGateway
from tests.whole.sums import digests

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


def tree(folder: Path) -> Path:
    """A folder with files and folders in it, two of which are empty."""
    for name in ("a.txt", "below/größe & maß.txt", "below/deeper/c.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n" * 10, encoding="utf-8")
    for name in ("empty", "below/also empty/inner"):
        (folder / name).mkdir(parents=True)
    return folder


def test_many_files_and_a_folder_are_dropped_at_once(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(30):
        (files / f"n {number:02}.bin").write_bytes(bytes([number]) * (number * 1000))
    folder = tree(files / "a folder")
    sign_in(page)
    page.get_by_role("button", name="New folder").click()
    page.get_by_label("Name", exact=True).fill("dropped")
    page.get_by_role("button", name="Create").click()
    drop(page, row(page, "dropped"), [*sorted(files.glob("*.bin")), folder])
    expect(page.get_by_role("heading", name="33 files uploaded")).to_be_visible(timeout=60_000)
    gateway.run("get", "/dropped", tmp_path / "back")
    assert digests(tmp_path / "back") == digests(files)
    for below, names in (
        ("", ["below", "empty", "a.txt"]),
        ("/below", ["also empty", "deeper", "größe & maß.txt"]),
    ):
        page.goto(f"/?path=/dropped/a folder{below}")
        expect(page.locator(".body .title")).to_have_text(names)


def test_folders_without_a_file_are_made_and_those_that_are_there_will_do(page: Page, tmp_path: Path) -> None:
    (tmp_path / "hollow" / "one").mkdir(parents=True)
    (tmp_path / "hollow" / "two").mkdir()
    sign_in(page)
    expect(page.locator(".status")).not_to_be_empty()
    for expected in (["one", "two"], ["one", "three", "two"]):
        drop(page, page.locator("#view"), [tmp_path / "hollow"])
        page.get_by_role("link", name="hollow", exact=True).click()
        expect(page.locator(".body .title")).to_have_text(expected)
        page.go_back()
        expect(row(page, "hollow")).to_be_visible()
        (tmp_path / "hollow" / "three").mkdir(exist_ok=True)
