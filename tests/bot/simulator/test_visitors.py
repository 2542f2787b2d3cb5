"""Who comes to a link on the phone page, and where a phone's browser ends up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.simulator.app import build
from bot.simulator.config import Config
from bot.simulator.visitors import VISITORS
from tests.bot.simulator.service import ACCOUNT, TOKEN
from worker.policy.hits import HUMAN, Hit, classify

if TYPE_CHECKING:
    import requests

    from tests.bot.simulator.service import Live, StubService

LINK = "https://texts.acme.example/l/Abcdef0123"
EXPECTED = {
    "person": [HUMAN],
    "imessage": ["agent.preview.imessage"],
    "google_messages": ["agent.preview.google_messages"],
    "samsung_messages": ["agent.preview.samsung_messages"],
    "scanner": ["method.head", "agent.scanner"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_visitor_asks_as_the_real_one_does(
    simulator: Live, stub: StubService, browserless: requests.Session, name: str
) -> None:
    """Through the service's own address, and the rules tell who it was."""
    answer = browserless.post(
        f"{simulator.url}/simulator/visits", json={"address": LINK, "as": name}
    )

    assert answer.status_code == 201
    assert [one["status"] for one in answer.json()["requests"]] == [302] * len(stub.taps)
    assert {one["location"] for one in answer.json()["requests"]} == {stub.destination}
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    labels = [classify(Hit(method, agent, noon, {})) for method, _, agent in stub.taps]
    assert labels == EXPECTED[name]
    assert {host for _, host, _ in stub.taps} == {"texts.acme.example"}
    assert set(VISITORS) == set(EXPECTED)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/l/Abcdef0123",
        "https://texts.acme.example.evil.example/l/Abcdef0123",
        "https://texts.acme.example@evil.example/l/Abcdef0123",
        "https://texts.acme.example/l/../api/v1/keys",
        "https://texts.acme.example/l/Abcdef0123?x=http://evil.example",
        "https://texts.acme.example/livez",
        "http://127.0.0.1:1/l/Abcdef0123",
        "file:///etc/passwd",
        "http://[",
        "",
    ],
)
def test_nobody_is_sent_anywhere_but_to_a_short_link(
    simulator: Live, stub: StubService, browserless: requests.Session, address: str
) -> None:
    """The simulator makes no other request, whoever asks for it."""
    url = f"{simulator.url}/simulator/visits"
    refused = browserless.post(url, json={"address": address, "as": "person"})
    browsed = browserless.get(
        f"{simulator.url}/simulator/browser", params={"address": address}, allow_redirects=False
    )

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "address"
    assert browsed.status_code == 404
    assert stub.taps == []


def test_who_is_not_known_is_refused(simulator: Live, browserless: requests.Session) -> None:
    """With the names that there are."""
    url = f"{simulator.url}/simulator/visits"
    answer = browserless.post(url, json={"address": LINK, "as": "burglar"})

    assert answer.status_code == 422
    assert "imessage" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (LINK, "/simulator/shop/sale?size=9&assent_click=0000018bcfe56800"),
        ("https://acme.example/terms", "/simulator/shop/terms"),
        ("https://www.acme.example", "/simulator/shop/"),
    ],
)
def test_a_phone_reaches_the_shop(
    simulator: Live,
    stub: StubService,
    browserless: requests.Session,
    address: str,
    place: str,
) -> None:
    """By a short link and by its own addresses, with the click's id where it belongs."""
    stub.destination = "https://acme.example/sale?size=9&assent_click=0000018bcfe56800"
    answer = browserless.get(
        f"{simulator.url}/simulator/browser", params={"address": address}, allow_redirects=False
    )

    assert (answer.status_code, answer.headers["Location"]) == (302, place)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/<script>",
        "https://acme.example/../../api/docs",
        "nonsense",
    ],
)
def test_what_a_phone_does_not_reach_is_said(
    simulator: Live, stub: StubService, browserless: requests.Session, address: str
) -> None:
    """A link that leads elsewhere is shown and not followed, and nothing in it is markup."""
    stub.destination = address
    answer = browserless.get(
        f"{simulator.url}/simulator/browser", params={"address": LINK}, allow_redirects=False
    )

    assert answer.status_code == 404
    assert "not reached from here" in answer.text
    assert "<script>" not in answer.text
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_a_dead_link_shows_the_services_own_page(
    simulator: Live, stub: StubService, browserless: requests.Session
) -> None:
    """Status and words are passed on."""
    stub.destination = ""
    answer = browserless.get(f"{simulator.url}/simulator/browser", params={"address": LINK})

    assert (answer.status_code, answer.text) == (404, "This link leads nowhere")


def test_a_service_that_is_away_is_said() -> None:
    """To the person and to the script."""
    app = build(Config(ACCOUNT, TOKEN, "https://texts.acme.example", "http://127.0.0.1:1", None))
    client = app.test_client()

    browsed = client.get("/simulator/browser", query_string={"address": LINK})
    sent = client.post("/simulator/visits", json={"address": LINK, "as": "scanner"})

    assert browsed.status_code == sent.status_code == 502
    assert "is it running" in browsed.text
    assert "is it running" in sent.get_json()["detail"]
    app.extensions["carrier"].close()
