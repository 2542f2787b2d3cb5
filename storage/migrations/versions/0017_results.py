"""Sums that reports read: texts, clicks, opt-outs and sales, by everything they are asked by.

What has happened before is counted from its rows.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0017"
down_revision = "0016"

_TALLIES = """
WITH counted AS (
    SELECT r.campaign_id, r.variant, coalesce(r.method, '') AS method,
           CASE WHEN w.by_hour
                THEN date_trunc('hour', coalesce(r.claimed_at, r.settled_at), 'UTC') END AS hour,
           w.what, w.why, w.n
    FROM recipients r, LATERAL (VALUES
        (false, 'plan', '', 1::bigint),
        (r.state <> 'holdout', CASE WHEN r.state NOT IN ('planned', 'sending') THEN r.state END,
         coalesce(r.reason, ''), 1),
        (true, CASE WHEN r.delivery IS NOT NULL THEN 'delivery' END,
         CASE WHEN r.delivery IN ('undelivered', 'failed') AND r.error_code IS NOT NULL
              THEN r.delivery || '.' || r.error_code ELSE r.delivery END, 1),
        (false, CASE WHEN r.state = 'accepted' THEN 'segments' END, '', r.sms_segments::bigint),
        (false, CASE WHEN r.state = 'accepted' THEN 'reported' END, '', r.price_micros),
        (false, CASE WHEN r.state = 'accepted' AND r.price_micros IS NULL THEN 'unpriced' END, '',
         1)
    ) AS w (by_hour, what, why, n)
    WHERE w.what IS NOT NULL AND w.n <> 0
), tallied AS (
    INSERT INTO tallies (campaign_id, variant, method, what, why, n)
    SELECT campaign_id, variant, method, what, why, sum(n) FROM counted GROUP BY 1, 2, 3, 4, 5
)
INSERT INTO hour_tallies (campaign_id, hour, what, n)
SELECT campaign_id, hour,
       CASE what WHEN 'delivery' THEN 'delivery.' || split_part(why, '.', 1) ELSE what END, sum(n)
FROM counted WHERE hour IS NOT NULL GROUP BY 1, 2, 3
"""
_CLICKERS = """
INSERT INTO clickers (recipient_id, campaign_id, first_at, click_id, variant, link_number, method,
                      seconds)
SELECT DISTINCT ON (c.recipient_id) c.recipient_id, c.campaign_id, c.at, c.id, c.variant,
       c.link_number, coalesce(r.method, ''),
       greatest(extract(epoch FROM c.at - coalesce(r.delivered_at, r.settled_at)), 0)::bigint
FROM clicks c JOIN recipients r ON r.id = c.recipient_id
WHERE c.label = 'human' ORDER BY c.recipient_id, c.at, c.id
"""
_LINK_CLICKERS = """
INSERT INTO link_clickers (recipient_id, link_number, campaign_id)
SELECT DISTINCT c.recipient_id, c.link_number, c.campaign_id
FROM clicks c JOIN recipients r ON r.id = c.recipient_id WHERE c.label = 'human'
"""
_CLICKS = """
WITH moves AS (
    SELECT c.campaign_id, c.variant, c.link_number, coalesce(r.method, '') AS method,
           date_trunc('hour', c.at, 'UTC') AS hour, 1 AS raw, (c.label = 'human')::int AS human,
           0 AS clickers, 0 AS link_clickers
    FROM clicks c JOIN recipients r ON r.id = c.recipient_id
    UNION ALL
    SELECT campaign_id, variant, link_number, method, date_trunc('hour', first_at, 'UTC'), 0, 0, 1,
           0
    FROM clickers
    UNION ALL
    SELECT l.campaign_id, r.variant, l.link_number, coalesce(r.method, ''), NULL, 0, 0, 0, 1
    FROM link_clickers l JOIN recipients r ON r.id = l.recipient_id
), by_link AS (
    INSERT INTO click_tallies (campaign_id, variant, link_number, method, raw, human, clickers,
                               link_clickers)
    SELECT campaign_id, variant, link_number, method, sum(raw), sum(human), sum(clickers),
           sum(link_clickers)
    FROM moves GROUP BY 1, 2, 3, 4
)
INSERT INTO click_hours (campaign_id, hour, raw, human, clickers)
SELECT campaign_id, hour, sum(raw), sum(human), sum(clickers) FROM moves
WHERE hour IS NOT NULL GROUP BY 1, 2
"""
_SALES = """
INSERT INTO sales (order_pk, program, campaign_id, variant, link_number, method, basis, currency,
                   hour, canceled, gross_minor, net_minor)
