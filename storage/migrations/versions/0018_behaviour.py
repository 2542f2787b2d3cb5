"""Bands of customers, what programs do about people who never react, and meters.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.guards import grants, seals

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "rfm_bands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column(
            "computed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("recency", sa.ARRAY(sa.TIMESTAMP(timezone=True)), nullable=False),
        sa.Column("frequency", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("money", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rfm_bands")),
    )
    op.create_index("ix_rfm_bands_program", "rfm_bands", ["program", "computed_at"], unique=False)
    op.create_table(
        "sunset_rules",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("texts", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "updated_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("ran_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("days BETWEEN 30 AND 3660", name=op.f("ck_sunset_rules_days")),
        sa.CheckConstraint("texts >= 1", name=op.f("ck_sunset_rules_texts")),
        sa.PrimaryKeyConstraint("program", name=op.f("pk_sunset_rules")),
    )
    op.create_table(
        "checks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column(
            "at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("well_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_checks")),
    )
    op.create_table(
        "meters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("n", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", "part", name=op.f("pk_meters")),
        postgresql_with={"fillfactor": 50},
    )
    for statement in (*seals("rfm_bands"), *grants("sunset_rules", "checks", "meters")):
        op.execute(statement)
