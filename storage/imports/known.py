"""The people of a batch who are known already, or stand in it twice: decided one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from keywords.importing.claims import Claim, Finding, Profile
from keywords.importing.evidence import EvidenceWriter
from keywords.optin import Asked, OptInAnswer, OptInOutcome
from keywords.people import Person
from keywords.shop import Shop
from keywords.turn import ConsentChange
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.imports import people, profiles
from storage.imports.judging import finding, judge, repeated
from storage.imports.people import Before
from storage.locking import lock
from storage.optins import asked_before
from storage.shop import ShopCache
from storage.waiting import add


class Court:
    """Decides claims in the order of their rows; each sees what the ones before it have done."""

    def __init__(
        self,
        shop: Shop,
        standing: Mapping[str, Person],
        asked: Mapping[str, Asked],
        earlier: dict[tuple[str, str], Before],
        evidence: EvidenceWriter,
        now: datetime,
    ) -> None:
        self.people = dict(standing)
        self.earlier = earlier
        self.changes: list[tuple[str, ConsentChange]] = []
        self.asked: list[Claim] = []
        self._shop = shop
        self._asked = asked
        self._evidence = evidence
        self._now = now

    def hear(self, claim: Claim) -> Finding | None:
        """What the report says of a claim; None when the person will be asked."""
        key = (claim.phone, claim.program)
        earlier = self.earlier.get(key)
        again = repeated(claim, earlier)
        if again is not None:
            return again
        outcome = self._judge(claim, earlier)
        self.people[claim.phone] = outcome.person
        self.changes += [(claim.phone, change) for change in outcome.changes]
        if outcome.answer in (OptInAnswer.ASKED, OptInAnswer.HELD):
            people.keep_first(self.earlier, key, Before(claim.row, not claim.missing))
        if outcome.answer is OptInAnswer.ASKED:
            self.asked.append(claim)
        return finding(claim, outcome.answer)

    def _judge(self, claim: Claim, earlier: Before | None) -> OptInOutcome:
        """What follows; a claim without proof that an earlier import has kept is not kept twice."""
        said = earlier.said if earlier is not None and claim.missing else None
        return judge(
            claim,
            self.people[claim.phone],
            self._shop,
            self._asked.get(claim.phone, Asked()),
            self._evidence,
            self._now,
            kept=said is not None and self._evidence.repeats(claim, said),
        )


def decide(
    connection: Connection,
    shops: ShopCache,
    evidence: EvidenceWriter,
    since: datetime,
    claims: Sequence[Claim],
) -> list[Finding]:
    """Decide and write claims about people who are locked; answers what the report says.

    ``since`` is when the import began.
    """
    if not claims:
        return []
    phones = sorted({claim.phone for claim in claims})
    locked = lock(connection, phones)
    court = Court(
        shops.at(connection, locked.catalogue_version),
        locked.people,
        asked_before(connection, locked.now, phones),
        people.before(connection, evidence.filing, since, phones),
        evidence,
        locked.now,
    )
    found = [court.hear(claim) for claim in sorted(claims, key=lambda claim: claim.row)]
    locked.people.update(court.people)
    write_changes(connection, locked, court.changes)
    add(connection, [(locked.ids[claim.phone], claim.program) for claim in court.asked])
    profiles.fill(connection, _profiles(court.asked, locked.ids))
    return [each for each in found if each is not None]


def _profiles(claims: Sequence[Claim], ids: Mapping[str, int]) -> dict[int, Profile]:
    """One profile for each subscriber: that of the first row."""
    said: dict[int, Profile] = {}
    for claim in claims:
        said.setdefault(ids[claim.phone], claim.profile)
    return said
