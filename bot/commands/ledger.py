"""``assent ledger verify``: is every entry as it was written, and does the consent table follow?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import click

from bot.commands.context import open_database
from bot.commands.ledger_sealing import checkpoint, prove
from keywords.ledger import Fault
from storage.database import connect
from storage.verifying import Checked, check, size

_ANSWER_IS_NO: Final = 1
_MOST_SHOWN: Final = 100
_STEP: Final = 1000


@dataclass(slots=True)
class Report:
    """What a check found."""

    people: int = 0
    entries: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, checked: Checked) -> None:
        """Count one person in."""
        self.people += 1
        self.entries += checked.entries
        self.faults += checked.faults

    def as_json(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "ok": not self.faults,
            "people": self.people,
            "entries": self.entries,
            "faults": [{"subject": str(f.subject), "n": f.n, "what": f.what} for f in self.faults],
        }


@click.group()
def ledger() -> None:
    """The consent ledger."""


ledger.add_command(checkpoint)
ledger.add_command(prove)


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object.")
def verify(as_json: bool) -> None:
    """Check the whole ledger, and the current consent table against it.

    Names each fault: the person's reference, the number of the entry, and what does not hold.
    Exit code 0: everything holds, 1: something does not, 2: this could not run.
    """
    with open_database() as settings:
        assert settings.database_url is not None
        report = run(settings.database_url, progress=not as_json and sys.stderr.isatty())
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    if report.faults:
        raise SystemExit(_ANSWER_IS_NO)


def run(database_url: str, *, progress: bool = False) -> Report:
    """Check the ledger of a database; with ``progress``, show a bar on stderr."""
    report = Report()
    with connect(database_url, "ledger verify") as connection:
        if not progress:
            for checked in check(connection):
                report.add(checked)
            return report
        with click.progressbar(length=size(connection), label="Entries", file=sys.stderr) as bar:
            for steps in _stepwise(report, check(connection)):
                bar.update(steps)
    return report


def _stepwise(report: Report, people: Iterator[Checked]) -> Iterator[int]:
    shown = 0
    for checked in people:
        report.add(checked)
        if report.entries - shown >= _STEP:
            yield report.entries - shown
            shown = report.entries
    yield report.entries - shown


def _print(report: Report) -> None:
    for fault in report.faults[:_MOST_SHOWN]:
        click.echo(f"{fault.subject} entry {fault.n}: {fault.what}")
    if len(report.faults) > _MOST_SHOWN:
        click.echo(f"… and {len(report.faults) - _MOST_SHOWN} more; --json names them all.")
    counted = f"{report.entries} entries of {report.people} people"
    verdict = f"{len(report.faults)} faults in" if report.faults else "Everything holds:"
    click.echo(f"{verdict} {counted}.")
