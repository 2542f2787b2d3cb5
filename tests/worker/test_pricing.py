"""What texts cost by the carrier's own word takes the place of what the list says."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioException

from bot.simulator.faults import Fault, FaultKind
from storage import delivery, prices
from storage.delivery import Report, rank_of
from storage.settings import Settings
from tests.worker.conftest import Twilio
from tests.worker.results import direct
from tests.worker.results.story import PEOPLE, Story
from tests.worker.scene import Scene
from worker.gateway import Accepted, Outgoing
from worker.pricing import LATER, Prices, ask
from worker.results.campaign import report
from worker.runtime import Runtime

NOW = timedelta(0)
_EACH = 8_300


@pytest.fixture
def story(scene: Scene, settings: Settings) -> Story:
    """Everything of the story; what the carrier told of prices is not known yet."""
    return Story(scene, settings).tell()


def send(story: Story, twilio: Twilio, runtime: Runtime, phone: str) -> None:
    """Let the carrier have the text of a person, and deliver it; the report names its SID."""
    outcome = runtime.gateway.send(Outgoing(phone, "54321", "Acme: 20% off.", 60.0))
    assert isinstance(outcome, Accepted)
    said = Report(outcome.sid, "sent", rank_of("sent"), None, story.texts[phone], None, None)
    delivery.append(story.scene.connection, [said])
    until = time.monotonic() + 30
    while time.monotonic() < until:
        text = twilio.carrier.store.get(outcome.sid)
        if text is not None and text.status == "delivered":
            return
        time.sleep(0.05)
    raise AssertionError("The simulator has not delivered the text.")


def begin(story: Story) -> datetime:
    """Let the hour that ends now be the next one to ask about; the carrier's times are seconds."""
    time.sleep(1.1)
    story.scene.connection.execute(
        "INSERT INTO read_marks (reader, seq)"
        " VALUES (%s, floor(extract(epoch FROM assent_now()))::bigint - 3600)",
        (prices.READER,),
    )
    until = prices.due(story.scene.connection, NOW)
    assert until is not None
    return until[1]


def cost(story: Story) -> tuple[int, int]:
    """What is reported and what is expected, in the campaign's report."""
    found = report(story.scene.connection, story.campaign)
    assert found is not None
    direct.agree(story.scene.connection)
    return found.total.state("reported"), found.total.state("expected")


def test_a_reported_price_takes_the_place_of_the_list(
    story: Story, twilio: Twilio, runtime: Runtime
) -> None:
    """Of two texts by the carrier's log; asking twice changes nothing; others keep the list's."""
    for phone in PEOPLE[1:3]:
        send(story, twilio, runtime, phone)
    assert cost(story) == (10_000, 5 * 8_000)
    begin(story)

    assert ask(story.scene.connection, runtime.gateway, NOW) == 2

    assert cost(story) == (10_000 + 2 * _EACH, 3 * 8_000)
    assert ask(story.scene.connection, runtime.gateway, NOW) == 0
    assert cost(story) == (10_000 + 2 * _EACH, 3 * 8_000)


def test_an_hour_that_could_not_be_read_is_read_again(
    story: Story, twilio: Twilio, runtime: Runtime
) -> None:
    """The carrier refuses once; the mark stays where it was."""
    send(story, twilio, runtime, PEOPLE[1])
    begin(story)
    twilio.carrier.faults.add(Fault(FaultKind.AUTH_FAILURE, times=1))

    with pytest.raises(TwilioException):
        ask(story.scene.connection, runtime.gateway, NOW)

    assert ask(story.scene.connection, runtime.gateway, NOW) == 1


def test_prices_are_asked_for_a_day_later(story: Story, ready: Settings) -> None:
    """At first there is nothing to ask about; the asking has a thread of its own."""
    assert prices.due(story.scene.connection, LATER) is None

    asking = Prices(ready)
    assert asking.begin()
    asking.close()

    story.scene.connection.execute(
        "UPDATE read_marks SET seq = seq - 3700 WHERE reader = %s", (prices.READER,)
    )
    assert prices.due(story.scene.connection, LATER) is not None
