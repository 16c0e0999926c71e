"""Every public route of a share, asked by whoever may not: one matrix of routes and of reasons why not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer

from gateway.access.slowdown import FREE_BY_NETWORK
from model import Client
from tests.conftest import House
from tests.gateway.preparing import prepared
from tests.web.conftest import Api, basic
from tests.web.walk import PICTURE
from web.sharing import signing

PASSWORD = "open sesame"
OPEN = 200
LOCKED = "the form"
"""What a page answers instead of 401: 200, and nothing of what is shared."""


@dataclass(frozen=True)
class Place:
    """A public route. `about` is which of the two nodes that are asked for its address is signed for."""

    rule: str
    path: str
    about: str
    method: str = "GET"


ZIP = "/api/share/<token>/prepared/<job:job_id>/<string:name>"
PLACES = (
    Place("/share/<token>", "/share/{token}?folder={folder}", "folder"),
    Place("/share/<token>", "/share/{token}?folder={folder}", "folder", "HEAD"),
    Place("/share/<token>", "/share/{token}?folder={folder}", "folder", "POST"),
    Place("/api/share/<token>/download/<id:file_id>", "/api/share/{token}/download/{file}?", "file"),
    Place("/api/share/<token>/download/<id:file_id>", "/api/share/{token}/download/{file}?", "file", "HEAD"),
    Place("/api/share/<token>/download/<id:file_id>", "/api/share/{token}/download/{file}?inline=1", "file"),
    Place("/api/share/<token>/thumbnail/<id:file_id>", "/api/share/{token}/thumbnail/{file}?", "file"),
    Place("/api/share/<token>/download-all", "/api/share/{token}/download-all?folder={folder}", "folder"),
    Place(
        "/api/share/<token>/download-all", "/api/share/{token}/download-all?folder={folder}", "folder", "HEAD"
    ),
    Place("/api/share/<token>/prepare-download", "/api/share/{token}/prepare-download?", "folder", "POST"),
    Place(
        "/api/share/<token>/download-status/<job:job_id>",
        "/api/share/{token}/download-status/{job}?",
        "folder",
    ),
    Place(ZIP, "/api/share/{token}/prepared/{job}/z.zip?", "folder"),
    Place(ZIP, "/api/share/{token}/prepared/{job}/z.zip?", "folder", "HEAD"),
)
BYTES = tuple(place for place in PLACES if place.rule.startswith("/api/"))


@dataclass(frozen=True)
class Ask:
    """Who comes, with what: by a share's token, for a file and a folder, perhaps with the password or a signature."""

    token: str
    file: int
    folder: int
    password: str | None = None
    signed: Callable[[int], str] | None = None
    zips: Mapping[int, str] = field(default_factory=dict)
    """Of folders: the job that has prepared the ZIP."""

    def at(self, client: FlaskClient, place: Place) -> Any:
        """The answer, or LOCKED."""
        job = self.zips.get(self.folder, "0" * 32)
        path = place.path.format(token=self.token, file=self.file, folder=self.folder, job=job)
        sent: dict[str, Any] = {}
        if place.method == "POST" and place not in BYTES:
            sent = {"data": {"password": self.password or ""}}
        elif self.password is not None:
            sent = {"headers": basic("anybody", self.password)}
        if place.method == "POST" and place in BYTES:
            sent["json"] = {"folder_id": self.folder}
        if self.signed is not None:
            path += "&token=" + quote(self.signed(self.folder if place.about == "folder" else self.file))
        response = client.open(path, method=place.method, buffered=True, **sent)
        assert b"c.gif" not in response.data, path
        locked = response.status_code == 200 and place.method == "GET" and b'name="password"' in response.data
        return LOCKED if locked else response.status_code


