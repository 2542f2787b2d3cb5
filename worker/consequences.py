"""Settle a refusal that says more than "no": about the person's consent, or about the number.

What it says is written in the same transaction as the settlement, so that neither can be lost.
Writing it twice changes nothing.
"""

from __future__ import annotations

from storage import outbox
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.locking import lock
from storage.outbox import Due, Settlement
from storage.shop import ShopCache
from storage.transaction import atomic
from worker.errors import CarrierError, ErrorClass
from worker.policy.blocked import block


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
    """Settle one message and write down what its refusal says."""
    with atomic(connection):
        if error.kind is ErrorClass.CONSENT:
            _withdraw(connection, shops, message, settlement, error)
        if error.number is not None:
            outbox.mark_reachability(connection, message.subscriber_id, error.number)
        outbox.settle(connection, [settlement])


def _withdraw(
    connection: Connection,
    shops: ShopCache,
    message: Due,
    settlement: Settlement,
    error: CarrierError,
) -> None:
    locked = lock(connection, [message.phone])
    shop = shops.at(connection, locked.catalogue_version)
    person, changes = block(
        locked.people[message.phone],
        shop,
        message.program,
        locked.now,
        {
            "carrier": {
                "code": error.code,
                "meaning": error.meaning,
                "from": message.sender,
                "to": message.phone,
                "message": str(message.id),
                "attempt": str(settlement.attempt),
            }
        },
    )
    locked.people[message.phone] = person
    write_changes(connection, locked, [(message.phone, change) for change in changes])
