"""Segments and lists through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storage.keys import Scope
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_key

BEN = "+12125550124"
LATELY = {"field": "confirmed", "op": "within_days", "value": 7}


def test_a_segment_is_saved_counted_and_read_in_words(
    client: Client, text: Callable[..., str]
) -> None:
    """A marketer sees whom it would reach before anything is sent."""
    text("JOIN", "YES")
    text("JOIN", phone=BEN)
    made = client.post("segments", {"name": "New", "condition": LATELY}, 201)

    assert made["sentence"] == "the confirmed opt-in is within the last days: 7"
    assert client.get(f"segments/{made['id']}") == made
    assert client.get("segments")["items"] == [made]
    counts = client.get(f"segments/{made['id']}/count?program=deals")
    assert (counts["people"], counts["subscribed"], counts["never"]) == (1, 1, 0)
    members = client.get(f"segments/{made['id']}/members?program=deals")
    assert members == {"items": [{"phone": ANNA}], "next": None}


def test_a_condition_is_counted_before_it_is_saved(
    client: Client, text: Callable[..., str]
) -> None:
    """Live counts while it is being written, with an exclusion."""
    text("JOIN", "YES")
    text("JOIN", phone=BEN)

    question = {"program": "deals", "condition": {}, "exclude": LATELY}
    counts = client.post("segments/count", question)

    assert (counts["people"], counts["pending"]) == (1, 1)
    assert counts["sentence"].startswith("everybody, but not: ")


def test_changing_a_segment_keeps_what_is_not_named(client: Client) -> None:
    """A new name does not empty the condition."""
    made = client.post("segments", {"name": "New", "condition": LATELY}, 201)
    client.post("segments", {"name": "Other", "condition": {}}, 201)

    changed = client.patch(f"segments/{made['id']}", {"name": "Newest"})

    assert (changed["name"], changed["condition"]) == ("Newest", LATELY)
    client.patch(f"segments/{made['id']}", {"name": "Other"}, 409)
    client.post("segments", {"name": "Other", "condition": {}}, 409)


def test_mistakes_are_named_in_the_body(client: Client) -> None:
    """The field in the answer leads to the place in the tree."""
    wrong = {"all": [LATELY, LATELY | {"value": "7"}]}

    problem = client.post("segments", {"name": "x", "condition": wrong}, 422)

    assert fields(problem) == {"condition.all.1.value"}
    question = {"program": "nothing", "condition": {}}
    assert fields(client.post("segments/count", question, 422)) == {"program"}


def test_a_list_takes_numbers_as_people_write_them(
    client: Client, text: Callable[..., str]
) -> None:
    """Those never seen are counted and not made subscribers: a list is no consent."""
    text("JOIN", "YES")
    phones = ["(415) 555-0123", ANNA, "not a number", "+1 234"]
    made = client.post("lists", {"name": "VIP", "phones": phones}, 201)

    assert (made["rows"], made["invalid"], made["unknown"]) == (4, 2, 0)
    more = client.post(f"lists/{made['id']}/phones", {"phones": ["+14155552671"]})
    assert (more["rows"], more["unknown"]) == (5, 1)
    question: dict[str, Any] = {"program": "deals"}
    question["condition"] = {"field": "list", "op": "is", "value": "VIP"}
    assert client.post("segments/count", question)["people"] == 1
    assert [row["name"] for row in client.get("lists")["items"]] == ["VIP"]
    client.post("lists", {"name": "VIP", "phones": []}, 409)
    client.post("lists/77/phones", {"phones": [ANNA]}, 404)


def test_reading_does_not_allow_making(database: Database, client: Client) -> None:
    """A key for reports cannot change whom a campaign reaches."""
    reader = Client(client.app, make_key(database, Scope.READ))

    reader.post("segments", {"name": "x", "condition": {}}, 403)
    reader.get("segments/0", 404)
    reader.get("segments")
