"""``assent erase`` and ``assent hold``: what a person may ask for, and what stands against it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from bot.engines.errors import EngineError
from keywords.consent import Method
from keywords.phone import AddressKind, InvalidPhone, address, parse
from storage import audit, holds
from storage.erasing import Erased, InCall, Outcome, Request, as_json
from storage.erasures import Ground
from storage.holds import HoldOrder
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import Work
from worker.rights import Rights

_NO: Final = 1
_NUMBER: Final = "NUMBER"


@contextmanager
def rights_work() -> Iterator[tuple[Settings, Work]]:
    """The settings, and one transaction on their database."""
    with open_database() as settings, working(settings.database_url) as work:
        yield settings, work


def number(written: str) -> str:
    """A number as it is held: E.164 as it is, any other as it is understood."""
    if address(written).kind is AddressKind.E164:
        return written
    try:
        return parse(written).e164
    except InvalidPhone as error:
        raise click.BadParameter(str(error), param_hint=_NUMBER) from None


def operator() -> str:
    """Who acts, as the ledger writes it."""
    return by_operator().replace("shell:", "operator:", 1)


@click.command("erase")
@click.argument("phone", metavar=_NUMBER)
@click.option("--reason", required=True, help="In your words; destroyed with everything else.")
@click.option(
    "--ground",
    type=click.Choice([str(g) for g in Ground if g is not Ground.RETENTION]),
    default=str(Ground.REQUEST),
    show_default=True,
    help="Why, from a closed list; kept for ever.",
)
@click.option(
    "--receipt",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the signed receipt to this file, for the person.",
)
@click.option("--json", "as_object", is_flag=True, help="Print the answer as a JSON object.")
def erase(phone: str, reason: str, ground: str, receipt: Path | None, as_object: bool) -> None:
    """Erase all that is held about NUMBER. This cannot be undone.

    What remains are entries of the ledger that name nobody, and a keyed hash on the suppression
    list. Exit code 1: a legal hold forbids it; the person is restricted until the hold ends.
    """
    request = Request(number(phone), operator(), Method.OPERATOR, reason, Ground(ground))
    with rights_work() as (settings, work):
        shops = ShopCache(settings.public_base_url)
        rights = Rights(settings.home, settings.phone_pepper, shops)
        try:
            erased = rights.erase(work.connection, request)
        except InCall:
            message = "A text to this number is being handed to the carrier; try again."
            raise EngineError(message) from None
        detail = {"outcome": str(erased.outcome), "ground": ground}
        subject = f"subscriber:{erased.ref or 'none'}"
        audit.record(work.session, by_operator(), "subscriber.erased", subject, detail)
    if receipt is not None and erased.receipt is not None:
        receipt.write_text(erased.receipt, encoding="ascii")
    click.echo(json.dumps(as_json(erased), indent=2) if as_object else _said(erased))
    if erased.outcome is Outcome.RESTRICTED:
        raise SystemExit(_NO)


def _said(erased: Erased) -> str:
    if erased.outcome is Outcome.NOTHING:
        return "Nothing is held about this number. It is on the suppression list now."
    if erased.outcome is Outcome.RESTRICTED:
        until = f"until {erased.held_until:%Y-%m-%d}" if erased.held_until else "until it is lifted"
        return f"A legal hold is in force {until}: restricted, to be erased when it ends."
    rows = sum(erased.removed.values())
    return f"Erased: {rows} rows in {len(erased.removed)} tables. Reference: {erased.ref}."


@click.group()
def hold() -> None:
    """Legal holds, which keep a person's data from erasure and retention."""


@hold.command("set")
@click.argument("phone", metavar=_NUMBER)
@click.option("--reason", required=True, help="Why; it is evidence in the person's ledger.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day, UTC; until it is lifted if left out.",
)
def set_hold(phone: str, reason: str, until: datetime | None) -> None:
    """Keep all that is held about NUMBER. Exit code 1: the number was never seen."""
    order = HoldOrder(
        number(phone), operator(), Method.OPERATOR, reason, _end_of(until.date()) if until else None
    )
    with rights_work() as (_, work):
        ref = holds.put(work.connection, order)
        if ref is not None:
            detail = {"until": until.date().isoformat() if until else None}
            _note(work, "hold.set", str(ref), detail)
    _unless_unknown(ref is not None)
    click.echo("Held.")


@hold.command("lift")
@click.argument("phone", metavar=_NUMBER)
@click.option("--reason", required=True, help="Why it ends.")
def lift_hold(phone: str, reason: str) -> None:
    """End every hold on NUMBER. An erasure that waited is done by the ticker within 15 minutes.

    Exit code 1: the number was never seen, or nothing was held.
    """
    order = HoldOrder(number(phone), operator(), Method.OPERATOR, reason)
    with rights_work() as (_, work):
        ref, lifted = holds.lift(work.connection, order)
        if lifted:
            _note(work, "hold.lifted", str(ref), {"holds": lifted})
    _unless_unknown(ref is not None)
    click.echo(f"Lifted: {lifted}.")
    if not lifted:
        raise SystemExit(_NO)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _note(work: Work, act: str, ref: str, detail: Mapping[str, object]) -> None:
    audit.record(work.session, by_operator(), act, f"subscriber:{ref}", detail)


def _unless_unknown(known: bool) -> None:
    if not known:
        click.echo("Nothing is held about this number.", err=True)
        raise SystemExit(_NO)
