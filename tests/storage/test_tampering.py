"""The tamper suite: every way in which history can be altered is found, and called by its name.

Reliability is argued by whoever attacks best: each case goes as far as its attacker can, and is
judged by ``assent ledger verify`` as a whole (docs/guides/compliance.md says who can do what).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.demo import load_if_empty
from keywords.checkpoint import VerifierKey
from keywords.turn import Text
from storage import conversation
from storage.checking import Findings, verify_ledger
from storage.checkpoints import log_id
from storage.conversation import Arrival
from storage.database import Connection, connect
from storage.published import file_name, publish, published
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from storage.tree_check import Trust
from tests.engines import Servers, cloned
from tests.storage.tampering import Forger, findings, names, republish, undone
from tests.storage.test_projection import ANNA, BEN, say
from tests.storage.test_sealing import bulk, seal_all, seal_some
from tests.texting import new_sid

CARL = "+14155550125"
OTHER_SEED = bytes(range(32))


@dataclass
class Sealed:
    """A ledger with three people, sealed and published at three sizes, and who may forge it."""

    connection: Connection
    forger: Forger
    key: VerifierKey
    folder: Path
    people: dict[str, UUID]

    @property
    def trust(self) -> Trust:
        """What an auditor has: the public key, and the directory that was published."""
        return Trust((self.key,), (self.folder,))

    def faults(self, trust: Trust | None = None) -> list[str]:
        """What the verification says now."""
        return names(findings(self.connection, self.trust if trust is None else trust))

    def execute(self, statement: str, *values: Any) -> None:
        """Alter something by hand."""
        assert self.connection.execute(statement, values or None).rowcount > 0, statement


@pytest.fixture(scope="module")
def made(engine_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """Made once: every case takes back what it did."""
    home = tmp_path_factory.mktemp("sealed")
    name = f"assent_tamper_{home.name.replace('-', '_')}_{id(home)}"
    with cloned(engine_servers.admin_url, name, engine_servers.template) as url:
        load_if_empty(url)
        key = LedgerKey(home)
        with connect(url, "test", role=None) as connection:
            say(connection, "JOIN", "YES")
            seal_all(connection, key)
            say(connection, "JOIN", "YES", "STOP", phone=BEN)
            say(connection, "WEEKLY")
            seal_all(connection, key)
            say(connection, "JOIN", phone=CARL)
            say(connection, "STOP")
            seal_all(connection, key)
            republish(connection, home / "checkpoints")
            people: dict[str, UUID] = dict(
                connection.execute("SELECT phone, ref FROM subscribers").fetchall()
            )
            log = log_id(connection)
            yield Sealed(
                connection,
                Forger(connection, key._seed),
                key.verifier_key(log),
                home / "checkpoints",
                people,
            )


@pytest.fixture
def ledger(made: Sealed, tmp_path: Path) -> Iterator[Sealed]:
    """The ledger, open for alteration, with a copy of the directory."""
    folder = tmp_path / "published"
    shutil.copytree(made.folder, folder)
    with undone(made.connection):
        yield replace(made, folder=folder)


def actor(fields: dict[str, Any]) -> dict[str, Any]:
    """A lie that no column repeats: somebody else did it."""
    return {**fields, "actor": "operator:eve"}


def test_an_untouched_ledger_has_no_fault(ledger: Sealed) -> None:
    """And everything was looked at."""
    found = findings(ledger.connection, ledger.trust)

    assert names(found) == []
    assert (found.tree.leaves, found.tree.unsealed) == (8, 0)
    assert found.tree.checkpoints == found.tree.published >= 3


def flip_a_bit(ledger: Sealed) -> None:
    """One bit of an entry, as a failing disk would."""
    ledger.execute(
        "UPDATE consent_events SET envelope = set_bit(envelope, 123, 1 - get_bit(envelope, 123))"
        " WHERE n = 2 AND subject = %s",
        ledger.people[BEN],
    )


def flip_a_bit_of_the_evidence(ledger: Sealed) -> None:
    """One bit of what somebody texted."""
    ledger.execute(
        "UPDATE consent_evidence SET evidence = set_bit(evidence, 99, 1 - get_bit(evidence, 99))"
    )


def delete(ledger: Sealed) -> None:
    """An entry, with the rest of its chain left as it was."""
    ledger.execute("DELETE FROM consent_events WHERE n = 2 AND subject = %s", ledger.people[BEN])


def delete_with_its_leaf(ledger: Sealed) -> None:
    """An entry and the leaf that stood for it."""
    ledger.execute(
        "DELETE FROM ledger_leaves l USING consent_events e WHERE e.event = l.event"
        " AND e.n = 2 AND e.subject = %s",
        ledger.people[BEN],
    )
    delete(ledger)


def swap_entries(ledger: Sealed) -> None:
    """Two entries of a person change places."""
    ledger.execute(
        "UPDATE consent_events SET n = -n WHERE n IN (1, 2) AND subject = %s", ledger.people[BEN]
    )
    ledger.execute("UPDATE consent_events SET n = 3 + n WHERE n < 0")


def swap_leaves(ledger: Sealed) -> None:
    """Two leaves change places."""
    ledger.execute("UPDATE ledger_leaves SET leaf = -1 - leaf WHERE leaf IN (2, 3)")
    ledger.execute("UPDATE ledger_leaves SET leaf = 6 + leaf WHERE leaf < 0")


def redate_the_column(ledger: Sealed) -> None:
    """When it happened, in the column that reports read."""
    ledger.execute("UPDATE consent_events SET occurred_at = occurred_at - interval '1 day'")


def redate_the_entry(ledger: Sealed) -> None:
    """When it happened, in the entry, its column, its hash and the current state."""
    ledger.forger.rewrite(
        ledger.people[CARL], 1, lambda f: {**f, "occurred_at": "2026-01-01T00:00:00.000000Z"}
    )
    ledger.execute(
        "UPDATE consent_events SET occurred_at = '2026-01-01Z' WHERE subject = %s",
        ledger.people[CARL],
    )
    ledger.execute(
        "UPDATE subscriptions SET asked_at = '2026-01-01Z' WHERE subscriber_id ="
        " (SELECT id FROM subscribers WHERE phone = %s)",
        CARL,
    )


def insert_a_copy(ledger: Sealed) -> None:
    """A STOP once more, behind the first, with a number from long ago."""
    ledger.execute(
        """
        INSERT INTO consent_events OVERRIDING SYSTEM VALUE
        SELECT (json_populate_record(e, json_build_object(
            'event', gen_random_uuid(), 'seq', -5, 'n', 4, 'prev', e.hash))).*
        FROM consent_events e WHERE n = 3 AND subject = %s
        """,
        ledger.people[BEN],
    )


def insert_and_fit(ledger: Sealed) -> None:
    """The same with an envelope, a hash and a chain that fit."""
    insert_a_copy(ledger)
    ((event,),) = ledger.connection.execute(
        "SELECT event FROM consent_events WHERE n = 4 AND subject = %s", (ledger.people[BEN],)
    ).fetchall()
    ledger.forger.rewrite(ledger.people[BEN], 4, lambda f: {**f, "n": 4, "event": str(event)})
    ledger.execute("UPDATE subscribers SET chain_n = 4 WHERE ref = %s", ledger.people[BEN])


def insert_a_leaf(ledger: Sealed) -> None:
    """A leaf that was never sealed."""
    ledger.execute("INSERT INTO ledger_leaves VALUES (8, gen_random_uuid(), sha256('x'))")


def exchange_a_leaf(ledger: Sealed) -> None:
    """A leaf that stands for something else."""
    ledger.execute("UPDATE ledger_leaves SET hash = sha256('x') WHERE leaf = 4")


def unseal(ledger: Sealed) -> None:
    """An entry that was sealed is made to look as if it never was."""
    ledger.execute("UPDATE ledger_checkpoints SET floor = 1000000")
    ledger.execute("DELETE FROM ledger_leaves WHERE leaf = 7")


def rewrite_a_chain(ledger: Sealed) -> None:
    """A whole chain, from the first entry to the end that the subscriber's row knows."""
    ledger.forger.rewrite(ledger.people[ANNA], 1, actor)


