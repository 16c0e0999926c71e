"""The document names every route and nothing else, and what it points to is there."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from web.openapi import document, served
from web.openapi.operations import OPERATIONS


def test_the_document_and_the_routes_name_each_other(flask_app: Flask) -> None:
    there = {f"{method} {path}" for rule in flask_app.url_map.iter_rules() for method, path in served(rule)}
    assert set(OPERATIONS) == there
    paths = document(flask_app)["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == there


def test_the_document_says_who_may_call_as_the_views_do(nobody: FlaskClient) -> None:
    paths = nobody.get("/api/openapi.json").get_json()["paths"]
    assert paths["/healthz"]["get"]["security"] == []
    assert {} in paths["/metrics"]["get"]["security"]
    assert {} not in paths["/api/v1/nodes"]["get"]["security"] != []
    assert {"link": []} in paths["/files/{file_id}/download"]["get"]["security"]
    assert paths["/api/v1/users"]["get"]["summary"].endswith("For admins.")


def test_every_parameter_of_a_path_is_described_and_every_reference_leads_somewhere(
    nobody: FlaskClient,
) -> None:
    response = nobody.get("/api/openapi.json")
    found = response.get_json()
    for path, methods in found["paths"].items():
        for operation in methods.values():
            described = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
            assert described == re.findall(r"{(\w+)}", path)
    for name in re.findall(r"#/components/schemas/(\w+)", response.text):
        assert name in found["components"]["schemas"]
