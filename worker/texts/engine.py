"""python-liquid, reduced to what a text needs, with every limit on.

Conditions and one assignment are allowed, loops are not: there is nothing to loop over. Filters
that read the clock (``date``) are left out, and every filter is limited in what it answers: ten
``replace`` in a row would make gigabytes before any of Liquid's own limits looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, Empty, Nil, StringLiteral
from liquid.builtin.filters import array, math, misc, string
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, if_tag, unless_tag
from liquid.exceptions import FilterValueError
from liquid.expression import Expression

from worker.texts.limits import (
    DEPTH,
    LARGEST_NUMBER,
    LONGEST_RESULT,
    LOOPS,
    NAMESPACE,
    OUTPUT,
)

Filter = Callable[..., Any]

TAGS: Final = (
    content.Literal,
    output.Output,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    assign_tag.AssignTag,
    comment_tag.CommentTag,
)
TAG_NAMES: Final = ("if", "unless", "case", "assign", "comment")
FILTERS: Final[dict[str, Filter]] = {
    "abs": math.abs_,
    "append": string.append,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "capitalize": string.capitalize,
    "ceil": math.ceil,
    "default": misc.default,
    "divided_by": math.divided_by,
    "downcase": string.downcase,
    "first": array.first,
    "floor": math.floor,
    "last": array.last,
    "lstrip": string.lstrip,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "prepend": string.prepend,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "replace": string.replace,
    "replace_first": string.replace_first,
    "round": math.round_,
    "rstrip": string.rstrip,
    "size": misc.size,
    "slice": string.slice_,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "times": math.times,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
}


def limited(function: Filter) -> Filter:
    """A filter that refuses to answer with more than a text can hold, and fails as Liquid does."""

    @wraps(function)
    def run(value: object, *args: Any, **kwargs: Any) -> Any:
        try:
            result = function(value, *args, **kwargs)
        except (ArithmeticError, ValueError, AttributeError, RecursionError) as failure:
            raise FilterValueError(type(failure).__name__, token=None) from failure
        if isinstance(result, str) and len(result) > LONGEST_RESULT:
            raise FilterValueError("the result is too long", token=None)
        number = isinstance(result, int | float) and not isinstance(result, bool)
        if number and not abs(result) < LARGEST_NUMBER:
            raise FilterValueError("the result is too large", token=None)
        return result

    return run


class Texts(Environment):
    """Liquid for texts. One of it serves all threads; templates are parsed once and kept."""

    block_nesting_limit = DEPTH
    context_depth_limit = DEPTH
    loop_iteration_limit = LOOPS
    local_namespace_limit = NAMESPACE
    output_stream_limit = OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002 - liquid's
        """Only what is listed above; ``extra`` adds nothing."""
        for tag in TAGS:
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, limited(function))


_ENVIRONMENT: Final = Texts()
_NOWHERE: Final = RenderContext(_ENVIRONMENT.from_string(""))  # only partials would look into it


def parse(source: str) -> BoundTemplate:
    """The template that ``source`` writes. Raises ``liquid.exceptions.LiquidError``.

    A value that is missing is nil, and one that is there is never blank. So a comparison with
    ``blank``, ``empty`` or "" is read as one with nil, as authors mean it.
    """
    template = _ENVIRONMENT.from_string(source)
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        waiting += children(node)
        for expression in node.expressions():
            _nil_for_blank(expression)
    return template


def children(node: Node) -> list[Node]:
    """The nodes below ``node``."""
    return list(node.children(_NOWHERE))


def _nil_for_blank(expression: Expression) -> None:
    if isinstance(expression, EqExpression | NeExpression):
        if _blank(expression.right):
            expression.right = Nil(expression.right.token)
        if _blank(expression.left):
            expression.left = Nil(expression.left.token)
    for child in expression.children():
        _nil_for_blank(child)


def _blank(expression: Expression) -> bool:
    if isinstance(expression, StringLiteral):
        return not expression.value.strip()
    return isinstance(expression, Blank | Empty)
