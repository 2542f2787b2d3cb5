"""A list of people as shops really have them: a million rows in every state of disrepair.

Made by a fixed recipe, so that how many rows of each kind there are, and what must become of each,
is known beforehand. Numbers are written in several ways, names are in several alphabets, bytes are
broken, proof is missing, people left long ago.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Area codes that are in use, and offices from 200 on: numbers that exist on paper.
_AREAS: Final = (
    *(201, 202, 203, 205, 206, 212, 213, 214, 215, 216, 217, 224, 228, 229, 239, 240, 248, 251),
    *(302, 303, 305, 309, 312, 313, 314, 315, 316, 317, 404, 405, 407, 408, 410, 412, 415, 417),
)
_OFFICES: Final = 799
_ALL: Final = len(_AREAS) * _OFFICES * 10_000
# A step that has no factor in common with the count of numbers visits each once.
_STEP: Final = 1_000_003
_FORMS: Final = (
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "+1{0}{1}{2}",
    "1 {0} {1} {2}",
    "{0}.{1}.{2}",
    "{0}{1}{2}",
    "+1 ({0}) {1}-{2}",
)
# Most programs write the second, so that hardly any two rows have the same moment.
_DATES: Final = (
    *("2025-{1:02d}-{0:02d} {2}:{3:02d}:{4:02d}", "2025-{1:02d}-{0:02d} {2}:{3:02d}:{4:02d}"),
    *("{1}/{0}/2025", "{0}.{1}.2025"),
)
_FIRST: Final = ("Anna", "Ben", "Carla", "José", "Zoë", "D'Andre", "Mary Ann", "李", "", "Olivia")
_LAST: Final = ("Smith", "Núñez", "O'Neil", "van der Berg", "Müller", "Jones", "Garcia", "Lee")
_SYLLABLES: Final = ("an", "bel", "cor", "da", "el", "fi", "gar", "ho", "is", "jo", "ka", "mé")
# As many names as a country has: a few are frequent, most are rare.
_FIRST_NAMES: Final = 3_000
_LAST_NAMES: Final = 40_000
_SOURCES: Final = ("Summer fair", "Website checkout", "Store 12", 'Pop-up "Soho", NY', "Loyalty")
_WORDS: Final = (
    "Yes, text me deals from Acme. Msg frequency varies. Msg & data rates may apply.",
    "I agree to receive automated marketing texts. Consent is not a condition of purchase.",
)
_HEADER: Final = (
    "Mobile Phone,First Name,Last Name,E-Mail,ZIP,State,Opt-in date,Consent source,Consent text,"
    "Tier\r\n"
)
_WRONG: Final = (
    ("555-1234", "phone_too_short"),
    ("n/a", "phone_not_a_number"),
    ("", "phone_empty"),
    ("(555) 555-5555", "phone_not_valid"),
    ("1.41556E+10", "phone_alphanumeric"),
    ("+1 415 555 2671 x12", "phone_extension"),
    ("41555526711111", "phone_too_long"),
)
# The countries that the program must serve for what is expected of the rows.
COUNTRIES: Final = ("US", "CA", "GB", "FR", "MX")
_ABROAD: Final = ("+447400{:06d}", "+33612{:06d}", "+1416555{:04d}", "+525512{:06d}")
_ELSEWHERE: Final = "+4915112{:06d}"
_TOLL_FREE: Final = "1-800-{:03d}-{:04d}"


@dataclass
class MessyList:
    """What is in a list: how many rows must come to what, and who has to be known beforehand.

    ``suppressed``, ``left`` and ``subscribed`` are E.164.
    """

    rows: int
    expected: Counter[str] = field(default_factory=Counter)
    suppressed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)


def write(path: Path, rows: int, seed: int = 1) -> MessyList:
    """Write a list of so many rows."""
    made = _Maker(rows, random.Random(seed))  # noqa: S311 - the same list each time
    with path.open("wb") as out:
        out.write(_HEADER.encode())
        out.writelines(made.lines())
    return made.list


class _Maker:
    def __init__(self, rows: int, chance: random.Random) -> None:
        self.list = MessyList(rows)
        self._chance = chance
        self._next = 0
        self._asked: list[str] = []
        self._abroad = 0
        self._first = _names(_FIRST, _FIRST_NAMES, chance)
        self._last = _names(_LAST, _LAST_NAMES, chance)

    def lines(self) -> Iterator[bytes]:
        """The rows, each of a kind that was drawn by its weight."""
        kinds = self._chance.choices(list(_KINDS), list(_KINDS.values()), k=self.list.rows)
        for kind in kinds:
            yield kind(self)

    def number(self) -> str:
        """A number that no row has had; ten digits."""
        place = self._next * _STEP % _ALL
        self._next += 1
        area, rest = divmod(place, _OFFICES * 10_000)
        office, line = divmod(rest, 10_000)
        return f"{_AREAS[area]}{200 + office}{line:04d}"

    def row(self, phone: str, code: str, **over: str) -> bytes:
        """A row with this number, which must come to ``code``."""
        chance = self._chance
        self.list.expected[code] += 1
        cells = {
            "first": _often(self._first, chance),
            "last": _often(self._last, chance),
            "date": _date(chance),
            "source": chance.choice(_SOURCES),
            "words": chance.choice(_WORDS),
        } | over
        quoted = {name: _quoted(cell) for name, cell in cells.items()}
        zip_ = f"{chance.randrange(501, 99950):05d}".lstrip("0")
        return (
            f"{phone},{quoted['first']},{quoted['last']},someone{self._next}@example.com,{zip_},"
            f"{chance.choice(('CA', 'ny', 'Texas', 'Florida', ''))},{quoted['date']},"
            f"{quoted['source']},{quoted['words']},gold\r\n"
        ).encode()

    def written(self, number: str) -> str:
        """A number in one of the ways in which people write it."""
        form = self._chance.choice(_FORMS)
        return form.format(number[:3], number[3:6], number[6:])

    def new(self) -> bytes:
        """Somebody whom nobody has met, with all proof."""
        number = self.number()
        if len(self._asked) < 1_000:
            self._asked.append(number)
        return self.row(self.written(number), "asked")

    def abroad(self) -> bytes:
        """The same with a number of another country."""
        self._abroad += 1
        form = _ABROAD[self._abroad % len(_ABROAD)]
        return self.row(form.format(self._abroad // len(_ABROAD)), "asked")

    def elsewhere(self) -> bytes:
        """A number of a country that the program does not serve."""
        self._next += 1
        return self.row(_ELSEWHERE.format(self._next % 1_000_000), "phone_country")

    def toll_free(self) -> bytes:
        """The number of a shop."""
        self._next += 1
        office, line = divmod(self._next % 5_000_000, 10_000)
        return self.row(_TOLL_FREE.format(200 + office, line), "phone_line_type")

    def wrong(self) -> bytes:
        """No number."""
        return self.row(*self._chance.choice(_WRONG))

    def twice(self) -> bytes:
        """Somebody who was in the file before, written as it happens."""
        if not self._asked:
            return self.new()
        return self.row(self.written(self._chance.choice(self._asked)), "duplicate")

    def bare(self) -> bytes:
        """Somebody without proof."""
        none = {"date": "", "source": "n/a", "words": ""}
        return self.row(self.written(self.number()), "source_missing", **none)

    def suppressed(self) -> bytes:
        """Somebody on the suppression list."""
        return self._known(self.list.suppressed, "suppressed")

    def left(self) -> bytes:
        """Somebody who said STOP."""
        return self._known(self.list.left, "left_before")

    def subscribed(self) -> bytes:
        """Somebody who is there already."""
        return self._known(self.list.subscribed, "already_subscribed")

    def ambiguous(self) -> bytes:
        """A date that can be read in two ways."""
        return self.row(self.written(self.number()), "date_ambiguous", date="3/4/2025")

    def future(self) -> bytes:
        """A date that has not come."""
        return self.row(self.written(self.number()), "date_in_future", date="2099-01-01")

    def latin(self) -> bytes:
        """A name that another program wrote in its own encoding."""
        line = self.row(self.written(self.number()), "asked", first="José")
        return line.replace("José".encode(), "José".encode("latin-1"))

    def shifted(self) -> bytes:
        """A comma too many."""
        line = self.row(self.written(self.number()), "row_too_many_cells")
        return line.replace(b",gold", b",gold,silver")

    def nul(self) -> bytes:
        """A byte that no text has."""
        line = self.row(self.written(self.number()), "row_nul")
        return line.replace(b"gold", b"go\0ld")

    def open_quote(self) -> bytes:
        """A quotation mark that is never closed."""
        line = self.row(self.written(self.number()), "row_quoting", first="Anna")
        return line.replace(b",Anna,", b',"Anna,', 1)

    def _known(self, known: list[str], code: str) -> bytes:
        number = self.number()
        known.append(f"+1{number}")
        return self.row(self.written(number), code)


_KINDS: Final[dict[Callable[[_Maker], bytes], float]] = {
    _Maker.new: 83.5,
    _Maker.abroad: 2.0,
    _Maker.elsewhere: 0.4,
    _Maker.toll_free: 0.1,
    _Maker.wrong: 3.0,
    _Maker.twice: 2.0,
    _Maker.bare: 3.0,
    _Maker.suppressed: 1.0,
    _Maker.left: 1.0,
    _Maker.subscribed: 1.0,
    _Maker.ambiguous: 0.8,
    _Maker.future: 0.4,
    _Maker.latin: 1.5,
    _Maker.shifted: 0.15,
    _Maker.nul: 0.1,
    _Maker.open_quote: 0.05,
}


def _names(known: Sequence[str], count: int, chance: random.Random) -> list[str]:
    """So many names, the known ones first."""
    made = [
        "".join(chance.choices(_SYLLABLES, k=chance.randrange(2, 5))).capitalize()
        for _ in range(count - len(known))
    ]
    return [*known, *made]


def _often(names: Sequence[str], chance: random.Random) -> str:
    """One of them, the first ones the likeliest."""
    return names[int(len(names) * chance.random() ** 3)]


def _date(chance: random.Random) -> str:
    """A day of the last year, as several programs write it."""
    day, month = chance.randrange(13, 29), chance.randrange(1, 13)
    hour, minute, second = chance.randrange(10, 24), chance.randrange(60), chance.randrange(60)
    return chance.choice(_DATES).format(day, month, hour, minute, second)


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
