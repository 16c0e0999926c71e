"""The front step: `python run.py [command]` makes .venv, installs what is pinned, and hands over to cli.

Until then it knows the standard library only, and nothing newer than Python 3.6: a Python too old to run
Stowgram must still be able to read this file and say so.
"""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def main() -> None:
    if sys.version_info < OLDEST:
        sys.exit(f"stowgram: This is Python {sys.version.split()[0]}; run it with Python 3.11 or newer.")
    ensure_installed("requirements.txt")
    if sys.argv[1:2] == ["test"]:
        ensure_installed("requirements-test.txt")
    if in_venv() and sys.flags.utf8_mode:
        from cli import main as command_line

        command_line()
    else:
        # UTF-8 whatever the locale or code page: neither file names nor logs may depend on them.
        hand_over(str(PYTHON), "-X", "utf8", str(ROOT / "run.py"), *sys.argv[1:])


def ensure_installed(requirements: str) -> None:
    """Install the packages pinned in this file, unless its stamp says that they are in this very .venv."""
    stamp = VENV / (requirements + ".installed")
    if PYTHON.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint(requirements):
        return
    if not works(str(PYTHON), "-m", "pip", "--version"):
        make_venv()
    say(f"installing {requirements} ...")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    if subprocess.call([*pip, str(ROOT / requirements)], stdout=sys.stderr) != 0:
        sys.exit(f"stowgram: {requirements} could not be installed; the reason is above. Then start again.")
    # Written last, so that an installation that was cut off is done again.
    stamp.write_text(fingerprint(requirements), encoding="utf-8")


def fingerprint(requirements: str) -> str:
    """What the stamp holds, and packages are bound to: the pins, the place of .venv, the Python behind it."""
    pins = hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()
    return "\n".join([pins, str(VENV), str(PYTHON.resolve())])


def make_venv() -> None:
    if in_venv():
        sys.exit("stowgram: This .venv is broken. Start with the system's Python, which makes a new one.")
    say("making .venv ...")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)], stdout=sys.stderr) != 0:
        sys.exit("stowgram: .venv could not be made. On Debian and Ubuntu: apt install python3-venv")


def in_venv() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def works(*command: str) -> bool:
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:  # not there, or made for another system
        return False


def say(progress: str) -> None:
    sys.stderr.write(f"stowgram: {progress}\n")
    sys.stderr.flush()


def hand_over(*command: str) -> None:
    """Become `command`. On Windows, which cannot: wait for it, and leave the console's events to it."""
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
        sys.exit(subprocess.call(command))
    else:
        os.execv(command[0], command)


if __name__ == "__main__":
    main()
