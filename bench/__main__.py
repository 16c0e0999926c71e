"""What can be measured, a line each.

python -m bench
"""

from __future__ import annotations

import ast
from pathlib import Path


def main() -> None:
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        about = ast.get_docstring(tree) or ""
        if f"python -m bench.{path.stem}" in about and "< ORDER" not in about and path.stem != "profiled":
            print(f"python -m bench.{path.stem:<14} {about.splitlines()[0]}")


if __name__ == "__main__":
    main()
