"""Conditions as values: read from JSON with an error for each thing that is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

DEEPEST: Final = 6
MOST_LEAVES: Final = 50


class Operator(StrEnum):
    """How a field is compared with the value of a leaf."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ABOVE = "above"
    BELOW = "below"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_DAYS = "within_days"
    NOT_WITHIN_DAYS = "not_within_days"
    FOR_DAYS = "for_days"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison: ``field`` is a name in the table of fields, or ``attributes.<name>``."""

    field: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; with no parts, everybody."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; with no parts, nobody."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = Leaf | AllOf | AnyOf | Not
EVERYBODY: Final = AllOf(())


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where: "all.0.value"."""

    where: str
    message: str


class BadCondition(ValueError):
    """A condition that cannot be read; ``mistakes`` names each thing that is wrong in it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{m.where or 'condition'}: {m.message}" for m in mistakes))
        self.mistakes = tuple(mistakes)


def parse(document: Any) -> Condition:
    """The condition that a JSON document writes.

    ``{"all": […]}``, ``{"any": […]}``, ``{"not": {…}}`` or ``{"field": …, "op": …, "value": …}``;
    an empty object is everybody. Raises :class:`BadCondition`. Whether fields and values exist is
    for ``fields.check`` to say.
    """
    mistakes: list[Mistake] = []
    condition = _read(document, "", 1, mistakes)
    if not mistakes and sum(1 for _ in leaves(condition)) > MOST_LEAVES:
        mistakes.append(Mistake("", f"At most {MOST_LEAVES} comparisons."))
    if mistakes:
        raise BadCondition(mistakes)
    return condition


def leaves(condition: Condition, where: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every leaf, and where it stands."""
    match condition:
        case Leaf():
            yield where, condition
        case Not(part):
            yield from leaves(part, _below(where, "not"))
        case AllOf(parts):
            for i, part in enumerate(parts):
                yield from leaves(part, _below(where, f"all.{i}"))
        case AnyOf(parts):
            for i, part in enumerate(parts):
                yield from leaves(part, _below(where, f"any.{i}"))


def document(condition: Condition) -> dict[str, Any]:
    """The JSON document that :func:`parse` reads back."""
    match condition:
        case Leaf(field, op, value):
            return {"field": field, "op": str(op), "value": value}
        case Not(part):
            return {"not": document(part)}
        case AllOf(parts):
            return {"all": [document(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [document(part) for part in parts]}


def _below(where: str, step: str) -> str:
    return f"{where}.{step}" if where else step


def _read(value: Any, where: str, depth: int, mistakes: list[Mistake]) -> Condition:
    if not isinstance(value, Mapping):
        mistakes.append(Mistake(where, "A condition is a JSON object."))
    elif depth > DEEPEST:
        mistakes.append(Mistake(where, f"Nest at most {DEEPEST} levels."))
    elif not value:
        return EVERYBODY
    elif set(value) <= {"field", "op", "value"}:
        return _leaf(value, where, mistakes)
    elif len(value) == 1 and (name := next(iter(value))) in ("all", "any", "not"):
        return _group(name, value[name], where, depth, mistakes)
    else:
        mistakes.append(Mistake(where, "Use one of all, any, not, or field with op and value."))
    return EVERYBODY


def _group(name: str, value: Any, where: str, depth: int, mistakes: list[Mistake]) -> Condition:
    if name == "not":
        return Not(_read(value, _below(where, "not"), depth + 1, mistakes))
    if not isinstance(value, list):
        mistakes.append(Mistake(_below(where, name), "Give a list of conditions."))
        return EVERYBODY
    parts = tuple(
        _read(part, _below(where, f"{name}.{i}"), depth + 1, mistakes)
        for i, part in enumerate(value)
    )
    return AllOf(parts) if name == "all" else AnyOf(parts)


def _leaf(value: Mapping[str, Any], where: str, mistakes: list[Mistake]) -> Condition:
    field, op = value.get("field"), value.get("op")
    if not isinstance(field, str):
        mistakes.append(Mistake(_below(where, "field"), "Name a field."))
    elif op not in set(Operator):
        choices = ", ".join(Operator)
        mistakes.append(Mistake(_below(where, "op"), f"Use one of {choices}."))
    else:
        return Leaf(field, Operator(str(op)), value.get("value"))
    return EVERYBODY
