"""``make faults``: the long versions, with figures. ``SEED=…`` repeats, ``ONLY=…`` picks some.

Prints a table in Markdown; ends with 1 when a promise was broken.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.engines import Servers, cloned, servers
from tests.faults import scenarios
from tests.faults.auditor import Report
from tests.faults.stage import Stage

Run = Callable[[Stage, random.Random], Report]

_COLUMNS: Final = ("accepted", "twice", "late", "latest", "flagged", "unknown")


def _kill(stage: Stage, chance: random.Random) -> Report:
    return scenarios.kill_workers(stage, chance, people=2_000, kills=60, rate=50)


def _stop(stage: Stage, chance: random.Random) -> Report:
    return scenarios.stop_in_mid_campaign(stage, chance, people=1_500, leaving=300, rate=60)


def _stop_and_kill(stage: Stage, chance: random.Random) -> Report:
    return scenarios.stop_in_mid_campaign(
        stage, chance, people=1_500, leaving=300, rate=60, kills=60
    )


# What is run: the sentence of the table, the carrier's delay in seconds, and the scenario.
_LONG: Final[dict[str, tuple[float, Run]]] = {
    "2,000 recipients, 4 workers, 60 × SIGKILL": (0.075, _kill),
    "300 of 1,500 text STOP, carrier of 100 ms": (0.1, _stop),
    "300 of 1,500 text STOP, 60 × SIGKILL": (0.1, _stop_and_kill),
}


def main() -> int:
    """Run all, print the table; answers 1 when something did not hold."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    only = os.environ.get("ONLY", "")
    print(f"SEED={seed}", file=sys.stderr)
    rows, breaches = [], []
    with servers() as given:
        for title, (delay, run) in _LONG.items():
            if only in title:
                report, seconds = _one(given, title, delay, run, seed)
                rows.append((title, report, seconds))
                breaches += [f"{title}: {sentence}" for sentence in report.breaches]
    _print(seed, rows)
    for sentence in breaches:
        print(sentence, file=sys.stderr)
    return 1 if breaches else 0


def _one(given: Servers, title: str, delay: float, run: Run, seed: int) -> tuple[Report, float]:
    """One scenario in a database and a home of its own."""
    print(f"{title} …", file=sys.stderr)
    started = time.monotonic()
    name = f"assent_faults_{os.getpid()}"
    with (
        tempfile.TemporaryDirectory(prefix="assent-faults-") as folder,
        cloned(given.admin_url, name, given.template) as url,
    ):
        stage = Stage(Path(folder) / "home", url, given.redis_url, delay)
        try:
            return run(stage, random.Random(seed)), time.monotonic() - started
        finally:
            stage.close()


def _print(seed: int, rows: list[tuple[str, Report, float]]) -> None:
    print(f"\nSEED={seed}\n")
    print(f"| Fault | {' | '.join(_COLUMNS)} | seconds | breaches |")
    print(f"|---|{'---:|' * (len(_COLUMNS) + 2)}")
    for title, report, seconds in rows:
        figures = " | ".join(str(report.figures[name]) for name in _COLUMNS)
        print(f"| {title} | {figures} | {seconds:.0f} | {len(report.breaches)} |")


if __name__ == "__main__":
    sys.exit(main())
