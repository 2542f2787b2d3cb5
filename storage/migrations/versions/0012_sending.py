"""Status callbacks, paces of senders, the instance and its switches.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants, seals

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "deactivation_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "read_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("numbers", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_deactivation_days")),
    )
    op.create_table(
        "reassigned_checks",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alive_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "answered_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "answer IN ('yes', 'no', 'no_data')", name=op.f("ck_reassigned_checks_answer")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_reassigned_checks")),
    )
    op.create_table(
        "delivery_reports",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.BigInteger(), nullable=True),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("sid", "status", name=op.f("pk_delivery_reports")),
    )
    op.create_index("ix_delivery_reports_order", "delivery_reports", ["seq"], unique=False)
    op.create_table(
        "instance",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("held_since", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column(
            "changed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_instance_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_table(
        "heard",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("found", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("found_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_heard_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heard")),
    )
    op.create_table(
        "presences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_presences")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "number_strikes",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("code", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "sid", name=op.f("pk_number_strikes")),
    )
    op.create_table(
        "races",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("waited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_races")),
    )
    op.create_table(
        "read_marks",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_read_marks")),
    )
    op.create_table(
        "sender_paces",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column(
            "at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("resume_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_sender_paces")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("on_since", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column(
            "changed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("probe_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("name IN ('kill', 'breaker')", name=op.f("ck_switches_name")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "tallies",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "what", "why", name=op.f("pk_tallies")),
        postgresql_with={"fillfactor": 50},
    )
    for column in (
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("requeued_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("delivery_rank", sa.SmallInteger(), nullable=True),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True), nullable=True),
    ):
        op.add_column("messages", column)
    op.add_column(
        "subscribers", sa.Column("reachability_at", sa.TIMESTAMP(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_subscribers_unreached",
        "subscribers",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "reachability IN ('doubtful', 'unreachable', 'invalid', 'deactivated')"
        ),
    )
    op.add_column("inbound_texts", sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "ix_messages_unknown",
        "messages",
        ["claimed_at"],
        unique=False,
        postgresql_where=sa.text("state = 'unknown' AND error_code IS NULL"),
    )
    op.execute("INSERT INTO instance (id, epoch) VALUES (1, 1)")
    op.execute("INSERT INTO switches (name) VALUES ('kill'), ('breaker')")
    op.execute("INSERT INTO heard (id) VALUES (1)")
    for statement in grants("deactivation_days", "heard", "presences", "reassigned_checks"):
        op.execute(statement)
    op.execute("REVOKE INSERT, DELETE ON heard FROM assent_app")
    tables = ("instance", "number_strikes", "read_marks", "sender_paces", "switches", "tallies")
    for statement in grants("delivery_reports", *tables):
        op.execute(statement)
    op.execute("REVOKE UPDATE ON delivery_reports FROM assent_app")
    op.execute("REVOKE INSERT, DELETE ON instance, switches FROM assent_app")
    for statement in seals("races"):
        op.execute(statement)
