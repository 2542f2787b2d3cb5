"""``assent bench import``: a messy list brought in, beside reading its numbers alone.

The floor reads the same file with ``csv`` and asks ``phonenumbers`` about each number, in a process
of its own, and keeps nothing. CPU is what counts, not time: that of all processes of the import is
compared, and what PostgreSQL takes to keep the people stands beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import click

from bot.bench import list_file, private
from bot.bench.processes import cpu_seconds
from bot.bench.report import Goal
from bot.engines.errors import EngineError

_WANTED: Final = 1.6
_FLOOR: Final = (sys.executable, "-P", "-m", "bot.bench.list_floor")
_IMPORT: Final = (sys.executable, "-P", "-m", "bot", "import")
_SAID: Final = ("--program", "deals", "--country", "US", "--date-order", "mdy", "--json")
# What an eighth of the list needs shows what is there anyway, and what grows with the list.
_SHARE: Final = 8


@dataclass(frozen=True, slots=True)
class Ran:
    """A process with all that it started: CPU seconds, seconds, megabytes of the largest."""

    cpu: float
    took: float
    megabytes: float
    output: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The floor and the import, in CPU seconds; megabytes of its largest process for both lists."""

    rows: int
    floor_cpu: float
    import_cpu: float
    postgres_cpu: float | None
    took: float
    megabytes: float
    megabytes_of_an_eighth: float
    outcome: dict[str, Any]

    @property
    def ratio(self) -> float:
        """The processes of the import, in floors."""
        return self.import_cpu / self.floor_cpu

    @property
    def with_postgres(self) -> float:
        """The same with PostgreSQL's share, where the system tells it."""
        return (self.import_cpu + (self.postgres_cpu or 0.0)) / self.floor_cpu


@click.command("import")
@click.option("--rows", default=1_000_000, show_default=True, help="Rows of the list.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def lists(rows: int, *, as_json: bool) -> None:
    """Importing: CPU for a messy list, beside parsing and validating its numbers alone."""
    try:
        result = measure(rows)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goal = Goal("import / parsing numbers alone", result.ratio, _WANTED, at_least=False)
    if as_json:
        click.echo(json.dumps({**asdict(result), "goal": asdict(goal) | {"met": goal.met}}))
        return
    click.echo(f"{result.rows:,} rows: {result.outcome}")
    click.echo(f"parse and validate the numbers {result.floor_cpu:7.1f} s CPU")
    click.echo(f"import, all its processes      {result.import_cpu:7.1f} s CPU")
    if result.postgres_cpu is not None:
        click.echo(
            f"its PostgreSQL                 {result.postgres_cpu:7.1f} s CPU"
            f" (with it {result.with_postgres:.2f} floors)"
        )
    click.echo(f"took                           {result.took:7.1f} s")
    click.echo(
        f"largest process                {result.megabytes:7.1f} MB"
        f" ({result.megabytes_of_an_eighth:.1f} MB for an eighth of the list)"
    )
    state = "met" if goal.met else "MISSED"
    click.echo(f"{goal.name:<30} {goal.value:7.2f}       target below {_WANTED:g}: {state}")


def measure(rows: int) -> Imported:
    """Import an eighth of a list, then one of ``rows``, with the floor of the latter between."""
    with private.postgres() as (server, home):
        private.shop(server.url, 0, profiles=False)
        environment = {
            **private.inherited(),
            "ASSENT_HOME": str(home),
            "DATABASE_URL": server.url,
            "SECRET_KEY": "b" * 64,
        }
        small, large = home / "eighth.csv", home / "list.csv"
        click.echo(f"Writing {rows:,} rows …", err=True)
        list_file.write(small, max(rows // _SHARE, 1), first=rows)
        list_file.write(large, rows)
        click.echo("Importing an eighth …", err=True)
        eighth = _run((*_IMPORT, str(small), *_SAID), environment)
        click.echo("Parsing the numbers alone …", err=True)
        floor = _run((*_FLOOR, str(large)), environment)
        click.echo("Importing …", err=True)
        before = cpu_seconds(server.pid)
        whole = _run((*_IMPORT, str(large), *_SAID), environment)
        after = cpu_seconds(server.pid)
    return Imported(
        rows=rows,
        floor_cpu=floor.cpu,
        import_cpu=whole.cpu,
        postgres_cpu=None if before is None or after is None else after - before,
        took=whole.took,
        megabytes=whole.megabytes,
        megabytes_of_an_eighth=eighth.megabytes,
        outcome=json.loads(whole.output),
    )


def _run(command: Sequence[str], environment: dict[str, str]) -> Ran:
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise EngineError(f"{command[-1]} ended with exit code {process.returncode}.")
    took = time.perf_counter() - started
    return Ran(usage.ru_utime + usage.ru_stime, took, usage.ru_maxrss / 1024, output)
