"""``assent hygiene``: numbers that may have another owner by now, and people who never react."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final

import click

from bot.commands.context import open_database
from bot.commands.sunset import sunset
from bot.engines.errors import EngineError
from keywords.phone import InvalidPhone, parse
from storage import hygiene as numbers
from storage.database import Connection, connect
from storage.hygiene import Answered, Reassigned
from storage.settings import Settings
from storage.shop import ShopCache
from worker import deactivations as feed
from worker.hygiene import Read, deactivated, reassigned

_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
_DATES: Final = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")


@click.group()
def hygiene() -> None:
    """End consent where a number has another owner; pause who never reacts."""


hygiene.add_command(sunset)


@hygiene.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False), required=False)
@click.option("--date", "day", type=_DAY, help="The day that the file is about.")
@click.option("--fetch", type=_DAY, help="Fetch the list of this day from Twilio instead.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def deactivations(
    file: str | None, day: datetime | None, fetch: datetime | None, *, as_json: bool
) -> None:
    """Read a list of numbers that carriers deactivated on a day, one a line."""
    if fetch is None and (file is None or day is None):
        raise click.UsageError("Give FILE and --date, or --fetch DATE.")
    with open_database() as settings:
        read = _fetched(settings, fetch.date()) if fetch else _from_file(settings, file, day)
    _tell(read, as_json=as_json)


@hygiene.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
def export(file: str) -> None:
    """Write the numbers to ask the FCC's Reassigned Numbers Database about, with their dates.

    Two columns without a header: ten digits, and the last day on which the person was there.
    Numbers that were answered within 30 days are left out.
    """
    count = 0
    with (
        open_database() as settings,
        _open(settings) as connection,
        Path(file).open("w", newline="", encoding="ascii") as out,
    ):
        rows = csv.writer(out)
        for each in numbers.due(connection):
            rows.writerow([each.phone.removeprefix("+1"), each.alive_on.isoformat()])
            count += 1
    click.echo(f"{count} numbers to ask about are in {file}.")


@hygiene.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def import_(file: str, *, as_json: bool) -> None:
    """Read the answers: number, date, and yes, no or no_data. "yes" ends consent."""
    with (
        open_database() as settings,
        _open(settings) as connection,
        Path(file).open(newline="", encoding="utf-8-sig") as rows,
    ):
        shops = ShopCache(settings.public_base_url)
        read = reassigned(connection, shops, _answers(rows), Path(file).name)
    _tell(read, as_json=as_json)


def _fetched(settings: Settings, day: date) -> Read:
    if settings.simulator:
        raise EngineError("The simulator has no list of deactivated numbers; give a FILE.")
    try:
        with _open(settings) as connection:
            shops = ShopCache(settings.public_base_url)
            return feed.read_day(connection, shops, settings, day)
    except feed.FAILURES as error:
        raise EngineError("Twilio has no list of this day, or cannot be asked.") from error


def _from_file(settings: Settings, file: str | None, day: datetime | None) -> Read:
    assert file is not None
    assert day is not None
    with Path(file).open(encoding="utf-8-sig") as lines, _open(settings) as connection:
        listed = feed.numbers(lines)
        shops = ShopCache(settings.public_base_url)
        return deactivated(connection, shops, listed, day.date(), Path(file).name)


def _open(settings: Settings) -> Connection:
    assert settings.database_url is not None
    return connect(settings.database_url, "hygiene")


def _answers(rows: IO[str]) -> Iterator[Answered]:
    """The answers of a file; what cannot be read is named on stderr, by its line, and left out."""
    for line, row in enumerate(csv.reader(rows), 1):
        answer = _answer([field.strip() for field in row])
        if answer is not None:
            yield answer
        elif any(row) and line > 1:
            click.echo(f"Line {line} is no number, date and answer.", err=True)


def _answer(fields: Iterable[str]) -> Answered | None:
    phone, day, answer = None, None, None
    for field in fields:
        said = field.lower().replace(" ", "_")
        if said in set(Reassigned):
            answer = Reassigned(said)
        elif (found := _date(field)) is not None:
            day = found
        else:
            phone = phone or _phone(field)
    if phone is None or day is None or answer is None:
        return None
    return Answered(phone, day, answer)


def _date(field: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(field, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _phone(field: str) -> str | None:
    try:
        return parse(field, "US").e164
    except InvalidPhone:
        return None


def _tell(read: Read, *, as_json: bool) -> None:
    if as_json:
        told = {"numbers": read.numbers, "known": read.known, "lapsed": read.lapsed}
        json.dump(told, sys.stdout)
        click.echo()
        return
    click.echo(
        f"{read.numbers} numbers, {read.known} of them ours; {read.lapsed} subscriptions ended."
    )
