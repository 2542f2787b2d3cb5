"""A coupon for whoever confirms: when one is due, and how it is said.

The decision about a text knows nothing of codes: they lie in a database. The shell asks :func:`due`
what an outcome calls for, reserves codes in the same transaction, and :func:`handed` makes the
outcome that speaks of them. A person who gets none is welcomed all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from keywords.consent import Change
from keywords.conversation import Outcome
from keywords.replies import Coupon, Reply, carries_coupon, render
from keywords.shop import Program, Shop
from keywords.turn import ConsentChange, Spoken


@dataclass(frozen=True, slots=True)
class CouponDue:
    """A consent that was just confirmed, to a program which has a pool of codes for it."""

    program: str
    pool: str


def due(changes: Iterable[ConsentChange], shop: Shop) -> list[CouponDue]:
    """The coupons that these changes call for, in their order."""
    confirmed = (c.entry.program for c in changes if c.entry.change is Change.OPTIN_CONFIRMED)
    programs = (shop.programs[slug] for slug in confirmed if slug is not None)
    return [CouponDue(p.slug, p.coupon_pool) for p in programs if p.coupon_pool is not None]


def handed(outcome: Outcome, program: Program, coupon: Coupon) -> Outcome:
    """The same outcome with the code in it: in the welcome, else in a text that follows.

    The mark of the loop guard stays that of the plain welcome: a code makes no new answer of it.
    """
    reply = outcome.reply
    if reply is not None and _welcomes(reply, program):
        body = render(Reply.WELCOME, program.voice, reply.language, coupon=coupon)
        return replace(outcome, reply=replace(reply, body=body))
    language = reply.language if reply else outcome.person.language or program.language
    words = render(Reply.COUPON, program.voice, language, coupon=coupon)
    return replace(outcome, gift=Spoken(Reply.COUPON, program.slug, language, words))


def _welcomes(reply: Spoken, program: Program) -> bool:
    ours = reply.kind is Reply.WELCOME and reply.program == program.slug
    return ours and carries_coupon(program.voice, reply.language)
