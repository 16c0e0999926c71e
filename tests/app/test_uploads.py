"""Uploads in Chromium, against a gateway that runs: many at once, conflicts, pauses, reloads, restarts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from model import MIB
from tests.app.browsing import PHONE, REFUSED, sign_in, window
from tests.whole.running import RunningGateway
from tests.whole.sums import digest

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]

SLOWLY = 6 * MIB
"""Bytes a second of an upload that is to be met halfway."""
BIG = 40 * MIB + 1
"""Several parts, at that speed some seconds."""
DESK: ViewportSize = {"width": 1280, "height": 800}
SENDING = ".uploads li[data-state=sending]"
PICK = """folder => {
  const chooser = document.createElement("input");
  Object.assign(chooser, { type: "file", multiple: true, id: "pick", hidden: true });
  chooser.addEventListener("change", async () => {
    const { upload } = await import("/static/app/uploads/start.js");
    upload([...chooser.files].map((file) => ({ file, path: `${folder}/${file.name}` })));
  });
  document.getElementById("pick")?.remove();
  document.body.append(chooser);
}"""
"""A choice of files for a folder, as the Files view hands it on."""


@pytest.fixture
def page(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    with window(browser, gateway, forgiven=REFUSED) as page:
        sign_in(page)
        yield page


def made(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    folder.mkdir(exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def choose(page: Page, folder: str, *files: Path) -> None:
    page.evaluate(PICK, folder)
    page.set_input_files("#pick", files)


def slow_down(page: Page, speed: int = SLOWLY) -> None:
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)


def begun(page: Page, folder: str, of: Path) -> Path:
    """A film on its slow way into `folder`: a part of it is safe, as the server has said."""
    film = made(of, "film.bin", BIG)
    slow_down(page)
    choose(page, folder, film)
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        pass
    return film


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Uploads")


def stored(page: Page, count: int) -> None:
    words = f"{count} file{'s' * (count > 1)} uploaded"
    expect(panel(page).get_by_role("heading", name=words)).to_be_visible(timeout=60_000)


def contents(gateway: RunningGateway, folder: str, to: Path) -> dict[str, str]:
    """The digests of the files there, of what comes back for them."""
    to.mkdir()
    with gateway.client() as client:
        items = client.get("/api/v1/nodes", params={"path": folder}).json()["items"]
        for item in items:
            (to / item["name"]).write_bytes(client.get(f"/files/{item['id']}/download").content)
    return {item["name"]: digest(to / item["name"]) for item in items}


def test_many_files_go_in_and_the_listing_follows(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    files = [made(tmp_path, f"n {number}.bin", 1000 + number) for number in range(20)]
    files += [made(tmp_path, "Größe & Maß 100%.bin", 20 * MIB + 1), made(tmp_path, "empty", 0)]
    choose(page, "/many/<b>deep", *files)
    stored(page, 22)
    expect(page.get_by_role("link", name="many")).to_be_visible()
    back = contents(gateway, "/many/<b>deep", tmp_path / "back")
    assert back == {path.name: digest(path) for path in files}
    page.goto("/?path=/many/<b>deep")
    choose(page, "/more", made(tmp_path / "more", "one.bin", 10))
    stored(page, 1)
    for size in (DESK, PHONE["viewport"]):
        page.set_viewport_size(size)
        page.locator(".rows").evaluate("rows => { rows.scrollTop = rows.scrollHeight; }")
        page.get_by_role("button", name="Actions for n 9.bin").click(trial=True)  # nothing stands over it
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_be_hidden()


def test_a_name_that_is_taken_is_asked_about_for_one_or_for_all(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    names = ["a.txt", "b.txt", "c.txt", "d.txt"]
    olds, news = [made(old, name, 10) for name in names], [made(new, name, 11) for name in names]
    choose(page, "/taken", *olds)
    stored(page, 4)
    choose(page, "/taken", *news)
    page.get_by_label("Do this for all that follow").check()
    page.get_by_role("button", name="Skip").click()
    expect(page.locator("#toasts")).to_contain_text("Nothing uploaded")
    answered = {}
    choose(page, "/taken", *news)
    for answer in ("Replace", "Skip"):
        title = page.get_by_role("dialog").get_by_role("heading").inner_text()
        answered[title.split("”")[0].lstrip("“")] = answer
        page.get_by_role("dialog").get_by_role("button", name=answer).click()
        expect(page.get_by_role("dialog").get_by_text(title)).to_have_count(0)
    page.get_by_label("Do this for all that follow").check()
    page.get_by_role("button", name="Keep both").click()
    stored(page, 3)
    expected = {path.name: digest(path) for path in olds}
    for path in news:
        match answered.get(path.name):
            case "Replace":
                expected[path.name] = digest(path)
            case None:
                expected[f"{path.stem} (2).txt"] = digest(path)
    assert contents(gateway, "/taken", tmp_path / "back") == expected


def test_a_question_goes_away_with_the_upload_that_it_is_of(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    old, new = made(tmp_path, "film.bin", 10), made(tmp_path / "new", "film.bin", 11)
    choose(page, "/asked", old)
    stored(page, 1)
    choose(page, "/asked", new)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate("""async () => {
        const { pause, underWay } = await import("/static/app/uploads/start.js");
        underWay().forEach(pause);
    }""")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Continue film.bin").click()
    page.get_by_role("dialog").get_by_role("button", name="Replace").click()
    stored(page, 1)
    assert contents(gateway, "/asked", tmp_path / "back") == {"film.bin": digest(new)}


def test_an_upload_is_paused_goes_on_and_another_is_cancelled(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    slow_down(page)
    choose(page, "/paused", made(tmp_path, "kept.bin", BIG), made(tmp_path, "dropped.bin", BIG))
    expect(page.locator(SENDING)).to_have_count(2)
    page.get_by_role("button", name="Cancel dropped.bin").click()
    page.get_by_role("button", name="Pause kept.bin").click()
    expect(panel(page).get_by_role("heading", name="1 upload paused")).to_be_visible()
    expect(panel(page).get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Continue kept.bin").click()
    slow_down(page, -1)
    stored(page, 1)
    assert contents(gateway, "/paused", tmp_path / "back") == {"kept.bin": digest(tmp_path / "kept.bin")}


def test_a_reload_warns_and_the_upload_goes_on_when_the_same_file_is_chosen(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    film = begun(page, "/again", tmp_path)
    page.locator("#view").click()  # a page that nobody touched may not ask
    with page.expect_event("dialog") as asked:
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
    assert asked.value.type == "beforeunload"
    note = page.get_by_role("region", name="1 upload was interrupted")
    expect(note).to_contain_text("/again/film.bin")
    offsets: list[int] = []
    other = page.context.new_page()
    other.goto("/")
    there = other.get_by_role("region", name="1 upload was interrupted")
    expect(there).to_be_visible()
    other.on(
        "request",
        lambda sent: offsets.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None,
    )
    slow_down(other)
    with other.expect_file_chooser() as chooser:
        there.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(film)
    expect(there).to_be_hidden()
    expect(other.locator(SENDING)).to_have_count(1)
    note.get_by_role("button", name="Discard").click()  # not what another tab has gone on with
    expect(note).to_be_hidden()
    slow_down(other, -1)
    stored(other, 1)
    assert min(offsets) >= 8 * MIB
    assert contents(gateway, "/again", tmp_path / "back") == {"film.bin": digest(film)}
    page.reload()
    expect(page.get_by_role("region", name="interrupted")).to_have_count(0)


def test_an_upload_outlives_a_restart_of_the_gateway(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    film = begun(page, "/restart", tmp_path)
    gateway.kill()
    slow_down(page, -1)
    gateway.start()
    stored(page, 1)
    assert contents(gateway, "/restart", tmp_path / "back") == {"film.bin": digest(film)}


def test_contents_that_are_there_already_are_not_sent_again(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    film = made(tmp_path, "film.bin", 9 * MIB + 1)
    choose(page, "/known", film)
    stored(page, 1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/uploads" in request.url else None)
    again = film.rename(tmp_path / "again.bin")
    choose(page, "/known", again)
    expect(page.get_by_role("listitem").filter(has_text="again.bin")).to_have_attribute("data-state", "done")
    assert [method for method in sent if method != "GET"] == []
    same = digest(again)
    assert contents(gateway, "/known", tmp_path / "back") == {"film.bin": same, "again.bin": same}


def test_two_tabs_with_one_file_do_not_get_in_each_other_s_way(
    page: Page, gateway: RunningGateway, tmp_path: Path
) -> None:
    film = made(tmp_path, "film.bin", BIG)
    slow_down(page)
    choose(page, "/tabs", film)
    expect(page.locator(SENDING)).to_have_count(1)
    other = page.context.new_page()
    other.goto("/")
    other.wait_for_selector(".status:not(:empty)")
    choose(other, "/tabs", film)
    expect(panel(other)).to_contain_text("Another tab is uploading this file.")
    slow_down(page, -1)
    stored(page, 1)
    assert contents(gateway, "/tabs", tmp_path / "back") == {"film.bin": digest(film)}
