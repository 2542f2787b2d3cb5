"""Numbers that changed hands, and drift, by the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from storage.database import connect
from tests.bot.api.conftest import ANNA, Client, fields

BEN = "+12125550124"
TODAY = datetime.now(UTC).date().isoformat()


def states(client: Client, phone: str) -> dict[str, str]:
    """A person's subscriptions."""
    shown = client.get(f"subscribers/{phone}")["subscriptions"]
    return {s["program"]: s["state"] for s in shown}


def test_numbers_are_asked_about_and_answers_applied(
    client: Client, text: Callable[..., str]
) -> None:
    """In pages; "yes" ends consent, and nobody is asked about twice."""
    for phone in (ANNA, BEN):
        text("JOIN", "YES", phone=phone)
    first = client.get("reassigned-numbers?limit=1")
    second = client.get(f"reassigned-numbers?limit=1&cursor={first['next']}")
    asked = [*first["items"], *second["items"]]
    assert asked == [{"phone": phone, "alive_on": TODAY} for phone in (ANNA, BEN)]
    items = [{**each, "answer": answer} for each, answer in zip(asked, ("yes", "no"), strict=True)]
    answered = client.post("reassigned-numbers", {"source": "rnd, November", "items": items})
    assert answered == {"numbers": 2, "known": 2, "lapsed": 1}
    assert states(client, ANNA) == {"deals": "none"}
    assert states(client, BEN) == {"deals": "subscribed"}
    assert client.get("reassigned-numbers")["items"] == []
    last = client.get(f"subscribers/{ANNA}/consent")["items"][-1]
    assert (last["change"], last["method"]) == ("lapsed", "carrier")
    assert last["evidence"]["carrier"]["source"] == "rnd, November"


def test_a_number_that_is_none_is_named(client: Client) -> None:
    """And nothing of the list is applied."""
    items: list[dict[str, Any]] = [{"phone": "nonsense", "alive_on": TODAY, "answer": "yes"}]
    problem = client.post("reassigned-numbers", {"source": "rnd", "items": items}, 422)
    assert fields(problem) == {"items.0.phone"}


def test_drift_comes_in_pages(client: Client, text: Callable[..., str], database_url: str) -> None:
    """One of each kind."""
    for phone in (ANNA, BEN):
        text("JOIN", "YES", phone=phone)
    with connect(database_url, "test") as connection:
        connection.execute(
            "UPDATE messages SET state = 'rejected', error_code = '21610', settled_at ="
            " assent_now() WHERE reply = 'welcome'"
        )
    first = client.get("drift?limit=1")
    second = client.get(f"drift?limit=1&cursor={first['next']}")
    found = [*first["items"], *second["items"]]
    assert [(each["phone"], each["kind"]) for each in found] == [
        (ANNA, "refused"),
        (BEN, "refused"),
    ]
    assert second["next"] is None
