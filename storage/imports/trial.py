"""A trial of an import: what would become of every row, with nothing written about anybody.

Each number that the trial has seen is noted in a temporary table of its own session, so that the
memory does not grow with the file; a trial that was interrupted begins again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from keywords.importing.claims import Claim, Finding
from keywords.importing.evidence import EvidenceWriter, Filing
from keywords.people import Person
from storage.database import Connection
from storage.imports import people
from storage.imports.batch import sort, tally
from storage.imports.known import Court
from storage.imports.notes import Read
from storage.imports.people import Before
from storage.locking import read
from storage.optins import asked_before
from storage.shop import ShopCache
from storage.transaction import atomic

_MAKE: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS import_seen (
    phone text, program text, "row" bigint, whole boolean, PRIMARY KEY (phone, program))
"""
_SEEN: Final = """
SELECT phone, program, "row", whole FROM import_seen
WHERE phone = ANY(string_to_array(%s, ','))
"""
_NOTE: Final = """
INSERT INTO import_seen
SELECT * FROM unnest(string_to_array(%s, ','), string_to_array(%s, ','),
                     string_to_array(%s, ',')::bigint[], string_to_array(%s, ',')::boolean[])
ON CONFLICT (phone, program) DO UPDATE SET "row" = excluded."row", whole = excluded.whole
"""
_STRANGER: Final = UUID(int=0)


# Takes what a trial finds out, batch by batch: the rows, their findings, and all counts so far.
Sink: TypeAlias = Callable[[Read, Sequence[Finding], Mapping[str, int]], None]


class TrialWriter:
    """Has the same methods as ``batch.BatchWriter``, and changes nothing."""

    def __init__(
        self,
        connection: Connection,
        shops: ShopCache,
        pepper: str,
        filing: Filing,
        sink: Sink,
    ) -> None:
        """``pepper`` is PHONE_PEPPER."""
        self._connection = connection
        self._shops = shops
        self._pepper = pepper
        self._evidence = EvidenceWriter(filing)
        self._sink = sink
        self.position = 0
        self.counts: Counter[str] = Counter()

    def resume(self) -> bool:
        """Begin at the beginning."""
        with atomic(self._connection) as connection:
            connection.execute(_MAKE)
            connection.execute("TRUNCATE import_seen")
        return True

    def write(self, rows: Read) -> None:
        """Find out what would become of a batch."""
        with atomic(self._connection):
            found = [*rows.findings, *self._decided(rows.claims)]
        self.position = rows.position
        self.counts += tally(rows.claims, found)
        self._sink(rows, found, self.counts)

    def _decided(self, claims: Sequence[Claim]) -> list[Finding]:
        connection, phones = self._connection, sorted({claim.phone for claim in claims})
        ground = people.look(connection, None, 0, 0, self._pepper, phones)
        fresh, others, found = sort(claims, ground)
        met = sorted(ground.known)
        standing = read(connection, met)
        court = Court(
            self._shops.at(connection, ground.catalogue_version),
            {phone: Person(_STRANGER, phone) for phone in phones} | standing.people,
            asked_before(connection, ground.now, met),
            self._seen(phones),
            self._evidence,
            ground.now,
        )
        before = dict(court.earlier)
        heard = sorted([*fresh, *others], key=lambda claim: claim.row)
        found += [each for claim in heard if (each := court.hear(claim)) is not None]
        self._note((key, said) for key, said in court.earlier.items() if before.get(key) != said)
        return found

    def _seen(self, phones: Sequence[str]) -> dict[tuple[str, str], Before]:
        rows = self._connection.execute(_SEEN, (",".join(phones),))
        return {(phone, program): Before(row, whole) for phone, program, row, whole in rows}

    def _note(self, said: Iterable[tuple[tuple[str, str], Before]]) -> None:
        rows = [(*key, str(before.row), str(before.whole)) for key, before in said]
        if rows:
            columns = [",".join(column) for column in zip(*rows, strict=True)]
            self._connection.execute(_NOTE, columns)