def rewrite_with_leaves(ledger: Sealed) -> None:
    """A whole chain, and the leaves."""
    rewrite_a_chain(ledger)
    ledger.forger.releaf()


def rewrite_with_roots(ledger: Sealed) -> None:
    """A whole chain, the leaves, and the roots beside the signatures."""
    rewrite_a_chain(ledger)
    ledger.forger.reroot()


def resign_with_a_wrong_key(ledger: Sealed) -> None:
    """All of it, signed by somebody else."""
    rewrite_a_chain(ledger)
    ledger.forger.resign(OTHER_SEED)


def resign_under_our_name(ledger: Sealed) -> None:
    """All of it, signed by somebody who claims to be us."""
    rewrite_a_chain(ledger)
    ledger.forger.resign(OTHER_SEED, ledger.key)


def resign_with_the_real_key(ledger: Sealed) -> None:
    """All of it, by an insider who holds the signing key."""
    rewrite_a_chain(ledger)
    ledger.forger.resign()


def truncate(ledger: Sealed) -> None:
    """Everything after the sixth leaf, with no trace in the database."""
    ledger.forger.cut(6)


def forget_all_sealing(ledger: Sealed) -> None:
    """Leaves and checkpoints, as if nobody had ever sealed."""
    for table in ("ledger_leaves", "ledger_checkpoints"):
        ledger.execute(f"DELETE FROM {table}")


