"""Real sizes, real programs: what goes in by `put` comes out equal by `get`, curl, wget, wget2, aria2c, axel, Chromium.

    python -m bench.round_trip [--size 5G] [--tree /usr/share] [--work FOLDER] [--only PROGRAM...]

Runs a gateway of its own, on the embedded sandbox, below a folder that is removed at the end, however it ends; three
times the size must be free there. Programs that are not installed are left out, and the table says so.
"""

from __future__ import annotations

import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from playwright.sync_api import Page, sync_playwright

from bench.goods import CHUNK, EDGE_NAMES, Goods, default_tree, make_goods
from bench.options import options
from bench.patience import Failed, finish, kill_after, say
from model import MIB
from tests.whole.programs import AXEL, PROGRAMS, Program
from tests.whole.running import RunningGateway, running_gateway
from tests.whole.sums import Digests, digests

AT_A_TIME = 2
"""Small files that one program fetches at a time; a process each."""
CLICKS = 10
"""After so many downloads from one page Chromium asks the person whether to allow more; then it is loaded anew."""
CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "there and back again"
EVERYTHING = re.compile(r"^[\d,]+ items?$")
"""What the page says once all of a folder is listed."""
HEADING = f"{'client':<9} {'what':<22} {'bytes':>12} {'seconds':>8} {'MB/s':>7}  sha256"


@dataclass(frozen=True)
class Row:
    client: str
    what: str
    size: int
    seconds: float
    verdict: str

    def __str__(self) -> str:
        speed = self.size / 1e6 / self.seconds if self.seconds else 0.0
        return f"{self.client:<9} {self.what:<22} {self.size:>12} {self.seconds:>8.1f} {speed:>7.1f}  {self.verdict}"


