"""What the doctor says about settings and servers."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from bot import prepared
from bot.demo import load_if_empty
from bot.doctor import examine_rules, examine_servers, examine_settings
from storage import checks, migrate
from storage.database import connect
from storage.settings import Settings
from tests.worker.scene import ANNA, Scene
from worker.policy import hours


@pytest.fixture
def real(settings: Settings) -> Settings:
    """Settings for a real carrier and a public address."""
    return replace(settings, simulator=False, public_base_url="https://text.example.com")


@pytest.mark.parametrize(
    ("base", "ok", "words"),
    [
        ("https://text.example.com/sms", True, "Twilio calls https://text.example.com/sms"),
        ("http://text.example.com", False, "not https"),
        ("https://localhost:8000", False, "Twilio cannot reach"),
        ("http://127.0.0.1:8000", False, "Twilio cannot reach"),
    ],
)
def test_an_address_must_be_one_that_twilio_can_call(
    real: Settings, base: str, words: str, *, ok: bool
) -> None:
    """Valid, and of no use, is not well."""
    [finding] = examine_settings(replace(real, public_base_url=base))
    assert finding.ok is ok
    assert words in finding.sentence


def test_the_simulator_needs_no_public_address(settings: Settings) -> None:
    """It calls this machine."""
    [finding] = examine_settings(replace(settings, public_base_url="http://127.0.0.1:8000"))
    assert finding.ok


def findings(settings: Settings, *, clock_ahead: float = 0) -> dict[str, tuple[bool, str]]:
    """What was found, by subject."""
    found = examine_servers(settings, lambda: time.time() + clock_ahead)
    return {finding.subject: (finding.ok, finding.sentence) for finding in found}


@pytest.fixture
def served(settings: Settings, database_url: str, redis_url: str) -> Settings:
    """Settings with servers that are well."""
    return replace(settings, database_url=database_url, redis_url=redis_url)


def test_all_is_well(served: Settings) -> None:
    """Four things, each with its sentence."""
    found = findings(served)
    assert list(found) == ["postgresql", "migrations", "clock", "valkey"]
    assert all(ok for ok, _ in found.values())


def test_a_clock_that_differs_is_named(served: Settings) -> None:
    """By how much, and what to do."""
    ok, sentence = findings(served, clock_ahead=-60)["clock"]
    assert not ok
    assert sentence.startswith("differs from PostgreSQL's by 60 s")


def test_an_old_schema_is_named(served: Settings, database_url: str) -> None:
    """With the command that helps."""
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    ok, sentence = findings(served)["migrations"]
    assert not ok
    assert sentence.endswith("is needed; run assent migrate")
    assert not prepared.is_migrated(database_url)


def test_servers_that_are_away_are_named(served: Settings) -> None:
    """Both, though the first is away already."""
    away = replace(
        served, database_url="postgresql://127.0.0.1:1/x", redis_url="redis://127.0.0.1:1"
    )
    found = findings(away)
    assert set(found) == {"postgresql", "valkey"}
    assert not any(ok for ok, _ in found.values())


def test_a_fresh_database_is_migrated_and_empty(database_url: str) -> None:
    """The quick look at each start agrees with Alembic."""
    assert prepared.newest_revision() == migrate.newest()
    assert prepared.is_migrated(database_url)
    assert not prepared.has_senders(database_url)


def test_a_database_without_schema_is_neither(database_url: str) -> None:
    """Which is no error."""
    with psycopg.connect(database_url) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("DROP TABLE senders CASCADE")
    assert not prepared.is_migrated(database_url)
    assert not prepared.has_senders(database_url)


def test_entries_that_are_not_sealed_in_time_are_named(served: Settings, database_url: str) -> None:
    """And so are faults of the last verification, until one finds none."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        Scene(connection).hear(ANNA, "HELP")
        assert "ledger" not in findings(served)
        checks.note(connection, checks.LEDGER, ok=False)
        ok, sentence = findings(served)["ledger"]
        assert not ok
        assert "found faults" in sentence
        checks.note(connection, checks.LEDGER, ok=True)
        assert "ledger" not in findings(served)


def test_rules_that_nobody_has_read_again_are_named() -> None:
    """From the day after the review was due."""
    assert [finding.ok for finding in examine_rules(hours.REVIEW_BY)] == [True]
    [finding] = examine_rules(hours.REVIEW_BY + timedelta(days=1))
    assert not finding.ok
    assert str(hours.REVIEW_BY) in finding.sentence
