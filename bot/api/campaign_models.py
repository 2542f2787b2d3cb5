"""Campaigns as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from bot.api.models import Line, Model, Page, absent
from bot.api.program_models import Slug
from bot.api.segment_models import Conditions
from storage.campaigns import CampaignState, RecipientState
from worker.policy.hours import Preset

Body = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
Share = Annotated[float, Field(ge=0, le=0.5)]
LocalTime = Annotated[str, StringConstraints(pattern=r"^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d$")]
Limit = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}/(?:day|week|month)$")]
Flag = Annotated[bool, Field(strict=True)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Minutes = Annotated[int, Field(strict=True, ge=1, le=60 * 24 * 7)]


class Audience(Model):
    """Whom a campaign is for: everybody of the program, or a segment, a list, a condition.

    What is given holds together (and); ``exclude`` takes people out. People who never agreed to
    the program, or who left, are counted in the preview and never texted.
    """

    segment: Annotated[int, Field(strict=True, ge=1, le=2**62)] | None = None
    list: Line | None = None
    condition: Conditions | None = None
    exclude: Conditions | None = None


class Limits(Model):
    """The shop's own limits: texts for each person, for this program, and minutes between two."""

    person: Annotated[list[Limit], Field(max_length=3)] = Field(default_factory=list)
    program: Annotated[list[Limit], Field(max_length=3)] = Field(default_factory=list)
    spacing_minutes: Minutes | None = None


class CampaignFields(Model):
    """A campaign. One text, or several variants that are compared (A/B/n, split evenly).

    It goes at launch, or at ``send_at``, or at ``local_at``, a wall-clock time where each person
    is. What cannot go within ``max_lateness_minutes`` of its time expires.
    """

    name: Line
    program: Slug
    texts: Annotated[list[Body], Field(min_length=1, max_length=8)]
    audience: Audience = Field(default_factory=Audience)
    holdout: Share = 0.0
    send_at: AwareDatetime | None = None
    local_at: LocalTime | None = None
    preset: Preset = Preset.STATE_TABLE
    max_lateness_minutes: Minutes = 30
    subject: Line | None = None
    limits: Limits = Field(default_factory=Limits)
    coupon: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")] | None = None
    coupon_expires_at: AwareDatetime | None = None


class NewCampaign(CampaignFields):
    """A campaign to be made; with ``launch`` it goes at once, or at its time."""

    launch: Flag = False


class CampaignChange(Model):
    """What may be changed of a draft; fields that are left out stay as they are."""

    name: Line = Field(default_factory=absent)
    texts: Annotated[list[Body], Field(min_length=1, max_length=8)] = Field(default_factory=absent)
    audience: Audience = Field(default_factory=absent)
    holdout: Share = Field(default_factory=absent)
    send_at: AwareDatetime | None = None
    local_at: LocalTime | None = None
    preset: Preset = Field(default_factory=absent)
    max_lateness_minutes: Minutes = Field(default_factory=absent)
    subject: Line | None = None
    limits: Limits = Field(default_factory=absent)
    coupon: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")] | None = None
    coupon_expires_at: AwareDatetime | None = None


class Because(Model):
    """Why; it is told to whoever looks at the campaign, and kept in the audit log.

    In an emergency nobody should have to think of one.
    """

    reason: Reason = "no reason was given"


class FindingAnswer(Model):
    """What was found in a text: an error keeps it from being sent, a warning is to be weighed."""

    severity: Literal["error", "warning", "note"]
    code: str
    position: int
    length: int
    sentence: str
    suggestion: str | None


class VariantAnswer(Model):
    """A text. ``typical`` and ``worst`` are what people would see, with their SMS segments."""

    label: str
    text: str
    findings: list[FindingAnswer]
    typical: str | None
    typical_segments: int | None
    worst: str | None
    worst_segments: int | None


class CampaignAnswer(Model):
    """A campaign and how far it is; ``sentence`` says in words whom it is for."""

    id: int
    name: str
    program: str
    sender: str
    state: CampaignState
    state_reason: str | None
    audience: dict[str, Any]
    sentence: str
    variants: list[VariantAnswer]
    holdout: float
    schedule: Literal["now", "at", "local"]
    send_at: datetime | None
    local_at: str | None
    preset: str
    max_lateness_minutes: int
    settings: dict[str, Any]
    created_by: str
    created_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None
    progress: Progress


class Progress(Model):
    """How it goes: ``planned`` is the sum of all the others.

    ``held`` and ``refused`` are by reason; ``delivered``, ``undelivered`` (by error code) and
    ``unconfirmed`` divide what was ``accepted``. ``share`` is how much has come to an end.
    """

    planned: int | None
    waiting: int
    held: dict[str, int]
    sending: int
    accepted: int
    rejected: dict[str, int]
    refused: dict[str, int]
    unknown: int
    expired: int
    canceled: int
    holdout: int
    delivered: int
    undelivered: dict[str, int]
    unconfirmed: int
    share: float
    next_at: datetime | None


class Campaigns(Model):
    """A page of campaigns, newest first."""

    items: list[CampaignAnswer]
    next: str | None


class HeldUntil(Model):
    """How many wait until when, and why; ``until`` is null where no clock knows."""

    until: datetime | None
    reason: str
    sentence: str
    people: int


class RefusedBecause(Model):
    """How many will not get it, and why."""

    reason: str
    sentence: str
    people: int


class PreviewExample(Model):
    """The text as one real person would get it."""

    variant: str
    phone: str
    body: str
    encoding: str
    sms_segments: int


class PreviewAnswer(Model):
    """What would happen at a launch now.

    The people of the audience by where they stand are counted exactly. ``now``, ``held``,
    ``refused`` and the cost are those of everybody who gets the program, asked of a sample where
    there are many (``estimated``). Money is in millionths of a US dollar, by a price list.
    """

    at: datetime
    sentence: str
    people: int
    subscribed: int
    paused: int
    pending: int
    unsubscribed: int
    never_agreed: int
    suspended: int
    unreachable: int
    estimated: bool
    asked: int
    now: int
    held: list[HeldUntil]
    refused: list[RefusedBecause]
    segments_average: float
    segments_worst: int
    cost_average_micros: int
    cost_worst_micros: int
    cost_total_micros: int
    cost_total: str
    prices: str
    examples: list[PreviewExample]


class RecipientsPage(Page):
    """Which recipients: of one state or all."""

    state: RecipientState = Field(default_factory=absent)


class RecipientsFile(Model):
    """Which recipients are written: of one state or all."""

    state: RecipientState = Field(default_factory=absent)


class RecipientAnswer(Model):
    """One person's message: what became of it, and why."""

    id: int
    phone: str
    variant: str
    state: RecipientState
    reason: str | None
    sentence: str | None
    not_before: datetime | None
    not_after: datetime | None
    claimed_at: datetime | None
    settled_at: datetime | None
    sms_segments: int | None
    carrier_sid: str | None
    error_code: str | None
    delivery: str | None
    delivered_at: datetime | None
    decision: dict[str, Any] | None
    body: str | None


class Recipients(Model):
    """A page of recipients."""

    items: list[RecipientAnswer]
    next: str | None


CampaignAnswer.model_rebuild()
