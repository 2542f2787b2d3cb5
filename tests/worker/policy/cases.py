"""Facts about a message that may go, to be changed in one point by each test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from keywords.consent import State
from keywords.people import Standing
from keywords.shop import Category
from worker.policy.caps import Sent
from worker.policy.facts import CampaignFacts, Facts
from worker.policy.places import Evidence, Place, locate

NEW_YORKER: Final = "+12125550123"
# A Tuesday, noon in New York, no holiday.
NOON: Final = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
AGREED: Final = Standing(
    "deals",
    State.SUBSCRIBED,
    confirmed_at=datetime(2026, 5, 1, tzinfo=UTC),
    method="sms_keyword",
    version=3,
)
CAMPAIGN: Final = CampaignFacts("deals", Category.MARKETING, "deals")


def place(phone: str = NEW_YORKER, **known: str) -> Place:
    """Where somebody may be."""
    return locate(Evidence(phone, **known))


def facts(**changes: Any) -> Facts:
    """The facts of a message that may go at noon, with changes; ``campaign`` ones by a dict."""
    campaign = replace(CAMPAIGN, **changes.pop("campaign", {}))
    standing = changes.pop("standing", AGREED)
    return Facts(campaign, changes.pop("place", place()), standing, "entry-7", **changes)


def sent(*ago: timedelta, now: datetime = NOON, **changes: Any) -> tuple[Sent, ...]:
    """Texts that were sent so long before ``now``."""
    usual: dict[str, Any] = {"program": "deals", "subject": "deals"}
    return tuple(Sent(now - each, **(usual | changes)) for each in ago)


def local(zone: str, written: str) -> datetime:
    """A moment by the clock of a place, in UTC."""
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
