"""When a question that waited may go out, and when it is looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from keywords.consent import State
from keywords.optin import Asked
from keywords.people import Person, Standing
from worker.policy.asking import Next, Step, next_step

# Noon, and half past seven in the evening, in New York.
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WAITING = Standing("deals", State.PENDING, expires_at=NOON + 30 * DAY, method="import")
BEN = Person(UUID(int=2), "+12125550124", standings={"deals": WAITING})


def having(**over: object) -> Person:
    """Ben with another standing."""
    changed: dict[str, object] = over
    return replace(BEN, standings={"deals": replace(WAITING, **changed)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("person", "asked", "now", "expected"),
    [
        pytest.param(BEN, Asked(), NOON, Next(Step.ASK, EVENING), id="by day"),
        pytest.param(BEN, Asked(0, 2), NOON, Next(Step.ASK, EVENING), id="unanswered twice"),
        pytest.param(
            BEN, Asked(), EVENING - 10 * MINUTE, Next(Step.WAIT, MORNING), id="too near the evening"
        ),
        pytest.param(BEN, Asked(), EVENING, Next(Step.WAIT, MORNING), id="in the evening"),
        pytest.param(BEN, Asked(), MORNING - MINUTE, Next(Step.WAIT, MORNING), id="at night"),
        pytest.param(BEN, Asked(1, 1), NOON, Next(Step.WAIT, NOON + DAY), id="asked lately"),
        pytest.param(BEN, Asked(0, 3), NOON, Next(Step.DROP, NOON), id="never answered"),
        pytest.param(
            replace(BEN, suspended=True), Asked(), NOON, Next(Step.WAIT, NOON + DAY), id="suspended"
        ),
        pytest.param(having(asked_at=NOON), Asked(), NOON, Next(Step.DROP, NOON), id="asked"),
        pytest.param(
            having(state=State.UNSUBSCRIBED), Asked(), NOON, Next(Step.DROP, NOON), id="stopped"
        ),
        pytest.param(
            having(state=State.SUBSCRIBED), Asked(), NOON, Next(Step.DROP, NOON), id="joined"
        ),
        pytest.param(replace(BEN, standings={}), Asked(), NOON, Next(Step.DROP, NOON), id="met no"),
    ],
)
def test_what_becomes_of_a_question_that_waits(
    person: Person, asked: Asked, now: datetime, expected: Next
) -> None:
    """One case for each rule."""
    assert next_step(person, "deals", asked, now) == expected


def test_a_number_without_a_place_waits_for_the_hours_that_all_have_in_common() -> None:
    """Toll-free: from nine in Honolulu until twenty in San Juan."""
    nobody_knows = replace(BEN, phone="+18005550123")

    found = next_step(nobody_knows, "deals", Asked(), NOON)

    assert found == Next(Step.WAIT, datetime(2026, 11, 23, 19, 0, tzinfo=UTC))
