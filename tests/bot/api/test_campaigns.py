"""Campaigns through the API: written, looked at, launched, stopped, read."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from storage.database import connect
from tests import campaigns as crowds
from tests.bot.api.conftest import Client, Database, fields

SALE: dict[str, Any] = {
    "name": "Sale",
    "program": "deals",
    "texts": ["{{ brand }}: 20% off: https://acme.example/sale"],
}


@pytest.fixture
def crowd(database_url: str, database: Database) -> list[str]:
    """Twenty people in the program, where it is noon; three were only asked, two have left."""
    del database
    with connect(database_url, "test") as connection:
        there = crowds.crowd(connection, 20)
        crowds.crowd(connection, 3, first=100, state="pending")
        crowds.crowd(connection, 2, first=200, state="unsubscribed")
        return there


def test_a_draft_shows_what_people_would_see(client: Client) -> None:
    """The text with its link and its opt-out line, and what was found in it."""
    made = client.post("campaigns", SALE | {"texts": [*SALE["texts"], "Hi “you”: 10% off"]}, 201)

    assert made["state"] == "draft"
    assert made["sentence"] == "everybody"
    first, second = made["variants"]
    assert (first["label"], second["label"]) == ("A", "B")
    assert first["typical"].startswith("Acme Outfitters: 20% off: https://a.cm/")
    assert first["typical"].endswith("Reply STOP to end.")
    assert first["typical_segments"] == 1
    assert second["findings"]
    assert client.get(f"campaigns/{made['id']}") == made
    assert client.get("campaigns")["items"] == [made]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such program": ({"program": "nothing"}, "program"),
    "a field that is none": ({"texts": ["Hi {{ firstname }}"]}, "texts.0"),
    "no fallback": ({"texts": ["ok", "Hi {{ first_name }}"]}, "texts.1"),
    "a public shortener": ({"texts": ["Sale: https://bit.ly/x"]}, "texts.0"),
    "a host that is not ours": ({"texts": ["Sale: https://evil.example/x"]}, "texts.0"),
    "an unclosed tag": ({"texts": ["Hi {{ brand"]}, "texts.0"),
    "two times": (
        {"send_at": "2030-01-01T10:00:00Z", "local_at": "2030-01-01T10:00"},
        "local_at",
    ),
    "no such segment": ({"audience": {"segment": 99}}, "audience.segment"),
    "no such list": ({"audience": {"list": "x"}}, "audience.list"),
    "a bad condition": (
        {"audience": {"condition": {"field": "shoe", "op": "is", "value": 1}}},
        "audience.condition.field",
    ),
    "too much held out": ({"holdout": 0.6}, "holdout"),
    "no text": ({"texts": []}, "texts"),
    "an expiry of nothing": ({"coupon_expires_at": "2030-01-01T10:00:00Z"}, "coupon_expires_at"),
}


@pytest.mark.parametrize(("over", "field"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_sent_is_named_and_not_stored(
    client: Client, over: dict[str, Any], field: str
) -> None:
    """While it is written, not after it was sent."""
    assert field in fields(client.post("campaigns", SALE | over, 422))
    assert client.get("campaigns")["items"] == []


def test_a_draft_can_be_changed_and_a_launched_campaign_cannot(client: Client) -> None:
    """What is left out stays."""
    key = client.post("campaigns", SALE, 201)["id"]

    changed = client.patch(f"campaigns/{key}", {"texts": ["A", "B"], "holdout": 0.1})
    assert [variant["text"] for variant in changed["variants"]] == ["A", "B"]
    assert (changed["name"], changed["holdout"]) == ("Sale", 0.1)
    client.patch(f"campaigns/{key}", {"texts": ["{{ x }}"]}, 422)
    client.post(f"campaigns/{key}/launch", None)
    client.patch(f"campaigns/{key}", {"name": "Other"}, 409)


def test_a_preview_says_who_gets_it_and_what_it_costs(client: Client, crowd: list[str]) -> None:
    """Nothing is sent, and nobody is planned."""
    key = client.post("campaigns", SALE, 201)["id"]

    seen = client.post(f"campaigns/{key}/preview", None)

    assert (seen["subscribed"], seen["pending"], seen["unsubscribed"]) == (20, 3, 2)
    assert (seen["now"], seen["asked"], seen["estimated"]) == (20, 20, False)
    assert seen["held"] == []
    assert seen["segments_worst"] == 1
    assert seen["cost_total_micros"] == 20 * seen["cost_worst_micros"]
    assert seen["cost_total"].endswith(" USD")
    assert {example["phone"] for example in seen["examples"]} <= set(crowd)
    assert client.get(f"campaigns/{key}")["progress"]["planned"] is None


def test_a_preview_knows_the_night_and_the_kill_switch(
    client: Client, database_url: str, database: Database
) -> None:
    """Held until when, and refused for what."""
    with connect(database_url, "test") as connection:
        crowds.crowd(connection, 4, zone=crowds.noon(23))
    key = client.post("campaigns", SALE | {"max_lateness_minutes": 60}, 201)["id"]

    seen = client.post(f"campaigns/{key}/preview", None)

    assert seen["now"] == 0
    assert [(each["reason"], each["people"]) for each in seen["held"]] == [
        ("policy.quiet_hours", 4)
    ]
    client.post("switches/kill", {"reason": "trying it"})
    stopped = client.post(f"campaigns/{key}/preview", None)
    assert [each["reason"] for each in stopped["held"]] == ["policy.kill_switch"]


def test_segments_lists_and_exclusions_choose_the_people(client: Client, crowd: list[str]) -> None:
    """All that is given holds together."""
    client.post("lists", {"name": "VIP", "phones": crowd[:5]}, 201)
    condition = {"field": "subscription", "op": "is", "value": "subscribed"}
    segment = client.post("segments", {"name": "There", "condition": condition}, 201)["id"]
    exclude = {"field": "phone", "op": "is", "value": crowd[0]}
    audience = {"segment": segment, "list": "VIP", "exclude": exclude}

    made = client.post("campaigns", SALE | {"audience": audience}, 201)

    assert made["sentence"].startswith("the subscription is subscribed and a list they are on")
    assert client.post(f"campaigns/{made['id']}/preview", None)["now"] == 4


def test_launching_twice_is_launching_once(client: Client, crowd: list[str]) -> None:
    """And a campaign that was canceled stays so."""
    del crowd
    made = client.post("campaigns", SALE | {"launch": True}, 201)
    assert made["state"] == "planning"
    key = made["id"]
    assert client.post(f"campaigns/{key}/launch", None)["state"] == "planning"
    paused = client.post(f"campaigns/{key}/pause", {"reason": "a typo"})
    assert (paused["state"], paused["state_reason"]) == ("paused", "a typo")
    assert client.post(f"campaigns/{key}/resume", None)["state"] == "planning"
    hurried = client.post(f"campaigns/{key}/pause", {})
    assert hurried["state_reason"] == "no reason was given"
    client.post(f"campaigns/{key}/resume", None)
    ended = client.post(f"campaigns/{key}/cancel", {"reason": "wrong list"})
    assert ended["state"] == "canceled"
    client.post(f"campaigns/{key}/resume", None, 409)
    client.post(f"campaigns/{key}/launch", None, 409)
    acts = [row["act"] for row in client.get("audit")["items"] if "campaign" in row["act"]]
    assert acts == [
        "campaign.canceled",
        *["campaign.resumed", "campaign.paused"] * 2,
        "campaign.launched",
        "campaign.created",
    ]


def test_switches_are_thrown_with_a_reason_and_released(client: Client) -> None:
    """All marketing stops at once."""
    thrown = client.post("switches/kill", {"reason": "wrong price in the text"})

    kill = next(each for each in thrown["items"] if each["name"] == "kill")
    assert (kill["on"], kill["reason"], kill["by"]) == (True, "wrong price in the text", "key:boss")
    released = client.post("switches/kill/release", {"reason": "mended"})
    assert not any(each["on"] for each in released["items"])


def test_recipients_are_a_page_and_a_file_that_is_safe_to_open(
    client: Client, database_url: str, crowd: list[str]
) -> None:
    """A phone number begins with +, which a spreadsheet would take for a formula."""
    key = client.post("campaigns", SALE, 201)["id"]
    with connect(database_url, "test") as connection:
        connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, reason, body)"
            " SELECT %s, id, 0, CASE WHEN id %% 2 = 0 THEN 'refused' ELSE 'accepted' END,"
            " CASE WHEN id %% 2 = 0 THEN 'policy.cap.law' END, '=1+1'"
            " FROM subscribers WHERE phone = ANY(%s)",
            (key, crowd),
        )

    refused = client.get(f"campaigns/{key}/recipients?state=refused&limit=3")
    assert len(refused["items"]) == 3
    assert refused["next"]
    assert {row["sentence"] for row in refused["items"]} == {
        "The law allows no more messages in so short a time."
    }
    response = client.send("GET", f"campaigns/{key}/recipients.csv")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))
    assert sorted(row["phone"] for row in rows) == sorted(f"'{phone}" for phone in crowd)
    assert {row["body"] for row in rows} == {"'=1+1"}
    client.get("campaigns/999/recipients", 404)
