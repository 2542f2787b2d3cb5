"""A trial says what the import would say, and leaves everything as it was."""

from __future__ import annotations

import random

import pytest

from storage.suppression import SuppressionReason, phone_digest, suppress
from storage.transaction import atomic
from tests.storage.imports.conftest import PEPPER, Files, bare, claim

TABLES = (
    *("subscribers", "subscriptions", "consent_events", "consent_evidence", "disclosures"),
    *("messages", "waiting_questions", "profiles", "imports", "import_parts"),
    *("import_findings", "audit_log"),
)


def contents(files: Files) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table: files.scene.connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        for table in TABLES
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_trial_says_what_the_import_says(files: Files, seed: int) -> None:
    """Row for row, with people of every history, repeated rows, with proof and without."""
    chance, scene = random.Random(seed), files.scene
    phones = [f"+1415555{number:04d}" for number in range(40)]
    for phone in phones[:20]:
        words = chance.choices(["JOIN", "YES", "STOP", "COFFEE", "NO", "HELP"], k=3)
        scene.hear(phone, *words)
    with atomic(scene.connection) as connection:
        digests = [phone_digest(PEPPER, phone) for phone in phones[10:25:3]]
        suppress(connection, digests, SuppressionReason.OBJECTION, "test")
    rows = [
        chance.choice([claim, bare])(row, chance.choice(phones), program=program)
        for row, program in enumerate(chance.choices(["deals", "coffee"], k=120), start=2)
    ]
    batches = [rows[:30], rows[30:70], rows[70:]]
    before = contents(files)

    tried = files.try_out(*batches)

    assert contents(files) == before
    assert tried == files.bring(*batches)
    assert {"duplicate", "left_before", "suppressed", "source_missing"} <= set(tried.values())


def test_a_trial_that_is_begun_again_has_forgotten_the_first(files: Files) -> None:
    """Else every row would be a duplicate."""
    rows = [claim(2, "+14155550101"), claim(3, "+14155550102")]

    assert files.try_out(rows) == {}
    assert files.try_out(rows) == {}
