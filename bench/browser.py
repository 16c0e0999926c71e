"""Uploads as a person makes them: files dropped on Chromium's window, while the gateway falls and rises again.

    python -m bench.browser [--gib 2] [--files 200]

A large file, whose gateway is killed halfway and started again; then many files and a folder in one drop. What comes
back is compared by its SHA-256. Needs three times the large file on disk.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, Request, Response, expect

from bench.house import house, random_file
from bench.options import options
from bench.report import heading, row
from model import MIB
from tests.app.browsing import PASSWORD, chromium, drop, sign_in, window
from tests.whole.running import RunningGateway
from tests.whole.sums import digests, regular_files

PATIENCE = 1800
"""Seconds that an upload may take."""
SETTINGS = {"ADMIN_PASSWORD": PASSWORD}


def upload(page: Page, folder: str, paths: list[Path]) -> float:
    """Drop these on the folder's page; seconds until the page says that all their files are stored."""
    page.reload()  # it counts those before, too
    begin(page, folder, paths)
    began = time.perf_counter()
    stored(page, paths)
    return time.perf_counter() - began


def begin(page: Page, folder: str, paths: list[Path]) -> None:
    page.evaluate("async path => (await import('/static/app/router.js')).go(path)", f"/?path={folder}")
    expect(page.locator(".status")).not_to_be_empty()
    drop(page, page.locator("#view"), paths)


def stored(page: Page, paths: list[Path]) -> None:
    count = sum(1 if path.is_file() else len(list(regular_files(path))) for path in paths)
    words = f"{count} file{'s' * (count > 1)} uploaded"
    expect(page.get_by_role("heading", name=words)).to_be_visible(timeout=PATIENCE * 1000)


class Parts:
    """What a page sends of one upload: how far that was acknowledged, when last, and how many requests were lost."""

    def __init__(self, page: Page) -> None:
        self.offset = self.lost = 0
        self.latest = 0.0
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def _answered(self, answer: Response) -> None:
        if answer.request.method == "PATCH" and answer.ok:
            self.offset = int(answer.headers["upload-offset"])
            self.latest = time.perf_counter()

    def _failed(self, request: Request) -> None:
        self.lost += request.method == "PATCH"


def same(gateway: RunningGateway, remote: str, local: Path, into: Path) -> str:
    """Fetch it by `get`, and say whether it is what was sent."""
    gateway.run("get", remote, into, timeout=PATIENCE)
    return "equal" if digests(into) == digests(local) else "DIFFERENT"


def interrupted(page: Page, gateway: RunningGateway, file: Path, into: Path) -> None:
    """One large upload whose gateway is killed halfway."""
    size = file.stat().st_size
    parts = Parts(page)
    began = time.perf_counter()
    begin(page, "/", [file])
    while parts.offset < size / 2:
        page.wait_for_timeout(20)
    gateway.kill()
    fell, before = time.perf_counter(), parts.offset
    gateway.start()
    rose = time.perf_counter()
    while parts.offset == before:
        page.wait_for_timeout(20)
    again = parts.latest
    stored(page, [file])
    took = time.perf_counter() - began
    row(
        f"{size / 2**30:g} GiB, killed at {before / size:.0%}",
        f"{took:.1f}",
        f"{size / 1e6 / (took - (again - fell)):.0f}",
        f"{rose - fell:.1f} s down, {again - rose:.1f} s until the first part after it; {parts.lost} request(s) lost",
        same(gateway, f"/{file.name}", file, into),
    )


def made(folder: Path, files: int) -> Path:
    """A folder of so many files of up to 64 KiB, and one in it with a quarter as many in three more."""
    for number in range(files + files // 4):
        place = folder if number < files else folder / "a folder" / f"part {number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"picture {number:04}.jpg").write_bytes(os.urandom(1000 + 997 * number % 65_000))
    return folder


def many(page: Page, gateway: RunningGateway, folder: Path, into: Path) -> None:
    """A drop of many files and a folder."""
    wanted = digests(folder)
    took = upload(page, "/", sorted(folder.iterdir()))
    size = sum((folder / name).stat().st_size for name in wanted)
    into.mkdir()
    same_all = all(
        same(gateway, f"/{path.name}", path, into / path.name) == "equal"
        for path in folder.iterdir()
        if path.is_dir()
    )
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": "/", "limit": 1000}).json()["items"]
    there = {item["name"]: item["sha256"] for item in items}
    same_all = same_all and all(there[name] == sha for name, sha in wanted.items() if "/" not in name)
    row(
        f"{len(wanted)} files, a fifth of them in a folder",
        f"{took:.1f}",
        f"{size / 1e6 / took:.1f}",
        f"{len(wanted) / took:.0f} files a second",
        "equal" if same_all else "DIFFERENT",
    )


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--gib", type=float, default=2)
    parser.add_argument("--files", type=int, default=200)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        house(Path(name), **SETTINGS) as (_, gateway),
        chromium() as browser,
        window(browser, gateway, forgiven=("Failed to load resource", "ERR_")) as page,
    ):
        sign_in(page)
        heading("dropped", "seconds", "MB/s, without the pause", "", "SHA-256")
        large = random_file(Path(name) / "large.bin", round(chosen.gib * 2**30 / MIB))
        interrupted(page, gateway, large, Path(name) / "large.back")
        many(page, gateway, made(Path(name) / "many", chosen.files), Path(name) / "many.back")
    return 0


if __name__ == "__main__":
    sys.exit(main())
