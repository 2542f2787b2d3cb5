"""What ledger entries have in common, so that a million of them need not be parsed one by one.

Most entries differ in nothing but identities and times. Cut those out and an entry is one of a
few dozen *shapes*, and a person's chain one of a few hundred. A shape is read, checked and replayed
in full when it is first met; after that, equal bytes mean equal results:

- :meth:`Shapes.of` parses an envelope, and writes it anew from what the columns say. Only if
  that gives the very bytes that stand around the entry's own identities and times is the shape
  known. Another entry with the same bytes around its own is therefore sound without being parsed.
- :meth:`Shapes.plan` replays a chain of shapes once (``storage.plans``). The plan says what the
  person's current state must read, given the real times.

Whatever does not fit (another form, an odd character, a time inside a sentence) is no fault: it
has no shape, and is left to the exact check (``storage.verifying``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from keywords.ledger import Json, canonical
from storage.plans import FIELD, TIME, VALUE, Plan, Shape, plan_of

# The columns that a kind is made of, in the order of the query that reads them.
KIND: Final = ("change", "method", "program", "placement", "n")
# The hashed bytes begin with a byte for what they are and the hash before; then comes the envelope.
ENVELOPE: Final = 1 + 32
# A time that is the whole value of a term: the text before it ends a name.
_INSTANT: Final = re.compile(rb'":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"')
_END: Final = b',"v":1}'
# How the terms of a question begin, which most terms with a time are; cut as ``_INSTANT`` would.
_EXPIRES_NAME: Final = b'{"expires_at'
_EXPIRES: Final = _EXPIRES_NAME + b'":"'
_EXPIRED: Final = len(_EXPIRES) + TIME
_QUOTE: Final = ord('"')
_BEFORE_EVENT: Final = b'"event":"'
_BEFORE_OCCURRED: Final = b'"occurred_at":"'
_BEFORE_RECORDED: Final = b'"recorded_at":"'
_AT: Final = "@"
_join: Final = b"".join
# So many shapes are kept; what is met after that is left to the exact check.
_MOST: Final = 100_000


# Middle, at and moved, as :meth:`Shapes.of` has them.
_Own: TypeAlias = tuple[bytes, bytes, bytes]


class Around(NamedTuple):
    """What stands around the parts of an entry that are its own, but for its terms.

    ``tails`` are the shapes by what ends them: the terms as they are, or in pieces around times.
    """

    head: bytes
    before: bytes
    after: bytes
    tails: dict[bytes | tuple[bytes, ...], int]


class Shapes:
    """The shapes that were met so far, the chains that they form, and the plans of those.

    Shapes have numbers, 0 is none; chains have numbers of ``CHAIN`` bytes, and ``START`` is that of
    the one without entries. ``known`` is by kind and length of the hashed bytes: of several that
    are alike in both, the last that was met.
    """

    CHAIN: Final = 4
    START: Final = bytes(CHAIN)

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, int], Around] = {}
        self.chains: dict[tuple[bytes, int], bytes] = {}
        self._arounds: dict[tuple[bytes, ...], Around] = {}
        self._shapes: dict[int, Shape] = {}
        self._ends: dict[bytes, tuple[bytes, int]] = {}
        self._plans: dict[bytes, Plan | None] = {}

    def of(
        self, kind: bytes, hashed: bytes, middle: bytes, at: bytes, moved: bytes
    ) -> tuple[int, bytes]:
        """The number of an entry's shape (0 for none), and its times.

        ``middle``, ``at`` and ``moved`` are its own parts, as its columns make them: who it is and
        what it is bound to, when it happened, when it was recorded and of whom.
        """
        around = self.known.get((kind, len(hashed)))
        if around is not None:
            head, before, after, tails = around
            whole = _join((head, middle, before, at, after, moved))
            if hashed.startswith(whole, ENVELOPE):
                tail = hashed[ENVELOPE + len(whole) :]
                shape = tails.get(tail)
                if shape is not None:
                    return shape, at
                pieces, times = _cut(tail, at)
                shape = tails.get(pieces)
                if shape is not None:
                    return shape, times
        return self._learned(kind, hashed, (middle, at, moved))

    def _learned(self, kind: bytes, hashed: bytes, own: _Own) -> tuple[int, bytes]:
        """The same without haste: shapes that were met before, but not last, and new ones."""
        parts = _parted(hashed, own)
        if parts is None or kind is None:
            return 0, own[1]
        head, before, after, tail = parts
        around = self._arounds.get((kind, head, before, after))
        if around is None:
            around = self._arounds[kind, head, before, after] = Around(head, before, after, {})
        pieces, times = _cut(tail, own[1])
        number = around.tails.get(pieces) or self._new(around, kind, pieces, hashed)
        if number:
            self.known[kind, len(hashed)] = around
        return number, times

    def longer(self, chain: bytes, shape: int) -> bytes:
        """The number of the chain that is longer by one entry, the first time it is met.

        ``shape`` is negative for an entry whose evidence is not there.
        """
        number = (len(self._ends) + 1).to_bytes(self.CHAIN, "big")
        self._ends[number] = chain, shape
        self.chains[chain, shape] = number
        return number

    def plan(self, chain: bytes) -> Plan | None:
        """The plan for a chain, made the first time; None when there can be none."""
        if chain not in self._plans:
            self._plans[chain] = self._made(chain)
        return self._plans[chain]

    def _new(self, around: Around, kind: bytes, pieces: tuple[bytes, ...], hashed: bytes) -> int:
        shape = _shape(around, kind, pieces, hashed[ENVELOPE:])
        if shape is None or len(self._shapes) >= _MOST:
            return 0
        number = len(self._shapes) + 1
        self._shapes[number] = shape
        around.tails[pieces] = number
        if len(pieces) == 1:
            around.tails[pieces[0]] = number
        return number

    def _made(self, chain: bytes) -> Plan | None:
        numbers: list[int] = []
        while chain != self.START:
            chain, last = self._ends[chain]
            numbers.append(last)
        if 0 in numbers:
            return None
        numbers.reverse()
        return plan_of([self._shapes[abs(n)] for n in numbers], [n > 0 for n in numbers])


def _cut(tail: bytes, at: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """What stands around the times of an entry's terms; those times, after when it happened.

    No pieces, which are no shape's, where what looks like a time is none.
    """
    try:
        if tail.startswith(_EXPIRES) and tail[_EXPIRED] == _QUOTE:
            time = tail[_EXPIRED - TIME : _EXPIRED]
            datetime.fromisoformat(time.decode())
            return (_EXPIRES_NAME, tail[_EXPIRED + 1 :]), at + time
        pieces = _INSTANT.split(tail)
        for time in pieces[1::2]:
            datetime.fromisoformat(time.decode())
    except (ValueError, IndexError):
        return (), at
    return tuple(pieces[::2]), b"".join((at, *pieces[1::2]))


def _parted(hashed: bytes, own: _Own) -> list[bytes] | None:
    """What stands before, between and behind an entry's own parts; None where they are not."""
    middle, at, moved = own
    first = hashed.find(_BEFORE_EVENT, ENVELOPE)
    second = hashed.find(_BEFORE_OCCURRED, first + len(middle)) + len(_BEFORE_OCCURRED)
    third = hashed.find(_BEFORE_RECORDED, second) + len(_BEFORE_RECORDED)
    places = ((middle, first), (at, second), (moved, third))
    if first < 0 or not all(hashed.startswith(part, place) for part, place in places):
        return None
    return [
        hashed[ENVELOPE:first],
        hashed[first + len(middle) : second],
        hashed[second + len(at) : third],
        hashed[third + len(moved) :],
    ]


