"""The sums that reports read say what the rows say, whatever happened and in whatever order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage import click_tallies
from storage.database import connect
from storage.settings import Settings
from storage.transaction import atomic
from tests.worker.results import direct
from tests.worker.results.history import ACTS, History
from tests.worker.results.story import PEOPLE, Story
from tests.worker.scene import Scene

_CAMPAIGNS = "SELECT count(*) FROM campaigns"
ACT = st.tuples(st.sampled_from(ACTS), st.integers(0, 40), st.integers(0, 40))


@hypothesis_settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(ACT, min_size=60, max_size=150))
def test_sums_are_those_of_the_rows_after_any_history(
    scene: Scene, settings: Settings, acts: list[tuple[str, int, int]]
) -> None:
    """Outcomes, reports, prices, opt-outs, clicks judged twice, orders, refunds, recomputations."""
    history = History(scene, settings)
    history.begin(first=100 + 10 * scene.connection.execute(_CAMPAIGNS).fetchall()[0][0])
    for act, one, other in acts:
        history.do(act, one, other)
    history.end()

    direct.agree(scene.connection)


def test_hits_that_are_stored_while_all_are_counted_are_counted_once(
    scene: Scene, settings: Settings, database_url: str
) -> None:
    """Whoever counts a campaign anew waits for those who are adding to it."""
    story = Story(scene, settings)
    story.plan()
    story.send()
    begun = threading.Event()

    def count() -> None:
        with connect(database_url, "test") as other, atomic(other):
            begun.set()
            click_tallies.rebuild(other, [story.campaign])

    with ThreadPoolExecutor(1) as hands:
        with atomic(scene.connection):
            story.add_tap(PEOPLE[0])
            counting = hands.submit(count)
            assert begun.wait(60)
            story.add_tap(PEOPLE[1])
        counting.result(60)

    direct.agree(scene.connection)
