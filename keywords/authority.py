"""Who answers STOP, START and HELP for a sender: us, Twilio, or the network.

A second answer to STOP is more than the one confirmation that 47 CFR 64.1200(a)(12) allows, and
none at all breaks CTIA 5.1.3; so each sender says who its keyword authority is. The ledger is
written in every case. Sources and dates are in ``data/authority.toml``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from keywords.data import load
from keywords.signals import Signal


class KeywordAuthority(StrEnum):
    """Who keeps the block list of a sender and answers its keywords."""

    SELF = "self"
    TWILIO_DEFAULT = "twilio_default"
    ADVANCED_OPT_OUT = "advanced_opt_out"
    TOLLFREE_NETWORK = "tollfree_network"


_DATA: Final = load("authority")
_ANSWERED: Final[dict[KeywordAuthority, dict[str, frozenset[str]]]] = {
    KeywordAuthority(name): {signal: frozenset(words) for signal, words in table.items()}
    for name, table in _DATA["answered"].items()
}
_OPT_OUT_TYPES: Final = {
    "STOP": Signal.STOP,
    "START": Signal.START,
    "HELP": Signal.HELP,
}


def declared(opt_out_type: str | None) -> Signal | None:
    """The signal that Twilio says a text was (``OptOutType``), if it says so."""
    return _OPT_OUT_TYPES.get(opt_out_type or "")


def answered_elsewhere(authority: KeywordAuthority, body: str, opt_out_type: str | None) -> bool:
    """Whether Twilio or the network already answers this text, so that we must not.

    Twilio compares the whole body, case-insensitively; "Stop please" is not a keyword to it, and
    is therefore ours to answer (Twilio, Advanced Opt-Out).
    """
    if declared(opt_out_type) is not None:
        return True
    word = body.strip().upper()
    return any(word in words for words in _ANSWERED[authority].values())
