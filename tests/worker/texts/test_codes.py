"""Codes of short links: one for each message and link, and nothing to be guessed from them."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import pairwise, product
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.texts.codes import ALPHABET, LENGTH, LINKS, RECIPIENTS, Codes, Target

CODES = Codes("a secret key of the tests, 32 b.")
OTHERS = Codes("another secret key of the tests.")
ids = st.integers(0, RECIPIENTS - 1)
numbers = st.integers(0, LINKS - 1)


@given(recipient_id=ids, number=numbers)
def test_a_code_is_read_as_what_it_was_made_of(recipient_id: int, number: int) -> None:
    """Ten characters of base 62 that stand for the recipient and the link."""
    code = CODES.encode(recipient_id, number)

    assert re.fullmatch(r"[0-9A-Za-z]{10}", code)
    assert CODES.decode(code) == Target(recipient_id, number)


@given(one=st.tuples(ids, numbers), other=st.tuples(ids, numbers))
def test_different_messages_have_different_codes(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    """A permutation: no two of them share a code, without anybody looking it up."""
    assert (CODES.encode(*one) == CODES.encode(*other)) is (one == other)


def test_a_million_neighbours_have_a_million_codes() -> None:
    """The recipients of a large campaign, in bulk and in order."""
    codes = CODES.encode_all(range(100_000), 1)

    assert len(set(codes)) == 100_000
    assert codes[7] == CODES.encode(7, 1)


@pytest.mark.parametrize("recipient_id", [-1, RECIPIENTS])
def test_an_id_without_room_is_refused(recipient_id: int) -> None:
    """A code that stood for another message would be worse than none."""
    with pytest.raises(ValueError, match="room"):
        CODES.encode(recipient_id)


@pytest.mark.parametrize("number", [-1, LINKS])
def test_a_link_without_room_is_refused(number: int) -> None:
    """32 links a campaign, numbered from 0."""
    with pytest.raises(ValueError, match="room"):
        CODES.encode(1, number)


@given(code=st.text() | st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_whatever_is_tried_is_none_or_a_code_that_we_make(code: str) -> None:
    """Reading and making are inverse: there is no second spelling of a code."""
    target = CODES.decode(code)

    assert target is None or CODES.encode(*target) == code


@pytest.mark.parametrize(
    "code",
    [
        "",
        "short",
        "elevenchars",
        "with-dash0",
        "ünicode123",
        "zzzzzzzzzz",
        "٣٣٣٣٣٣٣٣٣٣",
        "a" * 4000,
    ],
)
def test_nonsense_is_no_code(code: str) -> None:
    """Too short, too long, outside the alphabet, beyond 59 bits."""
    assert CODES.decode(code) is None


def test_a_million_guesses_hit_none_of_a_hundred_thousand_links() -> None:
    """Reliability C2, T5. About one guess in 1.5 million even passes the check."""
    chance = random.Random(5)
    sent = range(1, 100_001)
    pairs = ["".join(pair) for pair in product(ALPHABET, repeat=2)]
    guesses = ("".join(chance.choices(pairs, k=LENGTH // 2)) for _ in range(1_000_000))

    read = [target for target in map(CODES.decode, guesses) if target is not None]

    assert [target for target in read if target.recipient_id in sent] == []
    assert len(read) <= 6


def test_one_changed_character_leads_nowhere() -> None:
    """A neighbour's code cannot be had by counting up one's own."""
    code = CODES.encode(4711)
    changed = {
        code[:at] + letter + code[at + 1 :]
        for at in range(LENGTH)
        for letter in ALPHABET
        if letter != code[at]
    }

    assert len(changed) == 610
    assert [CODES.decode(one) for one in changed if CODES.decode(one)] == []


def test_codes_of_a_campaign_look_like_chance() -> None:
    """Entropy of every place over 20,000 consecutive recipients; no counter is to be seen.

    59 bits fill 43 of the 62 values of the first character, and all of the others.
    """
    codes = CODES.encode_all(range(20_000))

    for place in range(LENGTH):
        counts = Counter(code[place] for code in codes)
        entropy = -sum(n / 20_000 * log2(n / 20_000) for n in counts.values())
        assert entropy > (log2(42.6) if place == 0 else log2(62)) - 0.01


def test_one_bit_of_the_id_changes_half_of_the_code() -> None:
    """Avalanche: neighbours differ in 29.5 of 59 bits on average."""
    values = [_number(code) for code in CODES.encode_all(range(4_000))]
    flips = [(one ^ other).bit_count() for one, other in pairwise(values)]

    assert 29.0 < sum(flips) / len(flips) < 30.0


def _number(code: str) -> int:
    value = 0
    for letter in code:
        value = value * 62 + ALPHABET.index(letter)
    return value


def test_another_secret_makes_other_codes() -> None:
    """Codes of another installation, or of an old SECRET_KEY, are not read."""
    codes = CODES.encode_all(range(2_000))

    assert [code for code in codes if OTHERS.decode(code) is not None] == []


def test_a_known_code_never_changes() -> None:
    """Codes are in people's phones for months: a change of this value breaks their links."""
    assert CODES.encode(1_000_000, 3) == "772U3f0XIB"
