"""The streaming side cannot reach Flask or the database: it imports neither, and a live stream leads to neither."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest
from flask import Flask, current_app, request
from sqlalchemy import create_engine

from model import ByteRange
from storage.memory import MemoryStore
from streaming.plan import plan
from streaming.read import VerifiedStream
from tests.conftest import House
from tests.streaming.at_rest import stored, text

FORBIDDEN = ("flask", "werkzeug", "jinja2", "sqlalchemy", "alembic", "sqlite3", "db", "web", "app", "gateway")

STREAM_WITHOUT_THEM = f"""
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {FORBIDDEN!r}:
                raise ImportError("the streaming side asked for " + name)

    sys.meta_path.insert(0, Refuse())
    import pkgutil, importlib, streaming
    for module in pkgutil.iter_modules(streaming.__path__):
        importlib.import_module("streaming." + module.name)
    from model import ByteRange
    from storage.memory import MemoryStore
    from streaming.plan import plan
    from streaming.read import VerifiedStream
    from tests.streaming.at_rest import stored, text

    store, data = MemoryStore(), text(50)
    chosen = plan(stored(store, data, [20, 30]), ByteRange(3, 47))
    assert b"".join(VerifiedStream(chosen, store, yield_size=5)) == data[3:47]
    print("streamed")
"""


def test_it_streams_where_neither_can_be_imported() -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STREAM_WITHOUT_THEM)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stdout == "streamed\n", run.stderr


def reachable(root: object) -> Iterator[object]:
    """Every object that `root` leads to. Not through modules and classes, which lead everywhere and hold no request."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, ModuleType | type | BuiltinFunctionType):
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, FunctionType):  # what it closes over, but not the globals of its module
            waiting += [*(thing.__closure__ or ()), thing.__defaults__, thing.__kwdefaults__]
        else:
            waiting += gc.get_referents(thing)


def forbidden(root: object) -> set[str]:
    """The kinds of forbidden objects that `root` leads to."""
    kinds = {f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in reachable(root)}
    return {kind for kind in kinds if kind.partition(".")[0] in FORBIDDEN}


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    built = MemoryStore()
    built.on_read = lambda locator, span, attempt, body: body
    yield built
    built.close()


def test_a_live_stream_made_in_a_request_leads_to_neither(store: MemoryStore) -> None:
    engine = create_engine("sqlite://")
    app = Flask("outside")
    app.extensions["engine"] = engine
    file = stored(store, text(50), [20, 30])
    with app.test_request_context("/"):
        environ = request.environ
        disconnected = environ.get("waitress.client_disconnected", lambda: False)
        stream = VerifiedStream(plan(file, ByteRange(0, 50)), store, yield_size=5, gone=disconnected)
        stream.start()
        next(stream)
    assert forbidden(stream) == set()
    stream.close()
    assert forbidden(stream) == set()
    engine.dispose()


def test_a_running_download_of_the_gateway_leads_to_neither(house: House) -> None:
    data = text(300)
    file, _ = house.gateway.uploads.put(house.user, "/a.bin", io.BytesIO(data), len(data))
    download = house.gateway.downloads.open(house.user, file, ByteRange(3, 300), gone=lambda: False)
    try:
        # What counts and admits lies in rooms of the gateway; the gateway itself would lead to the database.
        met = forbidden(download)
        assert "gateway.outgoing.downloads.Download" in met
        assert {kind for kind in met if not kind.startswith("gateway.") or kind == "gateway.Gateway"} == set()
        assert b"".join(download) == data[3:]
    finally:
        download.close()


def test_the_walk_would_notice(store: MemoryStore) -> None:
    app = Flask("outside")
    file = stored(store, text(50), [20, 30])
    with app.test_request_context("/"):
        here = current_app._get_current_object()  # type: ignore[attr-defined]
        stream = VerifiedStream(
            plan(file, ByteRange(0, 50)), store, yield_size=5, gone=lambda: here.testing and False
        )
    assert "flask.app.Flask" in forbidden(stream)
