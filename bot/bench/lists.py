"""``assent bench import``: a messy list brought in, beside what its numbers alone cost.

The floor reads the same rows with ``csv`` and asks ``phonenumbers`` about each number, in as many
processes as the import has, and keeps nothing; it is taken before the import and after it. CPU is
what counts, not time: that of all processes of the import, their start included, is compared, and
what PostgreSQL takes to keep the people stands beside it. What must become of every row is known
beforehand, and so it is seen whether it did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click
import psycopg

from bot.bench import messy_list, private
from bot.bench.list_floor import Floor
from bot.bench.messy_list import MessyList
from bot.bench.processes import cpu_seconds, family, peak_megabytes
from bot.bench.report import Goal
from bot.engines.errors import EngineError
from storage.database import connect
from storage.suppression import SuppressionReason, phone_digest, suppress
from storage.transaction import atomic
from worker.importing.crew import parts

_WANTED: Final = 1.6
_FLOOR: Final = (sys.executable, "-P", "-m", "bot.bench.list_floor")
_IMPORT: Final = (sys.executable, "-P", "-m", "bot", "import")
_SAID: Final = ("--program", "deals", "--country", "US", "--map", "attributes=Tier", "--json")
_PEPPER: Final = "p" * 64
_STEP_S: Final = 0.1
# A tenth of the list needs what is there anyway; what it needs less grows with the list.
_SHARE: Final = 10
_SERVE: Final = "UPDATE programs SET body = body || %s::jsonb WHERE slug = 'deals'"
_KNOWN: Final = """
WITH people AS (
    INSERT INTO subscribers (phone) SELECT unnest(%(phones)s::text[]) RETURNING id
)
INSERT INTO subscriptions (subscriber_id, program, state, prior, confirmed_at, unsubscribed_at,
                           method, version)
SELECT id, 'deals', %(state)s, 'none', now() - interval '90 days',
       CASE WHEN %(state)s = 'unsubscribed' THEN now() - interval '30 days' END, 'sms_keyword', 1
FROM people
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process and its children cost: CPU seconds, seconds, megabytes of the largest.

    The last is None where /proc does not tell (macOS).
    """

    cpu: float
    took: float
    megabytes: float | None
    output: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A list, in CPU seconds of its floor, its import and PostgreSQL; megabytes of a process.

    ``wrong`` counts rows that came to something else than they must.
    """

    rows: int
    floor: Floor
    import_cpu: float
    postgres_cpu: float | None
    took: float
    megabytes: float | None
    wrong: int
    outcome: dict[str, Any]

    @property
    def ratio(self) -> float:
        """The import's CPU in floors: the whole script."""
        return self.import_cpu / self.floor.script

    @property
    def of_numbers(self) -> float:
        """The import's CPU in what parsing and validating takes, without reading the file."""
        return self.import_cpu / self.floor.numbers


