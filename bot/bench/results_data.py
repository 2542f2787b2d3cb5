"""Ten million events of campaigns, made by the server itself, and the sums that reports read.

One campaign to a quarter of all texts, the rest in small ones. Texts, reports, hits, orders and
opt-outs are rows as the service writes them; sums of texts are made by one statement here, those of
clicks and orders by the service's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from storage import click_tallies, sales
from storage.database import Connection
from storage.transaction import atomic

# What a text of the bench brings: itself, a report, a hit of a preview for one in three, ….
EVENTS_A_TEXT: Final = 2.5
SMALL: Final = 10_000
_BATCH: Final = 50_000

_CAMPAIGNS: Final = """
INSERT INTO campaigns (name, program, sender, state, created_by, planned, starts_at, launched_at,
                       finished_at)
SELECT 'campaign ' || i, 'deals', '54321', 'finished', 'bench', 0, at, at, at
FROM (SELECT i, assent_now() - make_interval(hours => i + 24) AS at
      FROM generate_series(1, %s::int) i) c RETURNING id
"""
_LINKS: Final = """
INSERT INTO links (campaign_id, number, variant, destination)
SELECT c.id, v, v, 'https://acme.example/sale' FROM campaigns c, generate_series(0, 1) v
"""
_TEXTS: Final = """
INSERT INTO recipients (campaign_id, subscriber_id, variant, state, reason, claimed_at, settled_at,
                        delivered_at, delivery, delivery_rank, error_code, sms_segments,
                        expected_micros, method)
SELECT c.id, s, s %% 2, CASE WHEN s %% 53 = 0 THEN 'refused' ELSE 'accepted' END,
       CASE WHEN s %% 53 = 0 THEN 'policy.capped' END, CASE WHEN s %% 53 <> 0 THEN t.at END, t.at,
       CASE WHEN s %% 53 <> 0 AND s %% 31 <> 0 THEN t.at + interval '3 seconds' END,
       CASE WHEN s %% 53 = 0 THEN NULL WHEN s %% 31 = 0 THEN 'undelivered' ELSE 'delivered' END, 4,
       CASE WHEN s %% 53 <> 0 AND s %% 31 = 0 THEN '30003' END, 1, 12300,
       (ARRAY['sms_keyword', 'web_form', 'checkout'])[s %% 3 + 1]
FROM campaigns c, generate_series(%(first)s::bigint, %(last)s::bigint) s,
     LATERAL (SELECT c.launched_at + make_interval(secs => s %% 7200) AS at) t
WHERE c.id = %(campaign)s
"""
# Previews of one in three, taps of one in twelve, half of whom tap twice.
_CLICKS: Final = """
INSERT INTO clicks (id, recipient_id, link_number, campaign_id, variant, subscriber_id, at, method,
                    label, label_version)
SELECT row_number() OVER (ORDER BY r.id, k.n), r.id, r.variant, r.campaign_id, r.variant,
       r.subscriber_id, r.delivered_at + make_interval(secs => k.after + r.id %% 3600), 'GET',
       k.label, 'bench'
FROM recipients r JOIN (VALUES (1, 3, 0, 1, 'agent.preview.imessage'), (2, 12, 0, 40, 'human'),
                               (3, 24, 0, 90, 'human')) AS k (n, every, rest, after, label)
     ON r.subscriber_id %% k.every = k.rest
WHERE r.delivery = 'delivered'
"""
_ORDERS: Final = """
INSERT INTO orders (merchant, order_id, ordered_at, amount_minor, currency, subscriber_id,
                    click_ids, coupons, source)
SELECT 'acme', c.id::text, c.at + interval '1 hour', 1000 + c.id %% 5000, 'USD', c.subscriber_id,
       ARRAY[c.id], '{}', 'bench'
FROM clicks c WHERE c.label = 'human' AND c.subscriber_id %% 24 = 0
  AND c.at = (SELECT max(at) FROM clicks l WHERE l.recipient_id = c.recipient_id)
"""
_CREDITS: Final = """
INSERT INTO credits (order_pk, basis, program, campaign_id, recipient_id, earned_at, rule, version,
                     click_id)
SELECT o.id, 'click', 'deals', c.campaign_id, c.recipient_id, c.at, 'click.last.order', 'bench',
       c.id
FROM orders o JOIN clicks c ON c.id = o.click_ids[1]
"""
_CHANGES: Final = """
INSERT INTO order_changes (merchant, order_id, kind, change_id, amount_minor, at, source)
SELECT merchant, order_id, CASE WHEN id %% 20 = 0 THEN 'canceled' ELSE 'refunded' END, '1', 500,
       ordered_at, 'bench' FROM orders WHERE id %% 10 = 0
