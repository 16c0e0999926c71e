"""What a file or folder may be called, and how names are compared. Pure; no I/O.

A stored name must survive a trip to any system people keep files on, so that a folder put from Linux can be got on
Windows. Names are kept in Unicode normal form C; two names that differ only in case or normal form are the same name to
Windows and macOS, so one folder never holds both (docs/decisions/names.md).
"""

from __future__ import annotations

import re
import unicodedata

from errors import BadName

MAX_NAME_BYTES = 255
"""Bytes of UTF-8 in one name: the limit of ext4, XFS and Btrfs; NTFS takes 255 UTF-16 units, which is never less."""
MAX_PATH_BYTES = 4096
"""Bytes of UTF-8 in a whole path: PATH_MAX of Linux."""

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension, the superscripts too.
_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE | re.DOTALL
)
_UNSAFE_ON_WINDOWS = re.compile(r'[<>:"|?*]')


def checked(name: str) -> str:
    """`name` as it will be kept, in normal form C.

    Raises BadName for an empty name, `.`, `..`, a slash or backslash, NUL or any control or bidirectional override
    character, a lone surrogate, a Windows device name, or more than MAX_NAME_BYTES.
    """
    name = unicodedata.normalize("NFC", name)
    if not name or name in {".", ".."}:
        raise BadName(f"{name!r} is not a name. Give the file or folder a name of its own.")
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise BadName(f"The name {name!a} is not valid Unicode. Rename it first.") from None
    if size > MAX_NAME_BYTES:
        raise BadName(
            f"The name {name[:40]!r}… has {size} bytes in UTF-8; at most {MAX_NAME_BYTES} are possible. Shorten it."
        )
    for char in name:
        if char in "/\\" or _steers(char):
            raise BadName(f"The name {name!r} contains {char!a}, which a name cannot hold. Rename it first.")
    if _DEVICE.fullmatch(name):
        raise BadName(
            f"{name!r} is the name of a device on Windows, where nobody could save it. Rename it first."
        )
    return name


def _steers(char: str) -> bool:
    """Whether it does something to a terminal, or to the order of what stands around it, instead of being seen."""
    return unicodedata.category(char) == "Cc" or char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"


def shown(text: str) -> str:
    """`text` of unknown origin as a terminal may have it: what no name of ours can hold is written as an escape."""
    return "".join(ascii(char)[1:-1] if _steers(char) else char for char in text)


def key(name: str) -> str:
    """What two names share when a file system could take one for the other (Unicode 3.13, canonical caseless match)."""
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", decomposed.casefold()))


def parted(name: str) -> tuple[str, str]:
    """A file's name in two: what comes before its ending, and the ending with its dot; `.profile` has none."""
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if stem else (name, "")


def numbered(stem: str, number: int, ending: str) -> str:
    """`stem (2).ending`; the stem is shortened where that would be too long for a name, and an ending that is goes."""
    return _marked(stem, f" ({number})", ending)


def _marked(stem: str, mark: str, ending: str) -> str:
    room = MAX_NAME_BYTES - len((mark + ending).encode())
    if room < 1:
        return _marked(stem + ending, mark, "")
    return stem.encode()[:room].decode(errors="ignore") + mark + ending


def split(path: str) -> tuple[str, ...]:
    """The checked names of an absolute path; `/` has none. A trailing slash is ignored.

    Raises BadName for a path that does not begin with `/`, is longer than MAX_PATH_BYTES, or holds a bad name.
    """
    if not path.startswith("/"):
        raise BadName(f"The path {path[:60]!r} does not begin with '/'.")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise BadName(f"The path {path[:60]!r}… is longer than {MAX_PATH_BYTES} bytes. Shorten it.")
    trimmed = path[1:].removesuffix("/")
    return tuple(checked(part) for part in trimmed.split("/")) if trimmed else ()


def join(*parts: str) -> str:
    """The absolute path of these names."""
    return "/" + "/".join(parts)


def parent(path: str) -> str:
    """The folder that this absolute path lies in; the top folder's is itself."""
    return path.rpartition("/")[0] or "/"


def inside(folder: str, name: str) -> str:
    """The absolute path of what has this name in the folder at this path."""
    return f"{folder.removesuffix('/')}/{name}"


class SideBySide:
    """Names for one folder that every system can save, next to each other: unsafe ones are made safe (`for_windows`),
    and where a file system could take two for one (`key`), the later ones are numbered, `a_1.txt`. Each is a name as
    `checked` has them, so none is longer than MAX_NAME_BYTES, of which NTFS takes as many units.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[
            str, int
        ] = {}  # by key: the last that was given, as an album may hold one name often

    def keep(self, name: str, of_name: str) -> bool:
        """Let the name, whose key is `of_name`, stand as it is; False where that cannot be."""
        if of_name in self._taken or _UNSAFE_ON_WINDOWS.search(name) or name[-1] in ". ":
            return False
        self._taken.add(of_name)
        return True

    def make(self, name: str, *, folder: bool = False) -> str:
        """What to call it instead of a name that could not be kept. A folder's is numbered at its end."""
        made = safe = for_windows(name)
        stem, ending = (safe, "") if folder else parted(safe)
        number = self._numbers.get(key(safe), 0)
        while key(made) in self._taken:
            number += 1
            made = _marked(stem, f"_{number}", ending)
        self._numbers[key(safe)] = number
        self._taken.add(key(made))
        return made


def for_windows(name: str) -> str:
    """`name` as Windows can save it: unsafe characters become `_`, and so do trailing dots and spaces.

    https://learn.microsoft.com/windows/win32/fileio/naming-a-file; what else it forbids, `checked` refuses.
    """
    safe = _UNSAFE_ON_WINDOWS.sub("_", name)
    stem = safe.rstrip(". ")
    return stem + "_" * (len(safe) - len(stem))
