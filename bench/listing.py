"""A folder of ten thousand files in Chromium: until it can be used, how evenly it scrolls, how soon it is sorted anew.

    python -m bench.listing [--files 10000]

Runs a gateway of its own on the embedded sandbox. A frame is late when it took more than twice the screen's 16.7 ms;
a long task is one that kept the page from answering for more than 50 ms, as browsers count it (W3C Long Tasks).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from bench.options import options
from tests.app.browsing import PASSWORD, chromium, sign_in, window
from tests.whole.running import RunningGateway, running_gateway

FOLDER = "/many"
SEED = 1000
"""Files that are put; the others are copies of them, which one request makes by the thousand."""
LATE = 2 * 1000 / 60
"""Milliseconds of a frame."""
SCROLL = """async () => {
    const rows = document.querySelector('.rows');
    const frames = [];
    let last = await new Promise(requestAnimationFrame);
    for (let step = 0; step < 300; step += 1) {
        rows.scrollTop += step % 50 === 49 ? 40_000 : 700;
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
    }
    return frames;
}"""
COUNT_LONG_TASKS = """
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ entryTypes: ['longtask'] });
"""


def fill(gateway: RunningGateway, count: int) -> None:
    with gateway.client() as client, ThreadPoolExecutor(4) as people:

        def put(number: int) -> int:
            answer = client.put(
                f"/api/v1/content{FOLDER}/report {number:05}.txt", content=b"x" * (number % 97 + 1)
            )
            return int(answer.raise_for_status().json()["id"])

        ids = list(people.map(put, range(min(SEED, count))))
        left = count - len(ids)
        while left > 0:
            asked = {"ids": ids[:left], "parent": FOLDER, "if_exists": "rename"}
            client.post("/api/v1/nodes/copy", json=asked).raise_for_status()
            left -= len(asked["ids"])


def milliseconds(act: Callable[[], Any]) -> float:
    began = time.monotonic()
    act()
    return (time.monotonic() - began) * 1000


def measure(page: Page, count: int) -> None:
    sign_in(page)
    page.add_init_script(COUNT_LONG_TASKS)

    def first() -> None:
        page.goto(f"/?path={FOLDER}", wait_until="commit")
        page.locator(".body .row").first.wait_for()

    say("until the first rows are there", milliseconds(first), "ms")
    say(
        "until all are listed",
        milliseconds(page.get_by_text(f"{count:,} items", exact=True).wait_for),
        "ms more",
    )
    say("rows in the document", page.locator(".body .row").count(), "")
    frames = sorted(page.evaluate(SCROLL))
    say("a frame of scrolling, median", frames[len(frames) // 2], "ms")
    say("a frame of scrolling, p95", frames[len(frames) * 95 // 100], "ms")
    say("late frames of 300", sum(frame > LATE for frame in frames), "")
    page.evaluate("window.longTasks.length = 0")

    def sort() -> None:
        page.get_by_role("button", name="Size").click()
        page.locator("[data-sort=size][aria-sort=ascending]").wait_for()

    say("until it is sorted by size", milliseconds(sort), "ms")
    page.get_by_text(f"{count:,} items", exact=True).wait_for()
    say(
        "longest task while sorting",
        max(page.evaluate("window.longTasks"), default=0),
        "ms (0: none over 50)",
    )


def say(what: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{what:<34} {value:>8.0f} {unit}\n")


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    count = parser.parse_args().files
    with (
        tempfile.TemporaryDirectory(prefix="listing-") as folder,
        running_gateway(Path(folder), settings={"ADMIN_PASSWORD": PASSWORD}) as gateway,
    ):
        try:
            say("seconds to make the folder", milliseconds(lambda: fill(gateway, count)) / 1000, "s")
        except httpx.HTTPError as error:
            sys.stderr.write(f"the folder could not be filled: {error}\n")
            return 1
        with chromium() as browser, window(browser, gateway) as page:
            measure(page, count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