@click.command("import")
@click.option("--rows", default=1_000_000, show_default=True, help="Rows of the list.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def lists(rows: int, *, as_json: bool) -> None:
    """Importing: CPU for a messy list, beside parsing and validating its numbers alone.

    Exit code 1: some row came to something else than it must.
    """
    try:
        small, result = measure(max(rows // _SHARE, 1)), measure(rows)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goals = _goals(result)
    if as_json:
        told = asdict(result) | {"megabytes_of_a_tenth": small.megabytes}
        aims = [asdict(goal) | {"met": goal.met} for goal in goals]
        click.echo(json.dumps(told | {"goals": aims}))
    else:
        click.echo("\n".join(_lines(result, small, goals)))
    if result.wrong or small.wrong:
        raise SystemExit(1)


def _goals(result: Imported) -> list[Goal]:
    """The target, by both ways to read it: with the reading of the file in the floor, without."""
    return [
        Goal("import / plain script", result.ratio, _WANTED, at_least=False),
        Goal("import / numbers alone", result.of_numbers, _WANTED, at_least=False),
    ]


def _lines(result: Imported, small: Imported, goals: Sequence[Goal]) -> Iterator[str]:
    floor, rows = result.floor, result.rows
    yield f"{rows:,} rows: {result.outcome}"
    yield _line("floor: read the file with csv", floor.reading, rows)
    yield _line("floor: parse and validate", floor.numbers, rows)
    yield _line("floor: write E.164", floor.writing, rows)
    yield _line("import, all its processes", result.import_cpu, rows)
    if result.postgres_cpu is not None:
        yield _line("PostgreSQL", result.postgres_cpu, rows)
    yield f"{'took':<30}{result.took:8.1f} s {rows / result.took:11,.0f} rows a second"
    if result.megabytes and small.megabytes:
        yield (
            f"{'largest process':<30}{result.megabytes:8.1f} MB"
            f" ({small.megabytes:.1f} MB for a tenth of the list)"
        )
    for goal in goals:
        state = "met" if goal.met else "MISSED"
        yield f"{goal.name:<30}{goal.value:8.2f}   target below {goal.target:g}: {state}"
    for each in (small, result):
        if each.wrong:
            yield f"BUT {each.wrong} of {each.rows:,} rows came to something else"


def _line(name: str, seconds: float, rows: int) -> str:
    return f"{name:<30}{seconds:8.1f} s {seconds / rows * 1e6:11.2f} µs a row"


def measure(rows: int) -> Imported:
    """Write a list and import it into a shop that knows some of its people, between two floors."""
    with private.postgres() as (server, home):
        private.shop(server.url, 0, profiles=False)
        environment = {
            **private.inherited(),
            "ASSENT_HOME": str(home),
            "DATABASE_URL": server.url,
            "SECRET_KEY": "b" * 64,
            "PHONE_PEPPER": _PEPPER,
        }
        path = home / "list.csv"
        click.echo(f"Writing {rows:,} rows …", err=True)
        made = messy_list.write(path, rows)
        shares = _shared_out(path)
        _meet(server.url, made)
        click.echo("Reading the numbers alone …", err=True)
        first = _floor(shares, environment)
        click.echo("Importing …", err=True)
        before = cpu_seconds(server.pid)
        whole = _run((*_IMPORT, str(path), *_SAID), environment)
        after = cpu_seconds(server.pid)
        click.echo("Reading the numbers alone once more …", err=True)
        floor = (first + _floor(shares, environment)).of(2)
    outcome = json.loads(whole.output)
    return Imported(
        rows=rows,
        floor=floor,
        import_cpu=whole.cpu,
        postgres_cpu=None if before is None or after is None else after - before,
        took=whole.took,
        megabytes=whole.megabytes,
        wrong=_wrong(made, outcome),
        outcome=outcome,
    )


def _shared_out(path: Path) -> list[Path]:
    """The rows in as many files as an import has processes, each with the header."""
    shares = [path.with_suffix(f".{part}") for part in range(parts())]
    with path.open("rb") as lines, ExitStack() as stack:
        header = lines.readline()
        files = [stack.enter_context(share.open("wb")) for share in shares]
        for file in files:
            file.write(header)
        for number, line in enumerate(lines):
            files[number % len(files)].write(line)
    return shares


def _meet(url: str, made: MessyList) -> None:
    """Serve the countries of the list, and know beforehand those of its people who are known."""
    with connect(url, "bench", role=None) as connection, atomic(connection):
        connection.execute(_SERVE, (json.dumps({"countries": messy_list.COUNTRIES}),))
        connection.execute("UPDATE catalogue SET version = version + 1")
        for phones, state in ((made.left, "unsubscribed"), (made.subscribed, "subscribed")):
            connection.execute(_KNOWN, {"phones": phones, "state": state})
        digests = [phone_digest(_PEPPER, phone) for phone in made.suppressed]
        suppress(connection, digests, SuppressionReason.OBJECTION, "bench")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")


def _wrong(made: MessyList, outcome: Mapping[str, Any]) -> int:
    """How many rows came to something else than they must."""
    came = Counter({"asked": int(outcome["asked"]), **outcome["codes"]})
    return sum((made.expected - came).values()) + sum((came - made.expected).values())


def _floor(shares: Sequence[Path], environment: Mapping[str, str]) -> Floor:
    """What ``phonenumbers`` alone costs, in a process for each share at the same time."""
    processes = [
        subprocess.Popen((*_FLOOR, str(share)), env=environment, stdout=subprocess.PIPE, text=True)
        for share in shares
    ]
    told = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise EngineError("The floor could not be taken.")
    return sum((Floor(**json.loads(each)) for each in told), Floor())


def _run(command: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run to its end; it prints a line at most. Its processes are looked at now and then."""
    started, largest, status = time.perf_counter(), 0.0, None
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        while status is None:
            largest = max([largest, *map(peak_megabytes, family(process.pid))])
            time.sleep(_STEP_S)
            ended, code, usage = os.wait4(process.pid, os.WNOHANG)
            status = code if ended else None
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise EngineError(f"{command[-1]} ended with exit code {process.returncode}.")
    took = time.perf_counter() - started
    return Ran(usage.ru_utime + usage.ru_stime, took, largest or None, output)
