"""Ask the carrier about texts whose outcome is unknown: are they in its list of what it took?

A text is recognised by its words, or by its own short link; where neither is known (the worker died
before it could write them down) by our number, the person's, and the moment.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from storage import claiming, outbox, unknowns
from storage.campaigns import RecipientState
from storage.claiming import Settled
from storage.database import Connection
from storage.messages import MessageState
from storage.outbox import Settlement
from storage.transaction import atomic
from storage.unknowns import UnknownText
from worker.gateway import Gateway, Taken
from worker.policy.questions import CONFIRMATION
from worker.texts.codes import Codes

BATCH: Final = 20
# Clocks differ a little, and a call may last ten seconds.
_BEFORE, _AFTER = timedelta(seconds=5), timedelta(seconds=30)

_log = logging.getLogger(__name__)


def ask(connection: Connection, gateway: Gateway, codes: Codes) -> int:
    """Look for a batch of unknown texts at the carrier; answers how many were found.

    Nothing is concluded while the carrier does not answer.
    """
    return _ask_recipients(connection, gateway, codes) + _ask_messages(connection, gateway)


def _ask_recipients(connection: Connection, gateway: Gateway, codes: Codes) -> int:
    with atomic(connection):
        due = unknowns.recipients(connection, BATCH)
    found: list[Settled] = []
    lost: list[int] = []
    for text in due:
        taken = gateway.taken(text.phone, text.sender)
        if taken is None:
            break
        assert isinstance(text.id, int)
        marks = [codes.encode(text.id, number) for number in text.links]
        one = _match(text, taken, marks)
        if one is not None:
            found.append(Settled(text.id, text.attempt_id, RecipientState.ACCEPTED, sid=one.sid))
        elif text.old:
            lost.append(text.id)
    with atomic(connection):
        claiming.settle(connection, found)
        closed = unknowns.close(connection, lost)
    if closed:
        _log.warning("%d texts of campaigns are unknown to the carrier too", closed)
    return len(found)


def _ask_messages(connection: Connection, gateway: Gateway) -> int:
    with atomic(connection):
        due = unknowns.messages(connection, BATCH)
    found: list[Settlement] = []
    lost: list[UUID] = []
    for text in due:
        taken = gateway.taken(text.phone, text.sender)
        if taken is None:
            break
        assert isinstance(text.id, UUID)
        one = _match(text, taken, [])
        if one is not None:
            found.append(Settlement(text.id, text.attempt_id, MessageState.ACCEPTED, sid=one.sid))
        elif text.old:
            lost.append(text.id)
    with atomic(connection):
        outbox.settle(connection, found)
        again = unknowns.queue_again(connection, lost, [CONFIRMATION])
    if again:
        _log.warning("%d confirmations never reached the carrier and are sent again", again)
    return len(found)


def _match(text: UnknownText, taken: Sequence[Taken], marks: Sequence[str]) -> Taken | None:
    """The one of the carrier's texts that this is; None when it is not among them."""
    near = [
        each for each in taken if text.claimed_at - _BEFORE <= each.at <= text.claimed_at + _AFTER
    ]
    for each in near:
        if each.body == text.body or any(mark in each.body for mark in marks):
            return each
    if text.body is None and not marks and len(near) == 1:
        return near[0]
    return None
