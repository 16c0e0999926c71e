"""The document held against the running server: whatever it allows to be sent, the answer is one that it tells of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app import create_app
from gateway.moving.transfer import UNKNOWN
from tests.conftest import House, build_house
from tests.serving.conftest import serve, settings_for_tests
from web.openapi.operations import OPERATIONS

pytestmark = pytest.mark.slow

EXAMPLES = 12
"""Requests for each operation."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@dataclass
class Api:
    house: House
    url: str
    schema: Any

    def headers(self) -> dict[str, str]:
        """A token of its own for each operation: some revoke what they find."""
        secret = self.house.gateway.people.make_token(self.house.user, "t")[1]
        return {"Authorization": f"Bearer {secret}"}

    def known(self, headers: dict[str, str]) -> dict[str, Any]:
        """Parameters of paths that lead to something, made anew as the last operation may have removed it."""
        gateway, user = self.house.gateway, self.house.user
        put = httpx.put(f"{self.url}/api/v1/content/a/f.txt", content=b"12345", headers=headers)
        file, upload = put.json()["id"], gateway.uploads.create(user, folder="/", name="u", length=5)
        ticket = gateway.queue.take(user, gateway.files.file(user, file), UNKNOWN)
        found = next((one for one in gateway.people.all() if one.name == "bob"), None)
        bob = found or gateway.people.add("bob", "battery staple")
        return {
            "node_id": file,
            "file_id": file,
            "upload_id": str(upload.id),
            "ticket_id": ticket.id,
            "transfer_id": ticket.id,
            "user_id": bob.id,
            "path": "a/f.txt",
        }


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("openapi")
    house, of_app = build_house(folder), settings_for_tests(folder)
    with closing(house.database), serve(create_app(house.gateway, of_app), of_app) as running:
        url = f"http://{running.address[0]}:{running.address[1]}"
        document = httpx.get(f"{url}/api/openapi.json").json()
        yield Api(house, url, schemathesis.openapi.from_dict(document))
        house.gateway.close()
    house.store.close()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_what_the_document_allows_is_answered_as_it_says(api: Api, name: str) -> None:
    method, path = name.split(" ", 1)
    headers = api.headers()
    known = api.known(headers)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api.schema[path][method].as_strategy(), leads=st.booleans())
    def answers(case: Any, leads: bool) -> None:
        for parameter in set(case.path_parameters or ()) & set(known) if leads else ():
            case.path_parameters[parameter] = known[parameter]
        response = case.call(base_url=api.url, headers=headers, timeout=20)
        case.validate_response(response, checks=CHECKS)

    try:
        answers()
    finally:
        api.house.gateway.transfers.close()  # a ticket for each operation would be too many
