"""Campaigns, their variants, links and recipients.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.guards import grants

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column(
            "audience",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("holdout", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("preset", sa.Text(), server_default="state_table", nullable=False),
        sa.Column("schedule", sa.Text(), server_default="now", nullable=False),
        sa.Column("send_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("local_at", sa.Text(), nullable=True),
        sa.Column(
            "max_lateness",
            sa.Interval(),
            server_default=sa.text("interval '30 minutes'"),
            nullable=False,
        ),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("planned", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("grace", sa.Interval(), nullable=True),
        sa.Column("paused_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resumed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("launched_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "schedule IN ('now', 'at', 'local')", name=op.f("ck_campaigns_schedule")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'planning', 'scheduled', 'running', 'paused', 'finished',"
            " 'canceled')",
            name=op.f("ck_campaigns_state"),
        ),
        sa.CheckConstraint("holdout BETWEEN 0 AND 0.5", name=op.f("ck_campaigns_holdout")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(
        "ix_campaigns_open",
        "campaigns",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('planning', 'scheduled', 'running', 'paused')"),
    )
    op.create_table(
        "links",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("campaign_id", "number", name=op.f("pk_links")),
    )
    op.create_table(
        "recipients",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("not_after", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("settled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("crashes", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("sms_segments", sa.SmallInteger(), nullable=True),
        sa.Column("carrier_sid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("delivery_rank", sa.SmallInteger(), nullable=True),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("price_micros", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'sending', 'accepted', 'rejected', 'refused', 'unknown',"
            " 'expired', 'canceled', 'holdout')",
            name=op.f("ck_recipients_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_recipients_due",
        "recipients",
        ["campaign_id", "not_before", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_recipients_in_flight",
        "recipients",
        ["subscriber_id"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_recipients_unknown",
        "recipients",
        ["claimed_at"],
        unique=False,
        postgresql_where=sa.text("state = 'unknown' AND reason IS NULL"),
    )
    op.create_index(
        "ix_recipients_subscriber",
        "recipients",
        ["subscriber_id", "claimed_at"],
        unique=False,
        postgresql_where=sa.text("claimed_at IS NOT NULL"),
    )
    op.create_index(
        "uq_recipients_campaign_id_subscriber_id",
        "recipients",
        ["campaign_id", "subscriber_id"],
        unique=True,
    )
    op.create_table(
        "variants",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "number", name=op.f("pk_variants")),
    )
    for statement in grants("campaigns", "variants", "links", "recipients"):
        op.execute(statement)
