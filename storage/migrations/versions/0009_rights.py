"""Erasure, legal holds and retention.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants

revision = "0009"
down_revision = "0008"

# The application may not delete evidence. This function may, as the owner, and only behind an entry
# of the same transaction that says so; never under a legal hold.
DESTROY = """
CREATE FUNCTION destroy_evidence(person uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    upto bigint;
BEGIN
    SELECT max(n) INTO upto FROM consent_events
    WHERE subject = person AND change = 'evidence_destroyed' AND xid = pg_current_xact_id();
    IF upto IS NULL THEN
        RAISE EXCEPTION 'evidence is destroyed only behind an entry that says so'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM legal_holds h JOIN subscribers s ON s.id = h.subscriber_id
               WHERE s.ref = person AND h.lifted_at IS NULL
                 AND (h.until IS NULL OR h.until > assent_now())) THEN
        RAISE EXCEPTION 'a legal hold forbids to destroy this evidence'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY DELETE FROM consent_evidence v USING consent_events e
        WHERE e.event = v.event AND e.subject = person AND e.n < upto RETURNING v.event;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column(
            "requested_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("done_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ground IN ('request', 'unlawful', 'reassigned', 'retention')",
            name=op.f("ck_erasures_ground"),
        ),
        sa.CheckConstraint(
            "(done_at IS NULL) = (receipt IS NULL)", name=op.f("ck_erasures_receipt")
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_erasures")),
    )
    op.create_index(
        "ix_erasures_waiting",
        "erasures",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("uq_erasures_subscriber_id", "erasures", ["subscriber_id"], unique=True)
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column(
            "set_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(
        "ix_legal_holds_open",
        "legal_holds",
        ["subscriber_id"],
        unique=False,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    for statement in grants("erasures", "legal_holds"):
        op.execute(statement)
    # What is held or was asked stays known.
    op.execute("REVOKE DELETE ON erasures, legal_holds FROM assent_app")
    op.execute(DESTROY)
    op.execute("REVOKE ALL ON FUNCTION destroy_evidence(uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION destroy_evidence(uuid) TO assent_app")
