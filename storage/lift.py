"""Who bought after a campaign, among those it was sent to and those who were held out.

Orders count for a person by the phone number alone, the same for both groups: a click or a coupon
is nothing that somebody who was held out could have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from storage.database import Connection
from storage.orders import CHANGES, NET

_ORDERS: Final = f"""
WITH bought AS MATERIALIZED (
    SELECT o.subscriber_id, o.currency, ({NET})::bigint AS net_minor
    FROM orders o {CHANGES}
    WHERE o.ordered_at >= %(since)s AND o.ordered_at < %(until)s
      AND o.subscriber_id IS NOT NULL AND x.canceled_at IS NULL
), known AS (
    SELECT r.state = 'holdout' AS holdout, r.variant, b.* FROM bought b
    JOIN recipients r ON r.campaign_id = %(campaign)s AND r.subscriber_id = b.subscriber_id
)
"""  # noqa: S608 - parts of statements, which are our own
_BUYERS: Final = """
SELECT holdout, variant, count(DISTINCT subscriber_id) AS people FROM known GROUP BY 1, 2
"""
_MONEY: Final = """
SELECT holdout, currency, count(*) AS orders, sum(net_minor)::bigint AS net_minor
FROM known GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Buyers:
    """How many different people bought, of a variant and one of the two groups."""

    holdout: bool
    variant: int
    people: int


@dataclass(frozen=True, slots=True)
class Money:
    """Orders of a group in one currency, net of refunds."""

    holdout: bool
    currency: str
    orders: int
    net_minor: int


def buyers(
    connection: Connection, campaign: int, since: datetime, until: datetime
) -> Sequence[Buyers]:
    """Who bought from ``since`` to before ``until``."""
    values = {"campaign": campaign, "since": since, "until": until}
    with connection.cursor(row_factory=class_row(Buyers)) as cursor:
        return cursor.execute(_ORDERS + _BUYERS, values).fetchall()


def money(
    connection: Connection, campaign: int, since: datetime, until: datetime
) -> Sequence[Money]:
    """What was bought then."""
    values = {"campaign": campaign, "since": since, "until": until}
    with connection.cursor(row_factory=class_row(Money)) as cursor:
        return cursor.execute(_ORDERS + _MONEY, values).fetchall()
