"""Orders through the API: once each, credited once, changed by later events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.database import connect
from tests.bot.api.conftest import ANNA, Client, fields
from tests.worker.sales import Sales
from tests.worker.scene import Scene
from worker.policy import click_ids

ORDER: dict[str, Any] = {"order_id": "#1001", "amount_minor": 1990, "currency": "USD"}


@pytest.fixture
def clicked(database_url: str, text: Callable[..., str]) -> str:
    """Anna clicked on a campaign's link half an hour ago; the click's id as it is written."""
    text("JOIN", "YES")
    with connect(database_url, "test") as connection:
        sales = Sales(Scene(connection))
        return click_ids.write(sales.click(sales.text(sales.campaign("Spring"), ANNA)))


def test_an_order_is_recorded_once_and_says_who_earned_it(client: Client, clicked: str) -> None:
    """By the customer's number, however it is punctuated."""
    first = client.post("conversions", ORDER | {"phone": "(415) 555-0123"})

    assert first["credit"]["basis"] == "click"
    assert first["credit"]["rule"] == "click.last.person"
    assert first["credit"]["click_id"] == clicked
    assert (first["amount_minor"], first["net_minor"]) == (1990, 1990)
    assert client.post("conversions", ORDER | {"phone": ANNA}) == first
    client.post("conversions", ORDER | {"amount_minor": 1991}, 409)
    assert client.get("conversions")["items"] == [first]
    assert client.get(f"conversions/{first['id']}") == first
    client.get("conversions/999", 404)
    client.get("conversions/x", 404)


@pytest.mark.parametrize("way", ["click_id", "landing_site"])
def test_a_guests_order_is_credited_by_the_click_it_carries(
    client: Client, clicked: str, way: str
) -> None:
    """The landing page's address, or the id that the script kept."""
    value = clicked if way == "click_id" else f"/hats?utm=x&assent_click={clicked}#top"

    order = client.post("conversions", ORDER | {way: value})

    assert order["click_ids"] == [clicked]
    assert order["credit"]["rule"] == "click.last.order"


def test_refunds_count_once_and_may_come_first(client: Client) -> None:
    """Shops deliver their events in any order, and more than once."""
    refund = {"order_id": "#1001", "kind": "refunded", "change_id": "r1", "amount_minor": 990}

    early = client.post("conversions/changes", refund)
    assert early == {"recorded": True, "order": None}
    assert client.post("conversions", ORDER)["net_minor"] == 1000
    again = client.post("conversions/changes", refund)
    assert again["recorded"] is False
    assert again["order"]["net_minor"] == 1000
    cancel = {"order_id": "#1001", "kind": "canceled", "change_id": "c1"}
    assert client.post("conversions/changes", cancel)["order"]["net_minor"] == 0


def test_windows_and_recomputing_are_shown_before_they_change_anything(
    client: Client, clicked: str
) -> None:
    """History is rewritten only by somebody who has seen how."""
    order = client.post("conversions", ORDER | {"click_id": clicked})
    now = datetime.now(UTC)
    when = {
        "start": (now - timedelta(days=1)).isoformat(),
        "end": (now + timedelta(days=1)).isoformat(),
    }
    assert client.get("programs/deals/attribution")["click_hours"] == 120
    assert client.post("conversions/recompute", when) == {"written": False, "items": []}
    credits_ = client.get(f"conversions/{order['id']}")["credit"]

    client.put("programs/deals/attribution", {"click_hours": 1, "delivered_hours": 24})

    assert client.get("programs/deals/attribution")["delivered_hours"] == 24
    assert client.get(f"conversions/{order['id']}")["credit"] == credits_
    client.put("programs/nothing/attribution", {"click_hours": 1}, 404)
    backwards = {"start": when["end"], "end": when["start"]}
    assert fields(client.post("conversions/recompute", backwards, 422)) == {"end"}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"phone": "call me"}, "phone"),
    "an order of tomorrow": (
        {"ordered_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
        "ordered_at",
    ),
    "an order of long ago": ({"ordered_at": "2020-01-01T00:00:00Z"}, "ordered_at"),
    "a fraction of a cent": ({"amount_minor": 19.9}, "amount_minor"),
    "less than nothing": ({"amount_minor": -1}, "amount_minor"),
    "no currency": ({"currency": "$"}, "currency"),
    "no click": ({"click_id": "zz"}, "click_id"),
    "no order": ({"order_id": ""}, "order_id"),
}


@pytest.mark.parametrize(("over", "field"), WRONG.values(), ids=WRONG)
def test_what_is_malformed_is_named(client: Client, over: dict[str, Any], field: str) -> None:
    """And nothing is written."""
    assert fields(client.post("conversions", ORDER | over, 422)) == {field}
    assert client.get("conversions")["items"] == []
