"""What only the web process itself sees of its webhooks: how long they take, and what they refuse.

Wrappers around the handlers, so that the handlers know nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bot.webhooks import Call, Reply
from storage.conversation import Answer, Arrival
from storage.meters import Meters

TEXT, STATUS = "text", "status"
# Why a call was refused, by the status that it got.
_REASONS: Final = {400: "form", 403: "signature", 413: "size", 503: "database"}

Handler = Callable[[Call], Reply]


def webhook(handler: Handler, meters: Meters, kind: str) -> Handler:
    """The handler, counted; of texts it is also measured how long they take."""

    def counted(call: Call) -> Reply:
        started = time.perf_counter()
        reply = handler(call)
        reason = _REASONS.get(reply.status)
        meters.add("inbound_received", (kind, "rejected" if reason else "taken"))
        if reason is not None:
            meters.add("webhook_rejected", (reason,))
        elif kind == TEXT:
            meters.observe("inbound_handle_seconds", time.perf_counter() - started)
        return reply

    return counted


def texts(answer: Callable[[Arrival], Answer], meters: Meters) -> Callable[[Arrival], Answer]:
    """The exchange of texts; of those that withdraw consent it is measured until the commit."""

    def timed(arrival: Arrival) -> Answer:
        started = time.perf_counter()
        answered = answer(arrival)
        if answered.withdrew:
            meters.observe("optout_commit_seconds", time.perf_counter() - started)
        return answered

    return timed
