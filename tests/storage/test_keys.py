"""API keys in the database: made, found, ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from storage import keys
from storage.database import engine, sessions
from storage.keys import AmbiguousKey, Scope
from storage.transaction import transaction


@pytest.fixture
def maker(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on an empty database."""
    pool = engine(database_url, "test", pool_size=2)
    yield sessions(pool)
    pool.dispose()


def test_two_keys_of_one_name_live_side_by_side(maker: sessionmaker[Session]) -> None:
    """A key is rotated without a gap: the new one works before the old one ends."""
    with transaction(maker) as work:
        old, row = keys.create(work.session, "till", [Scope.READ])
        new, _ = keys.create(work.session, "till", [Scope.READ, Scope.WRITE])
        assert keys.revoke(work.session, row.prefix) is not None

        found = keys.authenticate(work.session, new)

        assert keys.authenticate(work.session, old) is None
        assert found is not None
        assert (found.name, found.actor, found.prefix) == ("till", "key:till", new[:10])
        assert found.scopes == {"read", "write"}


@pytest.mark.parametrize(
    ("held", "wanted", "may"),
    [
        ([Scope.READ], Scope.READ, True),
        ([Scope.READ], Scope.WRITE, False),
        ([Scope.WRITE, Scope.INBOX], Scope.READ, False),
        ([Scope.ADMIN], Scope.INBOX, True),
        ([Scope.INBOX], Scope.ADMIN, False),
    ],
)
def test_a_scope_opens_itself_and_admin_opens_all(
    maker: sessionmaker[Session], held: list[Scope], wanted: Scope, may: bool
) -> None:
    """No scope but admin implies another."""
    with transaction(maker) as work:
        found = keys.authenticate(work.session, keys.create(work.session, "k", held)[0])

        assert found is not None
        assert found.may(wanted) is may


@pytest.mark.parametrize("token", ["", "ask_", "x" * 300, "\udcff", "ask_\0"])
def test_what_is_no_key_is_not_found(maker: sessionmaker[Session], token: str) -> None:
    """Anything may be presented; nothing raises."""
    with transaction(maker) as work:
        assert keys.authenticate(work.session, token) is None


def test_a_key_expires_by_the_clock_of_the_database(maker: sessionmaker[Session]) -> None:
    """A lasting of nothing is over at once."""
    with transaction(maker) as work:
        token, row = keys.create(work.session, "brief", [Scope.READ], timedelta(0))
        assert row.expires_at is not None
        assert keys.authenticate(work.session, token) is None


def test_a_prefix_of_several_keys_is_not_guessed_at(maker: sessionmaker[Session]) -> None:
    """The id always works; a key that is revoked already is not found again."""
    with transaction(maker) as work:
        rows = [keys.create(work.session, "k", [Scope.READ])[1] for _ in range(2)]
        for row in rows:
            row.prefix = "ask_same00"
        work.session.flush()

        with pytest.raises(AmbiguousKey):
            keys.revoke(work.session, "ask_same00")
        assert keys.revoke(work.session, str(rows[0].id)) is rows[0]
        assert keys.revoke(work.session, str(rows[0].id)) is None
        assert keys.revoke(work.session, "ask_same00") is rows[1]
        assert keys.revoke(work.session, "nonsense") is None


def test_keys_are_paged_by_id(maker: sessionmaker[Session]) -> None:
    """Every key is on one page."""
    with transaction(maker) as work:
        made = {keys.create(work.session, "k", [Scope.READ])[1].id for _ in range(5)}
        first = keys.page(work.session, None, 3)
        second = keys.page(work.session, first[-1].id, 3)

        assert (len(first), len(second)) == (3, 2)
        assert {row.id for row in [*first, *second]} == made
