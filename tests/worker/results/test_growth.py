"""Lists grow by those who confirm, shrink by those who were on them, and cohorts remember both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.growth import Span
from storage.transaction import atomic
from tests.worker.sales import Sales
from tests.worker.scene import ANNA, BEN, CARL, Scene
from worker.results.growth import Cohort, Moves, cohorts, completion, growth
from worker.statistics.totals import SaleKey

DORA, EMIL = "+14155550126", "+14155550127"
FEBRUARY = Span(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), "deals")
YEAR = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "deals")


def on(scene: Scene, day: str) -> None:
    """Let it be noon of a day."""
    scene.connection.execute(
        "SELECT set_config('assent.clock_offset',"
        " (%s::timestamptz - clock_timestamp())::text, false)",
        (f"{day} 12:00:00+00",),
    )


@pytest.fixture
def scene_of_two_months(scene: Scene) -> Scene:
    """Anna and Carl join in January, Ben is only asked; see each day."""
    on(scene, "2026-01-10")
    for phone in (ANNA, CARL):
        scene.hear(phone, "JOIN", "YES")
    scene.hear(BEN, "JOIN")
    on(scene, "2026-02-03")
    scene.hear(ANNA, "STOP")
    scene.hear(DORA, "JOIN")
    on(scene, "2026-02-04")
    scene.hear(DORA, "YES")
    scene.hear(EMIL, "JOIN", "JOIN")
    scene.hear(ANNA, "JOIN", "YES")
    on(scene, "2026-02-05")
    scene.hear(EMIL, "STOP")
    scene.hear(CARL, "STOP")
    on(scene, "2026-03-10")
    return scene


def test_growth_by_hand(scene_of_two_months: Scene) -> None:
    """One came, one came back, two who were on the list left; one who only was asked is nobody."""
    with atomic(scene_of_two_months.connection):
        found = growth(scene_of_two_months.connection, FEBRUARY, "month")

    assert (found.start, found.end) == (2, 2)
    assert found.total == Moves(confirmed=1, returned=1, left=2)
    assert found.methods == {"sms_keyword": found.total}
    assert list(found.periods) == [(FEBRUARY.since, "deals", "sms_keyword")]
    assert (found.rate.numerator, found.rate.denominator) == (0, 2)


def test_who_answered_when_asked(scene_of_two_months: Scene) -> None:
    """Three were asked in February: two said yes, one no; asking twice is one question."""
    with atomic(scene_of_two_months.connection):
        found = growth(scene_of_two_months.connection, FEBRUARY, "day")

    (asked,) = found.questions
    assert (asked.asked, asked.confirmed, asked.declined, asked.open) == (3, 2, 1, 0)
    assert asked.quartiles is not None
    assert asked.quartiles[0] < 3600
    assert 23 * 3600 < asked.quartiles[2] < 25 * 3600
    figure = completion(found.questions)
    assert (figure.numerator, figure.denominator) == (2, 3)


def test_lists_that_nobody_joined_have_no_rate(scene: Scene) -> None:
    """Over nobody there is no growth in per cent."""
    with atomic(scene.connection):
        found = growth(scene.connection, FEBRUARY, "week")

    assert (found.start, found.rate.value, found.questions) == (0, None, [])


def test_cohorts_month_by_month(scene_of_two_months: Scene) -> None:
    """Of January's two, both had left in February and one was back; March is not over."""
    scene = scene_of_two_months
    sales = Sales(scene)
    text = sales.text(sales.campaign("Spring"), DORA)
    sales.click(text, ago=30)
    sales.click(text, ago=20)
    sales.order(DORA)

    with atomic(scene.connection):
        january, february = cohorts(scene.connection, YEAR, 12)

    assert shape(january) == ("2026-01", 2, {0: (2, 0, 0), 1: (1, 2, 0), 2: (1, 0, 0)})
    assert shape(february) == ("2026-02", 1, {0: (1, 0, 0), 1: (1, 0, 1)})
    (bought,) = february.months[1].bought
    assert SaleKey(bought.basis, bought.currency) == ("click", "USD")
    assert (bought.orders, bought.net_minor) == (1, 2_000)
    assert not any(month.bought for month in january.months.values())


def shape(cohort: Cohort) -> tuple[str, int, dict[int, tuple[int, int, int]]]:
    """A cohort in numbers: retained, opt-outs and clickers by month."""
    months = {
        after: (month.retained, month.optouts, month.clickers)
        for after, month in sorted(cohort.months.items())
    }
    return f"{cohort.month:%Y-%m}", cohort.people, months
