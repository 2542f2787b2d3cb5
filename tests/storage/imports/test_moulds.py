"""What is cast by the thousand is, byte for byte, what the ordinary way makes of one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.importing.claims import Claim, Profile
from keywords.importing.evidence import EvidenceWriter, Filing
from keywords.ledger import GENESIS, canonical, instant
from keywords.optin import Asked
from keywords.people import Person
from storage import ledger
from storage.copying import field, moment, text_field
from storage.imports.judging import judge
from storage.imports.moulds import written
from storage.ledger import Chain
from storage.shop import load_shop
from tests.storage.imports.conftest import Files, bare, claim
from tests.storage.imports.test_batch import set_minimum_age
from tests.worker.scene import ANNA

KINDS = [
    pytest.param(claim(2, ANNA), id="whole"),
    pytest.param(bare(2, ANNA), id="without proof"),
    pytest.param(claim(2, ANNA, missing=("source",), source=""), id="without source"),
    pytest.param(claim(2, ANNA, language="fr"), id="with a language"),
    pytest.param(claim(2, ANNA, source='A "fair" \\ Ñ % %b 🎉 {}'), id="strange characters"),
    pytest.param(claim(2, ANNA, profile=Profile(birth_date=date(1980, 1, 2))), id="of age"),
    pytest.param(claim(2, ANNA, happened_at=datetime(2199, 1, 1, tzinfo=UTC)), id="not yet"),
]


@pytest.mark.parametrize("age", [None, 21], ids=["anybody", "grown-ups"])
@pytest.mark.parametrize("made", KINDS)
def test_the_ledger_has_the_same_bytes_as_by_the_ordinary_way(
    files: Files, made: Claim, age: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envelope, hash, evidence and digest, with the chance of the casting used once more."""
    if age is not None:
        set_minimum_age(files, age)
    files.bring([made])
    connection = files.scene.connection
    stored = connection.execute(
        "SELECT e.*, v.salt, v.evidence, l.log FROM consent_events e"
        " JOIN consent_evidence v USING (event) CROSS JOIN ledger_log l ORDER BY e.n"
    )
    names = [column.name for column in stored.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in stored]
    if age is not None and made.profile.birth_date is None:
        assert rows == []
        return
    first, shop = rows[0], load_shop(connection)
    now, writer = first["recorded_at"], EvidenceWriter(Filing(1, f"{1:064x}", "shell:tests"))
    person = Person(first["subject"], ANNA)

    outcome = judge(made, person, shop, Asked(), writer, now)

    chain = Chain(first["subject"], 0, GENESIS)
    assert len(outcome.changes) == len(rows)
    for change, row in zip(outcome.changes, rows, strict=True):
        monkeypatch.setattr("storage.ledger.os.urandom", lambda _count, salt=row["salt"]: salt)
        monkeypatch.setattr(ledger, "uuid7", lambda _now, event=row["event"]: event)
        entry = ledger.extend(first["log"], chain, change, now)
        expected: dict[str, Any] = ledger.event_row(entry) | ledger.evidence_row(entry)
        assert {name: row[name] for name in expected} == expected
    ((n, head),) = connection.execute("SELECT chain_n, chain_head FROM subscribers").fetchall()
    assert (n, head) == (chain.n, chain.head)


def test_identifiers_are_of_their_versions(files: Files) -> None:
    """References are random, events sort by time; none comes twice."""
    files.bring([claim(row, f"+1415555{row:04d}") for row in range(2, 400)])

    rows = files.scene.connection.execute("SELECT subject, event FROM consent_events").fetchall()
    subjects, events = ({row[0] for row in rows}, {row[1] for row in rows})
    assert len(subjects) == len(events) == 398
    assert {uuid.version for uuid in subjects} == {4}
    assert {uuid.version for uuid in events} == {7}
    assert {uuid.variant for uuid in subjects | events} == {UUID(int=0, version=4).variant}


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS | MOMENTS.map(lambda when: when.replace(microsecond=0)))
def test_a_moment_is_put_together_as_it_is_formatted(when: datetime) -> None:
    """As the ledger writes it, and as a column."""
    assert written(when) == (instant(when), moment(when))


@given(st.text(max_size=300))
def test_a_text_is_the_same_column_by_both_ways(words: str) -> None:
    """Short and long."""
    assert text_field(words) == field(words)


@given(
    st.integers(2, 10**9),
    st.text(max_size=40),
    st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(max_size=40),
    st.lists(st.sampled_from(["source", "date", "disclosure"]), unique=True),
)
def test_both_writers_of_evidence_write_the_same(
    row: int, source: str, when: datetime | None, disclosure: str, missing: list[str]
) -> None:
    """The quick one writes the canonical bytes of what the other one says."""
    made = Claim(row, ANNA, "deals", source, when, disclosure, tuple(missing))
    writer = EvidenceWriter(Filing(7, "ab" * 32, "shell:tests"))

    assert writer.row(made) == canonical(writer.value(made)["import"])
    assert writer.row(made, instant(when) if when else None) == writer.row(made)
