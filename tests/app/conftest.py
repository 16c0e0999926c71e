"""What every test of the application has: the gateway, a browser, and a window that has not signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.browsing import LETTERS, PAGES_ALONE, PASSWORD, Put, chromium, putting, sign_in, window
from tests.whole.running import RunningGateway, running_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("app"), settings={"ADMIN_PASSWORD": PASSWORD}) as gateway:
        yield gateway


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium(PAGES_ALONE) as browser:
        yield browser


@pytest.fixture
def put(gateway: RunningGateway) -> Put:
    return putting(gateway)


@pytest.fixture(scope="module")
def put_once(gateway: RunningGateway) -> Put:
    """The same for what is there for all tests of a module."""
    return putting(gateway)


@pytest.fixture
def page(browser: Browser, gateway: RunningGateway) -> Iterator[Page]:
    with window(browser, gateway, forgiven=("401", "400", "409")) as page:  # refusals that a test asks for
        yield page


@pytest.fixture
def letters(page: Page, put: Put, request: pytest.FixtureRequest) -> str:
    """A folder of its own with four files and a folder, on the page; its path."""
    folder = f"/{request.node.name}"
    for name in LETTERS:
        put(f"{folder}/{name}", name.encode() * 10)
    put(f"{folder}/below/deep.txt")
    sign_in(page, f"/?path={folder}")
    expect(page.get_by_text("5 items", exact=True)).to_be_visible()
    return folder
