"""What ``assent doctor`` looks at, and what it says about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

import psycopg
import redis

from bot.engines.home import reason
from storage import checks, coupon_pools, form_asks, migrate, sealing, shopify
from storage.database import connect
from storage.settings import Settings
from worker.policy import hours
from worker.sealing import LAG

CLOCK_SKEW_S: Final = 2.0
_MOST_NAMED: Final = 20
_MOST_COUNTED: Final = 10_000
_LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: is it well, and a sentence about it."""

    subject: str
    ok: bool
    sentence: str


def well(subject: str, sentence: str) -> Finding:
    """Nothing to do here."""
    return Finding(subject, ok=True, sentence=sentence)


def unwell(subject: str, sentence: str) -> Finding:
    """Something to do."""
    return Finding(subject, ok=False, sentence=sentence)


def examine_settings(settings: Settings) -> list[Finding]:
    """Settings that are valid, and still cannot work together."""
    if settings.simulator:
        return [well("settings", "no Twilio credentials, so the simulator is the carrier")]
    parts = urlsplit(settings.public_base_url)
    if parts.hostname in _LOCAL_HOSTS:
        sentence = "PUBLIC_BASE_URL is this machine's own address, which Twilio cannot reach"
        return [unwell("settings", sentence)]
    if parts.scheme != "https":
        sentence = "PUBLIC_BASE_URL is not https, so texts would cross the network in the clear"
        return [unwell("settings", sentence)]
    return [well("settings", f"Twilio calls {settings.public_base_url}")]


def examine_rules(today: date) -> list[Finding]:
    """Rules that follow the law, and were not compared with it for too long."""
    if hours.is_stale(today):
        sentence = f"was to be compared with the laws again by {hours.REVIEW_BY}"
        return [unwell("quiet hours", f"the table {sentence}; update to a newer version of Assent")]
    sentence = f"the table was compared with the laws on {hours.CHECKED_ON}"
    return [well("quiet hours", f"{sentence}, and is to be again by {hours.REVIEW_BY}")]


def examine_servers(settings: Settings, clock: Callable[[], float]) -> list[Finding]:
    """PostgreSQL, its schema, its clock beside ``clock`` (seconds since 1970), and Valkey."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    try:
        with psycopg.connect(settings.database_url, connect_timeout=5) as connection:
            found = [_version(connection), _clock(connection, clock)]
    except psycopg.OperationalError as error:
        found = [unwell("postgresql", f"does not answer ({reason(error)})")]
    else:
        schema = _schema(settings.database_url)
        found.insert(1, schema)
        if schema.ok:
            found += _coupons(settings.database_url)
            found += _shopify(settings)
            found += _breakers(settings.database_url)
            found += _ledger(settings.database_url)
    return [*found, _valkey(settings.redis_url)]


def _version(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    version = connection.info.server_version // 10_000
    return well("postgresql", f"PostgreSQL {version} answers")


def _clock(
    connection: psycopg.Connection[tuple[object, ...]], clock: Callable[[], float]
) -> Finding:
    before = clock()
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    skew = abs(float(str(row[0])) - (before + clock()) / 2)
    if skew > CLOCK_SKEW_S:
        sentence = f"differs from PostgreSQL's by {skew:.0f} s; set both machines' clocks by NTP"
        return unwell("clock", sentence)
    return well("clock", f"within {skew:.2f} s of PostgreSQL's")


def _schema(url: str) -> Finding:
    found, needed = migrate.current(url), migrate.newest()
    if found == needed:
        return well("migrations", f"the schema is at {found}")
    have = "no schema" if found is None else f"the schema {found}"
    return unwell("migrations", f"{have} where {needed} is needed; run assent migrate")


def _coupons(url: str) -> Iterator[Finding]:
    """The pools that programs hand out codes of; a shop without coupons hears nothing."""
    with connect(url, "doctor") as connection:
        stocks = [stock for stock in coupon_pools.stocks(connection) if stock.programs]
    for stock in stocks:
        left = f"the pool {stock.pool} has {stock.free} codes left"
        if stock.low:
            told = f", and {stock.missed} who confirmed got none" if stock.missed else ""
            sentence = f"{left}, fewer than {stock.low_water}{told}; run assent coupon add"
            yield unwell("coupons", sentence)
        else:
            yield well("coupons", left)


def _shopify(settings: Settings) -> Iterator[Finding]:
    """Shops on the list need a secret that their webhooks are checked with."""
    assert settings.database_url is not None
    with connect(settings.database_url, "doctor") as connection:
        shops = shopify.shops(connection)
    if shops and not settings.shopify_webhook_secrets:
        sentence = "shops are on the list, but SHOPIFY_WEBHOOK_SECRET is not set"
        yield unwell("shopify", sentence)
    elif shops:
        yield well("shopify", f"webhooks of {', '.join(shop.domain for shop in shops)} are taken")


def _breakers(url: str) -> Iterator[Finding]:
    """Forms that are stopped because hardly anybody answers; in peace nothing is said."""
    with connect(url, "doctor") as connection:
        tripped = form_asks.standing(connection, _MOST_NAMED)
    if tripped:
        sentence = f"hardly anybody answers YES, so these are stopped: {_named(tripped)}"
        yield unwell("forms", f"{sentence}; see the runbook, Somebody pumps the form")


def _ledger(url: str) -> Iterator[Finding]:
    """Entries that are not sealed in time, and faults that were found; in peace nothing is said."""
    with connect(url, "doctor") as connection:
        waiting = sealing.waiting(connection, _MOST_COUNTED)
        verified = checks.find(connection, checks.LEDGER)
    if waiting.oldest is not None and waiting.oldest > LAG:
        age = f"{waiting.oldest.total_seconds() / 60:.0f} minutes"
        many = "or more " if waiting.entries == _MOST_COUNTED else ""
        sentence = f"{waiting.entries} {many}entries are not sealed, the oldest for {age}"
        yield unwell("ledger", f"{sentence}; is the ticker there, and does a transaction not end?")
    if verified is not None and not verified.ok:
        sentence = f"the verification of {verified.at:%Y-%m-%d %H:%M} UTC found faults"
        yield unwell("ledger", f"{sentence}; see the runbook, Ledger verification failed")


def _named(tripped: list[form_asks.Standing]) -> str:
    return ", ".join(each.key for each in tripped)


def _valkey(url: str) -> Finding:
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            server = client.info("server")
    except redis.RedisError as error:
        return unwell("valkey", f"does not answer ({reason(error)})")
    if "valkey_version" in server:
        return well("valkey", f"Valkey {server['valkey_version']} answers")
    return well("valkey", f"Redis {server.get('redis_version')} answers")
