"""``assent export``: all that is held about a person, for that person."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bot.commands.rights import number, rights_work
from bot.commands.storing import by_operator
from bot.handing_over import document, zipped
from storage import audit
from storage.access_export import as_json, held


@click.command("export")
@click.argument("phone", metavar="NUMBER")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file: .json, or .zip with a table for each section beside it.",
)
@click.option(
    "--reason", required=True, help="Why; kept in the audit log for ever, so name nobody."
)
def export(phone: str, out: Path, reason: str) -> None:
    """Write all that is held about NUMBER to a file that only you may read.

    Exit code 1: the number was never seen.
    """
    if out.suffix not in (".json", ".zip"):
        raise click.BadParameter("The file is called .json or .zip.", param_hint="--out")
    with rights_work() as (settings, work):
        found = held(work.connection, settings.phone_pepper, number(phone))
        if found is not None:
            subject = f"subscriber:{found.ref}"
            audit.record(
                work.session, by_operator(), "subscriber.exported", subject, {"reason": reason}
            )
    if found is None:
        click.echo("Nothing is held about this number.", err=True)
        raise SystemExit(1)
    export = as_json(found)
    _write(out, zipped(export) if out.suffix == ".zip" else document(export))
    rows = sum(map(len, found.sections.values()))
    click.echo(f"Written: {rows} rows in {sum(map(bool, found.sections.values()))} sections.")


def _write(out: Path, content: bytes) -> None:
    """Mode 0600 from the first byte on; a file that was there keeps its own."""
    descriptor = os.open(out, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
