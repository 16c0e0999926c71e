"""The soak: random clients start, stop, seek, stall and vanish while faults are injected, for as long as you like.

    python -m bench.soak [--minutes 60] [--seed N] [--storm 40] [--calm 20]

Rounds of storm and calm, a line for each; after each of them nothing may be left over. Ctrl-C ends the round that runs
and tells the verdict so far. The seed decides what every client and the weather do; when, the machine decides.
"""

from __future__ import annotations

import logging
import secrets
import signal
import tempfile
import time
from pathlib import Path
from threading import Event

from bench.options import options
from tests.whole.soaking.soak import Soak, soaking


def run(soak: Soak, minutes: float, storm: float, calm: float, end: Event) -> None:
    began = time.monotonic()
    while not end.is_set() and time.monotonic() - began < minutes * 60:
        soak.round(storm, calm, end)
        ledger, outcomes = soak.ledger, soak.ledger.outcomes
        print(
            f"{(time.monotonic() - began) / 60:5.1f} min, round {len(soak.rests)}: {sum(outcomes.values())} visits,"
            f" {ledger.bytes_out / 1e9:.2f} GB out, {ledger.bytes_in / 1e9:.2f} GB in,"
            f" {sum(ledger.faults.values())} faults, {len(ledger.wrongs)} wrongs; at rest {soak.rests[-1]}",
            flush=True,
        )


def summary(soak: Soak) -> None:
    for title, counts in (("visits", soak.ledger.outcomes), ("faults", soak.ledger.faults)):
        print(f"\n| {title} | times |\n|---|---|")
        for name, count in counts.items():
            print(f"| {name} | {count} |")
    print("\n| at rest | |\n|---|---|")
    marks = {len(soak.rests) * quarter // 4: quarter for quarter in (4, 3, 2, 1)}
    for number, figures in enumerate(soak.rests, 1):
        if number == 1 or number in marks:
            print(f"| after round {number} | {figures} |")
    print("median memory by quarter: " + ", ".join(f"{rss / 1e6:.0f} MB" for rss in soak.quarters()))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="even ones go without a cache"
    )
    parser.add_argument("--storm", type=float, default=40, help="seconds of each round")
    parser.add_argument("--calm", type=float, default=20)
    chosen = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")  # what goes wrong, as it does
    end = Event()
    with tempfile.TemporaryDirectory() as folder:
        print(f"seed {chosen.seed}", flush=True)
        with soaking(Path(folder), chosen.seed) as soak:
            for asked in (
                signal.SIGINT,
                signal.SIGTERM,
            ):  # either way the round ends, and what was started with it
                signal.signal(asked, lambda *_: end.set())
            run(soak, chosen.minutes, chosen.storm, chosen.calm, end)
            wrongs = soak.judge()
        summary(soak)
    print("\n" + ("\n".join(wrongs) if wrongs else "nothing went wrong"))
    raise SystemExit(bool(wrongs))


if __name__ == "__main__":
    main()
