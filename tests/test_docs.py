"""The pages name what there is, and nothing else: settings, routes, commands, errors, decisions. Links lead on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from werkzeug.routing import Rule

import config
from app import create_app
from cli import main
from tests.conftest import House
from tests.serving.conftest import settings_for_tests
from web.wire.errors import TABLE

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def section(page: Path, title: str) -> str:
    """The prose below the heading of second order `title`, up to the next one."""
    return prose(page).split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def spans(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the page's headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_and_picture_is_there(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_decision_is_in_the_index_once() -> None:
    index = DOCS / "decisions" / "README.md"
    pages = sorted(page.name for page in index.parent.glob("*.md") if page != index)
    assert sorted(LINK.findall(prose(index))) == pages


def documented_settings() -> dict[str, str]:
    """Name and default, as the table of settings has them."""
    rows = re.findall(
        r"^\| (`[A-Z0-9_`, ]+`) \| (.*?) \|", section(DOCS / "operations.md", "Settings"), re.MULTILINE
    )
    return {name: default for names, default in rows for name in spans(names)}


def test_every_setting_is_documented_and_no_other() -> None:
    without_effect = section(DOCS / "operations.md", "Settings").rpartition("without effect yet")[2]
    reserved = {name for name in spans(without_effect.partition("\n\n")[0]) if name in config._NAMES}
    assert set(documented_settings()) | reserved == config._NAMES
    assert not set(documented_settings()) & reserved


TELEGRAM = {
    "TELEGRAM_API_ID": "1",
    "TELEGRAM_API_HASH": "x",
    "TELEGRAM_CHANNEL": "@channel",
    "TELEGRAM_BOT_TOKENS": "1:x",
}
LITERAL = re.compile(r"`([\w.]+)`")
"""A default that could be written into `.env` as it stands; the others are words."""


@pytest.mark.parametrize(
    ("name", "default"),
    [(name, said[1]) for name, text in documented_settings().items() if (said := LITERAL.fullmatch(text))],
)
def test_a_documented_default_is_the_default(name: str, default: str, tmp_path: Path) -> None:
    rest = TELEGRAM | {"DATA_DIR": str(tmp_path)}
    dotenv = tmp_path / ".env"
    assert config.read(rest | {name: default}, dotenv) == config.read(rest, dotenv)


def routes(rule: Rule) -> Iterator[str]:
    """`METHOD /path` for each method that a view was written for: HEAD and OPTIONS come with GET by themselves."""
    ids = {"id", "uuid", "job"}
    path = re.sub(r"<(\w+):[^>]*>", lambda kind: "ID" if kind[1] in ids else "PATH", rule.rule)
    path = re.sub(r"<(\w+)>", lambda name: name[1].upper(), path)
    methods = rule.methods or set()
    given = methods - {"HEAD", "OPTIONS"} or methods - {"OPTIONS"} or methods
    return (f"{method} {path}" for method in given)


def test_every_route_is_documented_and_no_other(house: House, tmp_path: Path) -> None:
    app = create_app(house.gateway, settings_for_tests(tmp_path))
    there = {route for rule in app.url_map.iter_rules() for route in routes(rule)}
    found = (re.fullmatch(r"([A-Z]+ /[^?]*)(\?.*)?", span) for span in spans(prose(DOCS / "http-api.md")))
    documented = {route[1] for route in found if route}
    assert there - documented == set()
    # HEAD of a download is promised in so many words, though its view answers GET's route.
    assert documented - there == {
        "HEAD /files/ID/download",
        "HEAD /folders/ID/download.zip",
        "HEAD /prepared/ID/PATH",
    }


def test_every_kind_of_error_is_documented() -> None:
    errors = section(DOCS / "http-api.md", "Errors")
    assert {rule.slug for rule in TABLE.values()} - set(spans(errors)) == set()


BENCHMARKS = [
    path for path in sorted((ROOT / "bench").glob("*.py"))
    if f"    python -m bench.{path.stem} " in path.read_text(encoding="utf-8")
]  # fmt: skip


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_says_which_options_it_has_and_all_spell_latency_alike(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    usage = source.partition(f"    python -m bench.{path.stem} ")[2].partition("\n\n")[0]
    taken = set(re.findall(r'add_argument\(\s*"(--[\w-]+)"(?!.*SUPPRESS)', source))
    assert not any(option.startswith("--lat") for option in taken), "bench/options.py has it for all"
    if "add_latency(parser" in source:
        taken.add("--latency")
    assert set(re.findall(r"--[\w-]+", usage)) == taken


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, and every command of a group, by its words."""
    assert isinstance(main, click.Group)
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())


@pytest.mark.parametrize(
    ("words", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_documented(words: str, command: click.Command) -> None:
    table = section(DOCS / "operations.md", "Commands")
    lines = [span.removeprefix("python run.py ") for span in spans(table)]
    assert any(f"{line} ".startswith(f"{words} ") for line in lines)
    for option in (one for one in command.params if isinstance(one, click.Option)):
        assert any(spelling in table for spelling in option.opts), option.opts