"""
_OPTOUTS: Final = """
INSERT INTO optouts (subscriber_id, at, programs, recipient_id, campaign_id, variant, method, hour,
                     open)
SELECT subscriber_id, claimed_at + interval '1 hour', '{deals}', id, campaign_id, variant, method,
       date_trunc('hour', claimed_at), false
FROM recipients WHERE state = 'accepted' AND subscriber_id %% 200 = 0
"""
_TALLIES: Final = """
INSERT INTO tallies (campaign_id, variant, method, what, why, n)
SELECT campaign_id, variant, method, w.what, w.why, sum(w.n)
FROM (SELECT campaign_id, variant, method, state, coalesce(reason, '') AS reason, delivery,
             error_code, count(*) AS n, sum(sms_segments) AS segments,
             sum(expected_micros) AS micros
      FROM recipients GROUP BY 1, 2, 3, 4, 5, 6, 7) r,
     LATERAL (VALUES ('plan', '', n), (state, reason, n),
         ('delivery', concat_ws('.', delivery, error_code),
          CASE WHEN delivery IS NOT NULL THEN n END),
         ('segments', '', CASE WHEN state = 'accepted' THEN segments END),
         ('expected', '', CASE WHEN state = 'accepted' THEN micros END)) AS w (what, why, n)
WHERE w.n > 0 GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT campaign_id, variant, method, 'optout', '', count(*) FROM optouts GROUP BY 1, 2, 3
"""
_HOURS: Final = """
INSERT INTO hour_tallies (campaign_id, hour, what, n)
SELECT campaign_id, date_trunc('hour', coalesce(claimed_at, settled_at)), state, count(*)
FROM recipients GROUP BY 1, 2, 3
UNION ALL
SELECT campaign_id, date_trunc('hour', claimed_at), 'delivery.' || delivery, count(*)
FROM recipients WHERE delivery IS NOT NULL GROUP BY 1, 2, delivery
"""
_PLANNED: Final = """
UPDATE campaigns c SET planned = p.n
FROM (SELECT campaign_id, sum(n) AS n FROM tallies WHERE what = 'plan' GROUP BY 1) p
WHERE p.campaign_id = c.id
"""
_COUNTED: Final = """
SELECT (SELECT count(*) FROM recipients) + (SELECT count(delivery) FROM recipients)
       + (SELECT count(*) FROM clicks) + (SELECT count(*) FROM orders)
       + (SELECT count(*) FROM order_changes) + (SELECT count(*) FROM optouts)
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the largest campaign, how many there are, and how many events in all."""

    largest: int
    campaigns: int
    events: int


def make(url: str, events: int, say: Say) -> Made:
    """Fill a migrated shop with about so many events. Its people must be there."""
    texts = int(events / EVENTS_A_TEXT)
    with psycopg.connect(url, autocommit=True) as connection:
        numbers = _texts(connection, texts, say)
        say("Hits, orders and opt-outs …")
        for statement in (_CLICKS, "ANALYZE clicks", _ORDERS, _CREDITS, _CHANGES, _OPTOUTS):
            connection.execute(statement.replace("%%", "%"))
        say("Sums …")
        _sums(connection, numbers)
        connection.execute("VACUUM ANALYZE")
        ((count,),) = connection.execute(_COUNTED).fetchall()
    return Made(numbers[0], len(numbers), count)


def _texts(connection: Connection, texts: int, say: Say) -> Sequence[int]:
    largest = texts // 4
    small = min(SMALL, max(largest // 10, 1))
    many = (texts - largest) // small
    rows = connection.execute(_CAMPAIGNS, (many + 1,)).fetchall()
    numbers = sorted(number for (number,) in rows)
    connection.execute(_LINKS)
    ((first,),) = connection.execute("SELECT min(id) FROM subscribers").fetchall()
    say(f"{texts:,} texts of {len(numbers)} campaigns …")
    for index, number in enumerate(numbers):
        start = first if index == 0 else first + (index - 1) * small % (largest - small + 1)
        last = start + (largest if index == 0 else small) - 1
        connection.execute(_TEXTS, {"campaign": number, "first": start, "last": last})
    return numbers


def _sums(connection: Connection, numbers: Sequence[int]) -> None:
    with atomic(connection):
        click_tallies.rebuild(connection, numbers)
    rows = connection.execute("SELECT id FROM orders ORDER BY id").fetchall()
    orders = [key for (key,) in rows]
    for start in range(0, len(orders), _BATCH):
        with atomic(connection):
            sales.count(connection, orders[start : start + _BATCH])
    for statement in (_TALLIES, _HOURS, _PLANNED):
        connection.execute(statement)
