"""Orders, refunds, and the credit for each.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "attribution_windows",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("click_seconds", sa.BigInteger(), nullable=False),
        sa.Column("delivered_seconds", sa.BigInteger(), nullable=True),
        sa.Column(
            "updated_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("program", name=op.f("pk_attribution_windows")),
    )
    op.create_table(
        "credits",
        sa.Column("order_pk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("earned_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("click_id", sa.BigInteger(), nullable=True),
        sa.Column("coupon", sa.Text(), nullable=True),
        sa.Column(
            "computed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("order_pk", name=op.f("pk_credits")),
    )
    op.create_index("ix_credits_campaign", "credits", ["campaign_id", "order_pk"], unique=False)
    op.create_table(
        "order_changes",
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('paid', 'refunded', 'canceled')", name=op.f("ck_order_changes_kind")
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_order_changes_amount")),
        sa.PrimaryKeyConstraint(
            "merchant", "order_id", "kind", "change_id", name=op.f("pk_order_changes")
        ),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("click_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("coupons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("landing_site", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_orders_currency")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_orders_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index(
        "ix_orders_click_ids", "orders", ["click_ids"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_orders_coupons", "orders", ["coupons"], unique=False, postgresql_using="gin"
    )
    op.create_index("ix_orders_ordered_at", "orders", ["ordered_at"], unique=False)
    op.create_index("ix_orders_person", "orders", ["subscriber_id", "ordered_at"], unique=False)
    op.create_index("uq_orders_merchant_order_id", "orders", ["merchant", "order_id"], unique=True)
    for statement in grants("attribution_windows", "credits", "order_changes", "orders"):
        op.execute(statement)
