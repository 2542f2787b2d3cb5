"""Programs and senders as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model

from bot.api.models import FrequencyModel, Line, Model, Words, absent
from bot.api.text_rules_model import TextRulesModel
from keywords.authority import KeywordAuthority
from keywords.look import DEFAULT_COLOUR, Look
from keywords.replies import Reply
from keywords.shop import Category
from storage.catalogue import ProgramRow, ProgramVersionRow, SenderRow
from storage.coupons import POOL
from storage.shop import (
    CONFIRM_WITHIN_HOURS,
    COUNTRIES,
    REMIND_AFTER_HOURS,
    ProgramDefinition,
    SenderDefinition,
    definition,
)

SLUG = r"^[a-z][a-z0-9-]{0,39}$"
NUMBER = r"^(?:[0-9]{3,8}|\+[1-9][0-9]{6,14})$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Number = Annotated[str, StringConstraints(pattern=NUMBER)]
Language = Literal["en", "es", "fr"]
SenderKind = Literal["short_code", "toll_free", "long_code"]
Keyword = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"^\S+$")]
Link = Annotated[
    str, StringConstraints(max_length=300, pattern=r"^https://[^\s/?#\x00-\x1f\x7f]+\S*$")
]
ShownBy = Literal["web_form", "checkout", "point_of_sale", "qr_code", "import", "api", "operator"]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
# As browsers send it in the Origin header. Plain http only where nothing crosses a network.
Origin = Annotated[
    str,
    StringConstraints(
        max_length=253,
        # [/]{2}: the page of the API shows this, and names no other host anywhere.
        pattern=r"^(?:https://[a-z0-9.-]+|http:[/]{2}(?:localhost|127\.0\.0\.1))(?::[0-9]{1,5})?$",
    ),
]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
Headline = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Hours = Annotated[int, Field(strict=True, ge=1, le=24 * 90)]
Flag = Annotated[bool, Field(strict=True)]


class LookModel(Model):
    """How a form and a poster look: one colour of the brand, and a first line by language."""

    colour: Colour = DEFAULT_COLOUR
    headline: dict[Language, Headline] = Field(default_factory=dict)

    def value(self) -> Look:
        """The look of the model."""
        return Look(self.colour, {str(k): words for k, words in self.headline.items()})


class ProgramFields(Model):
    """A program without its slug: everything that can be replaced."""

    sender: Number
    name: Line
    brand: Line
    category: Category
    keywords: Annotated[list[Keyword], Field(min_length=1, max_length=20)]
    help_contact: Line
    terms_url: Link
    privacy_url: Link
    frequency: FrequencyModel | None = None
    language: Language = "en"
    double_opt_in: Flag = True
    confirm_within_hours: Hours = CONFIRM_WITHIN_HOURS
    remind_after_hours: Hours | None = REMIND_AFTER_HOURS
    texts: dict[Language, dict[Reply, Words]] = Field(default_factory=dict)
    disclosures: dict[Language, dict[ShownBy, Words]] = Field(default_factory=dict)
    minimum_age: Annotated[int, Field(strict=True, ge=13, le=99)] | None = None
    countries: Annotated[list[CountryCode], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: list(COUNTRIES)
    )
    origins: Annotated[list[Origin], Field(max_length=50)] = Field(default_factory=list)
    look: LookModel = Field(default_factory=LookModel)
    coupon_pool: Annotated[str, StringConstraints(pattern=POOL)] | None = None
    campaign_texts: TextRulesModel = Field(default_factory=TextRulesModel)

    def definition(self, slug: str) -> ProgramDefinition:
        """What is published when it has passed the checks."""
        values = {name: getattr(self, name) for name in ProgramFields.model_fields}
        return ProgramDefinition(
            slug=slug,
            **values
            | {
                "keywords": tuple(self.keywords),
                "frequency": self.frequency.value() if self.frequency else None,
                "texts": _plain(self.texts),
                "disclosures": _plain(self.disclosures),
                "countries": tuple(self.countries),
                "origins": tuple(self.origins),
                "look": self.look.value(),
                "campaign_texts": self.campaign_texts.value(),
            },
        )


def _plain(texts: Mapping[Any, Mapping[Any, str]]) -> dict[str, dict[str, str]]:
    return {
        str(language): {str(kind): words for kind, words in own.items()}
        for language, own in texts.items()
    }


class NewProgram(ProgramFields):
    """A program to be made."""

    slug: Slug

    def made(self) -> ProgramDefinition:
        """The definition under the slug of the model."""
        return self.definition(self.slug)


class ProgramAnswer(Model):
    """A program as it is now, or as one of its versions was."""

    slug: str
    version: int
    sender: str
    name: str
    brand: str
    category: Category
    keywords: list[str]
    help_contact: str
    terms_url: str
    privacy_url: str
    frequency: FrequencyModel | None
    language: str
    double_opt_in: bool
    confirm_within_hours: int
    remind_after_hours: int | None
    texts: dict[str, dict[str, str]]
    disclosures: dict[str, dict[str, str]] = Field(default_factory=dict)
    minimum_age: int | None = None
    countries: list[str] = Field(default_factory=lambda: list(COUNTRIES))
    origins: list[str] = Field(default_factory=list)
    look: LookModel = Field(default_factory=LookModel)
    coupon_pool: str | None = None
    campaign_texts: TextRulesModel = Field(default_factory=TextRulesModel)
    published_at: datetime


class Programs(Model):
    """A page of programs, by slug."""

    items: list[ProgramAnswer]
    next: str | None


class ProgramVersion(Model):
    """A version of a program that was in force from ``published_at``."""

    program: str
    version: int
    published_at: datetime
    body: dict[str, Any]


class ProgramVersions(Model):
    """A page of versions, oldest first."""

    items: list[ProgramVersion]
    next: str | None


class SenderFields(Model):
    """A sender without its number."""

    name: Line
    kind: SenderKind
    keyword_authority: KeywordAuthority = KeywordAuthority.SELF
    segments_per_second: Annotated[float, Field(strict=True, gt=0, le=10_000)] = 1.0

    def definition(self, number: str) -> SenderDefinition:
        """What is saved when it has passed the checks."""
        return SenderDefinition(
            number, self.name, self.kind, self.keyword_authority, self.segments_per_second
        )


class NewSender(SenderFields):
    """A sender to be added."""

    number: Number


class SenderAnswer(Model):
    """A number that we text from."""

    number: str
    name: str
    kind: str
    keyword_authority: KeywordAuthority
    segments_per_second: float
    created_at: datetime


class Senders(Model):
    """A page of senders, by number."""

    items: list[SenderAnswer]
    next: str | None


def _partial(name: str, of: type[Model], doc: str) -> type[Model]:
    """The same fields, none of them required. Null is a value, not an absence."""
    fields: dict[str, Any] = {}
    for field, info in of.model_fields.items():
        kind: Any = info.annotation
        if info.metadata:
            kind = Annotated[(kind, *info.metadata)]
        fields[field] = (kind, Field(default_factory=absent))
    return create_model(name, __base__=Model, __doc__=doc, **fields)


ProgramChange = _partial("ProgramChange", ProgramFields, "The fields of a program to change.")
SenderChange = _partial("SenderChange", SenderFields, "The fields of a sender to change.")


def program_answer(row: ProgramRow, published_at: datetime) -> ProgramAnswer:
    """A program as it is shown."""
    known = {"slug": row.slug, "version": row.version, "published_at": published_at}
    return ProgramAnswer.model_validate(known | program_values(row))


def program_values(row: ProgramRow) -> dict[str, Any]:
    """A program's stored definition in the shape of the API, as plain values.

    They need not satisfy :class:`ProgramFields`: a rule may be younger than the program.
    """
    frequency = definition(row.slug, row.sender, row.body).frequency
    shown = {"count": frequency.count, "period": frequency.period} if frequency else None
    return row.body | {"sender": row.sender, "frequency": shown}


def version_answer(row: ProgramVersionRow) -> ProgramVersion:
    """A version as it is shown."""
    return ProgramVersion(
        program=row.program, version=row.version, published_at=row.published_at, body=row.body
    )


def sender_answer(row: SenderRow) -> SenderAnswer:
    """A sender as it is shown."""
    return SenderAnswer.model_validate(
        {name: getattr(row, name) for name in SenderAnswer.model_fields}
    )
