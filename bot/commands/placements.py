"""``assent placement``: where a program is shown, at the shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from bot.api.placement_models import NewPlacement, placement_answer, written
from bot.api.placements import refuse_undrawable
from bot.api.problems import Problem, of_model
from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from bot.posters.delivery import NoPlacement, NoProgram, Retired, deliver
from bot.posters.design import Format, Mode, Size
from bot.posters.layout import DoesNotFit
from bot.posters.orders import Undrawable, read_order
from keywords.placements import Channel
from keywords.replies import LANGUAGES
from storage import audit, placements
from storage.catalogue import ProgramRow
from storage.placements import PlacementRow
from storage.transaction import Work


def _choices(kind: type[StrEnum]) -> click.Choice[str]:
    """The values of an enumeration, as somebody types them."""
    return click.Choice([choice.value for choice in kind])


@contextmanager
def _work() -> Iterator[Work]:
    with open_database() as settings, working(settings.database_url) as work:
        yield work


@click.group()
def placement() -> None:
    """Placements: the posters and links where people meet a program."""


@placement.command("add")
@click.argument("program")
@click.argument("label")
@click.option("--store", help="The store's number or name.")
@click.option("--channel", type=_choices(Channel), default="poster", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", help="Of the words below.")
@click.option("--headline", help="The first line of the poster.")
@click.option("--offer", help="The line below it.")
@click.option("--json", "as_json", is_flag=True, help="Print the placement as JSON.")
def add(
    program: str,
    label: str,
    *,
    store: str | None,
    channel: str,
    language: str,
    headline: str | None,
    offer: str | None,
    as_json: bool,
) -> None:
    """Add a placement of PROGRAM called LABEL, and print its code.

    Exit code 1: there is no such program, or the words cannot be printed.
    """
    words = {"headline": headline, "offer": offer} if headline or offer else None
    given: dict[str, Any] = {"label": label, "store": store, "channel": channel}
    if words:
        given["wording"] = {language: words}
    try:
        wanted = NewPlacement.model_validate(given)
        refuse_undrawable(wanted.wording)
    except (ValidationError, Problem) as error:
        errors = of_model(error) if isinstance(error, ValidationError) else error.errors
        raise click.ClickException("; ".join(f"{e.field}: {e.message}" for e in errors)) from None
    with _work() as work:
        _known(work, program)
        row = placements.add(
            work.session,
            program,
            wanted.label,
            store=wanted.store,
            channel=wanted.channel,
            wording=written(wanted.wording),
        )
        detail = {"program": program, "label": row.label}
        audit.record(
            work.session, by_operator(), "placement.created", f"placement:{row.code}", detail
        )
        answer = _shown(work, program, [row])[0]
    click.echo(_pretty(answer) if as_json else answer["code"])


@placement.command("list")
@click.argument("program")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_placements(program: str, *, as_json: bool) -> None:
    """Show the placements of PROGRAM, and which works. Exit code 1: there is no such program."""
    with _work() as work:
        _known(work, program)
        answers = _shown(work, program, list(_every(work, program)))
    if as_json:
        click.echo(_pretty(answers))
        return
    for answer in answers:
        figures = "  ".join(f"{answer[name]:>5} {name}" for name in ("scans", "asked", "confirmed"))
        ended = "  (retired)" if answer["retired_at"] else ""
        click.echo(f"{answer['code']:6}  {figures}  {answer['label']}{ended}")


@placement.command("retire")
@click.argument("code")
def retire(code: str) -> None:
    """Make no more posters for CODE. Those that hang go on working. Exit code 1: there is none."""
    with _work() as work:
        row = placements.find(work.session, code)
        if row is None:
            raise click.ClickException("There is no placement with this code.")
        placements.change(work.session, row, {"retired": True})
        detail = {"fields": ["retired"]}
        audit.record(
            work.session, by_operator(), "placement.changed", f"placement:{row.code}", detail
        )


@placement.command("poster")
@click.argument("code")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--size", type=_choices(Size), default="a4", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), help="Else the program's.")
@click.option("--mode", type=_choices(Mode), help="Else the page, where its address is https.")
@click.option("--marks", is_flag=True, help="Bleed and crop marks for a print shop (PDF).")
def poster(code: str, file: Path, *, marks: bool, **chosen: str | None) -> None:
    """Write the poster of CODE to FILE: .pdf, .png or .svg.

    Exit code 1: there is no such placement, it is retired, or the words do not fit.
    """
    kind = file.suffix.lstrip(".").lower()
    if kind not in list(Format):
        raise click.UsageError("FILE must end in .pdf, .png or .svg.")
    order = read_order({k: v for k, v in chosen.items() if v} | {"marks": "yes" if marks else "no"})
    with open_database() as settings:
        with working(settings.database_url) as work:
            row = placements.find(work.session, code)
            program = row.program if row else ""
        try:
            delivered = deliver(
                lambda: working(settings.database_url),
                settings.link_base_url,
                program,
                code,
                order,
                Format(kind),
            )
        except (NoProgram, NoPlacement):
            raise click.ClickException("There is no placement with this code.") from None
        except Retired:
            raise click.ClickException("This placement is retired.") from None
        except (DoesNotFit, Undrawable) as error:
            raise click.ClickException(str(error)) from None
    file.write_bytes(delivered.content)
    click.echo(f"{file} is written.", err=True)


def _known(work: Work, program: str) -> None:
    if work.session.get(ProgramRow, program) is None:
        raise click.ClickException("There is no program with this slug.")


def _every(work: Work, program: str) -> Iterator[PlacementRow]:
    after = None
    while rows := placements.page(work.session, program, after):
        yield from rows
        after = rows[-1].code


def _shown(work: Work, program: str, rows: list[PlacementRow]) -> list[dict[str, Any]]:
    keyword = work.session.get_one(ProgramRow, program).body["keywords"][0]
    found = placements.results(work.connection, [row.code for row in rows])
    return [placement_answer(row, keyword, found[row.code]).model_dump(mode="json") for row in rows]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
