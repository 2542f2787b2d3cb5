"""One batch of an import: its people decided and written in one transaction, or not at all.

Nearly everybody in a file is new, and there is exactly one claim about them: those are cast
(``newcomers``) and copied. Whoever is known, or stands twice in the batch, is decided one claim
after the other like any other opt-in (``known``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from keywords.consent import Method
from keywords.importing.claims import Claim, Finding
from keywords.importing.evidence import EvidenceWriter, Filing
from keywords.importing.reasons import Outcome, Reason
from keywords.shop import Shop
from keywords.turn import digest
from storage.database import Connection
from storage.imports import known, newcomers, people
from storage.imports.newcomers import Newcomers
from storage.imports.notes import Read, note
from storage.imports.people import Admission, Ground
from storage.shop import ShopCache
from storage.transaction import atomic

_DISCLOSE: Final = """
INSERT INTO disclosures (digest, program, language, method, text)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT (digest) DO NOTHING
"""
_SHOP: Final = "SELECT version FROM catalogue"
_KEPT: Final = 20_000


class BatchWriter:
    """Writes the batches of one part of an import, in order."""

    def __init__(
        self,
        connection: Connection,
        shops: ShopCache,
        pepper: str,
        filing: Filing,
        part: int,
        since: datetime,
    ) -> None:
        """``pepper`` is PHONE_PEPPER; ``since`` when the import was asked for."""
        self._connection = connection
        self._shops = shops
        self._pepper = pepper
        self._filing = filing
        self._part = part
        self._since = since
        self._evidence = EvidenceWriter(filing)
        self._disclosed: set[str] = set()
        self.position = 0
        self.counts: Counter[str] = Counter()

    def resume(self) -> bool:
        """Go on where this part was committed; False when it is done.

        Raises :class:`~storage.imports.people.Superseded` when there is no such part.
        """
        rows = self._connection.execute(
            "SELECT position, done, counts FROM import_parts WHERE import_id = %s AND part = %s",
            (self._filing.number, self._part),
        ).fetchall()
        if not rows:
            raise people.Superseded
        ((self.position, done, counts),) = rows
        self.counts = Counter(counts)
        return not done

    def write(self, rows: Read) -> None:
        """Write a batch, committed. What fails leaves everything as it was before.

        Raises :class:`~storage.imports.people.Superseded` when the import was canceled, or when
        another process has gone on with this part.
        """
        self._disclose(rows.claims)
        with atomic(self._connection) as connection:
            ground = self._look(rows.claims)
            shop = self._shops.at(connection, ground.catalogue_version)
            fresh, others, found = sort(rows.claims, ground)
            new = Newcomers(ground, shop, self._evidence)
            for claim in fresh:
                new.add(claim)
            found += new.findings
            found += self._write(new, others)
            counts = self.counts + tally(rows.claims, [*rows.findings, *found])
            told = [*rows.findings, *found]
            note(connection, self._filing.number, self._part, rows, told, counts)
        self.position, self.counts = rows.position, counts

    def _look(self, claims: Sequence[Claim]) -> Ground:
        phones = {claim.phone for claim in claims}
        return people.look(
            self._connection, self._filing, self._part, self.position, self._pepper, phones
        )

    def _write(self, new: Newcomers, others: list[Claim]) -> list[Finding]:
        """Admit everybody in one statement, in the order of their numbers, and write them."""
        blank = {claim.phone: Admission(claim.phone) for claim in others}
        admissions = [*newcomers.admissions(new.castings), *blank.values()]
        if not admissions:
            return []
        ids = people.admit(self._connection, admissions)
        made = [casting for casting in new.castings if casting.claim.phone in ids]
        # Somebody was met between the look and the lock: they are known now.
        others += [c.claim for c in new.castings if c.claim.phone not in ids]
        newcomers.write(self._connection, made, ids)
        told = known.decide(self._connection, self._shops, self._evidence, self._since, others)
        return [*newcomers.findings(made), *told]

    def _disclose(self, claims: Sequence[Claim]) -> None:
        """Keep the disclosures of a batch under their digests, in a transaction of their own.

        They are the same whoever keeps them, and nobody must wait for a batch because of them.
        """
        new = {c.disclosure: c for c in claims if c.disclosure} if claims else {}
        missing = {words: claim for words, claim in new.items() if words not in self._disclosed}
        if not missing:
            return
        with atomic(self._connection) as connection:
            ((version,),) = connection.execute(_SHOP).fetchall()
            shop = self._shops.at(connection, version)
            rows = sorted(_disclosure(claim, shop) for claim in missing.values())
            connection.execute(_DISCLOSE, [list(column) for column in zip(*rows, strict=True)])
        if len(self._disclosed) > _KEPT:
            self._disclosed.clear()
        self._disclosed.update(missing)


def sort(claims: Sequence[Claim], ground: Ground) -> tuple[list[Claim], list[Claim], list[Finding]]:
    """Claims about somebody new, each the only one; the others; and those about the suppressed."""
    fresh: list[Claim] = []
    others: list[Claim] = []
    found: list[Finding] = []
    times = Counter(claim.phone for claim in claims)
    for claim in claims:
        if claim.phone in ground.suppressed:
            found.append(Finding(claim.row, Reason.SUPPRESSED))
        elif claim.phone in ground.known or times[claim.phone] > 1:
            others.append(claim)
        else:
            fresh.append(claim)
    return fresh, others, found


def tally(claims: Sequence[Claim], found: Sequence[Finding]) -> Counter[str]:
    """How many rows came to what: asked, and the codes of those that were not."""
    counts = Counter(str(finding.code) for finding in found)
    about = {finding.row for finding in found}
    counts[str(Outcome.ASKED)] = sum(claim.row not in about for claim in claims)
    return counts


def _disclosure(claim: Claim, shop: Shop) -> tuple[str, str, str, str, str]:
    language = claim.language or shop.programs[claim.program].language
    words = claim.disclosure
    return digest(words), claim.program, language, str(Method.IMPORT), words
