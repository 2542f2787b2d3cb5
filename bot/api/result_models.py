"""What came of campaigns, as the API shows it: counts, and figures with what they are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from bot.api.models import Model, Page, absent
from bot.api.program_models import Slug
from worker.policy.attribution import Basis
from worker.results.overview import By

Day = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$")]
Margin = Annotated[str, StringConstraints(pattern=r"^(?:0(?:\.[0-9]{1,4})?|1(?:\.0{1,4})?)$")]
CSV: Final = "text/csv"


class WithMargin(Model):
    """``margin``: the share of revenue left before marketing, 0 to 1; it makes ROI possible."""

    margin: Margin = Field(default_factory=absent)


class Chosen(WithMargin):
    """Campaigns launched from the day ``since`` to before the day ``until`` (UTC), by what."""

    since: Day = Field(default_factory=absent)
    until: Day = Field(default_factory=absent)
    program: Slug = Field(default_factory=absent)
    by: By = By.CAMPAIGN


class ChosenPage(Page, Chosen):
    """The same, a page at a time."""


class Timed(Model):
    """By hour or by day (UTC)."""

    by: Literal["hour", "day"] = "hour"


class DefinitionAnswer(Model):
    """What a figure means: what is counted, over what, in which unit."""

    label: str
    unit: str
    numerator: str
    denominator: str | None
    definition: str


class Definitions(Model):
    """The definitions of all figures in the answer, and their version."""

    version: str
    figures: dict[str, DefinitionAnswer]


class FigureAnswer(Model):
    """A figure. ``value`` is null over nothing; ``low`` and ``high`` are 95 % limits of a share.

    ``of`` says which one, where there are several: a class of errors, a basis with a currency.
    """

    key: str
    of: str | None
    value: float | None
    numerator: int
    denominator: int | None
    low: float | None
    high: float | None


class TextCounts(Model):
    """Messages by what became of them: ``planned`` is the sum of ``open`` and all ends.

    ``delivered`` (``read`` among them), ``undelivered`` and ``unconfirmed`` divide ``accepted``.
    ``undelivered`` and ``rejected`` are by class of error, ``refused`` by reason.
    """

    planned: int
    open: int
    holdout: int
    refused: dict[str, int]
    expired: int
    canceled: int
    rejected: dict[str, int]
    unknown: int
    accepted: int
    delivered: int
    read: int
    undelivered: dict[str, int]
    unconfirmed: int
    sms_segments: int


class ClickCounts(Model):
    """Hits on links: all (``raw``), those of people (``human``), and different people."""

    raw: int
    human: int
    clickers: int


class CostAnswer(Model):
    """Millionths of a US dollar: by the carrier's word, and by list where it has said nothing.

    ``unpriced`` texts are in neither. ``prices`` is the version of the list.
    """

    currency: str
    micros: int
    reported_micros: int
    expected_micros: int
    unpriced: int
    prices: str


class SalesAnswer(Model):
    """Orders of one basis and currency, ``canceled`` among them; ``net_minor`` after refunds."""

    basis: Basis
    currency: str
    orders: int
    canceled: int
    gross_minor: int
    net_minor: int


class Part(Model):
    """What came of a campaign, or a part of it."""

    texts: TextCounts
    clicks: ClickCounts
    optouts: int
    cost: CostAnswer
    sales: list[SalesAnswer]
    figures: list[FigureAnswer]


class VariantPart(Part):
    """What came of one variant. ``variant`` is null for sales of which no message is known."""

    variant: str | None


class MethodPart(Part):
    """What came of people who had joined in one way, as it was when the campaign was planned."""

    method: str


class LinkAnswer(Model):
    """What came of one link. ``clickers`` are all who clicked this link; figures are over its
    variant's texts.
    """

    number: int
    variant: str
    destination: str
    clicks: ClickCounts
    sales: list[SalesAnswer]
    figures: list[FigureAnswer]


class TimeToClick(Model):
    """After how many seconds a quarter, half and three quarters of the people had clicked."""

    people: int
    first_quartile: int | None
    median: int | None
    third_quartile: int | None


class CampaignOf(Model):
    """Which campaign it is about. ``segment`` is the saved one that it was planned for."""

    id: int
    name: str
    program: str
    sender: str
    state: str
    launched_at: datetime | None
    finished_at: datetime | None
    segment: int | None
    segment_name: str | None


class CampaignReport(Model):
    """What came of a campaign. Everything is true to the last commit.

    ``held`` counts messages that wait for a later moment, by reason.
    """

    campaign: CampaignOf
    definitions: Definitions
    total: Part
    held: dict[str, int]
    variants: list[VariantPart]
    methods: list[MethodPart]
    links: list[LinkAnswer]
    time_to_click: TimeToClick


class OverviewLine(Part):
    """A part of the overview. ``key`` is the campaign's id, the program, the segment's id or the
    way of joining; null for campaigns without a saved segment.
    """

    key: str | None
    label: str
    campaign: CampaignOf | None


class OverviewAnswer(Model):
    """Campaigns by what was asked for; ``total`` is that of all of them, not of this page."""

    by: By
    definitions: Definitions
    total: Part
    items: list[OverviewLine]
    next: str | None


class MomentAnswer(Model):
    """One hour or day: texts at the hour in which they were handed over, clicks and orders at
    their own. ``undelivered`` counts reports of failure.
    """

    at: datetime
    accepted: int
    delivered: int
    undelivered: int
    unconfirmed: int
    rejected: int
    refused: int
    unknown: int
    expired: int
    canceled: int
    optouts: int
    clicks: ClickCounts
    sales: list[SalesAnswer]


class TimelineAnswer(Model):
    """A campaign's hours or days in which something happened."""

    campaign: int
    by: Literal["hour", "day"]
    items: list[MomentAnswer]
