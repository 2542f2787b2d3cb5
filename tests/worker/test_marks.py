"""The mark of an attempt: read back exactly, and never one that somebody else made."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.marks import Attempt, Marks

MARKS = Marks("a secret of some length", "https://text.example")


def mark_of(attempt: Attempt) -> str:
    """What travels in the address."""
    address = MARKS.callback(attempt)
    assert address.startswith("https://text.example/webhooks/twilio/status?attempt=")
    return address.partition("attempt=")[2]


@given(st.uuids(), st.none() | st.uuids())
def test_a_mark_is_read_back(attempt: UUID, message: UUID | None) -> None:
    """Of both kinds, whatever the numbers."""
    made = Attempt(attempt, message)
    assert MARKS.read(mark_of(made)) == made


def test_a_recipient_is_the_second_half_of_its_attempt() -> None:
    """So that it is found by its key."""
    assert Attempt(UUID("00112233445566770000000000001234")).recipient == 0x1234
    assert Attempt(uuid4(), uuid4()).recipient is None


@given(st.text(max_size=120))
def test_any_other_text_is_no_mark(text: str) -> None:
    """Nothing is raised, whatever stands in an address."""
    assert MARKS.read(text) is None


@pytest.mark.parametrize("at", range(0, 98, 7))
def test_a_mark_that_was_altered_is_none(at: int) -> None:
    """One character, anywhere."""
    mark = mark_of(Attempt(uuid4(), uuid4()))
    assert MARKS.read(mark[:at] + ("1" if mark[at] == "0" else "0") + mark[at + 1 :]) is None


def test_another_secret_reads_nothing() -> None:
    """A mark of another installation is not ours."""
    assert Marks("another secret").read(mark_of(Attempt(uuid4()))) is None
