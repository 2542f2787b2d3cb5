"""``assent suppression``: lists of numbers that must not be texted, in and out."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final

import click

from bot.commands.context import open_database
from bot.commands.rights import operator, rights_work
from bot.commands.storing import by_operator, working
from keywords.importing.columns import BadColumns
from keywords.importing.numbers import Number, numbers, phone_column
from keywords.importing.shape import NotATable, sniff
from keywords.ledger import instant
from storage import audit
from storage.database import Connection
from storage.shop import ShopCache
from storage.suppressing import Suppressed, Taken, find, page, take_in

_BATCH: Final = 1_000
_SAMPLE: Final = 256 * 1024
_SHOWN: Final = 20
_COLUMNS: Final = ("digest", "reason", "source", "since")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_COUNTRY: Final = click.option(
    "--country", default="US", show_default=True, help="Whose national numbers are understood."
)


@click.group()
def suppression() -> None:
    """Numbers that nobody may bring back."""


@suppression.command("import")
@click.argument("file", type=_FILE)
@_COUNTRY
@click.option("--source", help="Where the list is from; the file's name if left out.")
@click.option("--json", "as_object", is_flag=True, help="Print the counts as a JSON object.")
def import_list(file: Path, country: str, source: str | None, as_object: bool) -> None:
    """Suppress the numbers in FILE (CSV of any shape), and opt out those who are subscribed.

    Of numbers that are not known only a keyed hash is kept. Exit code 1: some rows hold no number;
    the others count.
    """
    bad: list[Number] = []
    total, taken = 0, Taken()
    told = source or f"file:{file.name}"
    with open_database() as settings:
        shops = ShopCache(settings.public_base_url)
        for rows in _batches(_read(file, country)):
            phones = [row.phone for row in rows if row.phone]
            bad += [row for row in rows if row.phone is None]
            total += len(rows)
            with working(settings.database_url) as work:
                taken += take_in(
                    work.connection,
                    shops,
                    settings.phone_pepper,
                    phones,
                    source=told,
                    actor=operator(),
                )
            click.echo(f"{total} rows", err=True) if sys.stderr.isatty() else None
        counts = {
            "rows": total,
            "added": taken.added,
            "opted_out": taken.opted_out,
            "refused": len(bad),
        }
        with working(settings.database_url) as work:
            audit.record(
                work.session, by_operator(), "suppression.imported", "suppressions", counts
            )
    for row in bad[:_SHOWN]:
        click.echo(f"row {row.row}: {row.error}", err=True)
    click.echo(json.dumps(counts) if as_object else _said(counts))
    if bad:
        raise SystemExit(1)


@suppression.command("export")
@click.option("--numbers", "listed", type=_FILE, help="Say which of the numbers in this file are.")
@_COUNTRY
@click.option("--out", type=click.File("w", encoding="utf-8"), default="-")
def export_list(listed: Path | None, country: str, out: IO[str]) -> None:
    """Write the list as CSV: keyed hashes, or those numbers of a file that are on it."""
    writer = csv.writer(out)
    with rights_work() as (settings, work):
        if listed is None:
            writer.writerow(_COLUMNS)
            writer.writerows(_row(each) for each in _all(work.connection))
        else:
            writer.writerow(("phone", *_COLUMNS))
            for rows in _batches(_read(listed, country)):
                phones = [row.phone for row in rows if row.phone]
                found = find(work.connection, settings.phone_pepper, phones)
                writer.writerows((p, *_row(found[p])) for p in phones if p in found)
        detail = {"numbers": listed is not None}
        audit.record(work.session, by_operator(), "suppression.exported", "suppressions", detail)


def _all(connection: Connection) -> Iterator[Suppressed]:
    after = b""
    while rows := page(connection, after, _BATCH):
        yield from rows
        after = rows[-1].digest


def _row(each: Suppressed) -> tuple[str, str, str, str]:
    return each.digest.hex(), each.reason, each.source, instant(each.since)


def _batches(rows: Iterator[Number]) -> Iterator[list[Number]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _read(file: Path, country: str) -> Iterator[Number]:
    """The numbers of a file, whatever its encoding and its shape."""
    with file.open("rb") as opened:
        sample = opened.read(_SAMPLE)
        whole = not opened.read(1)
    try:
        shape, first = sniff(sample, whole=whole)
        column = phone_column(shape, first, country)
    except (NotATable, BadColumns) as error:
        raise click.BadParameter(str(error), param_hint="FILE") from None
    with file.open(encoding=shape.encoding, errors="replace", newline="") as lines:
        for _ in range(shape.skip):
            next(lines)
        records = shape.reader(lines)
        if shape.header:
            next(records)
        yield from numbers(records, column, country.upper())


def _said(counts: dict[str, int]) -> str:
    return (
        f"{counts['rows']} rows: {counts['added']} numbers were new on the list,"
        f" {counts['opted_out']} subscribers were opted out,"
        f" {counts['refused']} rows had no number."
    )
