"""Reading one person: entries and texts page by page, and the ledger's size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from bot.demo import load_if_empty
from keywords.ledger import Link, verify
from keywords.turn import Text
from storage import reading_ledger
from storage.conversation import Arrival, exchange
from storage.database import connect, engine, sessions
from storage.ledger import read
from storage.reading_ledger import Place
from storage.shop import ShopCache
from storage.transaction import transaction
from tests.texting import new_sid

ANNA, BEN = "+14155550123", "+14155550124"


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """A transaction in which Anna has joined, all of her texts in one group, and Ben has not."""
    load_if_empty(database_url)
    bodies = [(ANNA, "JOIN"), (BEN, "hello"), (ANNA, "YES"), (ANNA, "COFFEE"), (ANNA, "STOP")]
    arrivals = [
        Arrival(Text(new_sid(), phone, "54321", body), phone, b"") for phone, body in bodies
    ]
    with connect(database_url, "test") as connection:
        exchange(connection, ShopCache(), arrivals)
    pool = engine(database_url, "test", pool_size=1)
    with transaction(sessions(pool)) as work:
        yield work.session
    pool.dispose()


def test_pages_of_entries_together_are_the_chain(session: Session) -> None:
    """Nothing is left out or shown twice, whatever the size of a page."""
    anna = reading_ledger.subscriber(session, ANNA)
    assert anna is not None
    pages: list[Link] = []
    while page := reading_ledger.entries(session, anna.ref, pages[-1].n if pages else 0, 2):
        pages += page

    assert verify(pages) == []
    assert pages == reading_ledger.entries(session, anna.ref, 0, 100)
    assert [read(link)[0]["change"] for link in pages] == [
        "optin_requested",
        "optin_confirmed",
        "optin_requested",
        "optout",
        "optout",
    ]
    assert pages[-1].hash == anna.chain_head


def test_pages_of_texts_keep_reply_and_text_together(session: Session) -> None:
    """Texts of one instant are told apart by their thread."""
    anna = reading_ledger.subscriber(session, ANNA)
    assert anna is not None
    seen = []
    place = None
    while page := reading_ledger.texts(session, anna.id, place, 1):
        (row,) = page
        seen.append((row["thread"], row["direction"]))
        place = Place(row["at"], row["thread"], row["direction"], row["id"])

    assert [direction for _, direction in seen] == ["inbound", "outbound"] * 4
    assert [a[0] == b[0] for a, b in zip(seen[::2], seen[1::2], strict=True)] == [True] * 4


def test_a_person_without_consent_has_texts_and_no_entries(session: Session) -> None:
    """Somebody who only said hello is known, and has agreed to nothing."""
    ben = reading_ledger.subscriber(session, BEN)

    assert ben is not None
    assert reading_ledger.subscriptions(session, ben.id) == []
    assert reading_ledger.entries(session, ben.ref, 0, 10) == []
    assert len(reading_ledger.texts(session, ben.id, None, 10)) == 2
    assert reading_ledger.subscriber(session, "+14155550199") is None


def test_the_summary_counts_entries_and_people(session: Session) -> None:
    """Ben has no entries, so the ledger has one subject."""
    found = reading_ledger.summary(session)

    assert (found.entries, found.subjects) == (5, 1)
