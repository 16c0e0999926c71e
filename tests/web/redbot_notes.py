"""Run as a program, since REDbot's event loop cannot be started twice: prints what it finds wrong with a resource."""

from __future__ import annotations

import sys
from configparser import ConfigParser

import thor
from redbot.resource import HttpResource


def main(address: str, token: str) -> None:
    config = ConfigParser()
    config.read_dict({"redbot": {"enable_local_access": "True"}})
    resource = HttpResource(config["redbot"])
    resource.set_request(address, headers=[("Authorization", f"Bearer {token}")])

    def tell() -> None:
        for note in resource.response.notes:
            print(note.level.name, type(note).__name__, note.summary)
        thor.stop()

    resource.on("check_done", tell)
    resource.check()
    thor.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
