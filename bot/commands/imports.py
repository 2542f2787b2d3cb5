"""``assent import FILE``: bring in a list of people who are said to have agreed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from bot.commands.context import open_database
from bot.commands.importing import CannotImport, Job, bring_in, try_out
from keywords.importing.columns import Role
from keywords.importing.dates import DateOrder
from keywords.importing.reasons import SENTENCES
from keywords.importing.wishes import BadWish, Wishes
from storage.database import connect
from worker.importing.reading import digest_of
from worker.importing.running import planned

_NO: Final = 1
_ORDERS: Final = [str(order) for order in DateOrder]


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--program", help="Slug of the program that all rows agreed to.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="ROLE=HEADING",
    help=f"Which column is what, by heading or as #3; ROLE is one of {', '.join(Role)}.",
)
@click.option("--source", help="Where they agreed, for rows that do not say.")
@click.option("--date", help="When they agreed, for rows that do not say.")
@click.option(
    "--disclosure",
    type=click.File("r", encoding="utf-8"),
    help="File with the words they were shown, for rows that do not say.",
)
@click.option("--country", help="Country of numbers without a country code.")
@click.option(
    "--date-order",
    type=click.Choice([str(order) for order in DateOrder]),
    help="What 3/4/2025 means.",
)
@click.option("--encoding", help="The file's encoding; guessed by default.")
@click.option("--delimiter", help="What stands between cells; guessed by default.")
@click.option("--header/--no-header", default=None, help="Whether the first row is headings.")
@click.option("--oldest-years", type=int, help="Refuse consents that are older.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each row; write nothing.")
@click.option("--again", is_flag=True, help="Import a file that was imported before.")
@click.option("--report", "report_to", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object.")
def import_(
    file: Path, report_to: Path | None, *, dry_run: bool, again: bool, as_json: bool, **said: Any
) -> None:
    """Import a list of people (CSV) who are said to have agreed.

    Rows with source, date and disclosure become pending, and are asked by text. Rows that lack one
    are held, and never texted. --report gets a line for each row that was refused or held. An
    import that was interrupted goes on when the same command is given again. Exit code 1: no row
    could be used, or the file was imported before.
    """
    wishes = _wishes(said)
    with open_database() as settings:
        assert settings.database_url is not None
        try:
            with connect(settings.database_url, "import") as connection:
                task, since = planned(connection, file, wishes)
        except BadWish as error:
            raise CannotImport(f"{error.field}: {error}") from error
        job = Job(settings, file, task, *digest_of(file))
        try:
            result = (
                try_out(job, since, report_to) if dry_run else bring_in(job, report_to, again=again)
            )
        except KeyboardInterrupt:
            raise CannotImport("Interrupted; the same command goes on from here.") from None
    click.echo(json.dumps(result) if as_json else "\n".join(_lines(result)))
    if not result["asked"] and not result["held"]:
        raise SystemExit(_NO)


def _wishes(said: Mapping[str, Any]) -> Wishes:
    order, disclosure, years = said["date_order"], said["disclosure"], said["oldest_years"]
    given = {name: said[name] for name in ("program", "source", "date", "country", "header")}
    if years is not None:
        given["oldest_years"] = years
    return Wishes(
        columns=_columns(said["columns"]),
        date_order=DateOrder(order) if order else None,
        disclosure=disclosure.read() if disclosure else None,
        encoding=said["encoding"],
        delimiter={"tab": "\t", "\\t": "\t"}.get(said["delimiter"] or "", said["delimiter"]),
        **given,
    )


def _columns(given: Sequence[str]) -> dict[Role, list[str]]:
    """``--map`` as roles and headings; a role may be given several times."""
    columns: dict[Role, list[str]] = {}
    for each in given:
        role, equals, heading = each.partition("=")
        if not equals or role not in [*Role]:
            known = ", ".join(Role)
            raise click.UsageError(f"--map is ROLE=HEADING, and ROLE one of {known}.")
        columns.setdefault(Role(role), []).append(heading)
    return columns


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    """The result for people."""
    would = "would be " if result["dry_run"] else ""
    number = f"Import {result['import']}: " if result["import"] else ""
    yield (
        f"{number}{result['rows']:,} rows: {result['asked']:,} {would}pending, "
        f"{result['held']:,} {would}held, {result['refused']:,} {would}refused."
    )
    for code, times in result["codes"].items():
        yield f"{times:>10,}  {code:24}  {SENTENCES[code].replace('{}', '…')}"
