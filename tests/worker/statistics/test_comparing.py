"""Groups are compared only where there is enough, and many comparisons must each be surer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.statistics.comparing import Group, Verdict, compare, each_pair

ANY = st.integers(0, 10**5).flatmap(
    lambda people: st.integers(0, people).map(lambda events: Group(people, events))
)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        pytest.param(Group(1000, 100), Group(1000, 50), Verdict.BETTER, id="twice as many"),
        pytest.param(Group(1000, 50), Group(1000, 100), Verdict.WORSE, id="half as many"),
        pytest.param(Group(1000, 55), Group(1000, 50), Verdict.CANNOT_TELL, id="a little more"),
        pytest.param(Group(49, 40), Group(1000, 50), Verdict.TOO_FEW, id="a group too small"),
        pytest.param(Group(9000, 8), Group(9000, 1), Verdict.TOO_FEW, id="too few events"),
        pytest.param(Group(0, 0), Group(0, 0), Verdict.TOO_FEW, id="nobody"),
    ],
)
def test_what_can_be_said(first: Group, second: Group, verdict: Verdict) -> None:
    """One verdict, with its sentence."""
    found = compare(first, second)

    assert found.verdict is verdict
    assert found.sentence


@given(ANY, ANY)
def test_a_verdict_never_contradicts_its_interval(first: Group, second: Group) -> None:
    """Better is wholly above zero, worse wholly below; turned round it is the opposite."""
    found, turned = compare(first, second), compare(second, first)

    if found.verdict is Verdict.BETTER:
        assert found.interval.low > 0
        assert turned.verdict is Verdict.WORSE
    if found.verdict is Verdict.WORSE:
        assert found.interval.high < 0
        assert turned.verdict is Verdict.BETTER
    if found.needed is not None:
        assert found.verdict in (Verdict.CANNOT_TELL, Verdict.TOO_FEW)


def test_more_variants_must_be_surer() -> None:
    """The same two groups: one pair is told apart, one among many is not."""
    one, other = Group(1000, 70), Group(1000, 48)
    assert compare(one, other).verdict is Verdict.BETTER

    several = each_pair({"A": other, "B": one, "C": other, "D": other})

    assert [(later, earlier) for later, earlier, _ in several] == [
        ("B", "A"),
        ("C", "A"),
        ("D", "A"),
        ("C", "B"),
        ("D", "B"),
        ("D", "C"),
    ]
    assert {found.verdict for _, _, found in several} == {Verdict.CANNOT_TELL}
    assert {round(found.confidence, 4) for _, _, found in several} == {round(1 - 0.05 / 6, 4)}
    assert several[0][2].needed
