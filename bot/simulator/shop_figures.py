"""A campaign's report, as the demo shop's page shows it: each figure with what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from worker.policy.money import written

_MICROS: Final = 1_000_000
_NOTHING: Final = "nothing to divide by yet"


@dataclass(frozen=True, slots=True)
class Line:
    """A figure for people: its name, its value, what it was made of, and what that means."""

    label: str
    value: str
    made_of: str
    definition: str


def lines(report: Mapping[str, Any]) -> list[Line]:
    """The figures of the answer of ``GET /campaigns/<campaign>/report``, in its order."""
    definitions = report["definitions"]["figures"]
    return [_line(figure, definitions[figure["key"]]) for figure in report["total"]["figures"]]


def _line(figure: Mapping[str, Any], meaning: Mapping[str, Any]) -> Line:
    of = figure["of"]
    label = (
        f"{meaning['label']}: {of.replace('_', ' ').replace('.', ', ')}"
        if of
        else str(meaning["label"])
    )
    made = meaning["numerator"]
    if figure["denominator"] is not None:
        made = f"{figure['numerator']} ({made}) over {figure['denominator']} "
        made += f"({meaning['denominator']})"
    return Line(label, _value(figure, str(meaning["unit"])), str(made), str(meaning["definition"]))


def _value(figure: Mapping[str, Any], unit: str) -> str:
    value = figure["value"]
    if value is None:
        return _NOTHING
    if unit == "share":
        return f"{value:.1%}"
    if unit == "minor":
        return f"${written(round(value), 'USD')}"
    if unit == "micros":
        return f"${value / _MICROS:.4f}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
