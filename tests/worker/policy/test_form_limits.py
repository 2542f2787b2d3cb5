"""How much forms may ask for: what a limit counts, and that it holds in every stretch."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.countries import COUNTRIES
from worker.policy.form_limits import (
    LIMITS,
    Asking,
    Door,
    Limit,
    Refused,
    Scope,
    breakers,
    bucket,
    meters,
    oldest,
    prefix_of,
    price,
    refused,
)

START = datetime(2026, 11, 25, 9, 59, 31, tzinfo=UTC)
ASKING = Asking(
    "n1", "+1415555", "US", home=True, program="deals", cost=24_000, address="a1", network="w1"
)


@given(
    per=st.sampled_from(["minute", "hour", "day"]),
    most=st.integers(1, 6),
    gaps=st.lists(st.floats(0, 0.4), min_size=1, max_size=60),
)
def test_no_stretch_ever_holds_more_than_its_limit(per: str, most: int, gaps: list[float]) -> None:
    """Wherever a stretch of the limit's length begins, it holds at most so many that passed."""
    limit = Limit(Scope.GLOBAL, per, most)
    counted: Counter[int] = Counter()
    passed: list[datetime] = []
    now = START
    for gap in gaps:
        now += timedelta(seconds=gap * limit.window_s)
        amount = sum(n for at, n in counted.items() if at >= oldest(limit, now))
        given_meters = meters(Door.FORM, ASKING, [limit])
        if refused(given_meters, [amount], {}, {}) is None:
            counted[bucket(limit, now)] += 1
            passed.append(now)
    window = timedelta(seconds=limit.window_s)
    for begin in passed:
        assert sum(begin <= at < begin + window for at in passed) <= most


@given(st.sampled_from(["minute", "hour", "day"]), st.floats(1, 3))
def test_a_limit_forgets_after_its_length_and_a_twelfth(per: str, factor: float) -> None:
    """What was counted in a bucket is out of the way one bucket after the stretch has ended."""
    limit = Limit(Scope.GLOBAL, per, 1)
    later = START + timedelta(seconds=limit.window_s * factor + limit.width_s)

    assert bucket(limit, START) < oldest(limit, later)


@pytest.mark.parametrize("door", Door)
def test_each_form_counts_for_all_that_it_is_part_of(door: Door) -> None:
    """Forms count addresses too; signed calls have none that would mean anything."""
    keys = {meter.key for meter in meters(door, ASKING)}

    common = {f"{door}:prefix:+1415555", f"{door}:country:US", f"{door}:spend:"}
    form = {"form:number:n1", "form:address:a1", "form:network:w1", "form:global:"}
    assert keys == (common | form | {"form:program:deals"} if door is Door.FORM else common)


def test_money_counts_by_what_a_text_costs() -> None:
    """Everything else counts forms."""
    steps = {meter.limit.scope: meter.step for meter in meters(Door.FORM, ASKING)}

    assert steps.pop(Scope.SPEND) == price("US", 2)
    assert set(steps.values()) == {1}


def test_an_unknown_country_costs_the_most() -> None:
    """A price that is missing must not be a way around the cap."""
    dearest = max(price(country, 1) for country in COUNTRIES)

    assert price("XX", 1) >= dearest
    assert {price(country, 1) for country in COUNTRIES}.isdisjoint({0})


def test_numbers_abroad_and_visitors_without_an_address_are_counted_so() -> None:
    """A country that is not the first has a smaller limit of its own."""
    given_meters = meters(
        Door.FORM, Asking("n", "+4477009", "GB", home=False, program="deals", cost=1)
    )

    scopes = {meter.limit.scope for meter in given_meters}
    assert Scope.ABROAD in scopes
    assert scopes.isdisjoint({Scope.ADDRESS, Scope.NETWORK})


def _amounts(full: Scope | None, also: Scope | None = None) -> list[int]:
    given_meters = meters(Door.FORM, ASKING)
    return [m.limit.most if m.limit.scope in (full, also) else 0 for m in given_meters]


@pytest.mark.parametrize("scope", [s for s in Scope if s is not Scope.ABROAD])
def test_a_full_scope_refuses(scope: Scope) -> None:
    """What would tell of the number is not told."""
    found = refused(meters(Door.FORM, ASKING), _amounts(scope), {}, breakers(Door.FORM, ASKING))

    assert found is not None
    assert found.reason.startswith(f"{scope}.")
    assert found.told is (scope not in (Scope.NUMBER, Scope.PREFIX))


def test_what_is_the_same_for_all_numbers_is_said_first() -> None:
    """Else a number that is over its budget would show among refusals that are told."""
    full = _amounts(Scope.NUMBER, Scope.GLOBAL)

    found = refused(meters(Door.FORM, ASKING), full, {}, {})

    assert found == Refused("global.minute", told=True)


@pytest.mark.parametrize(
    ("probes", "expected"),
    [(0, Refused("breaker.country", told=True)), (1, None)],
    ids=["open", "on trial"],
)
def test_a_breaker_refuses_until_it_lets_some_try(probes: int, expected: Refused | None) -> None:
    """Only the breakers that the form depends on count."""
    watched = breakers(Door.FORM, ASKING)
    tripped = {"form:country:US": probes, "form:country:GB": 0, "api:global:": 0}

    assert refused(meters(Door.FORM, ASKING), _amounts(None), tripped, watched) == expected


def test_every_limit_has_a_length_that_splits_evenly() -> None:
    """Buckets of whole seconds, and room for at least one form."""
    for limits in LIMITS.values():
        for limit in limits:
            assert limit.width_s * 12 == limit.window_s
            assert limit.most > 0


def test_the_prefix_is_all_but_four_digits() -> None:
    """Ten thousand numbers: an exchange in the North American plan."""
    assert prefix_of("+14155550123") == "+1415555"
