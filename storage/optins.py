"""Record opt-ins that came by another way than a text, and queue the question for each.

One transaction for all that is given: people locked in the order of their numbers, decided by
``keywords.optin``, written at once. The question is a queued message; a worker sends it by the
same protocol as every other text (claim first, unknown is not sent again blindly). What a file
says makes a question that waits for its turn (``storage.waiting``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from keywords.ledger import instant
from keywords.optin import ONE_PER, Asked, OptIn, OptInAnswer, OptInOutcome, opt_in
from keywords.shop import Shop
from keywords.turn import ConsentChange
from storage import outbox, waiting
from storage.conversation_writes import LATER_WITHIN, write_changes
from storage.database import Connection
from storage.locking import Locked, lock
from storage.outbox import Posting
from storage.shop import ShopCache
from storage.suppression import suppressed

CONFIRMATION: Final = "confirmation"
# A question counts whatever became of it, so long as it may have reached the phone.
_ASKED: Final = """
SELECT s.phone,
       count(*) FILTER (WHERE m.created_at > %(day)s),
       count(*) FILTER (WHERE m.created_at > coalesce((
           SELECT max(i.received_at) FROM inbound_texts i WHERE i.subscriber_id = s.id
       ), '-infinity'))
FROM subscribers s JOIN messages m ON m.subscriber_id = s.id
WHERE s.phone = ANY(%(phones)s) AND m.kind = 'confirmation'
  AND m.state NOT IN ('answered', 'rejected', 'expired', 'suppressed')
GROUP BY s.id
"""


def record(
    connection: Connection, shops: ShopCache, pepper: str, requests: Sequence[OptIn]
) -> list[OptInAnswer]:
    """What became of each request, in order. Call inside a transaction; at most one a number.

    ``pepper`` is PHONE_PEPPER, for the suppression list. Raises KeyError for a program that the
    shop does not have: the caller has checked it. Whether a number is known, and what became of it,
    changes what the statements write but not which are sent: a form tells nobody by its time.
    """
    blocked = _blocked(connection, pepper, requests)
    admitted = [r for r in requests if r.phone not in blocked]
    phones = sorted({request.phone for request in admitted})
    locked = lock(connection, phones)
    shop = shops.at(connection, locked.catalogue_version)
    # Again, because an erasure may have been what the locks waited for.
    blocked |= _blocked(connection, pepper, admitted)
    asked = asked_before(connection, locked.now, phones)
    answers: list[OptInAnswer] = []
    changes: list[tuple[str, ConsentChange]] = []
    for request in requests:
        if request.phone in blocked:
            answers.append(OptInAnswer.SUPPRESSED)
            continue
        before = asked.get(request.phone, Asked())
        person = locked.people[request.phone]
        outcome = opt_in(request, person, shop, before, locked.now)
        locked.people[request.phone] = outcome.person
        changes += [(request.phone, change) for change in outcome.changes]
        _ask(connection, locked, shop, request, outcome)
        answers.append(outcome.answer)
    write_changes(connection, locked, changes, always=True)
    let_wait(connection, locked, requests, answers)
    return answers


def _blocked(connection: Connection, pepper: str, requests: Sequence[OptIn]) -> frozenset[str]:
    """The numbers that nobody but their owner may bring back. No row is made for them: it would be
    the very thing that an erasure took away.
    """
    others = [request.phone for request in requests if request.actor != "person"]
    return suppressed(connection, pepper, others) if others else frozenset()


def let_wait(
    connection: Connection,
    locked: Locked,
    requests: Sequence[OptIn],
    answers: Sequence[OptInAnswer],
) -> None:
    """Put those who became pending and were not asked yet in the queue for it."""
    unasked = [
        (locked.ids[request.phone], request.program)
        for request, answer in zip(requests, answers, strict=True)
        if answer is OptInAnswer.ASKED
        and locked.people[request.phone].standing(request.program).asked_at is None
    ]
    waiting.add(connection, unasked)


def asked_before(connection: Connection, now: datetime, phones: Sequence[str]) -> dict[str, Asked]:
    """The questions that each of these numbers got before; those that got none are left out."""
    rows = connection.execute(_ASKED, {"day": now - ONE_PER, "phones": list(phones)})
    return {phone: Asked(lately, unanswered) for phone, lately, unanswered in rows}


def _ask(
    connection: Connection, locked: Locked, shop: Shop, request: OptIn, outcome: OptInOutcome
) -> None:
    posting = None
    if outcome.question is not None:
        subscriber_id = locked.ids[request.phone]
        posting = Posting(
            subscriber_id=subscriber_id,
            sender=shop.programs[request.program].sender,
            kind=CONFIRMATION,
            spoken=outcome.question,
            dedupe_key=f"confirm:{subscriber_id}:{request.program}:{instant(locked.now)}",
            not_after=locked.now + LATER_WITHIN,
        )
    outbox.post(connection, locked.now, posting)