@dataclass
class Scene:
    """A shared folder with a folder in it, with a picture each, and a folder beside it."""

    app: Flask
    house: House
    ada: Api
    nodes: dict[str, int] = field(default_factory=dict)
    zips: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in ("/album/a.gif", "/album/sub/b.gif", "/secret/c.gif"):
            self.nodes[path] = self.ada.put(path, PICTURE)["id"]
        for path in ("/album", "/album/sub", "/secret"):
            found = self.ada("GET", f"/api/v1/nodes?path={path}").get_json()
            self.nodes[path] = found["folder"]["id"]
            folder = self.house.gateway.files.folder(self.house.user, self.nodes[path])
            self.zips[folder.id] = prepared(self.house.gateway, self.house.user, folder).id

    def share(self, path: str = "/album", **terms: Any) -> str:
        body = {"folder_id": self.nodes[path], "password": PASSWORD} | terms
        return str(self.ada("POST", "/api/v1/shares", json=body).get_json()["token"])

    def ask(self, token: str | None = None, **more: Any) -> Ask:
        """For what lies in the shared folder, with the right password."""
        nodes = self.nodes["/album/a.gif"], self.nodes["/album/sub"]
        return replace(Ask(token or self.share(), *nodes, PASSWORD, zips=self.zips), **more)

    def signer(self, token: str) -> Callable[[int], str]:
        found = self.house.gateway.visits.find(token, Client("", ""), None)

        def signed(node_id: int) -> str:
            with self.app.test_request_context():
                return signing.signed(found, node_id, int(time.time()) + signing.LIFE)

        return signed

    def by_address(self, token: str | None = None, **more: Any) -> Ask:
        """The same, with addresses as an unlocked page has them."""
        token = token or self.share()
        return self.ask(token, **{"password": None, "signed": self.signer(token)} | more)


@pytest.fixture
def scene(flask_app: Flask, house: House, ada: Api) -> Iterator[Scene]:
    yield Scene(flask_app, house, ada)


def test_the_matrix_has_every_public_route(flask_app: Flask) -> None:
    """A new one needs a line in PLACES."""
    views = flask_app.view_functions
    there = {
        rule.rule
        for rule in flask_app.url_map.iter_rules()
        if vars(views[rule.endpoint])["declared"] == "visitors"
    }
    assert {place.rule for place in PLACES} == there


