"""The loop guard: when an automatic reply must stay unsaid.

Two bots that answer each other would go on for ever, at somebody's cost. Per number and hour:
at most 3 fallback replies, at most 5 times the same reply to the same text, at most 30 replies in
all. STOP and HELP are answered up to that last limit whatever came before (CTIA 5.1.3, and HELP
must be answered whatever the subscription). What was asked is recorded even when nothing is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from keywords.people import SaidBefore
from keywords.replies import Reply
from keywords.signals import Signal

WINDOW: Final = timedelta(hours=1)
FALLBACKS: Final = 3
SAME_ANSWER: Final = 5
REPLIES: Final = 30
ALWAYS_HEARD: Final = frozenset({Signal.STOP, Signal.HELP})


def mark(body: str, reply: str) -> bytes:
    """Eight bytes that stand for "this reply to this text"."""
    same = f"{body.strip().casefold()}\x00{reply}"
    return hashlib.sha256(same.encode("utf-8", "replace")).digest()[:8]


def silence(kind: Reply, signal: Signal, answer: bytes, said: Sequence[SaidBefore]) -> str | None:
    """Why this reply must stay unsaid ("loop.replies", …), or None to say it."""
    if len(said) >= REPLIES:
        return "loop.replies"
    if signal in ALWAYS_HEARD:
        return None
    if kind is Reply.FALLBACK and sum(s.kind == Reply.FALLBACK for s in said) >= FALLBACKS:
        return "loop.fallbacks"
    if sum(s.mark == answer for s in said) >= SAME_ANSWER:
        return "loop.same_answer"
    return None
