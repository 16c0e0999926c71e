"""The house rules for the application's scripts that a program can check: what they say of themselves, sizes, words."""

from __future__ import annotations

import posixpath
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"
SCRIPTS = {
    path.relative_to(STATIC).as_posix(): path.read_text(encoding="utf-8")
    for room in ("app", "share")
    for path in (STATIC / room).rglob("*.js")
}
IMPORTED = re.compile(r'(?:from |\bimport\()"(\.[^"]+)"')
WORDS = {name: text for name, text in SCRIPTS.items() if name.endswith("/text.js") or "/words/" in name}
MAX_LINES = 300
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setAttribute\(\"style\"|\beval\(|new Function"
)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_says_what_it_is_and_holds_one_idea(name: str) -> None:
    lines = SCRIPTS[name].splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= MAX_LINES
    assert MARKUP.findall(SCRIPTS[name]) == []


def test_scripts_import_in_no_circle() -> None:
    """What is imported when it is first needed counts, too."""
    imports = {
        name: {posixpath.normpath(f"{posixpath.dirname(name)}/{place}") for place in IMPORTED.findall(text)}
        for name, text in SCRIPTS.items()
    }
    assert set().union(*imports.values()) <= set(SCRIPTS)
    tuple(TopologicalSorter(imports).static_order())  # raises CycleError, with the circle


def test_every_text_that_is_asked_for_is_there_and_no_other() -> None:
    """A key in a template, such as `view.${name}`, stands for all that fit it."""
    there = {
        key for text in WORDS.values() for key in re.findall(r'^\s+"?([\w.-]+)"?: (?:"|\{ one)', text, re.M)
    }
    rest = "\n".join(text for name, text in SCRIPTS.items() if name not in WORDS)
    literal = set(re.findall(r'\bt\(\s*"([^"]+)"', rest))
    assert literal - there == set()
    # Keys are handed on as strings, too: in tables of columns, actions and shortcuts.
    said = set(re.findall(r'"([\w.-]+)"', rest))
    templates = re.findall(r"`([\w.-]+\.\$\{[^`]*\}|\$\{[^`]*\}\.[\w.-]+)`", rest)
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", r"[\\w-]+", re.escape(template)) for template in templates]
    assert {
        key for key in there - said if not any(re.fullmatch(pattern, key) for pattern in patterns)
    } == set()
