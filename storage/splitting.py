"""Who of an audience gets which variant, and who is held out: computed, the same everywhere.

A subscriber's place in a campaign is PostgreSQL's ``hashint8extended`` of their id under a seed of
that campaign, which is made with a key. So planning splits a million people inside its one
statement, a preview shows the split that will be, and a plan that runs again makes the same one.
The function is what hash partitions are found by: a server that changed it could not read its own
tables, so it stays. :meth:`Split.of` is the same function for one person in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

MOST_VARIANTS: Final = 26
_WORD: Final = (1 << 32) - 1
_HASH: Final = "hashint8extended({id}, %(split_seed)s::bigint)"


class Share(NamedTuple):
    """One person's place: the number of the variant, and whether they are held out.

    Those held out have a variant too: the one that they would have got.
    """

    variant: int
    holdout: bool


@dataclass(frozen=True, slots=True)
class Split:
    """How a campaign divides its audience. Variants get even parts.

    Variant and holdout are read from different bits: another holdout moves nobody who stays in
    from one variant to another.
    """

    seed: int
    variants: int
    holdout_below: int

    @property
    def parameters(self) -> Mapping[str, int]:
        """The parameters of :func:`variant_sql` and :func:`holdout_sql`."""
        return {
            "split_seed": self.seed,
            "split_variants": self.variants,
            "split_holdout": self.holdout_below,
        }

    def of(self, subscriber_id: int) -> Share:
        """A person's place, as the server computes it."""
        placed, drawn = _hash(subscriber_id, self.seed)
        return Share(drawn * self.variants >> 32, placed < self.holdout_below)


def split(secret: str, campaign_id: int, variants: int, holdout: float = 0.0) -> Split:
    """The split of a campaign. ``secret`` is SECRET_KEY; ``holdout`` the share held out, 0 to 0.5.

    Raises ``ValueError`` for less than one or more than 26 variants, or another share.
    """
    if not (1 <= variants <= MOST_VARIANTS and 0 <= holdout <= 0.5):
        raise ValueError("a campaign has 1 to 26 variants and holds out at most half")
    digest = blake2b(f"{campaign_id}\0{secret}".encode(), digest_size=8, person=b"split").digest()
    return Split(int.from_bytes(digest, "big", signed=True), variants, round(holdout * (1 << 32)))


def variant_sql(subscriber_id: str) -> str:
    """The number of the variant as SQL, of the column ``subscriber_id``."""
    drawn = f"{_HASH.format(id=subscriber_id)} & 4294967295"
    return f"(({drawn}) * %(split_variants)s::bigint >> 32)::smallint"


def holdout_sql(subscriber_id: str) -> str:
    """Whether somebody is held out as SQL, of the column ``subscriber_id``."""
    placed = f"{_HASH.format(id=subscriber_id)} >> 32"
    return f"(({placed}) & 4294967295) < %(split_holdout)s::bigint"


def _hash(number: int, seed: int) -> tuple[int, int]:
    """The two words of ``hashint8extended``: Jenkins' lookup3 as PostgreSQL applies it.

    A negative number is folded with its complement, so that it hashes like the same ``int4``.
    """
    high = number >> 32 & _WORD
    key = (number & _WORD) ^ (high if number >= 0 else high ^ _WORD)
    a = b = c = 0x9E3779B9 + 4 + 3923095
    if seed:
        a, b, c = _mix(a + (seed >> 32) & _WORD, b + seed & _WORD, c)
    return _final(a + key & _WORD, b, c)


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, c = a - c & _WORD ^ _rotated(c, 4), c + b & _WORD
    b, a = b - a & _WORD ^ _rotated(a, 6), a + c & _WORD
    c, b = c - b & _WORD ^ _rotated(b, 8), b + a & _WORD
    a, c = a - c & _WORD ^ _rotated(c, 16), c + b & _WORD
    b, a = b - a & _WORD ^ _rotated(a, 19), a + c & _WORD
    c, b = c - b & _WORD ^ _rotated(b, 4), b + a & _WORD
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int]:
    c = (c ^ b) - _rotated(b, 14) & _WORD
    a = (a ^ c) - _rotated(c, 11) & _WORD
    b = (b ^ a) - _rotated(a, 25) & _WORD
    c = (c ^ b) - _rotated(b, 16) & _WORD
    a = (a ^ c) - _rotated(c, 4) & _WORD
    b = (b ^ a) - _rotated(a, 14) & _WORD
    c = (c ^ b) - _rotated(b, 24) & _WORD
    return b, c
