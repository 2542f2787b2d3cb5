"""What migrations say of every new table: the application may use it, or only add to it.

The first migration made the role ``assent_app`` and the function ``refuse_change``; tables that
come later are granted and sealed with the statements made here, so that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator


def grants(*tables: str) -> Iterator[str]:
    """Statements that let the application read and write ``tables``."""
    for table in tables:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO assent_app"
    yield "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO assent_app"


def seals(*tables: str) -> Iterator[str]:
    """Statements after which rows of ``tables`` can be added and read, never altered.

    By privilege for the application, and by triggers that fire always (even under
    ``session_replication_role = replica``) for everyone else who tries by accident.
    """
    yield from grants(*tables)
    for table in tables:
        yield f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM assent_app"
        for trigger, event, each in _TRIGGERS:
            yield (
                f"CREATE TRIGGER {trigger} BEFORE {event} ON {table}"
                f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
            yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"


_TRIGGERS = (
    ("append_only_rows", "UPDATE OR DELETE", "ROW"),
    ("append_only_table", "TRUNCATE", "STATEMENT"),
)
