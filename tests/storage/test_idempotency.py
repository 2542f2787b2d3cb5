"""Answers kept for repeated requests: once, together with the work, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session, sessionmaker

from storage.database import engine, sessions
from storage.idempotency import InProgress, Kept, KeyReused, Request, earlier, keep
from storage.transaction import transaction

ASKED = Request("key-1", "order-1", b"digest")


@pytest.fixture
def maker(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on an empty database."""
    pool = engine(database_url, "test", pool_size=3)
    yield sessions(pool)
    pool.dispose()


def test_an_answer_comes_back_for_the_same_request_only(maker: sessionmaker[Session]) -> None:
    """Another actor or key is new; another digest under the same key is refused."""
    with transaction(maker) as work:
        assert earlier(work.session, ASKED) is None
        keep(work.session, ASKED, Kept(201, b'{"a":1}'))

    with transaction(maker) as work:
        assert earlier(work.session, ASKED) == Kept(201, b'{"a":1}')
        assert earlier(work.session, replace(ASKED, actor="key-2")) is None
        assert earlier(work.session, replace(ASKED, key="order-2")) is None
        with pytest.raises(KeyReused):
            earlier(work.session, replace(ASKED, digest=b"other"))


def test_a_second_request_does_not_pass_while_the_first_is_open(
    maker: sessionmaker[Session],
) -> None:
    """It is told at once, instead of waiting with a connection in its hand."""
    with transaction(maker) as first:
        assert earlier(first.session, ASKED) is None
        with transaction(maker) as second:
            with pytest.raises(InProgress):
                earlier(second.session, ASKED)
            assert earlier(second.session, replace(ASKED, key="order-2")) is None
        keep(first.session, ASKED, Kept(200, b"{}"))

    with transaction(maker) as third:
        assert earlier(third.session, ASKED) == Kept(200, b"{}")


def test_work_that_fails_keeps_no_answer(maker: sessionmaker[Session]) -> None:
    """The key is free again after a rollback."""

    def fail() -> None:
        with transaction(maker) as work:
            earlier(work.session, ASKED)
            keep(work.session, ASKED, Kept(200, b"{}"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with transaction(maker) as work:
        assert earlier(work.session, ASKED) is None
