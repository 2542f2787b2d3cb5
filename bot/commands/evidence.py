"""``assent evidence``: what shows a person's consent, as a zip that proves itself, or a receipt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from uuid import UUID

import click
import psycopg

from bot.commands.ledger_sealing import seal_patiently
from bot.commands.rights import number, operator, rights_work
from bot.commands.storing import by_operator
from bot.engines.errors import EngineError
from bot.evidence import records
from bot.evidence.exporting import NotOurs, Wanted, export, read
from bot.evidence.page import receipt_html
from storage import audit
from storage.database import Connection, connect
from storage.evidence import suppression
from storage.settings import Settings, SettingsError
from storage.signing import LedgerKey
from worker.sealing import TROUBLE, Sealer

_NO: Final = 1


@click.group()
def evidence() -> None:
    """Evidence of consent, for a court, an authority or the person."""


@evidence.command("export")
@click.argument("which", metavar="NUMBER")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The zip to write.",
)
@click.option("--reason", required=True, help="Why; it is in the export and in the audit log.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An older signed checkpoint; the zip then proves that this ledger continues it.",
)
def export_evidence(which: str, out: Path, reason: str, since: Path | None) -> None:
    """Write all that shows what NUMBER agreed to, was shown and was sent, into one zip.

    Of somebody who was erased give the reference that stands on the receipt of the erasure. Exit
    code 1: nothing is held, or not all of it can be proven yet.
    """
    older = since.read_text(encoding="utf-8") if since else None
    wanted = Wanted(_whom(which), operator(), reason, older)
    with rights_work() as (settings, work):
        _seal(settings)
        try:
            made = export(work.connection, settings.phone_pepper, LedgerKey(settings.home), wanted)
        except NotOurs as error:
            raise click.BadParameter(str(error), param_hint="--since") from None
        if made is None:
            _nothing(wanted, work.connection, settings.phone_pepper)
            raise SystemExit(_NO)
        _write(out, made.content)
        detail = {"reason": reason, "entries": made.entries}
        audit.record(
            work.session, by_operator(), "evidence.exported", f"subscriber:{made.subject}", detail
        )
    click.echo(f"{made.entries} entries of {made.subject}: {out}", err=True)
    if made.unsealed:
        click.echo(f"Not sealed yet, so not proven: {made.unsealed}.", err=True)
        raise SystemExit(_NO)


@evidence.command("receipt")
@click.argument("which", metavar="NUMBER")
@click.argument("program")
@click.option(
    "--as", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True
)
def receipt(which: str, program: str, form: str) -> None:
    """Print the receipt of NUMBER's consent to PROGRAM, for the person.

    As one text message, as JSON-LD in the form of ISO/IEC TS 27560, or as a page. Exit code 1:
    they never agreed to it.
    """
    wanted = Wanted(_whom(which), operator(), "receipt")
    with rights_work() as (settings, work):
        found = read(work.connection, settings.phone_pepper, wanted)
        try:
            made = records.receipt(found[0], program) if found else None
        except records.NoConsent:
            made = None
        if found and made:
            subject = f"subscriber:{found[0]['person']['ref']}"
            audit.record(
                work.session, by_operator(), "evidence.receipt", subject, {"program": program}
            )
    if made is None:
        click.echo("There is no consent of this number to this program.", err=True)
        raise SystemExit(_NO)
    if form == "text":
        click.echo(records.summary(made))
    else:
        click.echo(
            json.dumps(made, indent=2, ensure_ascii=False) if form == "json" else receipt_html(made)
        )


def _whom(which: str) -> str | UUID:
    try:
        return UUID(which)
    except ValueError:
        return number(which)


def _seal(settings: Settings) -> None:
    """Seal what waits, so that all of it can be proven; what cannot be is said afterwards."""
    assert settings.database_url is not None
    with connect(settings.database_url, "evidence") as connection:
        try:
            seal_patiently(Sealer(settings), connection)
        except (psycopg.OperationalError, SettingsError):
            raise
        except TROUBLE as error:
            click.echo(f"The ledger was not sealed: {type(error).__name__}.", err=True)


def _nothing(wanted: Wanted, connection: Connection, pepper: str) -> None:
    click.echo("Nothing is held about this number.", err=True)
    if isinstance(wanted.which, str):
        listed = suppression(connection, pepper, wanted.which)
        if listed:
            click.echo(
                f"It is on the suppression list since {listed['since']} ({listed['reason']}): a"
                " keyed hash is all that is left, so that nobody brings it back.",
                err=True,
            )


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise EngineError(f"The file cannot be written: {error.strerror}.") from None
