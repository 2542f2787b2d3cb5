"""What people are shown: calls to action by language and method, and what was rendered.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from storage.guards import grants, seals

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column(
            "first_shown_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "disclosure_versions",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("program_version", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column(
            "published_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["disclosures.digest"],
            name=op.f("fk_disclosure_versions_digest_disclosures"),
        ),
        sa.PrimaryKeyConstraint(
            "program", "language", "method", "version", name=op.f("pk_disclosure_versions")
        ),
    )
    op.create_table(
        "form_posts",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column(
            "used_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("assent_now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_form_posts")),
    )
    op.create_index(op.f("ix_form_posts_used_at"), "form_posts", ["used_at"], unique=False)
    op.create_table(
        "form_outcomes",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", "day", "outcome", "slot", name=op.f("pk_form_outcomes")),
    )
    for statement in seals("artifacts", "disclosure_versions"):
        op.execute(statement)
    for statement in grants("form_posts", "form_outcomes"):
        op.execute(statement)
