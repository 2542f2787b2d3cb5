"""``assent migrate`` and ``assent demo``: what a database needs before the service starts."""

from __future__ import annotations

import click

from bot.commands.context import open_database
from bot.commands.servers import open_servers
from bot.commands.storing import working
from bot.demo import load_if_empty
from bot.demo_key import ensure_key
from bot.engines.home import require_database
from storage import migrate as migrations


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    with open_servers(needs_redis=False) as settings:
        assert settings.database_url is not None
        require_database(settings.database_url)
        migrations.upgrade(settings.database_url)
    click.echo(f"The database is at {migrations.newest()}.")


@click.command()
def demo() -> None:
    """Load the demo shop into a database that has no senders yet.

    With the simulator, its shop page gets a key of the API as well.
    """
    with open_database() as settings:
        assert settings.database_url is not None
        loaded = load_if_empty(settings.database_url)
        if settings.simulator:
            with working(settings.database_url) as work:
                ensure_key(work, settings.home)
    click.echo("The demo shop is loaded." if loaded else "There are senders already; nothing done.")
