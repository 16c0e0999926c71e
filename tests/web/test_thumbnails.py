"""Small pictures over HTTP: one's own, kept by browsers, made once, and none of what cannot have one."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from flask.testing import FlaskClient

from errors import AtCapacity, Permanent, StoreError
from gateway.tree.thumbnails import LINE
from model import ByteRange, File, Locator
from tests.conftest import House, build_house
from tests.imaging.pictures import bomb, picture, size_of
from tests.serving.conftest import until
from tests.web.conftest import Api


def stored(house: House, path: str, data: bytes) -> File:
    return house.gateway.uploads.put(house.user, path, io.BytesIO(data), len(data))[0]


def test_a_picture_has_small_ones_that_a_browser_may_keep(ada: Api, nobody: FlaskClient) -> None:
    node = ada.put("/p.jpg", picture())
    here = f"/files/{node['id']}/thumbnail"
    first = ada("GET", here)
    assert (first.status_code, first.content_type) == (200, "image/webp")
    assert size_of(first.data) == (320, 240)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert ada("GET", here, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    large = ada("GET", f"{here}?edge=640&v={node['etag']}")
    assert size_of(large.data) == (640, 480)
    assert (
        "immutable" in large.headers["Cache-Control"]
        and "sandbox" in large.headers["Content-Security-Policy"]
    )
    assert ada("HEAD", here).headers["Content-Length"] == str(len(first.data))
    for edge in ("0", "321", "x", "99999"):
        assert ada("GET", f"{here}?edge={edge}").status_code == 400
    assert nobody.get(here).status_code == 401


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("film.mp4", b"no picture"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("empty.jpg", b""),
        ("bomb.png", bomb(65_000, 65_000)),
        ("half.jpg", picture()[:300]),
    ],
)
def test_what_cannot_be_shown_has_none(ada: Api, name: str, data: bytes) -> None:
    node = ada.put(f"/{name}", data)
    for _ in range(2):
        assert ada("GET", f"/files/{node['id']}/thumbnail").status_code == 404


def test_small_pictures_outlive_a_restart_and_are_not_made_again(house: House, tmp_path: Path) -> None:
    file = stored(house, "/p.jpg", picture())
    made = house.gateway.thumbnails.of(file, 320)
    again = build_house(tmp_path, house.store)
    house.store.delete(list(house.store.labels))
    assert again.gateway.thumbnails.of(file, 320) == made
    again.gateway.close()
    again.database.close()


def test_a_store_that_fails_leaves_the_picture_to_the_next_try(house: House) -> None:
    file = stored(house, "/p.jpg", picture())

    def failing(*_: object) -> bytes:
        raise Permanent("Telegram refused.")

    house.store.on_read = failing
    with pytest.raises(StoreError):
        house.gateway.thumbnails.of(file, 320)
    house.store.on_read = None
    assert house.gateway.thumbnails.of(file, 320)


def test_who_asks_meanwhile_waits_for_the_same_one_and_a_line_has_an_end(house: House) -> None:
    files = [stored(house, f"/{number}.png", picture("PNG", 40 + number, 40)) for number in range(3)]
    go, reads = Event(), list[int]()

    def slowly(locator: Locator, span: ByteRange, attempt: int, true: bytes) -> bytes:
        reads.append(locator.message)
        assert go.wait(10)
        return true

    house.store.on_read = slowly
    of, line = house.gateway.thumbnails.of, house.gateway.thumbnails._line
    with ThreadPoolExecutor(LINE) as people:
        asked = [people.submit(of, files[number % 2], 320) for number in range(LINE)]
        assert until(lambda: line._value == 0)
        with pytest.raises(AtCapacity):
            of(files[2], 320)
        go.set()
        assert len({one.result(10) for one in asked}) == len(reads) == 2
