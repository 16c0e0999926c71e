"""A whole house behind the front door: Flask's client for what needs no socket, and a server for what does."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from tests.conftest import House
from tests.serving.conftest import Running, serve, settings_for_tests

PASSWORD = "correct horse"


@pytest.fixture
def flask_app(house: House, tmp_path: Path) -> Flask:
    return create_app(house.gateway, settings_for_tests(tmp_path))


@pytest.fixture
def nobody(flask_app: Flask) -> FlaskClient:
    """A client without credentials."""
    return flask_app.test_client()


class Api:
    """A client that sends a token with every request."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        return self._client.open(
            path, method=method, headers=self._headers | (headers or {}), buffered=True, **more
        )

    def put(self, path: str, data: bytes) -> dict[str, Any]:
        """The node of a new file."""
        # Werkzeug's client leaves the length of an empty body out; real ones send it.
        length = {"CONTENT_LENGTH": str(len(data))}
        response = self("PUT", f"/api/v1/content{path}", data=data, environ_overrides=length)
        assert response.status_code in {200, 201}, response.text
        document: dict[str, Any] = response.get_json()
        return document


@pytest.fixture
def ada(house: House, nobody: FlaskClient) -> Api:
    """The first user."""
    return Api(nobody, house.gateway.people.make_token(house.user, "test")[1])


@pytest.fixture
def bob(house: House, nobody: FlaskClient) -> Api:
    """Somebody else."""
    user = house.gateway.people.add("bob", "battery staple")
    return Api(nobody, house.gateway.people.make_token(user, "test")[1])


@pytest.fixture
def browser(flask_app: Flask) -> FlaskClient:
    """Ada, signed in with a cookie."""
    client = flask_app.test_client()
    signed_in = client.post("/login", data={"username": "ada", "password": PASSWORD})
    assert signed_in.status_code == 303, signed_in.text
    return client


@pytest.fixture
def running(flask_app: Flask, tmp_path: Path) -> Iterator[Running]:
    with serve(flask_app, settings_for_tests(tmp_path)) as running:
        yield running


def csrf(client: FlaskClient) -> str:
    """The token that the page carries."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/").text)
    assert found
    return found[1]


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
