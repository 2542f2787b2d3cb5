"""The texts of a campaign as they are sent: read once for each campaign, then rendered.

A text was checked when it was written; here it is read again from its source, since a template
cannot be stored. What the check needed to know is in the campaign's settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from keywords.replies import ProgramVoice
from storage import due_facts
from storage.database import Connection
from storage.due_facts import DuePerson, Link
from storage.settings import Settings
from worker.texts.authoring import compile_text
from worker.texts.codes import Codes
from worker.texts.context import OptOutLine, TextContext
from worker.texts.links import link_prefix
from worker.texts.plans import CannotRender
from worker.texts.rendering import CompiledText, Rendered, render
from worker.texts.values import Value

_ATTRIBUTE: Final = re.compile(r"attributes\.([a-z][a-z0-9_]*)")
_HOST: Final = re.compile(r"https?://([^\s/?#]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CampaignTexts:
    """The variants of a campaign by number, and the numbers of each one's links in their order."""

    variants: Mapping[int, CompiledText]
    numbers: Mapping[int, tuple[int, ...]]
    codes: Codes
    prefix: str

    def render(self, person: DuePerson) -> Rendered:
        """The text of one person. Raises :class:`worker.texts.plans.CannotRender`."""
        text = self.variants.get(person.variant)
        if text is None:
            raise CannotRender("text.no_variant")
        urls = [
            self.prefix + self.codes.encode(person.id, number)
            for number in self.numbers.get(person.variant, ())
        ]
        return render(text, _values(person, text.fields), urls)


def load(
    connection: Connection,
    campaign_id: int,
    voice: ProgramVoice,
    language: str,
    asked: Mapping[str, Any],
    settings: Settings,
) -> CampaignTexts:
    """The texts of a campaign; ``asked`` are the campaign's settings (see :func:`context`)."""
    sources = due_facts.variants(connection, campaign_id)
    links = due_facts.links(connection, campaign_id)
    compiled = compile_all(sources, voice, language, asked, settings)
    return CampaignTexts(
        compiled,
        {number: _numbers(text, number, links) for number, text in compiled.items()},
        Codes(settings.secret_key),
        link_prefix(settings.link_base_url, settings.public_base_url),
    )


def compile_all(
    sources: Mapping[int, str],
    voice: ProgramVoice,
    language: str,
    asked: Mapping[str, Any],
    settings: Settings,
) -> dict[int, CompiledText]:
    """Every variant, read and checked."""
    return {
        number: compile_text(source, context(source, voice, language, asked, settings))
        for number, source in sources.items()
    }


def context(
    source: str,
    voice: ProgramVoice,
    language: str,
    asked: Mapping[str, Any],
    settings: Settings,
) -> TextContext:
    """What the text is written for, from a campaign's settings.

    They may hold ``link_hosts`` and ``attributes`` (lists), ``opt_out`` and ``plain_values``, as
    :class:`TextContext` has them. Without the lists, what the text itself names is allowed: it was
    checked when it was written.
    """
    hosts = asked.get("link_hosts") or _HOST.findall(source)
    return TextContext(
        voice=voice,
        language=asked.get("language") or language,
        link_prefix=link_prefix(settings.link_base_url, settings.public_base_url),
        link_hosts=frozenset(host.lower() for host in hosts),
        attributes=frozenset(asked.get("attributes") or _ATTRIBUTE.findall(source)),
        opt_out=OptOutLine(asked.get("opt_out", OptOutLine.ALWAYS)),
        plain_values=bool(asked.get("plain_values", False)),
    )


def link_rows(compiled: Mapping[int, CompiledText]) -> list[Link]:
    """The destinations of all variants, numbered through: what planning stores."""
    found: list[Link] = []
    for variant, text in sorted(compiled.items()):
        for destination in text.links:
            found.append(Link(len(found), variant, destination))
    return found


def _numbers(text: CompiledText, variant: int, links: Sequence[Link]) -> tuple[int, ...]:
    by_destination = {link.destination: link.number for link in links if link.variant == variant}
    return tuple(by_destination[destination] for destination in text.links)


def _values(person: DuePerson, fields: frozenset[str]) -> dict[str, Value]:
    """The person's values of the fields that the text uses."""
    found: dict[str, Value] = {}
    for field in fields:
        root, _, attribute = field.partition(".")
        if attribute:
            found[field] = (person.attributes or {}).get(attribute)
        else:
            value = getattr(person, root, None)
            found[field] = value if isinstance(value, str) else None
    return found


def hosts_of(links: Sequence[Link]) -> frozenset[str]:
    """The hosts that stored links lead to."""
    return frozenset(urlsplit(link.destination).hostname or "" for link in links)
