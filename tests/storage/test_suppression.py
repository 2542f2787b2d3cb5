"""Who is kept from coming back by others, and who came back by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.database import Connection, connect
from storage.suppression import (
    SuppressionReason,
    blocking,
    phone_digest,
    phone_digests,
    suppress,
    suppressed,
)

PEPPER = "a phone pepper of the tests, 32 b"
ANNA, BEN = "+14155550123", "+14155550124"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A database with one number on the list."""
    with connect(database_url, "test") as opened:
        suppress(opened, [phone_digest(PEPPER, ANNA)], SuppressionReason.ERASED, "erasure")
        yield opened


def test_the_list_knows_its_numbers_by_a_keyed_hash(connection: Connection) -> None:
    """With another pepper nobody finds them."""
    assert suppressed(connection, PEPPER, [ANNA, BEN]) == {ANNA}
    assert suppressed(connection, "another pepper of 32 characters.", [ANNA]) == frozenset()
    assert suppress(connection, [phone_digest(PEPPER, ANNA)], SuppressionReason.IMPORTED, "x") == 0


@pytest.mark.parametrize(
    ("minutes", "blocked"), [(None, True), (-5, True), (0, True), (5, False)], ids=str
)
def test_whoever_confirmed_since_gets_texts_again(
    connection: Connection, minutes: int | None, blocked: bool
) -> None:
    """A consent from before the suppression does not count, a later one of the person's does."""
    ((since,),) = connection.execute("SELECT since FROM suppressions").fetchall()
    confirmed = None if minutes is None else since + timedelta(minutes=minutes)

    found = blocking(connection, PEPPER, {ANNA: confirmed, BEN: None})

    assert found == ({ANNA} if blocked else frozenset())


@given(st.text(max_size=200), st.lists(st.text(max_size=20)))
def test_many_numbers_have_the_same_digests_as_one(pepper: str, phones: list[str]) -> None:
    """Whatever the pepper's length; RFC 2104 hashes one that is longer than a block."""
    assert phone_digests(pepper, phones) == [phone_digest(pepper, phone) for phone in phones]
