"""A text as a person wrote it, made comparable: folded words, without what the person quoted.

CTIA 5.1.3: case, punctuation and other small differences must not decide whether STOP is heard.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from keywords.data import load

# An SMS body has at most 1,600 characters (Twilio); what is longer is read so far.
LONGEST: Final = 1600

_BREAKS: Final = frozenset({".", ","})
_SENTENCE_ENDS: Final = frozenset(".!?;\n\r…¡¿。！？；|•\u2028\u2029")
_CLAUSE_ENDS: Final = frozenset(',:()[]{}\u2014\u2013"“”«»„，：、~')
_APOSTROPHES: Final = frozenset("'’‘`´ʼ＇′‛")
_LOOKALIKES: Final = {
    **dict(zip("авеёзіјкмнорсԁѕтухһԛԝґѵԍ", "abeesijkmhopcdstyxhqwrvg", strict=True)),
    **dict(zip("αβεζηικνορστυχγω", "abeznikvopotuxyw", strict=True)),
    **dict(zip("ıłøđħŧɑɡʟɴʀꜱℓ", "llodhtaglnrsl", strict=True)),
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
}
# Squared and circled capitals that have no compatibility form: 🅰 … 🆉 and 🅐 … 🅩.
_ENCLOSED: Final = {
    chr(first + n): chr(ord("a") + n) for first in (0x1F150, 0x1F170) for n in range(26)
}

_QUOTES_OPEN: Final = '[“"«„]'
_QUOTES_CLOSE: Final = '[”"»“]'
_LINK: Final = re.compile(
    r"\b(?:https?://|www\.)\S+|\S+@\S+\.\S+|\b[\w-]+(?:\.[\w-]+)*\."
    r"(?:com|net|org|co|io|us|shop|store|link|ly|ca|fr|es|mx)\b(?:/\S*)?",
    re.IGNORECASE,
)
# "take my # off": a sign that stands alone is the word; "#12" and "#sale" are not.
_NUMBER_SIGN: Final = re.compile(r"(?<![\w#])#(?![\w#])")
_ELIDED: Final = re.compile(r"\b([ldmnstjc]|qu)'(?=\w)")
# Four or more lone letters are one word that was spelled out; three ("u r a star") may be chat.
_SPELLED: Final = re.compile(r" [a-z](?:[ .,]* [a-z]){3,}(?= |$)")
_NOT_LETTERS: Final = re.compile(r"[ .,]+")


@dataclass(frozen=True, slots=True)
class Text:
    """What was said. ``tokens`` are folded words, with "." and "," where a thought ends.

    ``tapback`` says that the phone reported a reaction to a text; what it quoted is left out.
    """

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    tapback: bool = False


class _Letters(dict[int, str]):
    """What each character becomes; worked out once for each character that is met."""

    def __missing__(self, code: int) -> str:
        letters = _comparable(chr(code))
        if len(self) < 1 << 16:
            self[code] = letters
        return letters


_LETTERS: Final = _Letters()


def fold(body: str) -> str:
    """The comparable words of a text, parted by single spaces. Folding twice changes nothing."""
    return " ".join(said(body).words)


def said(body: str) -> Text:
    """What the person said: the words of ``body``, without quotations, links and signatures."""
    body = body[:LONGEST]
    body, tapback = _without_reaction(body)
    if "\n" in body or body.startswith(">"):
        body = "\n".join(line for line in body.splitlines() if not _ADDED_LINE.match(line))
    if _DOT_OR_AT.search(body) or "://" in body:
        body = _LINK.sub(" ", body)
    if "#" in body:
        body = _NUMBER_SIGN.sub(" number ", body)
    plain = body.translate(_LETTERS)
    if "'" in plain:
        plain = _ELIDED.sub(r"\1 ", plain).replace("'", "")
    tokens = tuple(_SPELLED.sub(_joined, " " + plain).split())
    words = tokens
    if "." in tokens or "," in tokens:
        words = tuple(token for token in tokens if token not in _BREAKS)
    return Text(tokens, words, tapback)


def _joined(spelled: re.Match[str]) -> str:
    return " " + _NOT_LETTERS.sub("", spelled[0])


def _comparable(char: str) -> str:
    """One character: letters and digits in their plainest form, or the break that it makes."""
    if char in _APOSTROPHES:
        return "'"
    if char in _SENTENCE_ENDS:
        return " . "
    if char in _CLAUSE_ENDS:
        return " , "
    plain = "".join(_plain(part) for part in unicodedata.normalize("NFKD", char).casefold())
    if plain != char and len(plain) > 1:
        return "".join(_comparable(part) for part in plain)
    return plain


def _plain(char: str) -> str:
    """A letter or digit as its Latin look-alike, a mark as nothing, all else as a space."""
    char = _LOOKALIKES.get(char) or _ENCLOSED.get(char, char)
    category = unicodedata.category(char[0])
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category[0] == "L":
        return char
    # Marks, controls, zero-width and bidi signs, soft hyphens, variation selectors: not seen.
    return "" if category in {"Mn", "Me", "Cf", "Cc"} and char != "\t" else " "


def _without_reaction(body: str) -> tuple[str, bool]:
    """The text after a reaction that the phone reported, and whether there was one."""
    if _QUOTE.search(body) or body.rstrip().lower().endswith(_THINGS):
        reaction = _REACTION.match(body)
        if reaction is not None:
            return body[reaction.end() :], True
    return body, False


def _reaction_pattern(data: dict[str, list[str]]) -> re.Pattern[str]:
    """A reaction at the start of a text, with the quoted text as far as its last quotation mark."""
    emoji = r"[^\w\s\"“«]{1,12}"
    verbs = "|".join(
        re.escape(words).replace(r"\*", emoji).replace("'", "['’]").replace(r"\ ", r"\s+")
        for words in sorted(data["reactions"], key=len, reverse=True)
    )
    things = "|".join(re.escape(thing) for thing in data["things"])
    quoted = rf"{_QUOTES_OPEN}(?:.*{_QUOTES_CLOSE}|.*)"
    invisible = r"[\s\u200a-\u200f\u2060\ufeff]*"
    return re.compile(
        rf"{invisible}(?:{verbs}){invisible}(?:{quoted}|(?:{things})\b)", re.IGNORECASE | re.DOTALL
    )


_DATA: Final = load("quoting")
_THINGS: Final = tuple(_DATA["things"])
_QUOTE: Final = re.compile(_QUOTES_OPEN)
_DOT_OR_AT: Final = re.compile(r"\.\w|@\w")
_REACTION: Final = _reaction_pattern(_DATA)
_ADDED_LINE: Final = re.compile(
    r"\s*(?:>|(?:" + "|".join(map(re.escape, _DATA["signatures"])) + r")\b)", re.IGNORECASE
)
