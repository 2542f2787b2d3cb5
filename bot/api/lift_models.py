"""Comparisons of groups, as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.api.models import Line, Model, absent
from bot.api.result_models import Definitions

Days = Annotated[str, StringConstraints(pattern=r"^(?:[1-9]|[1-8][0-9]|90)$")]


class Window(Model):
    """``days`` after the start of a campaign in which orders are compared, 1 to 90."""

    days: Days = Field(default_factory=absent)


class GroupAnswer(Model):
    """People, and how many of them did what is counted. ``name`` is "texted", "holdout", "A"."""

    name: Line
    people: int
    events: int
    share: float | None


class ComparisonAnswer(Model):
    """The first group's share less the second's, with an interval that is honest about few people.

    ``needed`` is about how many people each group would need to tell this difference apart.
    """

    first: GroupAnswer
    second: GroupAnswer
    difference: float | None
    low: float
    high: float
    confidence: float
    verdict: Literal["better", "worse", "cannot_tell_yet", "too_few"]
    sentence: str
    needed: int | None


class IncrementalRevenue(Model):
    """What both groups spent, and what is estimated to be the campaign's own, with its limits.

    It is the incremental buyers times what a buyer of the texted spent.
    """

    currency: str
    texted_minor: int
    holdout_minor: int
    extra_minor: int | None
    low_minor: int | None
    high_minor: int | None


class LiftAnswer(Model):
    """What a campaign brought that would not have come anyway; and its texts against each other.

    ``holdout`` is null for a campaign that held nobody out. ``extra_buyers`` is the difference
    times the texted people. ``over``: the window has ended. ``clicking`` compares human clickers
    over delivered, ``buying`` buyers over everybody planned for the variant.
    """

    campaign: int
    definitions: Definitions
    since: datetime
    until: datetime
    over: bool
    holdout: ComparisonAnswer | None
    extra_buyers: float | None
    extra_low: float | None
    extra_high: float | None
    revenue: list[IncrementalRevenue]
    clicking: list[ComparisonAnswer]
    buying: list[ComparisonAnswer]
