"""Send what is due: claim, check again, hand over, settle; in batches that share their commits.

Claim first (at most once): a batch is ``sending`` in the database before the carrier hears of it.
Whether a text may still go is checked in the claim's own transaction, under a share lock on the
person, and no lock is held while the carrier answers. For these texts that is enough. A question
or its reminder is no marketing: it asks whether there may be any. A STOP that was committed
before the claim has ended the pending state and the check sees it; one that comes after crosses
the question on the way, as it would have if the question had been answered in the webhook, and
the YES that might follow finds nothing to confirm. Marketing will need the lock across the call.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg

from storage import form_asks, outbox
from storage.database import Connection
from storage.messages import MessageState
from storage.outbox import Due, Settlement
from storage.transaction import atomic
from worker.consequences import says_more, settle_refusal
from worker.errors import CarrierError
from worker.gateway import Accepted, NotAccepted, Outcome, Outgoing, Rejected, Unknown
from worker.marks import Attempt
from worker.policy import backoff
from worker.policy.questions import CONFIRMATION, HELD, refusal
from worker.runtime import SENDERS, Runtime

BATCH: Final = SENDERS
BUDGET_S: Final = 15.0
# A claim is good for so long: a process that was stopped and wakes up later must not send. With
# the carrier's ten seconds and the patience below this stays under GIVE_UP_AFTER in ``sweeps``.
CLAIM_GOOD_FOR_S: Final = 20.0
_PATIENCE_S: Final = 15.0
_PAUSE_S: Final = 0.2
_STALE: Final = NotAccepted("claim.too_old")

_log = logging.getLogger(__name__)
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send. ``at`` is when it was claimed, by ``time.monotonic``."""

    message: Due
    attempt: UUID
    at: float


def drain(runtime: Runtime, budget_s: float = BUDGET_S) -> int:
    """Send until nothing is due, the carrier refuses everything, or the time is used up.

    Answers how many messages were claimed: none while the database waits to be confirmed. Raises
    ``psycopg.OperationalError`` when the database is away; what was claimed by then is settled
    later, or becomes ``unknown``.
    """
    until = time.monotonic() + budget_s
    total = 0
    if runtime.life.epoch(runtime.connection()) is None:
        return 0
    while time.monotonic() < until:
        looked_at, claimed = _claim(runtime.connection(), runtime.breaker.allowance(BATCH))
        total += len(claimed)
        if claimed:
            _send(runtime, claimed)
        if not looked_at:
            break
    return total


def _claim(connection: Connection, limit: int) -> tuple[int, list[Claimed]]:
    """Lock what is due, refuse what may not go any more, claim the rest; committed."""
    if not limit:
        return 0, []
    at = time.monotonic()
    with atomic(connection):
        due = outbox.due(connection, limit)
        held = _held(connection, due)
        reasons = {message.id: reason for message in due if (reason := _refusal(message, held))}
        outbox.suppress(connection, reasons)
        attempts = outbox.take(connection, [m.id for m in due if m.id not in reasons])
    return len(due), [Claimed(m, attempts[m.id], at) for m in due if m.id in attempts]


def _held(connection: Connection, due: Sequence[Due]) -> frozenset[UUID]:
    """Questions of forms whose breaker opened while they waited."""
    questions = [message.id for message in due if message.kind == CONFIRMATION]
    return form_asks.held(connection, questions) if questions else frozenset()


def _refusal(message: Due, held: frozenset[UUID]) -> str | None:
    if message.id in held:
        return HELD
    return refusal(
        message.kind,
        message.created_at,
        message.standing,
        message.now,
        suspended=message.suspended,
    )


def _send(runtime: Runtime, claimed: Sequence[Claimed]) -> None:
    futures = [runtime.senders.submit(_hand_over, runtime, each) for each in claimed]
    outcomes = [_outcome(future) for future in futures]
    _settle(runtime, list(zip(claimed, outcomes, strict=True)))
    if any(isinstance(o, NotAccepted) and o.halts for o in outcomes):
        if runtime.breaker.trip():
            _log.error("the carrier refuses every text: halted, with a probe now and then")
    elif any(isinstance(o, (Accepted, Rejected)) for o in outcomes):
        runtime.breaker.reset()


def _hand_over(runtime: Runtime, claimed: Claimed) -> Outcome:
    waited = time.monotonic() - claimed.at
    if waited > CLAIM_GOOD_FOR_S:
        return _STALE
    message = claimed.message
    left = _seconds(message.not_after, message.now)
    if left is not None and left - waited <= 0:
        return _STALE
    seconds_left = None if left is None else left - waited
    callback = runtime.marks.callback(Attempt(claimed.attempt, message.id))
    return runtime.gateway.send(
        Outgoing(message.phone, message.sender, message.body, seconds_left, callback)
    )


def _seconds(until: datetime | None, now: datetime) -> float | None:
    return None if until is None else (until - now).total_seconds()


def _outcome(future: Future[Outcome]) -> Outcome:
    """What a helper found; an error of our own in mid-call leaves the outcome unknown."""
    error = future.exception()
    if error is not None:
        _log.error("handing over a text failed: %s", type(error).__name__)
        return Unknown()
    return future.result()


def _settle(runtime: Runtime, results: Sequence[tuple[Claimed, Outcome]]) -> None:
    plain: list[Settlement] = []
    telling: list[tuple[Due, Settlement, CarrierError]] = []
    for claimed, outcome in results:
        settlement = _settlement(claimed, outcome)
        _log.info("message %s: %s %s", settlement.id, settlement.state, settlement.code or "")
        if isinstance(outcome, Rejected) and says_more(outcome.error):
            telling.append((claimed.message, settlement, outcome.error))
        else:
            plain.append(settlement)
    _persist(runtime, lambda connection: _settle_plain(connection, plain))
    for message, settlement, error in telling:
        _settle_refusal(runtime, message, settlement, error)


def _settle_plain(connection: Connection, settlements: Sequence[Settlement]) -> None:
    with atomic(connection):
        outbox.settle(connection, settlements)


def _settle_refusal(
    runtime: Runtime, message: Due, settlement: Settlement, error: CarrierError
) -> None:
    _persist(
        runtime,
        lambda connection: settle_refusal(connection, runtime.shops, message, settlement, error),
    )


def _settlement(claimed: Claimed, outcome: Outcome) -> Settlement:
    message, attempt = claimed.message, claimed.attempt
    match outcome:
        case Accepted(sid):
            return Settlement(message.id, attempt, MessageState.ACCEPTED, sid=sid)
        case Rejected(error):
            code = str(error.code)
            return Settlement(message.id, attempt, MessageState.REJECTED, code=code)
        case NotAccepted(reason):
            wait = backoff.wait(message.now - message.created_at, _chance.random())
            return Settlement(message.id, attempt, MessageState.QUEUED, code=reason, wait=wait)
        case Unknown():
            return Settlement(message.id, attempt, MessageState.UNKNOWN)


def _persist(runtime: Runtime, write: Callable[[Connection], None]) -> None:
    """Write an outcome that nobody else knows, patiently: the database may be restarting."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            write(runtime.connection())
        except psycopg.OperationalError:
            runtime.line.drop()
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
