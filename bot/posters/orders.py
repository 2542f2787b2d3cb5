"""Which poster is wanted: the few things that anybody may choose, and the design that follows.

Posters can be fetched without a key, so nothing of what is drawn comes from the address: words
are the placement's, the program's, or ours. What may be chosen has a handful of values each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from bot.posters.codes import direct, message
from bot.posters.design import Design, Mode, Size, words
from bot.posters.letters import drawable, missing
from keywords.phone import readable
from keywords.replies import LANGUAGES, title
from storage.definitions import ProgramDefinition

_MARKS: Final = ("no", "yes")
_Choice = TypeVar("_Choice", bound=StrEnum)


class UnknownChoice(ValueError):
    """A choice that is not offered; the message says which are."""

    def __init__(self, name: str, offered: tuple[str, ...]) -> None:
        super().__init__(f"{name} must be one of: {', '.join(offered)}.")


class Undrawable(ValueError):
    """Words that must be printed as they are have a character that posters cannot draw."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was chosen; ``language`` and ``mode`` None for what suits the program and the server."""

    size: Size = Size.A4
    language: str | None = None
    mode: Mode | None = None
    marks: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """The placement of a poster as its design needs it; ``wording`` by language."""

    code: str
    wording: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_order(given: Mapping[str, str]) -> Order:
    """The order in the query of an address. Raises :class:`UnknownChoice`."""
    language = given.get("language")
    if language is not None and language not in LANGUAGES:
        raise UnknownChoice("language", LANGUAGES)
    marks = given.get("marks", "no")
    if marks not in _MARKS:
        raise UnknownChoice("marks", _MARKS)
    return Order(
        _choice(Size, "size", given) or Size.A4,
        language,
        _choice(Mode, "mode", given),
        marks == "yes",
    )


def _choice(kind: type[_Choice], name: str, given: Mapping[str, str]) -> _Choice | None:
    value = given.get(name)
    offered = tuple(str(choice) for choice in kind)
    if value is not None and value not in offered:
        raise UnknownChoice(name, offered)
    return None if value is None else kind(value)


def landing_path(program: str, code: str | None) -> str:
    """The path of the page that a code of mode ``landing`` leads to."""
    return f"/q/{code}" if code else f"/join/{program}/text"


def mode_for(order: Order, link_base: str) -> Mode:
    """The mode that was chosen, else the page where phones can reach it, else the text itself."""
    if order.mode is not None:
        return order.mode
    return Mode.LANDING if link_base.startswith("https://") else Mode.DIRECT


def design(
    order: Order, program: ProgramDefinition, spot: Spot | None, disclosure: str, link_base: str
) -> Design:
    """The poster of a program at a spot. ``disclosure`` is the call to action in force.

    Raises :class:`Undrawable`: a disclosure is shown word for word, or not at all.
    """
    if missing(" ".join(disclosure.split()) + program.keywords[0]):
        raise Undrawable("The disclosure or the keyword has a character that posters cannot draw.")
    language = order.language or program.language
    voice, code = program.voice(), spot.code if spot else None
    own = spot.wording.get(language, {}) if spot else {}
    usual = words(language)["headline"].format(title=title(voice))
    headline = own.get("headline") or program.look.headline.get(language) or usual
    if mode_for(order, link_base) is Mode.LANDING:
        # A page in another language than the program's is asked for in the address.
        asked = f"?lang={language}" if language != program.language else ""
        payload = f"{link_base}{landing_path(program.slug, code)}{asked}"
    else:
        payload = direct(program.sender, message(voice.keyword, code))
    return Design(
        order.size,
        language,
        drawable(program.brand),
        drawable(headline),
        drawable(own.get("offer") or ""),
        voice.keyword,
        readable(program.sender),
        disclosure,
        payload,
        program.look.colour,
        code or "",
        order.marks,
    )
