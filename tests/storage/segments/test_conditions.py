"""Conditions are read from JSON, with every mistake named where it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.segments import sql
from storage.segments.conditions import (
    AllOf,
    AnyOf,
    BadCondition,
    Condition,
    Leaf,
    Not,
    document,
    parse,
)
from storage.segments.fields import FIELDS
from storage.segments.kinds import COMPARISONS, Kind
from storage.segments.saved import read

FLORIDA = {"field": "state", "op": "is", "value": "FL"}
VALUES: dict[str, Any] = {
    "text": "Ünïcode '; DROP TABLE subscribers; --",
    "several": ["a", "b%s", "%(program)s"],
    "flag": True,
    "days": 30,
    "number": 2.5,
    "moment": "2026-11-24T10:00:00+01:00",
    "day": "1990-12-31",
    "whole": 2,
    "band": 4,
    "money": {"amount_minor": 5000, "currency": "USD"},
}
LEAVES = [
    Leaf(field.name, op, VALUES[how.read.__name__])
    for field in FIELDS.values()
    for op, how in COMPARISONS[field.kind].items()
] + [
    Leaf("attributes.tier", op, VALUES[how.read.__name__])
    for kind in (Kind.TEXT, Kind.NUMBER)
    for op, how in COMPARISONS[kind].items()
]
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)
WRONG = {
    "not an object": ("x", ""),
    "two groups": ({"all": [], "any": []}, ""),
    "unknown group": ({"none": []}, ""),
    "no list": ({"all": FLORIDA}, "all"),
    "no field": ({"op": "is", "value": 1}, "field"),
    "no operator": ({"field": "state", "value": "FL"}, "op"),
    "unknown operator": ({"field": "state", "op": "~", "value": "FL"}, "op"),
    "unknown field": ({"any": [FLORIDA, FLORIDA | {"field": "shoe"}]}, "any.1.field"),
    "attribute with SQL in it": (FLORIDA | {"field": "attributes.x' OR 1=1"}, "field"),
    "operator of another kind": (FLORIDA | {"op": "within_days", "value": 3}, "op"),
    "value of another kind": (FLORIDA | {"value": 7}, "value"),
    "empty text": (FLORIDA | {"value": ""}, "value"),
    "NUL": (FLORIDA | {"value": "F\0L"}, "value"),
    "no days": ({"field": "received", "op": "within_days", "value": 0}, "value"),
    "days as text": ({"field": "received", "op": "within_days", "value": "3"}, "value"),
    "moment without zone": (
        {"field": "confirmed", "op": "before", "value": "2026-11-24T10:00"},
        "value",
    ),
    "no moment": ({"field": "confirmed", "op": "before", "value": "soon"}, "value"),
    "no date": ({"field": "birth_date", "op": "before", "value": 5}, "value"),
    "half an order": ({"field": "orders", "op": "is", "value": 2.5}, "value"),
    "fewer than none": ({"field": "orders", "op": "above", "value": -1}, "value"),
    "a sixth band": ({"field": "money_band", "op": "is", "value": 6}, "value"),
    "true is no band": ({"field": "money_band", "op": "is", "value": True}, "value"),
    "money without currency": ({"field": "spent", "op": "above", "value": 5000}, "value"),
    "money in words": (
        {"field": "spent", "op": "above", "value": {"amount_minor": 1, "currency": "usd"}},
        "value",
    ),
    "money with more": (
        {"field": "spent", "op": "below", "value": VALUES["money"] | {"since": "ever"}},
        "value",
    ),
    "silent within": ({"field": "silent", "op": "within_days", "value": 3}, "op"),
    "no flag": ({"field": "suspended", "op": "is", "value": "yes"}, "value"),
    "too many values": (FLORIDA | {"op": "in", "value": ["x"] * 201}, "value"),
}


@pytest.mark.parametrize(("given_", "where"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named_where_it_is(given_: Any, where: str) -> None:
    """A marketer who gets "invalid" back would only try at random."""
    with pytest.raises(BadCondition) as raised:
        read(given_)

    assert [mistake.where for mistake in raised.value.mistakes] == [where]
    assert str(raised.value)


def test_too_deep_and_too_many_are_refused() -> None:
    """A condition that nobody can read any more is not one to text people by."""
    deep: Any = FLORIDA
    for _ in range(6):
        deep = {"not": deep}
    for given_ in (deep, {"all": [FLORIDA] * 51}):
        with pytest.raises(BadCondition):
            read(given_)


@given(conditions)
def test_a_condition_is_read_back_from_its_document(condition: Condition) -> None:
    """What is stored is what was meant."""
    assert parse(document(condition)) == condition


@given(conditions)
def test_nothing_that_a_client_writes_becomes_sql(condition: Condition) -> None:
    """Every value travels as a parameter."""
    query = sql.compile_(condition)

    assert "DROP" not in query.where
    assert "b%s" not in query.where
    assert query.where.count("%(") >= len(query.parameters)


def test_a_condition_reads_as_a_sentence() -> None:
    """Whoever presses send sees in words whom it goes to."""
    condition = parse(
        {
            "all": [
                FLORIDA,
                {"not": {"field": "received", "op": "within_days", "value": 3}},
                {
                    "any": [
                        {"field": "method", "op": "in", "value": ["web_form", "qr_code"]},
                        {"field": "suspended", "op": "is", "value": False},
                        {"field": "zip", "op": "exists", "value": False},
                    ]
                },
            ]
        }
    )

    assert sql.explain(condition) == (
        "the state is FL and not (they got a campaign's text in the last days: 3) and"
        " (the method of the opt-in is one of web_form, qr_code or suspended is false or"
        " not (the ZIP code is known))"
    )
    assert sql.explain(parse({})) == "everybody"


def test_behaviour_reads_as_a_sentence() -> None:
    """Money as people write it, in its currency."""
    spent = {"field": "spent", "op": "above", "value": VALUES["money"]}
    yen = {"field": "spent", "op": "below", "value": {"amount_minor": 5000, "currency": "JPY"}}
    silent = {"field": "silent", "op": "for_days", "value": 90}
    best = {"field": "recency_band", "op": "is", "value": 5}
    twice = {"field": "orders", "op": "above", "value": 1}

    assert sql.explain(parse({"all": [spent, yen, silent, best, twice]})) == (
        "the money spent is above 50.00 USD and the money spent is below 5000 JPY and"
        " no tap, order or text of theirs in the last days: 90 and"
        " the band of the last order is 5 and the number of orders is above 1"
    )


def test_everybody_and_nobody_have_words() -> None:
    """Conditions without parts."""
    assert sql.explain(AnyOf(())) == "nobody"
