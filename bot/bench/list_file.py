"""A list as shops send it: numbers written in every way, some twice, some wrong, words missing."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Final

_WAYS: Final = (
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "+1 {0} {1} {2}",
    "{0}.{1}.{2}",
    "{0}{1}{2}",
    "1-{0}-{1}-{2}",
    "+1{0}{1}{2}",
    "1 ({0}) {1}-{2}",
)
# Area codes in use, each with 790 exchanges of 10,000 numbers.
_AREAS: Final = ("206", "212", "214", "303", "312", "404", "415", "503", "602", "617", "702", "808")
_EXCHANGES: Final = range(210, 1000)
_NAMES: Final = ("Maria", "José", "ANN-MARIE ", "Søren", '"Bo"', "O'Neil", "李", "")
_DATES: Final = ("2026-{m:02}-{d:02}", "{m}/{d}/2026", "2026-{m:02}-{d:02}T10:15:00-05:00")
_WRONG: Final = ("n/a", "555-0100", "206-555-01000", "maria@shop.example", "", "+1 999 555 0100")
_WORDS: Final = (
    "I agree to recurring automated marketing texts from Acme Outfitters Deals at this number, up"
    " to 4 msgs/month. Consent is not a condition of purchase. Msg & data rates may apply. Reply"
    " HELP for help, STOP to cancel. Terms: https://acme.example/terms Privacy:"
    " https://acme.example/privacy"
)
_HEADINGS: Final = ("Mobile #", "First Name", "Opt-in Date", "Opt-in Source", "Consent Text")


def write(path: Path, rows: int, first: int = 0) -> None:
    """Write so many rows, the same ones each time; other people for another ``first``.

    Of a hundred about one number is wrong, one was there before, and one row lacks its source or
    its date. With quotes, accents and Windows line ends.
    """
    chance = random.Random(rows)  # noqa: S311 - the same rows each time
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADINGS)
        for number in range(rows):
            twice = chance.random() < 0.01 and number
            phone = _phone(first + (chance.randrange(number) if twice else number), chance)
            date = chance.choice(_DATES).format(m=chance.randint(1, 10), d=chance.randint(1, 28))
            source = f"Fair, stand {number % 40}"
            lacks = chance.random() * 200
            row = (phone, chance.choice(_NAMES), date, source, _WORDS)
            if lacks < 1:
                row = (phone, row[1], date, "", _WORDS)
            elif lacks < 2:
                row = (phone, row[1], "", source, _WORDS)
            writer.writerow(row)


def _phone(number: int, chance: random.Random) -> str:
    if chance.random() < 0.01:
        return chance.choice(_WRONG)
    area = _AREAS[number % len(_AREAS)]
    exchange, line = divmod(number // len(_AREAS) * 7919 % (len(_EXCHANGES) * 10_000), 10_000)
    return chance.choice(_WAYS).format(area, _EXCHANGES[exchange], f"{line:04}")
