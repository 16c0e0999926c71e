"""A real nginx in front of a gateway, on a free port of the loopback."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.whole.running import free_port

CONFIG = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {gateway};
            proxy_set_header Host $http_host;
            proxy_http_version 1.1;
        }}
        location /internal/prepared/ {{
            {internal}
            alias {prepared}/;
        }}
    }}
}}
"""


@contextmanager
def nginx_before(gateway: str, prepared: Path, folder: Path, *, open_to_all: bool = False) -> Iterator[str]:
    """Its address. It passes everything on to the gateway at that address, and serves the files in `prepared` where the
    gateway says so, or to anybody.
    """
    folder.mkdir()
    port = free_port()
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    places = {"folder": folder, "port": port, "gateway": gateway, "prepared": prepared}
    text = CONFIG.format(user=user, internal="" if open_to_all else "internal;", **places)
    config.write_text(text, encoding="utf-8")
    with subprocess.Popen(["nginx", "-c", str(config), "-e", str(folder / "error.log")]) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{url}/healthz", timeout=5)
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "nginx did not come up"
            time.sleep(0.05)