def _shape(around: Around, kind: bytes, tail: tuple[bytes, ...], envelope: bytes) -> Shape | None:
    """The shape of an envelope, if its columns make what stands around its own parts."""
    told = kind.decode().split(FIELD)
    try:
        read = json.loads(envelope)
        terms = read["terms"]
        columns = dict(zip(KIND, map(_value, told), strict=True))
        n = int(columns["n"] or 0)
        pieces = _pieces(read, columns, n)
        written = _INSTANT.split(canonical(terms) + _END)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    slots = [name for name in sorted(terms) if _INSTANT.fullmatch(f'":"{terms[name]}"'.encode())]
    if pieces != around[:3] or tuple(written[::2]) != tail or len(slots) != len(written) // 2:
        return None
    return Shape(n, read, slots)


def _pieces(read: Mapping[str, Any], told: Mapping[str, str | None], n: int) -> tuple[bytes, ...]:
    """What an entry with these columns must have before, between and behind its own parts.

    ``actor``, ``before``, ``after`` and the program's version have no columns: they are taken as
    they are, if they are of the right kind. Raises ValueError, TypeError or KeyError.
    """
    version, terms = read["program_version"], read["terms"]
    texts = [read[name] for name in ("actor", "after", "before")] + [*terms, *terms.values()]
    if not (version is None or type(version) is int) or not all(type(t) is str for t in texts):
        raise TypeError("a value of another kind than the ledger writes")
    if terms.get("placement") != told["placement"]:
        raise ValueError("the placement is not that of the terms")
    head: dict[str, Json] = {name: read[name] for name in ("actor", "after", "before")}
    middle: dict[str, Json] = {"n": n, "occurred_at": _AT, "program_version": version}
    said = {name: told[name] for name in ("method", "program")}
    before, _, after = canonical({**middle, **said})[1:-1].partition(_AT.encode())
    return (
        canonical({**head, "change": told["change"]})[:-1] + b",",
        b"," + before,
        after + b"," + _BEFORE_RECORDED,
    )


def _value(text: str) -> str | None:
    """A column as the query wrote it: nothing, or "=" and the value."""
    return text.removeprefix(VALUE) if text else None
