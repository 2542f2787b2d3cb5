"""Connections: an engine for sessions, and a plain psycopg connection for the texts' own path.

Both work under the role ``assent_app``, which may add to the ledger but not alter it. The user
named in DATABASE_URL owns the schema and is a member of that role; only migrations act as owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

APP_ROLE = "assent_app"
STATEMENT_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 5

Connection: TypeAlias = psycopg.Connection[TupleRow]


# The texts' statements all go by key. A plan made while a table was empty must not scan it when
# it is full, and planning each time would cost more than running.
BY_KEY: Final = ("enable_seqscan=off", "plan_cache_mode=force_generic_plan", "jit=off")


def options(
    name: str, *, role: str | None = APP_ROLE, planner: Sequence[str] = ()
) -> dict[str, Any]:
    """The psycopg connection arguments that every process uses; ``name`` shows in the server."""
    settings = ["-c timezone=UTC", *(f"-c {setting}" for setting in planner)]
    if role:
        settings += [f"-c role={role}", f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"]
    return {
        "options": " ".join(settings),
        "application_name": f"assent {name}",
        "connect_timeout": CONNECT_TIMEOUT_S,
    }


def engine(url: str, name: str, *, pool_size: int = 5) -> Engine:
    """An engine whose connections act as the application's role.

    Create it in the process that uses it: connections do not survive a fork.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args=options(name),
        # An error message must not carry numbers and texts into a log.
        hide_parameters=True,
    )


def sessions(of: Engine) -> sessionmaker[Session]:
    """A maker of sessions that keep what they loaded after the commit."""
    return sessionmaker(of, expire_on_commit=False)


def connect(
    url: str, name: str, *, role: str | None = APP_ROLE, planner: Sequence[str] = ()
) -> Connection:
    """A psycopg connection in autocommit mode, for ``transaction.atomic``.

    ``planner`` are server settings for a connection whose statements are all of one kind.
    """
    return psycopg.connect(url, autocommit=True, **options(name, role=role, planner=planner))


def raw(session: Session) -> Connection:
    """The psycopg connection under a session, inside the session's transaction."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
