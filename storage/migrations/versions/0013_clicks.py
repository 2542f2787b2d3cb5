"""Clicks on links.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.guards import grants

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "click_agents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_click_agents")),
        sa.UniqueConstraint("agent", name=op.f("uq_click_agents_agent")),
    )
    op.create_table(
        "clicks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("link_number", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.SmallInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("label_version", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clicks")),
    )
    op.create_index("ix_clicks_address", "clicks", ["address_key", "at"], unique=False)
    op.create_index("ix_clicks_campaign", "clicks", ["campaign_id", "at"], unique=False)
    op.create_index(
        "ix_clicks_person",
        "clicks",
        ["subscriber_id", "at"],
        unique=False,
        postgresql_where=sa.text("label = 'human'"),
    )
    op.create_index("ix_clicks_recipient", "clicks", ["recipient_id", "at"], unique=False)
    op.create_table(
        "click_tallies",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("link_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("raw", sa.BigInteger(), nullable=False),
        sa.Column("human", sa.BigInteger(), nullable=False),
        sa.Column("clickers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign_id", "variant", "link_number", "hour", name=op.f("pk_click_tallies")
        ),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "clickers",
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("recipient_id", name=op.f("pk_clickers")),
    )
    for statement in grants("click_agents", "click_tallies", "clickers", "clicks"):
        op.execute(statement)
