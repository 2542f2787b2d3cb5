"""Headings and short words as they are compared: small letters, no accents, no punctuation."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_APART: Final = re.compile(r"[^a-z0-9]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fold(words: str) -> str:
    """Teléfono-Móvil and telefonoMovil are both "telefono movil"."""
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", words))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _APART.sub(" ", letters.casefold().replace("ß", "ss")).strip()
