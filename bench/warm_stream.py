"""Table 4: one download of a cached file over HTTP, beside nginx serving the same bytes from a file.

    python -m bench.warm_stream [--mib 512] [--rounds 5] [--profile]

The pieces lie in the cache on the disk (and so in the system's page cache, as nginx's file does); the two take turns,
and the median counts. nginx runs on a port and with a configuration of its own, and is left out where it is
not installed.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.fetch import Fetch
from bench.house import Stocked, stocked
from bench.memory import Watch
from bench.options import options
from bench.report import at_least, heading, row
from model import MIB, ByteRange
from tests.whole.running import free_port

WARMING = 60.0
"""Seconds for the disk to take the pieces."""
_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{}}
http {{
    access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@contextmanager
def nginx(folder: Path, served: Path) -> Iterator[str]:
    """The address of the folder `served` as nginx serves it."""
    port = free_port()
    text = _CONFIGURATION.replace("{folder}/www", str(served)).format(folder=folder, port=port, user=_user())
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            time.sleep(1.0)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _user() -> str:
    """nginx's workers change to another user when they may, who could not read a temporary folder."""
    return "user root;" if getpass.getuser() == "root" else ""


def warm(house: Stocked, name: str) -> None:
    """Download until nothing is fetched from the sandbox any more."""
    until = time.monotonic() + WARMING
    while time.monotonic() < until:
        before = house.sandbox.control.stats()["bytes_served"]
        house.fetch(name).run()
        if house.sandbox.control.stats()["bytes_served"] == before:
            return
        time.sleep(0.5)
    raise SystemExit("the cache did not take the file")


def measure(house: Stocked, url: str | None, rounds: int) -> None:
    file, ours, theirs, cpu = house.files["file.bin"], [], [], 0.0
    for _ in range(rounds):
        with Watch(house.pid) as watch:
            ours.append(house.fetch("file.bin").run().speed)
        cpu += watch.cpu
        if url is not None:
            plain = Fetch(f"{url}/file.bin", "", ByteRange(0, file.size), file.read, whole=True)
            theirs.append(plain.run().speed)
    speed, per_gib = median(ours), cpu / rounds * (1 << 30) / file.size
    heading("what", "MB/s", "CPU s/GiB", "goal")
    goal = at_least(speed, 400, " MB/s")
    if theirs:
        row("nginx", f"{median(theirs):.0f}", "", "")
        goal += f", or {speed / median(theirs):.2f} of nginx {at_least(speed / median(theirs), 0.4)}"
    else:
        print("nginx is not installed")
    row("ours, cached", f"{speed:.0f}", f"{per_gib:.1f}", goal)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where the gateway's processor time goes")
    chosen = parser.parse_args()
    sizes = {"file.bin": chosen.mib * MIB}
    with (
        tempfile.TemporaryDirectory() as name,
        stocked(Path(name), sizes, CACHE_SIZE_MIB=str(2 * chosen.mib)) as house,
    ):
        folder = Path(name)
        warm(house, "file.bin")
        (folder / "www").mkdir()
        house.files["file.bin"].write(folder / "www" / "file.bin")
        if shutil.which("nginx") is None:
            measure(house, None, chosen.rounds)
        else:
            with nginx(folder, folder / "www") as url:
                measure(house, url, chosen.rounds)
        if chosen.profile:
            print(house.profile(["file.bin"] * chosen.rounds, folder / "profile"))


if __name__ == "__main__":
    main()
