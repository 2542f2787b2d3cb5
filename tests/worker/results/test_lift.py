"""What a campaign brought is told against those who were held out, or not at all."""

from __future__ import annotations

import pytest

from storage.orders import ChangeKind
from storage.settings import Settings
from tests import campaigns
from tests.worker.results.story import PEOPLE, Story
from tests.worker.scene import Scene
from worker.campaigns.planning import plan_chunk
from worker.results.lift import lift
from worker.statistics.comparing import Verdict


@pytest.fixture
def story(scene: Scene, settings: Settings) -> Story:
    """Nothing has happened."""
    return Story(scene, settings)


def groups(story: Story) -> tuple[list[str], list[str]]:
    """The phones of those to be texted, and of those held out."""
    rows = story.scene.connection.execute(
        "SELECT s.phone, r.state = 'holdout' FROM recipients r"
        " JOIN subscribers s ON s.id = r.subscriber_id WHERE r.campaign_id = %s ORDER BY s.id",
        (story.campaign,),
    ).fetchall()
    return [p for p, out in rows if not out], [p for p, out in rows if out]


def test_a_small_list_says_that_nobody_can_tell(story: Story) -> None:
    """Eight people are too few for anything, and it says so."""
    story.plan(holdout=0.5)
    texted, held_out = groups(story)
    for number, phone in enumerate(texted):
        story.order(f"#{number}", phone, 1_000)

    found = lift(story.scene.connection, story.campaign, 5)

    assert found is not None
    assert found.comparison is not None
    assert found.comparison.verdict is Verdict.TOO_FEW
    assert "Cannot tell yet" in found.comparison.sentence
    assert found.comparison.first.people == found.comparison.first.events == len(texted)
    assert (found.comparison.second.people, found.comparison.second.events) == (len(held_out), 0)


def test_buyers_are_compared_by_hand(story: Story) -> None:
    """Different people with an order that counts, within the window, known by their number.

    Twice the same buyer is one; canceled, late and unknown ones are none, whatever they clicked.
    """
    connection = story.scene.connection
    crowd = campaigns.crowd(connection, 300)
    story.campaign = campaigns.launched(connection, holdout=0.4)
    while plan_chunk(connection, story.settings, story.campaign) is not None:
        pass
    texted, held_out = groups(story)
    assert len(texted) + len(held_out) == len(crowd)
    for number, phone in enumerate(texted[:40]):
        story.order(f"t{number}", phone, 2_000)
    for number, phone in enumerate(held_out[:3]):
        story.order(f"h{number}", phone, 1_500)
    story.order("again", texted[0], 1_000)
    story.order("canceled", held_out[5], 9_000)
    story.change("canceled", ChangeKind.CANCELED)
    story.order("guest", None, 9_000)
    story.order("before", held_out[6], 9_000, ordered_at=story.now(-3_600))
    story.order("late", held_out[7], 9_000, ordered_at=story.now(6 * 86_400))

    found = lift(connection, story.campaign, 5)

    assert found is not None
    assert found.comparison is not None
    assert (found.comparison.first.people, found.comparison.first.events) == (len(texted), 40)
    assert (found.comparison.second.people, found.comparison.second.events) == (len(held_out), 3)
    assert found.comparison.verdict is Verdict.BETTER
    difference = 40 / len(texted) - 3 / len(held_out)
    assert found.extra == pytest.approx(difference * len(texted))
    assert found.extra is not None
    assert found.extra_interval is not None
    assert found.extra in found.extra_interval
    (revenue,) = found.revenue
    assert (revenue.texted_minor, revenue.holdout_minor) == (81_000, 4_500)
    assert revenue.extra_minor == round(found.extra * 81_000 / 40)
    assert not found.over


def test_texts_are_compared_with_each_other(story: Story) -> None:
    """Without a holdout there is nothing to compare the campaign with."""
    story.tell()

    found = lift(story.scene.connection, story.campaign, 5)

    assert found is not None
    assert found.comparison is None
    assert found.extra is None
    ((later, earlier, clicking),) = found.clicking
    assert (later, earlier) == (1, 0)
    assert clicking.first.events + clicking.second.events == 2
    assert clicking.verdict is Verdict.TOO_FEW
    ((_, _, buying),) = found.buying
    # The first, the third and the fourth; the second canceled.
    assert buying.first.events + buying.second.events == 3
    assert buying.first.people + buying.second.people == len(PEOPLE)


def test_there_is_nothing_to_say_of_a_campaign_that_is_not_there(scene: Scene) -> None:
    """None, not zeros."""
    assert lift(scene.connection, 999, 5) is None
