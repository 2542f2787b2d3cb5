"""``assent drift``: where the carrier and the ledger disagree about who has opted out."""

from __future__ import annotations

import json

import click

from bot.commands.context import open_database
from storage.database import connect
from storage.drift import Drift, Kind, find

_ANSWER_IS_NO = 1
_SENTENCES = {
    Kind.REFUSED: "the carrier refuses texts since {at}, the ledger says {state}",
    Kind.TAKEN: "unsubscribed since {since}, the carrier took a text at {at}",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def drift(*, as_json: bool) -> None:
    """List numbers that the carrier blocks and the ledger does not, and the reverse.

    Exit code 0: they agree, 1: they do not.
    """
    count = 0
    with open_database() as settings:
        assert settings.database_url is not None
        with connect(settings.database_url, "drift") as connection:
            for each in find(connection):
                click.echo(json.dumps(_told(each)) if as_json else _sentence(each))
                count += 1
    if count:
        raise SystemExit(_ANSWER_IS_NO)
    click.echo("The carrier and the ledger agree.", err=True)


def _sentence(found: Drift) -> str:
    told = _told(found)
    return f"{found.phone} {found.program}: {_SENTENCES[found.kind].format(**told)}"


def _told(found: Drift) -> dict[str, str | None]:
    return {
        "phone": found.phone,
        "program": found.program,
        "sender": found.sender,
        "kind": str(found.kind),
        "state": found.state,
        "since": found.since.isoformat() if found.since else None,
        "at": found.at.isoformat(),
    }
