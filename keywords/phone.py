"""Phone numbers as values, and the addresses that Twilio puts in ``From`` and ``To``.

:func:`parse` reads what a person or a file wrote and says what is wrong with it. :func:`address`
reads what a carrier delivered: it trusts the number, never raises, and costs a microsecond.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

LONGEST_INPUT: Final = 64


class PhoneError(StrEnum):
    """Why a text is not a phone number that can be texted. The values are stable API codes."""

    EMPTY = "phone_empty"
    NOT_A_NUMBER = "phone_not_a_number"
    ALPHANUMERIC = "phone_alphanumeric"
    EXTENSION = "phone_extension"
    COUNTRY_MISSING = "phone_country_missing"
    INVALID_COUNTRY = "phone_invalid_country"
    TOO_SHORT = "phone_too_short"
    TOO_LONG = "phone_too_long"
    NOT_POSSIBLE = "phone_not_possible"
    NOT_VALID = "phone_not_valid"


SENTENCES: Final[Mapping[PhoneError, str]] = MappingProxyType(
    {
        PhoneError.EMPTY: "Enter a phone number.",
        PhoneError.NOT_A_NUMBER: "This is not a phone number.",
        PhoneError.ALPHANUMERIC: "Write the phone number in digits only, without letters.",
        PhoneError.EXTENSION: "A number with an extension cannot receive texts.",
        PhoneError.COUNTRY_MISSING: "Start the number with + and its country code.",
        PhoneError.INVALID_COUNTRY: "No country has this country code.",
        PhoneError.TOO_SHORT: "This phone number has too few digits.",
        PhoneError.TOO_LONG: "This phone number has too many digits.",
        PhoneError.NOT_POSSIBLE: "No phone number of this country has this length.",
        PhoneError.NOT_VALID: "This phone number is not in use in its country.",
    }
)


class InvalidPhone(ValueError):
    """A text that is not a phone number. ``code`` says why; the message is fit for the person.

    The message never repeats the number, so it can be logged.
    """

    def __init__(self, code: PhoneError) -> None:
        super().__init__(SENTENCES[code])
        self.code = code


class LineType(StrEnum):
    """What the numbering plan says of a number. A guess: numbers are ported between lines."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    MOBILE_OR_LANDLINE = "mobile_or_landline"  # all of the North American plan
    TOLL_FREE = "toll_free"
    PREMIUM_RATE = "premium_rate"
    VOIP = "voip"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that exists on paper: ``e164`` ("+14155552671"), ISO ``region``, line type.

    ``region`` is None for numbers of no country (+800 and its like).
    """

    e164: str
    region: str | None
    line_type: LineType

    def __str__(self) -> str:
        return self.e164


def parse(text: str, region: str | None = None) -> PhoneNumber:
    """The phone number that ``text`` writes, however it is punctuated.

    ``region`` is the ISO country ("US") whose national form may be used; without one the number
    starts with "+". Raises :class:`InvalidPhone`.
    """
    number, kind = _judged(text, region)
    home = phonenumbers.region_code_for_number(number)
    return PhoneNumber(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        region=None if home in (None, "001") else home,
        line_type=_LINE_TYPES.get(kind, LineType.OTHER),
    )


def checked(text: str, region: str | None = None) -> phonenumbers.PhoneNumber:
    """The same as :func:`parse` in the form of ``phonenumbers``. Raises :class:`InvalidPhone`."""
    return _judged(text, region)[0]


def _judged(text: str, region: str | None) -> tuple[phonenumbers.PhoneNumber, int]:
    """The number, and its type: to ask ``is_valid_number`` too would be to ask the same twice."""
    written = _plain(text)
    _refuse_what_is_no_number(written)
    try:
        number = phonenumbers.parse(written, region and region.upper())
    except NumberParseException as error:
        raise InvalidPhone(_code(error, written)) from None
    length = phonenumbers.is_possible_number_with_reason(number)
    if length in _LENGTH_ERRORS:
        raise InvalidPhone(_LENGTH_ERRORS[length])
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        raise InvalidPhone(PhoneError.NOT_VALID)
    return number, kind


def readable(number: str) -> str:
    """A sender or a person's number as people write it: "54321", "+1 415-555-0123"."""
    if not number.startswith("+"):
        return number
    try:
        known = phonenumbers.parse(number)
    except NumberParseException:
        return number
    return phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


class AddressKind(StrEnum):
    """What sort of thing stands in Twilio's ``From`` or ``To``."""

    E164 = "e164"
    SHORT_CODE = "short_code"
    WHATSAPP = "whatsapp"
    RCS = "rcs"
    ALPHANUMERIC = "alphanumeric"
    CLIENT = "client"
    OTHER = "other"


class Address(NamedTuple):
    """One end of a text: its kind, Twilio's own spelling, and the E.164 number when it has one."""

    kind: AddressKind
    text: str
    phone: str | None


