"""The inbox's queries: what waits, what else is open for the same person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from bot.demo import load_if_empty
from keywords.conversation import Review
from keywords.turn import Text
from storage import inbox
from storage.conversation import Arrival, exchange
from storage.database import connect, engine, sessions
from storage.inbound import Resolution
from storage.inbox import Waiting, Wanted
from storage.shop import ShopCache
from storage.transaction import transaction
from tests.texting import new_sid

ANNA, BEN = "+14155550123", "+14155550124"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """One transaction after Anna was unclear twice and Ben once."""
    load_if_empty(database_url)
    texts = [(ANNA, "too many texts"), (ANNA, "JOIN"), (BEN, "too many texts")]
    texts += [(ANNA, "idk maybe stop"), (BEN, "xyzzy plugh")]
    with connect(database_url, "test") as connection:
        for phone, body in texts:
            arrival = Arrival(Text(new_sid(), phone, "54321", body), phone, b"")
            exchange(connection, ShopCache(), [arrival])
    pool = engine(database_url, "test", pool_size=1)
    with transaction(sessions(pool)) as work:
        yield work.session
    pool.dispose()


def bodies(found: list[Waiting]) -> list[str]:
    """The words of texts."""
    return [waiting.text.body for waiting in found]


def test_what_waits_is_listed_oldest_first(session: Session) -> None:
    """A text that was understood never waits."""
    found = inbox.page(session, Wanted(), None, 10)

    assert bodies(found) == ["too many texts", "too many texts", "idk maybe stop", "xyzzy plugh"]
    assert [w.phone for w in found] == [ANNA, BEN, ANNA, BEN]
    second = (found[1].text.received_at, found[1].text.message_sid)
    assert bodies(inbox.page(session, Wanted(), second, 10)) == ["idk maybe stop", "xyzzy plugh"]
    assert bodies(inbox.page(session, Wanted(Review.NOT_UNDERSTOOD), None, 10)) == ["xyzzy plugh"]


def test_others_unclear_looks_at_the_same_person_only(session: Session) -> None:
    """Anna's second text keeps her suspended; Ben's does not concern her."""
    first, bens, second, _ = inbox.page(session, Wanted(), None, 10)
    assert inbox.others_unclear(session, first.text)
    assert not inbox.others_unclear(session, bens.text)

    inbox.close(session, second.text, Resolution.KEEP, "key:boss", "asked her")

    assert not inbox.others_unclear(session, first.text)
    (closed,) = inbox.page(session, Wanted(open=False), None, 10)
    assert (closed.text.resolution, closed.text.note) == ("keep", "asked her")
    assert closed.text.resolved_at is not None


def test_only_texts_of_the_inbox_are_found(session: Session) -> None:
    """A MessageSid of an ordinary text is not one of them."""
    (first, *_) = inbox.page(session, Wanted(), None, 10)

    found = inbox.find(session, first.text.message_sid, lock=True)

    assert found is not None
    assert found.suspended
    assert inbox.find(session, "SM" + "0" * 32) is None
