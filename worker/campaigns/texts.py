"""The texts of a campaign as they are sent: read once for each campaign, then rendered.

A text was checked when it was written; here it is read again from its source, since a template
cannot be stored, by the same rules: those of its program (``worker.texts.context.for_program``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keywords.shop import Program
from storage import due_facts
from storage.database import Connection
from storage.due_facts import DuePerson, Link
from storage.settings import Settings
from worker.texts.authoring import compile_text
from worker.texts.codes import Codes
from worker.texts.context import for_program
from worker.texts.links import link_prefix
from worker.texts.plans import CannotRender
from worker.texts.rendering import CompiledText, Rendered, render
from worker.texts.values import Value


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
        return render(text, values_of(person, text.fields), urls)


def load(
    connection: Connection, campaign_id: int, program: Program, settings: Settings
) -> CampaignTexts:
    """The texts of a campaign of this program."""
    sources = due_facts.variants(connection, campaign_id)
    links = due_facts.links(connection, campaign_id)
    prefix = link_prefix(settings.link_base_url, settings.public_base_url)
    compiled = compile_all(sources, program, prefix)
    return CampaignTexts(
        compiled,
        {number: _numbers(text, number, links) for number, text in compiled.items()},
        Codes(settings.secret_key),
        prefix,
    )


def compile_all(
    sources: Mapping[int, str], program: Program, prefix: str
) -> dict[int, CompiledText]:
    """Every variant, read and checked; ``prefix`` is what stands before a link's code."""
    context = for_program(program, prefix)
    return {number: compile_text(source, context) for number, source in sources.items()}


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


def values_of(person: DuePerson, fields: frozenset[str]) -> dict[str, Value]:
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
