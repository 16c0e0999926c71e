"""The pictures of the README: a gateway with what people keep, as Chromium shows it on a desk and on a phone.

    python -m bench.pictures [--to docs/pictures]

Everything in them is made here, the photographs by a canvas.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from bench.options import options
from model import MIB
from tests.app.browsing import PASSWORD, PHONE, chromium, drop, putting, row, sign_in, window
from tests.whole.running import RunningGateway, running_gateway

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 760}}
HAND: dict[str, Any] = PHONE | {"viewport": {"width": 390, "height": 760}}
HOME = "/Lofoten, March"
KEPT = {
    f"{HOME}/Ferry and cabin bookings.pdf": 412_000,
    f"{HOME}/Packing list.md": 2_300,
    f"{HOME}/Midnight drive.mp3": 7_450_000,
    f"{HOME}/Drone over Reine.mp4": 61_000_000,
    f"{HOME}/GPS tracks/day 1.gpx": 88_000,
    f"{HOME}/Raw files/DSC04411.ARW": 1_200_000,
    "/Backups/laptop 2026-11-15.tar.zst": 24_000_000,
    "/Thesis/chapter 3, final final.tex": 51_000,
}
PHOTOGRAPHS = (
    "Aurora above the bay",
    "Fishing huts at dawn",
    "Reinebringen, from the ridge",
    "The long way down",
    "Å, end of the road",
    "Kvalvika beach",
    "First light",
    "Harbour in the evening",
)
PAINT = """([seed, width, height]) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d");
    const sky = pen.createLinearGradient(0, 0, 0, height);
    const hue = 200 + seed * 35;
    sky.addColorStop(0, `hsl(${hue} 60% 18%)`);
    sky.addColorStop(0.45, `hsl(${hue - 150} 55% 55%)`);
    sky.addColorStop(0.7, `hsl(${hue + 120} 80% 72%)`);
    pen.fillStyle = sky;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = "hsl(45 100% 88%)";
    pen.beginPath();
    pen.arc(width * (0.3 + 0.12 * seed), height * 0.42, height * 0.05, 0, 7);
    pen.fill();
    for (let ridge = 0; ridge < 5; ridge += 1) {
        pen.fillStyle = `hsl(${hue} ${30 - 3 * ridge}% ${42 - 8 * ridge}%)`;
        pen.beginPath();
        pen.moveTo(0, height);
        for (let x = 0; x <= width; x += 4) {
            const far = x / width * (5 + ridge) + seed * 9 + ridge * 4;
            const rough = Math.abs(Math.sin(far * 2.7)) * 0.05 + Math.sin(far * 13) * 0.006;
            pen.lineTo(x, height * (0.58 + 0.09 * ridge - Math.abs(Math.sin(far)) * 0.12 - rough));
        }
        pen.lineTo(width, height);
        pen.fill();
    }
    return canvas.toDataURL("image/jpeg", 0.9).split(",")[1];
}"""
"""A range of mountains, as a JPEG in base64."""


def fill(gateway: RunningGateway, page: Page) -> None:
    put = putting(gateway)
    for path, size in KEPT.items():
        put(path, os.urandom(size))
    for seed, name in enumerate(PHOTOGRAPHS):
        picture = base64.b64decode(page.evaluate(PAINT, [seed, 1800, 1200]))
        put(f"{HOME}/{name}.jpg", picture, "image/jpeg")


@contextmanager
def downloads(gateway: RunningGateway) -> Iterator[None]:
    """Two programs that fetch something slowly."""
    over = False

    def fetch(path: str, program: str) -> None:
        with gateway.client() as client:
            folder, _, name = path.rpartition("/")
            items = client.get("/api/v1/nodes", params={"path": folder}).json()["items"]
            file_id = next(item["id"] for item in items if item["name"] == name)
            with client.stream(
                "GET", f"/files/{file_id}/download", headers={"User-Agent": program}
            ) as answer:
                for _ in answer.iter_raw(MIB // 8):
                    if over:
                        return
                    time.sleep(0.1)

    programs = ("aria2/1.37.0", "Wget/1.21.3")
    wanted = (f"{HOME}/Drone over Reine.mp4", "/Backups/laptop 2026-11-15.tar.zst")
    running = [Thread(target=fetch, args=each) for each in zip(wanted, programs, strict=True)]
    for one in running:
        one.start()
    try:
        yield
    finally:
        over = True
        for one in running:
            one.join()


def slow_down(page: Page, speed: int) -> None:
    """Bytes a second that the page can send."""
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)


def with_uploads(browser: Browser, gateway: RunningGateway, folder: Path, to: Path) -> None:
    """Files, in daylight, while some are uploaded; and Transfers at night."""
    sizes = {"Timelapse, harbour.mp4": 170, "Kayak, first light.mov": 70, "Cabin panorama.tif": 40}
    for name, mib in sizes.items():
        (folder / name).write_bytes(os.urandom(mib * MIB))
    with window(browser, gateway, color_scheme="light", **DESK) as page, downloads(gateway):
        sign_in(page, f"/?path={quote(HOME)}")
        expect(row(page, PHOTOGRAPHS[0])).to_be_visible()
        slow_down(page, 6 * MIB)
        drop(page, page.locator("#view"), [folder / name for name in sizes])
        expect(page.locator(".uploads li[data-state=sending]")).to_have_count(len(sizes))
        page.wait_for_timeout(7_000)  # until there is something to see of each
        page.screenshot(path=to / "files.png")
        page.emulate_media(color_scheme="dark")
        page.get_by_role("link", name="Transfers").click()
        page.get_by_role("button", name="Show or hide the list").click()
        page.wait_for_timeout(18_000)  # a graph needs its seconds
        page.screenshot(path=to / "transfers.png")
        page.get_by_role("button", name="Close").last.click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").last.click()


def in_the_hand(browser: Browser, gateway: RunningGateway, to: Path) -> None:
    """A folder at night, and a photograph by day, on a phone."""
    with window(browser, gateway, color_scheme="dark", **HAND) as page:
        sign_in(page, f"/?path={quote(HOME)}")
        expect(row(page, PHOTOGRAPHS[0])).to_be_visible()
        page.screenshot(path=to / "phone.png")
        page.emulate_media(color_scheme="light")
        page.get_by_role("link", name=f"{PHOTOGRAPHS[0]}.jpg", exact=True).tap()
        page.wait_for_function("() => document.querySelector('dialog img')?.complete")
        page.wait_for_timeout(1_000)  # until the mark of the finger is gone
        page.screenshot(path=to / "photograph.png")


def shared(browser: Browser, gateway: RunningGateway, to: Path) -> None:
    """The folder as an album, as others see it by its link: on a desk by day, in the hand at night."""
    with gateway.client() as client:
        items = client.get("/api/v1/nodes").json()["items"]
        folder = next(item["id"] for item in items if f"/{item['name']}" == HOME)
        link = client.post("/api/v1/shares", json={"folder_id": folder}).json()["url"]
    for look, scheme, name in ((DESK, "light", "album"), (HAND, "dark", "album-phone")):
        with window(browser, gateway, color_scheme=scheme, **look) as page:
            page.goto(link)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=to / f"{name}.png")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--to", type=Path, default=Path("docs/pictures"))
    to = parser.parse_args().to
    to.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        running_gateway(Path(name), settings={"ADMIN_PASSWORD": PASSWORD}) as gateway,
        chromium() as browser,
    ):
        with window(browser, gateway) as page:
            fill(gateway, page)
        shared(browser, gateway, to)
        in_the_hand(browser, gateway, to)
        with_uploads(browser, gateway, Path(name), to)


if __name__ == "__main__":
    main()