class Trip:
    """The gateway, the folder beside it, and the table so far."""

    def __init__(self, gateway: RunningGateway, folder: Path, goods: Goods) -> None:
        self.gateway = gateway
        self.folder = folder
        self.goods = goods
        self.rows: list[Row] = []
        self._ids: dict[str, int] = {}

    def measure(
        self, client: str, what: str, size: int, act: Callable[[], object], check: Callable[[], bool]
    ) -> None:
        """One row: how long `act` took, and whether `check`, which is not counted, found the right bytes."""
        began = time.monotonic()
        try:
            act()
            seconds = time.monotonic() - began
            verdict = "ok" if check() else "WRONG BYTES"
        except (Failed, OSError) as error:
            seconds, verdict = time.monotonic() - began, f"FAILED: {error}"
        self.rows.append(Row(client, what, size, seconds, verdict))
        say(str(self.rows[-1]))

    def by_command(
        self, what: str, size: int, files: int, *words: str | Path, check: Callable[[], bool] = lambda: True
    ) -> None:
        """A row of `put` or `get`."""

        def act() -> None:
            finish(self.gateway.command(*words), f"{words[0]} {what}", size, files=files)

        self.measure(str(words[0]), what, size, act, check)

    def url(self, name: str) -> str:
        """Of the large file, of an edge, or of a file of the tree."""
        if not self._ids:
            for folder in ("/", "/edges", f"/{self.goods.tree.name}"):
                self._ids |= self._files(folder, deep=folder == f"/{self.goods.tree.name}")
        return f"{self.gateway.url}/files/{self._ids[name]}/download"

    def folder_of(self, name: str) -> str:
        """Where it is stored."""
        if name == "large":
            return "/"
        return "/edges" if name in EDGE_NAMES else str(PurePosixPath("/", self.goods.tree.name, name).parent)

    def _files(self, folder: str, *, deep: bool) -> dict[str, int]:
        """The ids of the files in `folder`, by their paths below it."""
        found, ahead = {}, [folder]
        with self.gateway.client() as client:
            while ahead:
                here, cursor = ahead.pop(), ""
                while cursor is not None:
                    asked = {"path": here} | ({"cursor": cursor} if cursor else {})
                    page = client.get("/api/v1/nodes", params=asked).json()
                    cursor = page["next"]
                    for item in page["items"]:
                        if item["kind"] == "file":
                            found[item["path"].removeprefix(folder).lstrip("/")] = item["id"]
                        elif deep:
                            ahead.append(item["path"])
        return found

    @contextmanager
    def place(self) -> Iterator[Path]:
        """An empty folder, and nothing of it afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)


def there_and_back(trip: Trip, what: str, local: Path, wanted: Digests, size: int) -> None:
    """Rows of `put` and `get`."""
    remote = f"/{local.name}"
    trip.by_command(what, size, len(wanted), "put", local, remote)
    with trip.place() as place:
        goal = place / local.name
        trip.by_command(what, size, len(wanted), "get", remote, goal, check=lambda: digests(goal) == wanted)


def fetch(trip: Trip, program: Program, what: str, names: Sequence[str], *, killed: bool = False) -> None:
    """A row of one program; `killed` means after a third, and started again."""
    label, header = f"{program.name} {what}", f"Authorization: Bearer {trip.gateway.token}"
    with trip.place() as place:
        goals = {name: place / str(number) / "download" for number, name in enumerate(names)}

        def bring(name: str) -> None:
            size, goal = trip.goods.sizes[name], goals[name]
            goal.parent.mkdir()
            if killed:
                kill_after(program.start(trip.url(name), header, goal), goal, size // 3)
            finish(program.start(trip.url(name), header, goal), label, size, goal)

        def act() -> None:
            bring(names[0])
            with ThreadPoolExecutor(AT_A_TIME) as people:
                list(people.map(bring, names[1:]))

        trip.measure(program.name, what, trip.goods.size(names), act, lambda: trip.goods.equal(goals))


def fetch_by_all(trip: Trip, only: Sequence[str]) -> None:
    for program in PROGRAMS:
        if only and program.name not in only:
            continue
        if shutil.which(program.name) is None:
            say(f"{program.name:<9} is not installed")
            continue
        fetch(trip, program, "large file", ["large"])
        if program is not AXEL:  # its notes do not survive a kill
            fetch(trip, program, "killed and resumed", ["large"], killed=True)
        fetch(trip, program, "edge sizes", EDGE_NAMES)
        fetch(trip, program, f"{len(trip.goods.tree_digests)} files", tuple(trip.goods.tree_digests))


def fetch_by_chromium(trip: Trip) -> None:
    """Rows of headless Chromium: it signs in by the form and downloads by a click."""
    if not CHROMIUM.exists():
        say("chromium  is not installed")
        return
    with trip.place() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], downloads_path=place
        )
        page = browser.new_page(base_url=trip.gateway.url)
        page.goto("/login")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text(EVERYTHING).wait_for()
        tree = tuple(trip.goods.tree_digests)
        for what, names in (
            ("large file", ("large",)),
            ("edge sizes", EDGE_NAMES),
            (f"{len(tree)} files", tree),
        ):
            goals = {name: place / f"{number}" for number, name in enumerate(names)}
            act, check = partial(click, page, trip, goals), partial(trip.goods.equal, goals)
            trip.measure("chromium", what, trip.goods.size(names), act, check)
        browser.close()


def click(page: Page, trip: Trip, goals: Mapping[str, Path]) -> None:
    """Click on each in the listing that shows it; only the rows in sight are in the document."""
    shown = ""
    for number, (name, goal) in enumerate(sorted(goals.items())):
        if number % CLICKS == 0:
            shown = ""
        link = page.locator(f"a[download][href='{urlsplit(trip.url(name)).path}']")
        if (folder := trip.folder_of(name)) != shown or not link.count():
            page.goto(f"/?path={quote(folder)}")
            page.get_by_text(EVERYTHING).wait_for()
            page.get_by_role("grid").focus()
            shown = folder
        while not link.count():
            page.keyboard.press("PageDown")
        with page.expect_download() as started:
            link.click(force=True)  # it shows itself to a pointer only
        Path(started.value.path()).replace(goal)


def number_of_bytes(text: str) -> int:
    """`5G`, `200M`, `17`."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--size", type=number_of_bytes, default=5 << 30, help="of the large file; 5G")
    parser.add_argument("--tree", type=Path, help="a folder with several thousand files")
    parser.add_argument("--only", nargs="+", default=(), help="fetch by these programs only, such as aria2c")
    parser.add_argument("--work", type=Path, help="where to work; the system's folder for temporary files")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    settings = {"ADMIN_PASSWORD": PASSWORD, "CHUNK_SIZE_MIB": str(CHUNK // MIB), "STAGING_SIZE_MIB": "512"}
    try:
        with tempfile.TemporaryDirectory(prefix="round-trip-", dir=chosen.work) as name:
            folder = Path(name)
            tree = chosen.tree or default_tree()
            say(f"making a file of {chosen.size} bytes, and hashing {tree}")
            goods = make_goods(folder, chosen.size, tree)
            with running_gateway(folder, settings=settings) as gateway:
                trip = Trip(gateway, folder, goods)
                say(HEADING)
                for what, local, wanted, size in goods.parcels():
                    there_and_back(trip, what, local, wanted, size)
                fetch_by_all(trip, chosen.only)
                if not chosen.only or "chromium" in chosen.only:
                    fetch_by_chromium(trip)
    except KeyboardInterrupt:
        say("stopped; everything is cleaned up")
        return 130
    return 0 if all(row.verdict == "ok" for row in trip.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
