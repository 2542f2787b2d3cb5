"""Programs and senders: published, changed, refused with the field named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.bot.api.conftest import Client, fields

SNEAKERS: dict[str, Any] = {
    "slug": "sneakers",
    "sender": "54321",
    "name": "Sneaker Drops",
    "brand": "Acme Outfitters",
    "category": "marketing",
    "keywords": ["KICKS", "SHOES"],
    "help_contact": "help@acme.example",
    "terms_url": "https://acme.example/terms",
    "privacy_url": "https://acme.example/privacy",
    "frequency": {"count": 2, "period": "week"},
}


def test_a_published_program_is_joined_by_its_keyword(
    client: Client, text: Callable[..., str]
) -> None:
    """What the API answers is what was sent, with defaults; and texts find it at once."""
    made = client.post("programs", SNEAKERS, 201)

    assert {name: made[name] for name in SNEAKERS} == SNEAKERS
    assert (made["version"], made["language"], made["double_opt_in"]) == (1, "en", True)
    assert client.get("programs/sneakers") == made
    assert [p["slug"] for p in client.get("programs")["items"]] == [
        "coffee",
        "deals",
        "orders",
        "sneakers",
    ]
    text("shoes", "YES", phone="+14155550177")
    (subscription,) = client.get("subscribers/+14155550177")["subscriptions"]
    assert (subscription["program"], subscription["state"]) == ("sneakers", "subscribed")


def test_lists_go_on_from_their_cursor(client: Client) -> None:
    """Pages of two together are the whole list."""
    first = client.get("programs?limit=2")
    second = client.get(f"programs?limit=2&cursor={first['next']}")

    slugs = [p["slug"] for p in first["items"] + second["items"]]
    assert slugs == ["coffee", "deals", "orders"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"slug": "Sneakers"}, {"slug"}),
        ({"slug": "a" * 41}, {"slug"}),
        ({"sender": "99999"}, {"sender"}),
        ({"keywords": []}, {"keywords"}),
        ({"keywords": ["DEALS"]}, {"keywords.0"}),
        ({"keywords": ["KICKS", "ｄｅａｌｓ"]}, {"keywords.1"}),
        ({"keywords": ["KICKS", "kicks"]}, {"keywords.1"}),
        ({"keywords": ["TWO WORDS"]}, {"keywords.0"}),
        ({"keywords": ["KICKS", "A-B"]}, {"keywords.1"}),
        ({"keywords": ["STOP"]}, {"keywords.0"}),
        ({"keywords": ["YES"]}, {"keywords.0"}),
        ({"keywords": ["WEEKLY"]}, {"keywords.0"}),
        ({"keywords": ["ARRET"]}, {"keywords.0"}),
        ({"frequency": {"count": 0, "period": "week"}}, {"frequency.count"}),
        ({"frequency": {"count": True, "period": "week"}}, {"frequency.count"}),
        ({"frequency": {"count": 1, "period": "year"}}, {"frequency.period"}),
        ({"help_contact": "ask at the till"}, {"help_contact"}),
        ({"terms_url": "http://acme.example/terms"}, {"terms_url"}),
        ({"privacy_url": "javascript:alert(1)"}, {"privacy_url"}),
        ({"language": "de"}, {"language"}),
        ({"category": "spam"}, {"category"}),
        ({"name": "a\u0000b"}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"remind_after_hours": 168}, {"remind_after_hours"}),
        ({"double_opt_in": "yes"}, {"double_opt_in"}),
        ({"texts": {"de": {"help": "Hilfe"}}}, {"texts.de.[key]"}),
        ({"texts": {"en": {"hello": "Hi"}}}, {"texts.en.hello.[key]"}),
        ({"texts": {"en": {"help": "Call us"}}}, {"texts.en.help"}),
        ({"texts": {"en": {"welcome": "Hi {nobody}"}}}, {"texts.en.welcome"}),
        ({"minimum_age": 12}, {"minimum_age"}),
        ({"minimum_age": "21"}, {"minimum_age"}),
        ({"minimum_age": 21, "countries": ["US", "CA"]}, {"countries"}),
        ({"countries": []}, {"countries"}),
        ({"countries": ["US", "XX"]}, {"countries.1"}),
        ({"origins": ["https://acme.example/"]}, {"origins.0"}),
        ({"origins": ["http://acme.example"]}, {"origins.0"}),
        ({"origins": ["*"]}, {"origins.0"}),
        ({"look": {"colour": "red"}}, {"look.colour"}),
        ({"campaign_texts": {"link_hosts": ["bit.ly"]}}, {"campaign_texts.link_hosts.0"}),
        ({"campaign_texts": {"link_hosts": ["a.shop", "com"]}}, {"campaign_texts.link_hosts.1"}),
        ({"campaign_texts": {"link_hosts": ["10.0.0.1"]}}, {"campaign_texts.link_hosts.0"}),
        ({"campaign_texts": {"link_hosts": ["https://a.shop"]}}, {"campaign_texts.link_hosts.0"}),
        ({"campaign_texts": {"link_days": 0}}, {"campaign_texts.link_days"}),
        ({"campaign_texts": {"attributes": ["Shoe size"]}}, {"campaign_texts.attributes.0"}),
        ({"campaign_texts": {"opt_out": "never"}}, {"campaign_texts.opt_out"}),
        ({"look": {"headline": {"de": "Hallo"}}}, {"look.headline.de.[key]"}),
    ],
)
def test_a_program_that_breaks_a_rule_is_refused_by_field(
    client: Client, change: dict[str, Any], named: set[str]
) -> None:
    """422 names each field; nothing is saved and nothing is audited."""
    problem = client.post("programs", SNEAKERS | change, 422)

    assert fields(problem) == named
    assert len(client.get("programs")["items"]) == 3
    assert client.get("audit")["items"] == []


def test_a_slug_is_taken_once(client: Client) -> None:
    """409, and the first program stays as it is."""
    client.post("programs", SNEAKERS, 201)

    client.post("programs", SNEAKERS | {"keywords": ["OTHER"]}, 409)

    assert client.get("programs/sneakers")["keywords"] == SNEAKERS["keywords"]


def test_a_change_publishes_a_version_and_keeps_the_one_before(client: Client) -> None:
    """PATCH touches what it names; the same PATCH again publishes nothing."""
    before = client.get("programs/deals")

    after = client.patch("programs/deals", {"frequency": None, "keywords": ["SALE", "JOIN"]})
    again = client.patch("programs/deals", {"frequency": None})

    assert after["version"] == before["version"] + 1 == again["version"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"frequency", "keywords", "version", "published_at"}
    versions = client.get("programs/deals/versions")["items"]
    assert [v["version"] for v in versions] == [1, 2]
    assert versions[0]["body"]["keywords"] == before["keywords"]
    page = client.get("programs/deals/versions?limit=1")
    assert client.get(f"programs/deals/versions?cursor={page['next']}")["items"] == versions[1:]


def test_put_replaces_everything(client: Client) -> None:
    """Fields that are left out go back to their defaults."""
    client.patch("programs/deals", {"language": "es"})
    body = {name: value for name, value in SNEAKERS.items() if name not in ("slug", "frequency")}

    after = client.put("programs/deals", body)

    assert (after["slug"], after["name"], after["frequency"]) == ("deals", "Sneaker Drops", None)
    assert (after["language"], after["version"]) == ("en", 3)


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"slug": "other"},
        {"keywords": ["COFFEE"]},
        {"sender": "nowhere"},
        {"texts": {"en": {"goodbye": "Bye"}}},
    ],
    ids=["null", "slug", "taken", "sender", "text"],
)
def test_a_bad_change_changes_nothing(client: Client, change: dict[str, Any]) -> None:
    """A program in force stays in force."""
    before = client.get("programs/deals")

    client.patch("programs/deals", change, 422)

    assert client.get("programs/deals") == before


@pytest.mark.parametrize("path", ["programs/none", "programs/none/versions", "senders/99999"])
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    """Reading and changing alike."""
    client.get(path, 404)
    if "versions" not in path:
        client.patch(path, {}, 404)


def test_a_sender_is_added_and_changed(client: Client) -> None:
    """Short codes by their digits, other numbers in E.164."""
    sender = {
        "number": "+18332000000",
        "name": "Toll-free",
        "kind": "toll_free",
        "keyword_authority": "tollfree_network",
        "segments_per_second": 3,
    }

    made = client.post("senders", sender, 201)
    changed = client.patch("senders/+18332000000", {"segments_per_second": 25.5})

    assert {name: made[name] for name in sender} == sender
    assert changed == made | {"segments_per_second": 25.5}
    assert client.get("senders/%2B18332000000") == changed
    assert [s["number"] for s in client.get("senders")["items"]] == ["+18332000000", "54321"]
    client.post("senders", sender, 409)


@pytest.mark.parametrize(
    ("sender", "named"),
    [
        ({"number": "12345", "kind": "long_code"}, {"kind"}),
        ({"number": "+14155550188", "kind": "short_code"}, {"kind"}),
        ({"number": "+14155550188", "kind": "toll_free"}, {"kind"}),
        ({"number": "+19999999999", "kind": "long_code"}, {"number"}),
        ({"number": "4155550188", "kind": "long_code"}, {"number"}),
        (
            {"number": "12345", "kind": "short_code", "keyword_authority": "tollfree_network"},
            {"keyword_authority"},
        ),
        (
            {"number": "12345", "kind": "short_code", "segments_per_second": 0},
            {"segments_per_second"},
        ),
        (
            {"number": "12345", "kind": "short_code", "segments_per_second": "5"},
            {"segments_per_second"},
        ),
    ],
)
def test_a_sender_that_cannot_be_is_refused_by_field(
    client: Client, sender: dict[str, Any], named: set[str]
) -> None:
    """Number, kind and keyword authority must agree."""
    assert fields(client.post("senders", sender | {"name": "Acme"}, 422)) == named


def test_every_write_is_in_the_audit_log(client: Client, text: Callable[..., str]) -> None:
    """Who did what to what, newest first, without a number or a text (T18)."""
    sid = text("please stop maybe?? idk what this is", phone="+14155550166")
    client.post("programs", SNEAKERS, 201)
    client.patch("programs/sneakers", {"keywords": ["KICKS"]})
    client.post("senders", {"number": "22222", "name": "B", "kind": "short_code"}, 201)
    client.patch("senders/22222", {"name": "C"})
    client.post(f"inbox/{sid}/resolve", {"resolution": "handled", "note": "read it"})

    acts = client.get("audit")["items"]

    assert [act["act"] for act in acts] == [
        "inbox.resolved",
        "sender.changed",
        "sender.created",
        "program.changed",
        "program.created",
    ]
    assert {act["actor"] for act in acts} == {"key:boss"}
    assert acts[-1]["subject"] == "program:sneakers"
    assert "555" not in str([(a["subject"], a["detail"].get("message_sid")) for a in acts[1:]])
    assert acts[0]["subject"].startswith("subscriber:")
    assert "+1415" not in str(acts)
    page = client.get("audit?limit=2")
    assert client.get(f"audit?cursor={page['next']}")["items"] == acts[2:]


def test_the_ledger_says_who_it_is_and_how_much_is_in_it(
    client: Client, text: Callable[..., str]
) -> None:
    """Entries and people are counted."""
    empty = client.get("ledger")
    text("JOIN", "YES")
    text("COFFEE", phone="+14155550166")

    full = client.get("ledger")

    assert (empty["entries"], empty["subjects"]) == (0, 0)
    assert (full["entries"], full["subjects"], full["log"]) == (3, 2, empty["log"])


def test_what_a_form_needs_is_part_of_the_program(client: Client) -> None:
    """Age, countries, sites and look are published with it, and left out where nobody set them."""
    settings = {
        "minimum_age": 21,
        "countries": ["MX", "US"],
        "origins": ["https://acme.example", "http://localhost:3000"],
        "look": {"colour": "#7a1f5f", "headline": {"es": "Hola"}},
    }
    client.post("programs", SNEAKERS | settings, 201)

    shown = client.get("programs/sneakers")
    versions = client.get("programs/sneakers/versions")["items"]

    assert {name: shown[name] for name in settings} == settings
    assert versions[0]["body"]["look"] == settings["look"]
    plain = client.get("programs/deals/versions")["items"][0]["body"]
    assert not plain.keys() & settings.keys()


def test_the_rules_for_texts_are_part_of_the_program(client: Client) -> None:
    """Published with it, shown with their defaults, and stored as far as somebody chose them."""
    chosen = {"link_hosts": ["acme.shop"], "attributes": ["shoe_size"], "opt_out": "monthly"}
    client.post("programs", SNEAKERS | {"campaign_texts": chosen}, 201)

    shown = client.get("programs/sneakers")["campaign_texts"]
    stored = client.get("programs/sneakers/versions")["items"][0]["body"]["campaign_texts"]

    usual = {"link_days": 90, "most_segments": 3, "plain_values": False}
    assert shown == usual | chosen
    assert stored == chosen
