"""What a parsed text consists of: the author's words, the fields, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final

from liquid import BoundTemplate
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import Literal, Nil
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from worker.texts.context import PROGRAM_FIELDS
from worker.texts.engine import FILTERS, children
from worker.texts.findings import Finding, error, warning
from worker.texts.guards import Proved, figures, name_of, proved

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of the author's own words, and where it begins in the source.

    ``certain`` is false inside a condition; ``quoted`` is true for a string within ``{{ }}``.
    ``follows`` are the characters that may come right behind, "{" for any value.
    """

    text: str
    start: int
    certain: bool
    quoted: bool = False
    follows: frozenset[str] = _NOTHING


@dataclass(slots=True)
class Reading:
    """A text taken apart: ``fields`` are those of persons that it uses, ``figures`` those of them
    that it compares with a number.
    """

    source: str
    words: list[Words] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    figures: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is known at a place: fields proved to be there, local values and those ever missing."""

    there: frozenset[str] = _NOTHING
    local: frozenset[str] = _NOTHING
    missing: frozenset[str] = _NOTHING
    certain: bool = True
    follows: frozenset[str] = _NOTHING

    def inside(self, there: frozenset[str]) -> _Scope:
        """The scope of a branch in which ``there`` are proved."""
        return replace(self, there=self.there | there, certain=False)

    def after(self, branches: Iterable[_Scope]) -> _Scope:
        """The scope behind branches: a value that only some of them set may be missing."""
        ends = [self, *branches]
        local = frozenset().union(*(end.local for end in ends))
        unset = frozenset().union(*(local - end.local for end in ends[1:]))
        missing = frozenset().union(*(end.missing for end in ends))
        return replace(self, local=local, missing=missing | unset)


def read(source: str, template: BoundTemplate, known: frozenset[str]) -> Reading:
    """Take a template apart. ``known`` are the fields that it may use."""
    reader = _Reader(Reading(source), known)
    reader.nodes(template.nodes, _Scope())
    return reader.reading


def openings(nodes: Sequence[Node], behind: frozenset[str]) -> frozenset[str]:
    """The characters with which the text of ``nodes`` may begin, or what is ``behind`` them."""
    found = _NOTHING
    for node in nodes:
        if isinstance(node, ContentNode):
            return found | {node.text[:1]}
        if isinstance(node, OutputNode):
            return found | {"{"}
        for branch in [node] if isinstance(node, BlockNode) else children(node):
            inner = branch.nodes if isinstance(branch, BlockNode) else children(branch)
            found |= openings(inner, _NOTHING)
    return found | behind


class _Reader:
    """Walks through the tree, in the order of the text."""

    def __init__(self, reading: Reading, known: frozenset[str]) -> None:
        self.reading = reading
        self.known = known

    def nodes(self, nodes: Iterable[Node], scope: _Scope) -> _Scope:
        """Read nodes one after the other; answers the scope behind them."""
        waiting, outside = list(nodes), scope.follows
        while waiting:
            node = waiting.pop(0)
            scope = self._node(node, replace(scope, follows=openings(waiting, outside)))
        return replace(scope, follows=outside)

    def _node(self, node: Node, scope: _Scope) -> _Scope:
        if isinstance(node, ContentNode):
            self._content(node, scope)
        elif isinstance(node, OutputNode):
            self._output(node, scope)
        elif isinstance(node, AssignNode):
            return self._assign(node, scope)
        elif isinstance(node, IfNode | UnlessNode):
            return self._condition(node, scope)
        elif isinstance(node, CaseNode):
            return self._case(node, scope)
        return scope

    def _content(self, node: ContentNode, scope: _Scope) -> None:
        start = node.token.start_index
        if self.reading.source.startswith("{%", start):
            self._fault("tag", start, 2, "{% raw %} is not for texts.")
        else:
            start = self.reading.source.find(node.text, start)
        self.reading.words.append(Words(node.text, start, scope.certain, follows=scope.follows))

    def _output(self, node: OutputNode, scope: _Scope) -> None:
        self._expression(node.expression, scope)
        name = self._missing(node.expression, scope)
        if name is None:
            return
        sentence = f'Not everybody has {name}: give a fallback, {{{{ {name} | default: "…" }}}}.'
        length = len(node.token.value)
        self._fault("missing_fallback", node.token.start_index, length, sentence)

    def _assign(self, node: AssignNode, scope: _Scope) -> _Scope:
        self._expression(node.expression, scope)
        name = frozenset({str(node.name)})
        missing = scope.missing - name
        if self._missing(node.expression, scope) is not None:
            missing |= name
        return replace(scope, local=scope.local | name, missing=missing)

    def _condition(self, node: IfNode | UnlessNode, scope: _Scope) -> _Scope:
        self._expression(node.condition, scope)
        facts = proved(node.condition)
        if isinstance(node, UnlessNode):
            facts = Proved(*reversed(facts))
        ends = [self._block(node.consequence, scope.inside(facts.when_true))]
        there = facts.when_false
        for branch in node.alternatives:
            self._expression(branch.expression, scope)
            facts = proved(branch.expression)
            ends.append(self._block(branch.block, scope.inside(there | facts.when_true)))
            there |= facts.when_false
        ends.append(self._block(node.default, scope.inside(there)))
        return scope.after(ends)

    def _case(self, node: CaseNode, scope: _Scope) -> _Scope:
        self._expression(node.expression, scope)
        ends = [scope]
        name = name_of(node.expression)
        for branch in node.blocks:
            there = _NOTHING
            block = branch
            if isinstance(branch, MultiExpressionBlockNode):
                block = branch.block
                values = branch.expression.children()
                for value in values:
                    self._expression(value, scope)
                if name and all(isinstance(value, Literal) for value in values):
                    there = frozenset({name})
            ends.append(self._block(block, scope.inside(there)))
        return scope.after(ends)

    def _block(self, block: Node | None, scope: _Scope) -> _Scope:
        return self.nodes(block.nodes, scope) if isinstance(block, BlockNode) else scope

    def _expression(self, expression: Expression, scope: _Scope) -> None:
        """Note the fields, filters and strings of an expression."""
        if isinstance(expression, FilteredExpression):
            for used in expression.filters or ():
                self._filter(used)
        if isinstance(expression, Path):
            self._field(expression, scope)
        elif isinstance(expression, Literal) and isinstance(expression.value, str):
            start = expression.token.start_index
            self.reading.words.append(Words(expression.value, start, certain=False, quoted=True))
        for child in expression.children():
            self._expression(child, scope)
        self.reading.figures |= figures(expression)

    def _filter(self, used: Filter) -> None:
        start = used.token.start_index
        if used.name not in FILTERS:
            near = get_close_matches(used.name, FILTERS, 1)
            hint = f"; did you mean {near[0]}?" if near else "."
            self._fault("filter", start, len(used.name), f"There is no filter {used.name}{hint}")
        elif used.name == "default" and used.args and _empty(used.args[0].value):
            sentence = "An empty fallback leaves a gap in the text of those who lack the field."
            found = warning("empty_fallback", start, len(used.name), sentence)
            self.reading.findings.append(found)

    def _field(self, path: Path, scope: _Scope) -> None:
        name = name_of(path)
        if name in scope.local:
            return
        if name is not None and name in self.known:
            self.reading.fields |= {name} - PROGRAM_FIELDS
            return
        shown = str(path)
        near = get_close_matches(shown, self.known, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {_listed(self.known)}."
        start = path.token.start_index
        self._fault("unknown_field", start, len(shown), f"There is no field {shown}{hint}")

    def _missing(self, expression: Expression, scope: _Scope) -> str | None:
        """The field or local value because of which an expression may be empty."""
        if isinstance(expression, FilteredExpression):
            name = self._missing(expression.left, scope)
            for used in expression.filters or ():
                if name is not None and used.name == "default" and used.args:
                    name = self._missing(used.args[0].value, scope)
            return name
        if isinstance(expression, Nil):
            return "nil"
        name = name_of(expression)
        if name is None or name in scope.there:
            return None
        if name in scope.local:
            return name if name in scope.missing else None
        return name if name in self.known - PROGRAM_FIELDS else None

    def _fault(self, code: str, position: int, length: int, sentence: str) -> None:
        self.reading.findings.append(error(code, position, length, sentence))


def _empty(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.value == ""


def _listed(known: frozenset[str]) -> str:
    return ", ".join(sorted(known))
