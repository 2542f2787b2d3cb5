"""The conversation: catalogue, people, texts, messages, the consent ledger and its guards.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.ledger import Xid8

revision = "0001"
down_revision = None


# Tables that nobody alters: the application may only add to them, and triggers that fire always
# (even under session_replication_role = replica) refuse everyone else who tries by accident.
SEALED = ("consent_events", "disclosures", "program_versions", "audit_log", "ledger_log")

GUARDS = [
    # Roles belong to the whole cluster: another database may have made this one already, or be
    # making it at this moment. Somebody without CREATEROLE may have it made beforehand.
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'assent_app') THEN
            CREATE ROLE assent_app NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$
    """,
    """
    DO $$ BEGIN
        IF NOT pg_has_role(current_user, 'assent_app', 'MEMBER') THEN
            EXECUTE format('GRANT assent_app TO %I', current_user);
        END IF;
    EXCEPTION WHEN unique_violation OR object_in_use OR internal_error THEN NULL;
    END $$
    """,
    "GRANT USAGE ON SCHEMA public TO assent_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO assent_app",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO assent_app",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version, ledger_log FROM assent_app",
    "REVOKE UPDATE, DELETE ON consent_evidence FROM assent_app",
    *(f"REVOKE UPDATE, DELETE ON {table} FROM assent_app" for table in SEALED),
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
        for table in SEALED
    ),
    *(
        f"""
        CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in SEALED
    ),
    # Evidence may be destroyed when a person is erased, never altered.
    """
    CREATE TRIGGER never_altered BEFORE UPDATE ON consent_evidence
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    *(
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"
        for table in SEALED
        for trigger in ("append_only_rows", "append_only_table")
    ),
    "ALTER TABLE consent_evidence ENABLE ALWAYS TRIGGER never_altered",
]


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "catalogue",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalogue_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue")),
    )
    op.create_table(
        "consent_events",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("message_sid", sa.Text(), nullable=True),
        sa.Column("evidence_digest", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_consent_events")),
        sa.UniqueConstraint("subject", "n", name=op.f("uq_consent_events_subject_n")),
    )
    op.create_table(
        "consent_evidence",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_consent_evidence")),
    )
    op.create_table(
        "disclosures",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "first_shown_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_disclosures")),
    )
    op.create_table(
        "idempotent_answers",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotent_answers")),
    )
    op.create_table(
        "inbound_texts",
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("reading", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("silence", sa.Text(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("message_sid", name=op.f("pk_inbound_texts")),
    )
    op.create_index(
        "ix_inbound_texts_inbox",
        "inbound_texts",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("review IS NOT NULL AND resolved_at IS NULL"),
    )
    op.create_index(
        "ix_inbound_texts_subscriber",
        "inbound_texts",
        ["subscriber_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "ledger_log",
        sa.Column("log", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_ledger_log")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("sms_segments", sa.BigInteger(), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("mark", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("not_after", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("settled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("carrier_sid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('answered', 'queued', 'sending', 'accepted', 'rejected', 'unknown',"
            " 'expired', 'suppressed')",
            name=op.f("ck_messages_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(
        "ix_messages_due",
        "messages",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index(
        "ix_messages_subscriber", "messages", ["subscriber_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_messages_dedupe",
        "messages",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.create_table(
        "program_versions",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "published_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("program", "version", name=op.f("pk_program_versions")),
    )
    op.create_table(
        "senders",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("keyword_authority", sa.Text(), nullable=False),
        sa.Column("segments_per_second", sa.Double(), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "keyword_authority IN ('self', 'twilio_default', 'advanced_opt_out',"
            " 'tollfree_network')",
            name=op.f("ck_senders_keyword_authority"),
        ),
        sa.CheckConstraint(
            "kind IN ('short_code', 'toll_free', 'long_code')", name=op.f("ck_senders_kind")
        ),
        sa.CheckConstraint("segments_per_second > 0", name=op.f("ck_senders_rate")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_senders")),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reachability", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("chain_n", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "chain_head",
            sa.LargeBinary(),
            server_default=sa.text(
                "'\\x0000000000000000000000000000000000000000000000000000000000000000'"
            ),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("octet_length(chain_head) = 32", name=op.f("ck_subscribers_chain_head")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("phone", name=op.f("uq_subscribers_phone")),
        sa.UniqueConstraint("ref", name=op.f("uq_subscribers_ref")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "subscriptions",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("prior", sa.Text(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paused_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("unsubscribed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('none', 'pending', 'subscribed', 'paused', 'unsubscribed')",
            name=op.f("ck_subscriptions_state"),
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "program", name=op.f("pk_subscriptions")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_subscriptions_open",
        "subscriptions",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_subscriptions_paused",
        "subscriptions",
        ["paused_until"],
        unique=False,
        postgresql_where=sa.text("state = 'paused'"),
    )
    op.create_table(
        "programs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{0,39}$'", name=op.f("ck_programs_slug")),
        sa.ForeignKeyConstraint(
            ["sender"], ["senders.number"], name=op.f("fk_programs_sender_senders")
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_programs")),
    )
    op.create_table(
        "program_keywords",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program"], ["programs.slug"], name=op.f("fk_program_keywords_program_programs")
        ),
        sa.ForeignKeyConstraint(
            ["sender"], ["senders.number"], name=op.f("fk_program_keywords_sender_senders")
        ),
        sa.PrimaryKeyConstraint("sender", "keyword", name=op.f("pk_program_keywords")),
    )
    op.execute("INSERT INTO catalogue (id, version) VALUES (1, 0)")
    op.execute("INSERT INTO ledger_log DEFAULT VALUES")
    for statement in GUARDS:
        op.execute(statement)
