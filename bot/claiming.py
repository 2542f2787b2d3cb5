"""From what somebody says about an opt-in to a request that can be decided.

Used by the API and by ``assent opt-in`` alike. What is wrong is said field by field, with nothing
written. What was shown is found or kept by its digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from bot.api.optin_models import IN_FORCE, NewOptIn
from bot.api.problems import FieldError, invalid
from keywords.age import gate, old_enough
from keywords.consent import Method
from keywords.disclosure_rules import Missing, problems
from keywords.ledger import Json
from keywords.optin import OptIn
from keywords.phone import InvalidPhone, parse
from keywords.placements import read_code
from keywords.reach import SENTENCES, unreached
from storage.catalogue import ProgramRow
from storage.database import raw
from storage.definitions import ProgramDefinition, definition
from storage.disclosures import NoDisclosure, current, keep_text, shown_for

# A consent that is older comes with its proof by import; a clock may be some minutes fast.
OLDEST: Final = timedelta(days=30)
FAST: Final = timedelta(minutes=5)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LAW: Final = "47 CFR"


@dataclass(frozen=True, slots=True)
class Understood:
    """A request, the digest of what was shown, and what those words lack of the carriers' rules."""

    request: OptIn
    disclosure: str | None
    gaps: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    digest: str | None
    how: str | None
    gaps: tuple[Missing, ...] = ()


def understand(
    session: Session, wanted: NewOptIn, actor: str, by: Mapping[str, Json]
) -> Understood:
    """The request that ``wanted`` makes. ``by`` says who claims it, for the evidence.

    Call inside a transaction. Raises :class:`~bot.api.problems.Problem` with each field that is
    wrong.
    """
    program = _program(session, wanted.program)
    now: datetime = raw(session).execute("SELECT assent_now()").fetchall()[0][0]
    phone, faults = _phone(wanted.phone, program)
    faults += [*_when(wanted, now), *_age(wanted, program, now), *_lacking(wanted)]
    if faults:
        raise invalid(faults)
    shown = _shown(session, wanted, program)
    request = OptIn(
        phone=phone,
        program=wanted.program,
        method=Method(wanted.method),
        actor=actor,
        evidence=_evidence(wanted, program, shown, by),
        happened_at=wanted.happened_at,
        language=wanted.language,
        placement=wanted.placement and read_code(wanted.placement),
    )
    return Understood(request, shown.digest, shown.gaps)


def _program(session: Session, slug: str) -> ProgramDefinition:
    row = session.get(ProgramRow, slug)
    if row is None:
        raise invalid([FieldError("program", "There is no program with this slug.", "unknown")])
    return definition(slug, row.sender, row.body)


def _phone(written: str, program: ProgramDefinition) -> tuple[str, list[FieldError]]:
    """The number in E.164. Its national form is that of the program's first country."""
    try:
        number = parse(written, program.countries[0])
    except InvalidPhone as error:
        return "", [FieldError("phone", str(error), error.code)]
    why = unreached(number, program.countries)
    if why is not None:
        return "", [FieldError("phone", SENTENCES[why], why)]
    return number.e164, []


def _when(wanted: NewOptIn, now: datetime) -> Iterator[FieldError]:
    at = wanted.happened_at
    if at is not None and at > now + FAST:
        yield FieldError("happened_at", "This lies in the future.", "future")
    if at is not None and at < now - OLDEST:
        message = f"This is more than {OLDEST.days} days ago; import it with its proof."
        yield FieldError("happened_at", message, "old")


def _age(wanted: NewOptIn, program: ProgramDefinition, now: datetime) -> Iterator[FieldError]:
    if program.minimum_age is None:
        return
    if wanted.birth_date is None:
        message = "This program has a minimum age: give the full date of birth."
        yield FieldError("birth_date", message, "missing")
    elif not old_enough(wanted.birth_date, program.minimum_age, now):
        yield FieldError("birth_date", "This person is not old enough.", "too_young")


def _lacking(wanted: NewOptIn) -> Iterator[FieldError]:
    if wanted.placement is not None and read_code(wanted.placement) is None:
        yield FieldError("placement", "This is no code of a placement.", "placement")
    if wanted.method != "operator":
        if wanted.disclosure is None:
            message = (
                f'Say what the person was shown: its digest, its words, or "{IN_FORCE}" for the '
                "call to action that is in force."
            )
            yield FieldError("disclosure", message, "missing")
        return
    for field in ("reason", "document"):
        if getattr(wanted.evidence, field) is None:
            message = "An entry by hand needs a reason, and a document that shows the consent."
            yield FieldError(f"evidence.{field}", message, "missing")


def _shown(session: Session, wanted: NewOptIn, program: ProgramDefinition) -> _Shown:
    words, method = wanted.disclosure, Method(wanted.method)
    language = wanted.language or program.language
    if words is None:
        return _Shown(None, None)
    if words == IN_FORCE:
        try:
            return _Shown(current(session, program.slug, language, method).digest, IN_FORCE)
        except NoDisclosure:
            message = "No call to action is published for this method; publish one, or send words."
            raise invalid([FieldError("disclosure", message, "unpublished")]) from None
    if _DIGEST.fullmatch(words):
        if shown_for(raw(session), words) != program.slug:
            message = "No text of this program has this digest."
            raise invalid([FieldError("disclosure", message, "unknown")])
        return _Shown(words, "digest")
    lacks = problems(words, program.voice(), program.sender, language, method)
    faults = [each for each in lacks if _LAW in each.source or not each.source]
    if faults:
        raise invalid([FieldError("disclosure", _sentence(each), each.rule) for each in faults])
    digest = keep_text(raw(session), program.slug, language, method, words)
    return _Shown(digest, "words", tuple(lacks))


def _sentence(missing: Missing) -> str:
    words = missing.sentence()
    return f"{words[:1].upper()}{words[1:]}."


def _evidence(
    wanted: NewOptIn, program: ProgramDefinition, shown: _Shown, by: Mapping[str, Json]
) -> dict[str, Json]:
    claim: dict[str, Json] = {**by, "shown": shown.how}
    if shown.gaps:
        claim["gaps"] = [gap.rule for gap in shown.gaps]
    evidence = wanted.evidence.given() | {"claim": claim, "disclosure": shown.digest}
    if program.minimum_age is not None:
        evidence["age"] = gate(program.minimum_age)
    return evidence
