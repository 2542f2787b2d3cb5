"""Which fields a condition proves to be there, so that they need no fallback behind it."""

from __future__ import annotations

from typing import Final, NamedTuple

from liquid.builtin.expressions import BooleanExpression, Path
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import FloatLiteral, IntegerLiteral, Literal, Nil
from liquid.expression import Expression

_NOTHING: Final[frozenset[str]] = frozenset()
_COMPARED: Final = (LtExpression, GtExpression, LeExpression, GeExpression)


class Proved(NamedTuple):
    """The fields that are there where a condition holds, and where it does not."""

    when_true: frozenset[str]
    when_false: frozenset[str]


def name_of(expression: Expression) -> str | None:
    """The dotted name of a field or a local value; None for any other expression."""
    if not isinstance(expression, Path):
        return None
    if not all(isinstance(segment, str) for segment in expression.path):
        return None
    return ".".join(map(str, expression.path))


def proved(condition: Expression) -> Proved:
    """What ``condition`` says about the fields in it."""
    if isinstance(condition, BooleanExpression):
        return proved(condition.expression)
    if isinstance(condition, LogicalAndExpression):
        left, right = proved(condition.left), proved(condition.right)
        return Proved(left.when_true | right.when_true, left.when_false & right.when_false)
    if isinstance(condition, LogicalOrExpression):
        left, right = proved(condition.left), proved(condition.right)
        return Proved(left.when_true & right.when_true, left.when_false | right.when_false)
    name = name_of(condition)
    if name is not None:
        return Proved(frozenset({name}), _NOTHING)
    return _compared(condition)


def _compared(condition: Expression) -> Proved:
    """nil equals only nil, and is neither less nor more than anything, nor contains it."""
    if isinstance(condition, EqExpression | NeExpression):
        names = frozenset(filter(None, map(name_of, (condition.left, condition.right))))
        to_nil = isinstance(condition.left, Nil) or isinstance(condition.right, Nil)
        to_value = isinstance(condition.left, Literal) or isinstance(condition.right, Literal)
        equal = Proved(names if to_value else _NOTHING, names if to_nil else _NOTHING)
        return equal if isinstance(condition, EqExpression) else Proved(*reversed(equal))
    if isinstance(condition, (*_COMPARED, ContainsExpression)):
        name = name_of(condition.left)
        return Proved(frozenset({name}) if name else _NOTHING, _NOTHING)
    return Proved(_NOTHING, _NOTHING)


def figures(expression: Expression) -> frozenset[str]:
    """The fields that a comparison holds against a number."""
    if not isinstance(expression, (*_COMPARED, EqExpression, NeExpression)):
        return _NOTHING
    sides = (expression.left, expression.right)
    if not any(isinstance(side, IntegerLiteral | FloatLiteral) for side in sides):
        return _NOTHING
    return frozenset(filter(None, map(name_of, sides)))
