"""Identifiers that sort by time: RFC 9562, version 7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.identifiers import uuid7

# Moments of the years 1970 to 9900, to the microsecond.
MOMENTS = st.integers(0, 7_930 * 365 * 86_400 * 10**6).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


@given(MOMENTS)
def test_version_and_variant_are_those_of_the_standard(moment: datetime) -> None:
    """Other software recognises them as version 7."""
    identifier = uuid7(moment)

    assert (identifier.version, identifier.variant) == (7, RFC_4122)


@given(MOMENTS)
def test_the_first_48_bits_are_the_milliseconds(moment: datetime) -> None:
    """The moment can be read back to the millisecond."""
    assert uuid7(moment).int >> 80 == int(moment.timestamp() * 1000)


@given(MOMENTS, st.integers(1, 10_000))
def test_identifiers_sort_as_their_moments(moment: datetime, milliseconds: int) -> None:
    """Later ones are greater, as numbers and as text, so that indexes grow at one end."""
    # Two milliseconds apart at least: a float of seconds may fall on the neighbouring one.
    earlier, later = uuid7(moment), uuid7(moment + timedelta(milliseconds=milliseconds + 1))

    assert earlier < later
    assert str(earlier) < str(later)


def test_identifiers_of_one_moment_differ() -> None:
    """74 random bits keep the entries of one transaction apart."""
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert len({uuid7(moment) for _ in range(5_000)}) == 5_000


@pytest.mark.parametrize("bit", [b for b in range(80) if b not in {62, 63, 76, 77, 78, 79}])
def test_every_free_bit_is_random(bit: int) -> None:
    """No random bit is lost to a shift: each is seen set and unset."""
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert {uuid7(moment).int >> bit & 1 for _ in range(64)} == {0, 1}
