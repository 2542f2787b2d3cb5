"""What the API takes and answers about people's rights: exports, erasure, holds, suppression."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from bot.api.models import Line, Model, Note

MOST_NUMBERS = 1_000
Written = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Why(Model):
    """Why an export is made; kept in the audit log for ever, so it names nobody."""

    reason: Line


class ExportRequest(Why):
    """Whose data is exported, in any way of writing a number with its country code."""

    phone: Written


class OnTheList(Model):
    """Since when a number is on the suppression list, and why."""

    reason: str
    since: datetime


class PersonExport(Model):
    """All that is held about a person. ``sections`` are rows by table."""

    export: str
    made_at: datetime
    phone: str
    ref: UUID
    suppressed: OnTheList | None
    sections: dict[str, list[dict[str, Any]]]


class EraseRequest(Model):
    """``reason`` in your words is destroyed with everything else; ``ground`` is kept for ever."""

    reason: Note
    ground: Literal["request", "unlawful", "reassigned"] = "request"


class Erasure(Model):
    """What came of it.

    ``restricted``: a legal hold forbids it until ``held_until`` (null: until it is lifted), and it
    is done then. ``nothing``: we hold nothing. In each case the number is suppressed. ``cleared``
    counts rows by table; ``receipt`` is signed and can be given to the person.
    """

    outcome: Literal["erased", "restricted", "nothing"]
    ref: UUID | None
    held_until: datetime | None
    cleared: dict[str, int]
    receipt: dict[str, Any] | None


class ErasureState(Model):
    """A request for erasure, by the person's reference. ``done_at`` null: a hold forbids it."""

    ref: UUID
    ground: str
    requested_at: datetime
    done_at: datetime | None
    receipt: dict[str, Any] | None


class HoldRequest(Model):
    """A legal hold. ``until`` null: until it is lifted."""

    reason: Note
    until: datetime | None = None


class LiftRequest(Model):
    """Why holds end."""

    reason: Note


class HoldState(Model):
    """A person and whether any hold on them is in force."""

    ref: UUID
    held: bool
    held_until: datetime | None


class Numbers(Model):
    """Numbers in any way of writing them with their country code."""

    phones: Annotated[list[Written], Field(min_length=1, max_length=MOST_NUMBERS)]


class SuppressionRequest(Numbers):
    """Numbers that must not be texted, and where the list is from."""

    source: Line


class SuppressionTaken(Model):
    """How many numbers were new, and how many subscribers were opted out."""

    added: int
    opted_out: int


class SuppressedNumber(Model):
    """A number of the list by its keyed hash (HMAC-SHA-256 with PHONE_PEPPER, hexadecimal)."""

    digest: str
    reason: str
    source: str
    since: datetime


class Suppressions(Model):
    """A page of the list, in the order of the hashes."""

    items: list[SuppressedNumber]
    next: str | None


class Checked(Model):
    """A number that was asked about, as it was written. ``since`` null: it is not on the list."""

    phone: str
    suppressed: bool
    reason: str | None
    since: datetime | None


class CheckedNumbers(Model):
    """The numbers that were asked about, in their order."""

    items: list[Checked]
