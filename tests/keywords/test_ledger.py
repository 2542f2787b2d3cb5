"""The ledger's canonical bytes and hashes, pinned, and the checker that names each fault."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.ledger import (
    GENESIS,
    Envelope,
    Json,
    Link,
    canonical,
    chain_hash,
    evidence_digest,
    instant,
    verify,
)

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("ledger_vectors.json").read_text(encoding="ascii")
)["entries"]
BY_CHANGE = [pytest.param(vector, id=vector["fields"]["change"]) for vector in VECTORS]
BYTE_FIELDS = ("envelope", "prev", "hash", "evidence_digest", "salt", "evidence")
ENVELOPE_KEYS = {
    *("v", "log", "subject", "n", "event", "change", "program", "program_version", "method"),
    *("actor", "before", "after", "occurred_at", "recorded_at", "message_sid", "terms"),
    "evidence",
}
# Moments of the years 1900 to 9900, to the microsecond.
MOMENTS = st.integers(0, 8_000 * 365 * 86_400 * 10**6).map(
    lambda us: datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


def envelope(vector: dict[str, Any]) -> Envelope:
    """The envelope that a vector describes."""
    fields = vector["fields"]
    moments = {
        name: datetime.fromisoformat(fields[name]) for name in ("occurred_at", "recorded_at")
    }
    identities = {name: UUID(fields[name]) for name in ("log", "subject", "event")}
    digest = bytes.fromhex(vector["evidence_digest"])
    return Envelope(**(fields | moments | identities), evidence_digest=digest)


def stored() -> list[Link]:
    """The vectors as the database holds them."""
    return [
        Link(
            UUID(vector["fields"]["subject"]),
            vector["fields"]["n"],
            bytes.fromhex(vector["envelope"]),
            bytes.fromhex(vector["prev"]),
            bytes.fromhex(vector["hash"]),
            bytes.fromhex(vector["evidence_digest"]),
            bytes.fromhex(vector["salt"]),
            bytes.fromhex(vector["evidence_canonical"]),
        )
        for vector in VECTORS
    ]


@pytest.mark.parametrize("vector", BY_CHANGE)
def test_an_envelope_has_the_bytes_that_are_pinned(vector: dict[str, Any]) -> None:
    """A change of form would make every old entry unverifiable."""
    assert envelope(vector).canonical().hex() == vector["envelope"]


@pytest.mark.parametrize("vector", BY_CHANGE)
def test_evidence_has_the_digest_that_is_pinned(vector: dict[str, Any]) -> None:
    """The digest covers the salt and the canonical evidence."""
    evidence = canonical(vector["evidence"])

    assert evidence.hex() == vector["evidence_canonical"]
    assert (
        evidence_digest(bytes.fromhex(vector["salt"]), evidence).hex() == vector["evidence_digest"]
    )


@pytest.mark.parametrize("vector", BY_CHANGE)
def test_an_entry_has_the_hash_that_is_pinned(vector: dict[str, Any]) -> None:
    """The hash covers the entry before and the envelope."""
    prev = bytes.fromhex(vector["prev"])

    assert chain_hash(prev, bytes.fromhex(vector["envelope"])).hex() == vector["hash"]


def test_the_vectors_can_be_checked_by_a_stranger() -> None:
    """Nothing but SHA-256 and a JSON reader is needed: none of our code takes part here."""
    prev = bytes(32)
    for n, vector in enumerate(VECTORS, start=1):
        data = bytes.fromhex(vector["envelope"])
        fields = json.loads(data)
        salted = bytes.fromhex(vector["salt"] + vector["evidence_canonical"])
        assert fields["n"] == n
        assert fields["evidence"] == hashlib.sha256(b"\x02" + salted).hexdigest()
        assert json.loads(bytes.fromhex(vector["evidence_canonical"])) == vector["evidence"]
        assert vector["prev"] == prev.hex()
        prev = hashlib.sha256(b"\x01" + prev + data).digest()
        assert vector["hash"] == prev.hex()


@pytest.mark.parametrize("vector", BY_CHANGE)
def test_an_envelope_names_no_person(vector: dict[str, Any]) -> None:
    """Erasure destroys the evidence and keeps the envelope, so no number or words may be in it."""
    fields = json.loads(bytes.fromhex(vector["envelope"]))

    assert set(fields) == ENVELOPE_KEYS
    assert "4155550123" not in json.dumps(fields)


def test_an_untouched_chain_has_no_fault() -> None:
    """The vectors verify."""
    assert verify(stored()) == []


def test_an_empty_chain_has_no_fault() -> None:
    """A person without entries is in order."""
    assert verify([]) == []


@given(st.sets(st.integers(0, len(VECTORS) - 1)))
def test_a_chain_verifies_after_its_evidence_was_erased(erased: set[int]) -> None:
    """Erasure of any part of the evidence, with its salt, leaves a chain that still proves."""
    chain = [
        replace(link, evidence=None, salt=None) if i in erased else link
        for i, link in enumerate(stored())
    ]

    assert verify(chain) == []


@given(st.integers(0, len(VECTORS) - 1), st.sampled_from(BYTE_FIELDS), st.integers(0), st.data())
def test_any_flipped_bit_is_named(at: int, field: str, position: int, data: st.DataObject) -> None:
    """Whatever byte is altered, the checker names the entry (or the one that follows it)."""
    chain = stored()
    value = bytearray(getattr(chain[at], field))
    if not value:
        return
    value[position % len(value)] ^= 1 << data.draw(st.integers(0, 7))
    altered: dict[str, Any] = {field: bytes(value)}
    chain[at] = replace(chain[at], **altered)

    faults = verify(chain)

    assert {fault.n for fault in faults} & {at + 1, at + 2}


@given(st.permutations(range(len(VECTORS))))
def test_entries_in_another_order_are_named(order: list[int]) -> None:
    """Only the true order is without fault."""
    links = stored()

    assert bool(verify([links[i] for i in order])) is (order != sorted(order))


@pytest.mark.parametrize("at", range(len(VECTORS) - 1))
def test_a_removed_entry_is_named(at: int) -> None:
    """The gap is found at the entry that should have followed."""
    chain = stored()
    del chain[at]

    faults = verify(chain)

    assert [(fault.n, fault.what) for fault in faults] == [(at + 2, f"entry {at + 1} is missing")]


def test_a_chain_cut_at_its_end_looks_whole_to_the_chain_alone() -> None:
    """Why the head is also kept with the subscriber: hashes cannot miss what never followed."""
    assert verify(stored()[:-1]) == []


def test_an_entry_moved_to_another_person_is_named() -> None:
    """The subject is part of what was hashed."""
    chain = stored()
    chain[0] = replace(chain[0], subject=UUID(int=7))

    assert [fault.what for fault in verify(chain)] == [
        "the envelope belongs to another place in the ledger"
    ]


def test_a_rewritten_entry_breaks_the_next_one() -> None:
    """Whoever recomputes one hash must recompute every later one."""
    chain = stored()
    data = chain[0].envelope.replace(b"optin_requested", b"optin_confirmed")
    chain[0] = replace(chain[0], envelope=data, hash=chain_hash(GENESIS, data))

    assert [(f.n, f.what) for f in verify(chain)] == [(2, "does not follow the entry before it")]


def test_an_envelope_that_is_no_json_is_named() -> None:
    """A damaged entry is a fault, not a crash of the checker."""
    chain = stored()
    chain[0] = replace(chain[0], envelope=b"{")

    assert "the envelope is not readable" in {fault.what for fault in verify(chain)}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON)
def test_canonical_bytes_are_ascii_without_white_space_and_lose_nothing(value: Json) -> None:
    """One value, one byte form, readable by any JSON reader."""
    data = canonical(value)

    assert json.loads(data) == value
    assert canonical(json.loads(data)) == data
    assert data.isascii()


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    """Keys are sorted, so two writers agree."""
    backwards = cast("dict[str, Json]", dict(reversed(value.items())))

    assert canonical(backwards) == canonical(cast("dict[str, Json]", value))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_has_no_json_form_is_refused(value: float) -> None:
    """Not-a-number has no canonical form."""
    with pytest.raises(ValueError, match="JSON"):
        canonical(cast("Json", value))


@given(MOMENTS, st.integers(-14, 14))
def test_a_moment_is_written_in_utc_to_the_microsecond(moment: datetime, hours: int) -> None:
    """The zone it came in does not change its form."""
    written = instant(moment.astimezone(timezone(timedelta(hours=hours))))

    assert written == instant(moment)
    assert datetime.fromisoformat(written) == moment
    assert len(written) == len("2026-11-23T12:00:00.000000Z")
