"""What becomes of one claim about one person. The same for a real import and for a trial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from keywords.age import gate, old_enough
from keywords.consent import Method
from keywords.importing.claims import Claim, Finding
from keywords.importing.evidence import EvidenceWriter
from keywords.importing.reasons import Reason
from keywords.ledger import Json
from keywords.optin import Asked, OptIn, OptInAnswer, OptInOutcome, hold, opt_in
from keywords.people import Person
from keywords.shop import Program, Shop
from storage.imports.people import Before

# What the consent machine's answers are called in a report.
_REASONS: Final[Mapping[OptInAnswer, Reason]] = {
    OptInAnswer.WAITING: Reason.ASKED_ALREADY,
    OptInAnswer.SUBSCRIBED: Reason.SUBSCRIBED,
    OptInAnswer.LIMITED: Reason.ASKED_ENOUGH,
    OptInAnswer.AGE_UNCHECKED: Reason.AGE_UNCHECKED,
    OptInAnswer.SUPPRESSED: Reason.LEFT_BEFORE,
}
_HELD: Final = {
    "source": Reason.SOURCE_MISSING,
    "date": Reason.DATE_MISSING,
    "disclosure": Reason.DISCLOSURE_MISSING,
}


def judge(
    claim: Claim,
    person: Person,
    shop: Shop,
    asked: Asked,
    evidence: EvidenceWriter,
    now: datetime,
    *,
    kept: bool = False,
) -> OptInOutcome:
    """What follows from a claim, with its evidence as the ledger will have it.

    ``kept`` says that an earlier import of the same file has brought the same claim without proof.
    """
    program = shop.programs[claim.program]
    proof = evidence.value(claim) | age_checked(claim, program, now)
    asking = request(claim, evidence.actor, proof)
    if claim.missing:
        return hold(asking, person, shop, asked, now, kept=kept)
    return opt_in(asking, person, shop, asked, now)


def request(claim: Claim, actor: str, proof: Mapping[str, Json]) -> OptIn:
    """A claim as the request that it is."""
    return OptIn(
        phone=claim.phone,
        program=claim.program,
        method=Method.IMPORT,
        actor=actor,
        evidence=proof,
        happened_at=claim.happened_at,
        language=claim.language,
    )


def age_checked(claim: Claim, program: Program, now: datetime) -> dict[str, Json]:
    """The evidence that the age was checked, where the program needs it and the row shows it."""
    minimum, birth = program.minimum_age, claim.profile.birth_date
    if minimum is None or birth is None or not old_enough(birth, minimum, now):
        return {}
    return {"age": gate(minimum)}


def finding(claim: Claim, answer: OptInAnswer) -> Finding | None:
    """What the report says of a claim; None when the person will be asked."""
    if answer is OptInAnswer.ASKED:
        return None
    if answer is OptInAnswer.HELD:
        return Finding(claim.row, _HELD[claim.missing[0]], ", ".join(claim.missing))
    return Finding(claim.row, _REASONS[answer])


def repeated(claim: Claim, earlier: Before | None) -> Finding | None:
    """Whether the file said it before. A claim with proof counts after one without."""
    if earlier is None or earlier.row == claim.row:
        return None
    if earlier.whole or claim.missing:
        return Finding(claim.row, Reason.DUPLICATE, str(earlier.row))
    return None
