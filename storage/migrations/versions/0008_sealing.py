"""The ledger's leaves and signed checkpoints.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import seals
from storage.ledger import Xid8

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "ledger_leaves",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_ledger_leaves")),
        sa.UniqueConstraint("event", name=op.f("uq_ledger_leaves_event")),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_ledger_nodes")),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("verifier_key", sa.Text(), nullable=False),
        sa.Column(
            "sealed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("mark_seq", sa.BigInteger(), nullable=False),
        sa.Column("mark_xid", Xid8(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoints")),
    )
    op.create_index("uq_consent_events_seq", "consent_events", ["seq"], unique=True)
    for statement in seals("ledger_leaves", "ledger_nodes", "ledger_checkpoints"):
        op.execute(statement)
