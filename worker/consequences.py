"""What a refusal says beside "no": about the person's consent, or about the number.

It is written in the same transaction as the settlement of the message, which comes first (messages
are locked before people, so that nobody waits in a circle). Writing it twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage import outbox
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.locking import lock
from storage.outbox import Due, Settlement
from storage.shop import ShopCache
from storage.transaction import atomic
from worker.errors import CarrierError, ErrorClass
from worker.policy.blocked import block


@dataclass(frozen=True, slots=True)
class Refusal:
    """Whom a text was refused for, and which text. ``phone`` is E.164, ``program`` a slug.

    ``message`` and ``attempt`` name the text in the evidence.
    """

    subscriber_id: int
    phone: str
    sender: str
    program: str | None
    message: str
    attempt: str


def says_more(error: CarrierError) -> bool:
    """Whether a refusal has consequences beyond the message."""
    return error.kind is ErrorClass.CONSENT or error.number is not None


def settle_refusal(
    connection: Connection,
    shops: ShopCache,
    message: Due,
    settlement: Settlement,
    error: CarrierError,
) -> None:
    """Settle one message of the outbox and write down what its refusal says."""
    refusal = Refusal(
        message.subscriber_id,
        message.phone,
        message.sender,
        message.program,
        message=str(message.id),
        attempt=str(settlement.attempt),
    )
    with atomic(connection):
        outbox.settle(connection, [settlement])
        follow_refusal(connection, shops, refusal, error)


def follow_refusal(
    connection: Connection, shops: ShopCache, refusal: Refusal, error: CarrierError
) -> None:
    """Write down what a refusal says. Call inside the transaction that settles the message."""
    if error.kind is ErrorClass.CONSENT:
        withdraw(connection, shops, refusal, error)
    if error.number is not None:
        outbox.mark_reachability(connection, refusal.subscriber_id, error.number)


def withdraw(
    connection: Connection, shops: ShopCache, refusal: Refusal, error: CarrierError
) -> None:
    """Record that the carrier has heard a STOP. Call inside a transaction."""
    locked = lock(connection, [refusal.phone])
    shop = shops.at(connection, locked.catalogue_version)
    person, changes = block(
        locked.people[refusal.phone],
        shop,
        refusal.program,
        locked.now,
        {
            "carrier": {
                "code": error.code,
                "meaning": error.meaning,
                "from": refusal.sender,
                "to": refusal.phone,
                "message": refusal.message,
                "attempt": refusal.attempt,
            }
        },
    )
    locked.people[refusal.phone] = person
    write_changes(connection, locked, [(refusal.phone, change) for change in changes])
