"""``assent hygiene sunset``: pause marketing to people who never react."""

from __future__ import annotations

import json
from itertools import islice

import click

from bot.commands.context import open_database
from bot.engines.errors import EngineError
from storage.database import connect
from storage.shop import ShopCache, load_shop
from worker.sunset import Rule, pause, suggest

_SHOWN = 20


@click.command()
@click.argument("program")
@click.option("--days", type=click.IntRange(30), help="Default: the program's rule.")
@click.option("--texts", type=click.IntRange(1), help="Default: the program's rule.")
@click.option("--apply", "applies", is_flag=True, help="Pause them. Without it, only look.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def sunset(
    program: str, days: int | None, texts: int | None, *, applies: bool, as_json: bool
) -> None:
    """List who got TEXTS campaign texts of PROGRAM in DAYS days and reacted to nothing.

    No text of theirs, no tap on a link, no order. With --apply the program is paused for them,
    until they text its keyword or RESUME; their consent and its evidence stay as they are.
    """
    with open_database() as settings:
        assert settings.database_url is not None
        with connect(settings.database_url, "sunset") as connection:
            if program not in load_shop(connection).programs:
                raise EngineError("There is no such program.")
            kept = Rule.of(connection, program)
            rule = Rule(days or kept.days, texts or kept.texts)
            found = [each.phone for each in suggest(connection, program, rule)]
            shops = ShopCache(settings.public_base_url)
            paused = pause(connection, shops, program, rule) if applies else 0
    if as_json:
        click.echo(json.dumps({"found": len(found), "paused": paused, "phones": found}))
        return
    for phone in islice(found, _SHOWN):
        click.echo(phone)
    more = len(found) - _SHOWN
    click.echo(f"… and {more} more." if more > 0 else f"{len(found)} found.")
    click.echo(f"{paused} paused." if applies else "Nothing was changed; --apply pauses them.")
