"""Connections: an engine for sessions, and a plain psycopg connection for the texts' own path.

Both work under the role ``assent_app``, which may add to the ledger but not alter it. The user
named in DATABASE_URL owns the schema and is a member of that role; only migrations act as owner.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

APP_ROLE = "assent_app"
STATEMENT_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 5

Connection: TypeAlias = psycopg.Connection[TupleRow]


def options(name: str, *, role: str | None = APP_ROLE) -> dict[str, Any]:
    """The psycopg connection arguments that every process uses; ``name`` shows in the server."""
    settings = ["-c timezone=UTC"]
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
    )


def sessions(of: Engine) -> sessionmaker[Session]:
    """A maker of sessions that keep what they loaded after the commit."""
    return sessionmaker(of, expire_on_commit=False)


def connect(url: str, name: str, *, role: str | None = APP_ROLE) -> Connection:
    """A psycopg connection in autocommit mode, for ``transaction.atomic``."""
    return psycopg.connect(url, autocommit=True, **options(name, role=role))


def raw(session: Session) -> Connection:
    """The psycopg connection under a session, inside the session's transaction."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
