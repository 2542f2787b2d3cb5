"""A condition as SQL with parameters, and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keywords.money import written
from storage.segments.conditions import AllOf, AnyOf, Condition, Leaf, Not
from storage.segments.fields import comparison, find
from storage.segments.kinds import Kind

# Whom a condition is asked about. ``%(program)s`` is the program that the segment is used for, and
# conditions may name ``%(as_of)s``: the launch of the campaign that is planned, or null for now.
# Nobody who was erased, or whose request for it waits, is shown, counted or planned for.
PEOPLE: Final = (
    "(SELECT * FROM subscribers x WHERE NOT EXISTS"
    " (SELECT FROM erasures e WHERE e.subscriber_id = x.id)) s"
    " LEFT JOIN profiles p ON p.subscriber_id = s.id"
    " LEFT JOIN subscriptions t ON t.subscriber_id = s.id AND t.program = %(program)s"
)


@dataclass(frozen=True, slots=True)
class Query:
    """An SQL expression over :data:`PEOPLE`; its parameters but ``program`` and ``as_of``."""

    where: str
    parameters: Mapping[str, Any]


def compile_(condition: Condition, prefix: str = "c") -> Query:
    """The condition as SQL. The caller has checked it (``fields.check``).

    ``prefix`` keeps the parameters of two conditions in one statement apart.
    """
    parameters: dict[str, Any] = {}
    return Query(_sql(condition, parameters, prefix), parameters)


def explain(condition: Condition) -> str:
    """The condition as a sentence fragment: "the state is FL and the method … is web_form"."""
    match condition:
        case Leaf():
            return _words(condition)
        case Not(part):
            return f"not ({explain(part)})"
        case AllOf(parts):
            return _joined(parts, " and ", "everybody")
        case AnyOf(parts):
            return _joined(parts, " or ", "nobody")


def _sql(condition: Condition, parameters: dict[str, Any], prefix: str) -> str:
    match condition:
        case Leaf():
            return _leaf(condition, parameters, prefix)
        case Not(part):
            return f"NOT ({_sql(part, parameters, prefix)})"
        case AllOf(parts):
            sqls = [_sql(part, parameters, prefix) for part in parts]
            return f"({' AND '.join(sqls)})" if sqls else "true"
        case AnyOf(parts):
            sqls = [_sql(part, parameters, prefix) for part in parts]
            return f"({' OR '.join(sqls)})" if sqls else "false"


def _leaf(leaf: Leaf, parameters: dict[str, Any], prefix: str) -> str:
    field = find(leaf)
    how = comparison(field, leaf) if field else None
    assert field is not None
    assert how is not None
    name, value = f"{prefix}{len(parameters)}", how.read(leaf.value)
    if not isinstance(value, Mapping):
        parameters[name] = value
        return how.sql.format(c=field.column, v=f"%({name})s")
    parameters.update({f"{name}_{part}": each for part, each in value.items()})
    return how.sql.format(c=field.column, v={part: f"%({name}_{part})s" for part in value})


def _words(leaf: Leaf) -> str:
    field = find(leaf)
    how = comparison(field, leaf) if field else None
    assert field is not None
    assert how is not None
    if isinstance(leaf.value, bool) and field.kind is not Kind.FLAG:
        known = how.words.rstrip(":")
        return f"{field.words} {known}" if leaf.value else f"not ({field.words} {known})"
    return f"{field.words} {how.words} {_said(leaf.value)}"


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return f"{written(value['amount_minor'], value['currency'])} {value['currency']}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(parts: tuple[Condition, ...], word: str, nothing: str) -> str:
    if not parts:
        return nothing
    if len(parts) == 1:
        return explain(parts[0])
    return word.join(
        f"({explain(part)})" if isinstance(part, AllOf | AnyOf) else explain(part) for part in parts
    )
