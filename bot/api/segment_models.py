"""Segments and lists as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bot.api.models import Line, Model, Page, absent
from bot.api.program_models import Slug
from storage.segments import sql
from storage.segments.conditions import parse
from storage.segments.saved import Counts, ListRow, SegmentRow

# What a JSON body can hold: numbers as people write them, at most 64 characters each.
Written = Annotated[str, StringConstraints(max_length=64)]
Conditions = dict[str, Any]


class NewSegment(Model):
    """A segment to be saved. ``condition`` is a tree of all, any, not and comparisons."""

    name: Line
    condition: Conditions


class SegmentChange(Model):
    """What may be changed of a segment; campaigns that were planned keep their people."""

    name: Line = Field(default_factory=absent)
    condition: Conditions = Field(default_factory=absent)


class SegmentAnswer(Model):
    """A saved segment; ``sentence`` says its condition in words."""

    id: int
    name: str
    condition: dict[str, Any]
    sentence: str
    created_by: str
    created_at: datetime
    updated_at: datetime


class Segments(Model):
    """A page of segments."""

    items: list[SegmentAnswer]
    next: str | None


class ForProgram(Model):
    """The program that people are counted for."""

    program: Slug


class MembersPage(Page):
    """Which people: of a segment, for a program."""

    program: Slug


class Question(Model):
    """A condition that is not saved yet, and the program it is asked for."""

    program: Slug
    condition: Conditions
    exclude: Conditions | None = None


class CountsAnswer(Model):
    """How many people there are now, by where they stand with the program.

    ``never`` never agreed; ``suspended`` and ``unreachable`` are among the subscribed and paused.
    """

    people: int
    subscribed: int
    paused: int
    pending: int
    unsubscribed: int
    never: int
    suspended: int
    unreachable: int
    sentence: str


class Member(Model):
    """A person in a segment."""

    phone: str


class Members(Model):
    """A page of people."""

    items: list[Member]
    next: str | None


class NewList(Model):
    """A list of numbers, however they are punctuated; ``country`` is for those without a +."""

    name: Line
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    phones: Annotated[list[Written], Field(max_length=10_000)]


class MorePhones(Model):
    """More numbers for a list."""

    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    phones: Annotated[list[Written], Field(min_length=1, max_length=10_000)]


class ListAnswer(Model):
    """An uploaded list: how many rows, how many of them no number, how many never seen."""

    id: int
    name: str
    rows: int
    invalid: int
    unknown: int
    created_by: str
    created_at: datetime


class Lists(Model):
    """A page of lists."""

    items: list[ListAnswer]
    next: str | None


def segment_answer(row: SegmentRow) -> SegmentAnswer:
    """A segment as it is shown."""
    names = set(SegmentAnswer.model_fields) - {"sentence"}
    values = {name: getattr(row, name) for name in names}
    return SegmentAnswer(**values, sentence=sql.explain(parse(row.condition)))


def counts_answer(counts: Counts, sentence: str) -> CountsAnswer:
    """Counts as they are shown."""
    names = set(CountsAnswer.model_fields) - {"sentence"}
    return CountsAnswer(**{name: getattr(counts, name) for name in names}, sentence=sentence)


def list_answer(row: ListRow) -> ListAnswer:
    """A list as it is shown."""
    return ListAnswer.model_validate({n: getattr(row, n) for n in ListAnswer.model_fields})
