"""A PostgreSQL of the bench's own, with every safety on, and a shop with many people in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from bot.bench.texts import SHORT_CODE
from bot.demo import load_if_empty
from bot.engines.postgres import EmbeddedPostgres
from storage import campaign_states
from storage.database import connect
from storage.migrate import upgrade
from storage.transaction import atomic

_PEOPLE: Final = """
WITH people AS (
    INSERT INTO subscribers (phone)
    SELECT '+1' || (ARRAY['212', '415', '312', '404', '617', '702'])[i %% 6 + 1]
           || (2000000 + i / 6)
    FROM generate_series(1, %(people)s::int) i RETURNING id
), placed AS (
    INSERT INTO profiles (subscriber_id, first_name, time_zone, place_source)
    SELECT id, 'Maria', %(zone)s::text, 'profile' FROM people WHERE %(profiles)s
)
INSERT INTO subscriptions (subscriber_id, program, state, prior, confirmed_at, method, version)
SELECT id, 'deals', 'subscribed', 'none', now() - interval '30 days', 'sms_keyword', 1 FROM people
"""
_CAMPAIGN: Final = """
INSERT INTO campaigns (name, program, sender, preset, created_by)
VALUES ('bench', 'deals', %s, 'federal', 'bench') RETURNING id
"""
_VARIANT: Final = """
INSERT INTO variants (campaign_id, number, label, body) VALUES (%s, %s, %s, %s)
"""
_BODY: Final = (
    "{{ brand }}: {{ first_name | default: 'Friend' }}, 20% off everything until Sunday night"
    " https://acme.example/sale"
)


@contextmanager
def postgres(*, fsync: bool = True) -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """The server and its home, gone at the end. Raises EngineError when it cannot run.

    A bench that only reads what it made first does not need ``fsync``.
    """
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # PostgreSQL runs as another user when we are root
        server = EmbeddedPostgres(home, fsync=fsync)
        server.start()
        try:
            yield server, home
        finally:
            server.stop()


def inherited() -> dict[str, str]:
    """What a process of the bench gets of our own environment."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}


def noon() -> str:
    """A time zone in which it is about noon, so that quiet hours hold nobody up."""
    ahead = (12 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


def shop(url: str, people: int, *, profiles: bool) -> None:
    """Migrate a database and fill it with so many subscribers, with or without profiles."""
    upgrade(url)
    load_if_empty(url)
    with psycopg.connect(url, autocommit=True) as connection:
        values = {"people": people, "zone": noon(), "profiles": profiles}
        connection.execute(_PEOPLE, values)
        connection.execute("UPDATE senders SET segments_per_second = 1000000")
        connection.execute("VACUUM ANALYZE")


def launch(url: str, variants: int = 2) -> int:
    """Launch a campaign to everybody; its number."""
    with connect(url, "bench") as connection, atomic(connection):
        ((number,),) = connection.execute(_CAMPAIGN, (SHORT_CODE,)).fetchall()
        for variant in range(variants):
            row = (number, variant, chr(ord("A") + variant), _BODY)
            connection.execute(_VARIANT, row)
        campaign_states.launch(connection, number)
    return int(number)
