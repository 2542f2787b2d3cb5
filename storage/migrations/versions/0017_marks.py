"""Reports and the marks of their readers know their transaction, by which webhooks out go.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

from storage.ledger import Xid8

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column(
        "delivery_reports",
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
    )
    op.add_column(
        "read_marks", sa.Column("xid", Xid8(), server_default=sa.text("'0'"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("read_marks", "xid")
    op.drop_column("delivery_reports", "xid")