def no_note(ledger: Sealed) -> None:
    """A checkpoint that is none."""
    ledger.execute("UPDATE ledger_checkpoints SET note = 'hello' WHERE size = 8")


def another_note(ledger: Sealed) -> None:
    """The signed note of another checkpoint."""
    ledger.execute(
        "UPDATE ledger_checkpoints SET note = (SELECT note FROM ledger_checkpoints WHERE size = 2)"
        " WHERE size = 8"
    )


SEALED_WRONG = "checkpoint 8: the leaves make another root than was signed"
CASES: list[tuple[Callable[[Sealed], None], list[str]]] = [
    (flip_a_bit, ["entry 2: the envelope was altered"]),
    (flip_a_bit_of_the_evidence, ["entry 1: the evidence was altered"]),
    (delete, ["entry 3: entry 2 is missing", ": the entry that it was made of is missing"]),
    (delete_with_its_leaf, ["entry 3: entry 2 is missing", ": is missing", SEALED_WRONG]),
    (swap_entries, ["entry 1: the envelope belongs to another place in the ledger"]),
    (swap_leaves, [SEALED_WRONG]),
    (redate_the_column, ["entry 1: the column occurred_at was altered"]),
    (redate_the_entry, ["was made of another entry than this"]),
    (insert_a_copy, ["entry 4: the envelope belongs to another place in the ledger"]),
    (insert_and_fit, ["entry 4: is older than the last checkpoint, and no leaf of it"]),
    (insert_a_leaf, ["leaf 8: is in no checkpoint", "leaf 8: the entry that it was made of"]),
    (exchange_a_leaf, ["leaf 4 was made of another entry than this", SEALED_WRONG]),
    (unseal, ["is older than the last checkpoint, and no leaf of it", "its tail was cut"]),
    (rewrite_a_chain, ["entry 1: leaf 0 was made of another entry than this"]),
    (rewrite_with_leaves, [SEALED_WRONG]),
    (rewrite_with_roots, ["checkpoint 8: its row says otherwise than what was signed"]),
    (resign_with_a_wrong_key, ["checkpoint 8: is signed by another key"]),
    (resign_under_our_name, ["checkpoint 8: its signature is wrong"]),
    (
        resign_with_the_real_key,
        ["000000000008.checkpoint: another history of this size was signed"],
    ),
    (
        truncate,
        ["000000000008.checkpoint: 8 entries were sealed, the ledger has 6: its tail was cut"],
    ),
    (forget_all_sealing, ["the ledger has 0: its tail was cut"]),
    (no_note, ["checkpoint 8: is no signed checkpoint"]),
    (another_note, ["checkpoint 8: its row says otherwise than what was signed"]),
]


@pytest.mark.parametrize(("alter", "expected"), CASES, ids=[alter.__name__ for alter, _ in CASES])
def test_each_alteration_is_called_by_its_name(
    ledger: Sealed, alter: Callable[[Sealed], None], expected: list[str]
) -> None:
    """However far the attacker goes, what does not hold is said, and where."""
    alter(ledger)

    said = ledger.faults()

    for words in expected:
        assert any(words in each for each in said), said


def test_without_the_published_directory_an_insider_is_not_found(ledger: Sealed) -> None:
    """Whoever owns database and key makes a history that fits itself: that is why one publishes."""
    resign_with_the_real_key(ledger)

    assert ledger.faults(Trust((ledger.key,))) == []


def test_a_tail_that_was_cut_shows_only_in_what_was_published(ledger: Sealed) -> None:
    """The projection of who was cut must be taken back too; then the database alone agrees."""
    truncate(ledger)
    ledger.execute(
        "UPDATE subscriptions SET state = 'subscribed', unsubscribed_at = NULL, method ="
        " 'sms_keyword' WHERE subscriber_id = (SELECT id FROM subscribers WHERE phone = %s)",
        ANNA,
    )
    ledger.execute(
        "DELETE FROM subscriptions WHERE subscriber_id ="
        " (SELECT id FROM subscribers WHERE phone = %s)",
        CARL,
    )

    assert ledger.faults(Trust((ledger.key,))) == []
    assert {each.partition(": ")[2] for each in ledger.faults()} == {
        "8 entries were sealed, the ledger has 6: its tail was cut"
    }


