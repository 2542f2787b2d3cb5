"""The people of a batch whom nobody has met: cast before anything is locked, written by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from keywords.importing.claims import Claim, Finding
from keywords.importing.evidence import EvidenceWriter
from keywords.ledger import Json
from keywords.optin import Asked, OptInAnswer, hold, opt_in
from keywords.people import Person, Standing
from keywords.shop import Shop
from storage.copying import NUMBER_LENGTH, columns, copy, field, number
from storage.database import Connection
from storage.imports import profiles
from storage.imports.judging import age_checked, finding, request
from storage.imports.moulds import (
    EVENT_COLUMNS,
    EVIDENCE,
    EVIDENCE_COLUMNS,
    MOMENT,
    SUBJECT,
    Chance,
    Mould,
    Written,
    written,
)
from storage.imports.people import Admission, Ground
from storage.projection import columns as standing_columns

_STANDING: Final = ("subscriber_id", *standing_columns(Standing("")))
_WAITING: Final = ("subscriber_id", "program", "not_before")
_ROW_OF_STANDING: Final = columns(len(_STANDING)) + NUMBER_LENGTH
_ROW_OF_WAITING: Final = columns(len(_WAITING)) + NUMBER_LENGTH

# A named tuple's own constructor takes three times as long, and there is one for each row.
_new: Final = tuple.__new__

# What decides the outcome for somebody new: program, language, with proof or not, age shown or not.
_Kind: TypeAlias = tuple[str, str | None, bool, bool]


class Casting(NamedTuple):
    """A claim about somebody new, and what it makes of them.

    ``ref`` is the reference as it is written, ``head`` the end of the chain in hex; ``events`` and
    ``evidence`` are rows for COPY.
    """

    claim: Claim
    settled: _Settled
    ref: bytes
    events: bytes
    evidence: bytes
    head: bytes


@dataclass(frozen=True, slots=True)
class _Settled:
    """A mould, and the rows beside the ledger as bytes with the subscriber's id left out."""

    mould: Mould
    standings: tuple[bytes, ...]
    waiting: bytes


class Newcomers:
    """The new people of one batch."""

    def __init__(self, ground: Ground, shop: Shop, evidence: EvidenceWriter) -> None:
        self._ground = ground
        self._shop = shop
        self._evidence = evidence
        self._chance = Chance(ground.now)
        self._moulds: dict[_Kind, _Settled] = {}
        self._moments: dict[datetime | None, tuple[str | None, Written]] = {}
        self.findings: list[Finding] = []
        self.castings: list[Casting] = []

    def add(self, claim: Claim) -> None:
        """Cast a claim. What cannot be cast (nobody may be asked) becomes a finding."""
        settled = self._settled(claim)
        if settled.mould.answer not in (OptInAnswer.ASKED, OptInAnswer.HELD):
            refused = finding(claim, settled.mould.answer)
            assert refused is not None
            self.findings.append(refused)
            return
        who, (said, when) = next(self._chance.references), self._moment(claim.happened_at)
        cast = settled.mould.cast(self._chance, who, when, self._evidence.row(claim, said))
        self.castings.append(_new(Casting, (claim, settled, who[1], *cast)))

    def _moment(self, happened_at: datetime | None) -> tuple[str | None, Written]:
        """What a row says of when it happened, and when it did; that is never later than now."""
        known = self._moments.get(happened_at)
        if known is None:
            now = self._ground.now
            said = written(happened_at) if happened_at else None
            when = said if said and happened_at and happened_at <= now else written(now)
            known = self._moments[happened_at] = (said.text if said else None), when
        return known

    def _settled(self, claim: Claim) -> _Settled:
        program = self._shop.programs[claim.program]
        aged = {}
        if program.minimum_age is not None:
            aged = age_checked(claim, program, self._ground.now)
        kind = (claim.program, claim.language, not claim.missing, bool(aged))
        settled = self._moulds.get(kind)
        if settled is None:
            settled = self._moulds[kind] = self._decided(claim, aged)
        return settled

    def _decided(self, claim: Claim, aged: Mapping[str, Json]) -> _Settled:
        """The outcome for a blank person, with marks in place of what is one person's own."""
        now, decide = self._ground.now, hold if claim.missing else opt_in
        asked = request(claim, self._evidence.actor, {"import": EVIDENCE, **aged})
        marked = replace(asked, happened_at=MOMENT)
        outcome = decide(marked, Person(SUBJECT, ""), self._shop, Asked(), now)
        mould = Mould(self._ground.log, outcome, now)
        waits = outcome.answer is OptInAnswer.ASKED
        return _Settled(
            mould,
            tuple(_standing(standing) for standing in mould.standings),
            field(claim.program) + field(now) if waits else b"",
        )


def admissions(castings: Iterable[Casting]) -> list[Admission]:
    """How those who were cast are admitted."""
    return [
        _new(Admission, (claim.phone, ref, settled.mould.language, settled.mould.n, head))
        for claim, settled, ref, _, _, head in castings
    ]


def write(connection: Connection, made: Sequence[Casting], ids: Mapping[str, int]) -> None:
    """Write the newcomers who were admitted under these ids: ledger, standings, queue, profiles."""
    events: list[bytes] = []
    evidence: list[bytes] = []
    standings: list[bytes] = []
    waiting: list[bytes] = []
    described: list[bytes] = []
    for claim, settled, _, entries, proof, _ in made:
        events.append(entries)
        evidence.append(proof)
        key = number(ids[claim.phone])
        for standing in settled.standings:
            standings += (_ROW_OF_STANDING, key, standing)
        if settled.waiting:
            waiting += (_ROW_OF_WAITING, key, settled.waiting)
            described += profiles.pieces(key, claim.profile)
    copy(connection, "consent_events", EVENT_COLUMNS, events)
    copy(connection, "consent_evidence", EVIDENCE_COLUMNS, evidence)
    copy(connection, "subscriptions", _STANDING, standings)
    copy(connection, "waiting_questions", _WAITING, waiting)
    profiles.add_new(connection, described)


def findings(made: Iterable[Casting]) -> list[Finding]:
    """The rows that were held."""
    told = (finding(c.claim, OptInAnswer.HELD) for c in made if not c.settled.waiting)
    return [each for each in told if each is not None]


def _standing(standing: Standing) -> bytes:
    values = standing_columns(standing)
    return b"".join(field(_plain(values[name])) for name in _STANDING[1:])


def _plain(value: object) -> str | int | datetime | None:
    """A column's value; enumerations are their texts."""
    if value is None or isinstance(value, datetime | int):
        return value
    return str(value)
