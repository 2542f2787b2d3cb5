"""A campaign's report, each figure counted by hand from the story."""

from __future__ import annotations

from collections import Counter

import pytest

from keywords.consent import Method
from storage.erasing import Request, erase
from storage.orders import ChangeKind
from storage.results import Choice
from storage.settings import Settings
from storage.transaction import atomic
from tests.worker.results import direct
from tests.worker.results.story import LINK, PEOPLE, Story
from tests.worker.scene import Scene
from worker.results.campaign import report
from worker.results.overview import By, overview
from worker.results.timeline import timeline
from worker.statistics.results import figures, link_figures
from worker.statistics.totals import SaleKey, Sales, Totals, summed


@pytest.fixture
def story(scene: Scene, settings: Settings) -> Story:
    """See the module of that name."""
    return Story(scene, settings).tell()


def made_of(totals: Totals) -> dict[tuple[str, str | None], tuple[int, int | None]]:
    """Numerators and denominators by figure."""
    return {(f.key, f.of): (f.numerator, f.denominator) for f in figures(totals)}


def test_every_figure_can_be_counted_by_hand(story: Story) -> None:
    """Eight planned, six accepted, four arrived, two clicked, three orders count, one left."""
    found = report(story.scene.connection, story.campaign)

    assert found is not None
    assert made_of(found.total) == {
        ("sent", None): (6, None),
        ("delivery_rate", None): (4, 5),
        ("unconfirmed_rate", None): (1, 6),
        ("failed_rate", "soft"): (1, 6),
        ("cost", None): (5 * 8_000 + 10_000, None),
        ("ctr", None): (2, 4),
        ("cvr", None): (2, 2),
        ("order_rate", None): (2, 4),
        ("optout_rate", None): (1, 4),
        ("optouts_per_thousand", None): (1, 4),
        ("revenue", "click.USD"): (1_500, None),
        ("revenue_per_delivered", "click.USD"): (1_500, 4),
        ("revenue_per_sent", "click.USD"): (1_500, 6),
        ("roas", "click.USD"): (15_000_000, 50_000),
        ("revenue", "coupon.USD"): (1_000, None),
        ("revenue_per_delivered", "coupon.USD"): (1_000, 4),
        ("revenue_per_sent", "coupon.USD"): (1_000, 6),
        ("roas", "coupon.USD"): (10_000_000, 50_000),
    }
    total = found.total
    assert (total.raw_clicks, total.human_clicks, total.clickers) == (5, 3, 2)
    assert total.reasons("refused") == {"policy.capped": 1}
    assert total.reasons("rejected") == {"carrier.21211": 1}
    assert (total.open, total.state("segments"), total.state("unpriced")) == (0, 12, 0)
    assert total.sales == {
        SaleKey("click", "USD"): Sales(2, 1, 5_000, 1_500),
        SaleKey("coupon", "USD"): Sales(1, 0, 1_000, 1_000),
    }
    assert found.delays.people == 2
    assert found.delays.quartiles is not None
    assert 9 <= found.delays.quartiles[0] <= found.delays.quartiles[1] <= found.delays.quartiles[2]


def test_the_parts_are_the_whole(story: Story) -> None:
    """Variants add up to the campaign, and so do ways of joining; links to what was clicked."""
    found = report(story.scene.connection, story.campaign)

    assert found is not None
    for parts in (found.variants, found.methods):
        assert summed(parts.values()) == Totals(
            Counter({key: n for key, n in found.total.texts.items() if n}),
            5,
            3,
            2,
            found.total.sales,
        )
    assert found.methods["web_form"].state("plan") == 3
    assert found.methods["web_form"].clickers == 2
    assert found.methods["sms_keyword"].optouts == 1
    assert {link.destination for link in found.links} == {LINK}
    assert sum(link.totals.raw_clicks for link in found.links) == 5
    assert sum(link.totals.clickers for link in found.links) == 2
    assert sum(link.totals.orders("click") for link in found.links) == 2
    keys = {f.key for link in found.links for f in link_figures(link.totals)}
    assert not keys & {"roas", "cost", "optout_rate"}
    direct.agree(story.scene.connection)


