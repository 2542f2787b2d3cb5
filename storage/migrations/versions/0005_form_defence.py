"""Budgets and breakers that keep forms from being used against people.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "form_asks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column(
            "asked_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_asks")),
    )
    op.create_index(op.f("ix_form_asks_asked_at"), "form_asks", ["asked_at"], unique=False)
    op.create_index(
        "ix_form_asks_subscriber", "form_asks", ["subscriber_id", "program"], unique=False
    )
    op.create_table(
        "form_breakers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("trips", sa.BigInteger(), nullable=False),
        sa.Column("probes", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column(
            "changed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_form_breakers")),
    )
    op.create_table(
        "form_counters",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "width", "bucket", name=op.f("pk_form_counters")),
    )
    op.create_index(
        op.f("ix_form_counters_expires_at"), "form_counters", ["expires_at"], unique=False
    )
    for statement in grants("form_asks", "form_breakers", "form_counters"):
        op.execute(statement)
