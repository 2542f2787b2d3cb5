"""QR codes for paper: what they say, and their modules.

Direct codes are ``SMSTO:number:text``. The cameras of both phone systems read it, where ``sms:``
with a body is read differently by each (RFC 5724 knows ``?body=``, Apple documents no body at
all), and in capitals it needs the fewest modules, so that they are the largest on paper.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import segno

# Q repairs a quarter of the code: thumbed shelf cards, reflections in a window.
_ERROR: Final = "q"
QUIET: Final = 4  # modules of white around the code, ISO/IEC 18004

Matrix = tuple[tuple[bool, ...], ...]


def matrix(payload: str) -> Matrix:
    """The modules of the smallest code that holds ``payload``, row by row, without quiet zone."""
    code = segno.make(payload, error=_ERROR, boost_error=True, micro=False)
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def message(keyword: str, placement: str | None) -> str:
    """What is texted: the keyword, and the code of the placement."""
    return f"{keyword} {placement}" if placement else keyword


def direct(sender: str, text: str) -> str:
    """The payload that opens a text to ``sender``, ready to send."""
    return f"SMSTO:{sender}:{text}"


def sms_link(sender: str, text: str) -> str:
    """The address of a button that opens a text. ``?&body=`` is understood by either system:
    one looks behind the question mark, the other behind the ampersand.
    """
    return f"sms:{sender}?&body={quote(text, safe='')}"
