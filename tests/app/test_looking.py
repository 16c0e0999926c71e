"""A look at files in Chromium: video, sound, text, and what is known of them."""

from __future__ import annotations

import hashlib
import io
import os
import wave
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browsing import Put, press, row, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

CLIP = Path(__file__).with_name("clip.webm")


def sound(seconds: int) -> bytes:
    """Silence as a WAV file."""
    held = io.BytesIO()
    with wave.open(held, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(bytes(2 * 44_100 * seconds))
    return held.getvalue()


def test_a_video_and_a_sound_play_from_anywhere(page: Page, put: Put) -> None:
    put("/media/1.webm", CLIP.read_bytes(), "video/webm")
    put("/media/2.wav", sound(60), "audio/x-wav")
    sign_in(page, "/?path=/media")
    page.get_by_role("link", name="1.webm", exact=True).click()
    for kind, place in (("video", 6), ("audio", 50)):
        player = page.locator(kind)
        player.evaluate("(player, place) => { player.currentTime = place; }", place)
        page.wait_for_function(
            f"() => {{ const it = document.querySelector('{kind}');"
            f" return it.readyState >= 2 && !it.seeking && it.currentTime >= {place}; }}"
        )
        press(page, "Tab")  # out of the player, whose own keys the arrows are
        page.get_by_role("button", name="The next one").click(timeout=5000) if kind == "video" else None
    press(page, "Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_text_is_shown_in_part_and_never_as_markup(page: Page, put: Put) -> None:
    put("/texts/large.md", b"<b>begin</b>\n" + b"line\n" * 100_000 + b"the end")
    put("/texts/small.html", b"<script>document.title='taken'</script>", "text/html")
    sign_in(page, "/?path=/texts")
    page.get_by_role("link", name="large.md", exact=True).click()
    expect(page.get_by_text("The first 256 KiB are shown.")).to_be_visible()
    shown = page.locator("pre").text_content() or ""
    assert shown.startswith("<b>begin</b>\nline") and "the end" not in shown
    press(page, "ArrowRight")
    expect(page.locator("pre")).to_have_text("<script>document.title='taken'</script>")
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_title("texts · Stowgram")
    page.get_by_role("link", name="small.html", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "Escape", "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, "small.html")).to_be_visible()


def test_details_have_the_digests_and_the_chunks(page: Page, put: Put) -> None:
    data = os.urandom(2_500_000)
    put("/known/data.bin", data)
    sign_in(page, "/?path=/known")
    row(page, "data.bin").locator(".more").click()
    page.get_by_role("menuitem", name="Details").click()
    sheet = page.get_by_role("dialog", name="data.bin")
    expect(sheet).to_contain_text(hashlib.sha256(data).hexdigest())
    expect(sheet).to_contain_text("2.38 MiB (2,500,000 B)")
    expect(sheet).to_contain_text("No damage known")
    sheet.get_by_text("3 chunks").click()
    expect(sheet.locator("tbody tr")).to_have_count(3)