SELECT o.id, k.program, coalesce(k.campaign_id, 0), coalesce(r.variant, -1),
       coalesce(c.link_number, -1), coalesce(r.method, ''), k.basis, o.currency,
       date_trunc('hour', o.ordered_at, 'UTC'), (x.canceled_at IS NOT NULL)::int, o.amount_minor,
       CASE WHEN x.canceled_at IS NOT NULL THEN 0
            ELSE greatest(o.amount_minor - coalesce(x.refunded, 0), 0) END
FROM orders o JOIN credits k ON k.order_pk = o.id
LEFT JOIN recipients r ON r.id = k.recipient_id
LEFT JOIN clicks c ON c.id = k.click_id
LEFT JOIN LATERAL (
    SELECT sum(e.amount_minor) FILTER (WHERE e.kind = 'refunded') AS refunded,
           min(e.at) FILTER (WHERE e.kind = 'canceled') AS canceled_at
    FROM order_changes e WHERE e.merchant = o.merchant AND e.order_id = o.order_id
) x ON true
"""
_SALE_TALLIES = """
INSERT INTO sale_tallies (campaign_id, program, variant, link_number, method, basis, currency,
                          orders, canceled, gross_minor, net_minor)
SELECT campaign_id, program, variant, link_number, method, basis, currency, count(*),
       sum(canceled), sum(gross_minor), sum(net_minor)
FROM sales GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


def upgrade() -> None:
    _texts()
    _clicks()
    _sales()
    op.create_index(
        "ix_consent_events_recorded_at",
        "consent_events",
        ["recorded_at"],
        unique=False,
        postgresql_using="brin",
    )
    tables = ("click_hours", "hour_tallies", "link_clickers", "optouts", "sale_tallies", "sales")
    for statement in grants(*tables):
        op.execute(statement)
    filled = (_TALLIES, _CLICKERS, _LINK_CLICKERS, _CLICKS, _SALES, _SALE_TALLIES)
    for statement in filled:
        op.execute(statement)


def _texts() -> None:
    op.execute("ALTER TABLE recipients ADD expected_micros bigint, ADD method text")
    op.execute("DELETE FROM tallies")
    op.execute("ALTER TABLE tallies ADD variant smallint NOT NULL, ADD method text NOT NULL")
    op.execute("ALTER TABLE tallies DROP CONSTRAINT pk_tallies")
    op.execute(
        "ALTER TABLE tallies ADD CONSTRAINT pk_tallies"
        " PRIMARY KEY (campaign_id, variant, method, what, why)"
    )
    op.create_table(
        "hour_tallies",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "hour", "what", name=op.f("pk_hour_tallies")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "optouts",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("programs", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("variant", sa.SmallInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "at", name=op.f("pk_optouts")),
    )
    op.create_index(
        "ix_optouts_open", "optouts", ["at"], unique=False, postgresql_where=sa.text("open")
    )
    op.create_index(
        "uq_optouts_recipient_id",
        "optouts",
        ["recipient_id"],
        unique=True,
        postgresql_where=sa.text("recipient_id IS NOT NULL"),
    )


def _clicks() -> None:
    op.drop_table("click_tallies")
    op.execute("DELETE FROM clickers")
    op.execute(
        "ALTER TABLE clickers ADD click_id bigint NOT NULL, ADD variant smallint NOT NULL,"
        " ADD link_number smallint NOT NULL, ADD method text NOT NULL, ADD seconds bigint"
    )
    op.create_index("ix_clickers_campaign", "clickers", ["campaign_id", "seconds"], unique=False)
    op.create_table(
        "link_clickers",
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient_id", "link_number", name=op.f("pk_link_clickers")),
    )
    op.create_table(
        "click_tallies",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("link_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("raw", sa.BigInteger(), nullable=False),
        sa.Column("human", sa.BigInteger(), nullable=False),
        sa.Column("clickers", sa.BigInteger(), nullable=False),
        sa.Column("link_clickers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign_id", "variant", "link_number", "method", name=op.f("pk_click_tallies")
        ),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "click_hours",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("raw", sa.BigInteger(), nullable=False),
        sa.Column("human", sa.BigInteger(), nullable=False),
        sa.Column("clickers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "hour", name=op.f("pk_click_hours")),
        postgresql_with={"fillfactor": 50},
    )
    for statement in grants("click_tallies"):
        op.execute(statement)


def _sales() -> None:
    op.create_table(
        "sales",
        sa.Column("order_pk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("link_number", sa.SmallInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("canceled", sa.SmallInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_pk", name=op.f("pk_sales")),
    )
    op.create_index("ix_sales_campaign", "sales", ["campaign_id", "hour"], unique=False)
    key = ("campaign_id", "program", "variant", "link_number", "method", "basis", "currency")
    op.create_table(
        "sale_tallies",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("variant", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("link_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in key[4:]),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("orders", "canceled", "gross_minor", "net_minor")
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_sale_tallies")),
        postgresql_with={"fillfactor": 50},
    )
