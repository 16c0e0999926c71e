"""A sandbox and a gateway as processes of their own, for benchmarks; empty, or with synthetic files in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.fetch import Fetch
from bench.synthetic import SyntheticFile, Warehouse
from model import MIB, ByteRange
from tests.sandbox_process import RunningSandbox, start_sandbox
from tests.whole.running import RunningGateway, running_gateway

USUAL = {"CHUNK_SIZE_MIB": "64", "STAGING_SIZE_MIB": "512", "LOG_LEVEL": "warning"}
CROWDED = {"MAX_CONCURRENT_DOWNLOADS": "200", "MAX_CONCURRENT_DOWNLOADS_PER_USER": "200"}


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A bench that is told to end (SIGTERM) stops what it started: a gateway would go on without it."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def house(folder: Path, **settings: str) -> Iterator[tuple[RunningSandbox, RunningGateway]]:
    """Both, running, with the settings people run with unless `settings` says otherwise."""
    with (
        ending_in_order(),
        start_sandbox(folder / "sandbox") as sandbox,
        running_gateway(folder, sandbox, USUAL | settings) as gateway,
    ):
        yield sandbox, gateway


class Stocked:
    """Both, running, and the synthetic files that they know, by name."""

    def __init__(
        self, sandbox: RunningSandbox, gateway: RunningGateway, files: Mapping[str, SyntheticFile]
    ) -> None:
        self.sandbox = sandbox
        self.gateway = gateway
        self.files = files

    @property
    def pid(self) -> int:
        """The gateway's."""
        assert self.gateway.process is not None
        return self.gateway.process.pid

    def url(self, name: str) -> str:
        return f"{self.gateway.url}/files/{self.files[name].node}/download"

    def fetch(self, name: str, span: ByteRange | None = None) -> Fetch:
        """A download of a file or a span of it, to be run; what comes is compared with the file."""
        file = self.files[name]
        wanted = span or ByteRange(0, file.size)
        return Fetch(self.url(name), self.gateway.token, wanted, file.read, whole=span is None)

    def restart_gateway(self, **settings: str) -> None:
        """With nothing in memory; and with these settings from now on."""
        self.gateway.stop()
        self.gateway.environment |= settings
        self.gateway.start()

    def profile(self, names: Sequence[str], report: Path) -> str:
        """Where a gateway's processor time goes while these files are downloaded; it is stopped afterwards."""
        self.gateway.stop()
        self.gateway.start(("-m", "bench.profiled", str(report)))
        report.touch()
        for name in names:
            self.fetch(name).run()
        self.gateway.stop()
        return report.read_text(encoding="utf-8")


@contextmanager
def stocked(folder: Path, sizes: Mapping[str, int], **settings: str) -> Iterator[Stocked]:
    """A house with synthetic files of these names and sizes in bytes; no settings for a cache: nothing is cached."""
    with ending_in_order(), start_sandbox(folder / "sandbox") as sandbox:
        sandbox.stop()
        warehouse = Warehouse(sandbox, folder / "sandbox")
        warehouse.lay(sizes)
        sandbox.restart()
        with running_gateway(folder, sandbox, USUAL | settings) as gateway:
            yield Stocked(sandbox, gateway, warehouse.tell(gateway.data))


def random_file(path: Path, mib: int) -> Path:
    """`mib` MiB that no layer can compress."""
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
    return path


def curl(gateway: RunningGateway, file_id: int) -> float:
    """Seconds that curl takes to fetch the whole file and throw it away."""
    command = ["curl", "-sf", "-o", os.devnull, "-H", f"Authorization: Bearer {gateway.token}"]
    began = time.perf_counter()
    subprocess.run([*command, f"{gateway.url}/files/{file_id}/download"], check=True, timeout=900)
    return time.perf_counter() - began
