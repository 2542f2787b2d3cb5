"""Which questions may still be sent, and of which a reminder is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keywords.consent import State
from keywords.people import Standing
from worker.policy.questions import may_remind, refusal

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASKED = Standing(
    "deals", State.PENDING, asked_at=NOW - DAY - HOUR, expires_at=NOW + 6 * DAY, question="d"
)


@pytest.mark.parametrize("state", [s for s in State if s is not State.PENDING])
@pytest.mark.parametrize("kind", ["confirmation", "reminder"])
def test_a_question_goes_only_while_it_is_pending(state: State, kind: str) -> None:
    """After STOP, after YES, after it expired: not any more."""
    standing = replace(ASKED, state=state)
    assert refusal(kind, NOW, standing, NOW, suspended=False) == "policy.not_pending"


@pytest.mark.parametrize(
    ("state", "suspended", "expected"),
    [
        pytest.param(State.SUBSCRIBED, False, None, id="welcomed"),
        pytest.param(State.SUBSCRIBED, True, "policy.suspended", id="perhaps an opt-out"),
        pytest.param(State.UNSUBSCRIBED, False, "policy.not_subscribed", id="STOP"),
        pytest.param(State.PAUSED, False, "policy.not_subscribed", id="paused"),
        pytest.param(State.PENDING, False, "policy.not_subscribed", id="asked again"),
    ],
)
def test_a_coupon_goes_only_to_a_subscriber(
    state: State, expected: str | None, *, suspended: bool
) -> None:
    """Whoever texted STOP right after YES gets nothing more."""
    standing = Standing("deals", state, confirmed_at=NOW)
    assert refusal("coupon", NOW, standing, NOW, suspended=suspended) == expected
    assert refusal("coupon", NOW, None, NOW, suspended=suspended) == "policy.not_subscribed"


@pytest.mark.parametrize(
    ("kind", "created", "standing", "suspended", "expected"),
    [
        pytest.param("confirmation", NOW, ASKED, False, None, id="asked"),
        pytest.param("confirmation", ASKED.asked_at, ASKED, False, None, id="with the question"),
        pytest.param("reminder", NOW, ASKED, False, None, id="reminded"),
        pytest.param("reminder", NOW, ASKED, True, "policy.suspended", id="suspended"),
        pytest.param("confirmation", NOW, ASKED, True, None, id="asked for while suspended"),
        pytest.param("confirmation", NOW, None, False, "policy.not_pending", id="never met"),
        pytest.param(
            "confirmation",
            NOW,
            replace(ASKED, expires_at=NOW),
            False,
            "policy.question_expired",
            id="expired, before any sweep",
        ),
        pytest.param(
            "reminder", NOW - 2 * DAY, ASKED, False, "policy.asked_again", id="an older question"
        ),
        pytest.param("campaign", NOW, ASKED, False, "policy.unknown_kind", id="no rule, no text"),
    ],
)
def test_whether_a_text_may_go(
    kind: str, created: datetime, standing: Standing | None, suspended: bool, expected: str | None
) -> None:
    """One case for each rule."""
    assert refusal(kind, created, standing, NOW, suspended=suspended) == expected


@pytest.mark.parametrize(
    ("standing", "after", "suspended", "due"),
    [
        pytest.param(ASKED, DAY, False, True, id="a day later"),
        pytest.param(ASKED, 2 * DAY, False, False, id="not yet"),
        pytest.param(ASKED, None, False, False, id="the program sends none"),
        pytest.param(ASKED, DAY, True, False, id="suspended"),
        pytest.param(replace(ASKED, reminded_at=NOW - HOUR), DAY, False, False, id="only once"),
        pytest.param(replace(ASKED, expires_at=NOW), DAY, False, False, id="expired"),
        pytest.param(replace(ASKED, state=State.SUBSCRIBED), DAY, False, False, id="answered"),
        pytest.param(Standing("deals"), DAY, False, False, id="never asked"),
    ],
)
def test_when_a_reminder_is_due(
    standing: Standing, after: timedelta | None, suspended: bool, due: bool
) -> None:
    """Once, after the program's time, while the question is open."""
    assert may_remind(standing, after, NOW, suspended=suspended) is due
