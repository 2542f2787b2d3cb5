"""Texts that name a program: its keyword with a short tail, "keep DEALS", "stop coffee texts".

``join_words`` maps the folded keywords of the sender to the slugs of their programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from keywords.data import load
from keywords.placements import apart, read_code
from keywords.signals import Reading, Signal, StopScope
from keywords.vocabulary import STOP_WORDS

_DATA: Final = load("joins")
_PROSE: Final = frozenset(_DATA["prose"])
_KEEP: Final = frozenset(_DATA["keep"])
_KEEP_FILLER: Final = frozenset(_DATA["keep_filler"])
_SCOPE_FILLER: Final = frozenset(_DATA["scope_filler"])
_ALL: Final = frozenset(_DATA["all"])
_NO_MORE: Final = frozenset({("no", "more"), ("no", "mas")})
_LONGEST_TAIL: Final = 2
_LONGEST_SCOPED: Final = 8


def read_join(words: Sequence[str], join_words: Mapping[str, str]) -> Reading | None:
    """A program's keyword first, with at most two more words that are not prose.

    The tail is what a poster or a friend adds: a name, a shop, a placement ("DEALS K7P2", or
    "DEALSK7P2" where a phone lost the space). Where the tail is itself a keyword ("JOIN COFFEE")
    it names the program.
    """
    if len(words) > 1 + _LONGEST_TAIL:
        return None
    slug, tail = join_words.get(words[0]), words[1:]
    if slug is None:
        first, code = apart(words[0], join_words) or ("", "")
        slug, tail = join_words.get(first), [code, *tail]
    if slug is None or not _PROSE.isdisjoint(tail):
        return None
    named = list(dict.fromkeys(join_words[word] for word in tail if word in join_words))
    if len(named) > 1:
        return None
    placement = next(filter(None, map(read_code, tail)), None)
    if placement is not None:
        rule = "join.placement"
    else:
        rule = "join.named" if named else "join.tail" if tail else "join.keyword"
    return Reading(Signal.JOIN, rule, program=named[0] if named else slug, placement=placement)


def read_keep(words: Sequence[str], join_words: Mapping[str, str]) -> Reading | None:
    """The answer to "all texts, or only some?": "only deals", "keep orders"."""
    if len(words) > _LONGEST_SCOPED or _KEEP.isdisjoint(words):
        return None
    named = {join_words[word] for word in words if word in join_words}
    rest = [word for word in words if word not in join_words]
    if len(named) != 1 or not all(word in _KEEP or word in _KEEP_FILLER for word in rest):
        return None
    kept = next(word for word in rest if word in _KEEP)
    return Reading(Signal.JOIN, f"keep.{kept}", program=named.pop())


def read_scoped_stop(words: Sequence[str], join_words: Mapping[str, str]) -> Reading | None:
    """A stop word with nothing but programs and fillers around it: "STOP DEALS", "stop all".

    A text that names two programs, or anything that means "all", stops everything.
    """
    if len(words) > _LONGEST_SCOPED or not _stops(words):
        return None
    named = {join_words[word] for word in words if word in join_words}
    rest = [word for word in words if word not in join_words]
    if not all(word in STOP_WORDS or word in _SCOPE_FILLER or word in _ALL for word in rest):
        return None
    if not _ALL.isdisjoint(rest) or len(named) > 1:
        return Reading(Signal.STOP, "scope.all", language="en", scope=StopScope.ALL)
    if not named:
        return None
    return Reading(Signal.STOP, "scope.program", "en", program=named.pop(), scope=StopScope.PROGRAM)


def _stops(words: Sequence[str]) -> bool:
    """Whether a stop word is among the words, or they begin with "no more"."""
    return not STOP_WORDS.isdisjoint(words) or tuple(words[:2]) in _NO_MORE


def scope_of(words: Sequence[str]) -> StopScope:
    """Whether a wish to stop says that it means everything."""
    return StopScope.UNSAID if _ALL.isdisjoint(words) else StopScope.ALL
