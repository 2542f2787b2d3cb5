"""Understanding a campaign as a marketer writes it, and showing how it is and how it goes.

Used by the API and the command alike. What is wrong is named field by field before anything is
stored; a text with an error of its own can neither be stored nor sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.api.campaign_models import CampaignFields
from bot.api.problems import FieldError
from keywords.shop import Program
from storage.campaigns import CampaignRow, Schedule, VariantRow
from storage.segments import saved
from storage.segments.conditions import AllOf, BadCondition, Condition, Leaf, Operator
from storage.segments.conditions import parse as parse_condition
from storage.segments.saved import Audience, ListRow, SegmentRow
from worker.texts.authoring import compile_text
from worker.texts.context import for_program
from worker.texts.findings import Severity
from worker.texts.rendering import CompiledText

LABELS: Final = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Understood:
    """A campaign that may be stored: columns, texts, and what was found in them."""

    values: Mapping[str, Any]
    texts: Sequence[CompiledText]


class NotUnderstood(ValueError):
    """A campaign that may not be stored; ``errors`` name each field and what is wrong."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def understand(
    session: Session, given: CampaignFields, program: Program | None, prefix: str
) -> Understood:
    """What ``given`` asks for. ``prefix`` is what stands before a short link's code.

    Raises :class:`NotUnderstood`.
    """
    errors: list[FieldError] = []
    if program is None:
        raise NotUnderstood(
            [FieldError("program", "There is no program with this slug.", "unknown")]
        )
    context = for_program(program, prefix)
    texts = [compile_text(text, context) for text in given.texts]
    errors += _text_errors(texts)
    errors += _schedule_errors(given)
    audience = _audience(session, given, errors)
    if errors or audience is None:
        raise NotUnderstood(errors)
    return Understood(_values(given, program, audience), texts)


def store(session: Session, understood: Understood, by: str) -> CampaignRow:
    """A new draft."""
    row = CampaignRow(created_by=by, **understood.values)
    session.add(row)
    session.flush()
    _store_texts(session, row.id, understood.texts)
    session.refresh(row)
    return row


def replace(session: Session, row: CampaignRow, understood: Understood) -> None:
    """Change a draft; the caller has seen that it is one."""
    for name, value in understood.values.items():
        setattr(row, name, value)
    row.updated_at = func.assent_now()
    for variant in session.scalars(
        select(VariantRow).where(VariantRow.campaign_id == row.id)
    ).all():
        session.delete(variant)
    session.flush()
    _store_texts(session, row.id, understood.texts)
    session.refresh(row)


def as_given(row: CampaignRow, texts: Sequence[str]) -> dict[str, Any]:
    """A stored campaign as it would be written again, to be changed in part."""
    settings = row.settings
    return {
        "name": row.name,
        "program": row.program,
        "texts": list(texts),
        "audience": settings.get("asked") or {},
        "holdout": row.holdout,
        "send_at": row.send_at,
        "local_at": row.local_at,
        "preset": row.preset,
        "max_lateness_minutes": int(row.max_lateness.total_seconds() // 60),
        "subject": settings.get("subject"),
        "limits": settings.get("limits") or {},
        "coupon": settings.get("coupon"),
        "coupon_expires_at": settings.get("coupon_expires_at"),
    }


def _text_errors(texts: Sequence[CompiledText]) -> Iterator[FieldError]:
    for number, text in enumerate(texts):
        for finding in text.findings:
            if finding.severity is Severity.ERROR:
                yield FieldError(f"texts.{number}", finding.sentence, finding.code)


def _schedule_errors(given: CampaignFields) -> Iterator[FieldError]:
    if given.send_at is not None and given.local_at is not None:
        message = "Give either one moment or a local time."
        yield FieldError("local_at", message, "schedule")
    if given.coupon is None and given.coupon_expires_at is not None:
        yield FieldError("coupon_expires_at", "There is no coupon to expire.", "coupon")


def _audience(session: Session, given: CampaignFields, errors: list[FieldError]) -> Audience | None:
    asked = given.audience
    parts: list[Condition] = []
    if asked.segment is not None:
        segment = session.get(SegmentRow, asked.segment)
        if segment is None:
            errors.append(FieldError("audience.segment", "There is no such segment.", "unknown"))
        else:
            parts.append(parse_condition(segment.condition))
    if asked.list is not None:
        if session.scalar(select(ListRow.id).where(ListRow.name == asked.list)) is None:
            errors.append(FieldError("audience.list", "There is no such list.", "unknown"))
        parts.append(Leaf("list", Operator.IS, asked.list))
    include = _condition(asked.condition, "audience.condition", errors)
    exclude = _condition(asked.exclude, "audience.exclude", errors)
    if errors:
        return None
    if include is not None:
        parts.append(include)
    return Audience(given.program, parts[0] if len(parts) == 1 else AllOf(tuple(parts)), exclude)


def _condition(given: Any, where: str, errors: list[FieldError]) -> Condition | None:
    if given is None:
        return None
    try:
        return saved.read(given)
    except BadCondition as error:
        errors += [
            FieldError(f"{where}.{m.where}" if m.where else where, m.message, "condition")
            for m in error.mistakes
        ]
        return None


def _values(given: CampaignFields, program: Program, audience: Audience) -> dict[str, Any]:
    schedule = Schedule.AT if given.send_at else Schedule.LOCAL if given.local_at else Schedule.NOW
    expires = given.coupon_expires_at
    settings = {
        "asked": given.audience.model_dump(exclude_none=True),
        "subject": given.subject,
        "limits": given.limits.model_dump(exclude_defaults=True) or None,
        "coupon": given.coupon,
        "coupon_expires_at": expires.isoformat() if expires else None,
    }
    return {
        "name": given.name,
        "program": program.slug,
        "sender": program.sender,
        "audience": audience.document(),
        "holdout": given.holdout,
        "preset": str(given.preset),
        "schedule": str(schedule),
        "send_at": given.send_at,
        "local_at": given.local_at,
        "max_lateness": timedelta(minutes=given.max_lateness_minutes),
        "settings": {name: value for name, value in settings.items() if value is not None},
    }


def _store_texts(session: Session, campaign_id: int, texts: Sequence[CompiledText]) -> None:
    for number, text in enumerate(texts):
        session.add(
            VariantRow(
                campaign_id=campaign_id, number=number, label=LABELS[number], body=text.source
            )
        )
    session.flush()


def findings(text: CompiledText) -> list[dict[str, Any]]:
    """What was found in a text, as it is shown."""
    return [asdict(finding) | {"severity": str(finding.severity)} for finding in text.findings]
