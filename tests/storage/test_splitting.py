"""Variants and holdout: an even split that Python and PostgreSQL agree on."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.database import Connection, connect
from storage.splitting import MOST_VARIANTS, Share, Split, holdout_sql, split, variant_sql

SECRET = "a secret key of the tests, 32 b."
PEOPLE = 60_000


def in_sql(connection: Connection, of: Split, ids: list[int]) -> list[Share]:
    """What the server computes for these subscribers."""
    query = f"""
    SELECT {variant_sql("t.id")}, {holdout_sql("t.id")}
    FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS t(id, n) ORDER BY n
    """
    rows = connection.execute(query, {**of.parameters, "ids": ids}).fetchall()
    return [Share(*row) for row in rows]


def test_the_server_and_python_agree(database_url: str) -> None:
    """Every kind of id and seed: small, beyond 32 bits, negative, and the ends of the range."""
    ids = [
        *range(2_000),
        *(3**n for n in range(40)),
        2**31,
        2**32,
        2**63 - 1,
        -1,
        -(2**31),
        -(2**63),
    ]
    splits = [split(SECRET, campaign, 1 + campaign % 26, campaign / 100) for campaign in range(50)]
    splits += [Split(seed, 3, 1 << 31) for seed in (0, 1, -1, 2**63 - 1, -(2**63))]

    with connect(database_url, "test") as connection:
        for of in splits:
            assert in_sql(connection, of, ids) == [of.of(number) for number in ids]


@pytest.mark.parametrize("variants", [1, 2, 3, 5, MOST_VARIANTS])
def test_variants_get_even_parts(variants: int) -> None:
    """Within five standard deviations, and every campaign deals anew."""
    of = split(SECRET, 7, variants)
    counts = Counter(of.of(number).variant for number in range(1, PEOPLE + 1))
    expected = PEOPLE / variants
    bound = 5 * (expected * (1 - 1 / variants)) ** 0.5

    assert set(counts) == set(range(variants))
    assert all(abs(count - expected) <= bound for count in counts.values())


@pytest.mark.parametrize("holdout", [0, 0.01, 0.1, 0.5])
def test_the_holdout_has_its_share_and_leaves_variants_even(holdout: float) -> None:
    """Those held out are drawn from all variants alike."""
    of = split(SECRET, 8, 2, holdout)
    held = Counter(of.of(n).variant for n in range(1, PEOPLE + 1) if of.of(n).holdout)
    expected = PEOPLE * holdout
    bound = 5 * (PEOPLE * holdout * (1 - holdout)) ** 0.5

    assert abs(held.total() - expected) <= bound
    assert abs(held[0] - held[1]) <= 5 * expected**0.5


def test_campaigns_split_independently_of_each_other() -> None:
    """Who got A in one campaign is as likely to get A as B in the next."""
    one, other = split(SECRET, 1, 2), split(SECRET, 2, 2)
    same = sum(one.of(n).variant == other.of(n).variant for n in range(PEOPLE))

    assert abs(same - PEOPLE / 2) <= 5 * (PEOPLE / 4) ** 0.5


@given(
    campaign=st.integers(1, 2**40),
    person=st.integers(1, 2**40),
    variants=st.integers(1, MOST_VARIANTS),
    less=st.floats(0, 0.5),
    more=st.floats(0, 0.5),
)
def test_the_split_is_stable(
    campaign: int, person: int, variants: int, less: float, more: float
) -> None:
    """The same answer each time, and a larger holdout only adds people to it."""
    less, more = sorted((less, more))
    first = split(SECRET, campaign, variants, less).of(person)
    again = split(SECRET, campaign, variants, less).of(person)
    larger = split(SECRET, campaign, variants, more).of(person)

    assert first == again
    assert 0 <= first.variant < variants
    assert larger.variant == first.variant
    assert larger.holdout or not first.holdout


@pytest.mark.parametrize(("variants", "holdout"), [(0, 0), (27, 0), (1, -0.1), (1, 0.6)])
def test_a_split_that_a_campaign_cannot_have_is_refused(variants: int, holdout: float) -> None:
    """The limits of the campaigns table."""
    with pytest.raises(ValueError, match="26 variants"):
        split(SECRET, 1, variants, holdout)


def test_a_known_split_never_changes() -> None:
    """A plan that goes on after an update must deal as it began."""
    of = split(SECRET, 1, 3, 0.2)

    assert [of.of(number) for number in range(4)] == [(1, False), (0, False), (2, True), (2, True)]
