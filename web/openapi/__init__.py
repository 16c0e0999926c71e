"""The API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1): what the routes themselves know, path,
methods and who may call, and what operations.py says of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from werkzeug.routing import Rule

from web import VERSION
from web.access.auth import Who, public
from web.openapi.forms import Content, Operation, ref
from web.openapi.nouns import SCHEMAS
from web.openapi.operations import OPERATIONS

blueprint = Blueprint("openapi", __name__)

_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_KINDS = {
    "id": {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1},
    "uuid": {"type": "string", "format": "uuid"},
    "job": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
"""Schemas of converters; those of others are strings."""
_USERS: list[dict[str, list[str]]] = [{"token": []}, {"password": []}, {"session": []}]
_SECURITY: dict[Who, list[dict[str, list[str]]]] = {
    "anybody": [],
    "this host": [{}, *_USERS],
    "a link": [{"link": []}, *_USERS],
    "visitors": [{}, {"shared": []}, {"link": []}],
    "users": _USERS,
    "admins": _USERS,
}


@blueprint.get("/api/openapi.json")
@public
def openapi() -> Response:
    return jsonify(document(current_app))


def document(app: Flask) -> dict[str, Any]:
    """All of it. Raises KeyError for a route that operations.py does not know."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        who: Who = vars(app.view_functions[rule.endpoint])["declared"]
        for method, path in served(rule):
            described = _described(OPERATIONS[f"{method} {path}"], rule, who)
            paths.setdefault(path, {})[method.lower()] = {
                "operationId": f"{method.lower()} {path}",
                **described,
            }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stowgram", "version": VERSION, "license": {"name": "MIT"}},
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _security_schemes()},
    }


def served(rule: Rule) -> Iterator[tuple[str, str]]:
    """Method and path template for each method that a view was written for: HEAD and OPTIONS come with GET by
    themselves.
    """
    methods = rule.methods or set()
    path = _PARAMETER.sub(r"{\g<name>}", rule.rule)
    return (
        (method, path) for method in sorted(methods - {"HEAD", "OPTIONS"} or methods - {"OPTIONS"} or methods)
    )


def _described(operation: Operation, rule: Rule, who: Who) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary + (" For admins." if who == "admins" else ""),
        "security": _SECURITY[who],
        "parameters": [*_in_path(rule), *_parameters(operation)],
        "responses": {
            **{str(status): _answer(content) for status, content in operation.answers.items()},
            "default": _answer(ref("Problem"), "application/problem+json"),
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_needed,
            "content": _content(operation.body),
        }
    return described


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for found in _PARAMETER.finditer(rule.rule):
        schema = _KINDS.get(found["kind"], {"type": "string"})
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for place, named in (("query", operation.query), ("header", operation.headers)):
        for name, schema in named.items():
            yield {"name": name, "in": place, "required": name in operation.needed, "schema": schema}


def _answer(content: Content, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": "", **({} if content is None else {"content": _content(content, media_type)})}


def _content(content: Content, media_type: str = "application/json") -> dict[str, Any]:
    return {content: {}} if isinstance(content, str) else {media_type: {"schema": content}}


def _security_schemes() -> dict[str, Any]:
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "password": {"type": "http", "scheme": "basic"},
        "session": {"type": "apiKey", "in": "cookie", "name": "stowgram"},
        "link": {"type": "apiKey", "in": "query", "name": "token"},
        "shared": {"type": "apiKey", "in": "query", "name": "password"},
    }
