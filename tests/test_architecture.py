"""The house rules that a program can check: who may import whom, one home per library, and sizes (docs/design.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".venv", ".git", "data", "node_modules"}
MAX_LINES = 300
MAX_FUNCTION_LINES = 40

EVERYWHERE = {"model", "errors", "names"}
MAY_IMPORT: dict[str, set[str]] = {
    "model": {"model"},
    "errors": set(),
    "names": {"errors"},
    "positioned": set(),
    "disposition": set(),
    "config": {"config", "model", "errors"},
    "storage.base": EVERYWHERE,
    "storage": EVERYWHERE | {"storage", "storage.base", "config", "positioned", "disposition"},
    "streaming": EVERYWHERE | {"streaming", "storage.base"},
    "db": EVERYWHERE | {"db"},
    "imaging": {"imaging"},
    "gateway": EVERYWHERE | {"gateway", "db", "streaming", "storage.base", "imaging"},
    "mail": EVERYWHERE | {"mail", "config"},
    "jobs": EVERYWHERE | {"jobs", "gateway"},
    "web": EVERYWHERE | {"web", "gateway", "config", "disposition"},
    "serving": EVERYWHERE | {"serving", "config", "positioned"},
    "app": EVERYWHERE | {"web", "gateway", "config"},
    "client": EVERYWHERE | {"client"},
    "sandbox": {"sandbox", "model", "errors"},
    "run": {"cli"},
}
"""What each room may import of ours; `cli` composes and may import any room but the sandbox."""
ROOMS = {
    "db": "schema migrations connection cursor happening stored tree incoming sharing background access",
    "gateway": "limits access happening tree moving incoming outgoing background sharing control upkeep health",
    "web": "wire access tree incoming outgoing moving sharing happening monitoring openapi page",
}
"""Rooms within rooms, from the ground up: each imports only from itself and from those before it. What composes them
all is their `__init__`."""
HOMES: dict[str, tuple[str, ...]] = {
    "telethon": ("storage/telegram/", "sandbox/"),
    "asyncio": ("storage/telegram/", "sandbox/"),
    "sqlalchemy": ("db/",),
    "alembic": ("db/",),
    "flask": ("app.py", "web/"),
    "flask_wtf": ("app.py", "web/"),
    "werkzeug": ("app.py", "web/"),
    "itsdangerous": ("web/",),
    "waitress": ("serving/",),
    "httpx": ("client/",),
    "tqdm": ("client/",),
    "click": ("cli/",),
    "dotenv": ("config/",),
    "filelock": ("cli/",),
    "PIL": ("imaging/__main__.py",),
    "argon2": ("gateway/access/passwords.py",),
    "boto3": ("storage/objects/s3.py",),
    "botocore": ("storage/objects/s3.py",),
    "s3transfer": ("storage/objects/s3.py",),
    "smtplib": ("mail/",),
}
SAY_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file of ours that is part of the program, relative to the root."""
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*.py") if not NOT_OURS & set(path.parts))
    return tuple(sorted(path for path in files if path.parts[0] not in {"tests", "bench"}))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that is imported, wherever it stands; what is for type checkers only, too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            assert node.module is not None
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room_of(dotted: str) -> str | None:
    """The room of ours that a dotted name lies in."""
    if dotted.startswith(("storage.base", "storage.objects.base")):  # the contracts
        return "storage.base"
    first = dotted.partition(".")[0]
    return first if first in MAY_IMPORT or first == "cli" else None


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def test_imports_point_down_only() -> None:
    broken = []
    for path in modules():
        here = room_of(dotted(path))
        assert here is not None, f"{path} belongs to no room; name its room in this test"
        allowed = set(MAY_IMPORT) - {"sandbox", "run"} | {"cli"} if here == "cli" else MAY_IMPORT[here]
        for line, name in imports(path):
            if (room := room_of(name)) is not None and room not in allowed:
                broken.append(f"{path}:{line}: {here} may not import {name}")
    assert broken == []


def test_rooms_within_a_room_import_from_those_before_them_only() -> None:
    broken = []
    for path in modules():
        order = ROOMS.get(path.parts[0], "").split()
        if not order or path.parts[1] == "__init__.py":
            continue
        here = path.with_suffix("").parts[1]
        assert here in order, f"{path} belongs to no room of {path.parts[0]}/; name its room in this test"
        for line, name in imports(path):
            first, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if first == path.parts[0] and room in order and order.index(room) > order.index(here):
                broken.append(f"{path}:{line}: {here} may not import {name}")
    assert broken == []


def test_every_library_has_one_home() -> None:
    broken = []
    for path in modules():
        for line, name in imports(path):
            homes = HOMES.get(name.partition(".")[0])
            if homes is not None and not path.as_posix().startswith(homes):
                broken.append(f"{path}:{line}: {name} belongs to {', '.join(homes)}")
    assert broken == []


def test_only_config_reads_the_environment() -> None:
    forbidden = {"environ", "environb", "getenv"}
    assert [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in forbidden and ast.unparse(node.value) == "os"
        if path != Path("config/__init__.py")
    ] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in modules() if SAY_NOTHING & set(path.with_suffix("").parts)] == []


def test_every_module_says_what_it_is() -> None:
    assert [path for path in modules() if tree_of(path).body and not ast.get_docstring(tree_of(path))] == []


def test_files_and_functions_hold_one_idea_each() -> None:
    broken = []
    for path in modules():
        lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            broken.append(f"{path} has {lines} lines")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    broken.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    assert broken == []
