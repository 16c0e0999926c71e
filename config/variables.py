"""Variables from the environment and a `.env` file, read leniently and complained about precisely.

It knows no setting by name. An accessor that meets a fault notes it and goes on, so that all
are reported at once.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream


class Variables:
    """The variables and where each came from. Every accessor notes a fault and goes on with the default."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path) -> None:
        self.faults: list[str] = []
        self._environ = environ
        self._home = dotenv.parent
        self._file = self._read_file(dotenv)

    def _read_file(self, dotenv: Path) -> dict[str, str]:
        if not os.path.lexists(dotenv):
            return {}
        if not dotenv.is_file():  # a dangling link, or the folder that Docker makes of a file it cannot find
            self.faults.append(f"{dotenv} is there, but is no file; put the settings there, or take it away.")
            return {}
        values: dict[str, str] = {}
        try:
            # `-sig`: Windows editors put a byte order mark first.
            with dotenv.open(encoding="utf-8-sig") as file:
                for line in parse_stream(file):
                    # Passing over a line that says nothing could be passing over somebody's TELEGRAM_*.
                    if line.error or (line.key is not None and line.value is None):
                        self.faults.append(f"{dotenv}, line {line.original.line}: write it as NAME=VALUE.")
                    elif line.key is not None:
                        values[line.key] = line.value or ""
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__
            self.faults.append(
                f"{dotenv} cannot be read ({reason}); save it as UTF-8 text that you may read."
            )
        return values

    def text(self, name: str) -> str | None:
        """The value, stripped; None when unset or empty. The environment wins over the file."""
        return self._environ.get(name, self._file.get(name, "")).strip() or None

    def note(self, name: str, what_to_do: str, *, secret: bool = False) -> None:
        shown = "set" if secret else repr(self.text(name))
        self.faults.append(f"{name} is {shown}, which cannot work; {what_to_do}.")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        # isdecimal alone would take other scripts' digits; int() alone would take "1_000" and " 1".
        if not (text.isascii() and text.isdecimal() and len(text) < 16 and low <= int(text) <= high):
            self.note(name, f"give a whole number from {low} to {high}")
            return default
        return int(text)

    def choice(self, name: str, options: Mapping[str, str], default: str) -> str:
        """One of `options` (spelling to meaning), whatever its case."""
        text = self.text(name)
        if text is None:
            return default
        if text.lower() not in options:
            self.note(name, "give one of " + ", ".join(options))
        return options.get(text.lower(), default)

    def path(self, name: str) -> Path | None:
        """An absolute path; a relative one counts from the working directory, or from its `.env`."""
        text = self.text(name)
        if text is None:
            return None
        try:
            path = Path(text).expanduser()
        except RuntimeError:  # "~nobody"
            self.note(name, "write the path out")
            return None
        return (Path.cwd() if self._environ.get(name) else self._home) / path

    def web_url(self, name: str) -> str | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:  # an address or port that is none
            sound = False
        if not sound or "?" in text or "#" in text:
            self.note(name, "give an address such as https://files.example.org, without '?' and '#'")
        return text.rstrip("/")

    def beginning(self, prefix: str) -> list[str]:
        """Every name that begins with `prefix`, in whatever case; those with an empty value too."""
        return sorted(name for name in {*self._environ, *self._file} if name.upper().startswith(prefix))

    def check_spelling(self, known: frozenset[str], prefix: str) -> None:
        """No misspelt name passes silently: none in `.env` that resembles a known one, none with `prefix`.

        Of the environment, which holds what others put there, only what is very near to a known name with `prefix`.
        """
        with_prefix = sorted(name for name in known if name.startswith(prefix))
        near_prefix = {
            name for name in self._environ if difflib.get_close_matches(name.upper(), with_prefix, 1, 0.9)
        }
        for name in sorted({*self._file, *self.beginning(prefix), *near_prefix} - known):
            near = difflib.get_close_matches(name.upper(), sorted(known), 1, cutoff=0.85)
            if near:
                self.faults.append(f"{name} is no setting; did you mean {near[0]}?")
            elif name.upper().startswith(prefix):
                names = ", ".join(sorted(n for n in known if n.startswith(prefix)))
                self.faults.append(f"{name} is no setting; take it out. Known are {names}.")
