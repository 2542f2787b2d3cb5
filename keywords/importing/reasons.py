"""Why a row of a file was refused or held: one closed list, with a sentence for each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keywords.phone import SENTENCES as PHONES
from keywords.phone import PhoneError
from keywords.reach import SENTENCES as REACH
from keywords.reach import Unreached


class Outcome(StrEnum):
    """What became of a row."""

    ASKED = "asked"  # pending; the question goes out when its turn comes
    HELD = "held"  # kept in the ledger as asserted, never texted
    REFUSED = "refused"  # nothing was written about anybody


class Reason(StrEnum):
    """Why a row did not lead to a question. The values are stable; beside them stand those of
    PhoneError and Unreached.
    """

    NUL = "row_nul"
    NOT_TEXT = "row_not_text"
    TOO_MANY_CELLS = "row_too_many_cells"
    TOO_LONG = "row_too_long"
    FORMULA = "row_formula"
    QUOTING = "row_quoting"
    PROGRAM_UNKNOWN = "program_unknown"
    COUNTRY_UNKNOWN = "country_unknown"
    DATE_UNREADABLE = "date_unreadable"
    DATE_AMBIGUOUS = "date_ambiguous"
    DATE_IN_FUTURE = "date_in_future"
    DATE_TOO_OLD = "date_too_old"
    BIRTH_UNREADABLE = "birth_date_unreadable"
    AGE_UNCHECKED = "age_unchecked"
    SUPPRESSED = "suppressed"
    LEFT_BEFORE = "left_before"
    SUBSCRIBED = "already_subscribed"
    ASKED_ALREADY = "asked_already"
    ASKED_ENOUGH = "asked_enough"
    DUPLICATE = "duplicate"
    SOURCE_MISSING = "source_missing"
    DATE_MISSING = "date_missing"
    DISCLOSURE_MISSING = "disclosure_missing"


HELD: Final = frozenset({Reason.SOURCE_MISSING, Reason.DATE_MISSING, Reason.DISCLOSURE_MISSING})

# ``{}`` is the detail of the row: a column, a row number, what is missing.
_SENTENCES: Final[Mapping[Reason, str]] = {
    Reason.NUL: "The row holds a NUL byte, which no text has.",
    Reason.NOT_TEXT: "The row holds bytes that are no text in the encoding of the file.",
    Reason.TOO_MANY_CELLS: "The row has more cells than the file has columns.",
    Reason.TOO_LONG: "A cell is too long: {}.",
    Reason.FORMULA: "A cell holds a formula of a spreadsheet, not its value: {}.",
    Reason.QUOTING: "A quotation mark in this row is never closed.",
    Reason.PROGRAM_UNKNOWN: "There is no program of this name.",
    Reason.COUNTRY_UNKNOWN: "The country is not known, so a national number cannot be read.",
    Reason.DATE_UNREADABLE: "The date of the consent cannot be read.",
    Reason.DATE_AMBIGUOUS: "The date can be read in two ways; say which order it is in.",
    Reason.DATE_IN_FUTURE: "The date of the consent is in the future.",
    Reason.DATE_TOO_OLD: "The consent is older than {} years.",
    Reason.BIRTH_UNREADABLE: "The date of birth cannot be read, or is no such date.",
    Reason.AGE_UNCHECKED: "The program has a minimum age, and no date of birth shows it.",
    Reason.SUPPRESSED: "The number is on the suppression list.",
    Reason.LEFT_BEFORE: "This person left, or may have; only they can come back.",
    Reason.SUBSCRIBED: "This person is subscribed already and was left alone.",
    Reason.ASKED_ALREADY: "A question to this number is open already.",
    Reason.ASKED_ENOUGH: "This number has been asked as often as it may be.",
    Reason.DUPLICATE: "The number is in row {} already.",
    Reason.SOURCE_MISSING: "Held as asserted, not confirmed. Missing: {}.",
    Reason.DATE_MISSING: "Held as asserted, not confirmed. Missing: {}.",
    Reason.DISCLOSURE_MISSING: "Held as asserted, not confirmed. Missing: {}.",
}
# Every code that a report may hold, and its sentence.
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {str(code): words for part in (PHONES, REACH, _SENTENCES) for code, words in part.items()}
)


def outcome_of(code: str) -> Outcome:
    """Whether a row with this code was held or refused."""
    return Outcome.HELD if code in HELD else Outcome.REFUSED


def sentence(code: Reason | PhoneError | Unreached | str, detail: str = "") -> str:
    """The sentence of a row, with its detail."""
    return SENTENCES[code].replace("{}", detail)
