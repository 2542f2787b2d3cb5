"""Where the bands of a program's customers begin, in figures and in words."""

from __future__ import annotations

from collections.abc import Callable

from storage.keys import Scope
from tests.bot.api.conftest import Client, Database, make_key

BEST = {"field": "frequency_band", "op": "is", "value": 5}


def test_bands_are_computed_explained_and_used(client: Client, text: Callable[..., str]) -> None:
    """A marketer sees from which value on somebody is among the best, and counts them."""
    client.get("programs/deals/bands", 404)
    client.post("programs/deals/bands", {}, 409)
    for person in range(5):
        phone = f"+1415555013{person}"
        text("JOIN", "YES", phone=phone)
        for number in range(person + 1):
            order = {"order_id": f"#{person}-{number}", "amount_minor": 1000, "currency": "USD"}
            client.post("conversions", order | {"phone": phone})

    made = client.post("programs/deals/bands", {})

    assert client.get("programs/deals/bands") == made
    assert (made["customers"], made["frequency"]) == (5, [1, 2, 3, 4])
    assert made["money"] == {"USD": [1000, 2000, 3000, 4000]}
    assert "frequency_band 1: number of orders up to 1" in made["sentences"]
    assert "money_band 3: spent above 20.00 USD, up to 30.00 USD" in made["sentences"]
    assert "money_band 5: spent above 40.00 USD" in made["sentences"]
    assert made["sentences"][4].startswith("recency_band 5: last order after 20")
    counts = client.post("segments/count", {"program": "deals", "condition": BEST})
    assert (counts["people"], counts["sentence"]) == (1, "the band of the number of orders is 5")
    acts = [row["act"] for row in client.get("audit")["items"]]
    assert acts[0] == "bands.computed"


def test_a_band_in_which_nobody_can_be_is_not_told(
    client: Client, text: Callable[..., str]
) -> None:
    """Where most people ordered once there is no band two."""
    for person in range(6):
        phone = f"+1415555013{person}"
        text("JOIN", "YES", phone=phone)
        order = {"order_id": f"#{person}", "amount_minor": 1000, "currency": "JPY"}
        client.post("conversions", order | {"phone": phone})

    sentences = client.post("programs/deals/bands", {})["sentences"]

    told = [sentence for sentence in sentences if sentence.startswith("money_band")]
    assert told == ["money_band 1: spent up to 1000 JPY", "money_band 5: spent above 1000 JPY"]


def test_reading_does_not_allow_computing(database: Database, client: Client) -> None:
    """And there are no bands of a program that is not there."""
    reader = Client(client.app, make_key(database, Scope.READ))

    reader.post("programs/deals/bands", {}, 403)
    reader.get("programs/nothing/bands", 404)