def test_what_happens_later_changes_the_report_at_once(story: Story) -> None:
    """A late delivery, a repeated STOP and another refund."""
    connection = story.scene.connection
    story.report(PEOPLE[5], "delivered")
    story.scene.hear(PEOPLE[3], "JOIN", "YES", "STOP")
    story.scene.hear(PEOPLE[4], "STOP")
    found = report(connection, story.campaign)

    assert found is not None
    assert made_of(found.total)["ctr", None] == (2, 5)
    # The second to leave got the text all the same, undelivered as it is said to be.
    assert made_of(found.total)["optout_rate", None] == (2, 5)
    direct.agree(story.scene.connection)


def test_over_time_everything_stands_where_it_happened(story: Story) -> None:
    """The sums of all hours are those of the report."""
    moments = timeline(story.scene.connection, story.campaign)
    whole = summed(moment.totals for moment in moments)
    days = timeline(story.scene.connection, story.campaign, "day")

    assert (whole.accepted, whole.delivered, whole.optouts) == (6, 4, 1)
    assert (whole.raw_clicks, whole.human_clicks, whole.clickers) == (5, 3, 2)
    assert sum(whole.undelivered.values()) == 1
    assert whole.orders("click") == 2
    assert summed(day.totals for day in days) == whole


def test_a_campaign_that_was_not_launched_has_an_empty_report(story: Story) -> None:
    """And one that there is not has none."""
    story.scene.connection.execute("UPDATE campaigns SET launched_at = NULL, state = 'draft'")

    assert report(story.scene.connection, story.campaign) is not None
    assert report(story.scene.connection, 999) is None
    assert overview(story.scene.connection, Choice()).lines == []


@pytest.mark.parametrize("by", list(By))
def test_the_overview_adds_up_whatever_it_is_by(story: Story, by: By) -> None:
    """All campaigns together are the same, beside a welcome's coupon that a program earned."""
    connection = story.scene.connection
    found = report(connection, story.campaign)
    second = Story(story.scene, story.settings)
    second.plan(name="Empty", settings={})
    seen = overview(connection, Choice(), by)

    assert found is not None
    assert summed(line.totals for line in seen.lines) == seen.total
    expected = made_of(found.total)
    assert made_of(seen.total) == expected
    assert [line.label for line in seen.lines] == {
        By.CAMPAIGN: ["Empty", "=Sale"],
        By.PROGRAM: ["deals"],
        By.SEGMENT: [""],
        By.METHOD: ["sms_keyword", "web_form"],
    }[by]


def test_the_overview_can_be_chosen(story: Story) -> None:
    """By program and by the day of the launch."""
    connection = story.scene.connection

    assert overview(connection, Choice(program="coffee")).lines == []
    assert overview(connection, Choice(until=story.now(-3_600))).lines == []
    assert len(overview(connection, Choice(since=story.now(-3_600))).lines) == 1


def test_an_erasure_takes_nothing_away_but_the_person(story: Story) -> None:
    """What was bought stays bought, by its variant and link, also when it is refunded later."""
    connection = story.scene.connection
    before = report(connection, story.campaign)
    request = Request(PEOPLE[0], "operator:ann", Method.OPERATOR, "a letter")
    with atomic(connection):
        erase(connection, story.scene.shops, "a pepper of 32 bytes, for tests!", _sign, request)

    erased = report(connection, story.campaign)
    story.change("#1", ChangeKind.CANCELED)
    after = report(connection, story.campaign)

    assert before is not None
    assert erased is not None
    assert after is not None
    assert erased.total.sales == before.total.sales
    assert erased.total.clickers == before.total.clickers
    # Consent ended within a day of the text, which is an opt-out like any other.
    assert erased.total.optouts == before.total.optouts + 1
    canceled = after.total.sales[SaleKey("click", "USD")]
    assert canceled == Sales(2, 2, 5_000, 0)
    assert {key: part.orders("click") for key, part in after.variants.items()} == {
        key: part.orders("click") for key, part in before.variants.items()
    }


def _sign(_: object, __: object) -> str:
    return "signed"
