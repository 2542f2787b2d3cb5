"""Pools of coupons, the code that each person was given, and what Shopify delivered.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0006"
down_revision = "0005"

TABLES = ("coupon_pools", "coupons", "coupon_misses", "shopify_shops", "shopify_deliveries")


def upgrade() -> None:
    op.create_table(
        "coupon_misses",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("missed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "program", name=op.f("pk_coupon_misses")),
    )
    op.create_index(op.f("ix_coupon_misses_pool"), "coupon_misses", ["pool"], unique=False)
    op.create_table(
        "coupon_pools",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("valid_days", sa.BigInteger(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("low_water", sa.BigInteger(), server_default=sa.text("100"), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint("pool ~ '^[a-z][a-z0-9-]{0,39}$'", name=op.f("ck_coupon_pools_pool")),
        sa.CheckConstraint(
            "(amount_minor IS NULL) = (currency IS NULL)", name=op.f("ck_coupon_pools_amount")
        ),
        sa.PrimaryKeyConstraint("pool", name=op.f("pk_coupon_pools")),
    )
    op.create_table(
        "coupons",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("given_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_coupons")),
    )
    op.create_index(
        "ix_coupons_free",
        "coupons",
        ["pool", "id"],
        unique=False,
        postgresql_where=sa.text("subscriber_id IS NULL"),
    )
    op.create_index(
        "ix_coupons_given",
        "coupons",
        ["pool", "given_at", "key"],
        unique=False,
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_index(
        "uq_coupons_subscriber_id_pool",
        "coupons",
        ["subscriber_id", "pool"],
        unique=True,
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_index(
        "uq_coupons_subscriber_id_program",
        "coupons",
        ["subscriber_id", "program"],
        unique=True,
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_table(
        "shopify_deliveries",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("result", sa.Text(), server_default="taken", nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_shopify_deliveries")),
    )
    op.create_index(
        "ix_shopify_deliveries_changed",
        "shopify_deliveries",
        ["subscriber_id", "topic", "changed_at"],
        unique=False,
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    )
    op.create_index(
        "ix_shopify_deliveries_received", "shopify_deliveries", ["received_at"], unique=False
    )
    op.create_table(
        "shopify_shops",
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "domain ~ '^[a-z0-9][a-z0-9-]{0,59}\\.myshopify\\.com$'",
            name=op.f("ck_shopify_shops_domain"),
        ),
        sa.ForeignKeyConstraint(
            ["program"], ["programs.slug"], name=op.f("fk_shopify_shops_program_programs")
        ),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_shopify_shops")),
    )
    for statement in grants(*TABLES):
        op.execute(statement)
