"""A number is found however it was written, in bytes and in text, and others are not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.written_number import pattern

PHONES = ["+14155550123", "+33612345678", "+442071838750", "+5491123456789", "+8888888"]


@given(
    st.sampled_from(PHONES),
    st.lists(st.sampled_from(["", "-", " ", ".", ") ", "/", "\u00a0", " - "]), min_size=15),
    st.sampled_from(["", "+", "00", "(", "tel:", "whatsapp:+"]),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
)
def test_it_is_found_in_any_spacing_and_encoding(
    phone: str, marks: list[str], before: str, encoding: str
) -> None:
    """Up to five characters between digits count as spacing."""
    written = before + "".join(d + mark for d, mark in zip(phone[1:], marks, strict=False))

    assert re.search(pattern(phone), written)
    if all(len(mark) < 2 for mark in marks):
        assert re.search(pattern(phone).encode(), written.encode(encoding))


@pytest.mark.parametrize("other", ["+14155550124", "415555", "4155 55 abcdefg 0123", ""])
def test_another_number_is_not(other: str) -> None:
    """One digit makes somebody else."""
    assert not re.search(pattern("+14155550123"), other)
