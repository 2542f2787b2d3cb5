"""``assent program`` and ``assent sender``: set the shop up from files and at the shell."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final, NoReturn

import click
from pydantic import ValidationError

from bot.api.checks import program_errors, sender_errors
from bot.api.problems import FieldError, of_model
from bot.api.program_models import (
    NewProgram,
    NewSender,
    SenderAnswer,
    program_values,
    sender_answer,
)
from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from keywords.authority import KeywordAuthority
from storage import audit, shop
from storage.catalogue import ProgramRow
from storage.shop import KeywordTaken, save_program, save_sender
from storage.transaction import Work

_LARGEST_FILE: Final = 1024 * 1024
_FAULTY: Final = 1


class Unreadable(click.ClickException):
    """A file that holds no program."""

    exit_code = 2


@contextmanager
def _work() -> Iterator[Work]:
    with open_database() as settings, working(settings.database_url) as work:
        yield work


@click.group()
def program() -> None:
    """Programs: what people agree to."""


@program.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_programs(as_json: bool) -> None:
    """Show the programs."""
    with _work() as work:
        rows = shop.programs(work.session)
    if as_json:
        click.echo(_pretty([_program(row) for row in rows]))
        return
    for row in rows:
        words = ", ".join(row.body["keywords"])
        click.echo(
            f"{row.slug:20}  {row.sender:>15}  v{row.version:<3}  {words:24}  {row.body['name']}"
        )


@program.command("show")
@click.argument("slug")
def show_program(slug: str) -> None:
    """Print a program as JSON: what `assent program save` reads. Exit code 1: there is none."""
    with _work() as work:
        row = work.session.get(ProgramRow, slug)
    if row is None:
        raise click.ClickException("There is no program with this slug.")
    click.echo(_pretty(_program(row)))


@program.command("save")
@click.argument("file", type=click.File("rb"))
def save(file: IO[bytes]) -> None:
    """Publish the program in FILE (JSON or TOML, - for stdin), or its next version.

    Exit code 1: the program breaks a rule, each one is named; 2: FILE could not be read.
    """
    values = _read(file)
    values.pop("version", None)
    try:
        wanted = NewProgram.model_validate(values).made()
    except ValidationError as error:
        _refuse(of_model(error))
    with _work() as work:
        errors = program_errors(work.session, wanted)
        if errors:
            _refuse(errors)
        try:
            version = save_program(work.session, wanted)
        except KeywordTaken as error:
            _refuse([FieldError("keywords", str(error))])
        detail = {"version": version}
        audit.record(work.session, by_operator(), "program.saved", f"program:{wanted.slug}", detail)
    click.echo(f"{wanted.slug} is published at version {version}.")


@click.group()
def sender() -> None:
    """Senders: the numbers we text from."""


@sender.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_senders(as_json: bool) -> None:
    """Show the senders."""
    with _work() as work:
        answers = [sender_answer(row) for row in shop.senders(work.session)]
    if as_json:
        click.echo(_pretty([answer.model_dump(mode="json") for answer in answers]))
        return
    for answer in answers:
        click.echo(_line(answer))


@sender.command("save")
@click.option("--number", required=True, help="A short code, or a number in E.164.")
@click.option("--name", required=True)
@click.option("--kind", required=True, help="short_code, toll_free or long_code.")
@click.option(
    "--keyword-authority",
    default=KeywordAuthority.SELF,
    show_default=True,
    help=f"Who answers STOP and HELP: {', '.join(KeywordAuthority)}.",
)
@click.option("--segments-per-second", type=float, default=1.0, show_default=True)
def save_sender_(**given: Any) -> None:
    """Add a sender or change one. Exit code 1: it breaks a rule, each one is named."""
    try:
        model = NewSender.model_validate(given)
    except ValidationError as error:
        _refuse(of_model(error))
    wanted = model.definition(model.number)
    errors = sender_errors(wanted)
    if errors:
        _refuse(errors)
    with _work() as work:
        save_sender(work.session, wanted)
        detail = {"kind": wanted.kind, "name": wanted.name}
        audit.record(work.session, by_operator(), "sender.saved", f"sender:{wanted.number}", detail)
    click.echo(f"{wanted.number} is saved.")


def _program(row: ProgramRow) -> dict[str, Any]:
    return {"slug": row.slug, "version": row.version} | program_values(row)


def _line(answer: SenderAnswer) -> str:
    rate = f"{answer.segments_per_second:g}/s"
    authority = f"{answer.keyword_authority:16}"
    return f"{answer.number:>15}  {answer.kind:10}  {authority}  {rate:>6}  {answer.name}"


def _read(file: IO[bytes]) -> dict[str, Any]:
    data = file.read(_LARGEST_FILE)
    try:
        words = data.decode()
        values = json.loads(words) if words.lstrip().startswith("{") else tomllib.loads(words)
    except ValueError as error:
        raise Unreadable(f"The file is neither JSON nor TOML: {error}") from error
    if not isinstance(values, dict):
        raise Unreadable("The file does not hold one program.")
    return values


def _refuse(errors: Sequence[FieldError]) -> NoReturn:
    for error in errors:
        click.echo(f"{error.field}: {error.message}", err=True)
    raise SystemExit(_FAULTY)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
