"""Senders and programs as somebody sets them up, and the form in which they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from keywords.authority import KeywordAuthority
from keywords.look import Look
from keywords.people import read_frequency, write_frequency
from keywords.replies import ProgramVoice, Reply
from keywords.shop import Category
from keywords.signals import Frequency
from keywords.text_rules import OptOutLine, TextRules

COUNTRIES: Final = ("US",)
CONFIRM_WITHIN_HOURS: Final = 168
REMIND_AFTER_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class SenderDefinition:
    """A sender as somebody sets it up. ``kind`` is short_code, toll_free or long_code."""

    number: str
    name: str
    kind: str
    keyword_authority: KeywordAuthority
    segments_per_second: float


@dataclass(frozen=True, slots=True)
class ProgramDefinition:
    """A program as somebody sets it up; what is published is exactly this.

    ``keywords`` in the order of importance: the first is the one that texts mention. ``texts``
    overrides replies by language and kind, ``disclosures`` calls to action by language and method.
    Hours are whole; ``remind_after_hours`` may be None. ``minimum_age`` is in years. ``countries``
    are ISO codes, the likely one first; ``origins`` sites ("https://shop.example") that may embed
    the form. ``coupon_pool`` is the pool that new subscribers get a code of, None for no codes.
    ``campaign_texts`` are the rules for texts of campaigns.
    """

    slug: str
    sender: str
    name: str
    brand: str
    category: Category
    keywords: tuple[str, ...]
    help_contact: str
    terms_url: str
    privacy_url: str
    frequency: Frequency | None = None
    language: str = "en"
    double_opt_in: bool = True
    confirm_within_hours: int = CONFIRM_WITHIN_HOURS
    remind_after_hours: int | None = REMIND_AFTER_HOURS
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    disclosures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    minimum_age: int | None = None
    countries: tuple[str, ...] = COUNTRIES
    origins: tuple[str, ...] = ()
    look: Look = field(default_factory=Look)
    coupon_pool: str | None = None
    campaign_texts: TextRules = field(default_factory=TextRules)

    def body(self) -> dict[str, Any]:
        """The definition as it is stored and published."""
        return {
            "name": self.name,
            "brand": self.brand,
            "category": str(self.category),
            "keywords": list(self.keywords),
            "help_contact": self.help_contact,
            "terms_url": self.terms_url,
            "privacy_url": self.privacy_url,
            "frequency": write_frequency(self.frequency) if self.frequency else None,
            "language": self.language,
            "double_opt_in": self.double_opt_in,
            "confirm_within_hours": self.confirm_within_hours,
            "remind_after_hours": self.remind_after_hours,
            "texts": _plain(self.texts),
            **self._chosen(),
        }

    def _chosen(self) -> dict[str, Any]:
        """Settings that are written only where somebody set them.

        A program that was published before they existed is thus still the same program.
        """
        chosen = {
            "disclosures": _plain(self.disclosures),
            "minimum_age": self.minimum_age,
            "countries": list(self.countries) if self.countries != COUNTRIES else None,
            "origins": list(self.origins),
            "look": write_look(self.look) if self.look != Look() else None,
            "coupon_pool": self.coupon_pool,
            "campaign_texts": write_rules(self.campaign_texts),
        }
        return {name: value for name, value in chosen.items() if value}

    def voice(self) -> ProgramVoice:
        """How this program speaks."""
        return ProgramVoice(
            slug=self.slug,
            name=self.name,
            brand=self.brand,
            category=self.category,
            keyword=self.keywords[0],
            frequency=self.frequency,
            help_contact=self.help_contact,
            terms_url=self.terms_url,
            privacy_url=self.privacy_url,
            texts={
                (language, Reply(kind)): words
                for language, texts in self.texts.items()
                for kind, words in texts.items()
            },
        )


def _plain(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {language: dict(words) for language, words in texts.items()}


def write_look(look: Look) -> dict[str, Any]:
    """A look as it is stored and published."""
    return {"colour": look.colour, "headline": dict(look.headline)}


def write_rules(rules: TextRules) -> dict[str, Any]:
    """The rules for campaigns' texts as they are stored: those alone that somebody chose."""
    usual, values = asdict(TextRules()), asdict(rules)
    chosen = {name: value for name, value in values.items() if value != usual[name]}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()
    }


def read_rules(stored: Mapping[str, Any]) -> TextRules:
    """The rules that :func:`write_rules` wrote."""
    values = dict(stored)
    for name in ("link_hosts", "attributes"):
        values[name] = tuple(values.get(name, ()))
    return TextRules(**values | {"opt_out": OptOutLine(values.get("opt_out", OptOutLine.ALWAYS))})


def definition(slug: str, sender: str, body: Mapping[str, Any]) -> ProgramDefinition:
    """The definition that :meth:`ProgramDefinition.body` wrote."""
    values = dict(body)
    frequency = values.pop("frequency")
    return ProgramDefinition(
        slug=slug,
        sender=sender,
        category=Category(values.pop("category")),
        keywords=tuple(values.pop("keywords")),
        frequency=read_frequency(frequency) if frequency else None,
        look=Look(**values.pop("look", {})),
        countries=tuple(values.pop("countries", COUNTRIES)),
        origins=tuple(values.pop("origins", ())),
        campaign_texts=read_rules(values.pop("campaign_texts", {})),
        **values,
    )
