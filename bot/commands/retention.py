"""``assent retention``: what is kept how long, what is due, and letting go of it now."""

from __future__ import annotations

import json
from typing import Any, Final

import click

from bot.commands.context import open_database
from storage.database import connect
from storage.shop import ShopCache
from worker.retention import RULES, VERSION, dry_run, run
from worker.rights import Rights

_FOR_EVER: Final = "for ever"


@click.command("retention")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what each rule would do.")
@click.option("--json", "as_object", is_flag=True, help="Print a JSON object.")
def retention(dry: bool, as_object: bool) -> None:
    """Let go of what was kept long enough, as the ticker does every hour.

    Nothing of a person under a legal hold. The rules are in worker/data/retention.toml.
    """
    with open_database() as settings:
        assert settings.database_url is not None
        with connect(settings.database_url, "retention") as connection:
            if dry:
                counts = dry_run(connection)
            else:
                shops = ShopCache(settings.public_base_url)
                counts = run(connection, Rights(settings.home, settings.phone_pepper, shops))
    told: list[dict[str, Any]] = [
        {
            "rule": rule.name,
            "kept_days": rule.kept.days if rule.kept else None,
            "from": rule.since,
            "about": rule.about,
            "due" if dry else "gone": counts.get(rule.name),
        }
        for rule in RULES
    ]
    if as_object:
        click.echo(json.dumps({"version": VERSION, "dry_run": dry, "rules": told}, indent=2))
        return
    for rule in RULES:
        kept = f"{rule.kept.days} days" if rule.kept else _FOR_EVER
        count = f"{counts[rule.name]:>9}" if rule.name in counts else f"{'-':>9}"
        click.echo(f"{rule.name:<20}{kept:>10}{count}  {rule.about}")
