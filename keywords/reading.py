"""What a text means. One function, :func:`read`; the other modules are its parts.

The order is the precedence. A carrier's keyword beats everything; then come texts that are one
intent and nothing else; then a program's keyword, how often, a pause; then opt-out in the
person's own words. What is left is not understood, and a person reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from keywords.frequency import read_frequency
from keywords.joins import read_join, read_keep, read_scoped_stop, scope_of
from keywords.optout import read_optout
from keywords.pause import read_pause
from keywords.signals import Reading, Signal
from keywords.text import said
from keywords.vocabulary import core, exact

# No text of more words is a program's keyword, a frequency or a pause and nothing else.
_SHORT: Final = 14
_EMPTY: Final = Reading(Signal.NOT_UNDERSTOOD, "empty")
_TAPBACK: Final = Reading(Signal.NOT_UNDERSTOOD, "tapback")
_UNKNOWN: Final = Reading(Signal.NOT_UNDERSTOOD, "not_understood")


def read(body: str, join_words: Mapping[str, str]) -> Reading:
    """The meaning of a text that came to a sender.

    ``join_words`` maps the folded keywords of the sender's programs
    (:func:`keywords.vocabulary.fold_keyword`) to their slugs. Reading needs no context: YES is
    CONFIRM whether or not a question is open; the consent machine decides what follows. Any string
    is read, whatever it holds, and none raises.
    """
    text = said(body)
    if not text.words:
        if text.tapback:
            return _TAPBACK
        return read_optout(body, ()) or _EMPTY
    words = core(text.words)
    found = _keyword(text.words, words)
    if found is None and 0 < len(words) <= _SHORT:
        found = _short(words, text.words, join_words)
    return found or read_optout(body, text.tokens) or _UNKNOWN


def _keyword(every: Sequence[str], words: Sequence[str]) -> Reading | None:
    """A keyword alone; ``words`` are those of ``every`` word that carry meaning."""
    keyword = exact(every)
    if keyword is None and len(words) != len(every):
        keyword = exact(words)
    if keyword is None:
        return None
    if keyword.signal is Signal.STOP:
        return replace(keyword.reading, scope=scope_of(every))
    return keyword.reading


def _short(
    words: Sequence[str], every: Sequence[str], join_words: Mapping[str, str]
) -> Reading | None:
    """A text of few words that names a program, a frequency or a pause."""
    return (
        read_scoped_stop(words, join_words)
        or read_keep(every, join_words)
        or read_frequency(words, join_words)
        or read_join(words, join_words)
        or read_pause(words, join_words)
    )