def test_two_published_histories_of_one_size_are_a_fork(ledger: Sealed, tmp_path: Path) -> None:
    """Each directory alone would do with its own database; together they convict."""
    resign_with_the_real_key(ledger)
    republish(ledger.connection, tmp_path / "elsewhere")

    said = ledger.faults(Trust((ledger.key,), (tmp_path / "elsewhere", ledger.folder)))

    assert any("another history of this size was signed as well" in each for each in said)
    assert any("the leaves make another root than was signed" in each for each in said)


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (lambda file: file.write_text("hello"), "is no signed checkpoint"),
        (lambda file: file.write_bytes(b"\xff\x00"), "is no signed checkpoint"),
        (lambda file: file.rename(file.with_name(file_name(9))), "its name does not fit its size"),
        (lambda file: publish(file.parent, 7, file.read_text()), "its name does not fit its size"),
        (lambda file: file.write_text(file.read_text().replace("\n8\n", "\n9\n")), "wrong"),
    ],
    ids=["text", "bytes", "renamed", "copied", "altered"],
)
def test_an_altered_publication_is_named(
    ledger: Sealed, alter: Callable[[Path], object], expected: str
) -> None:
    """Files can be tampered with as well; the signature tells which side is right."""
    alter(ledger.folder / file_name(8))

    (said,) = ledger.faults()

    assert expected in said
    assert str(ledger.folder) in said


def test_a_checkpoint_of_another_ledger_is_named(ledger: Sealed) -> None:
    """A directory that was mixed up with another installation's is no proof of anything."""
    ledger.execute("UPDATE ledger_log SET log = %s", UUID(int=7))

    assert "checkpoint 8: is a checkpoint of another ledger" in ledger.faults()


def test_a_second_identity_is_named(ledger: Sealed) -> None:
    """Whatever the entries say, nobody could tell whose they are."""
    ledger.connection.execute("COMMIT")
    try:
        ledger.execute("INSERT INTO ledger_log DEFAULT VALUES")
        assert every(ledger.connection, ledger.trust) == [
            "ledger_log: holds 2 identities, and a ledger has one"
        ]
    finally:
        ledger.execute(
            "DELETE FROM ledger_log WHERE created_at = (SELECT max(created_at) FROM ledger_log)"
        )
        ledger.connection.execute("BEGIN")


def test_an_altered_subtree_hash_is_named(database_url: str, tmp_path: Path) -> None:
    """Proofs are made of stored hashes, so each is compared with its leaves."""
    key = LedgerKey(tmp_path)
    with connect(database_url, "test", role=None) as connection:
        bulk(connection, 700)
        seal_all(connection, key)
        trust = Trust((key.verifier_key(log_id(connection)),))
        before = every(connection, trust)
        with undone(connection):
            connection.execute("UPDATE ledger_nodes SET hash = sha256('x') WHERE place = 1")
            connection.execute("INSERT INTO ledger_nodes VALUES (16, 0, sha256('y'))")
            said = names(findings(connection, trust))

    assert not any(each.startswith(("leaf", "checkpoint", "subtree")) for each in before)
    assert "subtree 8/1: its stored hash is not that of its leaves" in said
    assert "subtree 16/0: its stored hash is not that of its leaves" in said


def test_an_entry_that_commits_late_is_no_fault(database_url: str, tmp_path: Path) -> None:
    """Not while it is under way, not when it is committed after a checkpoint, not once sealed."""
    load_if_empty(database_url)
    key = LedgerKey(tmp_path)
    with connect(database_url, "a") as early, connect(database_url, "b") as late:
        trust = Trust((key.verifier_key(log_id(early)),))
        say(early, "JOIN")
        seal_some(early, key)
        with atomic(late):
            late.execute("SELECT pg_current_xact_id()")
            say(early, "YES")
            assert every(early, trust) == []
            say_inside(late)
            assert every(early, trust) == []
        assert every(early, trust) == []
        seal_all(early, key)

        assert every(early, trust) == []
        assert findings_of(early, trust).tree.leaves == 3


def say_inside(connection: Connection) -> None:
    """A text of Ben's within a transaction that goes on."""
    text = Text(new_sid(), BEN, "54321", "JOIN")
    conversation._exchange(connection, ShopCache(), [Arrival(text, BEN, b"")], None)


def every(connection: Connection, trust: Trust) -> list[str]:
    """All faults, as the command finds them."""
    return names(findings_of(connection, trust))


def findings_of(connection: Connection, trust: Trust) -> Findings:
    """The verification in a view of its own."""
    found = Findings()
    for _ in verify_ledger(connection, trust, found):
        pass
    return found


def test_published_files_are_read_in_any_number(ledger: Sealed) -> None:
    """Each directory counts, with every file in it."""
    found = findings(ledger.connection, Trust((ledger.key,), (ledger.folder,) * 2))

    assert found.tree.published == 2 * len(list(published(ledger.folder)))
