"""An opt-out counts for the text before it, also when that text's fate is known only later."""

from __future__ import annotations

import pytest

from storage import optouts
from storage.campaigns import RecipientState
from storage.settings import Settings
from storage.transaction import atomic
from tests.worker.results import direct
from tests.worker.results.story import PEOPLE, Story
from tests.worker.scene import Scene
from worker.results.campaign import report
from worker.statistics.figures import OPTOUT_HOURS

ANNA, BEN = PEOPLE[:2]


@pytest.fixture
def story(scene: Scene, settings: Settings) -> Story:
    """Planned, and nothing sent."""
    story = Story(scene, settings)
    story.plan()
    return story


def counted(story: Story) -> int:
    """Opt-outs in the campaign's report, which are those of the rows."""
    with atomic(story.scene.connection):
        optouts.again(story.scene.connection)
    direct.agree(story.scene.connection)
    found = report(story.scene.connection, story.campaign)
    assert found is not None
    return found.total.optouts


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [pytest.param(24 * 60 - 1, 1, id="within a day"), pytest.param(24 * 60 + 1, 0, id="later")],
)
def test_a_day_is_the_limit(story: Story, minutes: int, expected: int) -> None:
    """From when the text was handed over; the definition of the figure says the same."""
    assert optouts.WITHIN.total_seconds() == OPTOUT_HOURS * 3600
    story.settle(ANNA, RecipientState.ACCEPTED)
    story.scene.connection.execute(
        "SELECT set_config('assent.clock_offset', %s, false)", (f"{minutes} minutes",)
    )
    story.scene.hear(ANNA, "STOP")

    assert counted(story) == expected


def test_a_text_whose_fate_is_unknown_counts_once_it_is_known(story: Story) -> None:
    """The person left while nobody knew whether the carrier had taken the text."""
    story.settle(ANNA, RecipientState.UNKNOWN)
    story.settle(BEN, RecipientState.UNKNOWN)
    story.scene.hear(ANNA, "STOP")
    story.scene.hear(BEN, "STOP")
    assert counted(story) == 0

    story.report(ANNA, "delivered")

    assert counted(story) == 1


def test_the_last_of_two_texts_counts_whichever_is_known_first(story: Story) -> None:
    """The opt-out moves from the earlier text to the later one."""
    later = Story(story.scene, story.settings)
    later.plan(name="Later", settings={})
    story.settle(ANNA, RecipientState.ACCEPTED)
    later.settle(ANNA, RecipientState.UNKNOWN)
    story.scene.hear(ANNA, "STOP")
    assert (counted(story), counted(later)) == (1, 0)

    later.report(ANNA, "sent")

    assert (counted(story), counted(later)) == (0, 1)


@pytest.mark.parametrize("state", [RecipientState.REFUSED, RecipientState.REJECTED])
def test_a_text_that_was_never_sent_makes_nobody_leave(story: Story, state: RecipientState) -> None:
    """Only accepted texts count."""
    story.settle(ANNA, state, "why")
    story.scene.hear(ANNA, "STOP")

    assert counted(story) == 0


def test_whoever_leaves_twice_is_one_person(story: Story) -> None:
    """The numerator is different people."""
    story.settle(ANNA, RecipientState.ACCEPTED)
    story.scene.hear(ANNA, "STOP", "JOIN", "YES", "STOP")

    assert counted(story) == 1
