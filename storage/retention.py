"""What is older than it may be: counted, and let go of in batches; nothing under a legal hold.

How long each lasts is data (``worker/data/retention.toml``); here is only which rows a rule is
about. The periods are counted by the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from storage.database import Connection
from storage.holds import HELD
from storage.transaction import atomic

PEOPLE: Final = "people"
_TIMEOUT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows ``t`` of a table that are due; ``change`` is what is set in them, empty to delete them.

    ``personal``: they belong to a subscriber, whose legal hold keeps them.
    """

    table: str
    due: str
    change: str = ""
    personal: bool = True

    @property
    def act(self) -> str:
        """The statement up to its condition."""
        if self.change:
            return f"UPDATE {self.table} SET {self.change}"  # noqa: S608
        return f"DELETE FROM {self.table}"  # noqa: S608

    @property
    def where(self) -> str:
        """The condition, with ``%(kept)s`` for how long rows are kept."""
        held = f" AND NOT {HELD.format(person='t.subscriber_id')}" if self.personal else ""
        return f"{self.table} t WHERE {self.due}{held}"


_CLOSED: Final = "(t.review IS NULL OR t.resolved_at IS NOT NULL)"
ROWS: Final[Mapping[str, Rows]] = MappingProxyType(
    {
        "inbound_raw": Rows(
            "inbound_texts",
            f"octet_length(t.raw) > 0 AND t.received_at < assent_now() - %(kept)s AND {_CLOSED}",
            "raw = ''",
        ),
        "inbound_words": Rows(
            "inbound_texts",
            "t.reading ->> 'signal' = 'not_understood' AND t.body <> ''"
            f" AND t.received_at < assent_now() - %(kept)s AND {_CLOSED}",
            "body = '', note = NULL",
        ),
        "clicks": Rows(
            "clicks",
            "t.agent_id IS NOT NULL AND t.at < assent_now() - %(kept)s",
            "agent_id = NULL, address = NULL, address_key = NULL, headers = NULL",
        ),
        "answers": Rows(
            "idempotent_answers", "t.created_at < assent_now() - %(kept)s", personal=False
        ),
        "webhook_deliveries": Rows(
            "webhook_deliveries",
            "t.state <> 'pending' AND t.created_at < assent_now() - %(kept)s",
        ),
        "shopify": Rows("shopify_deliveries", "t.received_at < assent_now() - %(kept)s"),
    }
)
# Nobody who gets texts, is asked, or was heard of since. The newest trace of somebody is looked for
# by the indexes that there are; people who came lately are passed over by their own row.
_PEOPLE: Final = f"""
FROM subscribers s
WHERE s.created_at < assent_now() - %(kept)s
  AND NOT EXISTS (SELECT FROM subscriptions t WHERE t.subscriber_id = s.id
                  AND t.state IN ('subscribed', 'paused', 'pending'))
  AND NOT EXISTS (SELECT FROM erasures e WHERE e.subscriber_id = s.id)
  AND NOT EXISTS (SELECT FROM messages m WHERE m.subscriber_id = s.id
                  AND m.created_at >= assent_now() - %(kept)s)
  AND NOT EXISTS (SELECT FROM inbound_texts i WHERE i.subscriber_id = s.id
                  AND i.received_at >= assent_now() - %(kept)s)
  AND NOT EXISTS (SELECT FROM recipients r WHERE r.subscriber_id = s.id
                  AND r.claimed_at >= assent_now() - %(kept)s)
  AND NOT EXISTS (SELECT FROM consent_events c WHERE c.subject = s.ref
                  AND c.recorded_at >= assent_now() - %(kept)s)
  AND NOT {HELD.format(person="s.id")}
"""  # noqa: S608 - a part of a statement, which is our own


def due(connection: Connection, rule: str, kept: timedelta) -> int:
    """How many rows (people, for :data:`PEOPLE`) a rule would let go of now."""
    counted = _PEOPLE if rule == PEOPLE else f"FROM {ROWS[rule].where}"
    with atomic(connection):
        connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
        ((count,),) = connection.execute(f"SELECT count(*) {counted}", {"kept": kept}).fetchall()
    return int(count)


def let_go(connection: Connection, rule: str, kept: timedelta, limit: int) -> int:
    """Let go of one batch of rows, in a transaction of its own; answers how many."""
    rows = ROWS[rule]
    statement = f"""
        {rows.act} WHERE ctid = ANY(ARRAY(
            SELECT t.ctid FROM {rows.where} LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED))
    """  # noqa: S608 - constants of this module
    with atomic(connection):
        connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
        return connection.execute(statement, {"kept": kept, "limit": limit}).rowcount


def people(connection: Connection, kept: timedelta, limit: int) -> Sequence[str]:
    """The numbers of people of whom nothing was heard for so long."""
    with atomic(connection):
        connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
        statement = f"SELECT s.phone {_PEOPLE} ORDER BY s.id LIMIT %(limit)s"
        rows = connection.execute(statement, {"kept": kept, "limit": limit})
        return [phone for (phone,) in rows]
