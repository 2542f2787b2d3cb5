"""``assent opt-in`` and ``assent opt-out``: by hand, with a reason and what shows it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

import click
from pydantic import ValidationError

from bot.api.optin_models import NewOptIn
from bot.api.optins import only
from bot.api.problems import FieldError, Problem, of_model
from bot.claiming import understand
from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from keywords.consent import Method
from keywords.ledger import Json
from keywords.optin import OptInAnswer
from keywords.phone import AddressKind, InvalidPhone, address, parse
from storage import audit
from storage.catalogue import ProgramRow
from storage.claims import claim
from storage.refusals import Refusal, refuse
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import Work

LARGEST_FILE: Final = 256 * 1024
_LONGEST_TEXT: Final = 20_000
_NO: Final = 1
_SAID: Final = {
    OptInAnswer.ASKED: "is asked to confirm by text; only YES subscribes",
    OptInAnswer.WAITING: "has an open question, which was sent not long ago",
    OptInAnswer.SUBSCRIBED: "is subscribed already; nothing was changed",
    OptInAnswer.LIMITED: "was asked as often as a number may be; nothing was changed",
    OptInAnswer.SUPPRESSED: "left or must not be texted; they can text the keyword themselves",
}
_REFUSED: Final = frozenset({OptInAnswer.LIMITED, OptInAnswer.SUPPRESSED})


@contextmanager
def _work() -> Iterator[tuple[Settings, Work]]:
    with open_database() as settings, working(settings.database_url) as work:
        yield settings, work


@click.command("opt-in")
@click.argument("number")
@click.option("--program", required=True, help="The program's slug.")
@click.option("--reason", required=True, help="Why you enter it by hand.")
@click.option(
    "--evidence",
    required=True,
    metavar="FILE|TEXT",
    help="What shows the consent: a file (letter, mail, scan; at most 256 KiB), or words.",
)
@click.option("--language", type=click.Choice(["en", "es", "fr"]), help="Of the question.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a JSON object.")
def opt_in(
    number: str, program: str, reason: str, evidence: str, language: str | None, as_json: bool
) -> None:
    """Enter by hand that NUMBER agreed to a program. They are asked to confirm by text.

    Exit code 1: the number may not be asked, or a field is wrong.
    """
    file = _file(evidence)
    document = f"file {file['sha256']}" if file else _text(evidence)
    values = {
        "phone": number,
        "program": program,
        "method": "operator",
        "language": language,
        "evidence": {"reason": reason, "document": document},
    }
    try:
        wanted = NewOptIn.model_validate(values)
        with _work() as (settings, work):
            understood = understand(work.session, wanted, _actor(), {"by": _actor()})
            request = understood.request
            if file:
                request = replace(request, evidence={**request.evidence, "file": file})
            shops = ShopCache(settings.public_base_url)
            claimed = claim(work.connection, shops, settings.phone_pepper, request)
            subject = f"subscriber:{claimed.ref or 'none'}"
            detail = {"program": program, "method": "operator", "answer": claimed.answer}
            audit.record(work.session, by_operator(), "optin.claimed", subject, detail)
    except ValidationError as error:
        _complain(of_model(error))
    except Problem as problem:
        _complain(problem.errors)
    if as_json:
        answer = {"answer": claimed.answer, "state": claimed.state, "ref": str(claimed.ref or "")}
        click.echo(json.dumps(answer))
    else:
        click.echo(f"This number {_SAID[claimed.answer]}.")
    if claimed.answer in _REFUSED:
        raise SystemExit(_NO)


@click.command("opt-out")
@click.argument("number")
@click.option("--reason", required=True, help="How you heard of it.")
@click.option("--program", help="Only this program; everything if left out, as STOP does.")
@click.option("--evidence", metavar="FILE|TEXT", help="A file or words that go with it.")
def opt_out(number: str, reason: str, program: str | None, evidence: str | None) -> None:
    """End the texts of NUMBER, at once, because they said so elsewhere."""
    kept: dict[str, Json] = {"operator": {"who": by_operator(), "reason": reason}}
    if evidence is not None:
        file = _file(evidence)
        kept |= {"file": file} if file else {"document": _text(evidence)}
    with _work() as (settings, work):
        if program is not None and work.session.get(ProgramRow, program) is None:
            raise click.ClickException("There is no program with this slug.")
        choice = only(program) if program else None
        refusal = Refusal(_phone(number), _actor(), Method.OPERATOR, kept, choose=choice)
        shops = ShopCache(settings.public_base_url)
        refused = refuse(work.connection, shops, settings.phone_pepper, refusal)
        subject = f"subscriber:{refused.ref or 'none'}"
        detail = {"ended": list(refused.ended)}
        audit.record(work.session, by_operator(), "subscriber.opted_out", subject, detail)
    ended = ", ".join(refused.ended) or "nothing: they had left before"
    click.echo(f"Ended: {ended}.")


def _actor() -> str:
    return by_operator().replace("shell:", "operator:", 1)


def _phone(written: str) -> str:
    if address(written).kind is AddressKind.E164:
        return written
    try:
        return parse(written).e164
    except InvalidPhone as error:
        raise click.BadParameter(str(error), param_hint="NUMBER") from None


def _file(evidence: str) -> dict[str, Json] | None:
    """The file that ``evidence`` names, as the ledger keeps it; None where it is words.

    It is kept with the evidence and not among what was shown to everybody: it is about one
    person, and goes when they are erased.
    """
    path = Path(evidence) if len(evidence) < 500 and "\n" not in evidence else None
    if path is None or not path.is_file():
        return None
    content = path.read_bytes()
    if len(content) > LARGEST_FILE:
        message = f"The file is larger than {LARGEST_FILE // 1024} KiB."
        raise click.BadParameter(message, param_hint="--evidence")
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "base64": base64.b64encode(content).decode(),
    }


def _text(evidence: str) -> str:
    if not evidence.strip() or len(evidence) > _LONGEST_TEXT:
        message = f"Words have 1 to {_LONGEST_TEXT} characters."
        raise click.BadParameter(message, param_hint="--evidence")
    return evidence


def _complain(errors: Sequence[FieldError]) -> NoReturn:
    for error in errors:
        click.echo(f"{error.field}: {error.message}", err=True)
    raise SystemExit(_NO)
