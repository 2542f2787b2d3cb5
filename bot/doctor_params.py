"""Which parameters Twilio may have signed: what trimming and encoding again may have changed.

Each variant is a guess at the parameters before a proxy, a gateway or a framework touched them.
The reasons known from the field: Twilio's page on error 57012 (whitespace that was trimmed,
parameters that are missing) and gateways that parse a form and write it again.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from bot.doctor_causes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Parameters that Twilio sends blank when it does not know them, and proxies like to drop.
_OFTEN_BLANK = (
    *("Body", "FromCity", "FromCountry", "FromState", "FromZip"),
    *("ToCity", "ToCountry", "ToState", "ToZip"),
)


@dataclass(frozen=True, slots=True)
class ParamsVariant:
    """Parameters that Twilio may have signed. ``about`` names the one concerned, or is empty."""

    params: Mapping[str, str]
    cause: Cause
    about: str = ""


def params_variants(params: Mapping[str, str]) -> Iterator[ParamsVariant]:
    """Every set of parameters to try that does not depend on guessing blanks."""
    for name, value in params.items():
        for spaced in (f"{value} ", f" {value}", f"{value}\n", f"{value}\r\n", f" {value} "):
            yield ParamsVariant({**params, name: spaced}, Cause.WHITESPACE, name)
    for cause, change in _CHANGES:
        changed = {name: change(value) for name, value in params.items()}
        if changed != params:
            yield ParamsVariant(changed, cause)
        for name, value in changed.items():
            if value != params[name]:
                yield ParamsVariant({**params, name: value}, cause, name)
    yield ParamsVariant({k: v for k, v in params.items() if v}, Cause.BLANKS)
    for name in params:
        rest = {key: value for key, value in params.items() if key != name}
        yield ParamsVariant(rest, Cause.EXTRA_PARAMETER, name)


def blank_variants(params: Mapping[str, str]) -> Iterator[ParamsVariant]:
    """The parameters with blank ones put back, in every combination (at most 511)."""
    absent = [name for name in _OFTEN_BLANK if name not in params]
    for count in range(1, len(absent) + 1):
        for names in itertools.combinations(absent, count):
            blanks = dict.fromkeys(names, "")
            yield ParamsVariant({**params, **blanks}, Cause.BLANKS, ", ".join(names))


def _as(encoding: str, of: str) -> Callable[[str], str]:
    """A change that undoes reading ``encoding`` as ``of``; a value it does not fit stays."""

    def change(value: str) -> str:
        try:
            return value.encode(of).decode(encoding)
        except UnicodeError:
            return value

    return change


def _lines(end: str) -> Callable[[str], str]:
    return lambda value: re.sub(r"\r\n|\r|\n", end, value)


_CHANGES: tuple[tuple[Cause, Callable[[str], str]], ...] = (
    (Cause.WHITESPACE, str.strip),
    (Cause.WHITESPACE, _lines("\n")),
    (Cause.WHITESPACE, _lines("\r\n")),
    (Cause.WHITESPACE, _lines(" ")),
    # "+14155550100" written again without %2B arrives as " 14155550100".
    (Cause.PLUS, lambda value: re.sub(r"(?:^|(?<=:)) (?=[0-9])", "+", value)),
    (Cause.PLUS, lambda value: value.replace(" ", "+")),
    (Cause.PLUS, lambda value: value.replace("+", " ")),
    (Cause.PLUS, lambda value: value[:1] + value[1:].replace("+", " ")),
    (Cause.ENCODING, unquote),
    (Cause.ENCODING, unquote_plus),
    (Cause.ENCODING, _as("utf-8", "latin-1")),
    (Cause.ENCODING, _as("utf-8", "cp1252")),
    (Cause.ENCODING, _as("latin-1", "utf-8")),
    (Cause.ENCODING, _as("cp1252", "utf-8")),
    (Cause.ENCODING, lambda value: value.encode("utf-8", "surrogateescape").decode("latin-1")),
    (Cause.ENCODING, html.unescape),
    (Cause.ENCODING, lambda value: html.escape(value, quote=False)),
    (Cause.ENCODING, html.escape),
    (Cause.ENCODING, lambda value: unicodedata.normalize("NFC", value)),
    (Cause.ENCODING, lambda value: unicodedata.normalize("NFD", value)),
)
