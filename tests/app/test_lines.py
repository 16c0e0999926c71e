"""Lines for download programs, as the page writes them and a shell runs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browsing import Put, row, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.mark.needs("curl")
@pytest.mark.needs("wget")
@pytest.mark.needs("aria2c")
@pytest.mark.needs("bash")
def test_the_lines_for_programs_fetch_the_file_without_signing_in(
    page: Page, put: Put, tmp_path: Path
) -> None:
    name, data = "-it's $(touch taken) `x` & \\ größe.bin".replace("\\ ", ""), os.urandom(300_000)
    put(f"/lines/{name}", data)
    sign_in(page, "/?path=/lines")
    row(page, name).locator(".more").click()
    page.get_by_role("menuitem", name="For IDM").click()
    page.get_by_label("Shell").select_option("bash, zsh")
    expect(page.locator(".copyline code")).to_have_count(4)
    lines = page.locator(".copyline code").all_text_contents()
    assert lines[0].startswith("http") and "token=" in lines[0]
    for number, line in enumerate(lines[1:]):
        place = tmp_path / str(number)
        place.mkdir()
        subprocess.run(["bash", "-c", line], cwd=place, check=True, timeout=60, capture_output=True)
        assert {path.name: path.read_bytes() == data for path in place.iterdir()} == {name: True}, line


def test_a_line_for_windows_holds_no_command_and_no_option_in_a_name(page: Page) -> None:
    """Neither for PowerShell, nor for cmd, nor for the program: an inner quote would end its argument."""
    sign_in(page, "/")
    name = 'a" -x "evil & calc | $(calc) `“it\'s”.bin'
    lines = page.evaluate(
        "async name => (await import('/static/app/files/lines.js'))"
        ".linesFor(name, 'http://h/f?token=t', 'powershell')",
        name,
    )
    safe = "a_ -x _evil & calc _ `$(calc) ```“it's`”.bin"
    assert lines["curl"] == f'curl.exe -fL -C - -o "./{safe}" "http://h/f?token=t"'
    assert lines["aria2"] == f'aria2c.exe -c -x 8 -s 8 -o "{safe}" "http://h/f?token=t"'
