"""How a person's text is made of a template: by joining pieces where that will do, else by Liquid.

Most texts are words with a field or two, each with a fallback. Those are split once and joined for
each person in a microsecond, where Liquid takes twenty. Both give the same text (tested).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Filter, FilteredExpression, Literal
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError

from worker.texts.guards import name_of
from worker.texts.values import ATTRIBUTES, Cleaner, Value, Values, cleaner_of, figure, text_of


class CannotRender(Exception):
    """A text that cannot be made for a person; ``reason`` is a stable name ("text.empty")."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a field. ``fallback`` is None where there is none."""

    field: str
    clean: Cleaner
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text that is joined: ``first``, and each slot with the words behind it."""

    first: str
    rest: tuple[tuple[Slot, str], ...]

    def fill(self, values: Values) -> str:
        """The text with these values."""
        parts = [self.first]
        for slot, words in self.rest:
            value = slot.clean(values.get(slot.field))
            if slot.fallback is not None and (value is None or value is False):
                parts += (slot.fallback, words)
            else:
                parts += (value if isinstance(value, str) else text_of(value), words)
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Liquid:
    """A text that Liquid renders. ``fields`` are those of persons, each with its cleaner."""

    template: BoundTemplate
    constants: Mapping[str, str]
    fields: tuple[tuple[str, Cleaner], ...]

    def fill(self, values: Values) -> str:
        """The text with these values. Raises :class:`CannotRender`."""
        given: dict[str, object] = dict(self.constants)
        attributes: dict[str, Value] = {}
        for name, clean in self.fields:
            root, _, attribute = name.partition(".")
            if attribute:
                attributes[attribute] = clean(values.get(name))
            else:
                given[root] = clean(values.get(name))
        given[ATTRIBUTES] = attributes
        try:
            return self.template.render(given)
        except LiquidError:
            raise CannotRender("text.failed") from None


Plan: TypeAlias = Pieces | Liquid
_DEFAULT: Final = "default"


def plan(
    template: BoundTemplate,
    constants: Mapping[str, str],
    fields: frozenset[str],
    figures: Collection[str] = (),
) -> Plan:
    """The cheapest way to make the texts of ``template``.

    ``figures`` are fields that are compared with numbers: what is written in figures is read as
    one, and what is no number counts as missing.
    """
    joined = _Joined(constants)
    if all(joined.take(node) for node in template.nodes):
        return joined.pieces()
    cleaners = [figure if name in figures else cleaner_of(name) for name in sorted(fields)]
    return Liquid(template, constants, tuple(zip(sorted(fields), cleaners, strict=True)))


class _Joined:
    """Collects pieces for as long as the nodes are plain ones."""

    def __init__(self, constants: Mapping[str, str]) -> None:
        self._constants = constants
        self._words = [""]
        self._slots: list[Slot] = []

    def pieces(self) -> Pieces:
        """What was collected."""
        return Pieces(self._words[0], tuple(zip(self._slots, self._words[1:], strict=True)))

    def take(self, node: Node) -> bool:
        """Take a node; false when it needs Liquid."""
        if isinstance(node, ContentNode):
            self._words[-1] += node.text
            return True
        expression = node.expression if isinstance(node, OutputNode) else None
        if not isinstance(expression, FilteredExpression):
            return False
        name, filters = name_of(expression.left), expression.filters or []
        if name is None or len(filters) > 1:
            return False
        fallback = _fallback(filters[0]) if filters else None
        if filters and fallback is None:
            return False
        if name in self._constants:
            self._words[-1] += self._constants[name] or fallback or ""
        else:
            self._slots.append(Slot(name, cleaner_of(name), fallback))
            self._words.append("")
        return True


def _fallback(used: Filter) -> str | None:
    """The text behind ``| default:``, or None for anything else."""
    if used.name != _DEFAULT or len(used.args) != 1:
        return None
    argument = used.args[0]
    if getattr(argument, "name", None) or not isinstance(argument.value, Literal):
        return None
    value: Value = argument.value.value
    return text_of(value)
