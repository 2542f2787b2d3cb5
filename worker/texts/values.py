"""What a text may say of a person, made harmless before it is put in.

People fill in their own first names, and some fill in an advertisement with a link (listmonk issue
1133). So a value is one line of printable text without addresses and markup, and not longer than
its field. A value is never read as Liquid. What is left empty counts as missing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from worker.texts.limits import LARGEST_NUMBER, TABLE

Value: TypeAlias = str | int | float | bool | None
Values: TypeAlias = Mapping[str, Value]
Cleaner: TypeAlias = Callable[[Value], Value]

_FIELDS: Final[dict[str, dict[str, Any]]] = TABLE["fields"]
ATTRIBUTES: Final = "attributes"
FIGURES: Final = "figures"
PERSONAL: Final = frozenset(_FIELDS) - {ATTRIBUTES, FIGURES}


def cleaner_of(field: str) -> Cleaner:
    """The function that cleans the values of a field ("first_name", "attributes.tier")."""
    return _CLEANERS[_root(field)]


def figure(value: Value) -> Value:
    """A value as a number, or None: "120" from an import is 120."""
    if isinstance(value, str):
        written = _FIGURE.fullmatch(value.strip())
        if written is None:
            return None
        value = float(value) if written["part"] else int(value)
    if value is None or isinstance(value, bool):
        return None
    return value if -LARGEST_NUMBER < value < LARGEST_NUMBER else None


def longest_of(field: str) -> int:
    """How many characters of a value are used."""
    longest: int = _FIELDS[_root(field)]["longest"]
    return longest


def sample(field: str, which: str) -> Value:
    """An example of a value: ``which`` is "typical" or "long"; of a number for ``FIGURES``."""
    value: Value = _FIELDS[_root(field)][which]
    return value


def text_of(value: Value) -> str:
    """A value as Liquid writes it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _root(field: str) -> str:
    return field.partition(".")[0]


# What needs no cleaning: most names, in a tenth of the time.
_PLAIN_NAME: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:[ '-][A-Za-zÀ-ÖØ-öø-ÿ]+)*")
_TAG: Final = re.compile(r"<[^<>]*>|\[/?\w+(?:=[^\]]*)?\]")
_MARKUP: Final = re.compile(r"[{}<>\[\]|\\^~`]+")
# A word with one of these is an address, and goes.
_ADDRESS: Final = re.compile(r":/|www\d?\.|\w@|\w[.\u3002][^\W\d_]{2,}[/:?#]", re.IGNORECASE)
# A dot before letters makes a phone see a link: "evil.com" becomes "evil com".
_DOT: Final = re.compile(r"(?<=\w)[.\u3002]+(?=[^\W\d_]{2})")
_LONG_NUMBER: Final = re.compile(r"\+?(?:\d[\s().-]*){5,}")
_NOT_IN_NAMES: Final = re.compile(r"[^\w\s'’.,()&/-]+|_+")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_ROUNDS: Final = 4
_FIGURE: Final = re.compile(r"[+-]?[0-9]{1,16}(?P<part>\.[0-9]{1,9})?")


def _cleaner(kind: str, longest: int) -> Cleaner:
    @lru_cache(maxsize=4096)
    def of_text(value: str) -> str | None:
        text = value[: 8 * longest]
        for _ in range(_ROUNDS):
            before, text = text, _once(text, kind)[:longest].rstrip()
            if text == before:
                break
        else:
            text = ""  # what changes for ever was made to deceive
        return text or None

    def clean(value: Value) -> Value:
        if isinstance(value, str):
            if len(value) <= longest and _PLAIN_NAME.fullmatch(value):
                return value
            return of_text(value)
        if value is None or isinstance(value, bool):
            return value
        return figure(value)

    return clean


def _once(text: str, kind: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    text = _MARKUP.sub("", _TAG.sub("", text))
    text = " ".join(word for word in text.split() if not _ADDRESS.search(word))
    text = _DOT.sub(" ", text)
    if kind == "name":
        text = _NOT_IN_NAMES.sub("", _LONG_NUMBER.sub("", text))
    words = text.split()
    return "".join(words) if kind == "code" else " ".join(words)


_CLEANERS: Final[Mapping[str, Cleaner]] = {
    name: _cleaner(field["kind"], field["longest"]) for name, field in _FIELDS.items()
}
