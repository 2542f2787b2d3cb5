"""Imports and what became of each row; questions that wait for their turn.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "waiting_questions",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "program", name=op.f("pk_waiting_questions")),
    )
    op.create_index(
        "ix_waiting_questions_due", "waiting_questions", ["program", "not_before"], unique=False
    )
    for statement in grants("waiting_questions"):
        op.execute(statement)