def _expired(scene: Scene) -> Ask:
    token = scene.share(expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    later = datetime.now(UTC) + timedelta(hours=2)
    scene.house.database.now = lambda: later
    return scene.ask(token)


def _revoked(scene: Scene) -> Ask:
    ask = scene.ask()
    scene.ada("DELETE", f"/api/v1/shares/{ask.token}")
    return ask


def _used_up(scene: Scene) -> Ask:
    ask = scene.ask(scene.share(max_downloads=1))
    away = {"REMOTE_ADDR": "192.0.2.1"}
    path = f"/api/share/{ask.token}/download/{ask.file}?password={quote(PASSWORD)}"
    assert scene.app.test_client().get(path, environ_overrides=away, buffered=True).status_code == 200
    return ask


def _moved_out(scene: Scene) -> Ask:
    ask = scene.ask()
    ids = [ask.file, ask.folder]
    scene.ada("POST", "/api/v1/nodes/move", json={"ids": ids, "parent": "/secret"})
    return ask


def _put_into_the_bin(scene: Scene) -> Ask:
    ask = scene.ask()
    scene.ada("POST", "/api/v1/nodes/delete", json={"ids": [ask.file, ask.folder]})
    return ask


def _share_in_the_bin(scene: Scene) -> Ask:
    ask = scene.ask()
    scene.ada("POST", "/api/v1/nodes/delete", json={"ids": [scene.nodes["/album"]]})
    return ask


def _restored(scene: Scene) -> Ask:
    ask = _share_in_the_bin(scene)
    scene.ada("POST", f"/api/v1/bin/{scene.nodes['/album']}/restore")
    return ask


def _owner_gone(scene: Scene) -> Ask:
    people, ask = scene.house.gateway.people, scene.ask()
    people.add("heir", "battery staple", is_admin=True)
    ids = [scene.nodes[path] for path in ("/album", "/secret")]
    scene.ada("POST", "/api/v1/nodes/delete", json={"ids": ids})
    people.remove(scene.house.user.id)
    return ask


def _changed_password(scene: Scene, password: str | None) -> Ask:
    ask = scene.by_address()
    scene.ada("PATCH", f"/api/v1/shares/{ask.token}", json={"password": password})
    return ask


def _beside(scene: Scene, **more: Any) -> Ask:
    return scene.ask(file=scene.nodes["/secret/c.gif"], folder=scene.nodes["/secret"], **more)


Outcome = tuple[Any, Any, Any]
"""Of the page, of its form, of all that gives bytes."""
BY_PASSWORD: dict[str, tuple[Callable[[Scene], Ask], Outcome]] = {
    "right": (lambda scene: scene.ask(), (OPEN, 303, OPEN)),
    "none": (lambda scene: scene.ask(password=None), (LOCKED, 401, 401)),
    "wrong": (lambda scene: scene.ask(password="open, please"), (LOCKED, 401, 401)),
    "too long": (lambda scene: scene.ask(password="x" * 2000), (LOCKED, 401, 401)),
    "none is needed": (lambda scene: scene.ask(scene.share(password=None), password=None), (OPEN, 303, OPEN)),
    "unknown token": (lambda scene: scene.ask("x" * 24), (404, 404, 404)),
    "expired": (_expired, (410, 410, 410)),
    "revoked": (_revoked, (404, 404, 404)),
    "used up": (_used_up, (410, 410, 410)),
    "what another share has": (lambda scene: _beside(scene), (404, 303, 404)),
    "by another share": (lambda scene: scene.ask(scene.share("/secret")), (404, 303, 404)),
    "above it": (lambda scene: scene.ask(scene.share("/album/sub"), folder=scene.nodes["/album"]), (404, 303, 404)),
    "nothing of that number": (lambda scene: scene.ask(file=10**9, folder=10**9), (404, 303, 404)),
    "moved out": (_moved_out, (404, 303, 404)),
    "in the bin": (_put_into_the_bin, (404, 303, 404)),
    "the share in the bin": (_share_in_the_bin, (404, 404, 404)),
    "the share back again": (_restored, (OPEN, 303, OPEN)),
    "the owner gone": (_owner_gone, (404, 404, 404)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", BY_PASSWORD)
def test_who_may_not_is_refused_everywhere(scene: Scene, nobody: FlaskClient, case: str) -> None:
    prepare, (page, form, content) = BY_PASSWORD[case]
    ask = prepare(scene)
    found = {(place.method, place.path): ask.at(scene.app.test_client(), place) for place in PLACES}
    right = {}
    for place in PLACES:
        expected = content if place in BYTES else form if place.method == "POST" else page
        right[place.method, place.path] = 200 if expected == LOCKED and place.method == "HEAD" else expected
    assert found == right


def _tampered(scene: Scene) -> Ask:
    ask = scene.by_address()
    good = ask.signed
    assert good is not None
    return replace(ask, signed=lambda node: good(node)[:-2] + "xx")


def _forged(scene: Scene, salt: str = "share address", key: bytes = b"another key") -> Ask:
    ask = scene.ask(password=None)
    found = scene.house.gateway.visits.find(ask.token, Client("", ""), None)
    says = [found.id, scene.house.gateway.visits.stamp(found)]
    forger = URLSafeSerializer(key, salt=salt)
    return replace(ask, signed=lambda node: str(forger.dumps([*says, node, 1 << 40])))


def _own_key(scene: Scene) -> bytes:
    assert isinstance(scene.app.secret_key, bytes)
    return scene.app.secret_key


def _of_another_node(scene: Scene) -> Ask:
    ask = scene.by_address()
    good, other = ask.signed, scene.nodes["/album/sub/b.gif"]
    assert good is not None
    return replace(ask, signed=lambda node: good(other))


def _signed_beside(scene: Scene) -> Ask:
    ask, beside = scene.by_address(), _beside(scene)
    return replace(ask, file=beside.file, folder=beside.folder)


BY_ADDRESS: dict[str, tuple[Callable[[Scene], Ask], int]] = {
    "good": (lambda scene: scene.by_address(), 200),
    "tampered": (_tampered, 404),
    "of another key": (_forged, 404),
    "meant for cookies": (lambda scene: _forged(scene, "share cookie", _own_key(scene)), 404),
    "of another share": (lambda scene: scene.ask(password=None, signed=scene.signer(scene.share())), 404),
    "for another file": (_of_another_node, 404),
    "of an old password": (lambda scene: _changed_password(scene, "another one"), 410),
    "of a password that is no more": (lambda scene: _changed_password(scene, None), 200),
    "for what is beside": (_signed_beside, 404),
    "empty": (lambda scene: scene.ask(password=None, signed=lambda node: ""), 404),
    "not ASCII": (lambda scene: scene.ask(password=None, signed=lambda node: "é"), 404),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", BY_ADDRESS)
def test_an_address_opens_what_it_was_signed_for(scene: Scene, case: str) -> None:
    prepare, expected = BY_ADDRESS[case]
    ask = prepare(scene)
    found = {(place.method, place.path): ask.at(scene.app.test_client(), place) for place in BYTES}
    assert set(found.values()) == {expected}, found
    pages = {ask.at(scene.app.test_client(), place) for place in PLACES if place not in BYTES}
    assert pages == ({OPEN, 303} if case == "of a password that is no more" else {LOCKED, 200, 401})


@pytest.mark.parametrize("password", [None, "anything"])
def test_an_address_of_bytes_opens_no_page_and_unlocks_nothing(scene: Scene, password: str | None) -> None:
    """Not of what it is for, either: the shared folder, or the only file."""
    top, file = scene.nodes["/album"], scene.nodes["/album/a.gif"]
    alone = scene.ada("POST", "/api/v1/shares", json={"file_id": file, "password": PASSWORD})
    given = {} if password is None else {"password": password}
    for token, node in ((scene.share(), top), (str(alone.get_json()["token"]), file)):
        query = {"token": scene.signer(token)(node)}
        shown = scene.app.test_client().get(f"/share/{token}", query_string=query | given)
        sent = scene.app.test_client().post(f"/share/{token}", query_string=query, data=given)
        for answer in (shown, sent):
            assert answer.status_code == (401 if given else 200) and 'name="password"' in answer.text
            assert "a.gif" not in answer.text and "Set-Cookie" not in answer.headers


def test_what_an_address_leads_to_ends_when_it_does(scene: Scene, nobody: FlaskClient) -> None:
    """The status of a prepared ZIP gives its address with the signature that it was asked by, not a younger one."""
    ask = scene.by_address()
    assert ask.signed is not None
    signature, later = ask.signed(ask.folder), time.time() + 11 * 3600
    place = f"/api/share/{ask.token}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.sharing.signing.time.time", lambda: later)
        polled = nobody.get(f"{place}/download-status/{scene.zips[ask.folder]}?token={signature}")
        asked = nobody.post(f"{place}/prepare-download?token={signature}", json={"folder_id": ask.folder})
    for answer in (polled, asked):
        assert answer.get_json()["download_url"].endswith(f"?token={signature}"), answer.text


@pytest.mark.slow
def test_addresses_and_cookies_end_with_their_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, browser = scene.by_address(), scene.app.test_client()
    assert ask.signed is not None
    tokens = {node: ask.signed(node) for node in (ask.file, ask.folder)}
    ask, by_cookie = replace(ask, signed=tokens.__getitem__), replace(ask, signed=None)
    assert browser.post(f"/share/{ask.token}", data={"password": PASSWORD}).status_code == 303
    now = time.time()
    for hours, by_address, unlocked in ((11.9, 200, 200), (13.1, 410, 401)):
        monkeypatch.setattr("web.sharing.signing.time.time", lambda at=now + hours * 3600: at)
        elsewhere = scene.app.test_client()  # where nothing has begun
        elsewhere.environ_base["REMOTE_ADDR"] = f"192.0.2.{hours:.0f}"
        assert {ask.at(elsewhere, place) for place in BYTES} == {by_address}
        assert {by_cookie.at(browser, place) for place in BYTES} == {unlocked}


def test_a_download_by_an_address_goes_on_when_that_is_over_but_no_other_begins(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an old cookie's page gives ends with the cookie, not 12 hours after the page."""
    browser, share, now = scene.app.test_client(), scene.share(), time.time()
    assert browser.post(f"/share/{share}", data={"password": PASSWORD}).status_code == 303

    def hours_later(hours: float) -> None:
        at = now + hours * 3600
        monkeypatch.setattr("web.sharing.signing.time.time", lambda: at)
        scene.house.database.now = lambda: datetime.fromtimestamp(at, UTC)

    def fetched(address: str, network: str) -> int:
        come_from = {"REMOTE_ADDR": network}
        answer = scene.app.test_client().get(address, environ_overrides=come_from, buffered=True)
        return answer.status_code

    here, elsewhere = "192.0.2.1", "198.51.100.1"
    hours_later(11.9)
    page = browser.get(f"/share/{share}").text
    (file,) = re.findall(r'data-download="([^"]+)"', page)
    (everything,) = map(unescape, re.findall(r'data-copy="([^"]+)"', page))
    assert fetched(file, here) == 200
    hours_later(13.1)
    assert (fetched(file, here), fetched(file, elsewhere)) == (200, 410)
    assert fetched(everything, here) == 410, "it is another download"
    hours_later(24)
    assert fetched(file, here) == 410, "its own 12 hours are over"
    # An address that somebody lost is good no longer because somebody else, from there, begins with the password.
    hours_later(26)
    assert browser.post(f"/share/{share}", data={"password": PASSWORD}).status_code == 303
    (anew,) = re.findall(r'data-download="([^"]+)"', browser.get(f"/share/{share}").text)
    assert (fetched(anew, here), fetched(file, here)) == (200, 410)


def test_a_cookie_ends_with_the_password(scene: Scene) -> None:
    ask, browser = scene.ask(password=None), scene.app.test_client()
    assert browser.post(f"/share/{ask.token}", data={"password": PASSWORD}).status_code == 303
    assert {ask.at(browser, place) for place in BYTES} == {200}
    scene.ada("PATCH", f"/api/v1/shares/{ask.token}", json={"password": "another one"})
    assert {ask.at(browser, place) for place in BYTES} == {401}


def test_a_cookie_makes_no_younger_one(scene: Scene) -> None:
    browser, page = scene.app.test_client(), f"/share/{scene.share()}"
    first = browser.post(page, data={"password": PASSWORD})
    assert "Set-Cookie" in first.headers
    again = browser.get(page, query_string={"password": "anything"}), browser.post(page)
    assert [("Set-Cookie" in answer.headers, answer.status_code) for answer in again] == [(False, 303)] * 2


def test_a_form_on_another_site_unlocks_nothing(scene: Scene, nobody: FlaskClient) -> None:
    elsewhere = {"Origin": "https://evil.example"}
    sent = {"data": {"password": PASSWORD}, "headers": elsewhere}
    assert nobody.post(f"/share/{scene.share()}", **sent).status_code == 403


@pytest.mark.parametrize("place", BYTES[:1])
def test_an_unknown_token_costs_the_hash_that_a_wrong_password_costs(
    scene: Scene, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, password: str) -> bool:
        checked.append(stored.rpartition("$")[0].rpartition("$")[0])  # parameters, without salt and digest
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    client = scene.app.test_client()
    assert scene.ask(password="one that is wrong").at(client, place) == 401
    assert scene.ask("x" * 24, password="one that is wrong").at(client, place) == 404
    assert _share_in_the_bin(scene).at(client, place) == 404
    assert _revoked(Scene(scene.app, scene.house, scene.ada)).at(client, place) == 404
    assert len(checked) == 4 and len(set(checked)) == 1


@pytest.mark.slow
def test_wrong_passwords_slow_down_by_share_and_by_network(scene: Scene) -> None:
    token, other, client = scene.share(), scene.share(), scene.app.test_client()

    def guess(at: str, password: str, address: str) -> int:
        path = f"/api/share/{at}/download/{scene.nodes['/album/a.gif']}"
        sent: dict[str, Any] = {
            "headers": basic("x", password),
            "environ_overrides": {"REMOTE_ADDR": address},
        }
        response = client.get(path, buffered=True, **sent)
        assert response.status_code != 429 or int(response.headers["Retry-After"]) >= 1
        return response.status_code

    assert guess(token, PASSWORD, "192.0.2.7") == 200
    codes = [guess(token, f"wrong {number}", f"198.51.100.{number}") for number in range(6)]
    assert codes == [401] * 5 + [429], "by share, wherever they come from"
    assert guess(token, PASSWORD, "198.51.100.99") == 429, "though it was right elsewhere a moment ago"
    assert guess(token, "wrong", "192.0.2.7") == 401, "who has fetched something is counted alone"
    assert guess(other, PASSWORD, "198.51.100.1") == 200
    codes = [guess(scene.share(), f"wrong {number}", "203.0.113.1") for number in range(FREE_BY_NETWORK + 1)]
    assert codes == [401] * FREE_BY_NETWORK + [429], "by network, whichever share it is"
    page = client.post(
        f"/share/{other}", data={"password": "x"}, environ_overrides={"REMOTE_ADDR": "203.0.113.1"}
    )
    assert page.status_code == 429 and "Retry-After" in page.headers and 'name="password"' in page.text