def address(text: str) -> Address:
    """What ``From`` or ``To`` says. Never raises: what it does not know is ``OTHER``.

    "whatsapp:+1…" and "rcs:+1…" carry a person's number; an RCS agent or a WhatsApp user name
    carries none.
    """
    if _E164.fullmatch(text):
        return Address(AddressKind.E164, text, text)
    channel, colon, rest = text.partition(":")
    if colon:
        kind = _CHANNELS.get(channel.lower(), AddressKind.OTHER)
        number = kind in _WITH_NUMBER and _E164.fullmatch(rest)
        return Address(kind, text, rest if number else None)
    if _SHORT_CODE.fullmatch(text):
        return Address(AddressKind.SHORT_CODE, text, None)
    if _SENDER_ID.fullmatch(text) and any(letter.isalpha() for letter in text):
        return Address(AddressKind.ALPHANUMERIC, text, None)
    return Address(AddressKind.OTHER, text, None)


# ITU-T E.164: a country code that does not start with 0, at most 15 digits in all.
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE: Final = re.compile(r"[0-9]{3,8}")
_SENDER_ID: Final = re.compile(r"[A-Za-z0-9 _&+-]{1,11}")
_WITH_NUMBER: Final = frozenset({AddressKind.WHATSAPP, AddressKind.RCS})
_CHANNELS: Final[Mapping[str, AddressKind]] = MappingProxyType(
    {
        "whatsapp": AddressKind.WHATSAPP,
        "rcs": AddressKind.RCS,
        "client": AddressKind.CLIENT,
    }
)

_SPACES: Final = {code: " " for code in range(128) if chr(code).isspace()}
# Digits and punctuation alone: what most numbers are made of needs no closer look.
_PLAIN: Final = re.compile(r"[ ()\[\].+/-]*[0-9][0-9 ()\[\].+/-]*")
_PUNCTUATION: Final = frozenset(" ()[].-/+")
_EXTENSION: Final = re.compile(r"\d\s*(?:,|;|#|x|ext|extn|extension)\.?\s*=?\s*\d{1,7}#?")
_LENGTH_ERRORS: Final[Mapping[int, PhoneError]] = MappingProxyType(
    {
        ValidationResult.TOO_SHORT: PhoneError.TOO_SHORT,
        ValidationResult.TOO_LONG: PhoneError.TOO_LONG,
        ValidationResult.INVALID_COUNTRY_CODE: PhoneError.INVALID_COUNTRY,
        ValidationResult.INVALID_LENGTH: PhoneError.NOT_POSSIBLE,
        # Seven digits without an area code: enough for a neighbour, not for a text.
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneError.TOO_SHORT,
    }
)
_LINE_TYPES: Final[Mapping[int, LineType]] = MappingProxyType(
    {
        PhoneNumberType.MOBILE: LineType.MOBILE,
        PhoneNumberType.FIXED_LINE: LineType.LANDLINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: LineType.MOBILE_OR_LANDLINE,
        PhoneNumberType.TOLL_FREE: LineType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE: LineType.PREMIUM_RATE,
        PhoneNumberType.VOIP: LineType.VOIP,
    }
)


def _plain(text: str) -> str:
    """ASCII digits and marks; no invisible characters, which copied contacts are full of."""
    if len(text) > LONGEST_INPUT:
        raise InvalidPhone(PhoneError.NOT_A_NUMBER)
    if text.isascii():
        # Nothing to fold in ASCII but white space.
        return text.translate(_SPACES).strip().removeprefix("tel:")
    wide = unicodedata.normalize("NFKC", text)
    visible = (c for c in wide if unicodedata.category(c) not in ("Cf", "Mn"))
    return "".join(_plain_character(c) for c in visible).strip().removeprefix("tel:")


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    return " " if character.isspace() else character


def _refuse_what_is_no_number(written: str) -> None:
    if not written:
        raise InvalidPhone(PhoneError.EMPTY)
    if _PLAIN.fullmatch(written):
        return
    if _EXTENSION.search(written.lower()):
        raise InvalidPhone(PhoneError.EXTENSION)
    has_digit = any(c.isdecimal() for c in written)
    if has_digit and any(c.isalpha() for c in written):
        raise InvalidPhone(PhoneError.ALPHANUMERIC)
    strange = any(not c.isdecimal() and c not in _PUNCTUATION for c in written)
    if not has_digit or strange:
        raise InvalidPhone(PhoneError.NOT_A_NUMBER)


def _code(error: NumberParseException, written: str) -> PhoneError:
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE:
            return PhoneError.INVALID_COUNTRY if "+" in written else PhoneError.COUNTRY_MISSING
        case NumberParseException.TOO_LONG:
            return PhoneError.TOO_LONG
        case NumberParseException.TOO_SHORT_NSN | NumberParseException.TOO_SHORT_AFTER_IDD:
            return PhoneError.TOO_SHORT
    return (
        PhoneError.TOO_SHORT if sum(c.isdecimal() for c in written) < 4 else PhoneError.NOT_A_NUMBER
    )
