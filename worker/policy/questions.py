"""May a question, the reminder of one, or the coupon that follows a YES still be sent?

A question goes only to somebody who is still being asked it. It is not marketing; the answer
decides whether there ever will be any (CTIA Messaging Principles 5.1.2). A coupon belongs to the
welcome and goes only to somebody who is still a subscriber.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from keywords.consent import State
from keywords.conversation import LATE_ANSWER
from keywords.people import Standing

CONFIRMATION: Final = "confirmation"
REMINDER: Final = "reminder"
COUPON: Final = "coupon"
# A form asked for it, and meanwhile the breaker of its range, country or of all forms has opened.
# The text is closed, not kept: it does not count as a question, so its person can ask again.
HELD: Final = "policy.form_breaker"
_QUESTIONS: Final = frozenset({CONFIRMATION, REMINDER})


def refusal(
    kind: str, created_at: datetime, standing: Standing | None, now: datetime, *, suspended: bool
) -> str | None:
    """The rule by which a text that a worker holds must not go, or None when it may.

    ``standing`` is the person's with the text's program at this moment. A kind of text that no
    rule here is about may not go.
    """
    if kind == COUPON:
        return _no_gift(standing, suspended=suspended)
    if kind == LATE_ANSWER:
        return None  # what may be said so late was decided when the text was found
    if kind not in _QUESTIONS:
        return "policy.unknown_kind"
    if standing is None or standing.state is not State.PENDING:
        return "policy.not_pending"
    if standing.expires_at is None or standing.expires_at <= now:
        return "policy.question_expired"
    if standing.asked_at is not None and created_at < standing.asked_at:
        return "policy.asked_again"
    if suspended and kind == REMINDER:
        return "policy.suspended"
    return None


def _no_gift(standing: Standing | None, *, suspended: bool) -> str | None:
    if standing is None or standing.state is not State.SUBSCRIBED:
        return "policy.not_subscribed"
    return "policy.suspended" if suspended else None


def may_remind(
    standing: Standing, remind_after: timedelta | None, now: datetime, *, suspended: bool
) -> bool:
    """Whether the one reminder of an open question is due."""
    if remind_after is None or suspended or standing.reminded_at is not None:
        return False
    if standing.state is not State.PENDING or standing.asked_at is None:
        return False
    return standing.asked_at + remind_after <= now and not _over(standing, now)


def _over(standing: Standing, now: datetime) -> bool:
    return standing.expires_at is None or standing.expires_at <= now
