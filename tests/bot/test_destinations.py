"""Where links lead: remembered, shared, fresh enough, and there while the database is away."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence

import psycopg
import pytest

from bot.destinations import FRESH_S, PATIENCE_S, Destinations
from bot.resources import Resources
from keywords.text_rules import TextRules
from storage.database import Connection, connect
from storage.links import Resolved, resolve
from tests.bot.linking import SALE, SHOES, campaign, set_rules
from worker.texts.codes import Target

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


class Clock:
    """Seconds that pass when they are told to, and a little whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step = 0.0

    def __call__(self) -> float:
        """The moment."""
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of the test."""
    return Clock()


@pytest.fixture
def destinations(resources: Resources, clock: Clock) -> Iterator[Destinations]:
    """Destinations of the service's database."""
    assert resources.settings.database_url is not None
    made = Destinations(resources.settings.database_url, clock)
    yield made
    made.close()


def cut(destinations: Destinations, clock: Clock) -> None:
    """Take the database away; patience ends at once."""
    destinations.close()
    destinations._url = NOWHERE
    clock.step = PATIENCE_S


def test_a_repeated_code_costs_no_query(
    destinations: Destinations, resources: Resources, clock: Clock
) -> None:
    """Nor does another link of the same message: with the database gone, both are answered."""
    (recipient,) = campaign(resources)
    assert destinations.find(Target(recipient, 0)) == SALE

    cut(destinations, clock)

    assert destinations.find(Target(recipient, 0)) == SALE
    assert destinations.find(Target(recipient, 1)) == SHOES


def test_the_first_of_a_campaign_is_one_statement(
    destinations: Destinations, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recipient, links and list of hosts together."""
    recipients = campaign(resources, people=2)
    asked: list[Sequence[int]] = []

    def counting(connection: Connection, ids: Sequence[int], known: Collection[int]) -> Resolved:
        asked.append(ids)
        return resolve(connection, ids, known)

    monkeypatch.setattr("bot.destinations.links.resolve", counting)

    found = [destinations.find(Target(recipient, 0)) for recipient in recipients]

    assert found == [SALE, SALE]
    assert asked == [[recipients[0]], [recipients[1]]]


def test_what_is_allowed_is_read_again(
    destinations: Destinations, resources: Resources, clock: Clock
) -> None:
    """A host that left the list is followed for half a minute at most."""
    (recipient,) = campaign(resources, {0: "https://partner.example/x"})
    set_rules(resources, TextRules(link_hosts=("partner.example",)))
    assert destinations.find(Target(recipient, 0)) is not None
    set_rules(resources, TextRules())
    clock.now += FRESH_S - 1
    assert destinations.find(Target(recipient, 0)) is not None

    clock.now += 2

    assert destinations.find(Target(recipient, 0)) is None


def test_what_is_known_holds_while_the_database_is_away(
    destinations: Destinations, resources: Resources, clock: Clock
) -> None:
    """And what is not known says that it cannot be."""
    one, other = campaign(resources, people=2)
    assert destinations.find(Target(one, 0)) == SALE
    cut(destinations, clock)
    clock.now += FRESH_S + 1

    assert destinations.find(Target(one, 0)) == SALE
    with pytest.raises(psycopg.OperationalError):
        destinations.find(Target(other, 0))


def test_a_connection_that_was_lost_is_made_again(
    destinations: Destinations, resources: Resources
) -> None:
    """PostgreSQL was restarted between two taps."""
    one, other = campaign(resources, people=2)
    destinations.find(Target(one, 0))
    assert resources.settings.database_url is not None
    with connect(resources.settings.database_url, "test", role=None) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'assent links' AND datname = current_database()"
        )

    assert destinations.find(Target(other, 0)) == SALE


def test_a_text_of_a_program_that_is_gone_leads_nowhere(
    destinations: Destinations, resources: Resources
) -> None:
    """Nobody could say what it allows."""
    (recipient,) = campaign(resources)
    with resources.work() as work:
        work.connection.execute("UPDATE campaigns SET program = 'gone'")

    assert destinations.find(Target(recipient, 0)) is None


def test_many_at_once_get_each_their_own(destinations: Destinations, resources: Resources) -> None:
    """Questions of one instant share a query, and nobody gets another's answer."""
    first = campaign(resources, people=40)
    second = campaign(resources, {0: SHOES}, people=40)
    expected = dict.fromkeys(first, SALE) | dict.fromkeys(second, SHOES)
    found: dict[int, str | None] = {}
    start = threading.Barrier(8)

    def ask(recipients: list[int]) -> None:
        start.wait()
        for recipient in recipients:
            found[recipient] = destinations.find(Target(recipient, 0))

    everybody = [*first, *second]
    threads = [threading.Thread(target=ask, args=(everybody[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == expected


def test_memory_is_bounded(
    destinations: Destinations, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are forgotten, and asked for again."""
    monkeypatch.setattr("bot.destinations._RECIPIENTS", 5)
    recipients = campaign(resources, people=12)

    assert {destinations.find(Target(each, 0)) for each in recipients * 2} == {SALE}
    assert len(destinations._texts) == 5
