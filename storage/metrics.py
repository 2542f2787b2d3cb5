"""What the database knows of how the service is doing, read in one statement for one scrape.

Each row of the answer is a sample: a name of ``bot.metric_names`` without its prefix, at most one
label, a value. Everything is read by a partial index, from a small table or from counts that are
kept up anyway, so that a scrape costs milliseconds whatever the size of the shop. No label is a
number, a SID or a campaign's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from storage import sealing
from storage.campaigns import RecipientState
from storage.database import Connection

_AGE: Final = "extract(epoch FROM (SELECT assent_now()) - {})"
_FINAL: Final = ", ".join(
    repr(str(s))
    for s in RecipientState
    if s not in (RecipientState.PLANNED, RecipientState.SENDING)
)
_OPEN: Final = "c.state IN ('planning', 'scheduled', 'running', 'paused')"
# Entries of the ledger are counted up to here; what matters is that there are many.
_MOST: Final = 10_000
# Of the newest reports, how long texts lay with the carrier before it sent them.
_NEWEST: Final = 500

# For each name a query that answers (label, value).
QUERIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "send_state": f"""
            SELECT 'planned', (
                SELECT coalesce(sum(c.planned), 0) FROM campaigns c WHERE {_OPEN}) - (
                SELECT coalesce(sum(t.n), 0) FROM campaigns c
                JOIN tallies t ON t.campaign_id = c.id AND t.what IN ({_FINAL}) WHERE {_OPEN}) - (
                SELECT count(*) FROM recipients WHERE state = 'sending')
            UNION ALL SELECT 'sending', (
                SELECT count(*) FROM recipients WHERE state = 'sending') + (
                SELECT count(*) FROM messages WHERE state = 'sending')
            UNION ALL SELECT 'queued', count(*) FROM messages WHERE state = 'queued'
            UNION ALL SELECT 'unknown', (
                SELECT count(*) FROM recipients WHERE state = 'unknown' AND reason IS NULL) + (
                SELECT count(*) FROM messages WHERE state = 'unknown' AND error_code IS NULL)
            """,  # noqa: S608 - constants of this module, as below
        "send_unknown_oldest_seconds": f"""
            SELECT NULL, coalesce({_AGE.format("min(at)")}, 0) FROM (
                SELECT min(claimed_at) AS at FROM recipients
                WHERE state = 'unknown' AND reason IS NULL
                UNION ALL SELECT min(claimed_at) FROM messages
                WHERE state = 'unknown' AND error_code IS NULL) x
            """,  # noqa: S608
        "lease_oldest_seconds": f"""
            SELECT 'campaign', coalesce({_AGE.format("min(claimed_at)")}, 0)
            FROM recipients WHERE state = 'sending'
            UNION ALL SELECT 'message', coalesce({_AGE.format("min(claimed_at)")}, 0)
            FROM messages WHERE state = 'sending'
            """,  # noqa: S608
        "outbox_depth": """
            SELECT NULL, count(*) FROM messages
            WHERE state = 'queued' AND not_before <= (SELECT assent_now())
            """,
        "outbox_oldest_seconds": f"""
            SELECT NULL, coalesce({_AGE.format("min(not_before)")}, 0) FROM messages
            WHERE state = 'queued' AND not_before <= (SELECT assent_now())
            """,  # noqa: S608
        "webhook_pending": "SELECT NULL, count(*) FROM webhook_deliveries WHERE state = 'pending'",
        "send_blocked_total": """
            SELECT coalesce(nullif(why, ''), what) AS reason, sum(n) FROM tallies
            WHERE what IN ('refused', 'expired') GROUP BY 1
            """,
        "races_total": """
            SELECT CASE WHEN waited THEN 'yes' ELSE 'no' END, count(*) FROM races GROUP BY 1
            """,
        "optout_unclear_open": """
            SELECT NULL, count(*) FROM inbound_texts
            WHERE review = 'unclear_stop' AND resolved_at IS NULL
            """,
        "optout_unclear_oldest_seconds": f"""
            SELECT NULL, coalesce({_AGE.format("min(received_at)")}, 0) FROM inbound_texts
            WHERE review = 'unclear_stop' AND resolved_at IS NULL
            """,  # noqa: S608
        "carrier_breaker_open": """
            SELECT NULL, count(*) FROM switches WHERE name = 'breaker' AND on_since IS NOT NULL
            """,
        "kill_switch_on": """
            SELECT NULL, count(*) FROM switches WHERE name = 'kill' AND on_since IS NOT NULL
            """,
        "carrier_queue_seconds_estimate": f"""
            SELECT NULL, coalesce(avg(greatest(extract(epoch FROM d.at - r.settled_at), 0)), 0)
            FROM (SELECT recipient_id, status, at FROM delivery_reports
                  ORDER BY seq DESC LIMIT {_NEWEST}) d
            JOIN recipients r ON r.id = d.recipient_id
            WHERE d.status = 'sent' AND d.at > (SELECT assent_now()) - interval '10 minutes'
            """,  # noqa: S608
        # The presences and the log of inbound texts are kept by the machine's own clock.
        "sweeper_last_success_timestamp_seconds": """
            SELECT NULL, extract(epoch FROM seen_at) FROM presences WHERE name = 'ticker'
            """,
        "web_last_seen_timestamp_seconds": """
            SELECT NULL, extract(epoch FROM seen_at) FROM presences WHERE name = 'web'
            """,
        "reconcile_missing_inbound_total": "SELECT NULL, found FROM heard",
        "reconcile_last_success_timestamp_seconds": """
            SELECT NULL, extract(epoch FROM until) FROM heard WHERE until IS NOT NULL
            """,
        "ledger_leaf_count": "SELECT NULL, coalesce(max(leaf) + 1, 0) FROM ledger_leaves",
        "ledger_verify_ok": "SELECT NULL, ok::int FROM checks WHERE name = 'ledger'",
        "ledger_verify_last_success_timestamp_seconds": """
            SELECT NULL, extract(epoch FROM well_at) FROM checks
            WHERE name = 'ledger' AND well_at IS NOT NULL
            """,
        "optin_conversion_ratio": """
            SELECT NULL, avg(confirmed::int) FROM form_asks
            WHERE asked_at BETWEEN (SELECT assent_now()) - interval '1 day'
                               AND (SELECT assent_now()) - interval '1 hour'
            HAVING count(*) > 0
            """,
        "form_total": "SELECT outcome, sum(count) FROM form_outcomes GROUP BY outcome",
        "click_total": """
            SELECT kind, n FROM (SELECT coalesce(sum(human), 0) AS human,
                                        coalesce(sum(raw - human), 0) AS machine FROM click_tallies)
            AS t CROSS JOIN LATERAL (VALUES ('human', t.human), ('machine', t.machine)) v (kind, n)
            """,
        "instance_epoch": "SELECT NULL, epoch FROM instance",
        "instance_held": "SELECT NULL, (held_since IS NOT NULL)::int FROM instance",
    }
)
_ALL: Final = " UNION ALL ".join(
    f"SELECT '{name}', q.label::text, q.value::float8 FROM ({query}) AS q (label, value)"  # noqa: S608
    for name, query in QUERIES.items()
)
# Of campaigns' texts: what is over and stays so. What is unknown may still become something else.
_ENDED: Final = """
SELECT what, why, sum(n)::bigint FROM tallies
WHERE what IN ('accepted', 'rejected', 'expired', 'refused', 'canceled', 'delivery')
GROUP BY what, why
"""
_CLOCK: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; ``label`` is None where it has none."""

    name: str
    label: str | None
    value: float


@dataclass(frozen=True, slots=True)
class Ended:
    """``n`` texts of campaigns are ``what``, for the reason ``why`` (see ``storage.tallies``)."""

    what: str
    why: str
    n: int


def samples(connection: Connection) -> list[Sample]:
    """Everything that is one number, or one for each value of one label."""
    found = [Sample(*row) for row in connection.execute(_ALL)]
    waiting = sealing.waiting(connection, _MOST)
    oldest = waiting.oldest.total_seconds() if waiting.oldest else 0.0
    return [
        *found,
        Sample("ledger_unsealed_entries", None, waiting.entries),
        Sample("ledger_unsealed_oldest_seconds", None, oldest),
    ]


def ended(connection: Connection) -> list[Ended]:
    """How campaigns' texts ended, by reason."""
    return [Ended(*row) for row in connection.execute(_ENDED)]


def clock(connection: Connection) -> float:
    """The database machine's clock, in seconds since 1970."""
    ((seconds,),) = connection.execute(_CLOCK).fetchall()
    return float(seconds)
