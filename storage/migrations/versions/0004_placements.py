"""Placements of posters and links, and the scans of their codes.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.guards import grants, seals

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "placements",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column(
            "wording",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "delivered",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.Column("retired_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('poster', 'link')", name=op.f("ck_placements_channel")),
        sa.ForeignKeyConstraint(
            ["program"], ["programs.slug"], name=op.f("fk_placements_program_programs")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_placements")),
    )
    op.create_index(op.f("ix_placements_program"), "placements", ["program"])
    op.create_table(
        "posters",
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), nullable=True),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("disclosure", sa.Text(), nullable=False),
        sa.Column("artwork", sa.Text(), nullable=False),
        sa.Column(
            "delivered_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("design", name=op.f("pk_posters")),
    )
    op.create_index(op.f("ix_posters_placement"), "posters", ["placement"])
    op.create_table(
        "scans",
        sa.Column("placement", sa.Text(), nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("scans", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["placement"], ["placements.code"], name=op.f("fk_scans_placement_placements")
        ),
        sa.PrimaryKeyConstraint("placement", "hour", name=op.f("pk_scans")),
    )
    op.add_column("consent_events", sa.Column("placement", sa.Text(), nullable=True))
    op.create_index(
        "ix_consent_events_placement",
        "consent_events",
        ["placement"],
        postgresql_where=sa.text("placement IS NOT NULL"),
    )
    for statement in (*grants("placements", "scans"), *seals("posters")):
        op.execute(statement)
