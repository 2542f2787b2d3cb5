"""The ledger cannot be altered by the application, nor by accident by anyone."""

from __future__ import annotations

import psycopg
import pytest

from bot.demo import load_if_empty
from keywords.ledger import verify
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import connect
from storage.ledger import chain_of
from storage.shop import ShopCache
from tests.texting import new_sid

SEALED = (
    *("consent_events", "disclosures", "program_versions", "audit_log", "ledger_log"),
    *("ledger_leaves", "ledger_nodes", "ledger_checkpoints"),
)
ATTEMPTS = {
    "update": "UPDATE {} SET {} = {}",
    "delete": "DELETE FROM {}",
    "truncate": "TRUNCATE {} CASCADE",
    "disable": "ALTER TABLE {} DISABLE TRIGGER ALL",
    "drop": "DROP TABLE {}",
}
COLUMN = {
    "consent_events": "change",
    "disclosures": "text",
    "program_versions": "version",
    "audit_log": "act",
    "ledger_log": "created_at",
    "ledger_leaves": "hash",
    "ledger_nodes": "hash",
    "ledger_checkpoints": "note",
}


@pytest.fixture
def told(database_url: str) -> str:
    """A database in which somebody has joined."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        for body in ("JOIN", "YES"):
            text = Text(new_sid(), "+14155550123", "54321", body)
            exchange(connection, ShopCache(), [Arrival(text, "+14155550123", b"")])
        connection.execute(
            "INSERT INTO audit_log (actor, act, subject, detail) VALUES ('a','b','c','{}')"
        )
        connection.execute("INSERT INTO ledger_leaves VALUES (0, gen_random_uuid(), '')")
        connection.execute("INSERT INTO ledger_nodes VALUES (8, 0, '')")
        connection.execute(
            "INSERT INTO ledger_checkpoints VALUES (1, '', '', '', now(), 0, 0, '3')"
        )
    return database_url


@pytest.mark.parametrize("table", SEALED)
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_application_may_not_alter_what_is_sealed(told: str, table: str, attempt: str) -> None:
    """The role assent_app has INSERT and SELECT there, and nothing else."""
    column = COLUMN[table]
    with connect(told, "test") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(ATTEMPTS[attempt].format(table, column, column))


@pytest.mark.parametrize("table", SEALED)
@pytest.mark.parametrize("attempt", ["update", "delete", "truncate"])
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_even_the_owner_is_stopped_by_the_triggers(
    told: str, table: str, attempt: str, role: str
) -> None:
    """Triggers are ENABLE ALWAYS, so pretending to be a replica does not help."""
    column = COLUMN[table]
    with connect(told, "test", role=None) as connection:
        connection.execute(f"SET session_replication_role = {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute(ATTEMPTS[attempt].format(table, column, column))


def test_evidence_may_not_be_altered(told: str) -> None:
    """Evidence can be destroyed by an erasure, never rewritten."""
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with connect(told, "test", role=None) as owner, refused:
        owner.execute("UPDATE consent_evidence SET salt = salt")
    with connect(told, "test") as application, refused:
        application.execute("DELETE FROM consent_evidence")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "UPDATE consent_events SET envelope = set_byte(envelope, 10, 65) WHERE n = 1",
            "the envelope was altered",
        ),
        (
            "UPDATE consent_evidence SET evidence = set_byte(evidence, 10, 65)",
            "the evidence was altered",
        ),
        ("DELETE FROM consent_events WHERE n = 1", "entry 1 is missing"),
        (
            "UPDATE consent_events SET evidence_digest = sha256('x') WHERE n = 1",
            "the evidence digest was altered",
        ),
        (
            "UPDATE consent_events SET prev = sha256('x') WHERE n = 2",
            "does not follow the entry before it",
        ),
    ],
    ids=["envelope", "evidence", "deleted", "digest", "rewired"],
)
def test_a_changed_byte_is_named_by_the_chain_check(told: str, statement: str, fault: str) -> None:
    """Somebody who owns the server can switch the triggers off; the hashes still tell."""
    with connect(told, "test", role=None) as connection:
        for table in ("consent_events", "consent_evidence"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        ((subject,),) = connection.execute("SELECT ref FROM subscribers").fetchall()
        assert verify(chain_of(connection.cursor(), subject)) == []

        connection.execute(statement)

        assert fault in {f.what for f in verify(chain_of(connection.cursor(), subject))}
