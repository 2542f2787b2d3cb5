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
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from bot.engines.valkey import EmbeddedValkey
from tests.engines import Servers, cloned, servers
from tests.faults import scenarios
from tests.faults.auditor import Report
from tests.faults.engines import durable_postgres
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


def _misbehave(stage: Stage, _: random.Random) -> Report:
    return scenarios.bad_carrier(stage, people=600, rate=60)


def _callbacks(stage: Stage, _: random.Random) -> Report:
    return scenarios.odd_callbacks(stage, people=1_000, rate=50)


def _web_down(stage: Stage, _: random.Random) -> Report:
    return scenarios.web_down(stage, people=900, leaving=150, rate=25)


def _sleep(stage: Stage, _: random.Random) -> Report:
    return scenarios.sleep_and_wake(stage, people=600, rate=60, seconds=15)


def _launch(stage: Stage, _: random.Random) -> Report:
    return scenarios.launch_twice(stage, people=500, rate=100)


def _held(stage: Stage, _: random.Random) -> Report:
    return scenarios.held(stage, people=200, rate=100)


# What is run: the sentence of the table, the carrier's delay in seconds, and the scenario.
_LONG: Final[dict[str, tuple[float, Run]]] = {
    "2,000 recipients, 4 workers, 60 × SIGKILL": (0.075, _kill),
    "300 of 1,500 text STOP, carrier of 100 ms": (0.1, _stop),
    "300 of 1,500 text STOP, 60 × SIGKILL": (0.1, _stop_and_kill),
    "429, 5xx, 401, hangs and resets after accept, 600 recipients": (0.0, _misbehave),
    "Callbacks repeated, shuffled, early and missing, 1,000 recipients": (0.0, _callbacks),
    "Web down while 150 of 900 text STOP": (0.02, _web_down),
    "A worker asleep for 15 s (SIGSTOP), 120 of 600 text STOP": (0.1, _sleep),
    "Launched by 4, found by 3 tickers, 500 recipients": (0.0, _launch),
    "A database in doubt, confirmed after 4 s, 200 recipients": (0.0, _held),
}


def main() -> int:
    """Run all, print the table; answers 1 when something did not hold."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    only = os.environ.get("ONLY", "")
    print(f"SEED={seed}", file=sys.stderr)
    rows: list[tuple[str, Report, float]] = []
    with servers() as given:
        alone: dict[str, Callable[[Path], Report]] = {
            "Redis emptied and killed at 10, 50 and 90 %, 1,000 recipients": partial(_redis, given),
            "PostgreSQL shut down at once, twice, 1,000 recipients": partial(_postgres, given),
            "Home and database put back together, 400 recipients": partial(_put_back, given),
        }
        for title, (delay, run) in _LONG.items():
            alone[title] = partial(_cloned, given, delay, run, seed)
        for title, scenario in alone.items():
            if only in title:
                rows.append((title, *_timed(title, scenario)))
    _print(seed, rows)
    breaches = [f"{title}: {s}" for title, report, _ in rows for s in report.breaches]
    for sentence in breaches:
        print(sentence, file=sys.stderr)
    return 1 if breaches else 0


def _timed(title: str, scenario: Callable[[Path], Report]) -> tuple[Report, float]:
    """One scenario in a home of its own, and how many seconds it took."""
    print(f"{title} …", file=sys.stderr)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="assent-faults-") as folder:
        Path(folder).chmod(0o711)
        return scenario(Path(folder)), time.monotonic() - started


def _cloned(given: Servers, delay: float, run: Run, seed: int, folder: Path) -> Report:
    """On the run's servers, in a database of its own."""
    name = f"assent_faults_{os.getpid()}"
    with (
        cloned(given.admin_url, name, given.template) as url,
        closing(Stage(folder / "home", url, given.redis_url, delay)) as stage,
    ):
        return run(stage, random.Random(seed))


def _redis(given: Servers, folder: Path) -> Report:
    """With a Valkey that can be killed."""
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    name = f"assent_faults_{os.getpid()}"
    try:
        with (
            cloned(given.admin_url, name, given.template) as url,
            closing(Stage(folder / "home", url, valkey.url, 0.02)) as stage,
        ):
            return scenarios.lose_redis(stage, valkey, people=1_000, rate=60)
    finally:
        valkey.stop()


def _postgres(given: Servers, folder: Path) -> Report:
    """With a PostgreSQL that can be shut down."""
    with (
        durable_postgres(folder / "pg") as server,
        closing(Stage(folder / "home", server.url, given.redis_url, 0.05)) as stage,
    ):
        return scenarios.restart_postgres(stage, server, people=1_000, rate=60)


def _put_back(given: Servers, folder: Path) -> Report:
    """With a PostgreSQL and a home whose files can be put back."""
    with (
        durable_postgres(folder / "pg") as server,
        closing(Stage(folder / "home", server.url, given.redis_url, 0.02)) as stage,
    ):
        return scenarios.put_back(stage, server, folder, people=400, rate=40)


def _print(seed: int, rows: list[tuple[str, Report, float]]) -> None:
    print(f"\nSEED={seed}\n")
    print(f"| Fault | {' | '.join(_COLUMNS)} | seconds | breaches |")
    print(f"|---|{'---:|' * (len(_COLUMNS) + 2)}")
    for title, report, seconds in rows:
        figures = " | ".join(str(report.figures[name]) for name in _COLUMNS)
        print(f"| {title} | {figures} | {seconds:.0f} | {len(report.breaches)} |")


if __name__ == "__main__":
    sys.exit(main())
