"""The code of a short link: ten characters, computed from the message and never stored.

A code is the recipient's id and the number of the link, twenty zero bits behind them, enciphered as
one block of 59 bits (a Feistel network over BLAKE2s) and written in base 62. So a million codes
cost the database nothing; two codes of neighbours have nothing in common; and of all strings of ten
characters that somebody may try, one in 1.5 million even deciphers to a number, which then must be
that of a message that exists (reliability C2, T5; decision 0019).

Six rounds: four make a permutation that is strong against choice of codes, two more keep it so
beyond the birthday bound of its halves (Luby and Rackoff 1988; Patarin, Crypto 2004).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from itertools import product
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, NamedTuple

ALPHABET: Final = digits + ascii_uppercase + ascii_lowercase
LENGTH: Final = 10
RECIPIENTS: Final = 1 << 34
LINKS: Final = 1 << 5
CHECK_BITS: Final = 20
_LEFT_BITS: Final = 30
_RIGHT_BITS: Final = 29
_ROUNDS: Final = 3  # of two steps each
_CHECK: Final = (1 << CHECK_BITS) - 1
_RIGHT: Final = (1 << _RIGHT_BITS) - 1
_VALUES: Final = 1 << (_LEFT_BITS + _RIGHT_BITS)
_PAIRS: Final = tuple(a + b for a, b in product(ALPHABET, repeat=2))
_PAIR: Final = len(_PAIRS)
_VALUE_OF: Final = {pair: value for value, pair in enumerate(_PAIRS)}


class Target(NamedTuple):
    """What a code stands for: a recipient's row, and the number of a link of its campaign."""

    recipient_id: int
    link_number: int


class Codes:
    """Makes and reads the codes of one installation. Cheap to make, safe to share by threads.

    ``secret`` is SECRET_KEY: with another one, every code that was ever sent leads nowhere.
    """

    def __init__(self, secret: str) -> None:
        key = secret.encode()
        self._steps = tuple(
            tuple(
                blake2s(
                    blake2s(key, person=b"linkcode", salt=bytes([step, half])).digest(),
                    digest_size=4,
                )
                for half in range(2)
            )
            for step in range(_ROUNDS)
        )

    def encode(self, recipient_id: int, link_number: int = 0) -> str:
        """The code of a link for a recipient.

        Raises ``ValueError`` for an id outside 0 to 2**34 - 1, or a number outside 0 to 31.
        """
        if not (0 <= recipient_id < RECIPIENTS and 0 <= link_number < LINKS):
            raise ValueError("a code has room for 2**34 recipients and 32 links")
        left = recipient_id >> 4
        right = (recipient_id & 15) << 25 | link_number << CHECK_BITS
        for to_right, to_left in self._steps:
            state = to_right.copy()
            state.update(left.to_bytes(4, "big"))
            right ^= int.from_bytes(state.digest(), "big") >> 3
            state = to_left.copy()
            state.update(right.to_bytes(4, "big"))
            left ^= int.from_bytes(state.digest(), "big") >> 2
        rest, fifth = divmod(left << _RIGHT_BITS | right, _PAIR)
        rest, fourth = divmod(rest, _PAIR)
        rest, third = divmod(rest, _PAIR)
        first, second = divmod(rest, _PAIR)
        return _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + _PAIRS[fifth]

    def encode_all(self, recipient_ids: Iterable[int], link_number: int = 0) -> list[str]:
        """The codes of one link for many recipients, in their order."""
        encode = self.encode
        return [encode(recipient_id, link_number) for recipient_id in recipient_ids]

    def decode(self, code: str) -> Target | None:
        """What ``code`` stands for, or None for anything that :meth:`encode` never made."""
        value = _value(code)
        if value is None:
            return None
        left, right = value >> _RIGHT_BITS, value & _RIGHT
        for to_right, to_left in reversed(self._steps):
            state = to_left.copy()
            state.update(right.to_bytes(4, "big"))
            left ^= int.from_bytes(state.digest(), "big") >> 2
            state = to_right.copy()
            state.update(left.to_bytes(4, "big"))
            right ^= int.from_bytes(state.digest(), "big") >> 3
        if right & _CHECK:
            return None
        return Target(left << 4 | right >> 25, right >> CHECK_BITS & (LINKS - 1))


def _value(code: str) -> int | None:
    """The number that ten characters of base 62 write, if it is one of 59 bits."""
    if len(code) != LENGTH:
        return None
    value = 0
    for start in range(0, LENGTH, 2):
        pair = _VALUE_OF.get(code[start : start + 2])
        if pair is None:
            return None
        value = value * _PAIR + pair
    return value if value < _VALUES else None
