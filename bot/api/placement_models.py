"""Placements as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bot.api.models import Line, Model, absent
from bot.api.program_models import Flag, Language
from bot.posters.codes import message
from bot.posters.design import LONGEST_HEADLINE, LONGEST_OFFER
from keywords.placements import Channel
from storage.placements import PlacementRow, Results

_PRINTED = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
Store = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Headline = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_HEADLINE, pattern=_PRINTED)
]
Offer = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_OFFER, pattern=_PRINTED)]


class Wording(Model):
    """What the marketer writes on a poster, in one language."""

    headline: Headline | None = None
    offer: Offer | None = None


class NewPlacement(Model):
    """A place where a program is shown; its code is made by the service."""

    label: Line
    store: Store | None = None
    channel: Channel = Channel.POSTER
    wording: dict[Language, Wording] = Field(default_factory=dict)


class PlacementChange(Model):
    """The fields of a placement to change. ``retired``: no more posters are made for it."""

    label: Line = Field(default_factory=absent)
    store: Store | None = Field(default_factory=absent)
    channel: Channel = Field(default_factory=absent)
    wording: dict[Language, Wording] = Field(default_factory=absent)
    retired: Flag = Field(default_factory=absent)


class PlacementAnswer(Model):
    """A placement, and what came of it.

    ``text`` is what people text there; ``landing`` and ``poster`` are paths of its page (below
    LINK_BASE_URL) and of its poster (below PUBLIC_BASE_URL). ``scans`` counts views of the page
    by people; ``asked`` and ``confirmed`` count people, from the ledger.
    """

    code: str
    program: str
    label: str
    store: str | None
    channel: Channel
    wording: dict[str, Wording]
    text: str
    landing: str
    poster: str
    created_at: datetime
    retired_at: datetime | None
    scans: int
    asked: int
    confirmed: int


class Placements(Model):
    """A page of placements, by code."""

    items: list[PlacementAnswer]
    next: str | None


def written(wording: dict[Any, Wording]) -> dict[str, dict[str, str]]:
    """Wording as it is stored: only what was written."""
    return {str(k): words.model_dump(exclude_none=True) for k, words in wording.items()}


def placement_answer(row: PlacementRow, keyword: str, results: Results) -> PlacementAnswer:
    """A placement as it is shown."""
    return PlacementAnswer(
        code=row.code,
        program=row.program,
        label=row.label,
        store=row.store,
        channel=Channel(row.channel),
        wording={language: Wording(**words) for language, words in row.wording.items()},
        text=message(keyword, row.code),
        landing=f"/q/{row.code}",
        poster=f"/join/{row.program}/poster.pdf?placement={row.code}",
        created_at=row.created_at,
        retired_at=row.retired_at,
        scans=results.scans,
        asked=results.asked,
        confirmed=results.confirmed,
    )
